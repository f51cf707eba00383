"""The loop: the cells of a block step together, and every fold looks on."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from pipeline.analyses import ALIGNING, Fold, Phase
from pipeline.experiment import Experiment
from pipeline.job.kernel import Kernel
from pipeline.job.lane import Cell, Lane, Moves, leaves, moves
from pipeline.job.pairs import pack, unpack

# The lanes, the steps done, the rows filled, and the table of what is recorded.
State = tuple[Lane, Any, Any, Any]
# Parts of the length have a multiple of so many steps: two whole bodies of any kernel, or more.
WHOLE = 64
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
    watch, aligning = leaves(experiment), min(ALIGNING, iterate.transient)
    if not any(fold.transient == "last" for fold in experiment.folds()):
        aligning = 0
    walk = Walk(experiment, move, kernel, watch=watch)
    settle = Walk(experiment, move, kernel, phase="settling", watch=watch)
    align = Walk(experiment, move, kernel, phase="aligning", watch=watch)
    spans = [fold.span for fold in experiment.folds() if fold.span]
    stride = math.gcd(*(fold.every for fold in recorders), *spans) if recorders else 1

    def run(numbers: Any, cells: Cell) -> dict[str, Any]:
        record = jax.vmap(functools.partial(move.record, numbers), in_axes=(0, 0, 0, None))
        real = functools.partial(jax.tree.map, lambda a: a[:block])
        ahead = functools.partial(walk.steps, numbers, cells)

        def note(lanes: Lane, running: Any, n: Any) -> dict[str, Any]:
            # Padding is not kept: without the barrier the compiler would step the real cells a
            # second time, in a loop of their own and so with other bits.
            lanes, running = jax.lax.optimization_barrier((lanes, running))
            return record(real(cells), real(lanes), real(running), n)

        def rows(state: State, count: int, tile: int) -> State:
            """So many more tiles of rows: their transpose fills the lines of the cache."""

            def several(state: State, _: None) -> tuple[State, None]:
                lanes, n, at, table = state
                notes = []
                for _k in range(tile):
                    before = ahead(lanes, n, stride - 1)
                    n = n + stride
                    lanes = ahead(before, n - 1, 1)
                    notes.append(note(lanes, jax.vmap(move.running)(before), n))
                return (lanes, n, at + tile, put(table, notes, at)), None

            return jax.lax.scan(several, state, length=count)[0] if count else state

        def forward(state: State, steps: int) -> State:
            """So many steps more, with their rows."""
            if recorders:
                count = steps // stride
                state = rows(rows(state, count // tile, tile), count % tile, 1)
                steps -= count * stride
            lanes, n, at, table = state
            return ahead(lanes, n, steps), n + steps, at, table

        lanes = jax.vmap(functools.partial(move.begin, numbers))(cells)
        first = note(lanes, jnp.ones(len(cells.place), bool), 0)
        begun = iterate.transient - aligning
        lanes = settle.steps(numbers, cells, lanes, 0, begun)
        lanes = align.steps(numbers, cells, lanes, begun, aligning)
        count: int = iterate.length // stride if recorders else 0
        zeroth = int(not iterate.transient)
        table = {
            name: jnp.zeros((len(row), zeroth + count, *row.shape[1:]), row.dtype)
            for name, row in first.items()
        }
        state = (lanes, jnp.int32(iterate.transient), jnp.int32(zeroth), table)
        if zeroth:
            state = (*state[:3], put(table, [first], 0))
        tile = kernel.unroll if stride == 1 else 1
        span, parts = _parts(experiment, math.lcm(stride, WHOLE))
        part = jax.vmap(move.part)

        def through(state: State, _: None) -> tuple[State, Any]:
            state = forward(state, span)
            return state, part(state[0])

        before = part(state[0])
        if parts:
            state, noted = jax.lax.scan(through, state, length=parts)
            # [parts + 1, c, ...] -> [c, parts + 1, ...]
            before = jax.tree.map(
                lambda a, b: jnp.moveaxis(jnp.concatenate([a[None], b]), 0, 1), before, noted
            )
        else:
            before = jax.tree.map(lambda a: a[:, None], before)
        state = forward(state, iterate.length - parts * span)
        finish = functools.partial(move.finish, numbers, span=span)
        ended, noted = jax.lax.optimization_barrier((state[0], before))
        result = jax.vmap(finish)(real(cells), real(ended), real(noted))
        for fold in recorders:
            result |= _kept(fold, state[3], stride, zeroth)
        return result

    return run


def put(table: dict[str, Any], notes: list[dict[str, Any]], at: Any) -> dict[str, Any]:
    """The table [c, n, ...] of each variable with so many of its rows filled in."""
    import jax
    import jax.numpy as jnp

    def filled(name: str) -> Any:
        rows = jnp.stack([note[name] for note in notes], 1)
        return jax.lax.dynamic_update_slice_in_dim(table[name], rows, at, 1)

    return {name: filled(name) for name in table}


def _parts(experiment: Experiment, multiple: int) -> tuple[int, int]:
    """(steps of one part of the length, how many parts)."""
    wanted = [fold for fold in experiment.folds() if fold.parts or fold.span]
    length = experiment.iterate.length
    if not wanted:
        return 0, 0
    given = max(fold.span for fold in wanted)
    most = max(fold.parts for fold in wanted)
    span = given or max(1, length // (most * multiple)) * multiple
    return span, length // span


class Walk:
    """Steps of many lanes, several in one body of a loop.

    Args:
        phase: which of the folds look at these steps.
        watch: whether a body is left out when all lanes have ended.
    """

    def __init__(
        self, experiment: Experiment, move: Moves, kernel: Kernel, *,
        phase: Phase = "keeping", watch: bool = False,
    ) -> None:  # fmt: skip
        import jax

        def mapped(f: Callable[..., Any], axes: Any = 0) -> Callable[..., Any]:
            # Traced once, whatever the number of steps.
            one = functools.partial(f, phase=phase)
            return jax.jit(jax.vmap(one, in_axes=axes), inline=True)

        looking = [fold for fold in experiment.folds() if fold.looks(phase)]
        tangent = any(fold.tangent for fold in looking)
        self.many = kernel.batch if tangent else kernel.unroll
        self.paired, self.watch = kernel.paired, watch
        self._open, self._close = mapped(move.open), mapped(move.close)
        self._step, self._settle = mapped(move.step, (None, 0, 0, 0)), mapped(move.settle)
        self._running = jax.vmap(move.running)

    def steps(self, numbers: Any, cells: Cell, lanes: Lane, n: Any, count: int) -> Lane:
        """So many of them, those that fill no body first; n [] or [c] have been done."""
        import jax
        import jax.numpy as jnp

        whole, rest = divmod(count, self.many)
        n = jnp.asarray(n, jnp.int32)
        lanes = self._several(numbers, cells, lanes, n, rest)
        if not whole:
            return lanes
        like = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), lanes)
        packed = self.bodies(numbers, cells, self.pack(lanes), like, n + rest, whole)
        # A single body is no loop to the compiler, which would take the packed arrays apart.
        return self.unpack(jax.lax.optimization_barrier(packed), like)

    def bodies(self, numbers: Any, cells: Cell, packed: Any, like: Lane, n: Any, whole: Any) -> Any:
        """So many whole bodies, which may be known only when it runs."""
        import jax

        def body(k: Any, packed: Any) -> Any:
            lanes = self.unpack(packed, like)
            return self.pack(self._several(numbers, cells, lanes, n + k * self.many, self.many))

        return jax.lax.fori_loop(0, whole, body, packed)

    def pack(self, lanes: Lane) -> Any:
        """As they travel from one body to the next."""
        return pack(lanes) if self.paired else lanes

    def unpack(self, packed: Any, like: Lane) -> Lane:
        """The inverse of `pack`."""
        return unpack(packed, like) if self.paired else packed

    def _several(self, numbers: Any, cells: Cell, lanes: Lane, n: Any, count: int) -> Lane:
        import jax
        import jax.numpy as jnp

        def taken(lanes: Lane) -> Lane:
            lanes = self._open(lanes)
            for k in range(count):
                at = jnp.broadcast_to(n + k, cells.place.shape)
                lanes = self._step(numbers, cells, lanes, at)
                if k % SETTLE == SETTLE - 1:
                    lanes = self._settle(lanes)
            return self._close(lanes)

        if not count or not self.watch:
            return taken(lanes) if count else lanes
        going = jnp.any(self._running(lanes))
        return jax.lax.cond(going, taken, lambda lanes: lanes, lanes)


def _kept(fold: Fold, table: dict[str, Any], stride: int, zeroth: int) -> dict[str, Any]:
    """{variable: [c, n, ...]} the rows that one fold keeps of those recorded at every stride."""
    import jax.numpy as jnp

    every, result = fold.every // stride, {}
    for variable in fold.recorded:
        rows = table[variable.name]
        if every > 1:
            rows = jnp.concatenate([rows[:, :zeroth], rows[:, zeroth + every - 1 :: every]], 1)
        result[variable.name] = rows
    return result
