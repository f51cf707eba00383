"""Early exit: cells that are over make room for others, so that no lane waits for the slowest.

A program of a fixed number of lanes moves them a few loop bodies at a time. When one lane in eight
is over, or one has done all its steps, results are taken out and the next cells of the block take
the places. A cell meets the same operations in whichever lane it is, so the results are those of
the plain loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.experiment import Experiment
from pipeline.job import kernel, sharing
from pipeline.job.call import Call, footprint
from pipeline.job.lane import Cell, Lane, moves, take
from pipeline.job.loop import Walk
from pipeline.job.plan import Plan

# Lanes that move together: enough to fill the vectors, few enough to stay in the cache.
LANES = 16384
# Loop bodies between two looks at who is over, at most.
MOST = 8
# Lanes are filled again when one in so many is over.
FULL = 8


def suits(experiment: Experiment) -> bool:
    """Whether cells leave the loop, and nothing is recorded at steps that all have in common."""
    return kernel.kind(experiment) == "leaving" and experiment.iterate.steps > kernel.SHORT


def build(experiment: Experiment, plan: Plan, numbers: Any, cells: Cell) -> Call:
    """Compile the four programs: begin some lanes, move them all, see who goes on, finish.

    Args:
        numbers, cells: arguments of the kinds and types that the programs will meet.
    """
    import jax
    import jax.numpy as jnp

    move, steps = moves(experiment), experiment.iterate.steps
    walk = Walk(experiment, move, plan.kernel)
    rest = steps % walk.many
    width = min(LANES, plan.width) * plan.devices

    def begin(numbers: Any, cells: Cell) -> Lane:
        """The lanes with those steps done that fill no body."""
        lanes = jax.vmap(functools.partial(move.begin, numbers))(cells)
        return walk.steps(numbers, cells, lanes, 0, rest)

    def started(numbers: Any, cells: Cell, state: Any, fresh: Any) -> Any:
        """The state, (packed lanes, steps that each has done), with some lanes begun anew."""
        new = walk.pack(begin(numbers, cells)), jnp.full_like(state[1], rest)
        return jax.tree.map(lambda a, b: jnp.where(fresh, b, a), state, new)

    def moved(numbers: Any, cells: Cell, state: Any, bodies: Any) -> Any:
        packed, n = state
        return walk.bodies(numbers, cells, packed, like, n, bodies), n + bodies * walk.many

    def running(state: Any) -> Any:
        return jax.vmap(move.running)(walk.unpack(state[0], like))

    def finish(numbers: Any, cells: Cell, state: Any) -> dict[str, Any]:
        lanes = walk.unpack(state[0], like)
        return jax.vmap(functools.partial(move.finish, numbers))(cells, lanes)

    programs: list[Any] = []

    def program(f: Callable[..., Any], split: tuple[int, ...], *arguments: Any) -> Any:
        made = jax.jit(sharing.shared(f, experiment, plan, split)).lower(*arguments).compile()
        programs.append(made)
        return made

    cells, one = _pad(cells, width), np.int32(1)
    like = jax.eval_shape(begin, numbers, cells)
    shapes = jax.eval_shape(walk.pack, like), jax.ShapeDtypeStruct((width,), np.int32)
    none = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), shapes)
    every = np.ones(width, bool)
    fill = program(started, (0, 1, 1, 1), numbers, cells, none, every)
    more = program(moved, (0, 1, 1, 0), numbers, cells, none, one)
    going = program(running, (1,), none)
    last = program(finish, (0, 1, 1), numbers, cells, none)

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        count, held = len(cells.place), _pad(cells, width)
        # The cell in each lane, -1 where there is none; the steps that the lane has done.
        owner = np.where(np.arange(width) < count, np.arange(width), -1)
        done, bodies = np.full(width, rest), 1
        waiting, results = min(width, count), {}
        state = fill(numbers, held, none, every)
        while True:
            taken, ended = owner >= 0, done >= steps
            over = taken & (ended | ~np.asarray(going(state)))
            if FULL * np.count_nonzero(over) < np.count_nonzero(taken) and not ended[taken].any():
                bodies = min(bodies, (steps - done[taken].max()) // walk.many)
                state = more(numbers, held, state, np.int32(bodies))
                done += bodies * walk.many
                bodies = min(2 * bodies, MOST)
                continue
            for name, values in last(numbers, held, state).items():
                values = np.asarray(values)
                if name not in results:
                    results[name] = np.empty((count, *values.shape[1:]), values.dtype)
                results[name][owner[over]] = values[over]
            owner[over] = -1
            free = np.flatnonzero(owner < 0)[: count - waiting]
            owner[free] = np.arange(waiting, waiting + len(free))
            waiting += len(free)
            if not (owner >= 0).any():
                return results
            if len(free):
                held = _put(held, free, take(cells, owner[free]))
                fresh = np.isin(np.arange(width), free)
                state = fill(numbers, held, state, fresh)
                done[free], bodies = rest, 1

    return Call(run, max(map(footprint, programs)))


def _pad(cells: Cell, width: int) -> Cell:
    """So many of the cells, the last one again where there are fewer."""
    return take(cells, np.minimum(np.arange(width), len(cells.place) - 1))


def _put(held: Cell, lanes: np.ndarray, cells: Cell) -> Cell:
    import jax

    def replaced(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        old = old.copy()
        old[lanes] = new
        return old

    return jax.tree.map(replaced, held, cells)
