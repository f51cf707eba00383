"""Augmented systems: chains that are a cycle and what is critical about it; each is regular.

Kuznetsov, Elements of Applied Bifurcation Theory, chapter 10; in that of the branch point an
imperfection β, 0 where it is found, takes the place of a left vector. The first unknowns are the
scaled parameters: one where a bifurcation is located, two along a curve of them.
"""

from __future__ import annotations

from typing import Any

from pipeline.analyses.branches.bordered import Link
from pipeline.analyses.branches.family import Family


def critical(maps: Family, sign: Any) -> Link:
    """z = (u, v), q = levels: v belongs to the multiplier `sign`, 1 of folds, -1 of flips."""
    import jax
    import jax.numpy as jnp

    def image(z: Any, q: Any, last: Any) -> Any:
        u, v = jnp.split(z, 2)
        u, v = jax.jvp(lambda u: maps.advance(u, q), (u,), (v,))
        return jnp.concatenate([u, jnp.where(last, sign, 1) * v])

    return Link(image, _first(maps, 2))


def pair(maps: Family) -> Link:
    """z = (u, v, w), q = (levels, κ): A v = w, A w = κ w - v, A being the whole cycle's Jacobian.

    So two multipliers have the product 1 and the sum κ = 2 cos(angle), which stays smooth where
    they meet in 1 or -1.
    """
    import jax
    import jax.numpy as jnp

    def image(z: Any, q: Any, last: Any) -> Any:
        u, v, w = jnp.split(z, 3)
        found, push = jax.linearize(lambda u: maps.advance(u, q[:-1]), u)
        v, w = push(v), push(w)
        return jnp.concatenate([found, jnp.where(last, q[-1] * v - w, v), jnp.where(last, v, w)])

    return Link(image, _first(maps, 3))


def branching(maps: Family, imperfection: Any) -> Link:
    """z = (u, v, w), q = (level, β, a, b): (v, a) and (w, b) are directions of branches.

    Args:
        imperfection: [d] which β times is added at the end.
    """
    import jax
    import jax.numpy as jnp

    def image(z: Any, q: Any, last: Any) -> Any:
        u, v, w = jnp.split(z, 3)
        found, push = jax.linearize(maps.advance, u, q[:1])
        found = found + jnp.where(last, q[1], 0) * imperfection
        return jnp.concatenate([found, push(v, q[2:3]), push(w, q[3:])])

    return Link(image, _first(maps, 3))


def _first(maps: Family, parts: int) -> Any:
    """The difference of such states: of the first part round circles."""
    import jax.numpy as jnp

    def change(new: Any, old: Any) -> Any:
        size = len(new) // parts
        return jnp.concatenate([maps.change(new[:size], old[:size]), new[size:] - old[size:]])

    return change
