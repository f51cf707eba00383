"""Benches made of others: at fixed values of what is followed, or of some of the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.analyses.search import Bench

# Cells whose branches advance together: rows of more would be many megabytes.
TOGETHER = 128


@dataclass(frozen=True)
class Stage:
    """A bench whose cells are those of another at each of several values of the parameter.

    Attributes:
        values: [k].
    """

    bench: Bench
    values: np.ndarray

    @property
    def cells(self) -> int:
        """Those of the other, times the values."""
        return self.bench.cells * len(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """The values come last."""
        return (*self.bench.shape, len(self.values))

    @property
    def starts(self) -> int:
        """Of the other."""
        return self.bench.starts

    @property
    def seed(self) -> int:
        """Of the other."""
        return self.bench.seed

    def program(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """A function of one row, at one of the values."""
        run = self.bench.family(f"staged {name}", lambda at, value, *rest: f(*at(value), *rest))

        def rows(cells: np.ndarray, *inputs: Any) -> Any:
            own, which = np.divmod(cells, len(self.values))
            return run(own, self.values[which], *inputs)

        return rows

    def family(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """That of the other."""
        return self.bench.family(name, f)

    def read(self, name: str, cell: int) -> np.ndarray:
        """A result at the cell of the other."""
        return self.bench.read(name, cell // len(self.values))


@dataclass(frozen=True)
class Chosen:
    """A bench of some cells of another, as if side by side.

    Attributes:
        own: [k] the cell of the other.
    """

    bench: Bench
    own: np.ndarray

    @property
    def cells(self) -> int:
        """As many as were chosen."""
        return len(self.own)

    @property
    def shape(self) -> tuple[int, ...]:
        """One row."""
        return (self.cells,)

    @property
    def starts(self) -> int:
        """Of the other."""
        return self.bench.starts

    @property
    def seed(self) -> int:
        """Of the other."""
        return self.bench.seed

    def program(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """That of the other, at its cells."""
        run = self.bench.program(name, f)
        return lambda cells, *inputs: run(self.own[cells], *inputs)

    def family(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """That of the other, at its cells."""
        run = self.bench.family(name, f)
        return lambda cells, *inputs: run(self.own[cells], *inputs)

    def read(self, name: str, cell: int) -> np.ndarray:
        """A result at the cell of the other."""
        return self.bench.read(name, int(self.own[cell]))


@dataclass(frozen=True)
class Line(Chosen):
    """The same of a bench that follows two quantities, the second of which is fixed in each cell.

    Its `program` is at the document's own values of both.

    Attributes:
        values: [k] of the second quantity.
    """

    values: np.ndarray

    def family(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """A function of a family of the first quantity alone."""

        def row(at: Any, second: Any, *rest: Any) -> Any:
            return f(lambda first: at(first, second), *rest)

        run = self.bench.family(f"on a line {name}", row)
        return lambda cells, *inputs: run(self.own[cells], self.values[cells], *inputs)


def slices(bench: Bench) -> Iterator[Chosen]:
    """All cells, so many at once."""
    for first in range(0, bench.cells, TOGETHER):
        yield Chosen(bench, np.arange(first, min(first + TOGETHER, bench.cells)))
