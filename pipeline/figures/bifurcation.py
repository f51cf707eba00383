"""Bifurcation diagram: the states an orbit visits, against the parameter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import curve, raster, style, title, view, words
from pipeline.figures.view import Axis, Series, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Below so many values a raster would be a row of bars: draw the points themselves.
FEWEST_COLUMNS = 40
MOST_PANELS = 4
MOST_POINTS = 200_000


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if not seen.orbits:
        return "it needs analysis=orbit"
    if not seen.parameters:
        return "it needs a parameter axis"
    if seen.orbits[0].inner:
        return "a vector component has no single value to draw"
    return ""


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The first component's states against the longest parameter axis.

    Starts are overlaid; of further parameter axes a few values get a panel each.
    """
    series = seen.orbits[0]
    axis = max(seen.parameters, key=lambda a: a.values.size)
    others = [a for a in seen.parameters if a is not axis]
    picks = _picks(others, 1 if ax is not None else MOST_PANELS)
    exponents = _exponents(seen, axis) if ax is None else None
    rows = 2 if len(picks) > 2 or exponents is not None else 1
    page = style.sheet(
        look,
        rows=rows,
        columns=-(-len(picks) // 2) if len(picks) > 2 else len(picks),
        wide=len(picks) > 1,
        ratio=0.62 if len(picks) == 1 else 0.75,
        ax=ax,
        share=exponents is not None,
        heights=(1.0, 0.5) if exponents is not None else (),
    )
    if exponents is None:
        for spare in page.panels[len(picks) :]:
            spare.remove()
    handles: list[Any] = []
    for panel, pick in zip(page.panels, picks, strict=False):
        handles = _panel(page, panel, seen, series, axis, pick) or handles
        style.abscissa(page, panel, words.label(seen, axis.name))
        style.ordinate(page, panel, words.label(seen, series.name))
        if pick and page.own:
            style.tag(page, panel, words.at(others, pick))
    if exponents is not None:
        below = curve.lines(page, page.panels[1], seen, exponents, axis)
        known = {handle.get_label() for handle in handles}
        handles = handles + [handle for handle in below if handle.get_label() not in known]
        page.panels[0].set_xlabel("")
        page.panels[1].set_xlim(page.panels[0].get_xlim())
        page.figure.align_ylabels(page.panels)
    style.legend(page, handles)
    title.write(page, seen)
    return page.figure


def _exponents(seen: View, axis: Axis) -> xr.DataArray | None:
    """The Lyapunov exponents over the same axis, for a panel beneath."""
    found = seen.data.get("lyapunov")
    alone = found is not None and set(found.dims) <= {axis.name, "exponent"}
    return found if alone and len(seen.axes) == 1 else None


def _picks(others: list[Axis], most: int) -> list[dict[str, int]]:
    """The values of further axes that get a panel."""
    if not others:
        return [{}]
    longest = max(others, key=lambda a: a.values.size)
    fixed = {a.name: a.values.size // 2 for a in others if a is not longest}
    size = longest.values.size
    chosen = view.evenly(size, most) if most > 1 else [0]
    return [{longest.name: int(i), **fixed} for i in chosen]


def _panel(
    page: style.Sheet, ax: Axes, seen: View, series: Series, axis: Axis, pick: dict[str, int]
) -> list[Any]:
    """Draw one diagram; the legend's handles for what is not self-evident."""
    states = seen.data[series.name].isel(pick)
    gone = view.lost(seen).isel(pick)
    rest = [d for d in states.dims if d != axis.name]
    states = states.transpose(axis.name, *rest)
    gone = gone.transpose(axis.name, *[d for d in rest if d in gone.dims])
    low, high = _extent(states, gone, series)
    if axis.values.size < FEWEST_COLUMNS:
        borders = _points(page, ax, axis, states, gone, series)
    else:
        borders = _density(page, ax, axis, states, gone, series, (low, high))
    if axis.log:
        style.logarithmic(ax, axis.values.tolist())
    ax.set_xlim(borders[0], borders[-1])
    ax.set_ylim(low, high)
    if series.modulus is not None:
        circle(ax, "y", series.modulus)
    table = gone.values.reshape(axis.values.size, -1)
    return _escaped(ax, axis, np.asarray(table.all(axis=1)))


def _blocks(
    states: xr.DataArray, gone: xr.DataArray, series: Series
) -> Iterator[tuple[slice, np.ndarray]]:
    """Slices of the axis with their states [c, n], NaN where the cell escaped.

    A block at a time: an archive larger than the memory stays on disk.
    """
    each = max(1, int(np.prod(states.shape[1:])))
    step = max(1, raster.CHUNK // each)
    for begin in range(0, states.shape[0], step):
        piece = slice(begin, begin + step)
        part = np.asarray(states[piece].values)
        part = part.astype(np.result_type(part.dtype, np.float32), copy=True)
        mask = gone[piece].values
        part[
            np.broadcast_to(mask.reshape(mask.shape + (1,) * (part.ndim - mask.ndim)), part.shape)
        ] = np.nan
        part[~np.isfinite(part)] = np.nan
        if series.modulus is not None:
            part = np.mod(part, series.modulus)
        yield piece, part.reshape(part.shape[0], -1)


def _extent(states: xr.DataArray, gone: xr.DataArray, series: Series) -> tuple[float, float]:
    """Limits of the ordinate: the circle, or what the cells that stayed visit."""
    if series.modulus is not None:
        return 0.0, series.modulus
    lows, highs = [], []
    for _, part in _blocks(states, gone, series):
        lows.append(np.fmin.reduce(part, axis=1))
        highs.append(np.fmax.reduce(part, axis=1))
    return raster.limits(np.concatenate(lows), np.concatenate(highs))


def _density(
    page: style.Sheet,
    ax: Axes,
    axis: Axis,
    states: xr.DataArray,
    gone: xr.DataArray,
    series: Series,
    bounds: tuple[float, float],
) -> np.ndarray:
    """Paint the raster; the borders of its columns."""
    width, height = pixels(page, ax)
    columns = raster.columns(axis.values, log=axis.log, most=width)
    number = columns.members.size
    blocks = ((columns.of[piece], part) for piece, part in _blocks(states, gone, series))
    low, high = bounds
    counts = raster.count(blocks, width=number, height=height, low=low, high=high)
    tone = raster.tones(counts, counts.sum(axis=0) / height, thicken=True)
    raster.paint(ax, columns.edges, np.linspace(low, high, height + 1), tone, log=axis.log)
    return columns.edges


def _points(
    page: style.Sheet,
    ax: Axes,
    axis: Axis,
    states: xr.DataArray,
    gone: xr.DataArray,
    series: Series,
) -> np.ndarray:
    """Draw the states of few values as points; borders with a margin."""
    each = max(1, MOST_POINTS // axis.values.size)
    for piece, part in _blocks(states, gone, series):
        kept = part[:, -each:]
        faint = float(np.clip(30 / kept.shape[1] ** 0.5, 0.15, 1.0))
        ax.plot(
            np.repeat(axis.values[piece], kept.shape[1]),
            kept.ravel(),
            linestyle="none",
            marker="o",
            markersize=0.7 * page.look.marker,
            markeredgewidth=0,
            color=style.INK,
            alpha=faint,
            rasterized=kept.size > 5000,
        )
    return raster.margins(axis.values, log=axis.log)


def _escaped(ax: Axes, axis: Axis, gone: np.ndarray) -> list[Any]:
    """Shade the values at which every orbit escaped."""
    if not gone.any():
        return []
    from matplotlib.patches import Patch

    if axis.values.size < FEWEST_COLUMNS:
        ax.plot(
            axis.values[gone],
            np.full(gone.sum(), 0.98),
            transform=ax.get_xaxis_transform(),
            linestyle="none",
            marker="v",
            markersize=4,
            color=style.GREY,
        )
    else:
        raster.shade(ax, axis.values, gone, log=axis.log)
    return [Patch(facecolor=style.SHADE, edgecolor=style.GREY, linewidth=0.5, label="escaped")]


def pixels(page: style.Sheet, ax: Axes, finest: float = 0.3) -> tuple[int, int]:
    """A raster's size for axes: about one cell a pixel of the figure as it is saved.

    Args:
        finest: smallest cell, in points.
    """
    box = ax.get_position()
    # In print, a line of one cell must not be finer than a hairline.
    each = max(72 / page.look.dpi, finest)
    width = box.width * page.figure.get_figwidth() * 72 / each
    height = box.height * page.figure.get_figheight() * 72 / each
    return int(np.clip(width, 200, 2400)), int(np.clip(height, 150, 1200))


def circle(ax: Axes, which: str, modulus: float) -> None:
    """Exact limits for a component on a circle, with ticks in units of π where it is 2π."""
    turn = np.isclose(modulus, 2 * np.pi, rtol=1e-6)
    shown = getattr(ax, f"set_{which}lim")
    shown(0, modulus)
    if turn:
        places = [0, np.pi / 2, np.pi, 3 * np.pi / 2, 2 * np.pi]
        names = ["$0$", r"$\pi/2$", r"$\pi$", r"$3\pi/2$", r"$2\pi$"]
        getattr(ax, f"set_{which}ticks")(places, names)
