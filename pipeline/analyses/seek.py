"""Seeking: from a start anywhere to a point of a cycle, by the method of Davidchack and Lai.

Newton's step -(M - I)^-1 F on F(u) = g^p(u) - u has basins as intricate as the map itself. The
step (β |F| C^T - (M - I))^-1 F follows the flow du/dt = C F(u) while |F| is large, at most 1/β at a
time, and is Newton's where F is small; some matrix C of those that permute the axes and turn their
signs makes each cycle attract. Davidchack and Lai 1999, doi:10.1103/PhysRevE.60.6172, equation 3.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses.refine import Walk, power, solve

# Iterations at most: those that arrive do so in 10 to 30.
MOST = 40
# A step of so many roots of the precision, over the extent, is Newton's last but one.
SHORT = 8
# β over |M|: cycles lie about 1 / |M| apart.
STIFFNESS = 1.0
# Sums that tell cycles apart.
MARKS = 3
# Matrices that are tried where there are more: 2 in one dimension, 8 in two, 48 in three.
MOST_MATRICES = 16


class Sought(NamedTuple):
    """Where a start has come to.

    Attributes:
        point: [d] on the cycle, if it is one.
        marks: [k] sums over the cycle, the same for each of its points.
        good: [] whether it has arrived.
    """

    point: Any
    marks: Any
    good: Any


def matrices(size: int, seed: int) -> np.ndarray:
    """[k, d, d] 0, which is Newton's method, and signed permutations, some of them where many."""
    count = 2**size * math.factorial(size)
    if count <= MOST_MATRICES:
        orders = itertools.permutations(range(size))
        signs = list(itertools.product((1, -1), repeat=size))
        chosen = [np.eye(size)[list(order)] * sign for order in orders for sign in signs]
    else:
        random = np.random.default_rng([seed, size])
        chosen = [np.eye(size), -np.eye(size)] + [
            np.eye(size)[random.permutation(size)] * random.choice((1, -1), size)
            for _ in range(MOST_MATRICES - 2)
        ]
    return np.stack([np.zeros((size, size)), *chosen])


def seek(walk: Walk, u: Any, matrix: Any, period: Any, ahead: Any, extent: Any) -> Sought:
    """From the state `ahead` steps after u.

    Args:
        matrix: [d, d] C, of `matrices`.
        extent: [d] the unit of each real; of one on a circle, the length of that.
    """
    import jax
    import jax.numpy as jnp

    def scaled(v: Any) -> tuple[Any, Any]:
        image, jacobian = power(walk, v * extent, period)
        gap = walk.change(image, v * extent)
        return gap / extent, jacobian / extent[:, None] * extent

    eye, short = jnp.eye(u.size, dtype=u.dtype), SHORT * jnp.sqrt(jnp.finfo(u.dtype).eps)

    def going(carry: Any) -> Any:
        return carry[-1]

    def step(carry: Any) -> Any:
        v, beta, _, count, _ = carry
        gap, jacobian = scaled(v)
        beta = jnp.where(beta > 0, beta, STIFFNESS * (1 + jnp.sqrt(jnp.sum(jacobian**2))))
        size = jnp.sqrt(jnp.sum(gap**2))
        shift = solve(beta * size * matrix.T - (jacobian - eye), gap)
        length = jnp.max(jnp.abs(shift))
        still = size == 0
        good = still | ((length <= short) & (beta * size <= short * (1 + beta)))
        v = jnp.where(still, v, v + shift)
        on = ~good & (count + 1 < MOST) & jnp.isfinite(length)
        return v, beta, good, count + 1, on

    moved = jax.lax.fori_loop(0, ahead, lambda _, v: walk.advance(v), u)
    v = jnp.where(jnp.all(jnp.isfinite(moved)), moved, u) / extent
    zero = jnp.zeros((), u.dtype)
    v, _, good, *_ = jax.lax.while_loop(
        going, step, (v, zero, jnp.bool_(False), jnp.int32(0), jnp.bool_(True))
    )
    v = v * extent

    def add(_: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        w, total = carry
        return walk.advance(w), total + mark(w / extent, jnp)

    _, sums = jax.lax.fori_loop(0, period, add, (v, jnp.zeros(MARKS, u.dtype)))
    return Sought(v, sums, good & jnp.all(jnp.isfinite(sums)))


def mark(v: Any, xp: Any) -> Any:
    """[..., k] numbers that tell points apart, the same once round a circle.

    Args:
        v: [..., d] in units of the extent.
        xp: the array module.
    """
    size = v.shape[-1]
    random = np.random.default_rng(size)
    phases = random.uniform(0, 2 * np.pi, (MARKS, size))
    weights = random.uniform(0.5, 1, (MARKS, size))
    turns = np.arange(1, MARKS + 1)[:, None]
    waves = weights * xp.sin(2 * np.pi * turns * v[..., None, :] + phases)
    return xp.sum(waves, axis=-1).astype(v.dtype)
