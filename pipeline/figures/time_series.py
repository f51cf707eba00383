"""Time series: each component against the iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import raster, space_time, style, title, view, words
from pipeline.figures.bifurcation import circle
from pipeline.figures.view import Series, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 8
MOST_PANELS = 4
SHORT = 120
# The strokes of a longer chaotic orbit fill the picture; its points still show structure.
MOST_JOINED = 400
# More steps than these in a line are a black bar: the picture shows the last of them.
LONGEST = 2000


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    return "" if seen.orbits else "it needs analysis=orbit"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """A panel for each component; lines for few cells, a band for many.

    A vector of more entries than lines can show is drawn in space and time.
    """
    inner = seen.orbits[0].inner
    if inner and seen.data.sizes[inner] > MOST_LINES:
        return space_time.draw(seen, look, ax)
    shown = seen.orbits[: MOST_PANELS if ax is None else 1]
    page = style.sheet(
        look, rows=len(shown), ratio=0.55 if len(shown) == 1 else 0.34, ax=ax, share=True
    )
    handles: list[Any] = []
    steps = seen.data["iteration"].values if "iteration" in seen.data.coords else None
    total = seen.data.sizes["iteration"]
    window = _window(seen, shown, total)
    steps = np.arange(total)[window] if steps is None else steps[window]
    for panel, series in zip(page.panels, shown, strict=True):
        handles = _panel(page, panel, seen, series, steps, window) or handles
        style.ordinate(page, panel, words.label(seen, series.name))
        whole = raster.margins(steps) if steps.size <= SHORT else steps[[0, -1]]
        panel.set_xlim(float(whole[0]), float(whole[-1]))
    style.whole(page.panels[-1])
    style.abscissa(page, page.panels[-1], _steps(seen))
    style.legend(page, handles)
    title.write(page, seen, _note(window, total))
    return page.figure


def _window(seen: View, shown: tuple[Series, ...], total: int) -> slice:
    """The steps to draw: up to where everything has settled, or the last of a long orbit."""
    if total > 1 and seen.cells * total <= raster.CHUNK:
        settled = 0
        for series in shown:
            values, gone = lines(seen, series, slice(0, total))
            kept = values[~gone].reshape(-1, total)
            if not kept.size:
                continue
            low, high = raster.limits(np.fmin.reduce(kept, axis=1), np.fmax.reduce(kept, axis=1))
            moving = np.abs(kept - kept[:, -1:]) > 1e-3 * (high - low)
            settled = max(settled, int(np.flatnonzero(moving.any(axis=0)).max(initial=0)))
        if 2 * settled < total:
            return slice(0, min(total, max(20, int(1.4 * settled) + 2)))
    return slice(max(0, total - LONGEST), total)


def _note(window: slice, total: int) -> str:
    """Which of the steps are drawn, where that is not all."""
    if window.stop < total:
        return f"first {window.stop} of {total} steps; nothing moves after them"
    return f"last {total - window.start} of {total} steps" if window.start else ""


def _steps(seen: View) -> str:
    name = (
        seen.data["iteration"].attrs.get("long_name", "iteration")
        if "iteration" in seen.data.coords
        else "iteration"
    )
    return f"{words.plain(str(name))} $n$"


def lines(seen: View, series: Series, window: slice) -> tuple[np.ndarray, np.ndarray]:
    """[cells, entries, n] states with their cells flattened, NaN where lost; bool[cells] lost."""
    states = seen.data[series.name].isel(iteration=window)
    grid = [a.name for a in seen.axes if a.name in states.dims]
    inner = [series.inner] if series.inner and series.inner in states.dims else []
    values = states.transpose(*grid, *inner, "iteration").values
    size = values.shape[len(grid) + len(inner) :][0]
    entries = values.shape[len(grid)] if inner else 1
    values = values.reshape(-1, entries, size).astype(float)
    gone = view.lost(seen)
    gone = gone.transpose(*grid).values.ravel() if grid else np.atleast_1d(gone.values)
    values[~np.isfinite(values)] = np.nan
    if series.modulus is not None:
        values = np.mod(values, series.modulus)
    return values, gone


def names(seen: View) -> list[str]:
    """What each cell is called: the values of its axes."""
    if not seen.axes:
        return [""]
    places = np.ndindex(*[a.values.size for a in seen.axes])
    index = ({a.name: i for a, i in zip(seen.axes, p, strict=True)} for p in places)
    return [words.at(seen.axes, i) for i in index]


def _panel(
    page: style.Sheet, ax: Axes, seen: View, series: Series, steps: np.ndarray, window: slice
) -> list[Any]:
    """Draw one component; the legend's handles."""
    if seen.cells > 4 * MOST_LINES:
        return _band(page, ax, seen, series, steps, window)
    values, gone = lines(seen, series, window)
    cells = view.evenly(values.shape[0], MOST_LINES)
    labels = names(seen)
    kept = values[cells][~gone[cells]]
    low, high = raster.limits(
        np.fmin.reduce(kept, axis=2), np.fmax.reduce(kept, axis=2), margin=0.06
    )
    many = cells.size * values.shape[1]
    shades = style.colours(many)
    handles = []
    for i, c in enumerate(cells):
        for entry in range(values.shape[1]):
            (line,) = ax.plot(
                steps,
                values[c, entry],
                color=shades[i * values.shape[1] + entry],
                linestyle="-" if steps.size <= MOST_JOINED else "none",
                linewidth=0.7 * page.look.line,
                marker="o" if not SHORT < steps.size <= MOST_JOINED else "",
                markersize=page.look.marker * (0.75 if steps.size <= SHORT else 0.35),
                markeredgewidth=0,
            )
            which = f"entry {entry}" if values.shape[1] > 1 else ""
            name = ", ".join(part for part in (labels[c], which) if part)
            if gone[c]:
                line.set(color=style.GREY, zorder=1.5, label="escaped")
            else:
                line.set_label(name)
            handles.append(line)
    ax.set_ylim(low, high)
    if series.modulus is not None:
        circle(ax, "y", series.modulus)
    seen_once = {handle.get_label(): handle for handle in reversed(handles)}
    return list(seen_once.values())[::-1] if many > 1 or gone.any() else []


