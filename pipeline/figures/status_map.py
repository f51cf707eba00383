"""Status map: how each cell of a plane of two axes ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import style, title, view, words
from pipeline.figures.view import Axis, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The same colour for a status in every figure.
COLOURS = {
    "bounded": "#0072B2",
    "converged": "#009E73",
    "escaped": "#D0D0D0",
    "iteration_limit": "#E69F00",
    "stalled": "#CC79A7",
    "line_search_failed": "#D55E00",
    "unbounded_objective": "#999999",
    "job_failed": "#000000",
}


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if len(seen.axes) < 2:
        return "it needs two axes"
    if "status" not in seen.data:
        return "the dataset has no status"
    return ""


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The status over the two longest axes, the middle of any others."""
    page = style.sheet(look, ratio=0.8, ax=ax)
    x, y, pick = plane(seen)
    status = seen.data["status"].isel(pick).transpose(y.name, x.name)
    handles = categories(page, page.panels[0], status, x, y, meanings(status), COLOURS)
    frame(page, page.panels[0], seen, x, y)
    style.legend(page, handles)
    title.write(page, seen, words.at(seen.axes, pick))
    return page.figure


def plane(seen: View) -> tuple[Axis, Axis, dict[str, int]]:
    """The abscissa, the ordinate, and the indices at which the other axes are held."""
    longest = sorted(seen.axes, key=lambda a: -a.values.size)[:2]
    x, y = [a for a in seen.axes if a in longest]
    return x, y, {a.name: a.values.size // 2 for a in seen.axes if a not in (x, y)}


def meanings(variable: xr.DataArray) -> dict[int, str]:
    """What each code of a variable means: its flag attributes."""
    values = np.atleast_1d(variable.attrs.get("flag_values", []))
    names = str(variable.attrs.get("flag_meanings", "")).split()
    known = {int(v): n for v, n in zip(values, names, strict=False)}
    if not known and variable.name == "status":
        known = {int(code): code.name for code in view.Status}
    return known


def borders(axis: Axis) -> np.ndarray:
    """[c + 1] Half-way between neighbouring values of an increasing axis."""
    values = np.log(axis.values) if axis.log else axis.values
    if values.size == 1:
        edges = np.array([values[0] - 0.5, values[0] + 0.5])
    else:
        middle = (values[1:] + values[:-1]) / 2
        edges = np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
    return np.exp(edges) if axis.log else edges


def lay(ax: Axes, values: np.ndarray, x: Axis, y: Axis, **settings: Any) -> Any:
    """[y, x] or [y, x, rgba] values as an image; a mesh where an axis is not evenly spaced."""
    across, up = np.argsort(x.values, kind="stable"), np.argsort(y.values, kind="stable")
    values = values[up][:, across]
    xs = borders(Axis(x.name, x.values[across], x.log, x.start))
    ys = borders(Axis(y.name, y.values[up], y.log, y.start))
    even = all(
        not a.log and np.ptp(np.diff(e)) <= 1e-3 * abs(np.diff(e).mean())
        for a, e in ((x, xs), (y, ys))
    )
    if even:
        extent = (xs[0], xs[-1], ys[0], ys[-1])
        return ax.imshow(values, origin="lower", extent=extent, aspect="auto", **settings)
    settings.pop("interpolation", None)
    mesh = ax.pcolormesh(xs, ys, values, rasterized=True, **settings)
    ax.set_xscale("log" if x.log else "linear")
    ax.set_yscale("log" if y.log else "linear")
    ax.set_xlim(xs[0], xs[-1])
    ax.set_ylim(ys[0], ys[-1])
    return mesh


def categories(
    page: style.Sheet,
    ax: Axes,
    codes: xr.DataArray,
    x: Axis,
    y: Axis,
    known: dict[int, str],
    colours: dict[str, str],
) -> list[Any]:
    """Paint whole numbers, each in its colour; the legend's handles."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    values = codes.values
    present, counts = np.unique(values, return_counts=True)
    spare = iter([c for c in style.PALETTE if c not in colours.values()] + list(style.PALETTE))
    picture = np.ones((*values.shape, 3))
    handles = []
    for code, number in zip(present, counts, strict=True):
        name = known.get(int(code), str(int(code)))
        colour = colours.get(name) or next(spare)
        picture[values == code] = to_rgb(colour)
        share = 100 * number / values.size
        text = f"{name.replace('_', ' ')} ({share:.3g} %)"
        handles.append(Patch(facecolor=colour, edgecolor=style.FRAME, linewidth=0.4, label=text))
    lay(ax, picture, x, y, interpolation="antialiased")
    return handles


def frame(page: style.Sheet, ax: Axes, seen: View, x: Axis, y: Axis) -> None:
    """Label the plane; equal scales where shapes mean something."""
    style.abscissa(page, ax, words.label(seen, x.name))
    style.ordinate(page, ax, words.label(seen, y.name))
    if page.own and equal(x, y):
        ax.set_aspect("equal", adjustable="box")


def equal(x: Axis, y: Axis) -> bool:
    """Whether a plane has one scale: two starts, or the two parts of one complex quantity."""
    parts = {re.sub("_(re|im)$", "", axis.name) for axis in (x, y)}
    alike = (x.start and y.start) or (len(parts) == 1 and not parts & {x.name, y.name})
    ratio = np.ptp(y.values) / (np.ptp(x.values) or 1.0)
    return bool(alike and not (x.log or y.log) and 0.4 < ratio < 2.5)
