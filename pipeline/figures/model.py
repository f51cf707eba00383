"""The document's formulas as numpy functions: what curves, contours and fixed points need."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import expressions
from pipeline.errors import CobwebError
from pipeline.figures.view import View, cell, number, residuals, section

if TYPE_CHECKING:
    import xarray as xr

# What a formula from a document may raise when numpy evaluates it.
FAULTS = (CobwebError, ArithmeticError, ValueError, TypeError, KeyError, IndexError, RecursionError)


@dataclass(frozen=True)
class Model:
    """A map's equations, or an objective's expression, at one cell of the grid.

    Attributes:
        components: names of the state's parts.
        formulas: {name: function of a dictionary of values}; `f` for an objective.
        definitions: in the order of evaluation.
        values: the parameters.
    """

    components: tuple[str, ...]
    formulas: Mapping[str, Callable[..., Any]]
    definitions: Mapping[str, Callable[..., Any]]
    values: Mapping[str, Any]

    def __call__(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Each formula's value at a state."""
        known = {**self.values, **state, "n": 0}
        first = np.asarray(state[self.components[0]])
        known["size"] = first.shape[0] if first.ndim else 1
        with np.errstate(all="ignore"):
            for name, formula in self.definitions.items():
                known[name] = formula(known, xp=np)
            return {name: formula(known, xp=np) for name, formula in self.formulas.items()}


def at(view: View, index: Mapping[str, int]) -> Model | None:
    """The model at a cell; None where the document has none that can be evaluated."""
    iterated = view.iterated
    parameters = {}
    for name, given in section(iterated, "parameters").items():
        held = _array(given)
        if held is None:
            return None
        parameters[str(name)] = held
    try:
        _override(parameters, cell(view, index))
        components = tuple(
            str(n) for n in section(iterated, "equations") or section(iterated, "initial")
        )
        names = [*components, *parameters, "size", "n"]
        definitions = {}
        for name, text in section(iterated, "definitions").items():
            definitions[str(name)] = expressions.compile(str(text), names)
            names.append(str(name))
        formulas: dict[str, Callable[..., Any]] = {
            str(n): expressions.compile(str(t), names)
            for n, t in section(iterated, "equations").items()
        }
        formulas = formulas or {"f": _objective(iterated, names)}
    except FAULTS:
        return None
    return Model(components, formulas, definitions, parameters) if components else None


def _objective(iterated: Mapping[str, Any], names: list[str]) -> Callable[..., Any]:
    """An objective's formula, or the sum of the squares of its residuals."""
    given = residuals(iterated)
    if not given:
        return expressions.compile(str(iterated["expression"]), names)
    compiled = [expressions.compile(text, names) for text in given]
    return lambda known, xp: sum(np.sum(formula(known, xp=xp) ** 2) for formula in compiled)


def _array(given: Any) -> Any:
    """A parameter's number or array; None for one that is generated."""
    single = number(given)
    if single is not None:
        return single
    if isinstance(given, list) and given:
        entries = [_array(entry) for entry in given]
        if all(entry is not None for entry in entries):
            try:
                return np.array(entries)
            except ValueError:
                return None
    return None


def _override(parameters: dict[str, Any], data: xr.Dataset) -> None:
    """Replace parameters by the values of the cell's axes, entries of arrays included."""
    for key, coordinate in data.coords.items():
        if coordinate.ndim or not np.issubdtype(coordinate.dtype, np.number):
            continue
        name, held = str(key), coordinate.item()
        if name in parameters:
            parameters[name] = held
            continue
        part = re.fullmatch(r"(.+)_(re|im)", name)
        if part and part[1] in parameters:
            old = complex(parameters[part[1]])
            parameters[part[1]] = (
                complex(held, old.imag) if part[2] == "re" else complex(old.real, held)
            )
            continue
        entry = re.fullmatch(r"(.+?)((?:_\d+)+)", name)
        if entry and entry[1] in parameters:
            array = np.array(parameters[entry[1]])
            array[tuple(int(i) for i in entry[2].split("_")[1:])] = held
            parameters[entry[1]] = array


