"""Continued branches: cycles against the parameter, over the orbit diagram, with bifurcations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import bifurcation, branches, cycles, raster, style, title, words
from pipeline.figures.cycles import Coordinate
from pipeline.figures.view import Axis, View, number, section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Unstable cycles of longer periods would hide what they are drawn over.
LONGEST = 8
# {meaning of the code: (marker, colour, label)}.
MARKS = {
    "fold": ("s", "#D55E00", "fold"),
    "flip": ("^", "#009E73", "flip"),
    "neimark_sacker": ("D", "#CC79A7", "Neimark-Sacker"),
    "branch_point": ("o", "#000000", "branch point"),
}


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if "branch_parameter" not in seen.data:
        return "it needs analysis=continuation"
    return "" if coordinates(seen) else "a vector component has no single value to draw"


def coordinates(seen: View) -> list[Coordinate]:
    """Those that have one value for each point of a cycle."""
    lengths = section(section(seen.document, "map"), "modulus")
    result = []
    for variable, values in seen.data.data_vars.items():
        own = str(variable).startswith("branch_") and values.dims[-1:] == ("branch_cycle_point",)
        if own:
            name = str(variable).removeprefix("branch_")
            length = number(lengths.get(name))
            circle = float(length.real) if length is not None and length.real > 0 else None
            result.append(Coordinate(str(variable), name, circle))
    return result


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The first coordinate; a cascade's flips are listed beneath."""
    # Curves may go along a second parameter; the branches keep its value.
    kept = seen.data.drop_vars("curve_second", errors="ignore")
    seen = View(kept, seen.document, seen.axes, seen.series)
    held = set(map(str, seen.data["branch_parameter"].dims))
    others = [axis for axis in seen.parameters if axis.name in held]
    cut = {axis.name: axis.values.size // 2 for axis in others}
    shown = View(seen.data.isel(cut), seen.document, seen.axes, seen.series)
    rows = _rows(shown) if ax is None else []
    heights = (1.0, 0.05 * (len(rows) + 1)) if rows else ()
    page = style.sheet(look, rows=len(heights) or 1, ratio=0.72, ax=ax, heights=heights)
    handles = _diagram(page, page.panels[0], shown, coordinates(seen)[0])
    if rows:
        _table(page, page.panels[1], shown, rows)
    style.legend(page, handles, columns=6)
    title.write(page, seen, words.at(others, cut))
    return page.figure


def parameter(seen: View) -> str:
    """The name of what is followed."""
    return str(seen.data["branch_parameter"].attrs.get("quantity", "parameter"))


def _diagram(page: style.Sheet, ax: Axes, seen: View, first: Coordinate) -> list[Any]:
    """The lines and marks; the legend's handles."""
    data = seen.data
    x = data["branch_parameter"].values
    low, high = _limits(seen, first)
    axis = next((a for a in seen.parameters if parameter(seen) in a.quantities), None)
    if axis is not None:
        _behind(page, ax, seen, axis, first, (low, high))
        if axis.log:
            style.logarithmic(ax, axis.values.tolist())
    periods = data["branch_period"].values
    palette = _palette(periods)
    stabilities: set[bool] = set()
    for code in (False, True):
        for period, colour in palette.items():
            segments = list(_segments(seen, first, period, stable=code))
            if not segments:
                continue
            stabilities.add(code)
            branches.lines(page, ax, segments, colour=colour, stable=code)
    finite = x[np.isfinite(x)]
    ax.set_xlim(*raster.limits(finite, finite, margin=0.0 if axis is not None else 0.02))
    ax.set_ylim(low, high)
    if first.circle is not None:
        bifurcation.circle(ax, "y", first.circle)
    style.abscissa(page, ax, _label(seen, axis))
    style.ordinate(page, ax, words.symbol(first.name))
    return _handles(page, palette, stabilities) + _marks(page, ax, seen, first)


def _label(seen: View, axis: Axis | None) -> str:
    if axis is not None:
        return words.label(seen, axis.name)
    name = parameter(seen)
    return f"{name.replace('.', ' ')}" if "." in name else f"parameter {words.symbol(name)}"


def _limits(seen: View, coordinate: Coordinate) -> tuple[float, float]:
    """Of what attracts and what bifurcates, and as much beside it: branches may go to infinity."""
    if coordinate.circle is not None:
        return 0.0, coordinate.circle
    every = seen.data[coordinate.variable].values
    inner = [every[seen.data["branch_stable"].values == 1].ravel()]
    if "bifurcation_type" in seen.data:
        inner.append(seen.data[f"bifurcation_{coordinate.name}"].values.ravel())
    kept, every = (v[np.isfinite(v)] for v in (np.concatenate(inner), every))
    if not kept.size:
        kept = every
    low, high = raster.limits(kept, kept, margin=0.5)
    return raster.limits(*(np.clip(every, low, high),) * 2, margin=0.05)


def _behind(
    page: style.Sheet, ax: Axes, seen: View, axis: Axis, first: Coordinate, bounds: Any
) -> None:
    known = first.name in {s.name for s in seen.orbits}
    if known and axis.values.size >= cycles.FEWEST_COLUMNS:
        order = np.argsort(axis.values, kind="stable")
        data = seen.data.isel({axis.name: order})
        turned = Axis(axis.name, axis.values[order], axis.log, axis.start, axis.quantities)
        cycles.orbits(page, ax, View(data, seen.document, seen.axes, seen.series), turned, first,
                      bounds)  # fmt: skip


def _palette(periods: np.ndarray) -> dict[int, Any]:
    """{period: its colour}."""
    found = np.unique(periods[periods > 0]).tolist()
    return dict(zip(found, style.colours(len(found)), strict=True))


def _segments(seen: View, first: Coordinate, period: int, *, stable: bool) -> Iterator[np.ndarray]:
    """[k, 2] The corners of each line of one kind; a segment is stable where an end of it is."""
    data = seen.data
    if not stable and period > LONGEST:
        return
    for branch in np.flatnonzero(data["branch_period"].values == period):
        count = int(data["branch_points"].values[branch])
        x = data["branch_parameter"].values[branch, :count]
        attracts = data["branch_stable"].values[branch, :count] == 1
        states = data[first.variable].values[branch, :count, :period]
        own = (attracts[:-1] | attracts[1:]) == stable
        for j in range(period):
            y = states[:, j]
            jumps = np.abs(np.diff(y)) > (np.inf if first.circle is None else first.circle / 2)
            edges = np.flatnonzero(np.diff(np.concatenate([[0], own & ~jumps, [0]]).astype(int)))
            for begin, end in edges.reshape(-1, 2):
                yield np.stack([x[begin : end + 1], y[begin : end + 1]], axis=1)


def _handles(page: style.Sheet, palette: dict[int, Any], stabilities: set[bool]) -> list[Any]:
    from matplotlib.lines import Line2D

    line = page.look.line
    result = [
        Line2D([], [], color=colour, label=f"period {period}", linewidth=2 * line)
        for period, colour in palette.items()
    ]
    for code, label in ((True, "stable"), (False, "not stable")):
        if code in stabilities:
            width, dashes = (1.5 if code else 0.7) * line, "-" if code else branches.DASHES
            shown = Line2D([], [], color=style.FRAME, label=label, linewidth=width)
            shown.set_linestyle(dashes)
            result.append(shown)
    return result


def _marks(page: style.Sheet, ax: Axes, seen: View, first: Coordinate) -> list[Any]:
    """Bifurcations by their type; the legend's handles."""
    if "bifurcation_type" not in seen.data:
        return []
    kinds = seen.data["bifurcation_type"]
    meanings = str(kinds.attrs["flag_meanings"]).split()
    codes = dict(zip(np.asarray(kinds.attrs["flag_values"]).tolist(), meanings, strict=True))
    periods = seen.data["bifurcation_period"].values
    handles = []
    for code, name in codes.items():
        own = np.flatnonzero((kinds.values == code) & (periods <= LONGEST))
        if name not in MARKS or not own.size:
            continue
        marker, colour, label = MARKS[name]
        y = seen.data[f"bifurcation_{first.name}"].values[own]
        x = np.repeat(seen.data["bifurcation_parameter"].values[own], y.shape[1])
        (made,) = ax.plot(
            x, y.ravel(), linestyle="none", marker=marker, markersize=1.15 * page.look.marker,
            markerfacecolor="white", markeredgecolor=colour, zorder=6,
            markeredgewidth=0.9 * page.look.line, label=label, clip_on=False,
        )  # fmt: skip
        handles.append(made)
    return handles


def _rows(seen: View) -> list[tuple[str, ...]]:
    """The flips of the first cascade, as a table's cells."""
    if "cascade_period" not in seen.data:
        return []
    periods = seen.data["cascade_period"].values
    longest = int(np.argmax(np.count_nonzero(periods, axis=1)))
    rows = []
    for k in np.flatnonzero(periods[longest]):
        flip, delta, alpha = (
            float(seen.data[f"cascade_{name}"].values[longest, k])
            for name in ("parameter", "delta", "alpha")
        )
        shown = [f"{v:.6f}" if np.isfinite(v) else "" for v in (delta, alpha)]
        rows.append((f"{periods[longest][k]}", f"{flip:.14g}", *shown))
    return rows


def _table(page: style.Sheet, ax: Axes, seen: View, rows: list[tuple[str, ...]]) -> None:
    """Rows of text in columns."""
    ax.axis("off")
    heads = ("period that doubles", f"at {words.symbol(parameter(seen))}", r"$\delta$", r"$\alpha$")
    places = (0.22, 0.55, 0.76, 0.97)
    size = {**page.text, "fontsize": 0.82 * page.look.type_size}
    for i, row in enumerate([heads, *rows]):
        y = 1 - (i + 0.5) / (len(rows) + 1)
        for place, text in zip(places, row, strict=True):
            ax.text(place, y, text, ha="right", va="center", transform=ax.transAxes, **size)
