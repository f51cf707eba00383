"""How exactly a step is solved that conjugate gradients find: as exactly as the residual falls.

(The second choice of Eisenstat and Walker 1996, doi:10.1137/0917003, equations 2.6 and following.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.settings import Setting, Settings
from pipeline.solvers.descent import norm, tolerated

# Their gamma and alpha; a forcing is no less than gamma * (the last one)^alpha where that exceeds
# the threshold.
SHARE, POWER, THRESHOLD = 0.9, 2.0, 0.1
# No step is solved more exactly than to this share of what ends the iteration.
ENOUGH = 0.5

FORCING: Settings = {
    "forcing": Setting(
        "choice",
        "eisenstat_walker",
        "how exactly a step is solved",
        options=("eisenstat_walker", "constant"),
    ),
    "inner_tolerance": Setting(
        "number",
        0.25,
        "relative residual of a step: the greatest forcing, or the constant one",
        low=0,
        high=0.999,
        swept=True,
    ),
    "inner_limit": Setting(
        "integer", 1000, "conjugate gradient steps at most, in one step", low=1, swept=True
    ),
}
FORCING_TELLS = (
    Variable("forcing", (), "float", "relative residual that this step was solved to"),
    Variable("inner_steps", (), "int32", "conjugate gradient steps of this step"),
    Variable("hessian_products", (), "int32", "Hessian products of this step"),
)


class Forced(NamedTuple):
    """Of the step before: its residual's norm and its forcing, both []; the tolerance."""

    size: Any
    forcing: Any
    tolerance: Any


def unforced(settings: Mapping[str, Any], residual: Any) -> Forced:
    """What is known before the first step, whose residual this is."""
    import jax.numpy as jnp

    none = jnp.full((), jnp.nan, residual.dtype)
    return Forced(none, none, tolerated(settings, residual))


def force(settings: Mapping[str, Any], residual: Any, last: Forced) -> Any:
    """[] The relative residual that the step from here is solved to."""
    import jax.numpy as jnp

    first = jnp.asarray(settings["inner_tolerance"]).astype(residual.dtype)
    if settings["forcing"] == "constant":
        return first
    return eisenstat_walker(norm(residual), last, first)


def eisenstat_walker(size: Any, last: Forced, first: Any) -> Any:
    """[] The relative residual that a step is solved to.

    Args:
        size: [] the residual's norm here.
        first: of the first step, and at most.
    """
    import jax.numpy as jnp

    known = jnp.isfinite(last.size)
    ratio = size / jnp.where(known & (last.size > 0), last.size, 1.0)
    forcing = jnp.where(known, SHARE * ratio**POWER, first)
    kept = SHARE * last.forcing**POWER
    forcing = jnp.where(known & (kept > THRESHOLD), jnp.maximum(forcing, kept), forcing)
    least = ENOUGH * last.tolerance / jnp.where(size > 0, size, 1.0)
    return jnp.minimum(jnp.maximum(forcing, least), first).astype(size.dtype)
