"""Searches: analyses after the loop, each with iterations of its own.

One that reads what the loop has found of the starts is a survey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pipeline.arrays import Variable
from pipeline.grid import Quantity


class Bench(Protocol):
    """What a search works on: the cells of the parameter axes, and what the loop made of them.

    Attributes:
        cells: of the parameter axes, 1 where there are none. An axis of a quantity that the search
            follows itself is left out.
        starts: of the start axes, 1 where there are none.
        shape: the sizes of the parameter axes.
        seed: of everything random.
    """

    @property
    def cells(self) -> int: ...  # noqa: D102  # above
    @property
    def starts(self) -> int: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102

    def program(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """A function of one row, compiled for many.

        Args:
            name: tells it from the other programs of the document, and is all that does: neither
                numbers of the document nor data may be part of it, but as inputs.
            f: (iteration, initial state, *inputs) -> outputs, in JAX; the initial state is that at
                the first values of the start axes.

        Returns:
            (cells [k], *inputs [k, ...]) -> outputs [k, ...], all NumPy arrays.
        """
        ...

    def family(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """The same of a function of a family of iterations, for any settings of the analyses.

        Args:
            f: (at, *inputs) -> outputs, where at(*values of the quantities that the search follows)
                are an iteration and its initial state.
        """
        ...

    def read(self, name: str, cell: int) -> np.ndarray:
        """[starts, ...] a result of the loop at one cell of the parameter axes."""
        ...


@dataclass(frozen=True, eq=False)
class Search:
    """An analysis ready to begin.

    Attributes:
        variables: those of the parameter axes, and those of the whole grid.
        find: what there is -> {variable: [cells, ...], or [cells, starts, ...] on the whole grid}.
        along: quantities that it follows itself; the axes that sweep them are none of its bench's.
    """

    variables: tuple[Variable, ...]
    find: Callable[[Bench], Mapping[str, np.ndarray]]
    along: tuple[Quantity, ...] = ()
