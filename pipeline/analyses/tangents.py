"""Tangents: vectors in the shape of a state, which a step's derivative carries along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.state import State


def basis(state: State, count: int) -> list[State]:
    """The first unit vectors: entries in order, the real part of each before the imaginary one."""
    import jax.numpy as jnp

    vectors = []
    for name, value in state.items():
        units = (1, 1j) if jnp.iscomplexobj(value) else (1,)
        for place in np.ndindex(value.shape):
            for unit in units:
                zero = {key: jnp.zeros_like(v) for key, v in state.items()}
                one = np.zeros(value.shape, value.dtype)
                one[place] = unit
                vectors.append({**zero, name: jnp.asarray(one)})
                if len(vectors) == count:
                    return vectors
    return vectors


def dot(a: State, b: State) -> Any:
    """[] The scalar product of two vectors, of all their reals."""
    import jax.numpy as jnp

    products = [jnp.sum((jnp.conj(a[name]) * b[name]).real) for name in a]
    return sum(products[1:], products[0])


def unit(vector: State, old: State) -> tuple[State, Any]:
    """(the vector at length 1, its length); the old one instead of a vector of no length."""
    import jax.numpy as jnp

    length = jnp.sqrt(dot(vector, vector))
    inverse = 1 / length
    return {name: jnp.where(length > 0, vector[name] * inverse, old[name]) for name in old}, length


def combined(vectors: Sequence[State], weights: np.ndarray) -> State:
    """The sum of some vectors, weighted."""
    return {
        name: sum(w * vector[name] for w, vector in zip(weights.tolist(), vectors, strict=True))
        for name in vectors[0]
    }


def less(vector: State, unit: State) -> State:
    """A vector without its part along a unit vector."""
    along = dot(unit, vector)
    return {name: vector[name] - along * unit[name] for name in vector}
