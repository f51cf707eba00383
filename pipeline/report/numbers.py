"""What a page says of numbers: sizes, counts of codes, least, mean and greatest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray

# Values read at once.
BLOCK = 2**20


@dataclass(frozen=True)
class Statistics:
    """Of the finite values of a variable; the three are NaN where there are none."""

    least: float
    mean: float
    greatest: float
    missing: int


def grid(data: xarray.Dataset) -> tuple[str, ...]:
    """The dimensions whose product are the cells."""
    return tuple(map(str, data["status"].dims)) if "status" in data else ()


def scalars(data: xarray.Dataset) -> list[str]:
    """The variables that have one number for each cell, but for codes."""
    cells = set(grid(data))
    return [
        str(name)
        for name, variable in data.data_vars.items()
        if variable.dtype.kind in "iuf"
        and variable.size
        and "flag_meanings" not in variable.attrs
        and all(d in cells or data.sizes[d] == 1 for d in variable.dims)
    ]


def codes(data: xarray.Dataset) -> dict[str, Counter[str]]:
    """{variable: {meaning: cells}} of the variables that hold codes."""
    found: dict[str, Counter[str]] = {}
    for key, variable in data.data_vars.items():
        words = str(variable.attrs.get("flag_meanings", "")).split()
        if not words or variable.dtype.kind not in "iu":
            continue
        values = np.atleast_1d(variable.attrs.get("flag_values", np.arange(len(words))))
        meanings = dict(zip(values.tolist(), words, strict=False))
        found[str(key)] = Counter()
        for piece in _pieces(variable):
            there, counts = np.unique(piece, return_counts=True)
            for code, count in zip(there.tolist(), counts.tolist(), strict=True):
                found[str(key)][meanings.get(code, f"code {code}")] += count
    return found


def statistics(variable: xarray.DataArray) -> Statistics:
    """Over all cells."""
    low, high, total, finite = math.inf, -math.inf, 0.0, 0
    for piece in _pieces(variable):
        kept = piece[np.isfinite(piece)].astype(float)
        if kept.size:
            low, high = min(low, kept.min().item()), max(high, kept.max().item())
            total, finite = total + kept.sum().item(), finite + kept.size
    if not finite:
        return Statistics(math.nan, math.nan, math.nan, variable.size)
    return Statistics(low, total / finite, high, variable.size - finite)


def _pieces(variable: xarray.DataArray) -> Iterator[np.ndarray]:
    """All values, about a million at a time."""
    if variable.ndim == 0:
        yield np.asarray(variable.values)
        return
    step = max(1, BLOCK // max(1, math.prod(variable.shape[1:])))
    for at in range(0, variable.shape[0], step):
        yield np.asarray(variable[at : at + step].values)
