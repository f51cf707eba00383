"""Verdicts: what verifying an archive found, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.difference import Difference
from pipeline.notation import printable

Outcome = Literal["identical", "intact", "consistent", "different", "corrupt"]
# Exit statuses; 2 is for mistakes, as everywhere.
STATUS: dict[Outcome, int] = {
    "identical": 0,
    "intact": 0,
    "different": 1,
    "consistent": 3,
    "corrupt": 4,
}


@dataclass
class Row:
    """One variable, compared.

    Attributes:
        cells: how many were compared.
        strange: how many of them differ by more than rounding explains.
        parted: the first index along the iterations at which any differs by more than rounding.
        axis: the values of the dimension of the iterations, empty where there is none.
    """

    name: str
    difference: Difference = field(default_factory=Difference)
    cells: int = 0
    strange: int = 0
    parted: int | None = None
    axis: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def iteration(self, index: int | None) -> int | None:
        """The iteration at an index along them."""
        return None if index is None or not self.axis.size else int(self.axis[index])


@dataclass(frozen=True)
class Verdict:
    """What verifying an archive found.

    Attributes:
        reasons: sentences: what is damaged, missing, or not as the document says.
        notes: what of the recorded loop could not be repeated.
        environment: (what, as recorded, as it is here).
        blocks: (computed, all there are).
    """

    path: Path
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    environment: tuple[tuple[str, str, str], ...] = ()
    blocks: tuple[int, int] = (0, 0)

    @property
    def status(self) -> int:
        """The exit status of the command."""
        return STATUS[self.outcome]

    def __str__(self) -> str:
        return report(self)


def report(verdict: Verdict) -> str:
    """A verdict in words, for the terminal."""
    lines = [f"{verdict.path}: {_summary(verdict)}"]
    lines += [f"  {reason}" for reason in verdict.reasons]
    differing = [row for row in verdict.rows if row.difference.bits]
    if not differing:
        lines += [f"  note: {note}" for note in verdict.notes]
    else:
        lines += ["", *_table(differing)]
        lines += list(_orbits(differing))
        if verdict.notes or verdict.environment:
            lines += ["", "What could explain it:"]
            lines += [f"  {note}" for note in verdict.notes]
            lines += list(told(verdict.environment))
    return "\n".join(lines)


def _orbits(rows: Iterable[Row]) -> Iterator[str]:
    """Up to where the orbits agree."""
    for row in rows:
        first, parted = row.iteration(row.difference.first), row.iteration(row.parted)
        if first is not None:
            same = f"{row.name}: the same bits before iteration {first:,}"
            yield f"  {same}, to rounding " + (
                "throughout" if parted is None else f"before iteration {parted:,}"
            )


def told(changes: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Lines of (key, old, new), for the terminal."""
    rows = [tuple(map(_short, change)) for change in changes]
    width = max((len(key) for key, _, _ in rows), default=0)
    for key, old, new in rows:
        yield f"  {key:<{width}}  {old} -> {new}"


def _short(text: str) -> str:
    """A value on one line; of a long text its length."""
    text = text.strip()
    if text.count("\n") > 1:
        return f"({len(text.splitlines()):,} lines)"
    text = printable(" ".join(text.split()))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _summary(verdict: Verdict) -> str:
    computed, count = verdict.blocks
    values = sum(row.difference.values for row in verdict.rows)
    some = "" if computed == count else f" in {computed:,} of {count:,} blocks"
    return {
        "identical": f"identical: {values:,} values of {len(verdict.rows)} variables, "
        f"computed again{some}, have the same bits",
        "intact": "intact: every variable has its recorded hash; nothing was computed again",
        "consistent": f"consistent: the same result, computed again{some}, rounded otherwise",
        "different": "different: not what its document gives",
        "corrupt": "corrupt: its content is not what was written",
    }[verdict.outcome]


def _table(rows: Iterable[Row]) -> Iterator[str]:
    heads = ("variable", "values", "differing", "ULPs", "distance", "unexplained")
    cells: list[tuple[str, ...]] = [heads]
    for row in rows:
        d = row.difference
        ulps = f"{d.ulps:,}" if d.ulps < 1e6 else f"{d.ulps:.1e}"
        figures = (f"{d.values:,}", f"{d.differing:,}", ulps, f"{d.absolute:.3g}")
        cells.append((row.name, *figures, f"{row.strange:,}"))
    widths = [max(len(line[k]) for line in cells) for k in range(len(heads))]
    for line in cells:
        rest = (f"{text:>{width}}" for text, width in zip(line[1:], widths[1:], strict=True))
        yield f"  {line[0]:<{widths[0]}}  {'  '.join(rest)}"
