"""Curves of bifurcations in the plane of two parameters, by their period and their type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import raster, style, title, words
from pipeline.figures.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# {meaning of the code: (dashes, label)}.
LINES = {
    "fold": ("-", "fold"),
    "flip": ((0, (5, 2)), "flip"),
    "neimark_sacker": ((0, (1, 1.2)), "Neimark-Sacker"),
}
PARAMETERS = ("parameter", "second")
# {meaning of the code: what its curve passes where the coefficient changes its sign}.
DEGENERATE = {"fold": ("o", "cusp")}
OTHERWISE = ("s", "coefficient 0")


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    return "" if "curve_second" in seen.data else "it needs analysis=bifurcation_curves"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The first parameter is the abscissa."""
    held = set(map(str, seen.data["curve_parameter"].dims))
    others = [axis for axis in seen.parameters if axis.name in held]
    cut = {axis.name: axis.values.size // 2 for axis in others}
    data = seen.data.isel(cut)
    page = style.sheet(look, ratio=0.72, ax=ax)
    panel = page.panels[0]
    handles = _curves(page, panel, data)
    names = [str(data[f"curve_{own}"].attrs.get("quantity", own)) for own in PARAMETERS]
    for own, axis in zip(PARAMETERS, (panel.set_xlim, panel.set_ylim), strict=True):
        values = data[f"curve_{own}"].values
        values = values[np.isfinite(values)]
        axis(*raster.limits(values, values, margin=0.02))
    if not handles:
        panel.set(xticks=[], yticks=[])
        panel.text(0.5, 0.5, "no curves", ha="center", transform=panel.transAxes, **page.text)
    style.abscissa(page, panel, _label(names[0]))
    style.ordinate(page, panel, _label(names[1]))
    style.legend(page, handles, columns=6)
    title.write(page, seen, words.at(others, cut))
    return page.figure


def _label(name: str) -> str:
    return name.replace(".", " ") if "." in name else f"parameter {words.symbol(name)}"


def _curves(page: style.Sheet, ax: Axes, data: Any) -> list[Any]:
    """Lines and marks; the legend's handles."""
    from matplotlib.lines import Line2D

    kinds = data["curve_type"]
    meanings = str(kinds.attrs["flag_meanings"]).split()
    codes = dict(zip(np.asarray(kinds.attrs["flag_values"]).tolist(), meanings, strict=True))
    periods = data["curve_period"].values
    found = np.unique(periods[periods > 0]).tolist()
    palette = dict(zip(found, style.colours(len(found)), strict=True))
    types: dict[str, Any] = {}
    marks: dict[str, Any] = {}
    for k in np.flatnonzero(periods > 0):
        name, count = codes[int(kinds.values[k])], int(data["curve_points"].values[k])
        x, y = (data[f"curve_{own}"].values[k, :count] for own in PARAMETERS)
        dashes, label = LINES[name]
        colour = palette[int(periods[k])]
        ax.plot(x, y, color=colour, linestyle=dashes, linewidth=1.3 * page.look.line, zorder=3)
        types[label] = dashes
        marker, said = DEGENERATE.get(name, OTHERWISE)
        places = _zeros(data["curve_coefficient"].values[k, :count])
        for i, part in places:
            point = [(1 - part) * v[i] + part * v[i + 1] for v in (x, y)]
            marks[said] = marker
            ax.plot(*point, linestyle="none", marker=marker, markersize=1.1 * page.look.marker,
                    markerfacecolor="white", markeredgecolor=colour, zorder=5,
                    markeredgewidth=0.9 * page.look.line)  # fmt: skip
    line = page.look.line
    handles = [
        Line2D([], [], color=colour, linewidth=2 * line, label=f"period {period}")
        for period, colour in palette.items()
    ]
    for label, dashes in types.items():
        shown = Line2D([], [], color=style.FRAME, linewidth=1.3 * line, label=label)
        shown.set_linestyle(dashes)
        handles.append(shown)
    return handles + [
        Line2D([], [], linestyle="none", marker=marker, markerfacecolor="white",
               markeredgecolor=style.FRAME, label=label)
        for label, marker in marks.items()
    ]  # fmt: skip


def _zeros(values: np.ndarray) -> list[tuple[int, float]]:
    """(i, part) where values change their sign between i and i + 1, and not by way of infinity."""
    found, sizes = [], np.abs(values)
    for i in np.flatnonzero(values[:-1] * values[1:] < 0):
        here, after = values[i], values[i + 1]
        beside = [sizes[k] for k in (i - 1, i + 2) if 0 <= k < len(values)]
        # Towards infinity the two would be larger than those beside them.
        if max(abs(here), abs(after)) <= max(beside, default=np.inf):
            found.append((int(i), float(here / (here - after))))
    return found
