"""Convergence of a solver: residual and objective against the step, and the path taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import model, style, title, view, words
from pipeline.figures.time_series import names
from pipeline.figures.view import View, number, section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 7
MOST_FAINT = 200
# Distances of the objective so many times larger than any residual do not set the limits.
GROWN = 1e6
LATTICE = 121
DASHED = (0, (4, 2))


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if "residual_norm" not in seen.data or "step_number" not in seen.data["residual_norm"].dims:
        return "it needs analysis=history of a solver"
    return ""


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """Residual norm and distance to the final value; contours with the path in two dimensions."""
    paths = _paths(seen) if ax is None and "objective" in seen.document else None
    page = style.sheet(
        look,
        columns=1 if paths is None else 2,
        wide=paths is not None,
        ratio=0.66 if paths is None else 1.0,
        ax=ax,
    )
    cells = view.evenly(seen.cells, MOST_LINES if seen.cells <= MOST_LINES else MOST_FAINT)
    handles = _history(page, page.panels[0], seen, cells)
    if paths is not None:
        handles += _contours(page, page.panels[1], seen, paths, cells)
    style.legend(page, handles)
    title.write(page, seen)
    return page.figure


def table(seen: View, name: str) -> np.ndarray:
    """[cells, step] a recorded quantity, NaN after a cell stopped."""
    variable = seen.data[name]
    grid = [a.name for a in seen.axes if a.name in variable.dims]
    values = variable.transpose(*grid, "step_number").values.astype(float)
    return values.reshape(-1, values.shape[-1])


def _history(page: style.Sheet, ax: Axes, seen: View, cells: np.ndarray) -> list[Any]:
    """Semilogarithmic lines of one colour per cell; the legend's handles."""
    residual = table(seen, "residual_norm")
    steps = np.arange(residual.shape[1])
    if "step_number" in seen.data.coords:
        steps = seen.data["step_number"].values
    few = cells.size <= MOST_LINES
    distance = _distance(seen) if few else None
    tolerances = tolerated(seen, residual[cells])
    # Scale and limits come before the data: else matplotlib looks at their range, infinite or not.
    ax.set_yscale("log", nonpositive="mask")
    # An objective that grows without bound would push the residuals out of sight.
    near = None if distance is None else distance[cells]
    if near is not None and _largest(near) > GROWN * _largest(residual[cells]):
        near = None
    decades(ax, residual[cells], near, tolerances)
    last = int(np.flatnonzero(np.isfinite(residual[cells]).any(axis=0)).max(initial=1))
    end = float(steps[min(last, steps.size - 1)]) or 1.0
    ax.set_xlim(-0.02 * end, 1.02 * end)
    style.whole(ax)
    handles: list[Any] = []
    labels = names(seen)
    line = page.look.line
    thin, alpha = (line, 1.0) if few else (0.5 * line, 0.5)
    for colour, c in zip(style.colours(cells.size), cells, strict=True):
        dots = "o" if few and np.isfinite(residual[c]).sum() <= 40 else ""
        ax.plot(
            steps,
            positive(residual[c]),
            color=colour,
            linewidth=thin,
            alpha=alpha,
            marker=dots,
            markersize=0.8 * page.look.marker,
            markeredgewidth=0,
        )
        if distance is not None:
            ax.plot(steps, positive(distance[c]), color=colour, linewidth=thin, linestyle=DASHED)
        if few and len(labels) > 1:
            handles.append(stroke(colour, line, "-", labels[c]))
    if distance is not None:
        first = style.PALETTE[0] if cells.size == 1 else style.FRAME
        final = r"$|f - f_{\mathrm{final}}|$"
        handles[:0] = [
            stroke(first, line, "-", "residual norm"),
            stroke(first, line, DASHED, final),
        ]
    if tolerances.size:
        low, high = float(tolerances.min()), float(tolerances.max())
        ax.axhspan(
            low,
            high,
            facecolor=style.SHADE,
            edgecolor=style.GREY,
            linewidth=0.6 * line,
            linestyle=":",
            zorder=0.5,
        )
        handles.append(stroke(style.GREY, 0.8 * line, ":", "tolerance"))
    style.abscissa(page, ax, "step $n$")
    what = "residual norm" if distance is None else "residual norm, objective"
    style.ordinate(page, ax, what)
    return handles


def tolerated(seen: View, residual: np.ndarray) -> np.ndarray:
    """The residual norm at which each cell would stop: absolute + relative x that of the start."""
    solver = section(seen.document, "solver")
    parts = [number(solver.get(f"{kind}_tolerance", 0.0)) for kind in ("absolute", "relative")]
    if any(part is None for part in parts):
        return np.array([])
    absolute, relative = (float(part.real) for part in parts if part is not None)
    found = positive(absolute + relative * residual[:, 0])
    return found[np.isfinite(found)]


