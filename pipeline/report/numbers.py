"""What a page says of numbers: sizes, counts of codes, least, mean and greatest."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.status import Status

if TYPE_CHECKING:
    import xarray

# Values read at once.
BLOCK = 2**20
# Where a cell ended so, its real numbers say nothing.
LOST = (Status.escaped, Status.unbounded_objective, Status.job_failed)


@dataclass(frozen=True)
class Statistics:
    """Of the finite values of a variable; the three are NaN where there are none.

    Attributes:
        missing: values that are not finite, or of cells that escaped or failed.
    """

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


def statistics(data: xarray.Dataset, name: str) -> Statistics:
    """Of one result; reals of cells that escaped or failed count as missing."""
    variable = data[name]
    cells = grid(data)
    masked = variable.dtype.kind == "f" and cells == variable.dims[: len(cells)]
    low, high, total, finite = math.inf, -math.inf, 0.0, 0
    # A sum beyond the largest double is infinite, and shown so.
    with np.errstate(over="ignore"):
        codes = _pieces(data["status"], variable) if masked else itertools.repeat(None)
        for piece, ends in zip(_pieces(variable), codes, strict=False):
            kept = np.isfinite(piece)
            if ends is not None:
                kept &= ~np.isin(ends, LOST).reshape(ends.shape + (1,) * (kept.ndim - ends.ndim))
            values = piece[kept].astype(float)
            if values.size:
                low, high = min(low, values.min().item()), max(high, values.max().item())
                total, finite = total + values.sum().item(), finite + values.size
    if not finite:
        return Statistics(math.nan, math.nan, math.nan, variable.size)
    return Statistics(low, total / finite, high, variable.size - finite)


def _pieces(
    variable: xarray.DataArray, like: xarray.DataArray | None = None
) -> Iterator[np.ndarray]:
    """All values, about a million at a time; as many rows as of another variable."""
    if variable.ndim == 0:
        yield np.asarray(variable.values)
        return
    rows = (variable if like is None else like).shape[1:]
    step = max(1, BLOCK // max(1, math.prod(rows)))
    for at in range(0, variable.shape[0], step):
        yield np.asarray(variable[at : at + step].values)
