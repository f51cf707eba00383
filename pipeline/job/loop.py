"""The loop: the cells of a block step together, and every fold looks on."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from pipeline.analyses import Fold
from pipeline.experiment import Experiment
from pipeline.job.kernel import Kernel
from pipeline.job.lane import Cell, Lane, moves


def program(
    experiment: Experiment, kernel: Kernel, block: int
) -> Callable[[Any, Cell], dict[str, Any]]:
    """The function that a job compiles.

    Args:
        block: how many of the cells are real: the first ones; the others are padding.

    Returns:
        (numbers, cells [c]) -> {variable: [block, ...]}, `status` among them; c is a multiple of
        the kernel's. The loop is a scan over `vmap` of one cell's step, never a `vmap` over a
        loop; its body moves each strand in turn.
    """
    import jax
    import jax.numpy as jnp

    move, iterate = moves(experiment), experiment.iterate
    recorders = move.recorders
    stride = math.gcd(*(fold.every for fold in recorders)) if recorders else 1

    def run(numbers: Any, cells: Cell) -> dict[str, Any]:
        begin = jax.vmap(lambda cell: move.begin(numbers, cell))
        record = jax.vmap(lambda *lane: move.record(numbers, *lane), in_axes=(0, 0, 0, None))
        finish = jax.vmap(lambda *lane: move.finish(numbers, *lane))
        strands = split(cells, kernel.strands)
        width = cells.place.shape[0] // kernel.strands

        def real(parts: list[Any]) -> list[Any]:
            """Of each strand the cells that are no padding."""
            kept = [min(width, max(0, block - s * width)) for s in range(kernel.strands)]
            return [jax.tree.map(lambda a, k=k: a[:k], p) for p, k in zip(parts, kept, strict=True)]

        def advance(
            state: tuple[list[Lane], Any], *, transient: bool = False
        ) -> tuple[list[Lane], Any]:
            lanes, n = state
            one = functools.partial(move.step, numbers, transient=transient)
            step = jax.vmap(one, in_axes=(0, 0, None))

            def moved() -> list[Lane]:
                return [step(c, lane, n) for c, lane in zip(strands, lanes, strict=True)]

            if not move.leaves:
                return moved(), n + 1
            running = jnp.any(jnp.stack([jnp.any(lane.running) for lane in lanes]))
            return jax.lax.cond(running, moved, lambda: lanes), n + 1

        def settle(state: tuple[list[Lane], Any]) -> tuple[list[Lane], Any]:
            return [jax.vmap(move.settle)(lane) for lane in state[0]], state[1]

        def walk(
            state: tuple[list[Lane], Any], count: int, *, transient: bool = False
        ) -> tuple[list[Lane], Any]:
            """So many steps; a loop body has `unroll` of them, and settles once."""

            def several(state: Any, steps: int) -> Any:
                for _ in range(steps):
                    state = advance(state, transient=transient)
                return settle(state)

            whole, rest = divmod(count, kernel.unroll)
            if whole:
                body = lambda state, _: (several(state, kernel.unroll), None)  # noqa: E731
                state, _ = jax.lax.scan(body, state, length=whole)
            return several(state, rest) if rest else state

        def note(lanes: list[Lane], running: list[Any], n: Any) -> list[dict[str, Any]]:
            # Padding is not kept: without the barrier the compiler would step the real cells a
            # second time, in a loop of their own and so with other bits.
            lanes, running = jax.lax.optimization_barrier((lanes, running))
            each = zip(real(strands), real(lanes), real(running), strict=True)
            return [record(cells, lane, ran, n) for cells, lane, ran in each]

        def row(state: tuple[list[Lane], Any], _: None) -> tuple[tuple[list[Lane], Any], Any]:
            before = walk(state, stride - 1)
            after = settle(advance(before))
            return after, note(after[0], [lane.running for lane in before[0]], after[1])

        lanes = [begin(cells) for cells in strands]
        first = note(lanes, [jnp.ones_like(lane.running) for lane in lanes], 0)
        state = walk((lanes, jnp.int32(0)), iterate.transient, transient=True)
        count = iterate.length // stride if recorders else 0
        rows = jax.tree.map(lambda row: jnp.zeros((0, *row.shape), row.dtype), first)
        if count:
            unroll = min(kernel.unroll, count) if stride == 1 else 1
            state, rows = jax.lax.scan(row, state, length=count, unroll=unroll)
        lanes, _ = walk(state, iterate.length - count * stride)
        results = []
        ends = zip(real(strands), real(lanes), rows, first, strict=True)
        for cells, lane, strand_rows, strand_first in ends:
            result = finish(cells, lane)
            for fold in recorders:
                zeroth = not iterate.transient
                result |= _rows(fold, strand_rows, strand_first, stride, zeroth=zeroth)
            results.append(result)
        return join(results)

    return run


def split(tree: Any, strands: int) -> list[Any]:
    """The leading axis of every array in so many equal parts."""
    import jax

    if strands == 1:
        return [tree]
    width = jax.tree.leaves(tree)[0].shape[0] // strands
    return [
        jax.tree.map(lambda a, s=s: a[s * width : (s + 1) * width], tree) for s in range(strands)
    ]


def join(trees: list[Any]) -> Any:
    """The inverse of `split`."""
    import jax
    import jax.numpy as jnp

    return trees[0] if len(trees) == 1 else jax.tree.map(lambda *a: jnp.concatenate(a), *trees)


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
