"""Benches made of others: at fixed values of what is followed, or of some of the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pipeline.analyses.search import Bench

# Cells whose branches advance together: rows of more would be many megabytes.
TOGETHER = 128


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
class Fixed(Chosen):
    """The same, with a value of a quantity that is followed, fixed in each cell.

    Attributes:
        values: [k].
    """

    values: np.ndarray

    @classmethod
    def at_each(cls, bench: Bench, values: np.ndarray) -> Self:
        """Each cell at each of some values, which come last."""
        cells = np.repeat(np.arange(bench.cells), len(values))
        return cls(bench, cells, np.tile(values, bench.cells))


@dataclass(frozen=True)
class Stage(Fixed):
    """Cells at values of the one quantity that is followed: nothing is left to follow."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The values come last, so that those beside each other are neighbours."""
        return (*self.bench.shape, self.cells // self.bench.cells)

    def program(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """A function of one row, at its value."""
        run = self.bench.family(f"staged {name}", lambda at, value, *rest: f(*at(value), *rest))
        return lambda cells, *inputs: run(self.own[cells], self.values[cells], *inputs)


@dataclass(frozen=True)
class Line(Fixed):
    """Cells at values of the second of two quantities that are followed.

    Its `program` is at the document's own values of both.
    """

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
