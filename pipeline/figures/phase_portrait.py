"""Phase portrait: the states of an orbit in the plane of two components."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import raster, style, title, view, words
from pipeline.figures.bifurcation import circle, pixels
from pipeline.figures.time_series import names
from pipeline.figures.view import Series, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 20_000
MOST_COLOURS = 12
# With fewer points a part enlarged would be a few dots.
MANY = 500_000
# Side of the enlarged part over that of the whole.
PART = 0.12
# A density needs no more: each raster cell already holds hundreds.
ENOUGH = 20_000_000


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if len(_planes(seen)) == 0:
        return "it needs the orbit (analysis=orbit) of two real components, or of a complex one"
    return ""


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """A panel for each pair of components; of a parameter axis, a few of its values."""
    planes = _planes(seen)[: 3 if ax is None else 1]
    picks = _picks(seen, 1 if ax is not None or len(planes) > 1 else 4)
    number = len(planes) * len(picks)
    if number == 1 and ax is None and _fine(seen):
        return _enlarged(seen, look, picks[0], *planes[0])
    rows = 2 if number == 4 else 1
    page = style.sheet(
        look,
        rows=rows,
        columns=number // rows,
        ratio=0.8 if number == 1 else 1.0,
        wide=number > 1,
        ax=ax,
    )
    handles: list[Any] = []
    jobs = [(pick, plane) for pick in picks for plane in planes]
    for panel, (pick, (first, second)) in zip(page.panels, jobs, strict=True):
        handles = _panel(page, panel, seen, pick, first, second) or handles
        style.abscissa(page, panel, _label(seen, first))
        style.ordinate(page, panel, _label(seen, second))
        if len(picks) > 1:
            style.tag(page, panel, words.at(seen.axes, pick))
    style.legend(page, handles)
    title.write(page, seen, words.at(seen.axes, picks[0]) if len(picks) == 1 else "")
    return page.figure


Quantity = tuple[Series, int | None]
Box = tuple[float, float, float, float]


def _fine(seen: View) -> bool:
    """Whether one orbit has the points to show a part of it enlarged."""
    flat = all(series.modulus is None for series in seen.orbits)
    return flat and seen.cells == 1 and seen.data.sizes["iteration"] >= MANY


def _enlarged(
    seen: View, look: style.Look, pick: dict[str, int], first: Quantity, second: Quantity
) -> Figure:
    """The orbit, and beneath it the part with the most structure in a frame of its own colour."""
    from matplotlib.patches import Rectangle

    page = style.sheet(look, rows=2, ratio=0.62)
    whole, part = page.panels
    handles = _panel(page, whole, seen, pick, first, second)
    whole.set_box_aspect(None)
    for panel in page.panels:
        style.abscissa(page, panel, _label(seen, first))
        style.ordinate(page, panel, _label(seen, second))
    x, gone = _flat(seen, pick, first)
    y, _ = _flat(seen, pick, second)
    if gone.all():
        part.remove()
    else:
        left, right, low, high = box = _richest(x, y, (*whole.get_xlim(), *whole.get_ylim()))
        _density(page, part, seen, x, y, box, None)
        # Of the whole's shape, as it is PART of both of its sides.
        part.set_aspect(whole.get_aspect(), adjustable="box")
        part.set_xlim(left, right)
        part.set_ylim(low, high)
        colour, width = style.PALETTE[1], page.look.line
        frame = Rectangle((left, low), right - left, high - low, fill=False)
        frame.set(edgecolor=colour, linewidth=width)
        whole.add_patch(frame)
        for spine in part.spines.values():
            spine.set(edgecolor=colour, linewidth=width)
    page.figure.align_ylabels(page.panels)
    style.legend(page, handles)
    title.write(page, seen, words.at(seen.axes, pick))
    return page.figure


def _richest(x: np.ndarray, y: np.ndarray, box: Box) -> Box:
    """The part of a box, `PART` of each side, in which the points fill most of a fine raster."""
    left, right, low, high = box
    fine = 400
    side = int(PART * fine)
    filled = np.zeros((fine + 1, fine + 1), int)
    filled[1:, 1:] = np.cumsum(np.cumsum(raster.plane(x, y, box, fine, fine) > 0, axis=0), axis=1)
    inside = filled[side:, side:] - filled[:-side, side:] - filled[side:, :-side]
    row, column = divmod(int(np.argmax(inside + filled[:-side, :-side])), fine + 1 - side)
    across, up = (right - left) / fine, (high - low) / fine
    return (
        left + column * across,
        left + (column + side) * across,
        low + row * up,
        low + (row + side) * up,
    )


def _planes(seen: View) -> list[tuple[Quantity, Quantity]]:
    """The pairs of real quantities, at most those of the first three."""
    held: list[Quantity] = []
    for series in seen.orbits:
        if series.inner and series.inner in seen.data[series.name].dims:
            held += [(series, i) for i in range(min(3, seen.data.sizes[series.inner]))]
        else:
            held.append((series, None))
    return list(combinations(held[:3], 2))


def _label(seen: View, quantity: Quantity) -> str:
    series, entry = quantity
    if entry is None:
        return words.label(seen, series.name)
    return f"{words.symbol(series.name)[:-1]}_{{{entry}}}$"


def _picks(seen: View, most: int) -> list[dict[str, int]]:
    """The parameter values that get a panel: spread over the longest axis, the middle of others."""
    axes = sorted(seen.parameters, key=lambda a: -a.values.size)
    if not axes:
        return [{}]
    fixed = {a.name: a.values.size // 2 for a in axes[1:]}
    size = axes[0].values.size
    chosen = view.evenly(size, most if size != 3 else 2) if most > 1 else [size // 2]
    return [{axes[0].name: int(i), **fixed} for i in chosen]


def _flat(seen: View, pick: dict[str, int], quantity: Quantity) -> tuple[np.ndarray, np.ndarray]:
    """[starts, n] states; bool[starts] lost. Long orbits of many starts are cut to their end."""
    series, entry = quantity
    states = seen.data[series.name].isel(pick)
    if entry is not None:
        states = states.isel({series.inner: entry})
    grid = [a.name for a in seen.starts if a.name in states.dims]
    cells = max(1, int(np.prod([states.sizes[d] for d in grid])))
    keep = max(1, ENOUGH // cells)
    values = states.isel(iteration=slice(-keep, None)).transpose(*grid, "iteration").values
    values = values.reshape(cells, -1).astype(float)
    gone = view.lost(seen).isel(pick)
    gone = gone.transpose(*grid).values.ravel() if grid else np.atleast_1d(gone.values)
    if series.modulus is not None:
        with np.errstate(invalid="ignore"):
            values = np.mod(values, series.modulus)
    return values, gone


def _panel(
    page: style.Sheet, ax: Axes, seen: View, pick: dict[str, int], first: Quantity, second: Quantity
) -> list[Any]:
    """Draw one plane; the legend's handles."""
    x, gone = _flat(seen, pick, first)
    y, _ = _flat(seen, pick, second)
    kept_x, kept_y = x[~gone], y[~gone]
    box = []
    for (series, _), part in ((first, kept_x), (second, kept_y)):
        if series.modulus is not None:
            box += [0.0, series.modulus]
        else:
            clean = np.where(np.isfinite(part), part, np.nan)
            box += raster.limits(
                np.fmin.reduce(clean, axis=1), np.fmax.reduce(clean, axis=1), margin=0.05
            )
    handles: list[Any] = []
    starts = x.shape[0]
    if (
        1 < starts <= MOST_COLOURS
        and not seen.cells > MOST_COLOURS * max(1, len(seen.parameters)) * 50
    ):
        handles = _orbits(page, ax, seen, x, y, gone, _places(kept_x, kept_y, box))
    elif kept_x.size > MOST_POINTS:
        exponents = _exponents(seen, pick)
        known = None if exponents is None else exponents[~gone]
        _density(page, ax, seen, kept_x, kept_y, (box[0], box[1], box[2], box[3]), known)
    else:
        _dots(page, ax, kept_x.ravel(), kept_y.ravel(), style.INK, _places(kept_x, kept_y, box))
    ax.set_xlim(box[0], box[1])
    ax.set_ylim(box[2], box[3])
    ratio = (box[3] - box[2]) / (box[1] - box[0])
    if 1 / 3 < ratio < 3 and page.own:
        ax.set_aspect("equal", adjustable="box")
    elif page.own and len(page.panels) > 1:
        ax.set_box_aspect(1)
    for which, (series, _) in (("x", first), ("y", second)):
        if series.modulus is not None:
            circle(ax, which, series.modulus)
    return handles


