"""The source: where the blocks of a run come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Receipt:
    """What a worker says of the blocks that it has filed.

    Attributes:
        cpu: the model of its processor.
        program_bytes: of the memory of the program, as XLA has laid it out.
        digest: the SHA-256 of the file.
        counts: {variable of codes: {meaning: cells}}
    """

    first: int
    last: int
    cpu: str
    compile_seconds: float
    program_bytes: int
    digest: str
    counts: Mapping[str, Mapping[str, int]]


def _kept(cells: int) -> None:
    """Nothing to let go."""


@dataclass(frozen=True, eq=False)
class Source:
    """Blocks, in the order of their cells.

    Attributes:
        blocks: (first cell, one past the last, {variable: rows of the wanted cells among them}).
        count: of them, about.
        receipts: the same pieces, filed and not read; one of the two is gone through. None where
            nothing is filed by others.
        cost: once they have come, (seconds that compiling took, bytes of the largest program).
        safe: is told up to which cell the result is on the disk.
    """

    blocks: Iterator[tuple[int, int, dict[str, Any]]]
    count: int
    cost: Callable[[], tuple[float, int]]
    safe: Callable[[int], None] = _kept
    receipts: Iterator[Receipt] | None = None
