"""Response: how cycles and their multipliers move with a quantity (implicit function theorem).

The points of a cycle solve u_{k+1} = g(u_k, q), k around the cycle, so that their derivatives solve
du_{k+1} = J_k du_k + dg/dq: one linear system for all of them, as well posed for a long unstable
cycle as for a short one. Those of simple eigenvalues of M = J_{p-1} ... J_0 are w dM v / (w v), v
and w the right and left eigenvectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses.catalogue import Cycles
from pipeline.analyses.refine import walk
from pipeline.analyses.search import Bench
from pipeline.grid import Quantity
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.solvers.target import NEGLIGIBLE


class Response(NamedTuple):
    """Derivatives of cycles of one period with respect to one quantity; NaN where there are none.

    Attributes:
        points: [m, p, d]
        multipliers: [m, d] complex.
    """

    points: np.ndarray
    multipliers: np.ndarray


class Programs(NamedTuple):
    """What is compiled for many rows.

    Attributes:
        slopes: (cells, points u) -> (J [d, d], dg/dq [d] for each q, [q, d]).
        bends: (cells, u, du, unit vectors of the quantities [q]) -> the derivative of J, [d, d].
    """

    slopes: Callable[..., Any]
    bends: Callable[..., Any]


def programs(bench: Bench, problem: Map | Objective, by: list[Quantity]) -> Programs:
    """Derivatives of one step."""

    def stepped(iteration: Any, t: Any, u: Any) -> Any:
        moved, _ = iteration.moved(dict(zip(by, t, strict=True)))
        return walk(problem, moved).advance(u)

    def slopes(iteration: Any, x0: Any, u: Any) -> Any:
        import jax
        import jax.numpy as jnp

        still = jnp.zeros(len(by), u.dtype)
        matrix, along = jax.jacfwd(lambda u, t: stepped(iteration, t, u), (0, 1))(u, still)
        return matrix, along.T

    def bends(iteration: Any, x0: Any, u: Any, change: Any, unit: Any) -> Any:
        import jax
        import jax.numpy as jnp

        still = jnp.zeros_like(unit)
        matrix = jax.jacfwd(lambda u, t: stepped(iteration, t, u), 0)
        return jax.jvp(matrix, (u, still), (change, unit))[1]

    names = " ".join(q.name for q in by)
    return Programs(
        bench.program(f"response slopes {names}", slopes),
        bench.program(f"response bends {names}", bends),
    )


def responses(cycles: Cycles, cells: np.ndarray, run: Programs, count: int) -> list[Response]:
    """The response to each of so many quantities.

    Args:
        cycles: of one period.
        cells: [m] of the bench.
    """
    m, period, size = cycles.points.shape
    if not m:
        return [Response(cycles.points, cycles.multipliers)] * count
    rows = np.repeat(cells, period)
    flat = cycles.points.reshape(m * period, size)
    matrices, along = run.slopes(rows, flat)
    matrices = np.asarray(matrices, float).reshape(m, period, size, size)
    along = np.asarray(along, float).reshape(m, period, count, size)
    system = _system(matrices)
    sizes = np.linalg.svd(system, compute_uv=False)
    sound = sizes[:, -1] > NEGLIGIBLE * sizes[:, 0]
    system[~sound] = np.eye(period * size)
    right = np.moveaxis(along, 2, -1).reshape(m, period * size, count)
    # Row k is that of u_{k+1}: the unknowns turned by one.
    solved = np.linalg.solve(system, right).reshape(m, period, size, count)
    solved[~sound] = np.nan
    found = []
    for q in range(count):
        change = solved[..., q]
        unit = np.broadcast_to(np.eye(count)[q], (m * period, count))
        bent = run.bends(rows, flat, change.reshape(m * period, size), unit)
        bent = np.asarray(bent, float).reshape(m, period, size, size)
        found.append(Response(change, _turned(cycles.multipliers, matrices, bent)))
    return found


def _system(matrices: np.ndarray) -> np.ndarray:
    """[m, p d, p d] du -> du_{k+1} - J_k du_k for each k, from J, [m, p, d, d]."""
    m, period, size, _ = matrices.shape
    system = np.zeros((m, period, size, period, size))
    for k in range(period):
        system[:, k, :, (k + 1) % period, :] += np.eye(size)
        system[:, k, :, k, :] -= matrices[:, k]
    return system.reshape(m, period * size, period * size)


def _turned(multipliers: np.ndarray, matrices: np.ndarray, bent: np.ndarray) -> np.ndarray:
    """[m, d] the derivatives of multipliers, in their order."""
    m, period, size, _ = matrices.shape
    product = np.broadcast_to(np.eye(size), (m, size, size))
    change = np.zeros((m, size, size))
    for k in range(period):
        change = bent[:, k] @ product + matrices[:, k] @ change
        product = matrices[:, k] @ product
    known = np.all(np.isfinite(change), axis=(1, 2))
    change = np.where(known[:, None, None], change, 0)
    values, vectors = np.linalg.eig(product)
    simple = np.asarray(np.linalg.cond(vectors) < 1 / NEGLIGIBLE)
    vectors = np.where(simple[:, None, None], vectors, np.eye(size))
    rates = np.diagonal(np.linalg.solve(vectors, change @ vectors), axis1=1, axis2=2)
    nearest = np.argmin(np.abs(multipliers[:, :, None] - values[:, None, :]), axis=2)
    rates = np.take_along_axis(rates, nearest, axis=1).astype(complex)
    return np.where((known & simple)[:, None], rates, complex(np.nan, np.nan))
