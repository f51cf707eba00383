"""The history of a solver: what it can tell of each of its steps, from the start on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold, Seen
from pipeline.arrays import Dimension, Variable
from pipeline.objectives import Objective


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """Variables over `step_number`; NaN, or -1 of a count, after the step at which a cell ended."""
    steps = np.arange(subject.iterate.length + 1, dtype=np.int64)
    dimension = Dimension("step_number", len(steps), steps, "number of solver steps from the start")
    names = {
        "residual_norm": "Euclidean norm of the residual",
        "step_norm": "Euclidean norm of the last step",
    }
    cost = Variable("step_evaluations", (dimension,), "int32", "evaluations of this step")
    if isinstance(subject.problem, Objective):
        names = {"objective_value": "value of the objective", **names}
    recorded = [Variable(name, (dimension,), "float", text) for name, text in names.items()]
    recorded += [
        cost,
        *(
            Variable(tell.name, (dimension,), tell.dtype, tell.long_name, tell.units)
            for tell in subject.solver.tells
        ),
    ]

    def record(seen: Seen) -> dict[str, Any]:
        import jax.numpy as jnp

        def until_ended(value: Any) -> Any:
            over = jnp.nan if jnp.issubdtype(value.dtype, jnp.floating) else -1
            return jnp.where(seen.running, value, jnp.asarray(over, value.dtype))

        return {v.name: until_ended(seen.probe[v.name]) for v in recorded}

    return Fold(recorded=tuple(recorded), record=record)


def refuse(subject: Subject) -> str | None:
    """A map's own iteration has no residual to become small; a transient has steps, too."""
    if not subject.solver.freezes:
        return "the direct solver seeks nothing, so it has no history; record the orbit"
    if subject.iterate.transient:
        return "it begins with the start, so that nothing is dropped; expected iterate.transient: 0"
    return None


ANALYSIS = Analysis("history", build, refuse=refuse)
