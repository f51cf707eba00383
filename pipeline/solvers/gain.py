"""Steps that are taken if the merit falls by enough of what a model of it foretells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.descent import STANDSTILL, Move, norm
from pipeline.solvers.target import Target

# Of a merit, this many units in the last place are rounding: then the model is believed. (Conn,
# Gould and Toint, Trust-Region Methods, 2000, section 17.4.2.)
ROUNDING = 10

ACCEPT = Setting(
    "number", 1e-4, "least gain ratio of a step that is taken", low=0, high=0.25, swept=True
)
GAIN = Variable("gain_ratio", (), "float", "decrease over the model's decrease, in this step")


def gain_ratio(target: Target, u: Any, residual: Any, change: Any, foretold: Any) -> Any:
    """[] By how much the merit falls over how much is foretold; NaN beyond its domain."""
    import jax.numpy as jnp

    here = target.merit(u, residual)
    trial = u + change
    there = target.merit(trial, target.residual(trial))
    rounding = ROUNDING * jnp.finfo(u.dtype).eps * jnp.abs(here)
    return (here - there + rounding) / (foretold + rounding)


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

    far = reach > STANDSTILL * jnp.finfo(u.dtype).eps * norm(u)
    taken_change = jnp.where(taken, change, 0.0)
    return Move(taken_change, told, memory, held=~taken & far, evaluations=2 + evaluations)
