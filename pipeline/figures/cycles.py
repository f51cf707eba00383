"""Cycles: their points against a parameter, over the orbit diagram, or in the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import bifurcation, branches, raster, style, title, words
from pipeline.figures.view import Axis, View, number, section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Below so many values lines would be a guess: draw the points themselves.
FEWEST_COLUMNS = 20
# Of an orbit behind the cycles.
MOST_POINTS = 20_000
GREY = "#BDBDBD"
KINDS = ((0, "not stable"), (1, "stable"))


@dataclass(frozen=True)
class Coordinate:
    """A real coordinate of the cycles' points.

    Attributes:
        variable: that holds it.
        name: the component, or the part of one.
        circle: the length of the circle it lives on, None where on none.
    """

    variable: str
    name: str
    circle: float | None


def coordinates(seen: View) -> list[Coordinate]:
    """Those that have one value for each point."""
    found = seen.data.data_vars.items()
    held = [
        str(k) for k, v in found if str(k).startswith("cycle_") and v.dims[-1:] == ("cycle_point",)
    ]
    lengths = section(section(seen.document, "map"), "modulus")
    result = []
    for variable in held:
        name = variable.removeprefix("cycle_")
        length = number(lengths.get(name))
        circle = float(length.real) if length is not None and length.real > 0 else None
        result.append(Coordinate(variable, name, circle))
    return result


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if "cycle_period" not in seen.data:
        return "it needs analysis=cycles"
    return "" if coordinates(seen) else "a vector component has no single value to draw"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """Over the longest parameter axis; without one, in the plane of the first two coordinates."""
    page = style.sheet(look, ratio=0.72, ax=ax)
    cut = middle(seen)
    shown = View(seen.data.isel(cut), seen.document, seen.axes, seen.series)
    if seen.parameters:
        lines = _diagram(page, page.panels[0], shown, longest(seen))
    elif len(coordinates(seen)) > 1:
        lines = _plane(page, page.panels[0], shown)
    else:
        lines = _column(page, page.panels[0], shown)
    style.legend(page, handles(page, shown, lines=lines), columns=6)
    title.write(page, seen, words.at(seen.parameters, cut))
    return page.figure


def longest(seen: View) -> Axis:
    """The parameter axis that is the abscissa."""
    return max(seen.parameters, key=lambda axis: axis.values.size)


def middle(seen: View) -> dict[str, int]:
    """Where the other parameter axes are cut."""
    others = [a for a in seen.parameters if a is not longest(seen)]
    return {axis.name: axis.values.size // 2 for axis in others}


def palette(seen: View) -> dict[int, Any]:
    """{period: its colour}."""
    periods = np.unique(seen.data["cycle_period"].values)
    periods = periods[periods > 0].tolist()
    return dict(zip(periods, style.colours(len(periods)), strict=True))


def handles(page: style.Sheet, seen: View, *, lines: bool) -> list[Any]:
    """The legend: colours of the periods, and what attracts."""
    from matplotlib.lines import Line2D

    dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": page.look.marker}
    thick: dict[str, Any] = {"linewidth": 2 * page.look.line}
    result = [
        Line2D([], [], color=colour, label=f"period {period}", **(thick if lines else dot))
        for period, colour in palette(seen).items()
    ]
    codes = seen.data["cycle_stable"].values
    for code, label in [kind for kind in reversed(KINDS) if (codes == kind[0]).any()]:
        own: dict[str, Any] = {**dot, "markerfacecolor": style.FRAME if code else "white"}
        if lines:
            width = (1.5 if code else 0.7) * page.look.line
            own = {"linewidth": width, "linestyle": "-" if code else branches.DASHES}
        result.append(Line2D([], [], color=style.FRAME, label=label, **own))
    return result


def _diagram(page: style.Sheet, ax: Axes, seen: View, axis: Axis) -> bool:
    """Whether it is of lines."""
    first = coordinates(seen)[0]
    order = np.argsort(axis.values, kind="stable")
    data = seen.data.isel({axis.name: order})
    x = axis.values[order]
    points = data[first.variable].transpose(axis.name, "cycle", "cycle_point").values
    periods, stable = (
        data[name].transpose(axis.name, "cycle").values for name in ("cycle_period", "cycle_stable")
    )
    low, high = _limits(first, points)
    lines = x.size >= FEWEST_COLUMNS
    orbits(page, ax, seen, axis, first, (low, high))
    for period, colour in reversed(palette(seen).items()):
        for code, _ in KINDS:
            own = (periods == period) & (stable == code)
            held = [points[i, own[i], :period].ravel() for i in range(x.size)]
            if lines:
                kind = {"colour": colour, "stable": bool(code), "height": high - low}
                branches.draw(page, ax, x, held, **kind)
            else:
                column = np.repeat(x, [each.size for each in held])
                mark(page, ax, column, np.concatenate(held), colour, stable=bool(code))
    if axis.log:
        style.logarithmic(ax, x.tolist())
    ax.set_xlim(*(x[[0, -1]] if lines else raster.margins(x, log=axis.log)))
    ax.set_ylim(low, high)
    _turn(ax, "y", first)
    style.abscissa(page, ax, words.label(seen, axis.name))
    style.ordinate(page, ax, words.symbol(first.name))
    return lines


def _limits(coordinate: Coordinate, values: np.ndarray) -> tuple[float, float]:
    if coordinate.circle is not None:
        return 0.0, coordinate.circle
    finite = values[np.isfinite(values)]
    return raster.limits(finite, finite, margin=0.05)


def _turn(ax: Axes, which: str, coordinate: Coordinate) -> None:
    if coordinate.circle is not None:
        bifurcation.circle(ax, which, coordinate.circle)


def orbits(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    axis: Axis,
    coordinate: Coordinate,
    bounds: tuple[float, float],
) -> None:
    """The orbit diagram behind, in grey."""
    if coordinate.name not in {s.name for s in seen.orbits}:
        return
    from matplotlib.colors import LinearSegmentedColormap

    states = seen.data[coordinate.name]
    rest = [d for d in states.dims if d != axis.name]
    flat = states.transpose(axis.name, *rest).values.reshape(axis.values.size, -1)
    width, height = bifurcation.pixels(page, ax)
    columns = raster.columns(axis.values, log=axis.log, most=width)
    counts = raster.count(
        [(columns.of, flat)],
        width=columns.members.size,
        height=height,
        low=bounds[0],
        high=bounds[1],
    )
    tone = raster.tones(counts, counts.sum(axis=0) / height)
    shades = LinearSegmentedColormap.from_list("shades", ["#E4E4E4", "#8A8A8A"])
    rows = np.linspace(*bounds, height + 1)
    picture = np.ma.masked_equal(tone, 0)
    ax.pcolormesh(columns.edges, rows, picture, cmap=shades, rasterized=True, zorder=1.5)


def mark(
    page: style.Sheet, ax: Axes, x: np.ndarray, y: np.ndarray, colour: Any, *, stable: bool
) -> None:
    """Full circles for what attracts, open ones for what does not."""
    ax.plot(
        x,
        y,
        linestyle="none",
        marker="o",
        markersize=page.look.marker,
        markerfacecolor=colour if stable else "white",
        markeredgecolor=colour,
        markeredgewidth=0.8 * page.look.line,
        zorder=4 if stable else 3,
        # One on the rim, as at 0 of a circle, is drawn whole.
        clip_on=False,
    )


def _plane(page: style.Sheet, ax: Axes, seen: View) -> bool:
    pair = coordinates(seen)[:2]
    points = [seen.data[c.variable].values for c in pair]
    held = {s.name for s in seen.orbits}
    behind = [np.zeros(0), np.zeros(0)]
    if all(c.name in held for c in pair):
        behind = [seen.data[c.name].values.ravel()[-MOST_POINTS:] for c in pair]
        behind = [
            b if c.circle is None else b % c.circle for b, c in zip(behind, pair, strict=True)
        ]
    ax.plot(
        *behind,
        linestyle="none",
        marker="o",
        markersize=0.25 * page.look.marker,
        markeredgewidth=0,
        color=GREY,
        rasterized=True,
        zorder=1.5,
    )
    _marks(page, ax, seen, *points)
    both = [np.concatenate([p.ravel(), b]) for p, b in zip(points, behind, strict=True)]
    ax.set_xlim(*_limits(pair[0], both[0]))
    ax.set_ylim(*_limits(pair[1], both[1]))
    _turn(ax, "x", pair[0])
    _turn(ax, "y", pair[1])
    style.abscissa(page, ax, words.symbol(pair[0].name))
    style.ordinate(page, ax, words.symbol(pair[1].name))
    return False


def _marks(page: style.Sheet, ax: Axes, seen: View, x: np.ndarray, y: np.ndarray) -> None:
    periods, stable = (seen.data[name].values for name in ("cycle_period", "cycle_stable"))
    for period, colour in reversed(palette(seen).items()):
        for code, _ in KINDS:
            own = (periods == period) & (stable == code)
            mark(page, ax, x[own].ravel(), y[own].ravel(), colour, stable=bool(code))


def _column(page: style.Sheet, ax: Axes, seen: View) -> bool:
    """One coordinate and no axis: the points above their period."""
    only = coordinates(seen)[0]
    points = seen.data[only.variable].values
    column = np.broadcast_to(seen.data["cycle_period"].values[:, None], points.shape)
    _marks(page, ax, seen, column, points)
    ax.set_ylim(*_limits(only, points))
    _turn(ax, "y", only)
    style.whole(ax)
    style.abscissa(page, ax, "period")
    style.ordinate(page, ax, words.symbol(only.name))
    return False
