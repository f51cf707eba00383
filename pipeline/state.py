"""The state of an iteration: named components, each a number or a vector, real or complex."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.expressions import Expression

State = dict[str, Any]
Parameters = dict[str, Any]


@dataclass(frozen=True)
class Component:
    """The shape, () or (size,), and the field of one component."""

    shape: tuple[int, ...] = ()
    complex: bool = False

    @property
    def reals(self) -> int:
        """How many real numbers it takes."""
        return math.prod(self.shape) * (2 if self.complex else 1)


Components = dict[str, Component]


def size(components: Components) -> int | None:
    """The value of `size` in formulas: the length of the vector components, if they agree."""
    sizes = {c.shape[0] for c in components.values() if c.shape}
    return sizes.pop() if len(sizes) == 1 else None


def define(
    definitions: Mapping[str, Expression], values: Mapping[str, Any], xp: Any = None
) -> dict[str, Any]:
    """The values, with those of the definitions added in order."""
    values = dict(values)
    for name, formula in definitions.items():
        values[name] = formula(values, xp)
    return values


def fit(value: Any, like: Any, xp: Any) -> Any:
    """A formula's value in the shape and type of a component of the state."""
    return xp.broadcast_to(xp.asarray(value).astype(like.dtype), like.shape)


def start(
    initial: Mapping[str, Any], components: Components, values: Mapping[str, Any], dtype: Any
) -> State:
    """The state x_0 of one cell.

    Args:
        initial: {component: a number, an array or a formula of the values}.
        values: parameters, and whatever names only these formulas use.
        dtype: the real type of the state; complex components take the complex type of its width.
    """
    import jax.numpy as jnp

    state = {}
    for name, component in components.items():
        value = initial[name]
        value = value(values) if isinstance(value, Expression) else value
        kind = jnp.result_type(dtype, jnp.complex64) if component.complex else dtype
        state[name] = jnp.broadcast_to(jnp.asarray(value).astype(kind), component.shape)
    return state


def flatten(state: State) -> Any:
    """[d] The state as one real vector: components in order, real parts before imaginary ones."""
    import jax.numpy as jnp

    parts = []
    for value in state.values():
        pieces = (value.real, value.imag) if jnp.iscomplexobj(value) else (value,)
        parts += [jnp.ravel(piece) for piece in pieces]
    return jnp.concatenate(parts)


def unflatten(vector: Any, components: Components) -> State:
    """The state whose `flatten` is the vector, [d]."""
    state, at = {}, 0
    for name, component in components.items():
        count = math.prod(component.shape)
        value = vector[at : at + count].reshape(component.shape)
        at += count
        if component.complex:
            value = value + 1j * vector[at : at + count].reshape(component.shape)
            at += count
        state[name] = value
    return state
