"""Bisection, by optimistix: each step halves a bracket in which the residual changes its sign.

The start divides the bracket if it lies inside; else the middle does. Where the residual has one
sign at both ends there is nothing to divide, and the cell ends as `line_search_failed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim

WIDTH = Variable("bracket_width", (), "float", "width of the bracket after this step")
# The end that optimistix would see; it is not asked.
UNASKED = 1e-3


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs two evaluations of the residual, one of them to tell of it."""
    import equinox
    import jax
    import jax.numpy as jnp
    import optimistix

    target = aim(problem, parameters)
    solver = optimistix.Bisection(rtol=UNASKED, atol=UNASKED, flip=False)
    ends = [jnp.asarray(settings[key]) for key in ("lower", "upper")]
    bracket = {"lower": jnp.minimum(*ends), "upper": jnp.maximum(*ends)}

    def f(x: Any, _: None = None) -> tuple[Any, None]:
        return target.residual(x[None])[0], None

    def advance(u: Any, residual: Any, memory: Any) -> Move:
        before, divided = memory
        x = jnp.clip(u[0], before.lower, before.upper)
        to, after, _ = solver.step(f, x, None, {}, before, frozenset())
        change = jnp.where(divided, to - u, 0.0)
        told = {WIDTH.name: after.upper - after.lower}
        return Move(change, told, (after, divided), failed=~divided, evaluations=2)

    def remember(u: Any, residual: Any) -> Any:
        like = jax.ShapeDtypeStruct((), u.dtype)
        begun = solver.init(f, u[0], None, bracket, like, None, frozenset())
        low, high = f(begun.lower)[0], f(begun.upper)[0]
        falls = (low > 0) | (high < 0)
        begun = equinox.tree_at(lambda state: state.flip, begun, falls)
        return begun, jnp.sign(low) * jnp.sign(high) <= 0

    return iterate(target, advance, settings, tells=(WIDTH,), remember=remember, prepared=2)


SOLVER = Solver(
    "bisection",
    build,
    smooth=False,
    settings={
        "lower": Setting("number", -1.0, "one end of the bracket", swept=True),
        "upper": Setting("number", 1.0, "the other end", swept=True),
        **TOLERANCES,
    },
    tells=(WIDTH,),
    one_unknown=True,
)
