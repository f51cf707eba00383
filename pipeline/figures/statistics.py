"""Statistics against one axis: mean, standard deviation and range of each component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import raster, style, title, view, words
from pipeline.figures.view import Axis, View, section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 3


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if not _quantities(seen):
        return "it needs analysis=statistics of components that are no vectors"
    if len(seen.axes) != 1:
        return "it needs exactly one axis"
    return ""


def suits(seen: View) -> bool:
    """Whether no other analysis has asked for a number of its own."""
    return not {"lyapunov", "rotation_number"} & set(seen.data.data_vars)


def _quantities(seen: View) -> list[tuple[str, ...]]:
    """(quantity, names of its mean, standard deviation, minimum and maximum)."""
    found = []
    for name in section(seen.iterated, "initial"):
        for part in ("", "_re", "_im"):
            names = tuple(f"{name}_{suffix}{part}" for suffix in ("mean", "std", "min", "max"))
            grid = {axis.name for axis in seen.axes}
            if all(n in seen.data and set(seen.data[n].dims) <= grid for n in names):
                found.append((f"{name}{part}", *names))
    return found


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """A panel for each component."""
    axis = seen.axes[0]
    shown = _quantities(seen)[: MOST_PANELS if ax is None else 1]
    page = style.sheet(
        look, rows=len(shown), ratio=0.62 if len(shown) == 1 else 0.4, ax=ax, share=True
    )
    handles: list[Any] = []
    for panel, (quantity, *names) in zip(page.panels, shown, strict=True):
        handles = _panel(page, panel, seen, axis, names)
        style.ordinate(page, panel, words.symbol(quantity))
    style.abscissa(page, page.panels[-1], words.label(seen, axis.name))
    style.legend(page, handles)
    title.write(page, seen)
    return page.figure


def _panel(page: style.Sheet, ax: Axes, seen: View, axis: Axis, names: list[str]) -> list[Any]:
    """Bands of the range and of one standard deviation, and the mean; the legend's handles."""
    from matplotlib.patches import Patch

    order = np.argsort(axis.values, kind="stable")
    x, gone = axis.values[order], view.lost(seen).values
    mean, std, low, high = (seen.data[n].values.astype(float)[order] for n in names)
    few = x.size <= 60
    handles = [
        ax.fill_between(x, low, high, color="#D6E6F2", linewidth=0, label="minimum to maximum"),
        ax.fill_between(
            x, mean - std, mean + std, color=style.PALETTE[5], linewidth=0,
            label="one standard deviation",
        ),
        *ax.plot(
            x, mean, color=style.INK, linewidth=page.look.line, label="mean",
            marker="o" if few else "", markersize=0.8 * page.look.marker,
        ),
    ]  # fmt: skip
    if gone.any():
        raster.shade(ax, axis.values, gone, log=axis.log)
        handles.append(
            Patch(facecolor=style.SHADE, edgecolor=style.GREY, linewidth=0.5, label="escaped")
        )
    if axis.log:
        style.logarithmic(ax, axis.values.tolist())
    ax.set_xlim(
        *map(float, raster.margins(x, log=axis.log)) if few else (float(x[0]), float(x[-1]))
    )
    ax.set_ylim(*raster.limits(np.fmin(low, mean - std), np.fmax(high, mean + std)))
    return handles
