"""Newton's method within a radius: steps by conjugate gradients, kept where the model is trusted.

A step goes to the radius where it would leave it, or where the curvature is not positive; it is
taken if f falls by enough of what the model foretells, and the radius follows that ratio. (Steihaug
1983, doi:10.1137/0720042; Toint 1981; Nocedal and Wright, Numerical Optimization, 2006, algorithms
4.1 and 7.2.)

Where the gradient is small the lowest curvature is looked for by Lanczos's method. If it is
negative the point is not what is sought: the next step goes along it, to the radius, on the side
where f is less. (Conn, Gould and Toint, Trust-Region Methods, 2000, section 6.6.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.conjugate import conjugate_gradients
from pipeline.solvers.descent import Move, iterate, norm
from pipeline.solvers.forcing import FORCING, FORCING_TELLS, Forced, force, unforced
from pipeline.solvers.gain import ACCEPT, GAIN, gain_ratio, held
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.lanczos import Lowest, lowest
from pipeline.solvers.target import NEGLIGIBLE, aim, curvature, only_where

# A model that foretells less than the first share is trusted less far, by the factor; one that
# foretells more than the second twice as far.
POOR, GOOD, SHRINK, GROW = 0.25, 0.75, 0.25, 2.0

TELLS = (
    *FORCING_TELLS,
    Variable("radius", (), "float", "radius that this step was kept within"),
    GAIN,
)


class Memory(NamedTuple):
    """The forcing of the last step that was taken, and the radius, []."""

    forced: Forced
    radius: Any


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one linearisation and as many products as it tells of."""
    import jax
    import jax.numpy as jnp

    target = aim(problem, parameters)
    looks = settings["escape_steps"] if target.value is not None else 0
    looked = min(looks, target.size)

    def low(u: Any) -> Lowest:
        return lowest(curvature(target, u), u, looks)

    def convex(u: Any, near: Any) -> Any:
        found = only_where(near, lambda: low(u))
        return ~(found.curvature < -NEGLIGIBLE * found.scale)

    def escape(u: Any, residual: Any, radius: Any) -> tuple[Any, Any]:
        """[d] the way out, and [] how much less the model is there."""
        found = low(u)
        there, back = (target.merit(u + s * radius * found.direction, residual) for s in (1, -1))
        way = jnp.where(back < there, -radius, radius) * found.direction
        slope = way @ target.merit_gradient(u, residual)
        return way, -slope - radius**2 * found.curvature / 2

    def advance(u: Any, residual: Any, memory: Memory) -> Move:
        radius, b = memory.radius, -target.merit_gradient(u, residual)
        near = (norm(residual) <= memory.forced.tolerance) & (looks > 0)
        forcing = force(settings, residual, memory.forced)
        solved = conjugate_gradients(
            curvature(target, u),
            b,
            tolerance=forcing,
            limit=jnp.where(near, 0, settings["inner_limit"]),
            radius=radius,
        )
        change, foretold = solved.d, solved.d @ (b + solved.left) / 2
        if looks:
            way, fall = only_where(near, lambda: escape(u, residual, radius))
            change, foretold = jnp.where(near, way, change), jnp.where(near, fall, foretold)
        ratio = gain_ratio(target, u, residual, change, foretold)
        taken = ratio > settings["accept"]
        wider = (ratio > GOOD) & (solved.bounded | near)
        next_radius = jnp.where(wider, GROW * radius, radius)
        next_radius = jnp.where(ratio >= POOR, next_radius, SHRINK * norm(change))
        products = solved.steps + near * looked
        # The two ends of the way out of a saddle are trials.
        evaluations = target.slope + target.product * products + 2 * near
        told = {
            "forcing": forcing,
            "inner_steps": solved.steps,
            "hessian_products": products,
            "radius": radius,
            "gain_ratio": ratio,
        }
        forced = Forced(norm(residual), forcing, memory.forced.tolerance)
        forced = jax.tree.map(lambda new, old: jnp.where(taken, new, old), forced, memory.forced)
        kept = Memory(forced, next_radius)
        return held(u, change, taken, next_radius, told, kept, evaluations)

    def remember(u: Any, residual: Any) -> Memory:
        radius = jnp.asarray(settings["radius"]).astype(u.dtype)
        return Memory(unforced(settings, residual), radius)

    return iterate(
        target,
        advance,
        settings,
        tells=TELLS,
        remember=remember,
        confirm=convex if looks else None,
        confirmed=looked,
    )


SOLVER = Solver(
    "trust_region",
    build,
    smooth=False,
    settings={
        "radius": Setting("number", 1.0, "of the first step", low=0, above=True, swept=True),
        "accept": ACCEPT,
        "escape_steps": Setting(
            "integer",
            30,
            "Lanczos steps that look for negative curvature where the gradient is small",
            low=0,
            high=1000,
        ),
        **FORCING,
        **TOLERANCES,
    },
    vectors=lambda settings: settings["escape_steps"],
    tells=TELLS,
)
