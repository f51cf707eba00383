"""Performance profile: the share of problems solved within a multiple of the least work.

(Dolan and Moré 2002, doi:10.1007/s101070100263.) A cell is solved where it has converged, by the
residual's tolerance, to a point that is not of an unwanted kind, and where the objective is not
worse than the best that any of the solvers has come to so: a worse local optimum is no solution.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.figures import style, view
from pipeline.figures.convergence import stroke
from pipeline.figures.joint import heading
from pipeline.figures.joint.run import Run, competing, endings, named, varying
from pipeline.figures.joint.strokes import strokes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What an objective may exceed the best one by, of its modulus, or of 1 where that is less.
WORSE = 1e-6
# Problems that no solver solves, named in the title.
MOST_NAMED = 4
MEASURES = {"evaluations": "evaluations", "steps": "steps", "seconds": "time"}


@dataclass(frozen=True)
class Race:
    """What each solver needed for each problem.

    Attributes:
        solvers, problems: their names.
        work: [problems, solvers] infinite where it is not solved.
    """

    solvers: tuple[str, ...]
    problems: tuple[str, ...]
    work: np.ndarray

    @property
    def ratios(self) -> np.ndarray:
        """[problems, solvers] the work over the least that any solver needed."""
        least = np.min(self.work, axis=1, keepdims=True, initial=np.inf)
        return self.work / np.where(np.isfinite(least), least, 1.0)


def fits(runs: Sequence[Run], work: str) -> str:
    """Empty, or why there is no such picture."""
    if not competing(runs):
        return "it needs a sweep over solvers, such as solver=newton,gradient"
    if any("steps" not in run.data for run in runs if not run.error):
        return "it needs solvers that seek something"
    return ""


def draw(runs: Sequence[Run], look: style.Look, work: str) -> Figure:
    """A line for each solver; where it ends tells how many it solves at all."""
    measure = "evaluations" if work == "auto" else work
    found = race(runs, measure)
    page = style.sheet(look, ratio=0.62)
    (ax,) = page.panels
    ratios, count = found.ratios, len(found.problems)
    solved = np.isfinite(ratios).sum(axis=0)
    finite = ratios[np.isfinite(ratios)]
    end = 1.15 * float(finite.max(initial=2.0))
    ax.set_xscale("log", base=2)
    handles = []
    # The one that solves most comes first; of two, the one that is the best more often.
    order = sorted(
        range(len(found.solvers)), key=lambda s: (-solved[s], -(ratios[:, s] == 1).sum())
    )
    for s, pen in zip(order, strokes(len(order)), strict=True):
        steps = np.sort(ratios[:, s][np.isfinite(ratios[:, s])])
        x = np.concatenate([[1.0], steps, [end]])
        y = np.concatenate([[0.0], np.arange(1, steps.size + 1), [steps.size]]) / count
        line = {"color": pen.colour, "linestyle": pen.dashes, "linewidth": look.line}
        ax.plot(x, y, drawstyle="steps-post", **line)
        text = f"{found.solvers[s]}: {solved[s]}"
        handles.append(stroke(pen.colour, look.line, pen.dashes, text))
    ax.set_xlim(1.0, end)
    ax.set_ylim(0.0, 1.02)
    style.plain(ax.xaxis)
    style.abscissa(page, ax, f"{MEASURES[measure]} over the least of any solver")
    style.ordinate(page, ax, "share of the problems solved")
    style.legend(page, handles, columns=3)
    none = [
        name for name, row in zip(found.problems, ratios, strict=True) if not np.isfinite(row).any()
    ]
    heading.write(page, runs, f"{count} problems", _unsolved(none))
    return page.figure


def _unsolved(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"solved by none: {', '.join(names[:MOST_NAMED])}{more}"


def race(runs: Sequence[Run], measure: str) -> Race:
    """The work that each solver needed for each problem: each combination of labels, each cell."""
    apart = competing(runs)
    others = [label for label in varying(runs) if label not in apart]
    solvers = list(dict.fromkeys(named(run, apart) for run in runs))
    work: dict[tuple[str, int], dict[str, float]] = {}
    values: dict[tuple[str, int], dict[str, float]] = {}
    for run in runs:
        problem, solver = named(run, others), named(run, apart)
        if run.error:
            work.setdefault((problem, 0), {})
            continue
        for cell, (took, value) in enumerate(zip(*_cells(run, measure), strict=True)):
            work.setdefault((problem, cell), {})[solver] = took
            values.setdefault((problem, cell), {})[solver] = value
    table = np.full((len(work), len(solvers)), np.inf)
    for (row, key), (column, solver) in itertools.product(enumerate(work), enumerate(solvers)):
        took = work[key].get(solver, math.inf)
        own = values.get(key, {})
        reached = [own[s] for s in own if math.isfinite(work[key][s])]
        if math.isfinite(took) and not own[solver] > allowed(min(reached)):
            table[row, column] = took
    several = any(cell for _, cell in work)
    names = tuple(f"{name} {cell}" if several else name for name, cell in work)
    return Race(tuple(solvers), names, table)


def allowed(best: float) -> float:
    """The most that an objective may be, to count as solved as well as the best."""
    return best + WORSE * max(1.0, abs(best))


def _cells(run: Run, measure: str) -> tuple[list[float], list[float]]:
    """Of each cell the work, infinite where it did not come to what is sought, and the objective.

    The objective is one to be minimised; NaN of a map, of which any fixed point will do.
    """
    axes = [axis.name for axis in view.read(run.data).axes]
    _, ends = endings(run)

    def column(name: str) -> np.ndarray:
        return run.data[name].transpose(*axes).values.ravel().astype(float)

    if measure == "seconds":
        each = run.costs.get("job_run_seconds", math.nan) / len(ends)
        took = np.full(len(ends), each if each > 0 else np.nan)
    else:
        # A start that is the solution takes no step.
        took = np.maximum(column(measure), 1.0)
    lost = np.array([bool(end) for end in ends]) | np.isnan(took)
    rising = str(view.section(run.document, "objective").get("sense", "")).startswith("max")
    known = "objective_final" in run.data
    values = column("objective_final") if known else np.full(len(ends), np.nan)
    return np.where(lost, np.inf, took).tolist(), (-values if rising else values).tolist()
