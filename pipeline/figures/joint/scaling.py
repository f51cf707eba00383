"""What solvers cost against the size of the problem: time, compiling, evaluations, memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import CobwebError
from pipeline.figures import style, view, words
from pipeline.figures.convergence import stroke
from pipeline.figures.joint import heading
from pipeline.figures.joint.run import Run, competing, endings, named, number, varying
from pipeline.figures.joint.strokes import Stroke, strokes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Below so many times the shortest time it is the call itself that is measured.
CALL = 3.0


@dataclass(frozen=True)
class Row:
    """A quantity, as one row of panels: its label, and its value for one solve."""

    label: str
    value: Callable[[Run], float]


def _solve(run: Run) -> float:
    """Seconds of one solve."""
    return run.costs.get("job_run_seconds", math.nan) / max(1, len(endings(run)[1]))


def _mean(name: str) -> Callable[[Run], float]:
    return lambda run: float(np.mean(run.data[name].values)) if name in run.data else math.nan


ROWS: Mapping[str, Row] = {
    "seconds": Row("run (s)", _solve),
    "compiling": Row("compile (s)", lambda run: run.costs.get("job_compile_seconds", math.nan)),
    "steps": Row("steps", _mean("steps")),
    "evaluations": Row("evaluations", _mean("evaluations")),
    "memory": Row("memory (MiB)", lambda run: run.costs.get("job_program_bytes", math.nan) / 2**20),
}
AUTO = ("seconds", "compiling", "evaluations", "memory")


@dataclass(frozen=True)
class Curve:
    """One solver on problems that differ in their size alone.

    Attributes:
        sizes: [n] rising.
        values: {row: [n]}
        solved: [n] whether every cell converged to what is sought.
    """

    sizes: np.ndarray
    values: Mapping[str, np.ndarray]
    solved: np.ndarray


def fits(runs: Sequence[Run], work: str) -> str:
    """Empty, or why there is no such picture."""
    if not _sized(runs):
        return "it needs a sweep over sizes, such as objective.initial.x.size=10,100,1000"
    if any("steps" not in run.data for run in runs if not run.error):
        return "it needs solvers that seek something"
    return ""


def draw(runs: Sequence[Run], look: style.Look, work: str) -> Figure:
    """A panel for each quantity and each problem, a line for each solver."""
    size, solvers = _sized(runs), competing(runs)
    others = [label for label in varying(runs) if label != size and label not in solvers]
    names = list(_parted(runs, solvers))
    runs = _compiled(runs, [size, *solvers])
    cases = _parted(runs, others)
    found = {case: _curves(some, size, solvers) for case, some in cases.items()}
    wanted = AUTO if work == "auto" else (work,)
    rows = [row for row in wanted if _known(found, row)]
    if not rows:
        raise CobwebError('figure.joint = "scaling": of what is asked for nothing is known.')
    page = style.sheet(
        look, rows=len(rows), columns=len(cases), wide=len(cases) > 1, ratio=0.5, share=True
    )
    chosen = dict(zip(names, strokes(len(names)), strict=True))
    crossed = False
    grid = np.array(page.panels, dtype=object).reshape(len(rows), len(cases))
    for column, (case, curves) in zip(grid.T, found.items(), strict=True):
        for ax, row in zip(column, rows, strict=True):
            ax.set_yscale("linear" if row == "compiling" else "log")
            ax.set_xscale("log", base=2)
            for name, curve in curves.items():
                _draw(page, ax, curve, row, chosen[name])
            if row == "seconds":
                crossed |= _crossings(page, ax, [curves[n] for n in names if n in curves])
        style.tag(page, column[0], named(cases[case][0], others))
        style.abscissa(page, column[-1], words.plain(size))
    for line, row in zip(grid, rows, strict=True):
        _level(list(line))
        style.ordinate(page, line[0], ROWS[row].label)
    firsts = {name: some[0] for name, some in _parted(runs, solvers).items()}
    handles = [
        stroke(s.colour, look.line, s.dashes, named(firsts[name], solvers) or _solver(firsts[name]))
        for name, s in chosen.items()
    ]
    for handle, name in zip(handles, chosen, strict=True):
        handle.set_marker(chosen[name].marker)
        handle.set_markersize(look.marker)
    handles += [_mark("o", f"as fast as {handles[0].get_label()}", look)] if crossed else []
    unsolved = any(not c.solved.all() for curves in found.values() for c in curves.values())
    handles += [_mark("X", "not solved", look)] if unsolved else []
    style.legend(page, handles)
    heading.write(page, runs, "several problems")
    return page.figure


def _solver(run: Run) -> str:
    """The name of the only one."""
    return words.plain(str(view.section(run.document, "solver").get("name", "")))


def _sized(runs: Sequence[Run]) -> str:
    """The label that is a number of several values, of those of most; empty where none is."""
    apart = competing(runs)
    numeric = {
        label: {run.labels[label] for run in runs if label in run.labels}
        for label in varying(runs)
        if label not in apart and all(number(run.labels.get(label, "")) for run in runs)
    }
    return max(numeric, key=lambda label: len(numeric[label]), default="")


def _parted(runs: Sequence[Run], labels: Sequence[str]) -> dict[tuple[str, ...], list[Run]]:
    """The runs by their values of some labels."""
    parts: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        parts.setdefault(tuple(run.labels.get(label, "") for label in labels), []).append(run)
    return parts


def _compiled(runs: Sequence[Run], labels: Sequence[str]) -> list[Run]:
    """The runs, with the time of compiling of one that took another's program, whose it has."""
    name = "job_compile_seconds"
    changed: dict[Run, Run] = {}
    for same in _parted(runs, labels).values():
        longest = max((run.costs.get(name, 0.0) for run in same), default=0.0)
        for run in same:
            own = run.costs if run.costs.get(name) != 0 else {**run.costs, name: longest}
            changed[run] = replace(run, costs=own)
    return [changed[run] for run in runs]


