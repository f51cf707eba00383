"""Residuals of several solvers in one picture, against their steps and against their work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import convergence, style, view
from pipeline.figures.convergence import decades, positive, stroke, table, tolerated
from pipeline.figures.joint import heading
from pipeline.figures.joint.run import Run, endings, named, varying
from pipeline.figures.joint.strokes import COLOURS, DASHES, Stroke, strokes
from pipeline.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Beyond so many cells of one run the lines are a blot.
MOST_CELLS = 20
# Colours and dashes.
MOST_RUNS = len(COLOURS) * len(DASHES)
# What does not converge may grow; so many times the largest residual of what does is shown.
GROWN = 10
# Where the longest history has so many times the steps of the shortest, the abscissa is
# logarithmic from 1 on.
LONG = 10
LABELS = {"steps": "step $n$", "evaluations": "evaluations"}
COST = "step_evaluations"


@dataclass(frozen=True)
class Line:
    """The history of one cell.

    Attributes:
        abscissae: {measure: [n]}.
        residual: [n] up to the step at which it ended.
        end: empty where it converged to what is sought, else what became of it.
        converged: whether it came within the tolerance.
    """

    abscissae: dict[str, np.ndarray]
    residual: np.ndarray
    end: str
    converged: bool


def fits(runs: Sequence[Run], work: str) -> str:
    """Empty, or why there is no such picture."""
    if len(runs) > MOST_RUNS:
        return f"of {len(runs):,} jobs their lines could not be told apart; at most {MOST_RUNS}"
    for run in runs:
        if not run.error and (reason := convergence.fits(view.read(run.data))):
            return f"{reason} in each job"
        if not run.error and work == "evaluations" and COST not in run.data:
            return "an archive does not count evaluations; choose figure.work=steps"
    if work == "seconds":
        return "a history has no times; choose figure.work=steps or evaluations"
    return ""


def draw(runs: Sequence[Run], look: style.Look, work: str) -> Figure:
    """One line for each run, in the order in which they converged; those that did not come last."""
    labels = varying(runs)
    found = {run: _lines(run) for run in runs if not run.error}
    ranked = sorted(found, key=lambda run: _rank(found[run]))
    every = [line for lines in found.values() for line in lines]
    measures = [work]
    if work == "auto":
        counted = all("evaluations" in line.abscissae for line in every)
        measures = ["steps", "evaluations"] if counted else ["steps"]
    page = style.sheet(look, columns=len(measures), wide=len(measures) > 1, ratio=0.9)
    chosen = dict(zip(ranked, strokes(len(ranked)), strict=True))
    seen = [line.residual for line in every if line.converged] or [e.residual for e in every]
    starts = [line.residual[:1] for line in every]
    tolerances = np.concatenate(
        [tolerated(view.read(run.data), _residual(run)) for run in found] or [np.array([])]
    )
    for ax, measure in zip(page.panels, measures, strict=True):
        ax.set_yscale("log", nonpositive="mask")
        decades(ax, np.concatenate([*seen, *starts]), tolerances)
        low, high = ax.get_ylim()
        ax.set_ylim(low, high * GROWN / 3)
        _abscissa(page, ax, measure, [line.abscissae[measure] for line in every])
        for run in ranked:
            for line in found[run]:
                _draw(page, ax, line, measure, chosen[run], faint=len(found[run]) > 1)
        for tolerance in np.unique(tolerances):
            ax.axhline(tolerance, color=style.GREY, linewidth=0.6, linestyle=":", zorder=0.5)
    style.ordinate(page, page.panels[0], "residual norm")
    for ax in page.panels[1:]:
        ax.tick_params(labelleft=False)
    handles = [_handle(page, named(run, labels), found[run], chosen[run]) for run in ranked]
    handles += [
        stroke("none", 0, "-", f"{named(run, labels)}: failed") for run in runs if run.error
    ]
    if tolerances.size:
        handles.append(stroke(style.GREY, 0.8 * page.look.line, ":", "tolerance"))
    style.legend(page, handles, columns=3)
    heading.write(page, runs, "several problems")
    return page.figure


def _residual(run: Run) -> np.ndarray:
    """[cells, n] of some cells, evenly."""
    found = table(view.read(run.data), "residual_norm")
    return found[view.evenly(len(found), MOST_CELLS)]


def _lines(run: Run) -> list[Line]:
    """The histories of a run's cells."""
    seen = view.read(run.data)
    residual = _residual(run)
    some = view.evenly(seen.cells, MOST_CELLS)
    cost = table(seen, COST)[some] if COST in run.data else None
    status, ends = endings(run)
    lines = []
    for c, row in enumerate(residual):
        # The first entry that is missing follows the last step.
        end = int(np.argmax(np.isnan(row))) if np.isnan(row).any() else row.size
        abscissae = {"steps": np.arange(end)}
        if cost is not None:
            abscissae["evaluations"] = np.cumsum(cost[c, :end])
        place = some[c]
        reached = bool(status[place] == Status.converged)
        lines.append(Line(abscissae, row[:end], ends[place], reached))
    return lines


def _rank(lines: Sequence[Line]) -> tuple[bool, float]:
    """What converged comes first, the quickest before the others."""
    return not all(line.converged for line in lines), max(line.residual.size for line in lines)


def _abscissa(page: style.Sheet, ax: Axes, measure: str, values: Sequence[np.ndarray]) -> None:
    ends = [max(float(v[-1]), 1.0) for v in values if v.size]
    longest = max(ends, default=1.0)
    if longest > LONG * min(ends, default=1.0):
        if all(v[0] > 0 for v in values if v.size):
            ax.set_xscale("log")
            ax.set_xlim(0.8, 1.4 * longest)
        else:
            ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
            ax.set_xlim(-0.15, 1.4 * longest)
    else:
        ax.set_xlim(-0.02 * longest, 1.04 * longest)
        style.whole(ax)
    style.abscissa(page, ax, LABELS[measure])


def _draw(
    page: style.Sheet, ax: Axes, line: Line, measure: str, look: Stroke, *, faint: bool
) -> None:
    # A residual of 0 stands at the lower edge.
    floor = np.where(line.residual == 0, ax.get_ylim()[0], line.residual)
    x, y = line.abscissae[measure], positive(floor)
    width = page.look.line * (0.5 if faint or not line.converged else 1.0)
    ax.plot(x, y, color=look.colour, linestyle=look.dashes, linewidth=width)
    shown = np.flatnonzero(np.isfinite(y))
    if not shown.size:
        return
    size = 1.1 * page.look.marker
    end = (x[shown[-1:]], np.minimum(y[shown[-1:]], ax.get_ylim()[1]))
    if line.converged:
        ax.plot(
            *end,
            marker="o",
            color=look.colour,
            markersize=size,
            markeredgewidth=0,
            clip_on=False,
            zorder=3,
        )
    else:
        ax.plot(
            *end,
            marker="X",
            color="white",
            markeredgecolor=look.colour,
            markersize=1.4 * size,
            clip_on=False,
            zorder=4,
        )


def _handle(page: style.Sheet, name: str, lines: Sequence[Line], look: Stroke) -> Any:
    """Of a legend: the name, and how it ended where it did not converge."""
    ends = [line.end for line in lines if line.end]
    shown = f"{name}: {ends[0]}" if ends else name
    handle = stroke(look.colour, page.look.line, look.dashes, shown)
    lost = not all(line.converged for line in lines)
    handle.set_marker("X" if lost else "o")
    handle.set_markersize((1.5 if lost else 1.1) * page.look.marker)
    handle.set_markeredgecolor(look.colour)
    if lost:
        handle.set_markerfacecolor("white")
    return handle