def _exponents(seen: View, pick: dict[str, int]) -> np.ndarray | None:
    """[starts] the largest Lyapunov exponent from each start; None where it is not known."""
    found = seen.data.get("lyapunov")
    grid = [a.name for a in seen.starts]
    if found is None or not grid or set(found.dims) - {"exponent"} != {a.name for a in seen.axes}:
        return None
    largest = found.isel(pick).isel({d: 0 for d in found.dims if d == "exponent"})
    return np.asarray(largest.transpose(*grid).values, dtype=float).ravel()


def _density(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    x: np.ndarray,
    y: np.ndarray,
    box: Box,
    exponents: np.ndarray | None,
) -> None:
    """Darker where the orbits are more often; with exponents, coloured by their mean."""
    width, height = pixels(page, ax, 0.5)
    xs, ys = np.linspace(box[0], box[1], width + 1), np.linspace(box[2], box[3], height + 1)
    counts = raster.plane(x, y, box, width, height)
    tone = raster.tones(counts, 1.0, faintest=0.35)
    if exponents is None or not np.isfinite(exponents).all():
        raster.paint(ax, xs, ys, tone)
        return
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    weights = np.broadcast_to(exponents[:, None], x.shape)
    mean = raster.plane(x, y, box, width, height, weights) / np.maximum(counts, 1)
    scale = ScalarMappable(Normalize(*np.quantile(exponents, [0.02, 0.98])), style.heat())
    raster.paint(ax, xs, ys, tone, colours=scale.to_rgba(mean))
    style.colorbar(page, scale, ax, words.label(seen, "lyapunov"))


