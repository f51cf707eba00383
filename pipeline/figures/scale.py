"""Colour scales: which colour each value of a quantity over a plane gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import curve, raster, status_map, style, view, words
from pipeline.figures.view import Axis, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

ESCAPES = ("escape_iteration", "escape_smooth")
NEVER = "#000000"
# Cycles are cold and chaos is warm; both are pale at 0, but not of the same hue, so that the
# border between them shows.
COLD = ("#08214F", "#1B5A9D", "#5FA3D3", "#B5D6EC", "#EEF6FC")
WARM = ("#FFF1B8", "#FDC65A", "#F28A30", "#CC3F26", "#7A0C1E")
# From the dark of the far plane to the light of the border, which black then encloses.
GLOW = "YlGnBu_r"
# Where the counts of one picture span such a ratio, equal ratios are equal steps of colour.
WIDE = {"escape_iteration": 4, "escape_smooth": 4, "steps": 20}


@dataclass(frozen=True)
class Scale:
    """How values become colours.

    Attributes:
        limits: the values at the ends of the palette.
        missing: colour of a value that is not finite.
        meaning: of such a value, for the legend.
        logarithmic: whether the ticks stand at 1, 2 and 5 times powers of ten.
    """

    norm: Normalize
    limits: tuple[float, float]
    palette: Colormap
    missing: str
    meaning: str
    logarithmic: bool = False


def paint(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    variable: xr.DataArray,
    index: Mapping[str, int],
    x: Axis,
    y: Axis,
) -> list[Any]:
    """Paint a plane of numbers beside its colour scale; the legend's handles.

    Args:
        index: where the variable's other dimensions are held.
    """
    from matplotlib.patches import Patch

    name = str(variable.name)
    raw = variable.isel(index).transpose(y.name, x.name).values
    values = curve.clean(seen, variable).isel(index).transpose(y.name, x.name).values
    if name in ESCAPES:
        values = np.where(values < 0, np.nan, values)
    chosen = _scale(seen, name, values)
    if name == "lyapunov":
        # A superstable cycle: the coldest there is, not a cell without a result.
        values = np.where(raw == -np.inf, chosen.limits[0] - 1.0, values)
    cmap = chosen.palette.with_extremes(bad=chosen.missing)
    cmap.colorbar_extend = _cut(values, *chosen.limits)  # type: ignore[reportAttributeAccessIssue]  # a literal type
    shown = np.ma.masked_invalid(values)
    image = status_map.lay(ax, shown, x, y, cmap=cmap, norm=chosen.norm)
    bar = style.colorbar(page, image, ax, words.label(seen, name))
    if bar is not None and chosen.logarithmic:
        style.plain(bar.ax.yaxis)
    if not np.isnan(values).any():
        return []
    return [
        Patch(facecolor=chosen.missing, edgecolor=style.FRAME, linewidth=0.4, label=chosen.meaning)
    ]


def _scale(seen: View, name: str, values: np.ndarray) -> Scale:
    """The scale of a quantity: exponents about 0, escapes towards black, anything else even."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    low, high = raster.limits(values.ravel(), values.ravel(), margin=0.0)
    missing = style.SHADE, "escaped" if view.lost(seen).any() else "no value"
    if name == "lyapunov" and low < 0 < high:
        low = curve.deep(values, low, high)[0]
        return Scale(_about_zero(low, high), (low, high), _exponents(), *missing)
    if name in ESCAPES:
        missing = NEVER, "never"
    palette = colormaps[GLOW if name in ESCAPES else "viridis"]
    if name in WIDE and high > WIDE[name] * max(low, 1):
        low = max(low, 1)
        return Scale(LogNorm(low, high, clip=True), (low, high), palette, *missing, True)
    return Scale(Normalize(low, high), (low, high), palette, *missing)


def _cut(values: np.ndarray, low: float, high: float) -> str:
    """Which ends of a scale have values beyond them, as matplotlib names them."""
    finite = values[np.isfinite(values)]
    below, above = bool((finite < low).any()), bool((finite > high).any())
    return {(False, False): "neither", (True, False): "min", (False, True): "max"}.get(
        (below, above), "both"
    )


def _about_zero(low: float, high: float) -> Normalize:
    """0 in the middle; the negative side by the square root, which parts its small values.

    Deep minima belong to the few cycles of low period; the many small islands are shallow.
    """
    from matplotlib.colors import FuncNorm

    def forward(v: Any) -> Any:
        v = np.asarray(v, dtype=float)
        return np.where(v < 0, -np.sqrt(np.maximum(-v, 0) / -low), v / high)

    def inverse(u: Any) -> Any:
        u = np.asarray(u, dtype=float)
        return np.where(u < 0, low * u**2, high * u)

    return FuncNorm((forward, inverse), low, high)


def _exponents() -> Colormap:
    """Cold below the middle, warm above."""
    from matplotlib.colors import LinearSegmentedColormap

    places = [*np.linspace(0, 0.5, len(COLD)), *np.linspace(0.5, 1, len(WARM))]
    return LinearSegmentedColormap.from_list(
        "exponents", list(zip(places, (*COLD, *WARM), strict=True)), N=512
    )
