"""The programs: everything about branches that is compiled, for many rows each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses.branches import augmented, normal
from pipeline.analyses.branches.advance import advance, product, start
from pipeline.analyses.branches.bordered import chain, newton
from pipeline.analyses.branches.family import Family, cycles, family
from pipeline.analyses.search import Bench
from pipeline.maps import Map
from pipeline.objectives import Objective

# Points that there is room for, in one compiled program or another.
ROOMS = (8, 128, 1024)


class Measured(NamedTuple):
    """Of a cycle, in units of the extent.

    Attributes:
        matrix: [d, d] the Jacobian of g^p at the first point.
        area: [] its determinant.
        slope: [d] the derivative of g^p by the parameter.
        residual: [] the largest gap, in the state's own units.
    """

    matrix: Any
    area: Any
    slope: Any
    residual: Any


@dataclass(frozen=True)
class Frame:
    """What rows are scaled by.

    Attributes:
        extent: [cells, d] the unit of each real.
        bounds: [2] the parameter's range.
        circles: [d] the length of the circle that a real lives on, 0 where on none.
        eps: of the precision.
    """

    extent: np.ndarray
    bounds: np.ndarray
    circles: np.ndarray
    eps: float

    def value(self, level: np.ndarray) -> np.ndarray:
        """The parameter at scaled values, exact at both ends."""
        low, high = self.bounds
        found = low + level * (high - low)
        return np.where(level == 1, high, np.where(level == 0, low, found))

    def level(self, value: np.ndarray) -> np.ndarray:
        """The inverse."""
        low, high = self.bounds
        return (value - low) / (high - low)


@dataclass(frozen=True)
class Programs:
    """What is compiled for many rows; arguments begin with their cells."""

    start: Callable[..., Any]
    advance: Callable[..., Any]
    settle: Callable[..., Any]
    measure: Callable[..., Any]
    critical: Callable[..., Any]
    pair: Callable[..., Any]
    branching: Callable[..., Any]
    terms: Callable[..., Any]


def room(period: int) -> int:
    """Points that a program has room for, at least so many."""
    return next((size for size in ROOMS if period <= size), period)


def programs(bench: Bench, problem: Map | Objective, frame: Frame) -> Programs:
    """The programs of one bench."""

    def made(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        def row(at: Any, extent: Any, bounds: Any, *inputs: Any) -> Any:
            return f(family(problem, at, extent, bounds[None]), *inputs)

        run = bench.family(f"branches {name}", row)

        def scaled(cells: np.ndarray, *inputs: Any) -> Any:
            bounds = np.broadcast_to(frame.bounds, (len(cells), 2))
            return run(cells, frame.extent[cells], bounds, *inputs)

        return scaled

    found = {
        "start": start,
        "advance": advance,
        "settle": _settle,
        "measure": _measure,
        "critical": _critical,
        "pair": _pair,
        "branching": _branching,
        "terms": normal.terms,
    }
    return Programs(**{name: made(name, f) for name, f in found.items()})


def _settle(
    maps: Family, points: Any, level: Any, period: Any, border: Any, target: Any
) -> tuple[Any, Any, Any]:
    """Points, level and last step of the cycle near another with border (u_0, level) = target."""
    found = newton(cycles(maps), points, level[None], period, border[None], target[None])
    return found.points, found.unknowns[0], found.length


def _measure(maps: Family, points: Any, level: Any, period: Any) -> Measured:
    import jax
    import jax.numpy as jnp

    found = chain(cycles(maps), points, level[None], period)

    def turn(slope: Any, one: Any) -> tuple[Any, None]:
        jacobian, own = one
        return jacobian @ slope + own, None

    slope, _ = jax.lax.scan(
        turn, jnp.zeros_like(points[0]), (found.jacobians, found.slopes[..., 0])
    )
    areas = jax.vmap(jnp.linalg.det)(found.jacobians)
    return Measured(product(found.jacobians), jnp.prod(areas), slope, jnp.max(jnp.abs(found.gaps)))


def carried(maps: Family, points: Any, levels: Any, first: Any, extra: Any) -> Any:
    """[P, d] vectors carried along a cycle; `extra` is how much of the parameters they hold."""
    import jax

    def turn(v: Any, u: Any) -> tuple[Any, Any]:
        found = jax.jvp(maps.advance, (u, levels), (v, extra))[1]
        return found, v

    return jax.lax.scan(turn, first, points)[1]


def _critical(
    maps: Family, points: Any, level: Any, period: Any, vector: Any, sign: Any
) -> tuple[Any, ...]:
    """Folds and flips from nearby: a vector of the multiplier `sign` is to keep its length."""
    import jax.numpy as jnp

    size = points.shape[1]
    zero, one = jnp.zeros(1, points.dtype), jnp.ones(1, points.dtype)
    vectors = carried(maps, points, level[None], vector, zero)
    border = jnp.concatenate([jnp.zeros_like(vector), vector, zero])
    z = jnp.concatenate([points, vectors], axis=1)
    link = augmented.critical(maps, sign)
    found = newton(link, z, level[None], period, border[None], one)
    along = found.points[:, size:]
    return found.points[:, :size], found.unknowns[0], along, found.residual, found.length


def _pair(
    maps: Family, points: Any, level: Any, period: Any, vector: Any, angle: Any
) -> tuple[Any, ...]:
    """Neimark-Sacker points from nearby; the vector is [2, d], real and imaginary part."""
    import jax.numpy as jnp

    size = points.shape[1]
    zero, two = jnp.zeros(1, points.dtype), jnp.zeros(2, points.dtype)
    v, other = (carried(maps, points, level[None], part, zero) for part in vector)
    w = jnp.cos(angle) * v - jnp.sin(angle) * other
    first, second = held(v[0], w[0])
    none = jnp.zeros_like(v[0])
    border = jnp.stack(
        [jnp.concatenate([none, first, none, two]), jnp.concatenate([none, second, none, two])]
    )
    z = jnp.concatenate([points, v, w], axis=1)
    begin, target = jnp.stack([level, 2 * jnp.cos(angle)]), jnp.array([1, 0], v.dtype)
    found = newton(augmented.pair(maps), z, begin, period, border, target)
    v, w = found.points[:, size : 2 * size], found.points[:, 2 * size :]
    return found.points[:, :size], found.unknowns[0], jnp.stack([v, w]), found.unknowns[1], (
        found.residual, found.length
    )  # fmt: skip


def held(v: Any, w: Any) -> tuple[Any, Any]:
    """([d], [d]) whose products with v are 1 and 0, in the plane of v and w: they hold v in it."""
    import jax.numpy as jnp

    first = v / (v @ v)
    across = w - (w @ first) * v
    size = jnp.sqrt(across @ across)
    return first, across / jnp.where(size > 0, size, 1)


def _branching(
    maps: Family, points: Any, level: Any, period: Any, directions: Any, imperfection: Any
) -> tuple[Any, ...]:
    """Branch points from nearby; directions are [2, d + 1], orthonormal."""
    import jax.numpy as jnp

    size = points.shape[1]
    vectors = [carried(maps, points, level[None], v[:-1], v[-1:]) for v in directions]
    zero, two = jnp.zeros(size, points.dtype), jnp.zeros(2, points.dtype)
    rows = []
    for which, other in ((0, 1), (1, 1), (0, 0), (1, 0)):
        # (z, q) = (u, v, w, level, β, a, b): (v, a), (w, b) have these products with those given.
        state = [zero, zero, zero]
        state[1 if other else 2] = directions[which][:-1]
        own = jnp.zeros(2, points.dtype).at[0 if other else 1].set(directions[which][-1])
        rows.append(jnp.concatenate([*state, two, own]))
    target = jnp.array([1, 0, 0, 1], points.dtype)
    z = jnp.concatenate([points, *vectors], axis=1)
    begin = jnp.stack([level, jnp.zeros_like(level), directions[0][-1], directions[1][-1]])
    found = newton(
        augmented.branching(maps, imperfection), z, begin, period, jnp.stack(rows), target
    )
    along = jnp.stack([found.points[:, size : 2 * size], found.points[:, 2 * size :]])
    residual = jnp.maximum(found.residual, jnp.abs(found.unknowns[1]))
    return found.points[:, :size], found.unknowns[0], along, found.unknowns[2:], residual, (
        found.length
    )  # fmt: skip
