"""Rotation numbers over a plane of parameters: tongues where they are locked to a fraction."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import curve, raster, status_map, style, title, words
from pipeline.figures.view import Axis, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A number so near to p/q, q at most so large, counts as locked; by chance it is so once in 10^4.
NEAR, DENOMINATOR = 1e-6, 12
# How much of the colour is left of what is not locked.
PALE = 0.3
# A tongue is named where it is so wide, as a part of the picture.
WIDE = 0.035
# A step of the staircase is named where it is so long, as a part of the axis.
LONG = 0.007


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    found = seen.data.get("rotation_number")
    if found is None:
        return "it needs analysis=rotation"
    if len(seen.axes) < 2:
        return "it needs two axes"
    if set(map(str, found.dims)) - {axis.name for axis in seen.axes}:
        return "a vector component has no single rotation number"
    return ""


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The plane of the two longest axes; beneath it, the staircase along its most locked row.

    The axis along which the number changes more is the abscissa, whatever the order of the grid.
    """
    x, y, pick = status_map.plane(seen)
    number = curve.clean(seen, seen.data["rotation_number"]).isel(pick)
    if _change(number, y) > _change(number, x):
        x, y = y, x
    number = number.transpose(y.name, x.name)
    heights = (1.0, 0.5) if ax is None else (1.0,)
    page = style.sheet(look, rows=len(heights), ratio=0.7, ax=ax, share=True, heights=heights)
    values = number.values.astype(float)
    low, high = raster.limits(values.ravel(), values.ravel(), margin=0.0)
    names = fractions(values)
    _plane(page, seen, values, names, x, y, (low, high))
    if len(page.panels) > 1:
        locked = _locked(names).sum(axis=1)
        # Of rows that are equal in this the highest: tongues open upwards.
        row = max(range(y.values.size), key=lambda i: (locked[i], y.values[i]))
        _stairs(page, seen, number.isel({y.name: row}), x)
        style.tag(page, page.panels[1], f"at {words.at([y], {y.name: row})}")
    title.write(page, seen, words.at(seen.axes, pick))
    return page.figure


def _change(number: xr.DataArray, axis: Axis) -> float:
    """How far the number goes along an axis, in the mean over the other one."""
    found = (number.max(axis.name) - number.min(axis.name)).values
    return float(np.nanmean(found)) if np.isfinite(found).any() else 0.0


def fractions(values: np.ndarray) -> np.ndarray:
    """The fraction to which each number is locked, None where it is to none."""
    found = np.full(values.shape, None, object)
    for place, value in np.ndenumerate(values):
        if np.isfinite(value):
            near = Fraction(float(value)).limit_denominator(DENOMINATOR)
            found[place] = near if abs(value - near) < NEAR else None
    return found


def _locked(names: np.ndarray) -> np.ndarray:
    return np.array([name is not None for name in names.ravel()]).reshape(names.shape)


def _plane(
    page: style.Sheet,
    seen: View,
    values: np.ndarray,
    names: np.ndarray,
    x: Axis,
    y: Axis,
    limits: tuple[float, float],
) -> None:
    """Locked cells in full colour, the others pale, escaped ones grey."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize, to_rgb
    from matplotlib.patches import Patch

    ax, norm, cmap = page.panels[0], Normalize(*limits), colormaps["viridis"]
    locked = _locked(names)
    picture = cmap(norm(np.nan_to_num(values)))[..., :3]
    picture = np.where(locked[..., None], picture, 1 - PALE * (1 - picture))
    picture[~np.isfinite(values)] = to_rgb(style.SHADE)
    status_map.lay(ax, picture, x, y, interpolation="nearest")
    _name(page, ax, values, names, x, y)
    style.ordinate(page, ax, words.label(seen, y.name))
    if len(page.panels) == 1:
        style.abscissa(page, ax, words.label(seen, x.name))
    bar = style.colorbar(
        page, ScalarMappable(norm, cmap), page.panels, words.label(seen, "rotation_number")
    )
    middle = cmap(0.35)[:3]
    handles = [
        Patch(facecolor=middle, label=f"locked to $p/q$, $q \\leq {DENOMINATOR}$"),
        Patch(facecolor=tuple(1 - PALE * (1 - np.array(middle))), label="not locked"),
    ]
    if not np.isfinite(values).all():
        handles.append(Patch(facecolor=style.SHADE, label="escaped"))
    if bar is not None:
        style.legend(page, handles)


def _name(
    page: style.Sheet, ax: Axes, values: np.ndarray, names: np.ndarray, x: Axis, y: Axis
) -> None:
    """Write the fraction of each tongue into it, in the row at four fifths of the height."""
    across, up = np.argsort(x.values, kind="stable"), np.argsort(y.values, kind="stable")
    row = names[up[int(0.8 * (up.size - 1))]][across]
    height = float(y.values[up[int(0.8 * (up.size - 1))]])
    for fraction in sorted({f for f in row if f is not None}):
        held = np.flatnonzero(np.equal(row, fraction))
        if held.size < WIDE * row.size:
            continue
        place = float(x.values[across][held[held.size // 2]])
        span = values[np.isfinite(values)]
        dark = float(fraction) < span.min() + 0.65 * np.ptp(span)
        size = {"fontsize": 0.85 * page.look.type_size, "fontfamily": style.FONT}
        settings: dict[str, Any] = {**size, "color": "white" if dark else "black"}
        ax.text(place, height, str(fraction), ha="center", va="center", **settings)


def _stairs(page: style.Sheet, seen: View, number: xr.DataArray, x: Axis) -> None:
    """The rotation number along one row of the plane, its steps named."""
    ax = page.panels[1]
    order = np.argsort(x.values, kind="stable")
    heights = number.values[order].astype(float)
    ax.plot(
        x.values[order],
        heights,
        color=style.PALETTE[0],
        linewidth=page.look.line,
        marker="." if order.size <= 60 else "",
    )
    names = fractions(heights)
    for fraction in sorted({f for f in names if f is not None}):
        held = np.flatnonzero(np.equal(names, fraction))
        if held.size < LONG * order.size:
            continue
        rising = heights[-1] >= heights[0]
        ax.annotate(
            str(fraction),
            (float(x.values[order][held[-1 if rising else 0]]), float(fraction)),
            (0, 2),
            textcoords="offset points",
            ha="right" if rising else "left",
            fontsize=0.75 * page.look.type_size,
            fontfamily=style.FONT,
        )
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.1 * (high - low))
    ax.ticklabel_format(axis="y", useOffset=False)
    if x.log:
        style.logarithmic(ax, x.values.tolist())
    style.abscissa(page, ax, words.label(seen, x.name))
    style.ordinate(page, ax, "rotation number")
    page.figure.align_ylabels(page.panels)
