"""Cobweb: the curve of a one-dimensional map, the diagonal, and the staircase of an orbit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from pipeline.figures import model, style, title, view, words
from pipeline.figures.view import View, lost, section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More steps fill the picture with ink.
MOST_STEPS = 150
# An escaping orbit is drawn until it is so many times as far out as it began.
FAR = 10


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if len(seen.orbits) != 1 or seen.orbits[0].inner or seen.orbits[0].complex:
        return "it needs the orbit (analysis=orbit) of a map of one real component"
    if seen.solver != "direct":
        return "it draws a map's own iteration (solver=direct)"
    numbers = seen.data["iteration"].values
    if numbers.size < 2 or numbers[1] - numbers[0] != 1:
        return "it needs successive states (analysis.orbit.every=1), two at least"
    if section(seen.iterated, "function"):
        return "its map is a Python function, of which an archive has nothing to draw"
    if _counts(seen):
        return "its map changes from step to step (a formula uses n), so it has no one curve"
    if model.scalar(seen, {}) is None:
        return "the dataset's document has no formula that can be drawn"
    return ""


def _counts(seen: View) -> bool:
    """Whether a formula of the map uses the number of steps."""
    parts = (section(seen.iterated, key) for key in ("equations", "definitions"))
    return any(re.search(r"\bn\b", str(text)) for part in parts for text in part.values())


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The staircase of the first cell that did not escape."""
    series = seen.orbits[0]
    index = view.first(seen)
    x = view.cell(seen, index)[series.name].values.astype(float)
    first = int(seen.data["iteration"].values[0])
    finite = np.flatnonzero(~np.isfinite(x))
    x = x[: finite[0]] if finite.size else x
    # An orbit on its way to infinity would shrink all that came before to a point.
    gone = np.flatnonzero(np.abs(x) > FAR * max(1.0, abs(x[0]))) if x.size else x
    if lost(seen).any() and gone.size:
        x = x[: max(2, gone[0])]
    path = x[:MOST_STEPS]
    path = path if path.size else np.array([0.0])
    g = model.scalar(seen, index)
    page = style.sheet(look, ratio=1.0 if look.name == "paper" else 0.86, ax=ax)
    panel = page.panels[0]

    low, high = _room(path)
    line = 0.9 * look.line
    grid = np.linspace(low, high, 2001)
    if g is not None:
        curve = _unjoined(g(grid), high - low)
        panel.plot(
            grid, curve, color=style.PALETTE[0], linewidth=1.5 * look.line, label="$g(x)$", zorder=3
        )
    panel.plot([low, high], [low, high], color=style.GREY, linewidth=line, zorder=2)
    stairs = np.repeat(path, 2)
    across, up = stairs[:-1], stairs[1:]
    faint = float(np.clip(6 / path.size**0.5, 0.45, 1.0))
    panel.plot(
        across,
        up,
        color=style.PALETTE[1],
        linewidth=line * (1 if path.size < 60 else 0.6),
        alpha=faint,
        zorder=4,
    )
    panel.plot(
        path[:1],
        path[:1],
        marker="o",
        markersize=1.3 * look.marker,
        color="white",
        markeredgecolor=style.PALETTE[1],
        markeredgewidth=line,
        linestyle="none",
        zorder=5,
    )
    panel.set_xlim(low, high)
    panel.set_ylim(low, high)
    panel.set_aspect("equal", adjustable="box")
    name = words.symbol(series.name).strip("$")
    style.abscissa(page, panel, f"${name}_n$")
    style.ordinate(page, panel, f"${name}_{{n+1}}$")
    _key(page, panel, name, first)
    title.write(page, seen, _note(seen, index, path.size, x.size, first))
    return page.figure


def _room(path: np.ndarray) -> tuple[float, float]:
    """Limits of both axes: the path with a margin, never a vanishing interval."""
    low, high = float(path.min()), float(path.max())
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high), 1e-300):
        span = abs(high) or 1.0
        return low - 0.5 * span, high + 0.5 * span
    return low - 0.1 * span, high + 0.1 * span


def _unjoined(curve: np.ndarray, span: float) -> np.ndarray:
    """A sampled curve without the strokes across its jumps."""
    with np.errstate(invalid="ignore"):
        step = np.abs(np.diff(curve))
    usual = float(np.nanmedian(step)) if np.isfinite(step).any() else 0.0
    broken = np.concatenate([[False], step > max(0.2 * span, 50 * usual)])
    return np.where(broken | ~np.isfinite(curve), np.nan, curve)


def _key(page: style.Sheet, panel: Axes, name: str, first: int) -> None:
    """What is the curve, the diagonal, the start."""
    from matplotlib.lines import Line2D

    look = page.look
    style.legend(
        page,
        [
            Line2D([], [], color=style.PALETTE[0], linewidth=1.5 * look.line, label=f"$g({name})$"),
            Line2D([], [], color=style.GREY, linewidth=look.line, label="diagonal"),
            Line2D([], [], color=style.PALETTE[1], linewidth=look.line, label="orbit"),
            Line2D(
                [],
                [],
                marker="o",
                linestyle="none",
                markersize=1.3 * look.marker,
                label=f"${name}_{{{first}}}$",
                color="white",
                markeredgecolor=style.PALETTE[1],
                markeredgewidth=0.9 * look.line,
            ),
        ],
    )


def _note(seen: View, index: dict[str, int], drawn: int, held: int, first: int) -> str:
    """Which cell and which steps are drawn, where that is not all."""
    parts = [words.at(seen.axes, index)] if index else []
    if drawn < held:
        parts.append(f"steps {first} to {first + drawn - 1}")
    elif first > 0:
        parts.append(f"from step {first}")
    return ", ".join(parts)
