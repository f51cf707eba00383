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

    def begin(self, owner: np.ndarray, lanes: np.ndarray, notes: Notes) -> None:
        """The first rows of the cells in some lanes.

        Args:
            owner: [lanes] the cell in each.
            notes: {variable: [lanes, ...]}
        """
        for name, values in notes.items():
            values = np.asarray(values)
            if name not in self._tables:
                rows = 1 + self._steps // self._every[name]
                shape = self._count, rows, *values.shape[1:]
                self._tables[name] = np.empty(shape, values.dtype)
            self._tables[name][owner[lanes], 0] = values[lanes]

    def put(self, owner: np.ndarray, before: np.ndarray, after: np.ndarray, notes: Notes) -> None:
        """The rows of some steps more.

        Args:
            owner: [lanes] the cell in each, -1 where there is none.
            before, after: [lanes] the steps of each.
            notes: {variable: [lanes, steps of any or more, ...]}
        """
        if not notes:
            return
        steps = 1 + np.arange(np.max((after - before)[owner >= 0]))
        at = before[:, None] + steps
        taken = (owner >= 0)[:, None] & (at <= after[:, None])
        places: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for name, values in notes.items():
            table, every = self._tables[name], self._every[name]
            if every not in places:
                kept = taken & (at % every == 0)
                row = owner[:, None] * table.shape[1] + at // every
                places[every] = kept, row[kept]
            kept, row = places[every]
            table.reshape(-1, *table.shape[2:])[row] = np.asarray(values)[:, : len(steps)][kept]

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
