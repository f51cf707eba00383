"""Calls: from the cells of a block to their results, by one compiled program and what follows it.

Some cells are computed again: those that left the radius, where the first program is guarded, and
those at which an analysis takes a second look. Some go on: by a program whose cells take times of
their own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.analyses import TABLE, Again, Fold, Sequel
from pipeline.experiment import Experiment
from pipeline.job import early, sharing
from pipeline.job.call import Call, footprint
from pipeline.job.kernel import LANES
from pipeline.job.lane import Cell, take
from pipeline.job.loop import program
from pipeline.job.plan import Plan
from pipeline.status import Status

# Lanes of the programs for some of the cells: the narrowest that takes them in so few turns.
WIDTHS, TURNS = (64, 1024, LANES), 4


def build(experiment: Experiment, plan: Plan, numbers: Any, cells: Cell) -> Call:
    """Compile the program of an experiment, and make the call.

    Args:
        numbers, cells: arguments of the kinds and types that it will meet.
    """
    call = _built(experiment, plan, numbers, cells)
    folds = experiment.folds()
    for sequel in (sequel for fold in folds for sequel in fold.sequels):
        call = _sequel(call, experiment, sequel)
    for again in (again for fold in folds for again in fold.again):
        call = _again(call, experiment, plan, again)
    return call


def _built(experiment: Experiment, plan: Plan, numbers: Any, cells: Cell) -> Call:
    make = early.build if early.suits(experiment) else _whole
    return make(experiment, plan, numbers, cells)


def _whole(experiment: Experiment, plan: Plan, numbers: Any, cells: Cell) -> Call:
    """One program for the whole loop; a second one, where the first is guarded, if cells leave."""
    import jax

    whole = sharing.shared(program(experiment, plan.kernel, plan.share), experiment, plan, (0, 1))
    compiled = jax.jit(whole).lower(numbers, sharing.spread(cells, plan)).compile()

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        count = len(cells.place)
        results = compiled(numbers, sharing.spread(cells, plan))
        return {name: np.asarray(value)[:count] for name, value in results.items()}

    call = Call(run, footprint(compiled))
    return _unguarded(call, experiment, plan) if plan.kernel.guarded else call


def _unguarded(guarded: Call, experiment: Experiment, plan: Plan) -> Call:
    """The same, with the cells that left the radius computed again, by a program for them alone."""
    kernel = replace(plan.kernel, guarded=False)
    return _amended(
        guarded,
        lambda results: results["status"] != Status.bounded,
        functools.partial(_built, experiment),
        replace(plan, kernel=kernel),
    )


def _again(call: Call, experiment: Experiment, plan: Plan, again: Again) -> Call:
    """The same, with the cells that call for it looked at a second time."""
    other = replace(experiment, analyses={again.analysis: again.settings}, iterate=again.iterate)
    # Of what a solver came to, the first look has told.
    fold = TABLE[again.analysis].build(other.subject, again.settings)
    names = {variable.name for variable in fold.finished} if isinstance(fold, Fold) else set()
    return _amended(call, again.doubts, functools.partial(build, other), plan, names)


def _amended(
    call: Call,
    chosen: Callable[[Mapping[str, np.ndarray]], np.ndarray],
    make: Callable[[Plan, Any, Cell], Call],
    plan: Plan,
    names: Set[str] | None = None,
) -> Call:
    """A call, some of whose cells are computed again by another.

    Args:
        chosen: results -> [c] which.
        make: of that call, which is compiled for a width when it is first needed.
        names: the results that take the place of the first, all if None.
    """
    calls: dict[int, Call] = {}

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        results = call(numbers, cells)
        places = np.flatnonzero(chosen(results))
        if not len(places):
            return results
        width = next((w for w in WIDTHS if len(places) <= TURNS * w * plan.devices), WIDTHS[-1])
        width = min(plan.block, width * plan.devices)
        if width not in calls:
            calls[width] = make(replace(plan, block=width), numbers, cells)
        results = {name: np.array(values) for name, values in results.items()}
        for first in range(0, len(places), width):
            some = places[first : first + width]
            for name, values in calls[width](numbers, take(cells, some)).items():
                if names is None or name in names & results.keys():
                    results[name][some] = values
        return results

    return replace(call, run=run)


def _sequel(call: Call, experiment: Experiment, sequel: Sequel) -> Call:
    """A call, some of whose cells go on afterwards, those that take as long together.

    Sorted, since lanes wait for the slowest.
    """
    import jax

    def one(numbers: Any, cell: Cell, given: dict[str, Any]) -> dict[str, Any]:
        return sequel.find(experiment.iteration(numbers, cell.swept), given)

    many = jax.jit(jax.vmap(one, in_axes=(None, 0, 0)))

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        results = {name: np.asarray(values) for name, values in call(numbers, cells).items()}
        given = {name: results.pop(name) for name in sequel.takes}
        cost = sequel.cost(given)
        places = np.argsort(cost, kind="stable")[np.count_nonzero(cost == 0) :]
        results |= {name: np.array(results[name]) for name in sequel.gives}
        for first in range(0, len(places), sequel.company):
            some = places[first : first + sequel.company]
            lanes = np.resize(some, sequel.company)
            found = many(numbers, take(cells, lanes), {k: v[lanes] for k, v in given.items()})
            for name in sequel.gives:
                results[name][some] = np.asarray(found[name])[: len(some)]
        return results

    return replace(call, run=run)
