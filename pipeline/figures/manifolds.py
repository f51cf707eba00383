"""Manifolds of saddles in the plane, stable and unstable, over the orbit if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.figures import bifurcation, raster, style, title, words
from pipeline.figures.view import View, number, section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of an orbit behind the curves.
MOST_POINTS = 20_000
SHADE = "#BDBDBD"
# Codes, labels, colours and lines; what is drawn last is on top.
KINDS: tuple[tuple[int, str, str, Any], ...] = (
    (1, "stable manifold", style.PALETTE[0], (0, (5, 1.5))),
    (0, "unstable manifold", style.PALETTE[1], "-"),
)
# Codes of the ends none, length, full and escaped: such a branch may be on its way out, but for one
# whose extent is a smaller part of its length: it folds.
AWAY, FOLDED = (-1, 0, 1, 2), 0.25
# Quantiles of all points, where all branches run away.
MIDDLE = (0.1, 0.9)


class Coordinate(NamedTuple):
    """A real coordinate of the plane.

    Attributes:
        name: of the component, of its part or of its entry.
        values: [manifold, point] on the branches.
        orbit: those of an orbit, if any.
        circle: the length of the circle that it lives on, None where on none.
    """

    name: str
    values: np.ndarray
    orbit: np.ndarray
    circle: float | None


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    return "" if "manifold_points" in seen.data else "it needs analysis=manifolds"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The plane at the middle of the parameter axes."""
    cut = {axis.name: axis.values.size // 2 for axis in seen.parameters}
    shown = View(seen.data.isel(cut), seen.document, seen.axes, seen.series)
    page = style.sheet(look, ratio=0.8, ax=ax)
    panel = page.panels[0]
    pair = _coordinates(shown)
    kinds = shown.data["manifold_stable"].values
    near = _near(pair, shown.data["manifold_end"].values)
    _behind(page, panel, pair)
    handles = _curves(page, panel, pair, kinds)
    handles += _saddles(page, panel, pair)
    for which, coordinate in zip("xy", pair, strict=True):
        getattr(panel, f"set_{which}lim")(*_limits(coordinate, near))
        if coordinate.circle is not None:
            bifurcation.circle(panel, which, coordinate.circle)
    style.abscissa(page, panel, words.symbol(pair[0].name))
    style.ordinate(page, panel, words.symbol(pair[1].name))
    style.legend(page, handles)
    title.write(page, seen, words.at(seen.parameters, cut))
    return page.figure


def _coordinates(seen: View) -> list[Coordinate]:
    """The two of the state: numbers, parts of a complex one, or entries of a vector."""
    lengths = section(section(seen.document, "map"), "modulus")
    found = []
    for key, variable in seen.data.data_vars.items():
        name = str(key).removeprefix("manifold_")
        if "manifold_point" not in variable.dims or name == "arclength":
            continue
        orbit = seen.data[name] if name in {s.name for s in seen.orbits} else None
        length = number(lengths.get(name))
        circle = float(length.real) if length is not None and length.real > 0 else None
        inner = f"{name}_dim" if f"{name}_dim" in variable.dims else None
        for k in range(seen.data.sizes[inner]) if inner else (None,):
            at = {} if k is None else {inner: k}
            # One axis of starts or several: all orbits together.
            states = np.zeros(0) if orbit is None else orbit.isel(at).values.ravel()
            entry = name if k is None else f"{name}_{k}"
            found.append(Coordinate(entry, variable.isel(at).values, states, circle))
    return found


def _behind(page: style.Sheet, ax: Axes, pair: list[Coordinate]) -> None:
    states = [c.orbit[-MOST_POINTS:] for c in pair]
    if not all(len(each) for each in states):
        return
    places = [s if c.circle is None else s % c.circle for s, c in zip(states, pair, strict=True)]
    ax.plot(
        *places,
        linestyle="none",
        marker="o",
        markersize=0.3 * page.look.marker,
        markeredgewidth=0,
        color=SHADE,
        rasterized=True,
        zorder=1.5,
    )


def _curves(page: style.Sheet, ax: Axes, pair: list[Coordinate], kinds: np.ndarray) -> list[Any]:
    """The branches, and the legend's handles."""
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    handles = []
    for order, (code, label, colour, dashes) in enumerate(KINDS):
        lines = [
            run
            for k in np.flatnonzero(kinds == code)
            for run in _runs(np.stack([c.values[k] for c in pair], axis=1), pair)
        ]
        if not lines:
            continue
        kind: dict[str, Any] = {"linewidth": 0.6 * page.look.line, "linestyle": dashes}
        made = LineCollection(lines, colors=colour, zorder=2 + order, **kind)
        ax.add_collection(made, autolim=False)
        thick = {**kind, "linewidth": 1.2 * page.look.line}
        handles.append(Line2D([], [], color=colour, label=label, **thick))
    return handles


def _runs(points: np.ndarray, pair: list[Coordinate]) -> list[np.ndarray]:
    """The pieces of a branch within one turn of each circle, each with the points beside it."""
    points = points[np.isfinite(points).all(axis=1)]
    turns = np.array([np.inf if c.circle is None else c.circle for c in pair])
    tiles = np.floor(points / turns)
    cuts = np.flatnonzero(np.any(np.diff(tiles, axis=0) != 0, axis=1)) + 1
    shift = np.where(np.isfinite(turns), turns, 0)
    runs = []
    for begin, end in zip([0, *cuts], [*cuts, len(points)], strict=True):
        piece = points[max(begin - 1, 0) : end + 1]
        if len(piece) > 1:
            runs.append(piece - tiles[begin] * shift)
    return runs


def _saddles(page: style.Sheet, ax: Axes, pair: list[Coordinate]) -> list[Any]:
    """Where the branches begin, and the legend's handle."""
    places = [c.values[:, 0] if c.circle is None else c.values[:, 0] % c.circle for c in pair]
    if not np.isfinite(places[0]).any():
        return []
    return ax.plot(
        *places,
        linestyle="none",
        marker="o",
        markersize=page.look.marker,
        markerfacecolor="white",
        markeredgecolor="black",
        markeredgewidth=0.8 * page.look.line,
        clip_on=False,
        zorder=5,
        label="saddle",
    )


def _near(pair: list[Coordinate], ends: np.ndarray) -> np.ndarray:
    """[manifold] Whether a branch stays near, and so may set the limits."""
    values = np.stack([c.values for c in pair], axis=-1)
    length = np.nansum(np.linalg.norm(np.diff(values, axis=1), axis=-1), axis=1)
    spread = np.where(np.isfinite(values), values, values[:, :1])
    folded = np.linalg.norm(np.ptp(spread, axis=1), axis=-1) < FOLDED * length
    return folded | ~np.isin(ends, AWAY)


def _limits(coordinate: Coordinate, near: np.ndarray) -> tuple[float, float]:
    """Round the orbit, the saddles and the branches that stay near."""
    if coordinate.circle is not None:
        return 0.0, coordinate.circle
    held = [coordinate.values[near].ravel(), coordinate.values[:, 0], coordinate.orbit]
    if not near.any() and not coordinate.orbit.size:
        # The saddles alone may be a single point: the middle of the curves.
        finite = coordinate.values[np.isfinite(coordinate.values)]
        held.append(np.quantile(finite, MIDDLE) if finite.size else finite)
    shown = np.concatenate(held)
    shown = shown[np.isfinite(shown)]
    return raster.limits(shown, shown, margin=0.15)
