"""Anderson acceleration: the combination of the last steps whose residual is least.

With the differences of the last m + 1 states and residuals as columns of X and R, and gamma least
for |f - R gamma|^2 plus the regularisation, x' = x + mixing * f - (X + mixing * R) gamma. f is the
step of the map, g(x) - x, or the unit step of gradient descent or ascent. On a linear map of
dimension m the step m + 1 is exact. (Walker and Ni 2011, doi:10.1137/10078356X; restarts: Fang and
Saad 2009, doi:10.1002/nla.617.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.solvers.descent import Move, iterate, norm
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim

# Vectors that a cell holds for each one remembered: both differences, the matrix, its factors.
HELD = 6

TELLS = (Variable("memory_used", (), "int32", "differences combined in this step"),)


class Memory(NamedTuple):
    """Differences of successive states and of their steps; rows beyond `count` are 0.

    Attributes:
        states: [m, d] the last one first.
        steps: [m, d]
        count: [] of the differences.
        change: [d] the last step that was taken, from a state with the map's step `f`.
        f: [d]
        best: [d] the state with the least of the map's steps since the last restart.
        best_f: [d] that step.
        least: [] its norm, infinite after a restart.
    """

    states: Any
    steps: Any
    count: Any
    change: Any
    f: Any
    best: Any
    best_f: Any
    least: Any


def coefficients(steps: Any, f: Any, regularisation: Any) -> Any:
    """[m] gamma, by a QR factorisation of R with its columns of unit length, and of the weights.

    Args:
        steps: [m, d] the columns of R, as rows.
        f: [d]
        regularisation: raised to 4 units in the last place, so that dependent columns do no harm.
    """
    import jax
    import jax.numpy as jnp

    m = steps.shape[0]
    sizes = jax.vmap(norm)(steps)
    sizes = jnp.where(sizes > 0, sizes, 1.0)
    weight = jnp.maximum(regularisation, 4 * jnp.finfo(f.dtype).eps).astype(f.dtype)
    rows = jnp.concatenate([(steps / sizes[:, None]).T, weight * jnp.eye(m, dtype=f.dtype)])
    q, r = jnp.linalg.qr(rows)
    right = q.T @ jnp.concatenate([f, jnp.zeros(m, f.dtype)])
    return jax.scipy.linalg.solve_triangular(r, right) / sizes


def build(problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """A step costs one evaluation of the residual and about 2 m^2 d operations."""
    import jax.numpy as jnp

    target = aim(problem, parameters)
    mixing = settings["mixing"]

    def advance(u: Any, residual: Any, memory: Memory) -> Move:
        f = target.forward * residual
        size = norm(f)
        grown = size > settings["restart"] * memory.least
        better = size <= memory.least
        best = jnp.where(better, u, memory.best)
        best_f = jnp.where(better, f, memory.best_f)
        # Before the first step there is no difference yet.
        moved = jnp.any(memory.change != 0)
        states = jnp.roll(memory.states, 1, axis=0).at[0].set(memory.change)
        steps = jnp.roll(memory.steps, 1, axis=0).at[0].set(f - memory.f)
        count = jnp.where(moved, jnp.minimum(memory.count + 1, len(states)), 0)
        gamma = coefficients(steps, f, settings["regularisation"])
        sound = moved & ~grown & jnp.all(jnp.isfinite(gamma))
        gamma = jnp.where(sound, gamma, 0.0)
        # A restart is a plain step from the best state, and its outcome is taken as it is: where
        # the map repels, it would lead back for ever.
        base, f = jnp.where(grown, best, u), jnp.where(grown, best_f, f)
        change = mixing * f - gamma @ (states + mixing * steps)
        kept = Memory(
            states=jnp.where(sound, states, 0.0),
            steps=jnp.where(sound, steps, 0.0),
            count=jnp.where(sound, count, 0).astype(jnp.int32),
            change=change,
            f=f,
            best=best,
            best_f=best_f,
            least=jnp.where(grown, jnp.inf, jnp.minimum(memory.least, size)),
        )
        return Move(base - u + change, {"memory_used": kept.count}, kept)

    def remember(u: Any, residual: Any) -> Memory:
        # More differences than dimensions depend on each other.
        none = jnp.zeros((min(settings["memory"], u.size), u.size), u.dtype)
        zero, f = jnp.zeros_like(u), target.forward * residual
        return Memory(none, none, jnp.int32(0), zero, zero, u, f, norm(f))

    return iterate(target, advance, settings, tells=TELLS, remember=remember)


SOLVER = Solver(
    "anderson",
    build,
    settings={
        "memory": Setting("integer", 5, "differences that are combined at most", low=1, high=100),
        "mixing": Setting("number", 1.0, "share of the map's own step", swept=True),
        "regularisation": Setting(
            "number", 1e-10, "weight of a coefficient beside a residual's", low=0, swept=True
        ),
        "restart": Setting(
            "number",
            10.0,
            "back to the best state, without memory, where the residual exceeds its by this",
            low=1,
            swept=True,
        ),
        **TOLERANCES,
    },
    vectors=lambda settings: HELD * settings["memory"],
    tells=TELLS,
)
