"""The Levenberg-Marquardt method: each step minimises |r + J d|^2 + damping |d|^2.

By conjugate gradients, without a matrix. The damping falls where the model foretold the decrease
and grows where it did not (Nielsen 1999, Damping parameter in Marquardt's method,
IMM-REP-1999-05).
(Levenberg 1944, doi:10.1090/qam/10666; Marquardt 1963, doi:10.1137/0111030.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate, norm
from pipeline.solvers.forcing import FORCING, FORCING_TELLS, Forced, force, unforced
from pipeline.solvers.gain import ACCEPT, GAIN, gain_ratio, held
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.least_squares import Model, least_squares, linearise
from pipeline.solvers.target import aim

# The damping falls to a third at most; where a step is not taken it doubles, then by 4, 8, ...
LEAST_FACTOR, FIRST_FACTOR = 1 / 3, 2.0

TELLS = (
    *FORCING_TELLS,
    Variable("damping", (), "float", "damping of this step"),
    GAIN,
)


class Memory(NamedTuple):
    """The forcing of the last step that was taken; the damping and its next factor, both []."""

    forced: Forced
    damping: Any
    factor: Any


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one linearisation and as many products, J v and J^T v, as it tells of."""
    import jax
    import jax.numpy as jnp

    target = aim(problem, parameters)
    # An objective is the sum of squares, the merit of a map half of it.
    share = 0.5 if target.value is None else 1.0

    def advance(u: Any, residual: Any, memory: Memory) -> Move:
        model, damping = linearise(target, u), memory.damping
        forcing = force(settings, residual, memory.forced)
        fit = least_squares(
            model, damping=damping, tolerance=forcing, limit=settings["inner_limit"]
        )
        ratio = gain_ratio(target, u, residual, fit.d, share * fit.fall)
        taken = ratio > settings["accept"]
        eased = damping * jnp.maximum(LEAST_FACTOR, 1 - (2 * ratio - 1) ** 3)
        told = {
            "forcing": forcing,
            "inner_steps": fit.steps,
            "hessian_products": fit.steps,
            "damping": damping,
            "gain_ratio": ratio,
        }
        forced = Forced(norm(residual), forcing, memory.forced.tolerance)
        after = Memory(forced, eased, jnp.full_like(damping, FIRST_FACTOR))
        again = Memory(memory.forced, damping * memory.factor, 2 * memory.factor)
        kept = jax.tree.map(lambda a, b: jnp.where(taken, a, b), after, again)
        return held(u, fit.d, taken, norm(fit.d), told, kept, fit.evaluations)

    def remember(u: Any, residual: Any) -> Memory:
        forced = unforced(settings, residual)
        damping = settings["damping"] * _steepness(linearise(target, u))
        damping = jnp.asarray(damping).astype(u.dtype)
        return Memory(forced, damping, jnp.full_like(damping, FIRST_FACTOR))

    # The steepness of the start takes a product of each kind.
    return iterate(target, advance, settings, tells=TELLS, remember=remember, prepared=2)


def _steepness(model: Model) -> Any:
    """[] |J v|^2 along the gradient v, of length 1: what the damping is measured in."""
    import jax.numpy as jnp

    v = model.pull(model.r)
    length = norm(v)
    image = model.push(v / jnp.where(length > 0, length, 1.0))
    return image @ image


SOLVER = Solver(
    "levenberg_marquardt",
    build,
    smooth=False,
    needs_residuals=True,
    settings={
        "damping": Setting(
            "number",
            1e-3,
            "of the first step, as a share of |J v|^2 along the gradient",
            low=0,
            above=True,
            swept=True,
        ),
        "accept": ACCEPT,
        **FORCING,
        **TOLERANCES,
    },
    tells=TELLS,
)
