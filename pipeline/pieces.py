"""Arrays in pieces: the variables of kept blocks, whose values are read from files when used."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from xarray.backends import BackendArray
from xarray.core import indexing

from pipeline import parts
from pipeline.errors import DamageError, ForeignError

# Bytes of one chunk of Dask's, about.
CHUNK = 2**27
# Chunks of a variable: a stranger's few bytes may declare any number.
MOST = 2**17
# Pieces of a variable that a process keeps: neighbouring rows are often asked for one by one.
KEPT = 4


def joined(index: xarray.Dataset, texts: Mapping[str, str], path: Path) -> xarray.Dataset:
    """The dataset that an index stands for; chunked where Dask is there.

    Args:
        index: what the file of the index holds.
        texts: of its /provenance.
        path: where it is.

    Raises:
        ForeignError: it is no index of ours.
        DamageError: its pieces do not cover the cells.
    """
    try:
        firsts, lasts = (index[name].values for name in (parts.FIRST, parts.LAST))
        described, folder = json.loads(texts["variables"]), texts["pieces"]
        grid = tuple(described[0][2])
        if not re.fullmatch("[0-9a-f]{16}", folder):
            raise ValueError(folder)
        cells = math.prod(grid)
        whole = len(firsts) and firsts[0] == 0 and lasts[-1] == cells
        if not whole or (firsts[1:] != lasts[:-1]).any() or (firsts >= lasts).any():
            raise DamageError(f"{path}: its pieces do not cover its {cells:,} cells.")
        variables = {row[0]: _variable(path.parent / folder, row, grid, lasts) for row in described}
        coordinates = {name: values.load() for name, values in index.coords.items()}
        found = xarray.Dataset(variables, coordinates, index.attrs)
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, RecursionError):
        raise ForeignError(f"{path}: no index of blocks of Cobweb's.") from None
    if grid and find_spec("dask"):
        found = found.chunk(_chunks(found, len(grid)))
    return found


def _variable(
    folder: Path, described: list[Any], grid: tuple[int, ...], ends: np.ndarray
) -> xarray.Variable:
    name, dimensions, shape, kind, told = described
    if tuple(shape[: len(grid)]) != grid or np.dtype(kind).hasobject:
        raise ValueError(name)
    own = Pieces(folder, name, tuple(shape), np.dtype(kind), grid, ends)
    labels = {k: np.array(v[1], v[0]) if isinstance(v, list) else v for k, v in told.items()}
    return xarray.Variable(dimensions, indexing.LazilyIndexedArray(own), labels)


def _chunks(found: xarray.Dataset, axes: int) -> dict[Any, int]:
    """{axis: values in one chunk}, neighbouring cells being together, as in pieces."""
    widest = max(found.data_vars.values(), key=lambda variable: variable.nbytes)
    size, most = widest.nbytes, max(CHUNK, widest.nbytes // MOST)
    chunks = {}
    for axis in widest.dims[:axes]:
        row = max(1, size // widest.sizes[axis])
        chunks[axis] = min(widest.sizes[axis], max(1, most // row))
        size = row
    return chunks


class Pieces(BackendArray):
    """One variable, as xarray indexes it.

    Args:
        folder: of the pieces.
        grid: the sizes of its leading axes, whose cells the pieces divide.
        ends: [pieces] one past the last cell of each; the first begins at 0.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype,
        grid: tuple[int, ...],
        ends: np.ndarray,
    ) -> None:
        self.folder, self.name, self.grid, self.ends = folder, name, grid, ends
        self.shape, self.dtype = shape, dtype

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        """What tells the array from others: pieces never change."""
        return str(self.folder.absolute()), self.name, self.shape, self.dtype.str

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Some of the values, of as few pieces as have them."""
        support = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, support, self._values)

    def _values(self, key: tuple[int | slice, ...]) -> np.ndarray:
        count = len(self.grid)
        outer, inner = key[:count], key[count:]
        places = [np.arange(n)[k] for n, k in zip(self.grid, outer, strict=True)]
        sides = tuple(side for p in places for side in p.shape)
        cells = np.zeros((), int)
        for size, place in zip(self.grid, places, strict=True):
            cells = np.add.outer(cells * size, place)
        flat = cells.ravel()
        rows = np.empty((len(flat), *self.shape[count:]), self.dtype)
        owner = np.searchsorted(self.ends, flat, side="right")
        for piece in np.unique(owner):
            mine = owner == piece
            first = int(self.ends[piece - 1]) if piece else 0
            rows[mine] = self._piece(first, int(self.ends[piece]))[flat[mine] - first]
        return rows.reshape((*sides, *self.shape[count:]))[(..., *inner) if inner else ...]

    def _piece(self, first: int, last: int) -> np.ndarray:
        shape = last - first, *self.shape[len(self.grid) :]
        return _read(parts.path_of(self.folder, first, last), self.name, shape, self.dtype)


@functools.lru_cache(KEPT)
def _read(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A variable of one piece, whose file declares no more than it should.

    Raises:
        DamageError: there is no such piece, or it is not as it was written.
    """
    most = math.prod(shape) * dtype.itemsize + 2**16
    try:
        found = parts.read(path, (name,), most)[name]
    except FileNotFoundError:
        raise DamageError(f"{path}: missing.") from None
    if found.shape != shape or found.dtype != dtype:
        raise DamageError(f"{path}: its {name} is none of this result.")
    return found
