"""The grid: axes that sweep quantities; their product is the cells of a job."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.state import Components

Part = Literal["", "re", "im"]


@dataclass(frozen=True)
class Quantity:
    """One real number that an axis can sweep.

    Attributes:
        name: as a user writes it: a, A_0_1, x0, x0_3, c_re, solver.step, or a name that only
            the formulas under `initial` use.
        target: what kind of thing it is a part of.
        key: the parameter, component, setting or free name.
        index: the entry, () of a scalar.
        part: of a complex number.
    """

    name: str
    target: Literal["parameter", "initial", "free", "setting"]
    key: str
    index: tuple[int, ...] = ()
    part: Part = ""

    @property
    def starts(self) -> bool:
        """Whether it changes nothing but where an orbit starts."""
        return self.target in ("initial", "free")


def entries(
    target: Literal["parameter", "initial"], key: str, shape: tuple[int, ...], is_complex: bool
) -> Iterable[Quantity]:
    """The quantities of one parameter or of the initial value of one component."""
    stem = f"{key}0" if target == "initial" else key
    parts: tuple[Part, ...] = ("re", "im") if is_complex else ("",)
    for index in np.ndindex(shape):
        for part in parts:
            name = "_".join([stem, *map(str, index), *([part] if part else [])])
            yield Quantity(name, target, key, index, part)


def find(
    name: str, parameters: Mapping[str, np.ndarray], components: Components
) -> Quantity | None:
    """The parameter, initial value or entry of one that has this name, if there is one.

    The name is taken apart rather than looked up: a matrix may have a million entries.
    """
    shapes = [("parameter", k, k, v.shape, np.iscomplexobj(v)) for k, v in parameters.items()]
    shapes += [("initial", k, f"{k}0", c.shape, c.complex) for k, c in components.items()]
    for target, key, stem, shape, is_complex in shapes:
        match = re.fullmatch(re.escape(stem) + r"((?:_\d+)*)(?:_(re|im))?", name)
        if match is None or bool(match[2]) != is_complex:
            continue
        digits = match[1].split("_")[1:]
        index = tuple(int(d) for d in digits)
        plain = [str(i) for i in index] == digits  # 007 is no index
        if plain and len(index) == len(shape) and all(map(int.__lt__, index, shape)):
            return Quantity(name, target, key, index, match[2] or "")  # type: ignore[arg-type]  # from the regex
    return None


@dataclass(frozen=True, eq=False)
class Axis:
    """One swept dimension.

    Attributes:
        quantities: what it sweeps; several are swept together.
        values: [size, quantities] their values, in double precision.
        scale: of a plot.
        random: whether the values were drawn independently of one another.
    """

    name: str
    quantities: tuple[Quantity, ...]
    values: np.ndarray
    scale: Literal["linear", "log"] = "linear"
    random: bool = False

    @property
    def size(self) -> int:
        """The number of its values."""
        return len(self.values)

    @property
    def starts(self) -> bool:
        """Whether it is a start axis rather than a parameter axis."""
        return all(quantity.starts for quantity in self.quantities)


Grid = tuple[Axis, ...]


def parameters(grid: Grid, without: Collection[str] = ()) -> Grid:
    """The parameter axes, in order, but for those of some names."""
    return tuple(axis for axis in grid if not axis.starts and axis.name not in without)


def shape(grid: Grid) -> tuple[int, ...]:
    """The sizes of the axes, in order."""
    return tuple(axis.size for axis in grid)


def cells(grid: Grid) -> int:
    """The number of cells, 1 where there are no axes."""
    return math.prod(shape(grid))


def columns(grid: Grid, cells: np.ndarray) -> dict[str, np.ndarray]:
    """{quantity: [c]} the values at some cells, [c], of the flattened grid."""
    result = {}
    if grid:
        places = np.unravel_index(cells, shape(grid))
        for axis, place in zip(grid, places, strict=True):
            for k, quantity in enumerate(axis.quantities):
                result[quantity.name] = axis.values[place, k]
    return result


def replace(array: Any, quantity: Quantity, value: Any) -> Any:
    """The array with one entry, or the real or imaginary part of it, replaced; in JAX."""
    import jax.numpy as jnp

    array = jnp.asarray(array)
    old = array[quantity.index] if quantity.index else array
    if quantity.part == "re":
        value = jnp.asarray(value) + 1j * old.imag
    elif quantity.part == "im":
        value = old.real + 1j * jnp.asarray(value)
    value = jnp.asarray(value).astype(array.dtype)
    return array.at[quantity.index].set(value) if quantity.index else value


def shifted(array: Any, quantity: Quantity, shift: Any) -> Any:
    """The array with a number added to one entry, or to a part of it; in JAX."""
    import jax.numpy as jnp

    array = jnp.asarray(array)
    shift = (1j * shift if quantity.part == "im" else jnp.asarray(shift)).astype(array.dtype)
    return array.at[quantity.index].add(shift) if quantity.index else array + shift