def scalar(view: View, index: Mapping[str, int]) -> Callable[[np.ndarray], np.ndarray] | None:
    """The step of a one-component real map at a cell, over arrays of x; None where it is none."""
    return equation(view, index) if view.solver == "direct" else None


def equation(view: View, index: Mapping[str, int]) -> Callable[[np.ndarray], np.ndarray] | None:
    """g of a one-component real map, whatever solver seeks its fixed points; None for others."""
    if "map" not in view.document:
        return None
    model = at(view, index)
    if model is None or len(model.components) != 1:
        return None
    only = model.components[0]

    def g(x: np.ndarray) -> np.ndarray:
        found = np.asarray(model({only: x})[only])
        if np.iscomplexobj(found):
            raise ValueError("a complex map has no curve")
        return np.broadcast_to(found, np.shape(x)).astype(float)

    try:
        g(np.array([0.1, 0.2]))
    except FAULTS:
        return None
    return g


def formula(
    view: View, index: Mapping[str, int], text: str, name: str
) -> Callable[[np.ndarray], np.ndarray] | None:
    """A formula of the parameters and one component, over arrays of that; None where it is none."""
    found = at(view, index)
    if found is None or name not in found.components:
        return None
    try:
        compiled = expressions.compile(text, [name, *found.values])
    except FAULTS:
        return None

    def curve(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            values = np.real(compiled({**found.values, name: x}, xp=np))
        return np.broadcast_to(values, x.shape).astype(float)

    try:
        # At a single point, where no array of the formula's own fits.
        curve(np.array(0.1))
    except FAULTS:
        return None
    return curve


def surface(
    view: View, index: Mapping[str, int], x: np.ndarray, y: np.ndarray
) -> np.ndarray | None:
    """[y, x] An objective of two real state dimensions; None where it has not two."""
    model = at(view, index)
    if model is None or "f" not in model.formulas:
        return None
    u, v = np.meshgrid(x, y)
    try:
        if len(model.components) == 2 and not residuals(view.iterated):
            first, second = model.components
            found = np.asarray(model({first: u, second: v})["f"])
            return np.broadcast_to(found, u.shape).astype(float)
        # Sums over entries (of a vector, of residuals) are taken at one point at a time.
        points = np.stack([u.ravel(), v.ravel()], axis=1)
        return np.array([float(model(_state(model, p))["f"]) for p in points]).reshape(u.shape)
    except FAULTS:
        return None


def _state(model: Model, point: np.ndarray) -> dict[str, Any]:
    """A point of the plane as two components, or as one vector."""
    if len(model.components) == 2:
        return dict(zip(model.components, point, strict=True))
    return {model.components[0]: point}


def fixed_points(
    g: Callable[[np.ndarray], np.ndarray], low: float, high: float, *, level: float | None = None
) -> np.ndarray:
    """Roots of g(x) - x between low and high, increasing; of g(x) - level where one is given."""
    x = np.linspace(low, high, 4001)

    def gap(at: np.ndarray) -> np.ndarray:
        return g(at) - (at if level is None else level)

    h = gap(x)
    with np.errstate(invalid="ignore"):
        place = np.flatnonzero((np.sign(h[:-1]) * np.sign(h[1:]) < 0) & np.isfinite(h[:-1] * h[1:]))
        exact = x[h == 0]
    left, right = x[place], x[place + 1]
    sign = np.sign(h[place])
    # 60 halvings of a four-thousandth of the range reach the last bit of a double.
    for _ in range(60):
        middle = (left + right) / 2
        same = np.sign(gap(middle)) == sign
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    roots = np.concatenate([exact, (left + right) / 2])
    # A pole changes sign without a root.
    roots = roots[np.abs(gap(roots)) <= 1e-6 * (high - low)] if roots.size else roots
    roots = np.sort(roots)
    keep = np.concatenate([[True], np.diff(roots) > 1e-9 * (high - low)]) if roots.size else []
    return roots[np.asarray(keep, dtype=bool)]


def multiplier(g: Callable[[np.ndarray], np.ndarray], x: np.ndarray, scale: float) -> np.ndarray:
    """g'(x) by central differences."""
    h = 1e-6 * scale
    return (g(x + h) - g(x - h)) / (2 * h)
