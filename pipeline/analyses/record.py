"""The record: the states in which a condition holds, such as a section through an attractor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import components
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import End, Fold, Seen
from pipeline.arrays import Dimension, Variable
from pipeline.errors import ExpressionError
from pipeline.expressions import Expression, compile
from pipeline.maps import Map
from pipeline.settings import Setting
from pipeline.state import size
from pipeline.status import Status

# Iteration of a place that no state has taken.
NONE = -1
# Places of one cell: 8 MB of doubles for each component.
MOST = 10**6


class Kept(NamedTuple):
    """How many states have matched, and {variable: [record, ...]} the first of them."""

    count: Any
    iteration: Any
    states: dict[str, Any]


def _condition(subject: Subject, text: str) -> Expression:
    """The formula; raises ExpressionError."""
    problem = subject.problem
    names = [*problem.components, *problem.parameters, *problem.definitions, "n"]
    return compile(text, [*names, *(["size"] if size(problem.components) else [])])


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`record_<c>`, `record_iteration`, `record_count`; the count goes on beyond the capacity.

    Of an escaped cell nothing is kept.
    """
    assert isinstance(subject.problem, Map)
    g, condition, most = subject.problem, _condition(subject, settings["when"]), settings["max"]
    places = Dimension("record", most, np.arange(most), "number of the recorded state")
    states = [
        replace(v, name=f"record_{v.name}", long_name=f"recorded {v.long_name}")
        for v in components.variables(g.components, (places,), meaning="")
    ]

    def values(state: dict[str, Any]) -> dict[str, Any]:
        return {f"record_{name}": value for name, value in components.values(state).items()}

    def init(seen: Seen) -> Kept:
        import jax.numpy as jnp

        none = {
            name: jnp.full((most, *value.shape), jnp.nan, value.dtype)
            for name, value in values(seen.state).items()
        }
        return Kept(jnp.int32(0), jnp.full(most, NONE, jnp.int32), none)

    def update(kept: Kept, seen: Seen) -> Kept:
        import jax.numpy as jnp

        holds = condition(g.values(seen.state, dict(seen.parameters), seen.n))
        # A place behind the last one: nothing is written there.
        at = jnp.where(holds, kept.count, most)
        found = {
            name: kept.states[name].at[at].set(value, mode="drop")
            for name, value in values(seen.state).items()
        }
        iteration = kept.iteration.at[at].set(jnp.asarray(seen.n, jnp.int32), mode="drop")
        return Kept(kept.count + holds.astype(jnp.int32), iteration, found)

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        lost = end.status == Status.escaped
        found = {name: jnp.where(lost, jnp.nan, value) for name, value in kept.states.items()}
        return found | {
            "record_iteration": jnp.where(lost, NONE, kept.iteration),
            "record_count": jnp.where(lost, 0, kept.count),
        }

    return Fold(
        finished=(
            *states,
            Variable("record_iteration", (places,), "int32", "iteration of the recorded state"),
            Variable("record_count", (), "int32", "number of states in which the condition held"),
        ),
        init=init,
        update=update,
        finish=finish,
        transient="none",
    )


def refuse(subject: Subject) -> str | None:
    """Of cells that end early, the orbit has all there is."""
    if subject.solver.freezes:
        return "a solver's cells end where they converge; its states are in the orbit"
    if subject.iterate.stop == "converged":
        return "it is taken from iterate.length steps; drop iterate.stop=converged"
    return None


def faults(
    subject: Subject, settings: Mapping[str, Any]
) -> Iterator[tuple[str, str | ExpressionError]]:
    """The formula is a condition on one state."""
    assert isinstance(subject.problem, Map)
    g = subject.problem
    if settings["when"] is None:
        yield "when", f"expected a condition, such as {next(iter(g.components))} > 0"
        return
    blank = {
        name: np.zeros(c.shape, complex if c.complex else float) for name, c in g.components.items()
    }
    try:
        condition = _condition(subject, settings["when"])
        found = condition(g.values(blank, dict(g.parameters), 0, np), np)
    except ExpressionError as error:
        yield "when", error
        return
    if found.dtype != bool or found.shape:
        given = f"an array of shape {list(found.shape)}" if found.shape else "a number"
        yield "when", f"expected a condition, such as {condition.text} > 0; this is {given}"


ANALYSIS = Analysis(
    "record",
    build,
    settings={
        "when": Setting(
            "formula", None, "the condition: of components, parameters, definitions and `n`"
        ),
        "max": Setting("integer", 1000, "states of one cell that are kept", low=1, high=MOST),
    },
    refuse=refuse,
    faults=faults,
)
