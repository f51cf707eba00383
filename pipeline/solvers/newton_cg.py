"""Hessian-free Newton's method: each step by conjugate gradients on Jacobian-vector products.

For an objective the products H v are `jvp` of the gradient; no matrix is formed. The Jacobian of a
map's residual is not symmetric, so there the normal equations J^T J d = -J^T r are solved, by `jvp`
and `vjp`. (Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.1.)

How exactly a step is solved follows from how fast the residual falls: the second choice of
Eisenstat and Walker 1996, doi:10.1137/0917003, equations 2.6 and following.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.conjugate import conjugate_gradients, diagonal
from pipeline.solvers.descent import Move, iterate, norm, tolerated
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.line_search import known, line, move, shortest, wolfe
from pipeline.solvers.target import aim, curvature

# Their gamma and alpha; a forcing is no less than gamma * (the last one)^alpha where that exceeds
# the threshold.
SHARE, POWER, THRESHOLD = 0.9, 2.0, 0.1
# No step is solved more exactly than to this share of what ends the iteration.
ENOUGH = 0.5


class Memory(NamedTuple):
    """Of the step before: its residual's norm, its forcing; the tolerance; [d] its change."""

    size: Any
    forcing: Any
    tolerance: Any
    change: Any


def eisenstat_walker(size: Any, memory: Memory, first: Any) -> Any:
    """[] The relative residual that a step is solved to.

    Args:
        size: [] the residual's norm here.
        first: of the first step, and at most.
    """
    import jax.numpy as jnp

    known = jnp.isfinite(memory.size)
    ratio = size / jnp.where(known & (memory.size > 0), memory.size, 1.0)
    forcing = jnp.where(known, SHARE * ratio**POWER, first)
    kept = SHARE * memory.forcing**POWER
    forcing = jnp.where(known & (kept > THRESHOLD), jnp.maximum(forcing, kept), forcing)
    least = ENOUGH * memory.tolerance / jnp.where(size > 0, size, 1.0)
    return jnp.minimum(jnp.maximum(forcing, least), first).astype(size.dtype)


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one linearisation and as many products as it tells of."""
    import jax.numpy as jnp

    target = aim(problem, parameters)
    probes = settings["probes"] if settings["preconditioner"] == "jacobi" else 0
    warm = settings["warm_start"] == "last"

    def advance(u: Any, residual: Any, memory: Memory) -> Move:
        product, b = curvature(target, u), -target.merit_gradient(u, residual)
        size = norm(residual)
        first = jnp.asarray(settings["inner_tolerance"]).astype(u.dtype)
        forcing = first
        if settings["forcing"] == "eisenstat_walker":
            forcing = eisenstat_walker(size, memory, first)
        solved = conjugate_gradients(
            product,
            b,
            tolerance=forcing,
            limit=settings["inner_limit"],
            scale=diagonal(product, u, probes) if probes else None,
            start=_along(product, b, memory.change) if warm else None,
        )
        told = {
            "forcing": forcing,
            "inner_steps": solved.steps,
            "hessian_products": solved.steps + probes + warm,
        }
        change = solved.d
        if settings["line_search"] == "wolfe":
            search = wolfe(
                line(target, u, change),
                known(target, u, residual, change),
                decrease=settings["decrease"],
                slope=settings["slope"],
                least=shortest(u, change),
            )
            told |= {"step_length": search.length, "line_trials": search.trials}
            step = move(search, change, told)
        else:
            whole = {"step_length": jnp.ones_like(size), "line_trials": jnp.int32(0)}
            step = Move(change, told | whole)
        kept = step.change if warm else ()
        return step._replace(memory=Memory(size, forcing, memory.tolerance, kept))

    def remember(u: Any, residual: Any) -> Memory:
        none = jnp.full((), jnp.nan, u.dtype)
        tolerance = tolerated(settings, residual)
        return Memory(none, none, tolerance, jnp.zeros_like(u) if warm else ())

    unknown = jnp.full((), jnp.nan)
    tells = {"forcing": unknown, "step_length": unknown}
    tells |= dict.fromkeys(("inner_steps", "hessian_products", "line_trials"), jnp.int32(0))
    return iterate(target, advance, settings, tells=tells, remember=remember)


def _along(product: Any, b: Any, change: Any) -> tuple[Any, Any]:
    """The best multiple of the last change, and A times it; zeros where there is none."""
    import jax.numpy as jnp

    image = product(change)
    bent, slope = change @ image, change @ b
    usable = (bent > 0) & (slope > 0)
    length = jnp.where(usable, slope / jnp.where(usable, bent, 1.0), 0.0)
    return length * change, length * image


SOLVER = Solver(
    "newton_cg",
    build,
    smooth=False,
    settings={
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
        "preconditioner": Setting(
            "choice", "none", "of conjugate gradients", options=("none", "jacobi")
        ),
        "probes": Setting(
            "integer", 8, "Hessian products that estimate the preconditioner", low=1, high=1000
        ),
        "warm_start": Setting(
            "choice", "none", "where conjugate gradients begin", options=("none", "last")
        ),
        "line_search": Setting(
            "choice", "wolfe", "how far a step goes; none takes it whole", options=("wolfe", "none")
        ),
        "decrease": Setting(
            "number",
            1e-4,
            "share of the slope's decrease that suffices",
            low=0,
            high=0.5,
            above=True,
            swept=True,
        ),
        "slope": Setting(
            "number",
            0.1,
            "share of the slope that may be left",
            low=0,
            high=1,
            above=True,
            swept=True,
        ),
        **TOLERANCES,
    },
    tells=(
        Variable("forcing", (), "float", "relative residual that this step was solved to"),
        Variable("inner_steps", (), "int32", "conjugate gradient steps of this step"),
        Variable("hessian_products", (), "int32", "Hessian products of this step"),
        Variable("step_length", (), "float", "length of this step over the direction"),
        Variable("line_trials", (), "int32", "lengths tried in this step"),
    ),
)
