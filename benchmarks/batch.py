"""How long do many starts take? The chained Rosenbrock function, and what its histories cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import measure
import numpy as np
import optimisers

SIZES, BATCHES = (2, 10), (1, 64, 4096)
NAMED = ("experiment=minimise", "objective=rosenbrock_chained")
LOW, HIGH = -2, 2
# Of a loop over SciPy so many starts are timed; the rest is in proportion.
PART = 32
# Steps of Newton's method, which has no line search: some starts never end.
NEWTON_STEPS = 200
# Of the other solvers: starts that stay above the residual, at rounding, would go on for ever.
# Nearly all starts of newton_cg end before the length of the history.
STEPS, RECORDED = 500, 200
FIRST, PLAIN = "Cobweb newton_cg", "Cobweb newton"
# Those without a line search are compared with one another.
# Compared with Cobweb's Newton method, which has no line search either.
SEARCHLESS = "optimistix Newton"
LOOPED = "a loop, in proportion"
# The Hessian is not definite at the starts; vmapped, jaxopt takes a minute for 4096 of them.
LEFT_OUT = ("optimistix Newton, CG", "jaxopt LBFGS")
# A start is at the minimum 0 where f is less.
LEAST = 1e-3
LOOP, MAPPED = 50, 3
# Recording may cost a tenth: this is the time without it over that with it.
RECORDING = 0.91


def cobweb(
    solver: str, size: int, count: int, analysis: str, steps: int = STEPS
) -> measure.Prepared:
    """Cobweb's solver from random starts."""
    entries = ", ".join(f"x0_{k}" for k in range(size))
    starts = f"{{of: [{entries}], sample: uniform, num: {count}, low: {LOW}, high: {HIGH}}}"
    return measure.prepare(
        *(*NAMED, f"objective.initial.x.size={size}", f"solver={solver}", f"analysis={analysis}"),
        *("solver.absolute_tolerance=0", f"solver.relative_tolerance={optimisers.REACHED}"),
        *(f"iterate.length={steps}", "device.memory=8GiB"),
        f"grid.starts={starts}",
    )


def loop(peer: optimisers.Peer, starts: np.ndarray, numbers: Any) -> Callable[[], np.ndarray]:
    """A call of a solver after the other."""
    return lambda: np.array([peer.solve(x0, numbers) for x0 in starts])


def contenders(
    family: optimisers.Family, numbers: Any, starts: np.ndarray, ours: dict[str, measure.Prepared]
) -> dict[str, Callable[[], Any]]:
    """{name: () -> the ends of all starts, or of a part}; Cobweb's solvers first."""
    runs: dict[str, Callable[[], Any]] = {
        name: lambda v=v: v.compute()["x_final"] for name, v in ours.items()
    }
    for name, solve in optimisers.rivals(family, STEPS, NEWTON_STEPS).items():
        if name not in LEFT_OUT:
            program = optimisers.compiled(jax.vmap(solve, (0, None)), starts, numbers).solve
            runs[f"{name}, vmapped"] = lambda program=program: program(starts, numbers)
    for method in optimisers.SCIPY:
        peer = optimisers.scipy_minimise(method, family, starts[0], numbers)
        runs[f"SciPy {method}, {LOOPED}"] = loop(peer, starts[:PART], numbers)
    return runs


def compared(size: int, count: int, repeats: int) -> tuple[list[measure.Row], list[list[str]]]:
    """(the ratios of one batch, where its starts end)."""
    case = f"n = {size}, {count} starts"
    ours = {
        FIRST: cobweb("newton_cg", size, count, "final"),
        PLAIN: cobweb("newton", size, count, "final", NEWTON_STEPS),
    }
    starts = ours[FIRST].experiment.grid[0].values
    family, _, numbers = optimisers.problem(*NAMED, f"objective.initial.x.size={size}")
    runs = contenders(family, numbers, starts, ours)
    value = jax.jit(jax.vmap(family.f, (0, None)))
    gradient = jax.jit(jax.vmap(family.gradient, (0, None)))
    ends = []
    for name, run in runs.items():
        x = np.asarray(run())
        first, left = (np.linalg.norm(gradient(v, numbers), axis=1) for v in (starts[: len(x)], x))
        there = left <= (1 + optimisers.ROUNDING) * optimisers.REACHED * first
        if name == FIRST and not there.all():
            raise SystemExit(f"{name}, {case}: {np.sum(~there)} starts miss the residual")
        least = np.asarray(value(x, numbers)) < LEAST
        ends.append([case, name, str(len(x)), f"{there.mean():.1%}", f"{least.mean():.1%}"])
    seconds = measure.rounds(runs, repeats)
    for name in runs:
        if LOOPED in name:
            seconds[name] = [s * count / min(count, PART) for s in seconds[name]]
    rows = []
    for name in list(runs)[len(ours) :]:
        mine = PLAIN if name.startswith(SEARCHLESS) else FIRST
        target = (LOOP if LOOPED in name else MAPPED) if count == max(BATCHES) else None
        rows.append(measure.Row(case, mine, name, seconds[mine], seconds[name], target))
    return rows, ends


def recording(size: int, count: int, repeats: int) -> measure.Row:
    """The same with its whole history and without."""
    case = f"n = {size}, {count} starts to {RECORDED} steps"
    runs = {
        "with its history": cobweb("newton_cg", size, count, "[history,final]", RECORDED).compute,
        "without": cobweb("newton_cg", size, count, "final", RECORDED).compute,
    }
    targets = {"without": RECORDING}
    (row,) = measure.race(case, runs, repeats=repeats, targets=targets)
    return row


def main(small: bool) -> measure.Study:
    sizes, batches, repeats = ((2,), (3,), 1) if small else (SIZES, BATCHES, 5)
    study, ends = measure.Study("Many starts of the chained Rosenbrock function"), []
    for size in sizes:
        for count in batches:
            rows, ended = compared(size, count, repeats)
            study.rows += rows
            ends += ended
        study.rows.append(recording(size, batches[-1], 3 * repeats))
    head = ["case", "solver", "starts", "that reach the residual", "that find the minimum 0"]
    study.tables.append(measure.Table("Where the starts end", head, ends))
    return study


if __name__ == "__main__":
    measure.main(main)
