"""Direct iteration: x_{n+1} = g(x_n), the map itself (Picard iteration)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.maps import Map
from pipeline.solvers.iteration import Iteration, Solver
from pipeline.state import State
from pipeline.status import FixedPointKind, Status


def build(g: Map, p: Mapping[str, Any], settings: Mapping[str, Any]) -> Iteration:
    """The map of one cell; its carry is the state."""
    import jax.numpy as jnp

    parameters = dict(p)

    def terminate(x: State) -> Any:
        return jnp.where(g.inside(x), Status.bounded, Status.escaped).astype(jnp.int8)

    return Iteration(
        init=lambda x: x,
        step=lambda x, n: g.step(x, parameters, n),
        terminate=terminate,
        probe=lambda x: {},
        state=lambda x: x,
        classify=lambda x: jnp.int8(FixedPointKind.none),
        point=lambda x: x,
        put=lambda carry, x: x,
    )


SOLVER = Solver("direct", build, solves=("map",), freezes=False, memoryless=True)
