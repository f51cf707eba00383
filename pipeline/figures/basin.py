"""Basins: a colour for the attractor that each start goes to, and the attractors themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline import expressions
from pipeline.figures import model, outcomes, status_map, style, title, words
from pipeline.figures.outcomes import Outcome
from pipeline.figures.view import Axis, View, section

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Points of an attractor that are drawn large; that are drawn larger than dots.
LARGE, MEDIUM = 64, 256
# The height of a strip of starts with its labels, in inches for each point of type; the height of
# everything else over its width.
STRIP, PLANE = 0.09, 0.8


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if "basin" not in seen.data:
        return "it needs basins (analysis=basin)"
    return "" if seen.starts else "it needs an axis of starts"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The plane of two start axes, or of a parameter and the starts, or a strip of starts."""
    x, y = _plane(seen)
    pick = {a.name: a.values.size // 2 for a in seen.axes if a not in (x, y)}
    here = outcomes.labelled(seen, seen.data.isel(pick))
    found = outcomes.read(seen, here)
    paired = len(x.quantities) == 2
    strip = STRIP * look.type_size / look.width
    page = style.sheet(look, ratio=PLANE if y or paired else strip, ax=ax)
    panel = page.panels[0]
    if y is None and paired:
        across, up = _scatter(page, panel, seen, here, found, x)
    elif y is None:
        across, up = _strip(page, panel, seen, here, found, x)
    else:
        across, up = _image(page, panel, seen, here, found, pick, x, y)
    _attractors(page, panel, found, across, up)
    style.legend(page, outcomes.handles(page, found))
    title.write(page, seen, words.at(seen.axes, pick))
    return page.figure


def _plane(seen: View) -> tuple[Axis, Axis | None]:
    """The abscissa and the ordinate."""
    longest = sorted(seen.starts, key=lambda a: -a.values.size)[:2]
    starts = [a for a in seen.starts if a in longest]
    if len(starts) == 2:
        return starts[0], starts[1]
    if seen.parameters and len(starts[0].quantities) == 1:
        return max(seen.parameters, key=lambda a: a.values.size), starts[0]
    return starts[0], None


# Where an attractor's points are on an axis: [attractor, point], or along a parameter axis too.
Coordinates = np.ndarray | None


def _coordinates(seen: View, here: xr.Dataset, axis: Axis, quantity: str) -> Coordinates:
    """The attractors' values of what a start axis sweeps; None where it is no part of the state."""
    for series in seen.series:
        stem, part = re.fullmatch(r"(.+?)(_re|_im)?", series.name).groups("")  # type: ignore[union-attr]  # matches any name
        entry = re.fullmatch(rf"{re.escape(stem)}0((?:_\d+)*){part}", quantity)
        name = f"attractor_{series.name}"
        if entry is None or name not in here:
            continue
        index = tuple(int(i) for i in entry[1].split("_")[1:])
        values = here[name].transpose(..., "attractor", "attractor_point", *_inner(here[name]))
        found = values.values.astype(float)[(..., *index)] if index else values.values.astype(float)
        if series.modulus:
            low = axis.values.min()
            found = low + np.mod(found - low, series.modulus)
        return found
    return None


def _reals(seen: View, here: xr.Dataset) -> int:
    """How many numbers the state has."""
    inner = (here.sizes.get(series.inner, 1) if series.inner else 1 for series in seen.series)
    return sum(inner)


def _inner(variable: xr.DataArray) -> list[str]:
    return [str(d) for d in variable.dims if str(d).endswith("_dim")]


def _strip(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    here: xr.Dataset,
    found: Mapping[int, Outcome],
    x: Axis,
) -> tuple[Coordinates, Coordinates]:
    """One row of colours over the starts."""
    row = Axis("", np.zeros(1), log=False, start=False)
    labels = here["basin"].values[None]
    status_map.lay(ax, outcomes.picture(labels, found), x, row, interpolation="nearest")
    ax.set_yticks([])
    style.abscissa(page, ax, words.label(seen, x.name))
    across = _coordinates(seen, here, x, x.quantities[0]) if _reals(seen, here) == 1 else None
    return across, None if across is None else np.zeros_like(across)


def _scatter(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    here: xr.Dataset,
    found: Mapping[int, Outcome],
    x: Axis,
) -> tuple[Coordinates, Coordinates]:
    """Starts whose two coordinates are swept together."""
    first, second = x.quantities
    size = page.look.marker * float(np.clip((400 / x.values.size) ** 0.5, 0.15, 1.0))
    colours = outcomes.picture(here["basin"].values, found)
    ax.scatter(here[first], here[second], s=size**2, c=colours, linewidths=0, rasterized=True)
    style.abscissa(page, ax, words.label(seen, first))
    style.ordinate(page, ax, words.label(seen, second))
    if page.own:
        ax.set_aspect("equal", adjustable="datalim")
    if _reals(seen, here) != 2:
        return None, None
    return _coordinates(seen, here, x, first), _coordinates(seen, here, x, second)


def _image(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    here: xr.Dataset,
    found: Mapping[int, Outcome],
    pick: Mapping[str, int],
    x: Axis,
    y: Axis,
) -> tuple[Coordinates, Coordinates]:
    """A plane of two axes; of starts given by formulas, the plane of the state itself."""
    picture = outcomes.picture(here["basin"].transpose(y.name, x.name).values, found)
    up = _coordinates(seen, here, y, y.quantities[0])
    if not x.start:
        status_map.lay(ax, picture, x, y, interpolation="antialiased")
        status_map.frame(page, ax, seen, x, y)
        return None if up is None else np.broadcast_to(x.values[:, None, None], up.shape), up
    across = _coordinates(seen, here, x, x.quantities[0])
    places = _places(seen, pick, x, y) if across is None or up is None else None
    flat = _reals(seen, here) == 2
    if places is None:
        status_map.lay(ax, picture, x, y, interpolation="antialiased")
        status_map.frame(page, ax, seen, x, y)
        return (across, up) if flat else (None, None)
    order = np.ix_(np.argsort(y.values, kind="stable"), np.argsort(x.values, kind="stable"))
    ax.pcolormesh(*places, picture[order], rasterized=True)
    names = [series.name for series in seen.series]
    style.abscissa(page, ax, words.symbol(names[0]))
    style.ordinate(page, ax, words.symbol(names[1]))
    if page.own:
        ax.set_aspect("equal", adjustable="box")
    first, second = (here[f"attractor_{name}"].values.astype(float) for name in names)
    return first, second


def _places(seen: View, pick: Mapping[str, int], x: Axis, y: Axis) -> list[np.ndarray] | None:
    """[y + 1, x + 1] both, the corners of the cells in the plane of a state of two reals."""
    at = model.at(seen, pick)
    held = [f"attractor_{series.name}" in seen.data for series in seen.series]
    if at is None or held != [True, True]:
        return None
    sides = []
    for axis in (x, y):
        ordered = Axis(axis.name, np.sort(axis.values), axis.log, axis.start)
        sides.append(status_map.borders(ordered))
    across, up = np.meshgrid(*sides)
    values = {**at.values, x.quantities[0]: across, y.quantities[0]: up}
    found: list[np.ndarray] = []
    try:
        for given in section(seen.iterated, "initial").values():
            start = np.broadcast_to(expressions.compile(str(given), values)(values, np), up.shape)
            found += [np.real(start), np.imag(start)] if seen.series[0].complex else [start]
    except model.FAULTS:
        return None
    return found if len(found) == 2 else None


def _attractors(
    page: style.Sheet,
    ax: Axes,
    found: Mapping[int, Outcome],
    across: Coordinates,
    up: Coordinates,
) -> None:
    """The attractors' points: large where they are few, over a parameter never."""
    if across is None or up is None:
        return
    box = ax.get_xlim(), ax.get_ylim()
    attractors = [(index, outcome) for index, outcome in found.items() if index >= 0]
    for index, outcome in attractors:
        u, v = across[..., index, :], up[..., index, :]
        good = np.isfinite(u) & np.isfinite(v)
        count = good.sum()
        if not count:
            continue
        marked = outcomes.mark(page, outcome)
        large = count <= LARGE and across.ndim == 2
        if not large:
            fine = 0.5 if count <= MEDIUM else 0.35 if across.ndim > 2 else 0.2
            marked |= {"markersize": fine * page.look.marker, "markeredgewidth": 0}
        ax.plot(u[good], v[good], **marked, zorder=3, rasterized=not large)
    ax.set_xlim(box[0])
    ax.set_ylim(box[1])