def _places(x: np.ndarray, y: np.ndarray, box: list[float]) -> int:
    """How many places of the picture the points take: few for a cycle, however long its orbit."""
    counts = raster.plane(x, y, (box[0], box[1], box[2], box[3]), 300, 300)
    return int(np.count_nonzero(counts))


def _dots(
    page: style.Sheet, ax: Axes, x: np.ndarray, y: np.ndarray, colour: Any, places: int
) -> None:
    """Points, smaller the more places they take."""
    size = page.look.marker * float(np.clip(12 / max(places, 1) ** 0.5, 0.16, 0.8))
    ax.plot(
        x,
        y,
        linestyle="none",
        marker="o",
        markersize=size,
        markeredgewidth=0,
        color=colour,
        rasterized=x.size > 5000,
    )


def _orbits(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    x: np.ndarray,
    y: np.ndarray,
    gone: np.ndarray,
    places: int,
) -> list[Any]:
    """Each start's orbit in a colour of its own."""
    from matplotlib.lines import Line2D

    starts = View(seen.data, seen.document, seen.starts, seen.series)
    labels = names(starts)
    handles = []
    each = max(1, 10 * MOST_POINTS // x.shape[0])
    for i, (colour, label) in enumerate(zip(style.colours(x.shape[0]), labels, strict=True)):
        if gone[i]:
            handles.append(
                Line2D(
                    [],
                    [],
                    linestyle="none",
                    marker="x",
                    color=style.GREY,
                    label=f"{label} (escaped)",
                )
            )
            continue
        _dots(page, ax, x[i, -each:], y[i, -each:], colour, places)
        handles.append(
            Line2D([], [], linestyle="none", marker="o", markersize=4, color=colour, label=label)
        )
    return handles
