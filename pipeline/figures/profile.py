"""A result along a dimension of its own: an autocorrelation against the lag, a spectrum, sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import style, title, view, words
from pipeline.figures.view import View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# {dimension: (abscissa is logarithmic, ordinate is)}, in the order in which they are looked for.
ALONG = {
    "lag": (False, False),
    "frequency": (False, True),
    "correlation_radius": (True, True),
    "expansion_step": (False, False),
}
MOST_LINES, MOST_PANELS = 8, 3
# Below the largest value, what is drawn on a logarithmic scale: the rest is rounding.
DEEPEST = 1e-12


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    found = _profiles(seen)
    if not found:
        along = "autocorrelation, spectrum, correlation_dimension or expansion_entropy"
        return f"it needs analysis={along}"
    if len(found[0].dims) > 2 and len(seen.axes) > 1 and _cells(seen, found[0]) > MOST_LINES:
        return f"it needs one axis, or at most {MOST_LINES} cells"
    return ""


def _profiles(seen: View) -> list[xr.DataArray]:
    """The variables over the first of these dimensions that there is."""
    for dimension in ALONG:
        found = [v for v in seen.data.data_vars.values() if dimension in v.dims]
        # A vector of many entries would be as many lines.
        inner = [
            {str(d) for d in v.dims} - {a.name for a in seen.axes} - {dimension} for v in found
        ]
        small = [
            all(v.sizes[d] <= MOST_LINES for d in dims)
            for v, dims in zip(found, inner, strict=True)
        ]
        if any(small):
            return [v for v, good in zip(found, small, strict=True) if good]
    return []


def _cells(seen: View, variable: xr.DataArray) -> int:
    return int(np.prod([a.values.size for a in seen.axes if a.name in variable.dims]))


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """A panel for each component: lines of few cells, an image of many along one axis."""
    shown = _profiles(seen)[: MOST_PANELS if ax is None else 1]
    single = len(shown) == 1
    page = style.sheet(look, rows=len(shown), ratio=0.62 if single else 0.42, ax=ax, share=True)
    handles: list[Any] = []
    for panel, variable in zip(page.panels, shown, strict=True):
        axes = [a for a in seen.axes if a.name in variable.dims]
        if len(axes) == 1 and axes[0].values.size > MOST_LINES:
            _image(page, panel, seen, variable)
        else:
            handles = _lines(page, panel, seen, variable)
    for panel in page.panels[:-1]:
        panel.set_xlabel("")
    style.legend(page, handles)
    title.write(page, seen, _note(seen, shown[0]))
    return page.figure


def _note(seen: View, variable: xr.DataArray) -> str:
    """The dimension, where it is a single number."""
    names = ("correlation_dimension", "correlation_dimension_error")
    if variable.name != "correlation_sum" or any(seen.data[n].size > 1 for n in names):
        return ""
    slope, error = (float(seen.data[n].values.item()) for n in names)
    return rf"slope ${words.value(slope)} \pm {words.value(error, 1)}$" if slope > 0 else ""


def _along(variable: xr.DataArray) -> str:
    return next(d for d in ALONG if d in variable.dims)


def _positive(values: np.ndarray) -> np.ndarray:
    """NaN where a logarithm would show rounding, or nothing."""
    top = np.nanmax(values, initial=0.0, where=np.isfinite(values))
    return np.where(values > DEEPEST * top, values, np.nan)


def _lines(page: style.Sheet, ax: Axes, seen: View, variable: xr.DataArray) -> list[Any]:
    """One for each cell and entry; the legend's handles."""
    along = _along(variable)
    level, deep = ALONG[along]
    grid = [a for a in seen.axes if a.name in variable.dims]
    own = [str(d) for d in variable.dims if d != along and d not in [a.name for a in grid]]
    arranged = variable.transpose(*[a.name for a in grid], *own, along).values.astype(float)
    x, entries = seen.data[along].values, int(np.prod([variable.sizes[d] for d in own]))
    values = arranged.reshape(-1, entries, len(x))
    values = _positive(values) if deep else values
    names = [words.at(grid, dict(zip([a.name for a in grid], place, strict=True)))
             for place in np.ndindex(*[a.values.size for a in grid])]  # fmt: skip
    cells = view.evenly(len(values), MOST_LINES)
    shades = style.colours(len(cells) * entries)
    handles: list[Any] = []
    for i, cell in enumerate(cells):
        for entry in range(entries):
            parts = [names[cell], f"entry {entry}" if entries > 1 else ""]
            (line,) = ax.plot(
                x, values[cell, entry], color=shades[i * entries + entry],
                linewidth=page.look.line, marker="o" if len(x) <= 60 else "",
                markersize=0.8 * page.look.marker, markeredgewidth=0,
                label=", ".join(filter(None, parts)),
            )  # fmt: skip
            handles.append(line)
    if along == "lag":
        ax.axhline(0, color=style.GREY, linewidth=0.6 * page.look.line, zorder=1)
    for scale, set_scale in ((level, ax.set_xscale), (deep, ax.set_yscale)):
        set_scale("log" if scale else "linear")
    if not level:
        ax.set_xlim(float(x[0]), float(x[-1]))
    if along in ("lag", "expansion_step"):
        style.whole(ax)
    style.abscissa(page, ax, words.label(seen, along))
    style.ordinate(page, ax, words.label(seen, str(variable.name)))
    return handles if len(handles) > 1 else []


def _image(page: style.Sheet, ax: Axes, seen: View, variable: xr.DataArray) -> None:
    """The profile of each value of an axis, as a column of an image."""
    from matplotlib.colors import CenteredNorm, LogNorm, Normalize

    along = _along(variable)
    (axis,) = [a for a in seen.axes if a.name in variable.dims]
    rest = {str(d): 0 for d in variable.dims if d not in (axis.name, along)}
    values = variable.isel(rest).transpose(along, axis.name).values.astype(float)
    order = np.argsort(axis.values, kind="stable")
    norm: Normalize = Normalize()
    if ALONG[along][1]:
        values = _positive(values)
        # A few lines of cycles tower above all else.
        norm = LogNorm(*np.nanquantile(values, [0.02, 0.999]))
    elif along == "lag":
        norm = CenteredNorm(0, 1)
    mesh = ax.pcolormesh(
        axis.values[order], seen.data[along].values, values[:, order], norm=norm,
        cmap="RdBu_r" if along == "lag" else style.heat(), shading="nearest", rasterized=True,
    )  # fmt: skip
    if axis.log:
        style.logarithmic(ax, axis.values.tolist())
    if ALONG[along][0]:
        ax.set_yscale("log")
    style.abscissa(page, ax, words.label(seen, axis.name))
    style.ordinate(page, ax, words.label(seen, along))
    style.colorbar(page, mesh, ax, words.label(seen, str(variable.name)))
