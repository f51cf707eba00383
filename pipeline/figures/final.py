"""Final states against one swept axis: the basin of a map's fixed points, seen from the starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import model, outcomes, raster, status_map, style, title, view, words
from pipeline.figures.view import Axis, Series, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Function = Callable[[np.ndarray], np.ndarray]
MOST_FIXED_POINTS = 8
# The part of white in a basin behind the states.
PALER = 0.5


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if not [s for s in seen.series if s.final in seen.data]:
        return "it needs the final state (analysis=final, or any solver but direct)"
    if len(seen.axes) != 1:
        return "it needs exactly one axis"
    return ""


def suits(seen: View) -> bool:
    """Whether no other analysis has a number for each cell that says more."""
    return not {"lyapunov", "rotation_number"} & set(seen.data.data_vars)


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The state after the last step; fixed points, the basin and escaped starts marked."""
    axis = seen.axes[0]
    shown = [s for s in seen.series if s.final in seen.data][: 3 if ax is None else 1]
    page = style.sheet(
        look, rows=len(shown), ratio=0.62 if len(shown) == 1 else 0.4, ax=ax, share=True
    )
    handles: list[Any] = []
    for panel, series in zip(page.panels, shown, strict=True):
        found = _panel(page, panel, seen, series, axis)
        handles = found if len(found) > len(handles) else handles
        style.ordinate(page, panel, words.label(seen, series.final))
    style.abscissa(page, page.panels[-1], words.label(seen, axis.name))
    style.legend(page, handles if len(handles) > 1 else [])
    title.write(page, seen)
    return page.figure


def _panel(page: style.Sheet, ax: Axes, seen: View, series: Series, axis: Axis) -> list[Any]:
    """Draw one component; the legend's handles."""
    values = seen.data[series.final].transpose(axis.name, ...).values.astype(float)
    values = values.reshape(axis.values.size, -1)
    gone = view.lost(seen).values.ravel()
    kept = np.where(np.isfinite(values) & ~gone[:, None], values, np.nan)
    g = model.equation(seen, {}) if axis.start and len(seen.series) == 1 else None
    shaded = axis.start and "basin" in seen.data
    xs = raster.margins(axis.values, log=axis.log)
    if shaded:
        ordered = Axis(axis.name, np.sort(axis.values), axis.log, axis.start)
        xs = status_map.borders(ordered)[[0, -1]]
    low, high = raster.limits(
        np.fmin.reduce(kept, axis=1), np.fmax.reduce(kept, axis=1), margin=0.06
    )
    handles: list[Any] = []
    points = np.array([])
    if g is not None:
        points = model.fixed_points(g, float(xs[0]), float(xs[1]))
        points = points if points.size <= MOST_FIXED_POINTS else np.array([])
        if points.size:
            low, high = min(low, points.min()), max(high, points.max())
            low, high = raster.limits(np.array([low]), np.array([high]), margin=0.1)
    if shaded:
        handles += _outcomes(page, ax, seen, axis)
    elif axis.start and gone.any() and not gone.all():
        step = model.scalar(seen, {}) if len(seen.series) == 1 else None
        handles += _basins(page, ax, axis, gone, step, points)
    if g is not None and points.size:
        handles += _fixed_points(page, ax, g, points, xs)
    size = page.look.marker * float(np.clip((150 / axis.values.size) ** 0.5, 0.35, 1.0))
    for entry in range(values.shape[1]):
        colour = style.colours(values.shape[1])[entry] if values.shape[1] > 1 else style.PALETTE[0]
        ax.plot(
            axis.values,
            kept[:, entry],
            linestyle="none",
            marker="o",
            markersize=size,
            markeredgewidth=0,
            color=colour,
            zorder=4,
            clip_on=False,
            rasterized=axis.values.size > 5000,
        )
    handles.insert(0, _mark(page, style.PALETTE[0], "o", "final state"))
    if gone.any() and not shaded:
        # A line of their own above the data: their values would be off any scale.
        ax.plot(
            axis.values[gone],
            np.full(gone.sum(), 0.955),
            transform=ax.get_xaxis_transform(),
            linestyle="none",
            marker="|",
            markersize=2.2 * page.look.marker,
            markeredgewidth=0.9 * page.look.line,
            color=style.GREY,
            zorder=4,
        )
        handles.append(_mark(page, style.GREY, "|", "escaped"))
    if axis.log:
        style.logarithmic(ax, axis.values.tolist())
    ax.set_xlim(float(xs[0]), float(xs[1]))
    ax.set_ylim(low, high + (0.1 * (high - low) if gone.any() and not shaded else 0.0))
    return handles


