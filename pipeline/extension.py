"""Extension: the cells of an earlier archive, taken over where a grid has grown.

A cell is taken over where every axis has its value in the earlier grid too, to the last bit. What
comes out is what computing all cells would give; whatever could make that untrue is refused.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import blocks, contents, job, provenance
from pipeline.contents import PIECE, Contents
from pipeline.dataset import Block, Entry, Template
from pipeline.engine import Tell, Wanted
from pipeline.errors import ArchiveError, ConfigError
from pipeline.experiment import Experiment
from pipeline.maps import Map

# Bytes between two cells that are wanted, up to which they are read along: less than a call costs.
GAP = 2**15


@dataclass(frozen=True, eq=False)
class Extension:
    """An earlier archive, and where its cells are in the grown grid.

    Attributes:
        grid: the sizes of the earlier axes.
        places: for each axis of the grown grid, [size] the place of its value in the earlier one,
            -1 where that has none.
    """

    found: Contents
    layout: Template
    grid: tuple[int, ...]
    places: tuple[np.ndarray, ...]

    @property
    def wanted(self) -> Wanted:
        """The cells that are new."""
        return Wanted(self.layout.grid, tuple(axis >= 0 for axis in self.places))

    def filled(self, blocks: Iterable[Block], size: int) -> Iterator[Block]:
        """Blocks of all cells, of blocks that have the rows of the new ones alone.

        Args:
            size: the most cells of a block.
        """
        wanted = self.wanted
        for first, last, results in blocks:
            used = 0
            for begin in range(first, last, size):
                end = min(begin + size, last)
                new = wanted.places(begin, end)
                rows = slice(used, used + len(new))
                used = rows.stop
                own = {name: values[rows] for name, values in results.items()}
                yield begin, end, self._block(begin, end, new, own)

    def _block(
        self, first: int, last: int, new: np.ndarray, rows: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        if len(new) == last - first:
            return dict(rows)
        computed = np.zeros(last - first, bool)
        computed[new - first] = True
        old = self._earlier(first + np.flatnonzero(~computed))
        block = {}
        for entry in self.layout.early:
            taken = _rows(self.found, entry, self.grid, old)
            whole = np.empty((last - first, *taken.shape[1:]), entry.dtype)
            whole[~computed] = taken
            if len(new):
                whole[computed] = rows[entry.name]
            block[entry.name] = whole
        return block

    def _earlier(self, cells: np.ndarray) -> np.ndarray:
        """[c] the places in the earlier grid of cells that are in both."""
        if not self.grid:
            return np.zeros(len(cells), int)
        at = np.unravel_index(cells, self.layout.grid)
        own = [axis[k] for axis, k in zip(self.places, at, strict=True)]
        return np.ravel_multi_index(own, self.grid)


def _rows(found: Contents, entry: Entry, grid: tuple[int, ...], cells: np.ndarray) -> np.ndarray:
    """[c, ...] the values of a variable at some cells, read in few pieces."""
    order = np.argsort(cells, kind="stable")
    ordered = cells[order]
    size = max(1, math.prod(entry.shape[len(grid) :]) * entry.dtype.itemsize)
    # However far they lie apart, what is read at once is bounded.
    far = np.diff(ordered) > max(1, GAP // size)
    ends = np.flatnonzero(far | (np.diff(ordered // max(1, PIECE // size)) > 0)) + 1
    parts = [
        found.cells(entry.name, grid, int(some[0]), int(some[-1]) + 1)[some - some[0]]
        for some in np.split(ordered, ends)
    ]
    rows = np.empty((len(cells), *parts[0].shape[1:]), parts[0].dtype)
    rows[order] = np.concatenate(parts)
    return rows


@contextlib.contextmanager
def opened(
    experiment: Experiment, layout: Template, plan: job.Plan, here: Mapping[str, str], tell: Tell
) -> Iterator[Extension | None]:
    """The archive that a run goes on from; None where its document names none.

    Args:
        here: /provenance of this run.
        tell: is told what is taken over.

    Raises:
        ConfigError: its cells would not be those of this document, bit for bit.
    """
    if experiment.extend is None:
        yield None
        return
    path = Path(experiment.extend)
    if blocks.index_of(path):
        _refuse(path, "its blocks are kept as files of their own, and one file alone can grow")
    path = path / "result.nc" if path.is_dir() else path
    _refuse(path, _unfit(experiment, plan))
    with contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(contents.opened(path))
            _refuse(path, _unlike(found, here) or _damaged(found, layout))
            grown = _placed(found, experiment, layout)
        except ArchiveError as error:
            raise ConfigError([f"extend = {error}"]) from None  # which begins with the path
        wanted = grown.wanted
        taken = wanted.cells - wanted.count
        _refuse(path, None if taken else "it has none of these cells")
        tell(f"{taken:,} of {wanted.cells:,} cells are taken over from {path}")
        yield grown


def _refuse(path: Path, reason: str | None) -> None:
    if reason:
        raise ConfigError([f"extend = {path}: {reason}."])


def _unfit(experiment: Experiment, plan: job.Plan) -> str | None:
    """Why cells cannot be taken over from a grid of another size."""
    problem = experiment.problem
    if isinstance(problem, Map) and problem.noise:
        return "the noise of a cell follows from its place in the grid, which grows"
    if experiment.iterate.follow:
        return "with iterate.follow a cell depends on those before it"
    if plan.kernel.width == 1:
        return (
            "the last bits of vectors and of solvers depend on the cells that are computed together"
        )
    return None


def _unlike(found: Contents, here: Mapping[str, str]) -> str | None:
    """What is not the same but for the grid."""
    for name in provenance.BITS:
        if found.texts.get(name) != here[name]:
            return f"made with another {name}; its bits would not fit"
    if found.table("plan").get("kernel") != json.loads(here["plan"])["kernel"]:
        return "computed by another kernel; its bits would not fit"
    documents = [provenance.document(texts) for texts in (found.texts, here)]
    kept = [provenance.essence({**d, "grid": {}, "experiment": ""}) for d in documents]
    if kept[0] != kept[1]:
        return "its document differs in more than the grid"
    return None


def _damaged(found: Contents, layout: Template) -> str | None:
    hashes = found.hashes()
    for entry in layout.early:
        if entry.name not in found.variables or found.digest(entry.name) != hashes.get(entry.name):
            return f"{entry.name} is not as it was written"
    return None


def _placed(found: Contents, experiment: Experiment, layout: Template) -> Extension:
    """Where the values of each axis are in the earlier grid.

    Raises:
        ConfigError: the axes are others, or their order.
    """
    axes, count = experiment.grid, len(layout.grid)
    there = found.variables["status"].dimensions
    names = tuple(axis.name for axis in axes)
    _refuse(found.path, None if there == names else f"its axes are {', '.join(there) or 'none'}")
    for entry in layout.early:
        variable = found.variables[entry.name]
        same = variable.dimensions == entry.dimensions and variable.dtype == entry.dtype
        same &= variable.shape[count:] == entry.shape[count:]
        _refuse(found.path, None if same else f"its {entry.name} has another shape or type")
    places = []
    for axis in axes:
        own = [c for c in layout.coordinates if c.dimensions == (axis.name,)]
        # The count of an axis that sweeps several quantities is no value.
        values = [c for c in own if len(own) == 1 or c.name != axis.name]
        for coordinate in values:
            at = found.variables.get(coordinate.name)
            wanted = coordinate.attributes["quantity"]
            same = at is not None and getattr(at, "quantity", None) == wanted
            _refuse(found.path, None if same else f"its axis {axis.name} sweeps something else")
        new = _table([np.asarray(c.values) for c in values])
        old = _table([found.read(c.name, ()).astype(c.dtype) for c in values])
        known = {row: k for k, row in enumerate(old)}
        places.append(np.array([known.get(row, -1) for row in new]))
    return Extension(found, layout, found.variables["status"].shape, tuple(places))


def _table(columns: list[np.ndarray]) -> list[bytes]:
    """The values at each place of an axis, as bytes."""
    return [b"".join(values) for values in zip(*[_bytes(c) for c in columns], strict=True)]


def _bytes(values: np.ndarray) -> list[Any]:
    return [value.tobytes() for value in values]
