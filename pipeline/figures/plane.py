"""Any one number over a plane of two axes, and beneath it how the cells settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import regime, scalar, scale, status_map, style, title, words
from pipeline.figures.view import Axis, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CATEGORIES = 12
SETTLED = ("period", "regime")
# Fixed colours for what is not a result.
COLOURS = {"escaped": "#D0D0D0", "unresolved": "#999999"}
# Share of the page's width that the panel has beside its ordinate and the colour scale.
ACROSS = 0.76


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if len(seen.axes) < 2:
        return "it needs two axes"
    if not _surfaces(seen):
        return "it needs a number for each cell of a plane"
    return ""


def suits(seen: View) -> bool:
    """Whether there is more to show than how cells ended."""
    return _surfaces(seen)[0] not in scalar.LAST


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The first result that has a number for each cell of a plane; periods in a panel of theirs."""
    variable = seen.data[_surfaces(seen)[0]]
    axes = tuple(a for a in seen.axes if a.name in variable.dims)
    x, y, pick = status_map.plane(View(seen.data, seen.document, axes, seen.series))
    alone = variable.name in SETTLED
    both = not alone and ax is None and regime.held(seen, axes)
    page = style.sheet(look, rows=1 + both, ratio=_ratio(x, y), ax=ax, share=both)
    first, last = page.panels[0], page.panels[-1]
    if alone:
        handles = regime.paint(first, seen, pick, x, y)
    else:
        handles = _surface(page, first, seen, variable, pick, x, y)
    if both:
        settled = regime.paint(last, seen, pick, x, y)
        known = {handle.get_label() for handle in settled}
        handles = settled + [handle for handle in handles if handle.get_label() not in known]
    for panel in page.panels:
        status_map.frame(page, panel, seen, x, y)
    if both:
        first.set_xlabel("")
    style.legend(page, handles)
    title.write(page, seen, words.at(axes, pick))
    return page.figure


def _surfaces(seen: View) -> list[str]:
    """The candidates over two axes or more."""
    grid = {a.name for a in seen.axes}
    return [n for n in scalar.candidates(seen) if len(grid & set(map(str, seen.data[n].dims))) > 1]


def _ratio(x: Axis, y: Axis) -> float:
    """Height of a panel over the page's width: the plane's own where its scales are equal."""
    if not status_map.equal(x, y):
        return 0.75
    return ACROSS * float(np.ptp(y.values) / np.ptp(x.values)) + 0.09


def _surface(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    variable: xr.DataArray,
    pick: dict[str, int],
    x: Axis,
    y: Axis,
) -> list[Any]:
    """Paint a variable, of a further dimension the first entry; the legend's handles."""
    index = {str(d): 0 for d in variable.dims if d not in (x.name, y.name)} | pick
    part = variable.isel(index).transpose(y.name, x.name)
    name = str(variable.name)
    known = status_map.meanings(variable)
    if known or (_counts(name) and np.unique(part.values).size <= MOST_CATEGORIES):
        colours = status_map.COLOURS if name == "status" else COLOURS
        known = known or _sentinels(seen, name)
        return status_map.categories(page, ax, part, x, y, known, colours)
    return scale.paint(page, ax, seen, variable, index, x, y)


def _counts(name: str) -> bool:
    """Whether neighbouring whole numbers are different things rather than more and less."""
    return name.endswith(("basin", "period", "kind", "attractor"))


def _sentinels(seen: View, name: str) -> dict[int, str]:
    """What an integer result's special values mean; an attractor with its period."""
    if name != "basin":
        return {}
    meaning = {-1: "escaped", -2: "unresolved"}
    periods = seen.data.get("attractor_period")
    if periods is not None and periods.dims == ("attractor",):
        found = [int(p) for p in periods.values if np.isfinite(p)]
        meaning |= {i: f"attractor {i}, period {p}" for i, p in enumerate(found) if p > 0}
    return meaning
