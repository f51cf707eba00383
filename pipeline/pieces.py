"""An array in pieces: one variable of kept blocks, its values read from their files when used."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from pipeline import parts
from pipeline.errors import DamageError

# Pieces of a variable that a process keeps: neighbouring rows are often asked for one by one.
KEPT = 4


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
        return rows.reshape(*sides, *self.shape[count:])[(..., *inner) if inner else ...]

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
