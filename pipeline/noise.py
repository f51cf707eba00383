"""Noise: random numbers of a cell and a step, whatever else is computed, and in whatever order.

A number follows from the seed, the name of what it disturbs, the cell's place in the whole grid,
the step and the entry; none follows from another. It is a block of Threefry-2x32 with 20 rounds
(Salmon, Moraes, Dror and Shaw 2011, doi:10.1145/2063384.2063405), which stands here rather than in
a library: no version or switch of one may change the numbers of an archive. Two such words make a
Gaussian by Box and Muller's transformation.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.expressions import Expression

KINDS = ("normal", "uniform")
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


@dataclass(frozen=True)
class Noise:
    """What is added to a component after each step, or to a parameter for one step.

    Attributes:
        scale: the standard deviation, or half the width of the uniform distribution.
    """

    scale: Expression
    kind: Literal["normal", "uniform"] = "normal"

    def draw(self, key: Any, n: Any, like: Any) -> Any:
        """Independent numbers of scale 1 in the shape and type of a value, both parts if complex.

        Args:
            key: [2] of the cell and the name.
            n: [] steps done.
        """
        import jax.numpy as jnp

        real = jnp.finfo(like.dtype).dtype
        step = jnp.asarray(n).astype(jnp.uint32)

        def numbers(first: int) -> Any:
            entries = first + np.arange(like.size, dtype=np.uint32).reshape(like.shape)
            one, other = threefry((key[0], key[1]), (step, jnp.asarray(entries)))
            if self.kind == "uniform":
                return 2 * _open(one, real) - 1
            radius = jnp.sqrt(-2 * jnp.log(_open(one, real)))
            return radius * jnp.cos(2 * math.pi * _open(other, real))

        if jnp.iscomplexobj(like):
            return numbers(0) + 1j * numbers(like.size)
        return numbers(0)


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Two random words of 32 bits, uint32 as the arguments are."""
    keys = (*key, key[0] ^ key[1] ^ np.uint32(_PARITY))
    x, y = counter[0] + keys[0], counter[1] + keys[1]
    for block in range(5):
        for by in _ROTATIONS[block % 2]:
            x = x + y
            y = ((y << np.uint32(by)) | (y >> np.uint32(32 - by))) ^ x
        x = x + keys[(block + 1) % 3]
        y = y + keys[(block + 2) % 3] + np.uint32(block + 1)
    return x, y


def keys(seed: int, name: str, cells: np.ndarray) -> np.ndarray:
    """[c, 2] uint32, one for each of some cells [c] of the flattened grid."""
    own = tuple(np.full(len(cells), word, np.uint32) for word in (seed, zlib.crc32(name.encode())))
    counter = (cells >> 32).astype(np.uint32), (cells & 0xFFFFFFFF).astype(np.uint32)
    return np.stack(threefry((own[0], own[1]), counter), axis=1)


def _open(word: Any, real: Any) -> Any:
    """Numbers between 0 and 1, neither of both, in steps that the type has exactly."""
    bits = min(32, np.finfo(real).nmant)
    halves = (word >> np.uint32(32 - bits)).astype(real) + real.type(0.5)
    return halves * real.type(2.0**-bits)
