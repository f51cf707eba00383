"""A point of a curve of bifurcations, and the curve's direction there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses.branches import augmented
from pipeline.analyses.branches.bordered import Link, chain, newton, shifts
from pipeline.analyses.branches.family import Family, family
from pipeline.analyses.branches.programs import held
from pipeline.analyses.search import Bench
from pipeline.maps import Map
from pipeline.objectives import Objective


class Reached(NamedTuple):
    """What Newton's method has come to.

    Attributes:
        points: [P, s] states of the augmented chain.
        unknowns: [m] scaled parameters, and what else it has.
        residual, length: [] the largest gap, and the last step.
        along, rates: [P, s], [m] the direction, in which the last condition grows by 1.
        inside: [] whether the orbit has neither escaped nor left the finite.
    """

    points: Any
    unknowns: Any
    residual: Any
    length: Any
    along: Any
    rates: Any
    inside: Any


@dataclass(frozen=True)
class Corrections:
    """Newton's method for many rows: (cells, extents, z, q, periods, borders, targets, signs).

    Borders, [s + m], and targets, [], are the last condition's. A sign is the critical multiplier,
    and of no use to a pair.
    """

    critical: Callable[..., Any]
    pair: Callable[..., Any]


def corrections(bench: Bench, problem: Map | Objective, bounds: np.ndarray) -> Corrections:
    """Those of a bench that follows two quantities.

    Args:
        bounds: [2, 2] their ranges.
    """

    def made(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        def row(at: Any, ranges: Any, extent: Any, *inputs: Any) -> Any:
            return f(family(problem, at, extent, ranges), *inputs)

        run = bench.family(f"curves {name}", row)
        return lambda cells, *inputs: run(
            cells, np.broadcast_to(bounds, (len(cells), 2, 2)), *inputs
        )

    return Corrections(made("critical", _critical), made("pair", _pair))


def _critical(
    maps: Family, z: Any, q: Any, period: Any, border: Any, target: Any, sign: Any
) -> Reached:
    """The vector keeps its length along what it was."""
    import jax.numpy as jnp

    u, v = jnp.split(z[0], 2)
    rows = jnp.concatenate([jnp.zeros_like(u), v / (v @ v), jnp.zeros_like(q)])[None]
    link = augmented.critical(maps, sign)
    return _reached(maps, link, u.size, z, q, period, rows, border, target)


def _pair(
    maps: Family, z: Any, q: Any, period: Any, border: Any, target: Any, sign: Any
) -> Reached:
    """The vector keeps its place in the plane of the pair."""
    import jax.numpy as jnp

    u, v, w = jnp.split(z[0], 3)
    none, rest = jnp.zeros_like(u), jnp.zeros_like(q)
    rows = jnp.stack([jnp.concatenate([none, own, none, rest]) for own in held(v, w)])
    return _reached(maps, augmented.pair(maps), u.size, z, q, period, rows, border, target)


def _reached(
    maps: Family, link: Link, size: int, z: Any, q: Any, period: Any, rows: Any, *last: Any
) -> Reached:
    import jax
    import jax.numpy as jnp

    border, target = last
    conditions = jnp.concatenate([rows, border[None]])
    # The first of the rows is to be 1, any other 0.
    right = jnp.zeros(len(q), z.dtype).at[0].set(1).at[-1].set(target)
    found = newton(link, z, q, period, conditions, right)
    here = chain(link, found.points, found.unknowns, period)
    ahead = jnp.zeros((len(q), 2), z.dtype).at[-1, 1].set(1)
    dz, dq = shifts(here, conditions, ahead)
    inside = jax.vmap(maps.inside)(found.points[:, :size]).all()
    return Reached(*found, dz[..., 1], dq[:, 1], inside)
