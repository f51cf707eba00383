"""Early exit: cells that are over make room for others, so that no lane waits for the slowest.

A program of a fixed number of lanes moves them a chunk of steps at a time. When half of the lanes
are over, their results are taken out and the next cells of the block take their places. A cell
meets the same operations in whichever lane it is, so the results are those of the plain loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.experiment import Experiment
from pipeline.job import kernel, sharing
from pipeline.job.lane import Cell, moves, take
from pipeline.job.loop import walk
from pipeline.job.plan import Plan

# Lanes that move together: enough to fill the vectors, few enough to stay in the cache.
LANES = 16384
# Steps between two looks at who is over.
CHUNK = 32


def suits(experiment: Experiment) -> bool:
    """Whether cells leave the loop, and nothing is recorded at steps that all have in common."""
    return kernel.kind(experiment) == "leaving" and experiment.iterate.steps > CHUNK


def build(
    experiment: Experiment, plan: Plan, numbers: Any, cells: Cell
) -> Callable[[Any, Cell], dict[str, np.ndarray]]:
    """Compile the four programs: begin, a chunk of steps, finish, and fresh lanes among the others.

    Args:
        numbers, cells: arguments of the kinds and types that the programs will meet.
    """
    import jax
    import jax.numpy as jnp

    move, kernel = moves(experiment), plan.kernel
    rest = experiment.iterate.steps % CHUNK
    ahead = functools.partial(walk, experiment, move, kernel)
    width = min(LANES, plan.width) * plan.devices

    def begin(numbers: Any, cells: Cell) -> Any:
        """The lanes and the steps that each has done: those that fill no chunk."""
        lanes = jax.vmap(functools.partial(move.begin, numbers))(cells)
        return ahead(numbers, cells, lanes, 0, rest), jnp.full_like(cells.place, rest)

    def chunk(numbers: Any, cells: Cell, state: Any) -> Any:
        lanes, n = state
        return ahead(numbers, cells, lanes, n, CHUNK), n + CHUNK

    def running(state: Any) -> Any:
        return jax.vmap(move.running)(state[0]) & (state[1] < experiment.iterate.steps)

    def finish(numbers: Any, cells: Cell, state: Any) -> dict[str, Any]:
        return jax.vmap(functools.partial(move.finish, numbers))(cells, state[0])

    def merge(old: Any, state: Any, fresh: Any) -> Any:
        """The lanes as they were, or new ones."""
        return jax.tree.map(lambda a, b: jnp.where(fresh, b, a), old, state)

    def program(f: Callable[..., Any], split: tuple[int, ...], *arguments: Any) -> Any:
        return jax.jit(sharing.shared(f, experiment, plan, split)).lower(*arguments).compile()

    cells = _pad(cells, width)
    state = jax.eval_shape(jax.jit(begin), numbers, cells)
    first = program(begin, (0, 1), numbers, cells)
    more = program(chunk, (0, 1, 1), numbers, cells, state)
    going = program(running, (1,), state)
    last = program(finish, (0, 1, 1), numbers, cells, state)
    mixed = program(merge, (1, 1, 1), state, state, np.ones(width, bool))

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        count = len(cells.place)
        held = _pad(cells, width)
        # The cell in each lane; -1 of padding and of a cell that is over.
        owner = np.where(np.arange(width) < count, np.arange(width), -1)
        waiting, results = min(width, count), {}
        state = first(numbers, held)
        while True:
            over = (owner >= 0) & ~np.asarray(going(state))
            if 2 * over.sum() >= (owner >= 0).sum():
                for name, values in last(numbers, held, state).items():
                    values = np.asarray(values)
                    if name not in results:
                        results[name] = np.empty((count, *values.shape[1:]), values.dtype)
                    results[name][owner[over]] = values[over]
                owner[over] = -1
                if not (owner >= 0).any() and waiting == count:
                    return results
                free = np.flatnonzero(owner < 0)[: count - waiting]
                if len(free):
                    owner[free] = np.arange(waiting, waiting + len(free))
                    waiting += len(free)
                    held = _put(held, free, take(cells, owner[free]))
                    fresh = np.isin(np.arange(width), free)
                    state = mixed(state, first(numbers, held), fresh)
                    continue
            state = more(numbers, held, state)

    return run


def _pad(cells: Cell, width: int) -> Cell:
    """So many of the cells, the last one again where there are fewer."""
    return take(cells, np.minimum(np.arange(width), len(cells.place) - 1))


def _put(held: Cell, lanes: np.ndarray, cells: Cell) -> Cell:
    def replaced(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        old = old.copy()
        old[lanes] = new
        return old

    swept = {name: replaced(v, cells.swept[name]) for name, v in held.swept.items()}
    return Cell(replaced(held.place, cells.place), swept)
