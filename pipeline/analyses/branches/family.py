"""The family: a map of the state and of the parameters that are followed, in units of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.analyses.branches.bordered import Link
from pipeline.analyses.refine import walk
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.state import unflatten

# [] parameters -> (iteration, initial state).
At = Callable[..., Any]


class Family(NamedTuple):
    """The maps of one cell, on scaled states, [d], of scaled parameters: 0 is low, 1 is high.

    Attributes:
        advance: (u, levels [k]) -> g(u), k parameters being followed.
        change: (new, old) -> their difference, the short way round a circle.
        inside: u -> [] whether it is finite and has not escaped.
    """

    advance: Callable[[Any, Any], Any]
    change: Callable[[Any, Any], Any]
    inside: Callable[[Any], Any]


def family(problem: Map | Objective, at: At, extent: Any, bounds: Any) -> Family:
    """The maps of one cell.

    Args:
        extent: [d] the unit of each real.
        bounds: [k, 2] the parameters' ranges.
    """
    import jax.numpy as jnp

    low, high = bounds[:, 0], bounds[:, 1]

    def advance(u: Any, levels: Any) -> Any:
        values = low + levels * (high - low)
        return walk(problem, at(*values)[0]).advance(u * extent) / extent

    def change(new: Any, old: Any) -> Any:
        return walk(problem, at(*low)[0]).change(new * extent, old * extent) / extent

    def inside(u: Any) -> Any:
        finite = jnp.all(jnp.isfinite(u))
        if not isinstance(problem, Map):
            return finite
        return finite & problem.inside(unflatten(u * extent, problem.components))

    return Family(advance, change, inside)


def cycles(maps: Family) -> Link:
    """The chain of a cycle; its unknown is the parameter."""
    return Link(lambda z, q, last: maps.advance(z, q), maps.change)
