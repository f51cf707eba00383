"""Nelder and Mead's simplex, by optimistix: the worst of d + 1 points moves, by values alone.

The cell stands on the best vertex; the first step only looks at them all. The first simplex is the
start and d points beside it. Two things are not left to optimistix, whose versions up to 0.1.0 are
wrong in them: the first simplex, flat there from three dimensions on, and where the best and the
worst vertex are, which it reads from the simplex before the step. (Nelder and Mead 1965,
doi:10.1093/comjnl/7.4.308.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate, no_step, norm
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim

SIZE = Variable("simplex_size", (), "float", "distance of the best vertex to the farthest")
# Values that a step takes; where the simplex shrinks, d more, which the state does not tell.
TRIED = 2
# The end that optimistix would see; it is not asked.
UNASKED = 1e-3


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs two values, or d + 1 where the simplex shrinks, and the gradient to tell."""
    import equinox
    import jax
    import jax.numpy as jnp
    import optimistix

    target = aim(problem, parameters)
    solver = optimistix.NelderMead(rtol=UNASKED, atol=UNASKED)

    def merit(u: Any, _: None) -> tuple[Any, None]:
        return target.merit(u, target.residual(u)), None

    def advance(u: Any, residual: Any, before: Any) -> Move:
        _, after, _ = solver.step(merit, u, None, {}, before, frozenset())
        best, worst = (after.simplex[vertex[2]] for vertex in (after.best, after.worst))
        after = equinox.tree_at(lambda state: (state.best[1], state.worst[1]), after, (best, worst))
        size = jnp.max(jax.vmap(norm)(after.simplex - best))
        held = ~no_step(size, u)
        tried = jnp.where(before.first_pass, u.size + 1, TRIED)
        return Move(best - u, {SIZE.name: size}, after, held=held, evaluations=tried + 1)

    def remember(u: Any, residual: Any) -> Any:
        value = jax.ShapeDtypeStruct((), u.dtype)
        begun = solver.init(merit, u, None, {}, value, None, frozenset())
        edges = settings["absolute_edge"] + settings["relative_edge"] * jnp.abs(u)
        simplex = u + jnp.diag(edges, -1)[:, :-1].astype(u.dtype)
        return equinox.tree_at(lambda state: state.simplex, begun, simplex)

    return iterate(target, advance, settings, tells=(SIZE,), remember=remember)


SOLVER = Solver(
    "nelder_mead",
    build,
    smooth=False,
    settings={
        "relative_edge": Setting(
            "number", 0.05, "edges of the first simplex, as a share of x", low=0, swept=True
        ),
        "absolute_edge": Setting("number", 2.5e-4, "added to them", low=0, swept=True),
        **TOLERANCES,
    },
    dense=True,
    vectors=lambda settings: 4,
    tells=(SIZE,),
)
