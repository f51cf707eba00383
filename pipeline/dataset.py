"""The dataset: every variable's name, shape, type and labels, known before anything is computed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.arrays import Dimension, Variable, flags
from pipeline.experiment import Experiment
from pipeline.grid import Axis, Grid, Quantity, parameters, shape
from pipeline.status import Status

if TYPE_CHECKING:
    import xarray

Block = tuple[int, int, Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Entry:
    """One variable of the file; a coordinate has its values already.

    Attributes:
        late: whether it is computed as a whole, after the blocks.
    """

    name: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    attributes: Mapping[str, Any]
    values: np.ndarray | None = None
    late: bool = False

    @property
    def bytes(self) -> int:
        """Of its values."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, eq=False)
class Template:
    """A dataset without its results.

    Attributes:
        grid: the sizes of the leading dimensions of every variable.
        sizes: {dimension: size}.
    """

    grid: tuple[int, ...]
    sizes: Mapping[str, int]
    coordinates: tuple[Entry, ...]
    variables: tuple[Entry, ...]
    attributes: Mapping[str, str]

    @property
    def bytes(self) -> int:
        """Of all values."""
        return sum(entry.bytes for entry in (*self.coordinates, *self.variables))

    @property
    def cell_bytes(self) -> int:
        """Of the results of one cell."""
        own = (math.prod(e.shape[len(self.grid) :]) * e.dtype.itemsize for e in self.early)
        return sum(own)

    @property
    def early(self) -> tuple[Entry, ...]:
        """The variables that blocks bring."""
        return tuple(entry for entry in self.variables if not entry.late)

    @property
    def late(self) -> tuple[Entry, ...]:
        """The variables that come as a whole, after the blocks."""
        return tuple(entry for entry in self.variables if entry.late)


def template(experiment: Experiment) -> Template:
    """The dataset that the experiment will fill."""
    real = np.dtype(experiment.device.real)
    grid = experiment.grid
    names, sizes = tuple(axis.name for axis in grid), shape(grid)
    status = Variable("status", (), "int8", "how the cell ended", attributes=flags(Status))
    variables: list[Variable] = [status]
    for fold in experiment.folds():
        variables += [*fold.finished, *fold.recorded]
    late = [variable for search in experiment.searches() for variable in search.variables]
    own = {d.name: d for v in [*variables, *late] for d in v.dimensions}
    coordinates = [entry for axis in experiment.grid for entry in _axis(axis, real)]
    coordinates += [_coordinate(d) for d in own.values() if d.values is not None]
    return Template(
        grid=sizes,
        sizes=dict(zip(names, sizes, strict=True)) | {d.name: d.size for d in own.values()},
        coordinates=tuple(coordinates),
        variables=tuple(_entry(v, grid, real, late=v in late) for v in [*variables, *late]),
        attributes=_attributes(experiment),
    )


def _entry(variable: Variable, grid: Grid, real: np.dtype, *, late: bool) -> Entry:
    axes = grid if variable.axes == "grid" else parameters(grid, variable.without)
    return Entry(
        variable.name,
        (*(axis.name for axis in axes), *(d.name for d in variable.dimensions)),
        (*shape(axes), *variable.shape),
        real if variable.dtype == "float" else np.dtype(variable.dtype),
        {"long_name": variable.long_name, "units": variable.units, **variable.attributes},
        late=late,
    )


def _coordinate(d: Dimension) -> Entry:
    labels = {"long_name": d.long_name or d.name, "units": d.units, **d.attributes}
    assert d.values is not None
    return Entry(d.name, (d.name,), (d.size,), d.values.dtype, labels, d.values)


def _axis(axis: Axis, real: np.dtype) -> Iterator[Entry]:
    """The coordinate of an axis; a count where it sweeps several quantities, theirs beside it."""
    values = axis.values.astype(real)
    dimension, size = (axis.name,), (axis.size,)
    if len(axis.quantities) == 1:
        labels = {**_labels(axis.quantities[0]), "axis_scale": axis.scale}
        yield Entry(axis.name, dimension, size, real, labels, values[:, 0])
        return
    labels = {"long_name": f"index along {axis.name}", "units": "1"}
    count = np.arange(axis.size, dtype=np.int64)
    yield Entry(axis.name, dimension, size, count.dtype, labels, count)
    for k, quantity in enumerate(axis.quantities):
        name = quantity.name.replace(".", "_")
        yield Entry(name, dimension, size, real, _labels(quantity), values[:, k])


def _labels(quantity: Quantity) -> dict[str, str]:
    entry = "".join(f"[{i}]" for i in quantity.index)
    part = {"": "", "re": "real part of ", "im": "imaginary part of "}[quantity.part]
    meaning = {
        "parameter": f"parameter {quantity.key}{entry}",
        "initial": f"initial value of {quantity.key}{entry}",
        "free": f"{quantity.key} in the formula of the initial state",
        "setting": f"setting {quantity.key} of the solver",
    }[quantity.target]
    return {"long_name": part + meaning, "units": "1", "quantity": quantity.name}


def _attributes(experiment: Experiment) -> dict[str, str]:
    problem, function = experiment.problem, experiment.function
    but = f" but the Python function {function.name}," if function else ""
    return {
        "Conventions": "CF-1.13",
        "title": f"{experiment.name}: the {problem.group} {problem.name}, "
        f"solver {experiment.solver.name}",
        "references": problem.reference or "none",
        "comment": "Dimensions in the order of the document's grid; the document itself, with "
        f"all that is needed{but} to compute the file again, is in the group /provenance.",
    }


def count(
    counts: dict[str, Counter[str]], layout: Template, results: Mapping[str, np.ndarray]
) -> None:
    """Add the cells of each code, of what has one code for each cell."""
    axes = set(list(layout.sizes)[: len(layout.grid)])
    for entry in layout.variables:
        if "flag_meanings" in entry.attributes and entry.name in results:
            if not set(entry.dimensions) <= axes:
                continue
            meanings = entry.attributes["flag_meanings"].split()
            codes = np.bincount(np.ravel(results[entry.name]), minlength=len(meanings)).tolist()
            found = {m: n for m, n in zip(meanings, codes, strict=True) if n}
            counts.setdefault(entry.name, Counter()).update(found)


def fill(template: Template, blocks: Iterable[Block]) -> dict[str, np.ndarray]:
    """{variable: array} in memory, of those that blocks of cells bring."""
    count = math.prod(template.grid)
    own = {e.name: e.shape[len(template.grid) :] for e in template.early}
    flat: dict[str, np.ndarray] = {}
    for first, last, results in blocks:
        for e in template.early:
            values = np.asarray(results[e.name])
            if last - first == count and values.dtype == e.dtype and values.flags.writeable:
                # One block is the whole.
                flat[e.name] = values
                continue
            if e.name not in flat:
                flat[e.name] = np.empty((count, *own[e.name]), e.dtype)
            flat[e.name][first:last] = values
    return {e.name: flat[e.name].reshape(e.shape) for e in template.early}


def assemble(template: Template, arrays: Mapping[str, np.ndarray]) -> xarray.Dataset:
    """The labelled dataset of the arrays."""
    import xarray

    def labelled(entry: Entry, values: np.ndarray) -> xarray.Variable:
        return xarray.Variable(entry.dimensions, values, dict(entry.attributes))

    return xarray.Dataset(
        {entry.name: labelled(entry, arrays[entry.name]) for entry in template.variables},
        {e.name: labelled(e, e.values) for e in template.coordinates if e.values is not None},
        dict(template.attributes),
    )
