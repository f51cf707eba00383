"""The bench of a search: rows of any number, in compiled calls of fixed widths."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline import device
from pipeline.experiment import Experiment
from pipeline.grid import Axis, Quantity, columns, parameters, shape
from pipeline.job.arguments import typed
from pipeline.job.structure import iterated, structure

# Rows of one call: few widths, since each is compiled; none narrower, since narrower loops are
# vectorised otherwise.
WIDTHS = (64, 512, 4096)

# Programs of this process, the one used last at the end. They take numbers as arguments, and hold
# the experiment that they were made for, a Python function included.
_PROGRAMS: OrderedDict[str, Callable[..., Any]] = OrderedDict()
_MOST_PROGRAMS = 32
_LOCK = threading.Lock()

# (result of the loop, an index of its leading axes) -> its values there.
Read = Callable[[str, tuple[int | slice, ...]], np.ndarray]


class Bench:
    """What `pipeline.analyses.search.Bench` promises."""

    def __init__(
        self, experiment: Experiment, read: Read, along: tuple[Quantity, ...] = ()
    ) -> None:
        self.experiment, self.seed, self._read = experiment, experiment.seed, read
        self.along = along
        axes = parameters(experiment.grid, _names(experiment, along))
        self.shape = shape(axes)
        self.cells = math.prod(self.shape)
        self.starts = math.prod(axis.size for axis in experiment.grid if axis.starts)

    def program(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """A function of one row, compiled for many."""
        experiment = self.experiment

        def row(numbers: Any, swept: Any, *inputs: Any) -> Any:
            iteration = experiment.iteration(numbers, swept)
            return f(iteration, experiment.start(numbers, swept), *inputs)

        return self._compiled(f"{structure(experiment)} {name}", row)

    def family(self, name: str, f: Callable[..., Any]) -> Callable[..., Any]:
        """The same of a family of iterations."""
        experiment, also = self.experiment, self.along

        def row(numbers: Any, swept: Any, *inputs: Any) -> Any:
            def at(*values: Any) -> Any:
                here = swept | {q.name: v for q, v in zip(also, values, strict=True)}
                start = experiment.start(numbers, here, also=also)
                return experiment.iteration(numbers, here, also=also), start

            return f(at, *inputs)

        return self._compiled(f"{iterated(experiment)} along {also} {name}", row)

    def _compiled(self, key: str, row: Callable[..., Any]) -> Callable[..., Any]:
        import jax

        experiment = self.experiment
        numbers = jax.tree.map(self._typed, experiment.numbers())
        rows = _program(key, row)

        def run(cells: np.ndarray, *inputs: Any) -> Any:
            """Piece by piece, the last row again where there are too few."""
            count = len(cells)
            width = next((width for width in WIDTHS if count <= width), WIDTHS[-1])
            swept = jax.tree.map(self._typed, self._swept(cells))
            pieces = []
            with device.entered(experiment.device):
                for first in range(0, count, width):
                    places = np.minimum(np.arange(first, first + width), count - 1)
                    piece = jax.tree.map(lambda a, p=places: np.asarray(a)[p], (swept, *inputs))
                    pieces.append(jax.tree.map(np.asarray, rows(numbers, places, *piece)))
            return jax.tree.map(lambda *parts: np.concatenate(parts)[:count], *pieces)

        return run

    def read(self, name: str, cell: int) -> np.ndarray:
        """[starts, ...] a result of the loop at one cell of the parameter axes."""
        at = iter(np.unravel_index(cell, self.shape) if self.shape else ())
        grid = self.experiment.grid
        index = tuple(slice(None) if axis.starts else int(next(at)) for axis in grid)
        values = self._read(name, index)
        inner = values.shape[sum(axis.starts for axis in grid) :]
        return values.reshape(self.starts, *inner)

    def _typed(self, value: Any) -> np.ndarray:
        return typed(self.experiment, value)

    def _swept(self, cells: np.ndarray) -> dict[str, np.ndarray]:
        grid: tuple[Axis, ...] = self.experiment.grid
        at = iter(np.unravel_index(cells, self.shape) if self.shape else ())
        own = parameters(grid, _names(self.experiment, self.along))
        places = [next(at) if axis in own else np.zeros(len(cells), int) for axis in grid]
        flat = np.ravel_multi_index(places, shape(grid)) if grid else np.zeros(len(cells), int)
        return columns(grid, flat)


def _names(experiment: Experiment, along: tuple[Quantity, ...]) -> set[str]:
    """The axes that sweep some quantities."""
    return {axis.name for axis in experiment.grid if set(axis.quantities) & set(along)}


def _program(key: str, row: Callable[..., Any]) -> Callable[..., Any]:
    """(numbers, places [k], what is swept [k], *inputs [k, ...]) -> outputs [k, ...], kept."""
    import jax

    def rows(numbers: Any, places: Any, swept: Any, *inputs: Any) -> Any:
        # Where there are neither axes nor inputs, the places alone say how many rows.
        return jax.vmap(lambda _, *inputs: row(numbers, *inputs))(places, swept, *inputs)

    with _LOCK:
        if key not in _PROGRAMS:
            _PROGRAMS[key] = jax.jit(rows)
        _PROGRAMS.move_to_end(key)
        while len(_PROGRAMS) > _MOST_PROGRAMS:
            _PROGRAMS.popitem(last=False)
        return _PROGRAMS[key]


def searched(experiment: Experiment, read: Read) -> dict[str, np.ndarray]:
    """{variable: its whole array} of all searches, from what the loop has found."""
    found, grid = {}, experiment.grid
    order = [k for k, axis in enumerate(grid) if not axis.starts]
    order += [k for k, axis in enumerate(grid) if axis.starts]
    for search in experiment.searches():
        bench = Bench(experiment, read, search.along)
        results = search.find(bench)
        for variable in search.variables:
            kind = experiment.device.real if variable.dtype == "float" else variable.dtype
            values = np.asarray(results[variable.name], kind)
            if variable.axes == "parameters":
                sides = shape(parameters(grid, variable.without))
                found[variable.name] = values.reshape((*sides, *variable.shape))
                continue
            sides = [grid[k].size for k in order]
            whole = values.reshape((*sides, *variable.shape))
            found[variable.name] = np.moveaxis(whole, range(len(order)), order)
    return found
