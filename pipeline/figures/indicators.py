"""Indicators of chaos over one axis, each in a panel of its own, one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import curve, style, title, words
from pipeline.figures.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From the top: what one reads off each is told by the one at the top.
INDICATORS = (
    "lyapunov", "zero_one", "gali", "sali", "determinism", "recurrence_rate",
    "correlation_dimension", "expansion_entropy",
)  # fmt: skip
MOST_PANELS = 4
# Alignment indices fall to rounding, and then to nothing.
LOWEST = 1e-17
LOGARITHMIC = ("gali", "sali")
SHORT = {
    "zero_one": "0-1 test, $K$",
    "gali": "GALI",
    "sali": "SALI",
    "recurrence_rate": "recurrence rate",
    "determinism": "determinism",
}


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    found = _found(seen)
    if len(found) < 2 or found == ["gali", "sali"]:
        return "it needs two of lyapunov, zero_one, gali, recurrence, correlation_dimension, ..."
    return ""


def _found(seen: View) -> list[str]:
    """Those that are there, over one axis and no dimension of many entries."""
    grid = {a.name for a in seen.axes}
    return [
        name
        for name in INDICATORS
        if name in seen.data
        and len(grid & set(map(str, seen.data[name].dims))) == 1
        and set(seen.data[name].dims) <= grid | {"exponent"}
    ]


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The first of them, with one abscissa."""
    shown = [name for name in _found(seen) if name != "sali" or "gali" not in seen.data]
    shown = shown[: MOST_PANELS if ax is None else 1]
    page = style.sheet(look, rows=len(shown), ratio=0.32, ax=ax, share=True)
    handles: list[Any] = []
    for panel, name in zip(page.panels, shown, strict=True):
        variable = seen.data[name]
        if "exponent" in variable.dims:
            # The largest alone says whether there is chaos.
            variable = variable.isel(exponent=0)
        if name in LOGARITHMIC:
            variable = variable.where(~(variable <= LOWEST), LOWEST)
        (axis,) = [a for a in seen.axes if a.name in variable.dims]
        handles += curve.lines(page, panel, seen, variable, axis)
        if name == "zero_one":
            panel.set_ylim(-0.1, 1.1)
        if name in LOGARITHMIC:
            panel.set_yscale("log")
            panel.set_ylim(LOWEST, 10)
        style.ordinate(page, panel, SHORT.get(name) or words.label(seen, name))
    for panel in page.panels[:-1]:
        panel.set_xlabel("")
    style.legend(page, list({h.get_label(): h for h in handles}.values()))
    title.write(page, seen)
    return page.figure


def suits(seen: View) -> bool:
    """Whether more was asked for than exponents."""
    return bool(np.any([name in seen.data for name in INDICATORS[1:]]))
