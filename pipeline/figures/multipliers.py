"""Multipliers of cycles: against a parameter where they are real, else in the complex plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.figures import branches, cycles, style, title, words
from pipeline.figures.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Beyond the unit circle the scale is logarithmic, out to at most so many powers of ten.
MOST_DECADES = 4


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    return "" if "multiplier_re" in seen.data else "it needs analysis=cycles"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """A single one over the longest parameter axis; several, or without an axis, in the plane."""
    cut = cycles.middle(seen)
    shown = View(seen.data.isel(cut), seen.document, seen.axes, seen.series)
    lines = bool(seen.parameters) and seen.data.sizes["multiplier"] == 1
    page = style.sheet(look, ratio=0.62 if lines else 0.9, ax=ax)
    if lines:
        _curves(page, page.panels[0], shown)
    else:
        _circle(page, page.panels[0], shown)
    style.legend(page, cycles.handles(page, shown, lines=lines), columns=6)
    title.write(page, seen, words.at(seen.parameters, cut))
    return page.figure


def squeezed(values: np.ndarray) -> np.ndarray:
    """Complex numbers as they are drawn: |z| up to 1, 1 + log10 |z| beyond."""
    size = np.abs(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size <= 1, values, values / size * (1 + np.log10(np.maximum(size, 1))))


def _decades(values: np.ndarray) -> int:
    largest = np.nanmax(np.abs(values), initial=1.0)
    return int(np.clip(np.ceil(np.log10(largest)), 1, MOST_DECADES))


def _ticks(most: int) -> tuple[list[float], list[str]]:
    """Places and names of 0 and of the powers of ten."""
    names = [str(10**k) if k < 3 else f"10^{k}" for k in range(most + 1)]
    sides = [*(f"$-{name}$" for name in reversed(names)), "$0$", *(f"${name}$" for name in names)]
    return [float(k) for k in range(-most - 1, most + 2)], sides


def _curves(page: style.Sheet, ax: Axes, seen: View) -> None:
    axis = cycles.longest(seen)
    order = np.argsort(axis.values, kind="stable")
    data = seen.data.isel({axis.name: order, "multiplier": 0})
    x = axis.values[order]
    values, periods, stable = (
        data[name].transpose(axis.name, "cycle").values
        for name in ("multiplier_re", "cycle_period", "cycle_stable")
    )
    most = _decades(values)
    shown = squeezed(values)
    for period, colour in reversed(cycles.palette(seen).items()):
        for code, _ in cycles.KINDS:
            own = (periods == period) & (stable == code)
            held = [shown[i, own[i]] for i in range(x.size)]
            kind = {"colour": colour, "stable": bool(code), "height": 2.0 + 2 * most}
            branches.draw(page, ax, x, held, **kind)
    ax.axhspan(-1, 1, facecolor=style.SHADE, alpha=0.6, edgecolor="none", zorder=0.5)
    if axis.log:
        style.logarithmic(ax, x.tolist())
    ax.set_xlim(*x[[0, -1]])
    ax.set_ylim(-1 - most, 1 + most)
    ax.set_yticks(*_ticks(most))
    style.abscissa(page, ax, words.label(seen, axis.name))
    style.ordinate(page, ax, "multiplier")


def _circle(page: style.Sheet, ax: Axes, seen: View) -> None:
    values = seen.data["multiplier_re"].values + 1j * seen.data["multiplier_im"].values
    dims = seen.data["multiplier_re"].dims
    at = dims.index("cycle")
    values = np.moveaxis(values, (at, dims.index("multiplier")), (-2, -1))
    periods, stable = (
        np.moveaxis(seen.data[name].values, seen.data[name].dims.index("cycle"), -1)
        for name in ("cycle_period", "cycle_stable")
    )
    most = _decades(values)
    shown = squeezed(values)
    for power in range(most + 1):
        ring = (1 + power) * np.exp(1j * np.linspace(0, 2 * np.pi, 361))
        width = (1.0 if power == 0 else 0.5) * page.look.line
        grey = style.FRAME if power == 0 else style.SHADE
        ax.plot(np.real(ring), np.imag(ring), color=grey, linewidth=width, zorder=1)
    ax.fill(
        np.cos(np.linspace(0, 2 * np.pi, 361)),
        np.sin(np.linspace(0, 2 * np.pi, 361)),
        facecolor=style.SHADE,
        alpha=0.6,
        zorder=0.5,
    )
    for period, colour in reversed(cycles.palette(seen).items()):
        for code, _ in cycles.KINDS:
            own = shown[(periods == period) & (stable == code)].ravel()
            cycles.mark(page, ax, np.real(own), np.imag(own), colour, stable=bool(code))
    edge = 1.05 * (1 + most)
    ax.set_xlim(-edge, edge)
    ax.set_ylim(-edge, edge)
    ax.set_aspect("equal", adjustable="box")
    ax.set_xticks(*_ticks(most))
    ax.set_yticks(*_ticks(most))
    style.abscissa(page, ax, "Re multiplier")
    style.ordinate(page, ax, "Im multiplier")
