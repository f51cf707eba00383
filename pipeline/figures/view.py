"""What a figure needs to know about a dataset: its axes, components and orbits, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import expressions, notation
from pipeline.errors import CobwebError
from pipeline.status import Status

if TYPE_CHECKING:
    import xarray as xr

# Documents come with archives from strangers: a longer one is not worth a title.
LONGEST_DOCUMENT = 4_000_000
LOST = (Status.escaped, Status.unbounded_objective, Status.job_failed)
# What holds the values of quantities that are followed.
FOLLOWED = ("branch_parameter", "curve_second")
INNER = re.compile(
    r"iteration|step_number|exponent|window|record|attractor|attractor_point|cycle|cycle_point"
    r"|manifold|manifold_point|branch|point|branch_cycle_point|bifurcation|cascade|doubling"
    r"|curve|curve_point|multiplier|.*_dim|.*_bin|lag|frequency|correlation_radius|expansion_step"
)


@dataclass(frozen=True)
class Axis:
    """One swept dimension.

    Attributes:
        values: [c] its numbers; 0, 1, ... where the dataset holds none.
        log: whether it was spaced geometrically.
        start: whether it sweeps nothing but initial values.
        quantities: what it sweeps, as the document names it.
    """

    name: str
    values: np.ndarray
    log: bool
    start: bool
    quantities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """A real quantity that an orbit records: a component, or the part of a complex one.

    Attributes:
        name: of the variable on `iteration`.
        final: of the variable that holds the state after the last step.
        inner: the dimension of a vector component, or None.
        modulus: circumference of the circle it lives on, or None.
    """

    name: str
    final: str
    inner: str | None
    modulus: float | None
    complex: bool = False


@dataclass(frozen=True)
class View:
    """A dataset with its document: what every kind of figure reads."""

    data: xr.Dataset
    document: Mapping[str, Any]
    axes: tuple[Axis, ...]
    series: tuple[Series, ...]

    @property
    def parameters(self) -> tuple[Axis, ...]:
        """The parameter axes."""
        return tuple(axis for axis in self.axes if not axis.start)

    @property
    def starts(self) -> tuple[Axis, ...]:
        """The start axes."""
        return tuple(axis for axis in self.axes if axis.start)

    @property
    def orbits(self) -> tuple[Series, ...]:
        """The series of which successive states are recorded."""
        return tuple(
            s for s in self.series if s.name in self.data and "iteration" in self.data[s.name].dims
        )

    @property
    def swept(self) -> frozenset[str]:
        """The parameters, settings and starts that axes, branches and curves go along."""
        followed = [self.data[name] for name in FOLLOWED if name in self.data]
        every = {q for axis in self.axes for q in axis.quantities}
        every |= {str(variable.attrs.get("quantity", "")) for variable in followed}
        every = {q.removeprefix("solver.") for q in every}
        return frozenset(every | {re.sub(r"((_\d+)+)?(_(re|im))?$", "", name) for name in every})

    @property
    def cells(self) -> int:
        """How many grid cells there are."""
        return int(np.prod([axis.values.size for axis in self.axes], dtype=np.int64))

    @property
    def iterated(self) -> Mapping[str, Any]:
        """The document's map or objective; empty without a document."""
        return section(self.document, "map") or section(self.document, "objective")

    @property
    def solver(self) -> str:
        """The solver's name; direct where the document says none."""
        return str(section(self.document, "solver").get("name", "direct"))


