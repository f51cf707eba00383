"""One number against one axis: the curve of an exponent, a period, a count of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import raster, style, view, words
from pipeline.figures.view import Axis, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


# Of the ordinate: a narrower band is hidden by its line.
FINEST_BAND = 0.01


def clean(seen: View, variable: xr.DataArray) -> xr.DataArray:
    """A variable as floats, NaN where the cell was lost, unless being lost is what it tells."""
    values = variable.astype(float).where(np.isfinite(variable.astype(float)))
    if np.issubdtype(variable.dtype, np.integer) or str(variable.name).startswith("escape_"):
        return values
    gone = view.lost(seen)
    return values.where(~gone) if set(gone.dims) <= set(variable.dims) else values


def lines(page: style.Sheet, ax: Axes, seen: View, variable: xr.DataArray, axis: Axis) -> list[Any]:
    """One line for each entry of the further dimension; the legend's handles."""
    values = clean(seen, variable).transpose(axis.name, ...)
    table = values.values.reshape(axis.values.size, -1)
    order = np.argsort(axis.values, kind="stable")
    inner = [str(d) for d in variable.dims if d != axis.name]
    handles: list[Any] = []
    whole = np.issubdtype(variable.dtype, np.integer)
    few = axis.values.size <= 60
    for i, colour in enumerate(style.colours(table.shape[1])):
        (line,) = ax.plot(
            axis.values[order],
            table[order, i],
            color=colour,
            linewidth=page.look.line * (1.0 if axis.values.size < 400 else 0.7),
            linestyle="none" if whole else "-",
            marker="o" if whole or few else "",
            markersize=0.8 * page.look.marker if few else 0.5 * page.look.marker,
            markeredgewidth=0,
        )
        line.set_label(f"{inner[0].replace('_', ' ')} {i + 1}" if table.shape[1] > 1 else "")
        handles.append(line)
    low, high = raster.limits(
        np.fmin.reduce(table, axis=1), np.fmax.reduce(table, axis=1), margin=0.06
    )
    if str(variable.name) == "lyapunov":
        ax.axhline(0, color=style.GREY, linewidth=0.6 * page.look.line, zorder=1)
        low, high = deep(table, low, high)
        handles += _errors(ax, seen, axis, table, high - low)
        handles += _below(page, ax, seen, variable, axis, low)
    gone = view.lost(seen)
    if gone.dims == (axis.name,) and gone.any():
        from matplotlib.patches import Patch

        raster.shade(ax, axis.values, gone.values, log=axis.log)
        handles.append(
            Patch(facecolor=style.SHADE, edgecolor=style.GREY, linewidth=0.5, label="escaped")
        )
    if axis.log:
        style.logarithmic(ax, axis.values.tolist())
    ax.set_xlim(
        *map(float, raster.margins(axis.values, log=axis.log))
        if few
        else sorted(axis.values[[0, -1]])
    )
    ax.set_ylim(low, high)
    style.abscissa(page, ax, words.label(seen, axis.name))
    style.ordinate(page, ax, words.label(seen, str(variable.name)))
    return [h for h in handles if h.get_label()]


def _errors(ax: Axes, seen: View, axis: Axis, table: np.ndarray, height: float) -> list[Any]:
    """A band of one standard error, where it is wider than the line; the legend's handles."""
    found = seen.data.get("lyapunov_error")
    if found is None or found.size != table.size:
        return []
    errors = found.transpose(axis.name, ...).values.reshape(table.shape)
    known = np.isfinite(errors) & np.isfinite(table)
    if not known.any() or np.quantile(errors[known], 0.95) < FINEST_BAND * height:
        return []
    order = np.argsort(axis.values, kind="stable")
    bands = [
        ax.fill_between(
            axis.values[order],
            middle - width,
            middle + width,
            facecolor=style.GREY,
            edgecolor="none",
            alpha=0.5,
            label="standard error",
            zorder=1.5,
        )
        for middle, width in zip(table[order].T, errors[order].T, strict=True)
    ]
    return bands[:1]


def _below(
    page: style.Sheet, ax: Axes, seen: View, variable: xr.DataArray, axis: Axis, low: float
) -> list[Any]:
    """Mark where exponents lie below the scale; the legend's handles."""
    kept = variable.where(~view.lost(seen)).transpose(axis.name, ...).values
    kept = kept.reshape(axis.values.size, -1)
    beyond = (kept < low).any(axis=1)
    if not beyond.any():
        return []
    (marks,) = ax.plot(
        axis.values[beyond],
        np.full(int(beyond.sum()), 0.03),
        transform=ax.get_xaxis_transform(),
        linestyle="none",
        marker="v",
        markersize=page.look.marker,
        markeredgewidth=0,
        color=style.PALETTE[1],
        label=f"below the scale, down to ${words.value(float(kept[beyond].min()), 3)}$",
    )
    return [marks]


def deep(table: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Limits of exponents: superstable cycles reach towards minus infinity and are cut off."""
    finite = table[np.isfinite(table)]
    if finite.size and low < 0:
        usual = float(np.quantile(finite, 0.02))
        if low < 2 * usual < 0:
            low = 1.5 * usual
    return low, high
