"""The job: cells in blocks, each computed by the same compiled call."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from pipeline import device, noise
from pipeline.errors import ConfigError
from pipeline.experiment import Experiment
from pipeline.function import Function
from pipeline.grid import columns
from pipeline.job import calls, follow, kernel
from pipeline.job.arguments import typed
from pipeline.job.bench import searched
from pipeline.job.call import Call
from pipeline.job.early import suits as leaves_early
from pipeline.job.lane import Cell, moves, take
from pipeline.job.plan import Plan
from pipeline.job.plan import plan as plan_blocks
from pipeline.job.replay import replay
from pipeline.job.structure import structure
from pipeline.maps import Map

__all__ = [
    "Call",
    "Plan",
    "block",
    "blocks",
    "compiled",
    "estimate",
    "leaves_early",
    "plan",
    "replay",
    "rows",
    "searched",
]

# Compiled programs of this process, the one used last at the end. Numbers are arguments, so a
# study that changes only numbers compiles once. A Python function is kept with its program: the
# key tells it by its identity, which another could have once it is gone.
_PROGRAMS: OrderedDict[str, tuple[Call, Function | None]] = OrderedDict()
_MOST_PROGRAMS = 32
_LOCK = threading.Lock()


def plan(experiment: Experiment, cell_bytes: int) -> Plan:
    """The kernel that the work calls for, and blocks that fit the memory.

    Args:
        cell_bytes: of the results of one cell.

    Raises:
        ConfigError: not even one cell fits into the memory.
    """
    found = device.devices(experiment.device)
    shape = kernel.choose(experiment, found[0].platform)
    return plan_blocks(experiment, cell_bytes, shape, len(found))


def compiled(experiment: Experiment, plan: Plan) -> tuple[Call, float]:
    """The compiled program of an experiment's structure, and the seconds that compiling took.

    Returns:
        ((numbers, cells of a block or less) -> {variable: NumPy array of as many rows}, seconds).
    """
    key = f"{structure(experiment)} {plan.record}"
    with _LOCK:
        if key in _PROGRAMS:
            _PROGRAMS.move_to_end(key)
            return _PROGRAMS[key][0], 0.0
    begun = perf_counter()
    with _memory(experiment), device.entered(experiment.device):
        build = (
            functools.partial(follow.build, calls.build)
            if experiment.iterate.follow
            else calls.build
        )
        call = build(experiment, plan, *_arguments(experiment, np.arange(1)))
    with _LOCK:
        _PROGRAMS[key] = call, experiment.function
        while len(_PROGRAMS) > _MOST_PROGRAMS:
            _PROGRAMS.popitem(last=False)
    return call, perf_counter() - begun


def estimate(experiment: Experiment, plan: Plan) -> dict[str, float]:
    """XLA's estimates of a whole run: operations, and bytes moved if nothing stays in the cache.

    One step of one block's cells is analysed, unoptimised, and nothing is compiled or executed.
    """
    import jax

    move = moves(experiment)
    with device.entered(experiment.device):
        numbers, cells = _arguments(experiment, np.arange(1))
        cells = take(cells, np.zeros(plan.share, int))
        lanes = jax.eval_shape(jax.vmap(lambda c: move.open(move.begin(numbers, c))), cells)
        step = jax.vmap(lambda c, lane: move.step(numbers, c, lane, 0))
        cost = jax.jit(step).lower(cells, lanes).cost_analysis() or {}
    steps = experiment.iterate.steps * plan.cells / plan.share
    return {
        "flops": cost.get("flops", 0.0) * steps,
        "bytes": cost.get("bytes accessed", 0.0) * steps,
    }


def blocks(
    experiment: Experiment, plan: Plan, call: Call, begin: int = 0
) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
    """Yield (first cell, one past the last, {variable: [last - first, ...]}), in order.

    Args:
        begin: the first cell that is wanted.

    Raises:
        ConfigError: a block does not fit into the device's memory.
    """
    for first in range(begin, plan.cells, plan.block):
        yield block(experiment, plan, call, first)


def block(
    experiment: Experiment, plan: Plan, call: Call, first: int
) -> tuple[int, int, dict[str, np.ndarray]]:
    """The block that begins with a cell: as `blocks` yields it."""
    last = min(first + plan.block, plan.cells)
    return first, last, rows(experiment, plan, call, np.arange(first, last))


def rows(
    experiment: Experiment, plan: Plan, call: Call, places: np.ndarray
) -> dict[str, np.ndarray]:
    """{variable: [c, ...]} of any cells, in as many calls as they fill blocks; {} of none.

    Args:
        places: [c] which, of the flattened grid.
    """
    parts: list[dict[str, np.ndarray]] = []
    for at in range(0, len(places), plan.block):
        # The contexts belong to the thread, so they may not stay open while a block is consumed.
        with _memory(experiment), device.entered(experiment.device):
            parts.append(call(*_arguments(experiment, places[at : at + plan.block])))
    if len(parts) == 1:
        return parts[0]
    names = parts[0] if parts else ()
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


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


def _arguments(experiment: Experiment, places: np.ndarray) -> tuple[Any, Cell]:
    """The numbers and the cells of one block, in the types of the precision."""
    import jax

    fit = functools.partial(typed, experiment)
    numbers = jax.tree.map(fit, experiment.numbers())
    problem = experiment.problem
    swept = jax.tree.map(fit, columns(experiment.grid, places))
    noisy = problem.noise if isinstance(problem, Map) else ()
    keys = {name: noise.keys(experiment.seed, name, places) for name in noisy}
    return numbers, Cell(np.arange(len(places), dtype=np.int32), swept, keys=keys)