def section(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping under a key, or an empty one."""
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}


def residuals(iterated: Mapping[str, Any]) -> list[str]:
    """The formulas of an objective's residuals; empty where it has an expression instead."""
    given = iterated.get("residuals") or []
    return [str(text) for text in (given if isinstance(given, list) else [given])]


def document(data: xr.Dataset) -> Mapping[str, Any]:
    """The document in the attributes; empty where there is none or it cannot be read.

    A picture of the numbers is worth having without it, so nothing is raised.
    """
    text = data.attrs.get("document")
    if not isinstance(text, str) or len(text) > LONGEST_DOCUMENT:
        return {}
    try:
        found = notation.read(text)
    except notation.Fault:
        return {}
    return found if isinstance(found, Mapping) else {}


def number(value: Any) -> complex | float | None:
    """A number, or the value of constant formula text such as 2*pi; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | complex):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
        try:
            return expressions.constant(value)
        except (CobwebError, ArithmeticError, ValueError, TypeError):
            return None
    return None


def read(data: xr.Dataset) -> View:
    """Sort a dataset's dimensions and variables into axes, components and their orbits.

    Raises:
        CobwebError: it holds several jobs.
    """
    _alone(data)
    found = document(data)
    names = _components(data, found)
    declared = section(found, "grid")
    dims = [str(d) for d in data.dims]
    swept = [d for d in dims if d in declared] if declared else []
    swept = swept or [d for d in dims if not INNER.fullmatch(d)]
    order = list(declared)
    swept.sort(key=lambda d: order.index(d) if d in order else dims.index(d))
    axes = tuple(_axis(data, found, names, d) for d in swept)
    return View(data, found, axes, tuple(s for n in names for s in _series(data, found, n)))


def _alone(data: xr.Dataset) -> None:
    """Refuse what a sweep has joined: each job has a document, and so a picture, of its own."""
    job = data.data_vars.get("job")
    joined = job.dims if job is not None and job.dtype.kind == "i" else ()
    labels = [
        d for d in data.dims if d in joined or (d in data.coords and data[d].dtype.kind in "OSUT")
    ]
    if labels:
        one = ", ".join(
            f"{d}={data[d].values.tolist()[0]!r}"
            for d in labels
            if d in data.coords and data.sizes[d]
        )
        raise CobwebError(
            f"figure: several jobs, told apart by {', '.join(map(str, labels))}; choose one, "
            f"such as ds.sel({one}), or draw each with `python -m pipeline figure FILE`."
        )


def _components(data: xr.Dataset, found: Mapping[str, Any]) -> list[str]:
    """The state's components, in the document's order, or as the variables suggest."""
    iterated = section(found, "map") or section(found, "objective")
    names = list(section(iterated, "equations")) or list(section(iterated, "initial"))
    present = [n for n in map(str, names) if any(_variables(data, n))]
    if present:
        return present
    guesses: dict[str, None] = {}
    for key, variable in data.data_vars.items():
        name = str(key)
        if "iteration" in variable.dims or re.search("_final(_re|_im)?$", name):
            base = re.sub("(_final)?(_re|_im)?$", "", name)
            if base not in ("objective", "residual_norm"):
                guesses[base] = None
    return list(guesses)


def _variables(data: xr.Dataset, name: str) -> tuple[list[str], list[str]]:
    """The variables that hold a component's orbit, and its final state."""
    orbit = [n for n in (name, f"{name}_re", f"{name}_im") if n in data.data_vars]
    final = [f"{name}_final", f"{name}_final_re", f"{name}_final_im"]
    return orbit, [n for n in final if n in data.data_vars]


def _series(data: xr.Dataset, found: Mapping[str, Any], name: str) -> list[Series]:
    """The real series of a component: one, or the two parts of a complex one."""
    orbit, final = _variables(data, name)
    inner = f"{name}_dim" if f"{name}_dim" in data.dims else None
    modulus = number(section(section(found, "map"), "modulus").get(name))
    circle = float(modulus.real) if modulus is not None and modulus.real > 0 else None
    parts = ("_re", "_im") if any(n.endswith(("_re", "_im")) for n in orbit + final) else ("",)
    return [Series(name + p, f"{name}_final{p}", inner, circle, p != "") for p in parts]


def _axis(data: xr.Dataset, found: Mapping[str, Any], names: list[str], dim: str) -> Axis:
    """One swept dimension, with what the document says about it."""
    size = data.sizes[dim]
    held = data.coords[dim].values if dim in data.coords else None
    numeric = held is not None and np.issubdtype(held.dtype, np.number)
    values = np.asarray(held, dtype=float) if numeric else np.arange(size, dtype=float)
    entry = section(found, "grid").get(dim)
    entry = entry if isinstance(entry, Mapping) else {}
    of = entry.get("of", dim)
    quantities = [str(q) for q in of] if isinstance(of, list) else [str(of)]
    log = entry.get("scale") == "log" if entry else _geometric(values)
    start = all(_is_start(found, names, quantity) for quantity in quantities)
    log = bool(log and values.min(initial=1.0) > 0)
    return Axis(dim, values, log, start, tuple(quantities))


def _geometric(values: np.ndarray) -> bool:
    """Whether values have one ratio and span more than a decade."""
    if values.size < 3 or not np.all(values > 0) or not np.all(np.isfinite(values)):
        return False
    ratios = values[1:] / values[:-1]
    return bool(np.ptp(ratios) < 1e-6 * ratios[0] and abs(np.log10(values[-1] / values[0])) > 1)


def _is_start(found: Mapping[str, Any], names: list[str], quantity: str) -> bool:
    """Whether a quantity is the initial value of a component, or only a start's formula uses it."""
    iterated = section(found, "map") or section(found, "objective")
    if quantity in section(iterated, "parameters") or quantity.startswith("solver."):
        return False
    # Components of which nothing is recorded have starts too.
    known = {*names, *map(str, section(iterated, "initial"))}
    if any(re.fullmatch(rf"{re.escape(n)}0(_\d+)*(_re|_im)?", quantity) for n in known):
        return True
    formulas = " ".join(str(v) for v in section(iterated, "initial").values())
    return re.search(rf"\b{re.escape(re.sub('_(re|im)$', '', quantity))}\b", formulas) is not None


def cell(view: View, index: Mapping[str, int]) -> xr.Dataset:
    """The dataset at one cell of the grid."""
    return view.data.isel({axis.name: index.get(axis.name, 0) for axis in view.axes})


def lost(view: View) -> xr.DataArray:
    """bool[grid] True where a cell escaped or failed: never part of a picture's limits."""
    if "status" in view.data:
        return view.data["status"].isin([int(code) for code in LOST])
    shape = {axis.name: axis.values.size for axis in view.axes}
    import xarray as xr

    return xr.DataArray(np.zeros(tuple(shape.values()), bool), dims=tuple(shape))


def first(view: View) -> dict[str, int]:
    """Index of the first cell that was not lost; of the very first where all were."""
    if not view.axes:
        return {}
    kept = np.argwhere(~lost(view).transpose(*[axis.name for axis in view.axes]).values)
    place = kept[0] if len(kept) else np.zeros(len(view.axes), int)
    return {axis.name: int(i) for axis, i in zip(view.axes, place, strict=True)}


def evenly(size: int, most: int) -> np.ndarray:
    """At most so many indices, spread over 0 … size-1 with both ends."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))
