"""What is followed: the quantity along which branches go, and its range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline import grid
from pipeline.analyses.analysis import Subject
from pipeline.grid import Axis, Quantity

# Names that a message lists.
LISTED = 12


class Followed(NamedTuple):
    """The parameter of branches.

    Attributes:
        axis: that sweeps it, None where none does.
        low, high: its range.
    """

    quantity: Quantity
    axis: Axis | None
    low: float
    high: float


class Unfit(ValueError):
    """A setting does not suit: its key, and the end of the error's sentence."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key, self.reason = key, reason


def followed(subject: Subject, settings: Mapping[str, Any]) -> Followed:
    """The quantity that settings name, or the only one there is.

    Raises:
        Unfit: there is none, or it has no range.
    """
    return _followed(subject, settings, ("parameter", "low", "high"))


def besides(subject: Subject, settings: Mapping[str, Any], first: Followed) -> Followed:
    """The second quantity, of curves in two.

    Raises:
        Unfit: there is none, it has no range, or no values at which bifurcations are sought.
    """
    keys = ("second", "second_low", "second_high")
    found = _followed(subject, settings, keys, first.quantity)
    if found.quantity == first.quantity:
        raise Unfit("second", f"{first.quantity.name} is analysis.continuation.parameter already")
    if found.axis is None and found.quantity.target == "setting":
        name = found.quantity.name
        advice = f"grid.{name.rpartition('.')[2]}={{of: {name}, values: [...]}}"
        raise Unfit("second", f"expected an axis of {name}, on whose values curves begin: {advice}")
    values = lines(subject, found)
    if not np.any((values >= found.low) & (values <= found.high)):
        own = ", ".join(f"{value:g}" for value in values[:LISTED])
        reason = f"the range of {found.quantity.name}, {found.low:g} to {found.high:g}"
        raise Unfit("second", f"expected its own value, {own}, in {reason}: curves begin there")
    return found


def lines(subject: Subject, second: Followed) -> np.ndarray:
    """[k] The values of the second quantity at which bifurcations are sought."""
    if second.axis is not None:
        return second.axis.values[:, 0]
    quantity = second.quantity
    value = subject.problem.parameters[quantity.key][quantity.index]
    return np.array([np.imag(value) if quantity.part == "im" else np.real(value)], float)


def _followed(
    subject: Subject,
    settings: Mapping[str, Any],
    keys: tuple[str, str, str],
    but: Quantity | None = None,
) -> Followed:
    """What the settings of three keys say; `but` is no candidate where they name none."""
    named, at_low, at_high = keys
    name, low, high = (settings[key] for key in keys)
    quantity, axis = _named(subject, name, named) if name else _only(subject, named, but)
    if axis is not None and len(axis.quantities) > 1:
        others = ", ".join(q.name for q in axis.quantities)
        raise Unfit(named, f"grid.{axis.name} sweeps {others} together; follow one alone")
    if quantity.starts:
        raise Unfit(named, f"{quantity.name} is a start, on which no cycle depends")
    if axis is not None:
        low = float(axis.values.min()) if low is None else low
        high = float(axis.values.max()) if high is None else high
    for key, value in ((at_low, low), (at_high, high)):
        if value is None:
            advice = f"or an axis grid.{quantity.name}, whose range it would be"
            raise Unfit(key, f"expected the end of the range of {quantity.name}, {advice}")
    if not low < high:
        raise Unfit(at_low, f"expected {at_low} < {at_high} = {high:g}")
    if quantity.target == "setting":
        setting = subject.solver.settings[quantity.key]
        least = -math.inf if setting.low is None else setting.low
        most = math.inf if setting.high is None else setting.high
        if low < least or (setting.above and low == least) or high > most:
            raise Unfit(at_low, f"{quantity.name} takes {setting.expected}")
    return Followed(quantity, axis, float(low), float(high))


def _named(subject: Subject, name: str, key: str) -> tuple[Quantity, Axis | None]:
    axes = {axis.name: axis for axis in subject.grid}
    if name in axes:
        return axes[name].quantities[0], axes[name]
    swept = {q: axis for axis in subject.grid for q in axis.quantities}
    problem = subject.problem
    quantity = grid.find(name, problem.parameters, problem.components)
    settings = {f"solver.{key}": key for key, s in subject.solver.settings.items() if s.swept}
    if quantity is None and name in settings:
        quantity = Quantity(name, "setting", settings[name])
    if quantity is None:
        known = [*axes, *_scalars(subject), *settings]
        listed = ", ".join(dict.fromkeys(known[:LISTED])) or "none"
        raise Unfit(key, f"no quantity has the name {name} (known: {listed})")
    return quantity, swept.get(quantity)


def _only(subject: Subject, key: str, but: Quantity | None) -> tuple[Quantity, Axis | None]:
    """The only parameter axis, or the only parameter, but one."""
    axes = [a for a in grid.parameters(subject.grid) if but not in a.quantities]
    if len(axes) == 1:
        return axes[0].quantities[0], axes[0]
    own = [name for name in _scalars(subject) if but is None or name != but.name]
    names = [axis.name for axis in axes] or own
    if not names:
        raise Unfit(key, f"there is no parameter{f' besides {but.name}' if but else ''} to follow")
    if len(names) > 1:
        listed = ", ".join(names[:LISTED])
        raise Unfit(key, f"expected the name of the one to follow (known: {listed})")
    return _named(subject, names[0], key)


def _scalars(subject: Subject) -> list[str]:
    return [
        quantity.name
        for key, value in subject.problem.parameters.items()
        if value.size <= LISTED
        for quantity in grid.entries("parameter", key, value.shape, np.iscomplexobj(value))
    ]
