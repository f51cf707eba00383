"""Following: the values of one axis in sequence, each cell starting where the one before ended."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.experiment import Experiment
from pipeline.job.call import Call
from pipeline.job.lane import Cell, followed, take
from pipeline.job.plan import Plan, sequence
from pipeline.status import Status


def build(
    compile: Callable[[Experiment, Plan, Any, Cell], Call],
    experiment: Experiment,
    plan: Plan,
    numbers: Any,
    cells: Cell,
) -> Call:
    """A call whose blocks hold whole sequences, of a call for the cells at one value.

    Args:
        compile: makes that call.
    """
    length, inner = sequence(experiment)
    at_once = replace(plan, cells=plan.cells // length, block=plan.block // length)
    initial = experiment.problem.components
    kinds = {True: experiment.device.complex, False: experiment.device.real}

    def unknown(count: int) -> dict[str, np.ndarray]:
        return {
            name: np.full((count, *component.shape), np.nan, kinds[component.complex])
            for name, component in initial.items()
        }

    one = take(cells, np.zeros(1, int))
    call = compile(experiment, at_once, numbers, one._replace(state=unknown(1)))

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        places = np.arange(len(cells.place)).reshape(-1, length, inner)
        count = math.prod(places.shape) // length
        state, results = unknown(count), {}
        for value in range(length):
            some = places[:, value].ravel()
            here = take(cells, some)._replace(place=np.arange(count, dtype=np.int32), state=state)
            found = call(numbers, here)
            left = found["status"] == Status.escaped
            for name in initial:
                state[name] = np.array(found.pop(followed(name)))
                state[name][left] = np.nan
            for name, values in found.items():
                if name not in results:
                    results[name] = np.empty((len(cells.place), *values.shape[1:]), values.dtype)
                results[name][some] = values
        return results

    return replace(call, run=run)
