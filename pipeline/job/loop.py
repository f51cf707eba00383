"""The loop: the cells of a block step together, and every fold looks on."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from pipeline.analyses import Fold
from pipeline.experiment import Experiment
from pipeline.job.kernel import Kernel
from pipeline.job.lane import Cell, Lane, Moves, leaves, moves
from pipeline.job.pairs import pack

# Steps between two calls of the folds' `settle`.
SETTLE = 4


def program(
    experiment: Experiment, kernel: Kernel, block: int
) -> Callable[[Any, Cell], dict[str, Any]]:
    """The function that a job compiles.

    Args:
        block: how many of the cells are real: the first ones; the others are padding.

    Returns:
        (numbers, cells [c]) -> {variable: [block, ...]}, `status` among them; c is a multiple of
        the kernel's width. The loop is a scan over `vmap` of one cell's step, never a `vmap` over a
        loop.
    """
    import jax
    import jax.numpy as jnp

    move, iterate = moves(experiment, guarded=kernel.guarded), experiment.iterate
    recorders = move.recorders
    stride = math.gcd(*(fold.every for fold in recorders)) if recorders else 1

    def run(numbers: Any, cells: Cell) -> dict[str, Any]:
        record = jax.vmap(functools.partial(move.record, numbers), in_axes=(0, 0, 0, None))
        real = functools.partial(jax.tree.map, lambda a: a[:block])
        ahead = functools.partial(walk, experiment, move, kernel, numbers, cells)

        def note(lanes: Lane, running: Any, n: Any) -> dict[str, Any]:
            # Padding is not kept: without the barrier the compiler would step the real cells a
            # second time, in a loop of their own and so with other bits.
            lanes, running = jax.lax.optimization_barrier((lanes, running))
            return record(real(cells), real(lanes), real(running), n)

        def row(state: tuple[Lane, Any], _: None) -> tuple[tuple[Lane, Any], dict[str, Any]]:
            lanes, n = state
            before = ahead(lanes, n, stride - 1)
            n = n + stride
            after = ahead(before, n - 1, 1)
            return (after, n), note(after, jax.vmap(move.running)(before), n)

        lanes = jax.vmap(functools.partial(move.begin, numbers))(cells)
        first = note(lanes, jnp.ones(len(cells.place), bool), 0)
        lanes, n = ahead(lanes, 0, iterate.transient, transient=True), iterate.transient
        count = iterate.length // stride if recorders else 0
        rows = jax.tree.map(lambda row: jnp.zeros((0, *row.shape), row.dtype), first)
        if count:
            unroll = min(kernel.unroll, count) if stride == 1 else 1
            (lanes, _), rows = jax.lax.scan(row, (lanes, jnp.int32(n)), length=count, unroll=unroll)
            n += count * stride
        lanes = ahead(lanes, n, iterate.steps - n)
        result = jax.vmap(functools.partial(move.finish, numbers))(real(cells), real(lanes))
        for fold in recorders:
            result |= _rows(fold, rows, first, stride, zeroth=not iterate.transient)
        return result

    return run


def walk(
    experiment: Experiment, move: Moves, kernel: Kernel, numbers: Any, cells: Cell, lanes: Lane,
    n: Any, count: int, *, transient: bool = False,
) -> Lane:  # fmt: skip
    """The lanes so many steps on; n steps have been done. Those that fill no body come first."""
    import jax
    import jax.numpy as jnp

    def mapped(f: Callable[..., Any]) -> Callable[..., Any]:
        return jax.vmap(functools.partial(f, transient=transient))

    begin, settle, end = mapped(move.open), mapped(move.settle), mapped(move.close)
    step = mapped(functools.partial(move.step, numbers))
    tangent = not transient and any(fold.tangent for fold in experiment.folds())
    many = kernel.batch if tangent else kernel.unroll

    def several(lanes: Lane, n: Any, steps: int) -> Lane:
        def taken(lanes: Lane) -> Lane:
            lanes = begin(lanes)
            for k in range(steps):
                lanes = step(cells, lanes, jnp.broadcast_to(n + k, cells.place.shape))
                if k % SETTLE == SETTLE - 1:
                    lanes = settle(lanes)
            return end(lanes)

        if not steps:
            return lanes
        if not leaves(experiment):
            return taken(lanes)
        going = jnp.any(jax.vmap(move.running)(lanes))
        return jax.lax.cond(going, taken, lambda lanes: lanes, lanes)

    whole, rest = divmod(count, many)
    n = jnp.asarray(n, jnp.int32)
    lanes = several(lanes, n, rest)
    if not whole:
        return lanes
    packed, unpack = pack(lanes) if kernel.paired else (lanes, lambda lanes: lanes)

    def body(state: tuple[Any, Any], _: None) -> tuple[tuple[Any, Any], None]:
        lanes = several(unpack(state[0]), state[1], many)
        return (pack(lanes)[0] if kernel.paired else lanes, state[1] + many), None

    (packed, _), _ = jax.lax.scan(body, (packed, n + rest), length=whole)
    return unpack(packed)


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
