"""Derivatives against one axis, by their moduli, and where they can no longer be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import raster, style, title, view, words
from pipeline.figures.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 6
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1)), (0, (6, 2, 1, 2)))


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if "sensitivity" not in seen.data or not _names(seen):
        return "it needs analysis=sensitivity of components that are no vectors"
    if len(seen.axes) != 1:
        return "it needs exactly one axis"
    return ""


def _names(seen: View) -> list[str]:
    """The derivatives that are one number for each cell."""
    dims = set(seen.data["sensitivity"].dims) if "sensitivity" in seen.data else set()
    return [
        str(name)
        for name, variable in seen.data.data_vars.items()
        if "_by_" in str(name) and set(variable.dims) == dims
    ][:MOST_LINES]


def _label(name: str) -> str:
    """The derivative as a quotient: |d x / d a|."""
    result, _, by = name.partition("_by_")
    what = {"lyapunov": r"\lambda", "objective_final": "f"}.get(result)
    above = what or words.symbol(result.replace("_final", "")).strip("$")
    return rf"$|\partial {above} / \partial {words.symbol(by).strip('$')}|$"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """One line for each derivative; grey where they have outgrown the precision."""
    axis, names = seen.axes[0], _names(seen)
    page = style.sheet(look, ratio=0.62, ax=ax)
    panel = page.panels[0]
    order = np.argsort(axis.values, kind="stable")
    few = axis.values.size <= 60
    table = np.abs(np.stack([seen.data[name].values.astype(float) for name in names]))
    shown = np.where(np.isfinite(table) & (table > 0), table, np.nan)
    panel.set_yscale("log", nonpositive="mask")
    handles: list[Any] = []
    for k, (name, colour) in enumerate(zip(names, style.colours(len(names)), strict=True)):
        handles += panel.plot(
            axis.values[order],
            shown[k][order],
            color=colour,
            linestyle=DASHES[k % len(DASHES)],
            linewidth=page.look.line * (1.0 if axis.values.size < 400 else 0.7),
            marker="o" if few else "",
            markersize=0.8 * page.look.marker,
            markeredgewidth=0,
            label=_label(name),
        )
    handles += _shaded(seen, panel, axis)
    finite = shown[np.isfinite(shown)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.1, 10.0)
    panel.set_ylim(max(float(low), float(high) * 1e-30) / 3, float(high) * 3)
    if axis.log:
        style.logarithmic(panel, axis.values.tolist())
    limits = raster.margins(axis.values, log=axis.log) if few else axis.values[order][[0, -1]]
    panel.set_xlim(*map(float, limits))
    style.abscissa(page, panel, words.label(seen, axis.name))
    style.ordinate(page, panel, "modulus of the derivative")
    style.legend(page, handles)
    title.write(page, seen)
    return page.figure


def _shaded(seen: View, panel: Axes, axis: view.Axis) -> list[Any]:
    """Bands where the derivatives are not those of a small change; the legend's handles."""
    from matplotlib.patches import Patch

    code = seen.data["sensitivity"]
    flags = dict(
        zip(
            str(code.attrs.get("flag_meanings", "")).split(),
            np.ravel(code.attrs.get("flag_values", [])).tolist(),
            strict=False,
        )
    )
    grown = code.values == flags.get("grown", 1)
    if not grown.any():
        return []
    raster.shade(panel, axis.values, grown, log=axis.log)
    return [Patch(facecolor=style.SHADE, edgecolor=style.GREY, linewidth=0.5, label="grown")]
