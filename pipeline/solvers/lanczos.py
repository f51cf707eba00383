"""Lanczos's method: the lowest curvature, and its direction, from products A v.

(Parlett, The Symmetric Eigenvalue Problem, 1998, chapter 13.) Its start is random, and the same
one each time, so that a step has no memory of others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pipeline.solvers.conjugate import Product
from pipeline.solvers.descent import norm

START = 0
# A direction that is new by less than this many units in the last place is rounding.
ROUNDING = 100


class Lowest(NamedTuple):
    """The least of A's eigenvalues as far as it was seen.

    Attributes:
        curvature: [] v A v, no less than the least eigenvalue.
        direction: [d] v, of length 1.
        scale: [] the largest modulus of an eigenvalue that was seen.
    """

    curvature: Any
    direction: Any
    scale: Any


def lowest(product: Product, like: Any, steps: int) -> Lowest:
    """The lowest curvature in a Krylov space of so many dimensions, d at most.

    Args:
        product: v -> A v, A symmetric.
        like: [d]

    Each direction is made orthogonal to all before it, twice: [steps, d] of memory.
    """
    import jax
    import jax.numpy as jnp

    size, eps = min(steps, like.size), jnp.finfo(like.dtype).eps

    def extend(j: Any, s: Any) -> Any:
        basis, across, beside, v = s
        image = product(v)
        basis, across = basis.at[j].set(v), across.at[j].set(v @ image)
        rest = image
        for _ in range(2):
            rest = rest - jnp.sum(jnp.sum(basis * rest, 1)[:, None] * basis, 0)
        length = norm(rest)
        # Where A maps the space into itself the rest of the basis is 0, and of curvature 0.
        new = length > ROUNDING * eps * norm(image)
        v = jnp.where(new, rest / jnp.where(new, length, 1.0), 0.0)
        return basis, across, beside.at[j].set(jnp.where(new, length, 0.0)), v

    start = jax.random.normal(jax.random.key(START), like.shape, like.dtype)
    none = jnp.zeros(size, like.dtype)
    begin = jnp.zeros((size, like.size), like.dtype), none, none, start / norm(start)
    basis, across, beside, _ = jax.lax.fori_loop(0, size, extend, begin)
    tridiagonal = jnp.diag(across) + jnp.diag(beside[:-1], 1) + jnp.diag(beside[:-1], -1)
    values, vectors = jnp.linalg.eigh(tridiagonal)
    direction = jnp.sum(vectors[:, 0, None] * basis, 0)
    length = norm(direction)
    direction = direction / jnp.where(length > 0, length, 1.0)
    return Lowest(values[0], direction, jnp.max(jnp.abs(values)))
