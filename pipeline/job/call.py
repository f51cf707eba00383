"""The call: what computes the cells of a block, and the memory that it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.job.lane import Cell


@dataclass(frozen=True)
class Call:
    """(numbers, cells) -> {variable: its values, a row for each cell}.

    Attributes:
        run: what does it.
        bytes: of the largest compiled program: arguments, results and what it holds meanwhile, as
            XLA has laid them out; 0 where it does not say.
    """

    run: Callable[[Any, Cell], dict[str, Any]]
    bytes: int

    def __call__(self, numbers: Any, cells: Cell) -> dict[str, Any]:
        """The results of some cells."""
        return self.run(numbers, cells)


def footprint(compiled: Any) -> int:
    """Bytes of one compiled program."""
    found = compiled.memory_analysis()
    if found is None:
        return 0
    held = found.argument_size_in_bytes + found.output_size_in_bytes + found.temp_size_in_bytes
    return int(held - found.alias_size_in_bytes)
