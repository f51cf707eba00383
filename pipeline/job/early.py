"""Early exit: cells that are over make room for others, so that no lane waits for the slowest.

A program of a fixed number of lanes moves them until one in four is over or one has done all its
steps. Those are taken out, and the next cells of the block take their places. A cell meets the same
operations in whichever lane it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pipeline.experiment import Experiment
from pipeline.job import kernel, sharing
from pipeline.job.call import Call, footprint
from pipeline.job.lane import Cell, Lane, leaves, moves, take
from pipeline.job.loop import Walk, put
from pipeline.job.plan import Plan
from pipeline.job.rows import Rows

# Steps that are noted in one call, at most.
MOST = 32
# Lanes are filled again when one in so many is over.
FULL = 4


def suits(experiment: Experiment) -> bool:
    """Whether cells leave the loop, and no analysis looks at parts of it or drops its beginning."""
    iterate, folds = experiment.iterate, experiment.folds()
    if kernel.kind(experiment) == "leaving":
        return iterate.steps > kernel.SHORT
    parts = any(fold.parts or fold.span for fold in folds)
    dropped = iterate.transient > 0 and any(fold.recorded for fold in folds)
    return experiment.solver.freezes and leaves(experiment) and not parts and not dropped


class Programs(NamedTuple):
    """What is compiled; all take the numbers first, then cells.

    Attributes:
        width: the lanes.
        many: steps of one loop body.
        rest: steps that fill no body, and are done when a lane begins.
        hollow: a state of the lanes: packed, and the steps that each has done.
        fill: (those of the block, which of them each lane has, a state, which lanes begin anew) ->
            (those of the lanes, state, which go on, notes of step 0).
        more: (those of the lanes, a state, which lanes hold a cell, loop bodies) -> (state, which
            go on, notes of the steps taken): so many bodies, or fewer where enough lanes are over.
        last: (those of the block, which of them each lane has, a state) -> (results, notes of the
            steps not taken).
    """

    width: int
    many: int
    rest: int
    hollow: Any
    fill: Any
    more: Any
    last: Any

    def placed(self, numbers: Any, cells: Cell) -> tuple[Any, Cell]:
        """Those of a block where the programs take them from, so that no call moves them again."""
        import jax

        return jax.device_put((numbers, cells), self.fill.input_shardings[0][:2])


def build(experiment: Experiment, plan: Plan, numbers: Any, cells: Cell) -> Call:
    """Compile the programs of an experiment, and make the call.

    Args:
        numbers, cells: arguments of the kinds and types that the programs will meet.
    """
    programs = _compiled(experiment, plan, numbers, cells)
    width, many, rest = programs.width, programs.many, programs.rest
    recorders = tuple(fold for fold in experiment.folds() if fold.recorded)
    steps = experiment.iterate.steps

    def run(numbers: Any, cells: Cell) -> dict[str, np.ndarray]:
        count = len(cells.place)
        numbers, cells = programs.placed(numbers, _pad(cells, plan.block))
        rows = Rows(recorders, count, steps)
        ripe = _Ripe(programs, numbers, cells, rows, count)
        # The cell in each lane, -1 where there is none; the steps that the lane has done.
        owner, done = np.full(width, -1, np.int32), np.full(width, rest)
        waiting, state, lanes, going = 0, programs.hollow, cells, owner >= 0
        while True:
            free = np.flatnonzero(owner < 0)[: count - waiting]
            if len(free):
                owner[free] = np.arange(waiting, waiting + len(free))
                waiting += len(free)
                fresh = np.zeros(width, bool)
                fresh[free], done[free] = True, rest
                lanes, state, going, notes = programs.fill(numbers, cells, owner, state, fresh)
                rows.begin(owner, free, notes)
            taken = owner >= 0
            if not taken.any():
                return ripe.results() | rows.tables()
            while True:
                ended = done >= steps
                over = taken & (ended | ~np.asarray(going))
                if FULL * np.sum(over) >= np.sum(taken) or ended[taken].any():
                    break
                bodies = np.int32((steps - done[taken].max()) // many)
                state, going, notes = programs.more(numbers, lanes, state, taken, bodies)
                before, done = done, np.array(state[1])
                rows.put(owner, before, done, notes)
            ripe.add(owner[over], over, state)
            owner[over] = -1

    return Call(run, max(map(footprint, (programs.fill, programs.more, programs.last))))


class _Ripe:
    """Cells that are over: they wait for others to be finished with, as many as there are lanes."""

    def __init__(
        self, programs: Programs, numbers: Any, cells: Cell, rows: Rows, count: int
    ) -> None:
        self._programs, self._numbers, self._cells = programs, numbers, cells
        self._rows, self._count = rows, count
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
        found, left = self._programs.last(self._numbers, self._cells, places[lanes], state)
        for name, values in found.items():
            values = np.asarray(values)[: len(places)]
            if name not in self._results:
                shape = self._count, *values.shape[1:]
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

    def fill(numbers: Any, block: Cell, owner: Any, state: Any, fresh: Any) -> Any:
        cells = take(block, owner)
        lanes = begin(numbers, cells)
        notes = noted(numbers, cells, lanes, jnp.ones_like(fresh), jnp.zeros_like(state[1]))
        new = walk.pack(lanes), jnp.full_like(state[1], rest)

        def chosen(old: Any, new: Any) -> Any:
            return jnp.where(fresh.reshape(-1, *[1] * (new.ndim - 1)), new, old)

        state = jax.tree.map(chosen, state, new)
        return cells, state, running(walk.unpack(state[0], like)), notes

    def more(numbers: Any, cells: Cell, state: Any, taken: Any, bodies: Any) -> Any:
        def enough(at: tuple[Any, Any, Any, Any]) -> Any:
            k, packed, _, _ = at
            over = taken & ~running(walk.unpack(packed, like))
            return (k < bodies) & (FULL * jnp.sum(over) < jnp.sum(taken))

        def body(at: tuple[Any, Any, Any, Any]) -> tuple[Any, Any, Any, Any]:
            k, packed, n, table = at
            before = running(walk.unpack(packed, like))
            packed = walk.bodies(numbers, cells, packed, like, n, 1)
            n = n + walk.many
            if move.recorders:
                lanes = walk.unpack(packed, like)
                table = put(table, [noted(numbers, cells, lanes, before, n)], k)
            return k + 1, packed, n, table

        packed, n = state
        row = jax.eval_shape(noted, numbers, cells, walk.unpack(packed, like), n == 0, n)
        table = jax.tree.map(lambda a: jnp.zeros((len(n), MOST, *a.shape[1:]), a.dtype), row)
        bodies = jnp.minimum(bodies, MOST) if move.recorders else bodies
        begin = jnp.int32(0), packed, n, table
        _, packed, n, table = jax.lax.while_loop(enough, body, begin)
        return (packed, n), running(walk.unpack(packed, like)), table

    def last(numbers: Any, block: Cell, owner: Any, state: Any) -> Any:
        cells, (packed, n) = take(block, owner), state
        lanes = walk.unpack(packed, like)
        results = jax.vmap(functools.partial(move.finish, numbers))(cells, lanes)
        return results, noted(numbers, cells, lanes, jnp.zeros_like(n, bool), n)

    def program(f: Callable[..., Any], split: tuple[int, ...], *arguments: Any) -> Any:
        return jax.jit(sharing.shared(f, experiment, plan, split)).lower(*arguments).compile()

    block, owner = _pad(cells, plan.block), np.zeros(width, np.int32)
    cells, every = take(block, owner), np.ones(width, bool)
    like = jax.eval_shape(begin, numbers, cells)
    shapes = jax.eval_shape(walk.pack, like), jax.ShapeDtypeStruct((width,), np.int32)
    hollow = jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), shapes)
    return Programs(
        *(width, walk.many, rest, hollow),
        fill=program(fill, (0, 0, 1, 1, 1), numbers, block, owner, hollow, every),
        more=program(more, (0, 1, 1, 1, 0), numbers, cells, hollow, every, np.int32(1)),
        last=program(last, (0, 0, 1, 1), numbers, block, owner, hollow),
    )


def _pad(cells: Cell, width: int) -> Cell:
    """So many of the cells, the last one again where there are fewer."""
    return take(cells, np.minimum(np.arange(width), len(cells.place) - 1))
