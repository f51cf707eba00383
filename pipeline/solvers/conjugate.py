"""Conjugate gradients on products A v: preconditioned, truncated, kept within a radius.

(Nocedal and Wright, Numerical Optimization, 2006, algorithms 5.3, 7.1 and 7.2; Steihaug 1983,
doi:10.1137/0720042; Toint 1981.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.solvers.descent import norm

# Below this many units in the last place, v A v / (|v| |A v|) is no positive curvature. The ratio
# has no scale, that of f or that of x; a matrix of condition k has 2 / sqrt(k) at least.
FLAT = 4
# The probes of a diagonal are the same ones at each step, so that a step has no memory of others.
PROBES = 0

Product = Callable[[Any], Any]


class Solution(NamedTuple):
    """An approximate solution d of A d = b.

    Attributes:
        d: [d]
        left: [d] b - A d
        steps: [] taken, each of one product, int32.
        curved: [] whether a direction of no positive curvature ended them.
        bounded: [] whether d lies on the radius.
    """

    d: Any
    left: Any
    steps: Any
    curved: Any
    bounded: Any


class _State(NamedTuple):
    """d, the residual b - A d, the direction, residual * preconditioned residual, ..."""

    d: Any
    r: Any
    v: Any
    rz: Any
    steps: Any
    curved: Any
    bounded: Any


def conjugate_gradients(
    product: Product,
    b: Any,
    *,
    tolerance: Any,
    limit: Any,
    scale: Any = None,
    start: Any = None,
    radius: Any = None,
) -> Solution:
    """Solve A d = b for a symmetric A.

    Args:
        product: v -> A v.
        b: [d]
        tolerance: of |b - A d| / |b|; raised to 4 units in the last place.
        limit: of the number of steps.
        scale: [d] a positive estimate of A's diagonal, the preconditioner; ones if None.
        start: ([d] the first d, [d] A times it); zeros if None.
        radius: |d| at most; then d starts from zero.

    Returns:
        Where a direction v without positive curvature is met: d goes along v to the radius;
        without one it is the solution so far, or at the first step v itself, as long as if the
        curvature's sign were the other one.
    """
    import jax
    import jax.numpy as jnp

    eps = jnp.finfo(b.dtype).eps
    # A power of two, so that no digit is lost, and of what is left no square overflows.
    unit = _unit(b)
    b = b / unit
    goal = jnp.maximum(tolerance, 4 * eps) ** 2 * (b @ b)

    def preconditioned(r: Any) -> Any:
        return r if scale is None else r / scale

    def unsolved(s: _State) -> Any:
        left = s.rz if scale is None else s.r @ s.r
        return (left > goal) & (s.steps < limit) & ~s.curved & ~s.bounded

    def step(s: _State) -> _State:
        av = product(s.v)
        curvature = s.v @ av
        curved = ~(curvature > FLAT * eps * jnp.sqrt(s.v @ s.v) * jnp.sqrt(av @ av))
        alpha = s.rz / jnp.where(curvature == 0, s.rz, jnp.abs(curvature))
        outside = jnp.zeros((), bool)
        if radius is None:
            alpha = jnp.where(curved & (s.steps > 0), 0.0, alpha)
        else:
            outside = curved | (norm(s.d + alpha * s.v) >= radius / unit)
            alpha = jnp.where(outside, _to_radius(s.d, s.v, radius / unit), alpha)
        d = s.d + alpha * s.v
        r = s.r - alpha * av
        z = preconditioned(r)
        rz = r @ z
        v = z + (rz / s.rz) * s.v
        return _State(d, r, v, rz, s.steps + 1, curved, outside)

    d, r = jnp.zeros_like(b), b
    if start is not None:
        d, r = start[0] / unit, b - start[1] / unit
    z = preconditioned(r)
    no = jnp.zeros((), bool)
    begin = _State(d, r, z, r @ z, jnp.int32(0), no, no)
    end = jax.lax.while_loop(unsolved, step, begin)
    return Solution(unit * end.d, unit * end.r, end.steps, end.curved, end.bounded)


def _unit(b: Any) -> Any:
    """[] The power of two above the largest entry; 1 where there is none."""
    import jax.numpy as jnp

    largest = jnp.max(jnp.abs(b))
    usable = (largest > 0) & jnp.isfinite(largest)
    _, exponent = jnp.frexp(jnp.where(usable, largest, 0.5))
    return jnp.ldexp(jnp.ones((), b.dtype), exponent)


def _to_radius(d: Any, v: Any, radius: Any) -> Any:
    """[] The positive t with |d + t v| = radius."""
    import jax.numpy as jnp

    length = jnp.sqrt(v @ v)
    unit = v / jnp.where(length > 0, length, 1.0)
    along = d @ unit
    # The smaller root of the two has no cancellation in this form.
    room = jnp.maximum(radius**2 - d @ d, 0.0)
    root = jnp.sqrt(along**2 + room)
    t = jnp.where(along > 0, room / (along + root), root - along)
    return t / jnp.where(length > 0, length, 1.0)


def diagonal(product: Product, like: Any, probes: int) -> Any:
    """[d] The moduli of A's diagonal, estimated from so many products; no entry is 0.

    (Hutchinson's estimate for a diagonal: Bekas, Kokiopoulou and Saad 2007,
    doi:10.1016/j.apnum.2007.01.003.) Diagonal matrices need one probe.
    """
    import jax
    import jax.numpy as jnp

    signs = jax.random.rademacher(jax.random.key(PROBES), (probes, *like.shape), like.dtype)
    estimate = jnp.abs(jnp.mean(jax.vmap(lambda z: z * product(z))(signs), 0))
    largest = jnp.max(estimate)
    least = jnp.finfo(like.dtype).eps * largest
    usable = jnp.isfinite(largest) & (largest > 0)
    return jnp.where(usable, jnp.maximum(estimate, least), 1.0)