def _curves(runs: Sequence[Run], size: str, solvers: Sequence[str]) -> dict[tuple[str, ...], Curve]:
    curves = {}
    for name, some in _parted([run for run in runs if not run.error], solvers).items():
        some = sorted(some, key=lambda run: number(run.labels[size]) or 0.0)
        sizes = np.array([number(run.labels[size]) or 0.0 for run in some])
        values = {key: np.array([row.value(run) for run in some]) for key, row in ROWS.items()}
        solved = np.array([not any(endings(run)[1]) for run in some])
        curves[name] = Curve(sizes, values, solved)
    return curves


def _known(found: Mapping[Any, Mapping[Any, Curve]], row: str) -> bool:
    """Whether any run tells of a quantity."""
    return any((c.values[row] > 0).any() for curves in found.values() for c in curves.values())


def _draw(page: style.Sheet, ax: Axes, curve: Curve, row: str, look: Stroke) -> None:
    y = np.where(curve.values[row] > 0, curve.values[row], np.nan)
    shape: dict[str, Any] = {"color": look.colour, "markersize": page.look.marker}
    width = page.look.line
    ax.plot(curve.sizes, y, linestyle=look.dashes, linewidth=width, marker=look.marker, **shape)
    lost = ~curve.solved
    ax.plot(
        curve.sizes[lost],
        y[lost],
        linestyle="none",
        marker="X",
        markerfacecolor="white",
        markeredgecolor=look.colour,
        markersize=1.8 * page.look.marker,
        zorder=4,
    )


def _crossings(page: style.Sheet, ax: Axes, curves: Sequence[Curve]) -> bool:
    """Mark where the first solver becomes, and stays, slower or faster than each of the others."""
    shortest = min((float(np.nanmin(c.values["seconds"])) for c in curves), default=math.nan)
    marked = False
    for other in curves[1:]:
        place = crossing(curves[0], other)
        if place is None or place[1] < CALL * shortest:
            continue
        size, seconds = place
        ax.plot(
            size,
            seconds,
            marker="o",
            markersize=2.2 * page.look.marker,
            markerfacecolor="none",
            markeredgecolor="black",
            zorder=5,
        )
        ax.annotate(
            f"{size:.0f}",
            (size, seconds),
            # Two of them may be near each other.
            xytext=(5, -5) if marked else (-5, 5),
            textcoords="offset points",
            ha="left" if marked else "right",
            va="top" if marked else "bottom",
            **{**page.text, "fontsize": 0.8 * page.look.type_size},
        )
        marked = True
    return marked


def crossing(one: Curve, other: Curve) -> tuple[float, float] | None:
    """The last size at which two solvers take as long, and how long; None where there is none.

    Straight lines in logarithms between the sizes that both have.
    """
    sizes, at, where = np.intersect1d(one.sizes, other.sizes, return_indices=True)
    pair = np.log([one.values["seconds"][at], other.values["seconds"][where]])
    gap = pair[0] - pair[1]
    turns = np.flatnonzero(np.sign(gap[1:]) * np.sign(gap[:-1]) < 0)
    if not turns.size:
        return None
    k = int(turns[-1])
    share = gap[k] / (gap[k] - gap[k + 1])
    x = np.log(sizes)
    along = [(1 - share) * v[k] + share * v[k + 1] for v in (x, pair[0])]
    return float(np.exp(along[0])), float(np.exp(along[1]))


def _level(panels: Sequence[Axes]) -> None:
    """One ordinate for a row; times that do not grow begin at 0."""
    limits = np.array([ax.get_ylim() for ax in panels])
    for ax in panels:
        linear = ax.get_yscale() == "linear"
        ax.set_ylim(0.0 if linear else limits[:, 0].min(), limits[:, 1].max())
    for ax in panels[1:]:
        ax.tick_params(labelleft=False)


def _mark(marker: str, label: str, look: style.Look) -> Any:
    handle = stroke("black", 0, "none", label)
    handle.set_marker(marker)
    handle.set_markersize(1.8 * look.marker)
    handle.set_markerfacecolor("none")
    return handle
