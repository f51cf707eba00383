"""The loop: every cell of a block steps together, and every fold looks on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.analyses import End, Fold, Seen
from pipeline.experiment import Experiment
from pipeline.status import Status


class Lane(NamedTuple):
    """One cell on its way: the iteration's carry, its status, what each fold keeps."""

    carry: Any
    status: Any
    kept: tuple[Any, ...]


class Cell(NamedTuple):
    """What tells one cell from the others: its place in the grid and what the axes sweep, []."""

    index: Any
    swept: dict[str, Any]


def program(experiment: Experiment) -> Callable[[Any, Cell], dict[str, Any]]:
    """The function that a job compiles.

    Returns:
        (numbers, cells [c]) -> {variable: [c, ...]}, `status` among them. The loop is a scan over
        `vmap` of one cell's step, never a `vmap` over a loop.
    """
    import jax
    import jax.numpy as jnp

    folds, iterate, freezes = experiment.folds(), experiment.iterate, experiment.solver.freezes
    recorders = [fold for fold in folds if fold.recorded]
    stride = math.gcd(*(fold.every for fold in recorders)) if recorders else 1

    def run(numbers: Any, cells: Cell) -> dict[str, Any]:
        def begin(cell: Cell) -> Lane:
            iteration = experiment.iteration(numbers, cell.swept)
            carry = iteration.init(experiment.start(numbers, cell.swept))
            seen = Seen(0, iteration.state(carry), iteration.probe(carry), jnp.bool_(True))
            return Lane(carry, iteration.terminate(carry), tuple(f.init(seen) for f in folds))

        def step(cell: Cell, lane: Lane, n: Any) -> Lane:
            iteration = experiment.iteration(numbers, cell.swept)
            running = lane.status == Status.bounded
            carry = iteration.step(lane.carry, n)
            if freezes:
                carry = jax.tree.map(lambda a, b: jnp.where(running, a, b), carry, lane.carry)
            status = jnp.where(running, iteration.terminate(carry), lane.status)
            seen = Seen(n + 1, iteration.state(carry), iteration.probe(carry), running)
            kept = (f.update(k, seen) for f, k in zip(folds, lane.kept, strict=True))
            return Lane(carry, status, tuple(kept))

        def record(cell: Cell, lane: Lane, running: Any, n: Any) -> dict[str, Any]:
            iteration = experiment.iteration(numbers, cell.swept)
            seen = Seen(n, iteration.state(lane.carry), iteration.probe(lane.carry), running)
            return {k: v for fold in recorders for k, v in fold.record(seen).items()}

        def finish(cell: Cell, lane: Lane) -> dict[str, Any]:
            iteration = experiment.iteration(numbers, cell.swept)
            carry, status = lane.carry, lane.status
            if freezes:
                status = jnp.where(status == Status.bounded, Status.iteration_limit, status)
            status = status.astype(jnp.int8)
            seen = Seen(iterate.steps, iteration.state(carry), iteration.probe(carry), False)
            end = End(seen, status, iteration, carry)
            result = {"status": status}
            for fold, kept in zip(folds, lane.kept, strict=True):
                result |= fold.finish(kept, end)
            return result

        every_step = jax.vmap(step, in_axes=(0, 0, None))
        every_record = jax.vmap(record, in_axes=(0, 0, 0, None))

        def advance(state: tuple[Lane, Any]) -> tuple[Lane, Any]:
            lanes, n = state
            if not freezes:
                return every_step(cells, lanes, n), n + 1
            running = jnp.any(lanes.status == Status.bounded)
            return jax.lax.cond(running, lambda: every_step(cells, lanes, n), lambda: lanes), n + 1

        def walk(state: tuple[Lane, Any], count: int) -> tuple[Lane, Any]:
            if count == 0:  # XLA would compile a loop that never runs
                return state
            return jax.lax.scan(lambda s, _: (advance(s), None), state, length=count)[0]

        def row(state: tuple[Lane, Any], _: None) -> tuple[tuple[Lane, Any], Any]:
            before = walk(state, stride - 1)
            lanes, n = after = advance(before)
            return after, every_record(cells, lanes, before[0].status == Status.bounded, n)

        lanes = jax.vmap(begin)(cells)
        first = (
            every_record(cells, lanes, jnp.ones_like(lanes.status, bool), 0) if recorders else {}
        )
        state = walk((lanes, jnp.int32(0)), iterate.transient)
        count = iterate.length // stride if recorders else 0
        rows = jax.tree.map(lambda row: jnp.zeros((0, *row.shape), row.dtype), first)
        if count:
            state, rows = jax.lax.scan(row, state, length=count)
        lanes, _ = walk(state, iterate.length - count * stride)
        result = jax.vmap(finish)(cells, lanes)
        for fold in recorders:
            result |= _rows(fold, rows, first, stride, zeroth=not iterate.transient)
        return result

    return run


def _rows(fold: Fold, rows: Any, first: Any, stride: int, *, zeroth: bool) -> dict[str, Any]:
    """{variable: [c, n, ...]} the rows that one fold keeps of those recorded at every stride."""
    import jax.numpy as jnp

    every, result = fold.every // stride, {}
    for variable in fold.recorded:
        kept = rows[variable.name][every - 1 :: every]
        if zeroth:
            kept = jnp.concatenate([first[variable.name][None], kept])
        result[variable.name] = jnp.moveaxis(kept, 0, 1)
    return result
