"""Series: states kept one after another, for analyses that need them all at once.

The loop keeps a fixed number of them in the lane. What is made of them comes after the loop, in
programs for a few cells, always as many: a sum over many numbers depends on how many cells are
added up side by side, and blocks may change no bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.analyses import average, components
from pipeline.analyses.analysis import Subject
from pipeline.analyses.components import Real
from pipeline.analyses.fold import End, Fold, Seen, Sequel
from pipeline.arrays import Dimension, Variable
from pipeline.grid import cells
from pipeline.maps import Map
from pipeline.solvers import Iteration
from pipeline.state import Components
from pipeline.status import Status

# Real numbers of all cells that go together: 256 MB of doubles.
TOGETHER = 2**25
# Cells that go together at most: a series fills the processor's vectors by itself.
MOST_TOGETHER = 16
# A lane's series, as the loop returns it and as it leaves the device.
COPIES = 3
# States of one cell: 8 MB of doubles for each real.
MOST = 10**6


@dataclass(frozen=True)
class Study:
    """What is made of a series.

    Attributes:
        name: of the analysis.
        reals: the numbers of the state that are kept, d.
        count: states, the first ones after the transient.
        every: iterations from one to the next.
        variables: the results.
        of: [d, count] -> {variable: value}, of one cell.
        work: real numbers that this takes of one cell.
    """

    name: str
    reals: Sequence[Real]
    count: int
    variables: tuple[Variable, ...]
    of: Callable[[Any], dict[str, Any]]
    work: int
    every: int = 1


def fold(subject: Subject, study: Study) -> Fold:
    """The analysis; NaN, 0 or -1 of an escaped cell, as the variable's type has it."""
    shape, hidden = (len(study.reals), study.count), f"{study.name} (series)"
    first = subject.iterate.transient + study.every

    def init(seen: Seen) -> Any:
        import jax.numpy as jnp

        return jnp.zeros(shape, jnp.finfo(next(iter(seen.state.values())).dtype).dtype)

    def update(kept: Any, seen: Seen) -> Any:
        import jax.numpy as jnp

        after = seen.n - first
        # A place behind the last one: nothing is written there.
        skipped = (after < 0) | (after % study.every != 0)
        at = jnp.where(skipped, study.count, after // study.every)
        values = jnp.stack([real.of(seen.state) for real in study.reals])
        return kept.at[:, at].set(values, mode="drop")

    def finish(kept: Any, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        found = {hidden: jnp.where(end.status == Status.escaped, jnp.nan, kept)}
        for variable in study.variables:
            kind = kept.dtype if variable.dtype == "float" else np.dtype(variable.dtype)
            nothing = jnp.nan if variable.dtype == "float" else -1
            found[variable.name] = jnp.full(variable.shape, nothing, kind)
        return found

    def cost(taken: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.isfinite(taken[hidden]).all(axis=(1, 2)).astype(int)

    def find(iteration: Iteration, taken: Mapping[str, Any]) -> dict[str, Any]:
        return study.of(taken[hidden])

    company = max(1, min(MOST_TOGETHER, cells(subject.grid), TOGETHER // max(1, study.work)))
    gives = tuple(variable.name for variable in study.variables)
    return Fold(
        finished=study.variables,
        init=init,
        update=update,
        finish=finish,
        dynamics=True,
        transient="none",
        sequels=(Sequel((hidden,), cost, find, gives, company),),
        holds=COPIES * math.prod(shape),
    )


def reals(every: Components) -> list[Real]:
    """The real numbers of the state, in order."""
    return [real for name, own in every.items() for real in components.reals(name, own)]


def circles(subject: Subject, chosen: Sequence[Real]) -> np.ndarray:
    """[d] The length of the circle that each real lives on, 0 where on none."""
    lengths = subject.problem.modulus if isinstance(subject.problem, Map) else {}
    return np.array([float(lengths.get(real.component, 0)) for real in chosen])


def variables(every: Components, own: Dimension, suffix: str, meaning: str) -> tuple[Variable, ...]:
    """`<c><suffix>` of each component over one dimension."""
    found = components.variables(every, (own,), suffix=suffix, meaning="")
    return tuple(replace(v, long_name=f"{meaning} of {v.long_name}") for v in found)


def by_component(every: Components, rows: Sequence[Any], suffix: str) -> dict[str, Any]:
    """{variable: [n, (size)]} of rows [n], one for each real number of the state."""
    import jax.numpy as jnp

    found, at = {}, 0
    for name, component in every.items():
        parts = ("_re", "_im") if component.complex else ("",)
        own = rows[at : at + component.reals]
        at += component.reals
        for k, part in enumerate(parts):
            mine = own[k :: len(parts)]
            joined = jnp.stack(mine, axis=-1) if component.shape else mine[0]
            found[f"{name}{suffix}{part}"] = joined
    return found


def apart(x: Any, y: Any, around: np.ndarray) -> Any:
    """[...] the largest difference of states [d, ...], the short way round where on circles."""
    import jax.numpy as jnp

    found = []
    for a, b, length in zip(x, y, around.tolist(), strict=True):
        gap = jnp.abs(a - b)
        found.append(jnp.abs(gap - length * jnp.round(gap / length)) if length else gap)
    return jnp.max(jnp.stack(found), axis=0)


def later(doubled: Any, k: Any) -> Any:
    """[d, count] the states k steps later, from all of them twice, [d, 2 count]."""
    import jax

    return jax.lax.dynamic_slice_in_dim(doubled, k, doubled.shape[1] // 2, 1)


def extent(x: Any, around: np.ndarray) -> Any:
    """[] the largest range of a real in states [d, count], of one on a circle all of it."""
    import jax.numpy as jnp

    spans = jnp.max(x, axis=1) - jnp.min(x, axis=1)
    return jnp.max(jnp.where(around > 0, around, spans))


def short(subject: Subject, every: int, least: int) -> str | None:
    """Why there are too few states for an analysis; None where there are not."""
    count = subject.iterate.length // every
    if count >= least:
        return None
    return f"expected iterate.length >= {every * least}: it takes {least} states or more"


def chosen(subject: Subject, name: str | None) -> Real | None:
    """The real number that is asked for, the first by default; None where there is none."""
    every = reals(subject.problem.components)
    return every[0] if name is None else next((r for r in every if r.name == name), None)


def faults(subject: Subject, settings: Mapping[str, Any], least: int) -> Iterator[tuple[str, str]]:
    """The component is a real number of the state, and the length suffices."""
    if "component" in settings and chosen(subject, settings["component"]) is None:
        known = [real.name for real in reals(subject.problem.components)]
        listed = ", ".join(known[:12])
        yield "component", f"there is no such real number in the state (known: {listed})"
    if why_not := short(subject, settings.get("every", 1), least):
        yield next(key for key in ("every", "points", *settings) if key in settings), why_not


refuse = average.refuse
