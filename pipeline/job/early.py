"""Early exit: cells that are over make room for others, so that no lane waits for the slowest.

A program of a fixed number of lanes moves them a chunk of steps at a time. When half of the lanes
are over, their results are taken out and the next cells of the block take their places. A cell
meets the same operations in whichever lane it is, so the results are those of the plain loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.experiment import Experiment
from pipeline.job import kernel, sharing
from pipeline.job.lane import Cell, moves, take
from pipeline.job.plan import Plan

# Lanes that move together: enough to fill the vectors, few enough to stay in the cache.
LANES = 4096
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

    move, steps = moves(experiment), experiment.iterate.steps
    width = min(LANES, plan.width) * plan.devices

    def begin(numbers: Any, cells: Cell) -> Any:
        lanes = jax.vmap(lambda cell: move.begin(numbers, cell))(cells)
        return lanes, jnp.zeros_like(cells.place)

    def chunk(numbers: Any, cells: Cell, state: Any) -> Any:
        step = jax.vmap(lambda *lane: move.step(numbers, *lane))

        def advance(state: Any, _: None) -> tuple[Any, None]:
            lanes, n = state
            lanes = jax.vmap(move.settle)(step(cells, lanes, n))
            n = n + 1
            return (lanes._replace(running=lanes.running & (n < steps)), n), None

        return jax.lax.scan(advance, state, length=CHUNK, unroll=plan.kernel.unroll)[0]

    def finish(numbers: Any, cells: Cell, state: Any) -> dict[str, Any]:
        return jax.vmap(lambda *lane: move.finish(numbers, *lane))(cells, state[0])

    def merge(fresh: Any, state: Any) -> Any:
        """The lanes that are still running, beside fresh ones in the places of the others."""
        running = state[0].running
        return jax.tree.map(lambda a, b: jnp.where(running, b, a), fresh, state)

    def program(f: Callable[..., Any], *split: int) -> Any:
        return jax.jit(sharing.shared(f, experiment, plan, split))

    cells = _pad(cells, width)
    first = program(begin, 0, 1).lower(numbers, cells).compile()
    state = jax.eval_shape(program(begin, 0, 1), numbers, cells)
    more = program(chunk, 0, 1, 1).lower(numbers, cells, state).compile()
    last = program(finish, 0, 1, 1).lower(numbers, cells, state).compile()
    mixed = program(merge, 1, 1).lower(state, state).compile()

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        count = len(cells.place)
        held = _pad(cells, width)
        # The cell in each lane; -1 of padding and of a cell that is over.
        owner = np.where(np.arange(width) < count, np.arange(width), -1)
        waiting, results = min(width, count), {}
        state = first(numbers, held)
        while (owner >= 0).any():
            state = more(numbers, held, state)
            over = (owner >= 0) & ~np.asarray(state[0].running)
            if 2 * over.sum() < (owner >= 0).sum() and over.sum() < (owner >= 0).sum():
                continue
            for name, values in last(numbers, held, state).items():
                values = np.asarray(values)
                whole = results.setdefault(name, np.empty((count, *values.shape[1:]), values.dtype))
                whole[owner[over]] = values[over]
            owner[over] = -1
            free = np.flatnonzero(owner < 0)[: count - waiting]
            if len(free):
                owner[free] = np.arange(waiting, waiting + len(free))
                waiting += len(free)
                held = _put(held, free, take(cells, owner[free]))
                state = mixed(first(numbers, held), state)
        return results

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