def _band(
    page: style.Sheet, ax: Axes, seen: View, series: Series, steps: np.ndarray, window: slice
) -> list[Any]:
    """The spread over the cells that stayed: median, middle half, middle nine tenths."""
    states = seen.data[series.name].isel(iteration=window)
    grid = [a for a in seen.axes if a.name in states.dims]
    # A thousand cells settle every quantile drawn here to a few per cent.
    each = max(1, int(np.ceil((seen.cells / 2000) ** (1 / len(grid)))))
    thin = {a.name: slice(None, None, each) for a in grid}
    states, gone = states.isel(thin), view.lost(seen).isel(thin)
    flat = states.transpose(*[a.name for a in grid], ...).values
    flat = flat.reshape(-1, *flat.shape[len(grid) :]).astype(float)
    kept = flat[~gone.transpose(*[a.name for a in grid]).values.ravel()]
    kept = kept.reshape(-1, steps.size) if kept.size else np.full((1, steps.size), np.nan)
    kept = np.where(np.isfinite(kept), kept, np.nan)
    spread = np.full((5, steps.size), np.nan)
    some = np.isfinite(kept).any(axis=0)
    spread[:, some] = np.nanquantile(kept[:, some], [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    outer = ax.fill_between(
        steps, spread[0], spread[4], color="#C9DDF0", linewidth=0, label="5 to 95 % of cells"
    )
    half = ax.fill_between(
        steps, spread[1], spread[3], color="#7FB2DA", linewidth=0, label="25 to 75 % of cells"
    )
    (median,) = ax.plot(steps, spread[2], color=style.INK, linewidth=page.look.line, label="median")
    ax.set_ylim(*raster.limits(spread[0], spread[4], margin=0.06))
    return [median, half, outer]
