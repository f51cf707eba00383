"""Labels of arrays: the dimensions and the variables that a result consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True, eq=False)
class Dimension:
    """One named dimension of a result.

    Attributes:
        values: [size] its coordinate, or None where the index says nothing.
        attributes: whatever else the file says of the coordinate (strings, numbers, arrays).
    """

    name: str
    size: int
    values: np.ndarray | None = None
    long_name: str = ""
    units: str = "1"
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Variable:
    """One variable of a result, before it has values.

    Attributes:
        dimensions: its own, behind those of the grid.
        axes: those of the grid that it has: all, or the parameter axes alone.
        without: names of parameter axes that it has not.
        dtype: "float" and "complex" follow the precision; anything else is a NumPy type.
        attributes: whatever else the file says of it (strings, numbers, arrays).
    """

    name: str
    dimensions: tuple[Dimension, ...]
    dtype: str
    long_name: str
    units: str = "1"
    attributes: Mapping[str, Any] = field(default_factory=dict)
    axes: Literal["grid", "parameters"] = "grid"
    without: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its own dimensions."""
        return tuple(d.size for d in self.dimensions)


def flags(codes: type[IntEnum]) -> dict[str, Any]:
    """The CF attributes `flag_values` and `flag_meanings` of a variable of codes (int8)."""
    return {
        "flag_values": np.array([c.value for c in codes], np.int8),
        "flag_meanings": " ".join(c.name for c in codes),
    }
