"""Rows: what is recorded of cells that step at times of their own, in one table for each variable.

The first row is that of the start: where cells leave early, nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.analyses import Fold

Notes = Mapping[str, np.ndarray]


class Rows:
    """Tables [c, n, ...] of a block's cells.

    Args:
        count: of the cells.
        steps: of each at most.
    """

    def __init__(self, recorders: tuple[Fold, ...], count: int, steps: int) -> None:
        self._every = {v.name: fold.every for fold in recorders for v in fold.recorded}
        self._count, self._steps = count, steps
        self._tables: dict[str, np.ndarray] = {}
        self._left: dict[str, np.ndarray] = {}
        self._done = np.zeros(count, int)

    def begin(self, owner: np.ndarray, fresh: np.ndarray, notes: Notes) -> None:
        """The first rows of the cells in some lanes.

        Args:
            owner: [lanes] the cell in each.
            fresh: [lanes] which they are.
            notes: {variable: [lanes, ...]}
        """
        lanes = np.flatnonzero(fresh & (owner >= 0))
        for name, values in notes.items():
            values = np.asarray(values)
            if name not in self._tables:
                rows = 1 + self._steps // self._every[name]
                shape = self._count, rows, *values.shape[1:]
                self._tables[name] = np.empty(shape, values.dtype)
            self._tables[name][owner[lanes], 0] = values[lanes]

    def put(self, owner: np.ndarray, done: np.ndarray, notes: Notes, steps: int) -> None:
        """The rows of some steps more.

        Args:
            owner: [lanes] the cell in each, -1 where there is none.
            done: [lanes] the steps before.
            notes: {variable: [lanes, steps or more, ...]}
        """
        if not notes:
            return
        lanes = np.flatnonzero(owner >= 0)
        whose = np.repeat(owner[lanes], steps).reshape(-1, steps)
        at = done[lanes, None] + 1 + np.arange(steps)
        for name, values in notes.items():
            values, every = np.asarray(values)[lanes, :steps], self._every[name]
            if every == 1:
                self._tables[name][whose, at] = values
            else:
                kept = at % every == 0
                self._tables[name][whose[kept], at[kept] // every] = values[kept]

    def end(self, places: np.ndarray, done: np.ndarray, notes: Notes) -> None:
        """What all rows after the last step of some cells are."""
        self._done[places] = done
        for name, values in notes.items():
            values = np.asarray(values)[: len(places)]
            if name not in self._left:
                shape = self._count, *values.shape[1:]
                self._left[name] = np.empty(shape, values.dtype)
            self._left[name][places] = values

    def tables(self) -> dict[str, np.ndarray]:
        """{variable: [c, n, ...]}, when all cells have ended."""
        for name, table in self._tables.items():
            after = np.arange(table.shape[1]) > self._done[:, None] // self._every[name]
            where = after.reshape(*after.shape, *[1] * (table.ndim - 2))
            np.copyto(table, self._left[name][:, None], where=where)
        return self._tables