def stroke(colour: Any, width: float, dashes: Any, label: str) -> Any:
    """A legend's handle for lines."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linewidth=width, linestyle=dashes, label=label)


def positive(values: np.ndarray) -> np.ndarray:
    """Values that a logarithmic scale can show."""
    with np.errstate(invalid="ignore"):
        return np.where((values > 0) & (values < 1e299), values, np.nan)


def _largest(values: np.ndarray) -> float:
    """The largest finite one, 0 where there is none."""
    return float(np.max(values, initial=0.0, where=np.isfinite(values)))


def decades(ax: Axes, *tables: Any) -> None:
    """Limits that hold what is positive, at most 80 decades below the top."""
    held = [np.ravel(np.asarray(t, dtype=float)) for t in tables if t is not None]
    shown = positive(np.concatenate(held))
    shown = shown[np.isfinite(shown)]
    if not shown.size:
        ax.set_ylim(1e-1, 1e1)
        return
    top = float(shown.max())
    low = max(float(shown.min()), top * 1e-80)
    ax.set_ylim(low / 3, min(top * 3, 1e300))


def _distance(seen: View) -> np.ndarray | None:
    """[cells, step] |f - its last value|; None without an objective."""
    if "objective_value" not in seen.data:
        return None
    values = table(seen, "objective_value")
    finite = np.isfinite(values)
    last = values.shape[1] - 1 - np.argmax(finite[:, ::-1], axis=1)
    final = values[np.arange(values.shape[0]), last]
    with np.errstate(invalid="ignore", over="ignore"):
        return np.abs(values - final[:, None])


def _paths(seen: View) -> tuple[np.ndarray, np.ndarray, list[str]] | None:
    """[cells, n] both coordinates of the iterates and their labels; None unless there are two."""
    quantities = []
    for series in seen.orbits:
        states = seen.data[series.name]
        grid = [a.name for a in seen.axes if a.name in states.dims]
        symbol = words.symbol(series.name)
        if series.inner and series.inner in states.dims:
            for i in range(states.sizes[series.inner]):
                part = states.isel({series.inner: i}).transpose(*grid, "iteration").values
                quantities.append((part, f"{symbol[:-1]}_{{{i}}}$"))
        else:
            quantities.append((states.transpose(*grid, "iteration").values, symbol))
    if len(quantities) != 2 or any(s.complex for s in seen.orbits):
        return None
    flat = [q.reshape(-1, q.shape[-1]).astype(float) for q, _ in quantities]
    if not any(np.isfinite(part).any() for part in flat):
        return None
    return flat[0], flat[1], [name for _, name in quantities]


def _contours(
    page: style.Sheet, ax: Axes, seen: View, paths: tuple[Any, Any, list[str]], cells: np.ndarray
) -> list[Any]:
    """The objective's level lines with the iterates on them."""
    from matplotlib.lines import Line2D

    u, v, labels = paths
    gone = view.lost(seen)
    gone = gone.transpose(*[a.name for a in seen.axes]).values.ravel()
    kept = [c for c in cells if not gone[c]] or list(cells[:1])
    box = []
    for part in (u[kept], v[kept]):
        fine = part[np.isfinite(part)]
        low, high = (float(fine.min()), float(fine.max())) if fine.size else (-1.0, 1.0)
        box.append((low, high))
    span = max(high - low for low, high in box) or 1.0
    # Neither side much shorter than the other: a path along one coordinate still has a width.
    box = [
        ((low + high) / 2 - half, (low + high) / 2 + half)
        for low, high in box
        for half in [max(0.62 * max(high - low, 0.5 * span), 1e-6 * abs(low))]
    ]
    x, y = (np.linspace(*side, LATTICE) for side in box)
    surface = model.surface(seen, {}, x, y)
    if surface is not None and np.isfinite(surface).any():
        _levels(page, ax, seen, x, y, surface)
    line = page.look.line
    for colour, c in zip(style.colours(cells.size), cells, strict=True):
        short = np.isfinite(u[c]).sum() <= 60
        ax.plot(
            u[c],
            v[c],
            color=style.PALETTE[1] if cells.size == 1 else colour,
            linewidth=0.9 * line,
            marker="o" if short else "",
            markersize=0.8 * page.look.marker,
            markeredgewidth=0,
            zorder=3,
        )
        both = np.flatnonzero(np.isfinite(u[c]) & np.isfinite(v[c]))
        if both.size:
            start, end = both[[0, -1]]
            ax.plot(
                u[c, start],
                v[c, start],
                marker="o",
                color="white",
                markeredgecolor="black",
                markersize=1.4 * page.look.marker,
                markeredgewidth=0.8 * line,
                zorder=4,
            )
            ax.plot(
                u[c, end],
                v[c, end],
                marker="*",
                color="black",
                markeredgecolor="white",
                markersize=2.6 * page.look.marker,
                markeredgewidth=0.5 * line,
                zorder=5,
            )
    ax.set_xlim(*box[0])
    ax.set_ylim(*box[1])
    style.abscissa(page, ax, labels[0])
    style.ordinate(page, ax, labels[1])
    size = page.look.marker
    return [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            color="white",
            markeredgecolor="black",
            markersize=1.4 * size,
            label="start",
        ),
        Line2D(
            [], [], linestyle="none", marker="*", color="black", markersize=2.4 * size, label="end"
        ),
    ]


def _levels(
    page: style.Sheet, ax: Axes, seen: View, x: np.ndarray, y: np.ndarray, f: np.ndarray
) -> None:
    """Level lines, closer towards the optimum: valleys such as Rosenbrock's would not show else."""
    rising = -f if str(seen.iterated.get("sense", "")).startswith("max") else f
    fine = rising[np.isfinite(rising)]
    low, high = float(fine.min()), float(fine.max())
    if not high > low:
        return
    levels = low + (high - low) * np.geomspace(1e-4, 1.0, 13)
    depth = np.log10(np.maximum((rising - low) / (high - low), 1e-4))
    shown = np.ma.masked_invalid(depth)
    ticks = np.log10(np.geomspace(1e-4, 1.0, 13))
    ax.contourf(x, y, shown, levels=ticks, cmap="Blues_r", alpha=0.35, zorder=0.5, extend="min")
    ax.contour(
        x,
        y,
        np.ma.masked_invalid(rising),
        levels=levels[:-1],
        colors=style.GREY,
        linewidths=0.45 * page.look.line,
        zorder=1,
    )
