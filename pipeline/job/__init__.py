"""The job: cells in blocks, each computed by the same compiled call."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from pipeline import device
from pipeline.errors import ConfigError
from pipeline.experiment import Experiment
from pipeline.grid import columns
from pipeline.job.loop import Cell, program
from pipeline.job.plan import Plan, cell_memory, plan
from pipeline.job.structure import structure

__all__ = ["Plan", "blocks", "cell_memory", "compiled", "plan"]

Call = Callable[[Any, Cell], dict[str, Any]]

# Compiled programs of this process, the one used last at the end. Numbers are arguments, so a
# study that changes only numbers compiles once.
_PROGRAMS: OrderedDict[str, Call] = OrderedDict()
_MOST_PROGRAMS = 32
_LOCK = threading.Lock()


def compiled(experiment: Experiment, plan: Plan) -> tuple[Call, float]:
    """The compiled program of an experiment's structure, and the seconds that compiling took."""
    import jax

    key = f"{structure(experiment)} block={plan.block}"
    with _LOCK:
        if key in _PROGRAMS:
            _PROGRAMS.move_to_end(key)
            return _PROGRAMS[key], 0.0
    begun = perf_counter()
    with (
        _memory(experiment),
        device.precision(experiment.device),
        jax.default_device(device.choose(experiment.device)),
    ):
        arguments = _arguments(experiment, plan, 0)
        call = jax.jit(program(experiment)).lower(*arguments).compile()
    with _LOCK:
        _PROGRAMS[key] = call
        while len(_PROGRAMS) > _MOST_PROGRAMS:
            _PROGRAMS.popitem(last=False)
    return call, perf_counter() - begun


def blocks(
    experiment: Experiment, plan: Plan, call: Call
) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
    """Yield (first cell, one past the last, {variable: [last - first, ...]}), in order.

    Raises:
        ConfigError: a block does not fit into the device's memory.
    """
    import jax

    for first in range(0, plan.cells, plan.block):
        last = min(first + plan.block, plan.cells)
        # The contexts belong to the thread, so they may not stay open while a block is consumed.
        with (
            _memory(experiment),
            device.precision(experiment.device),
            jax.default_device(device.choose(experiment.device)),
        ):
            results = call(*_arguments(experiment, plan, first))
            arrays = {name: np.asarray(value)[: last - first] for name, value in results.items()}
        yield first, last, arrays


@contextmanager
def _memory(experiment: Experiment) -> Iterator[None]:
    """What the device says when its memory does not suffice, as an error of ours."""
    from jax.errors import JaxRuntimeError

    try:
        yield
    except (MemoryError, JaxRuntimeError) as error:
        if isinstance(error, JaxRuntimeError) and not str(error).startswith("RESOURCE_EXHAUSTED"):
            raise
        given = f"device.memory = {experiment.device.memory:,}"
        raise ConfigError([f"{given}: the device has not that much free; expected less."]) from None


def _arguments(experiment: Experiment, plan: Plan, first: int) -> tuple[Any, Cell]:
    """The numbers and the cells of one block, padded by its last cell, in the precision's types."""
    import jax

    last = min(first + plan.block, plan.cells)
    places = np.minimum(np.arange(plan.block), last - first - 1)
    swept = {k: v[places] for k, v in columns(experiment.grid, first, last).items()}
    kinds = {"f": experiment.device.real, "c": experiment.device.complex}

    def typed(value: Any) -> np.ndarray:
        array = np.asarray(value)
        return array.astype(kinds.get(array.dtype.kind, experiment.device.real))

    numbers = jax.tree.map(typed, experiment.numbers())
    return numbers, Cell(places.astype(np.int32), jax.tree.map(typed, swept))
