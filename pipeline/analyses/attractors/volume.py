"""Volume: a map that keeps it, |det J| = 1 everywhere, has no attractors."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.analyses.analysis import Subject
from pipeline.analyses.attractors.programs import DENSE
from pipeline.device import Device, precision
from pipeline.grid import cells, columns, replace
from pipeline.maps import Map
from pipeline.state import flatten, start, unflatten

# Cells of the grid, evenly spread, and steps of their orbits at which the determinant is taken.
CELLS, STEPS = 27, 32


def kept(subject: Subject) -> bool:
    """Whether the map keeps volumes on the orbits of some cells, as far as they are inside."""
    g = subject.problem
    if not isinstance(g, Map) or subject.solver.freezes:
        return False
    if sum(component.reals for component in g.components.values()) > DENSE:
        return False
    with precision(Device()):
        found = np.asarray(_determinants(g, subject))
    known = found[np.isfinite(found)]
    return bool(len(known)) and bool(np.all(np.abs(known - 1) <= 1e-9))


def _determinants(g: Map, subject: Subject) -> Any:
    """[cells, steps] |det J| along orbits; NaN outside."""
    import jax
    import jax.numpy as jnp

    quantities = [quantity for axis in subject.grid for quantity in axis.quantities]

    def orbit(swept: Any) -> Any:
        p = {name: jnp.asarray(value) * 1.0 for name, value in g.parameters.items()}
        for quantity in quantities:
            if quantity.target == "parameter":
                p[quantity.key] = replace(p[quantity.key], quantity, swept[quantity.name])
        free = {q.key: swept[q.name] for q in quantities if q.target == "free"}
        x = start(g.initial, g.components, {**p, **free}, jnp.result_type(float))
        for quantity in quantities:
            if quantity.target == "initial":
                x[quantity.key] = replace(x[quantity.key], quantity, swept[quantity.name])

        def advance(u: Any) -> Any:
            return flatten(g.step(unflatten(u, g.components), p))

        def step(u: Any, _: Any) -> tuple[Any, Any]:
            determinant = jnp.abs(jnp.linalg.det(jax.jacfwd(advance)(u)))
            inside = g.inside(unflatten(u, g.components))
            return advance(u), jnp.where(inside, determinant, jnp.nan)

        return jax.lax.scan(step, flatten(x), length=STEPS)[1]

    count = cells(subject.grid)
    chosen = np.unique(np.linspace(0, count - 1, min(count, CELLS)).round().astype(int))
    swept = {name: jnp.asarray(v) for name, v in columns(subject.grid, chosen).items()}
    return jax.jit(jax.vmap(orbit))(swept)
