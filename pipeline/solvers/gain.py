"""Steps that are taken if the merit falls by enough of what a model of it foretells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.descent import Move, no_step
from pipeline.solvers.target import Target

# Where a merit changes in the second half of its digits alone, its gradients tell the decrease:
# they lose none to terms that cancel. (After Hager and Zhang 2005, doi:10.1137/030601880, 4.)
ALIKE = 0.5

ACCEPT = Setting(
    "number", 1e-4, "least gain ratio of a step that is taken", low=0, high=0.25, swept=True
)
GAIN = Variable("gain_ratio", (), "float", "decrease over the model's decrease, in this step")


def gain_ratio(target: Target, u: Any, residual: Any, change: Any, foretold: Any) -> Any:
    """[] By how much the merit falls over how much is foretold.

    NaN beyond the merit's domain, and where no decrease is foretold: a step that rounding has
    spoilt would be taken, for rising as the model has it.
    """
    import jax.numpy as jnp

    here, trial = target.merit(u, residual), u + change
    beyond = target.residual(trial)
    fall = here - target.merit(trial, beyond)
    alike = jnp.finfo(u.dtype).eps ** ALIKE * jnp.abs(here)
    slopes = target.merit_gradient(u, residual) + target.merit_gradient(trial, beyond)
    fall = jnp.where(jnp.abs(fall) <= alike, -(change @ slopes) / 2, fall)
    return fall / jnp.where(foretold > 0, foretold, jnp.nan)


def held(
    u: Any,
    change: Any,
    taken: Any,
    reach: Any,
    told: Mapping[str, Any],
    memory: Any,
    evaluations: Any,
) -> Move:
    """The step where it is taken; else none, to try again, as long as steps can be told from none.

    Args:
        reach: [] how long the next step can be.
        evaluations: [] that led to it; its trial and its end are added.
    """
    import jax.numpy as jnp

    far = ~no_step(reach, u) & jnp.isfinite(reach)
    taken_change = jnp.where(taken, change, 0.0)
    return Move(taken_change, told, memory, held=~taken & far, evaluations=2 + evaluations)
