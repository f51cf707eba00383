"""Early exit: cells that are over make room for others, so that no lane waits for the slowest.

A program of a fixed number of lanes moves them a few loop bodies at a time. When one lane in eight
is over, or one has done all its steps, those are taken out and the next cells of the block take
their places. A cell meets the same operations in whichever lane it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pipeline.experiment import Experiment
from pipeline.job import kernel, sharing
from pipeline.job.lane import Cell, Lane, leaves, moves, take
from pipeline.job.loop import Walk, put
from pipeline.job.plan import Plan
from pipeline.job.rows import Rows

# Loop bodies between two looks at who is over, at most.
MOST = 8
# Lanes are filled again when one in so many is over.
FULL = 8


def suits(experiment: Experiment) -> bool:
    """Whether cells leave the loop, and no analysis looks at parts of it."""
    if kernel.kind(experiment) == "leaving":
        return experiment.iterate.steps > kernel.SHORT
    parts = any(fold.parts or fold.span for fold in experiment.folds())
    return experiment.solver.freezes and leaves(experiment) and not parts


class Programs(NamedTuple):
    """What is compiled; all take the numbers and the cells of the lanes first.

    Attributes:
        width: the lanes.
        many: steps of one loop body.
        rest: steps that fill no body, and are done when a lane begins.
        hollow: a state of the lanes: packed, and the steps that each has done.
        fill: (a state, which lanes begin anew) -> (state, which go on, notes of step 0).
        more: (a state, loop bodies) -> (state, which go on, notes of the steps taken).
        last: a state -> (results, notes of the steps not taken).
    """

    width: int
    many: int
    rest: int
    hollow: Any
    fill: Callable[..., Any]
    more: Callable[..., Any]
    last: Callable[..., Any]

    def placed(self, numbers: Any, cells: Cell) -> tuple[Any, Cell]:
        """Both where the programs take them from, so that no call moves them again."""
        import jax

        return jax.device_put((numbers, cells), self.fill.input_shardings[0][:2])


def build(
    experiment: Experiment, plan: Plan, numbers: Any, cells: Cell
) -> Callable[[Any, Cell], dict[str, np.ndarray]]:
    """Compile the programs of an experiment, and make the call.

    Args:
        numbers, cells: arguments of the kinds and types that the programs will meet.
    """
    programs = _compiled(experiment, plan, numbers, cells)
    width, many, rest = programs.width, programs.many, programs.rest
    recorders = tuple(fold for fold in experiment.folds() if fold.recorded)
    steps = experiment.iterate.steps

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        count, held = len(cells.place), _pad(cells, width)
        rows = Rows(recorders, count, steps)
        numbers, lanes = programs.placed(numbers, held)
        ripe = _Ripe(programs, numbers, cells, rows)
        # The cell in each lane, -1 where there is none; the steps that the lane has done.
        owner = np.where(np.arange(width) < count, np.arange(width), -1)
        done, bodies, waiting = np.full(width, rest), 1, min(width, count)
        state, going, notes = programs.fill(numbers, lanes, programs.hollow, owner >= 0)
        rows.begin(owner, owner >= 0, notes)
        while True:
            taken, ended = owner >= 0, done >= steps
            over = taken & (ended | ~np.asarray(going))
            if FULL * np.count_nonzero(over) < np.count_nonzero(taken) and not ended[taken].any():
                bodies = min(bodies, (steps - done[taken].max()) // many)
                state, going, notes = programs.more(numbers, lanes, state, np.int32(bodies))
                rows.put(owner, done, notes, bodies)
                done += bodies * many
                bodies = min(2 * bodies, MOST)
                continue
            ripe.add(owner[over], over, state)
            owner[over] = -1
            free = np.flatnonzero(owner < 0)[: count - waiting]
            owner[free] = np.arange(waiting, waiting + len(free))
            waiting += len(free)
            if not (owner >= 0).any():
                return ripe.results() | rows.tables()
            if len(free):
                held = _put(held, free, take(cells, owner[free]))
                fresh = np.isin(np.arange(width), free)
                numbers, lanes = programs.placed(numbers, held)
                state, going, notes = programs.fill(numbers, lanes, state, fresh)
                rows.begin(owner, fresh, notes)
                done[free], bodies = rest, 1

    return run


class _Ripe:
    """Cells that are over: they wait for others to be finished with, as many as there are lanes."""

    def __init__(self, programs: Programs, numbers: Any, cells: Cell, rows: Rows) -> None:
        self._programs, self._numbers, self._cells, self._rows = programs, numbers, cells, rows
        self._waiting: list[tuple[np.ndarray, Any]] = []
        self._results: dict[str, np.ndarray] = {}

    def add(self, places: np.ndarray, lanes: np.ndarray, state: Any) -> None:
        """Some more, from the lanes that they were in."""
        import jax

        if sum(len(p) for p, _ in self._waiting) + len(places) > self._programs.width:
            self._finish()
        self._waiting.append((places, jax.tree.map(lambda a: np.asarray(a)[lanes], state)))

    def results(self) -> dict[str, np.ndarray]:
        """{variable: [c, ...]}, when all have been added."""
        self._finish()
        return self._results

    def _finish(self) -> None:
        import jax

        places, state = jax.tree.map(lambda *parts: np.concatenate(parts), *self._waiting)
        self._waiting = []
        lanes = np.minimum(np.arange(self._programs.width), len(places) - 1)
        state = jax.tree.map(lambda a: a[lanes], state)
        cells = take(self._cells, places[lanes])
        found, left = self._programs.last(self._numbers, cells, state)
        for name, values in found.items():
            values = np.asarray(values)[: len(places)]
            if name not in self._results:
                shape = len(self._cells.place), *values.shape[1:]
                self._results[name] = np.empty(shape, values.dtype)
            self._results[name][places] = values
        self._rows.end(places, state[1][: len(places)], left)


def _compiled(experiment: Experiment, plan: Plan, numbers: Any, cells: Cell) -> Programs:
    import jax
    import jax.numpy as jnp

    move, steps = moves(experiment), experiment.iterate.steps
    walk = Walk(experiment, move, plan.kernel)
    rest = steps % walk.many
    width = min(plan.kernel.lanes, plan.width) * plan.devices
    running = jax.vmap(move.running)

    def begin(numbers: Any, cells: Cell) -> Lane:
        lanes = jax.vmap(functools.partial(move.begin, numbers))(cells)
        return walk.steps(numbers, cells, lanes, 0, rest)

    def noted(numbers: Any, cells: Cell, lanes: Lane, running: Any, n: Any) -> dict[str, Any]:
        return jax.vmap(functools.partial(move.record, numbers))(cells, lanes, running, n)

    def fill(numbers: Any, cells: Cell, state: Any, fresh: Any) -> Any:
        lanes = begin(numbers, cells)
        notes = noted(numbers, cells, lanes, jnp.ones_like(fresh), jnp.zeros_like(state[1]))
        new = walk.pack(lanes), jnp.full_like(state[1], rest)

        def chosen(old: Any, new: Any) -> Any:
            return jnp.where(fresh.reshape(-1, *[1] * (new.ndim - 1)), new, old)

        state = jax.tree.map(chosen, state, new)
        return state, running(walk.unpack(state[0], like)), notes

    def more(numbers: Any, cells: Cell, state: Any, bodies: Any) -> Any:
        packed, n = state
        table: dict[str, Any] = {}
        if move.recorders:

            def step(k: Any, both: Any) -> Any:
                lanes, table = both
                before = running(lanes)
                lanes = walk.steps(numbers, cells, lanes, n + k, 1)
                notes = noted(numbers, cells, lanes, before, n + k + 1)
                return lanes, put(table, [notes], k)

            row = jax.eval_shape(noted, numbers, cells, like, n == 0, n)
            table = jax.tree.map(lambda a: jnp.zeros((len(n), MOST, *a.shape[1:]), a.dtype), row)
            lanes, table = jax.lax.fori_loop(0, bodies, step, (walk.unpack(packed, like), table))
            packed = walk.pack(lanes)
        else:
            packed = walk.bodies(numbers, cells, packed, like, n, bodies)
        return (packed, n + bodies * walk.many), running(walk.unpack(packed, like)), table

    def last(numbers: Any, cells: Cell, state: Any) -> Any:
        packed, n = state
        lanes = walk.unpack(packed, like)
        results = jax.vmap(functools.partial(move.finish, numbers))(cells, lanes)
        return results, noted(numbers, cells, lanes, jnp.zeros_like(n, bool), n)

    def program(f: Callable[..., Any], split: tuple[int, ...], *arguments: Any) -> Any:
        return jax.jit(sharing.shared(f, experiment, plan, split)).lower(*arguments).compile()

    cells, one = _pad(cells, width), np.int32(1)
    like = jax.eval_shape(begin, numbers, cells)
    shapes = jax.eval_shape(walk.pack, like), jax.ShapeDtypeStruct((width,), np.int32)
    hollow = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), shapes)
    return Programs(
        *(width, walk.many, rest, hollow),
        fill=program(fill, (0, 1, 1, 1), numbers, cells, hollow, np.ones(width, bool)),
        more=program(more, (0, 1, 1, 0), numbers, cells, hollow, one),
        last=program(last, (0, 1, 1), numbers, cells, hollow),
    )


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
