"""The wanted cells: all of a grid, or those that no earlier result has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.grid import Grid, shape

# Cells that are looked at together.
MOST = 2**20


@dataclass(frozen=True, eq=False)
class Wanted:
    """Cells that are to be computed.

    Attributes:
        grid: the sizes of the axes.
        known: for each axis, [size] the places at which an earlier result has a value; a cell is
            known where all of its are. () where nothing is.
    """

    grid: tuple[int, ...]
    known: tuple[np.ndarray, ...] = ()

    @classmethod
    def all(cls, grid: Grid) -> Wanted:
        """Of a grid of which nothing is known."""
        return cls(shape(grid))

    @property
    def cells(self) -> int:
        """Of the whole grid."""
        return math.prod(self.grid)

    @property
    def count(self) -> int:
        """Those that are wanted."""
        there = math.prod(int(np.count_nonzero(axis)) for axis in self.known)
        return self.cells - (there if self.known else 0)

    def places(self, first: int, last: int) -> np.ndarray:
        """[c] those among cells first ... last - 1 of the flattened grid."""
        if self.known and last - first > MOST:  # however much lies between those that are wanted
            parts = [self.places(at, min(at + MOST, last)) for at in range(first, last, MOST)]
            return np.concatenate(parts)
        cells = np.arange(first, last)
        if not self.known:
            return cells
        there = np.ones(len(cells), bool)
        for axis, at in zip(self.known, np.unravel_index(cells, self.grid), strict=True):
            there &= axis[at]
        return cells[~there]

    def end(self, first: int, size: int) -> int:
        """One past the last cell of a piece with at most so many wanted ones."""
        if not self.known:
            return min(first + size, self.cells)
        last, found, step = first, 0, size
        while last < self.cells:
            upto = min(last + step, self.cells)
            here = self.places(last, upto)
            if found + len(here) > size:
                return int(here[size - found])
            last, found, step = upto, found + len(here), min(2 * step, max(size, MOST))
        return last

    def pieces(
        self, begin: int, size: int, there: tuple[tuple[int, int], ...] = ()
    ) -> Iterator[tuple[int, int]]:
        """(first, one past the last) of pieces that follow one another, from a cell on.

        Args:
            size: the most wanted cells of one.
            there: pieces that are made, in order; what lies between them is divided.
        """
        at = begin
        for first, last in (*there, (self.cells, self.cells)):
            if first < at:
                continue
            while at < first:
                end = min(self.end(at, size), first)
                yield at, end
                at = end
            if last > at:
                yield first, last
                at = last
