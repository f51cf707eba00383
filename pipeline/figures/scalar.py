"""Any one number for each cell: a line over one axis, an image over two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import curve, raster, status_map, style, title, view, words
from pipeline.figures.view import Axis, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 6
# What an analysis was asked for comes before its by-products.
FIRST = (
    "lyapunov",
    "period",
    "escape_iteration",
    "basin",
    "density",
    "basin_entropy",
    "basin_fraction",
    "steps",
)
LAST = ("status", "regime", "density_outside", "lyapunov_error")
MOST_CATEGORIES = 12


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if not seen.axes:
        return "it needs an axis"
    if not _candidates(seen):
        return "it needs a number for each cell"
    return ""


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The first of the dataset's results that has a number for each cell."""
    variable = seen.data[_candidates(seen)[0]]
    axes = [a for a in seen.axes if a.name in variable.dims]
    page = style.sheet(look, ratio=0.62 if len(axes) == 1 else 0.8, ax=ax)
    if len(axes) == 1:
        style.legend(page, curve.lines(page, page.panels[0], seen, variable, axes[0]))
    note = _image(page, seen, variable) if len(axes) > 1 else ""
    title.write(page, seen, note)
    return page.figure


def _candidates(seen: View) -> list[str]:
    """Numeric variables over the grid with at most one dimension more, the telling ones first."""
    grid = {a.name for a in seen.axes}
    names = []
    for key, variable in seen.data.data_vars.items():
        dims = set(map(str, variable.dims))
        rest = dims - grid
        small = all(variable.sizes[d] <= MOST_LINES for d in rest) and len(rest) <= 1
        if dims & grid and small and np.issubdtype(variable.dtype, np.number):
            names.append(str(key))
    rank = {name: i for i, name in enumerate(FIRST)} | {
        name: 100 + i for i, name in enumerate(LAST)
    }
    return sorted(names, key=lambda n: rank.get(n, 50))


def _image(page: style.Sheet, seen: View, variable: xr.DataArray) -> str:
    """The variable over the plane of the two longest of its axes."""
    ax = page.panels[0]
    own = View(
        seen.data,
        seen.document,
        tuple(a for a in seen.axes if a.name in variable.dims),
        seen.series,
    )
    x, y, pick = status_map.plane(own)
    inner = {str(d): 0 for d in variable.dims if d not in {a.name for a in own.axes}}
    part = variable.isel({**pick, **inner}).transpose(y.name, x.name)
    known = status_map.meanings(variable)
    if known or (_counts(str(variable.name)) and np.unique(part.values).size <= MOST_CATEGORIES):
        meaning = known or _sentinels(seen, str(variable.name))
        handles = status_map.categories(page, ax, part, x, y, meaning, _colours(part))
        style.legend(page, handles)
    else:
        colour(page, ax, seen, variable, curve.clean(seen, variable).isel({**pick, **inner}), x, y)
    status_map.frame(page, ax, seen, x, y)
    return words.at(own.axes, pick)


def _counts(name: str) -> bool:
    """Whether neighbouring whole numbers are different things rather than more and less."""
    return name.endswith(("basin", "period", "kind", "attractor"))


def _sentinels(seen: View, name: str) -> dict[int, str]:
    """What an integer result's special values mean; an attractor with its period."""
    if name == "basin":
        meaning = {-1: "escaped", -2: "unresolved"}
        periods = seen.data.get("attractor_period")
        if periods is not None and periods.dims == ("attractor",):
            found = [int(p) for p in periods.values if np.isfinite(p)]
            meaning |= {i: f"attractor {i}, period {p}" for i, p in enumerate(found) if p > 0}
        return meaning
    return {0: "none found"} if name.endswith("period") else {}


def _colours(part: xr.DataArray) -> dict[str, str]:
    """Fixed colours for what is not a result."""
    if part.name == "status":
        return status_map.COLOURS
    return {
        "escaped": "#D0D0D0",
        "unresolved": "#999999",
        "never": "#000000",
        "none found": "#FFFFFF",
    }


def colour(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    variable: xr.DataArray,
    part: xr.DataArray,
    x: Axis,
    y: Axis,
) -> None:
    """Paint a continuous quantity with a colour scale; NaN grey, exponents about zero."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
    from matplotlib.patches import Patch

    values = part.transpose(y.name, x.name).values.astype(float)
    name = str(variable.name)
    handles: list[Any] = []
    missing = style.SHADE
    if name == "escape_iteration":
        missing = "#000000"
        values = np.where(values < 0, np.nan, values)
        handles = [Patch(facecolor=missing, label="never")] if np.isnan(values).any() else []
    elif np.isnan(values).any():
        handles = [
            Patch(facecolor=missing, label="escaped" if view.lost(seen).any() else "no value")
        ]
    low, high = raster.limits(values.ravel(), values.ravel(), margin=0.0)
    norm, palette = Normalize(low, high), "viridis"
    if name == "lyapunov" and low < 0 < high:
        low = curve.deep(values, low, high)[0]
        norm, palette = TwoSlopeNorm(0.0, low, high), "RdBu_r"
    elif name in ("escape_iteration", "steps") and high > 20 * max(low, 1):
        values = np.maximum(values, 1)
        norm = LogNorm(max(low, 1), high)
    cmap = colormaps[palette].with_extremes(bad=missing)
    image = status_map.lay(ax, np.ma.masked_invalid(values), x, y, cmap=cmap, norm=norm)
    style.colorbar(page, image, ax, words.label(seen, name))
    style.legend(page, handles)


def suits(seen: View) -> bool:
    """Whether there is more to show than how cells ended."""
    return _candidates(seen)[0] not in LAST
