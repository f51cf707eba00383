"""What a solver came to: its last values, its steps, its rate, the kind of the point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import End, Fold, Seen
from pipeline.arrays import Variable, flags
from pipeline.objectives import Objective
from pipeline.status import CriticalKind, FixedPointKind, Status

# Residuals below this many units in the last place of the first one are rounding, not convergence.
FLOOR = 100


class Kept(NamedTuple):
    """Steps, evaluations; the last three residual norms above rounding, the last one first."""

    steps: Any
    evaluations: Any
    first: Any
    last: Any
    before: Any
    earlier: Any


def _init(seen: Seen) -> Kept:
    import jax.numpy as jnp

    size = seen.probe["residual_norm"]
    none = jnp.full_like(size, jnp.nan)
    return Kept(jnp.int32(0), seen.probe["step_evaluations"], size, size, none, none)


def _update(kept: Kept, seen: Seen) -> Kept:
    import jax
    import jax.numpy as jnp

    size = seen.probe["residual_norm"]
    clear = seen.running & (size > FLOOR * jnp.finfo(size.dtype).eps * kept.first)
    shifted = kept._replace(last=size, before=kept.last, earlier=kept.before)
    shifted = jax.tree.map(lambda a, b: jnp.where(clear, a, b), shifted, kept)
    took = jnp.where(seen.running, seen.probe["step_evaluations"], 0)
    return shifted._replace(
        steps=kept.steps + seen.running.astype(jnp.int32), evaluations=kept.evaluations + took
    )


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """Chosen with every solver but the direct one, whether the document asks or not."""
    objective = isinstance(subject.problem, Objective)
    values = [Variable("objective_final", (), "float", "value of the objective at the end")]
    kinds: Any = CriticalKind if objective else FixedPointKind
    kind = "critical_kind" if objective else "fixed_point_kind"
    finished = (
        *(values if objective else []),
        Variable("residual_norm_final", (), "float", "Euclidean norm of the residual at the end"),
        Variable("steps", (), "int32", "number of solver steps taken"),
        Variable("evaluations", (), "int32", "evaluations of the residual taken, and products"),
        Variable("convergence_order", (), "float", "observed order of convergence"),
        Variable("convergence_rate", (), "float", "ratio of the last two residual norms"),
        Variable(kind, (), "int8", kind.replace("_", " "), attributes=flags(kinds)),
    )

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        probe, converged = end.seen.probe, end.status == Status.converged
        rate = kept.last / kept.before
        # r_{n+1} ~ r_n^q: q is the ratio of the logarithms of successive quotients.
        order = jnp.log(rate) / jnp.log(kept.before / kept.earlier)
        point = jnp.int8(kinds.none)
        if subject.iterate.kinds:
            point = jnp.where(converged, end.iteration.classify(end.carry), kinds.none)
        found = {
            "residual_norm_final": probe["residual_norm"],
            "steps": kept.steps,
            "evaluations": kept.evaluations,
            "convergence_order": jnp.where(converged, order, jnp.nan),
            "convergence_rate": jnp.where(converged, rate, jnp.nan),
            kind: point.astype(jnp.int8),
        }
        return found | ({"objective_final": probe["objective_value"]} if objective else {})

    return Fold(finished=finished, init=_init, update=_update, finish=finish)


ANALYSIS = Analysis("convergence", build)
