"""Seeds: the cycles that branches are first followed from, and which of them are on none yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.analyses.branches.benches import Stage
from pipeline.analyses.branches.programs import Frame, Programs, room
from pipeline.analyses.branches.trace import Branch, Start, padded
from pipeline.analyses.catalogue import Measure
from pipeline.analyses.hunt import ASKEW, Wanted, circles, hunt
from pipeline.analyses.hunt import programs as hunters
from pipeline.analyses.search import Bench
from pipeline.analyses.starts import Box

# Of the extent: cycles that far apart are two.
SAME = 1e-6


@dataclass(frozen=True)
class Seeds:
    """Cycles at several values of the parameter.

    Attributes:
        levels: [k] those values, scaled.
        cycles: [k] of each, (cell, points [p, d]) scaled.
        frame: the units.
    """

    levels: np.ndarray
    cycles: list[list[tuple[int, np.ndarray]]]
    frame: Frame


def seeds(bench: Bench, wanted: Wanted, bounds: np.ndarray, levels: np.ndarray) -> Seeds:
    """The cycles of each cell at some values of the parameter."""
    values = bounds[0] + levels * (bounds[1] - bounds[0])
    stage = Stage.at_each(bench, values)
    run, cells = hunters(stage, wanted), np.arange(stage.cells)
    found = hunt(stage, cells, run, wanted)
    low, high = run.reach(cells)
    box = Box(low, high, np.zeros(low.shape[1], bool)).around(found.cycles)
    around = circles(wanted.problem)
    extent = np.where(around > 0, around, ASKEW * box.extent)
    extent = np.max(extent.reshape(bench.cells, len(values), -1), axis=1)
    frame = Frame(extent, bounds, around, float(np.finfo(low.dtype).eps))
    cycles: list[list[tuple[int, np.ndarray]]] = [[] for _ in values]
    for group in found.cycles:
        for cell, points in zip(group.cell, group.points, strict=True):
            own, which = divmod(int(cell), len(values))
            cycles[which].append((own, points / extent[own]))
    return Seeds(levels, cycles, frame)


def fresh(run: Programs, found: Seeds, which: int, known: list[Branch]) -> list[Start]:
    """Starts from the cycles at one value that none of the known branches goes through."""
    level = found.levels[which]
    crossed = list(crossings(run, known, level))
    starts = []
    for cell, points in found.cycles[which]:
        others = [p for c, p in crossed if c == cell and len(p) == len(points)]
        if not any(same(found.frame, cell, points, other) for other in others):
            starts.append(Start(cell, points, float(level)))
    return starts


def crossings(run: Programs, known: list[Branch], level: float) -> Iterator[tuple[int, np.ndarray]]:
    """(cell, points [p, d]) of the cycles at one value through which branches go."""
    near = []
    for branch in known:
        side = branch.level - level
        for i in np.flatnonzero(side[:-1] * side[1:] <= 0):
            part = side[i] / (side[i] - side[i + 1]) if side[i] != side[i + 1] else 0.0
            points = (1 - part) * branch.points[i] + part * branch.points[i + 1]
            near.append((branch.cell, points))
    if not near:
        return
    length = room(max(len(points) for _, points in near))
    cells = np.array([cell for cell, _ in near])
    border = np.zeros((len(near), near[0][1].shape[1] + 1))
    border[:, -1] = 1
    levels = np.full(len(near), level)
    settled, _, _ = run.settle(
        cells,
        np.stack([padded(points, length) for _, points in near]),
        levels,
        np.array([len(points) for _, points in near], np.int32),
        border,
        levels,
    )
    for (cell, points), own in zip(near, settled, strict=True):
        yield cell, own[: len(points)]


def same(frame: Frame, cell: int, a: np.ndarray, b: np.ndarray, within: float = SAME) -> bool:
    """Whether two cycles of one period, [p, d] scaled, are one, wherever they begin."""
    measure = Measure(np.ones((1, a.shape[1])), frame.circles / frame.extent[cell], frame.eps)
    slack = max(within, 100 * frame.eps)
    turned = np.stack([np.roll(a, k, axis=0) for k in range(len(a))])
    apart = measure.apart(turned, np.broadcast_to(b, turned.shape), np.zeros(len(a), int))
    return bool((np.max(apart, axis=1) <= slack).any())
