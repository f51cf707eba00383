"""The title of a joint figure: the problem where all runs have the same, else what is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.figures import style, title, view
from pipeline.figures.joint.run import Run, named, varying


def write(page: style.Sheet, runs: Sequence[Run], compared: str, notes: str = "") -> None:
    """Head the figure; in a style without titles it becomes the caption.

    Args:
        compared: what the figure says of several problems, which have no formula in common.
        notes: what a reader must know of the picture, and of the runs that are not in it.
    """
    failed = [run for run in runs if run.error]
    whole = [run for run in runs if not run.error]
    lost = [f"failed: {named(run, varying(runs)) or 'the one job'}" for run in failed[:3]]
    more = [f"and {len(failed) - 3} more"] if len(failed) > 3 else []
    notes = "; ".join(filter(None, [notes, *lost, *more]))
    first = view.read(whole[0].data)
    # The solvers are what is compared.
    bare = {key: value for key, value in first.document.items() if key != "solver"}
    problems = [_problem(run) for run in whole]
    if any(problem != problems[0] for problem in problems):
        group = "map" if view.section(first.document, "map") else "objective"
        bare = {group: _common(problems) or {"name": compared}}
    # How the cells of the first run ended says nothing of the others.
    data = first.data.drop_vars("status")
    title.write(page, replace(first, data=data, document=bare), notes)


def _problem(run: Run) -> Mapping[str, Any]:
    """What is iterated."""
    return view.section(run.document, "map") or view.section(run.document, "objective")


def _common(problems: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The problem without the parameters that differ; empty where more than numbers does."""
    numbers = ("parameters", "initial")
    first, *others = [{k: v for k, v in p.items() if k not in numbers} for p in problems]
    if any(other != first for other in others):
        return {}
    own = [view.section(problem, "parameters") for problem in problems]
    same = {k: v for k, v in own[0].items() if all(p.get(k) == v for p in own)}
    return {**problems[0], "parameters": same}
