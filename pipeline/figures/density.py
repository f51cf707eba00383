"""Density of the states that orbits visit: a histogram's outline, or an image of the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import status_map, style, title, view, words
from pipeline.figures.bifurcation import circle
from pipeline.figures.time_series import names
from pipeline.figures.view import Axis, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 7


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if "density" not in seen.data:
        return "it needs analysis=density"
    if len(_bins(seen)) not in (1, 2):
        return "it draws densities over one component or two"
    return ""


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """Outlines for a few cells over one component; the first cell's image over two."""
    bins = _bins(seen)
    page = style.sheet(look, ratio=0.62 if len(bins) == 1 else 0.8, ax=ax)
    panel = page.panels[0]
    note = (
        _outlines(page, panel, seen, bins[0]) if len(bins) == 1 else _image(page, panel, seen, bins)
    )
    for which, axis in zip("xy", bins, strict=False):
        for series in seen.series:
            if f"{series.name}_bin" == axis.name and series.modulus is not None:
                circle(panel, which, series.modulus)
    title.write(page, seen, note)
    return page.figure


def _bins(seen: View) -> list[Axis]:
    """The components' ranges, as axes of bin centres."""
    grid = {a.name for a in seen.axes}
    found = []
    for dim in map(str, seen.data["density"].dims):
        if dim not in grid:
            size = seen.data.sizes[dim]
            values = seen.data[dim].values if dim in seen.data.coords else np.arange(size)
            found.append(Axis(dim, values.astype(float), False, True))
    return found


def _label(seen: View, axis: Axis) -> str:
    return words.symbol(axis.name.removesuffix("_bin"))


def _outlines(page: style.Sheet, ax: Axes, seen: View, bins: Axis) -> str:
    """Steps for each of a few cells."""
    from matplotlib.lines import Line2D

    grid = [a.name for a in seen.axes]
    table = seen.data["density"].transpose(*grid, bins.name).values.astype(float)
    table = table.reshape(-1, bins.values.size)
    cells = view.evenly(table.shape[0], MOST_LINES)
    edges = status_map.borders(bins)
    handles: list[Any] = []
    for colour, c in zip(style.colours(cells.size), cells, strict=True):
        shown = np.where(np.isfinite(table[c]), table[c], 0.0)
        ax.stairs(shown, edges, color=colour, linewidth=0.8 * page.look.line, fill=False)
        handles.append(Line2D([], [], color=colour, label=names(seen)[c]))
    ax.set_xlim(float(edges[0]), float(edges[-1]))
    finite = table[cells][np.isfinite(table[cells])]
    top = float(finite.max(initial=0.0)) or 1.0
    # An integrable singularity, such as the logistic map's at its ends, is cut off.
    usual = float(np.quantile(finite[finite > 0], 0.99)) if np.any(finite > 0) else top
    ax.set_ylim(0, 1.08 * min(top, 3 * usual))
    style.abscissa(page, ax, _label(seen, bins))
    style.ordinate(page, ax, words.label(seen, "density"))
    style.legend(page, handles if cells.size > 1 else [])
    return ""


def _image(page: style.Sheet, ax: Axes, seen: View, bins: list[Axis]) -> str:
    """The logarithm of the density over two components."""
    from matplotlib.colors import LogNorm

    x, y = bins
    index = view.first(seen)
    values = view.cell(seen, index)["density"].transpose(y.name, x.name).values.astype(float)
    shown = np.ma.masked_where(~(values > 0), values)
    high = float(shown.max()) if shown.count() else 1.0
    low = max(float(shown.min()) if shown.count() else 0.1, high * 1e-4)
    norm = LogNorm(low, max(high, 1.001 * low))
    image = status_map.lay(ax, shown, x, y, cmap=style.ink(), norm=norm)
    style.colorbar(page, image, ax, words.label(seen, "density"))
    style.abscissa(page, ax, _label(seen, x))
    style.ordinate(page, ax, _label(seen, y))
    return words.at(seen.axes, index)
