"""How components of the state become variables: complex ones as two, vectors with a dimension."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np

from pipeline.arrays import Dimension, Variable
from pipeline.state import Component, Components, State


def variables(
    components: Components,
    dimensions: tuple[Dimension, ...],
    *,
    prefix: str = "",
    suffix: str = "",
    meaning: str,
    axes: Literal["grid", "parameters"] = "grid",
) -> tuple[Variable, ...]:
    """The variables `<prefix><component><suffix>` (`_re` and `_im` of a complex component)."""
    result = []
    for name, component in components.items():
        own = tuple(Dimension(f"{name}_dim", n, None, f"entry of {name}") for n in component.shape)
        parts = (
            {"_re": "real part of ", "_im": "imaginary part of "} if component.complex else {"": ""}
        )
        result += [
            Variable(
                f"{prefix}{name}{suffix}{part}",
                (*dimensions, *own),
                "float",
                f"{which}{name}{meaning}",
                axes=axes,
            )
            for part, which in parts.items()
        ]
    return tuple(result)


def values(state: State, *, suffix: str = "") -> dict[str, Any]:
    """The same names with the values of one state."""
    import jax.numpy as jnp

    result = {}
    for name, value in state.items():
        if jnp.iscomplexobj(value):
            result[f"{name}{suffix}_re"], result[f"{name}{suffix}_im"] = value.real, value.imag
        else:
            result[f"{name}{suffix}"] = value
    return result


def split(points: np.ndarray, components: Components, *, prefix: str) -> dict[str, np.ndarray]:
    """{variable: [..., (size)]} of flattened states, [..., d], by the names of `variables`."""
    found, at = {}, 0
    for name, component in components.items():
        count = math.prod(component.shape)
        for part in ("_re", "_im") if component.complex else ("",):
            shape = (*points.shape[:-1], *component.shape)
            found[f"{prefix}{name}{part}"] = points[..., at : at + count].reshape(shape)
            at += count
    return found


class Real(NamedTuple):
    """One real number of the state: all of a component, a part of it, an entry, a part of one."""

    component: str
    place: tuple[int, ...] = ()
    part: str = ""

    @property
    def name(self) -> str:
        """As an axis would name it: x, z_re, x_0."""
        entry = "".join(f"_{i}" for i in self.place)
        return f"{self.component}{entry}{f'_{self.part}' if self.part else ''}"

    def of(self, state: State) -> Any:
        """[] Its value."""
        value = state[self.component][self.place]
        return value.real if self.part == "re" else value.imag if self.part == "im" else value


def reals(name: str, component: Component) -> list[Real]:
    """The real numbers of one component, in order."""
    parts = ("re", "im") if component.complex else ("",)
    return [Real(name, place, part) for place in np.ndindex(component.shape) for part in parts]