def _mark(page: style.Sheet, colour: str, marker: str, label: str, *, face: str = "") -> Any:
    """A legend's handle for points."""
    from matplotlib.lines import Line2D

    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=1.3 * page.look.marker,
        label=label,
        color=face or colour,
        markeredgecolor=colour,
    )


def _outcomes(page: style.Sheet, ax: Axes, seen: View, axis: Axis) -> list[Any]:
    """Shade the starts by the attractor that each goes to; the legend's handles."""
    here = outcomes.labelled(seen, seen.data)
    found = {
        label: replace(
            outcome,
            name=outcome.name if label < 0 else f"basin of the {outcome.name}",
            colour=outcomes.mixed(outcome.colour, "white", PALER),
            marker="",
        )
        for label, outcome in outcomes.read(seen, here).items()
    }
    order = np.argsort(axis.values, kind="stable")
    edges = status_map.borders(Axis(axis.name, axis.values[order], axis.log, axis.start))
    painted = outcomes.picture(here["basin"].values[None, order], found)
    whole = ax.get_xaxis_transform()
    ax.pcolormesh(edges, [0, 1], painted, transform=whole, zorder=0.4, rasterized=True)
    return outcomes.handles(page, found)


def _basins(
    page: style.Sheet,
    ax: Axes,
    axis: Axis,
    gone: np.ndarray,
    g: Function | None,
    points: np.ndarray,
) -> list[Any]:
    """Shade the runs of starts that stayed, out to the boundary where it can be inferred."""
    from matplotlib.patches import Patch

    order = np.argsort(axis.values, kind="stable")
    x, stay = axis.values[order].tolist(), ~gone[order]
    change = np.flatnonzero(np.diff(np.concatenate([[False], stay, [False]]).astype(int)))
    spans = []
    for begin, end in zip(change[::2], change[1::2], strict=True):
        left = x[0] if begin == 0 else boundary(x[begin], x[begin - 1], g, points)
        right = x[-1] if end == len(x) else boundary(x[end - 1], x[end], g, points)
        spans.append((left, right))
    for left, right in spans:
        ax.axvspan(left, right, facecolor="#E3EEF7", edgecolor="none", zorder=0.4)
        for edge in (left, right):
            if x[0] < edge < x[-1]:
                ax.axvline(edge, color=style.PALETTE[0], linewidth=0.5 * page.look.line, zorder=0.5)
    label = "starts that stay bounded"
    if len(spans) == 1 and x[0] < spans[0][0] and spans[0][1] < x[-1]:
        label += f", ${words.value(spans[0][0])} … {words.value(spans[0][1])}$"
    return [Patch(facecolor="#E3EEF7", edgecolor=style.PALETTE[0], linewidth=0.5, label=label)]


def boundary(stayed: float, left: float, g: Function | None, points: np.ndarray) -> float:
    """Where a basin ends between the last start that stayed and the first that escaped.

    A basin's boundary is made of repelling fixed points and what maps onto them: one that
    lies between the two starts is the boundary; otherwise half-way is as good as any guess.
    """
    low, high = min(stayed, left), max(stayed, left)
    slack = 1e-9 * (high - low)
    inside = points[(points >= low - slack) & (points <= high + slack)]
    if inside.size:
        return float(inside[np.argmin(np.abs(inside - stayed))])
    if g is not None:
        for level in points:
            sources = model.fixed_points(g, low - 0.01 * (high - low), high, level=float(level))
            if sources.size:
                return float(sources[np.argmin(np.abs(sources - stayed))])
    return (stayed + left) / 2


def _fixed_points(
    page: style.Sheet, ax: Axes, g: Function, points: np.ndarray, xs: np.ndarray
) -> list[Any]:
    """Mark fixed points on the diagonal: attracting filled, repelling open."""
    slopes = model.multiplier(g, points, float(xs[1] - xs[0]))
    handles = []
    for attracting, word in ((True, "attracting"), (False, "repelling")):
        chosen = points[(np.abs(slopes) < 1) == attracting]
        if not chosen.size:
            continue
        colour = style.PALETTE[2] if attracting else style.PALETTE[1]
        for x in chosen:
            ax.axhline(
                x, color=colour, linewidth=0.5 * page.look.line, linestyle=(0, (4, 3)), zorder=1
            )
        ax.plot(
            chosen,
            chosen,
            linestyle="none",
            marker="o",
            markersize=1.8 * page.look.marker,
            color=colour if attracting else "white",
            markeredgecolor=colour,
            markeredgewidth=page.look.line,
            zorder=3,
        )
        nothing = 1e-9 * float(xs[1] - xs[0])
        places = (0.0 if abs(x) < nothing else x for x in chosen[:3])
        where = ", ".join(f"${words.value(x)}$" for x in places)
        handles.append(
            _mark(
                page, colour, "o", f"{word} fixed point {where}", face="" if attracting else "white"
            )
        )
    return handles
