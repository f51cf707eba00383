"""Which kernel suits which kind of work? The table in pipeline/job/kernel.py comes from here."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import replace

import measure

from pipeline import job
from pipeline.job.kernel import TABLE, Kernel

UNROLL = (1, 2, 4, 8, 16, 32)
BATCH = (16, 32, 64, 128)
# A smaller kernel that reaches so much of the best one's speed is better: it compiles sooner.
ENOUGH = 0.9

MAPS = {
    "logistic": measure.axis("a", 3.4, 4.0, 64),
    "henon": measure.axis("a", 1.0, 1.4, 64),
    "cubic": measure.axis("a", 2.0, 2.8, 64),
    "ricker": measure.axis("r", 1.8, 3.2, 64),
}
PLANE = "quadratic_c"
STARTS = {PLANE: "c_im"}
# {kind of work: (analysis, maps)}; exponents are of maps of one component.
KINDS = {
    "map": ("final", list(MAPS)),
    "orbit": ("orbit", list(MAPS)),
    "tangent": ("lyapunov", ["logistic", "cubic", "ricker"]),
    "leaving": ("escape", ["logistic", "henon", "cubic", PLANE]),
}
Seconds = dict[Kernel, dict[str, list[float]]]


def prepared(kind: str, name: str, cells: int, steps: int) -> measure.Prepared:
    """One map at one kind of work, in a single block."""
    analysis, _ = KINDS[kind]
    first = MAPS.get(name, measure.axis("c_re", -2.0, 1.0, 64))
    return measure.prepare(
        *("experiment=orbit", f"map={name}", f"analysis=[{analysis}]", "iterate.transient=0"),
        *(f"iterate.length={steps}", first, "device.memory=4GiB"),
        measure.axis(STARTS.get(name, "x0"), 0.05, 0.15, cells // 64),
    )


def shaped(ours: measure.Prepared, kernel: Kernel, block: int) -> measure.Prepared:
    """The same with another kernel."""
    plan = replace(ours.plan, kernel=kernel, block=block)
    call, seconds = job.compiled(ours.experiment, plan)
    return replace(ours, plan=plan, call=call, compile_seconds=seconds)


def kernels(kind: str, small: bool) -> list[Kernel]:
    """The rows to try: as they are, in pairs, with a guard, and both."""
    guards = (False, True) if kind in ("map", "tangent") else (False,)
    shapes = [{"paired": p, "guarded": g} for p in (False, True) for g in guards]
    if kind == "tangent":
        batches = BATCH[:1] if small else BATCH
        return [Kernel(), *(Kernel(unroll=8, batch=b, **s) for b in batches for s in shapes)]
    unrolls = (1, 4) if small else UNROLL
    return [Kernel(unroll=u, **s) for u in unrolls for s in shapes]


def measured(
    kind: str, cells: int, steps: int, repeats: int, small: bool
) -> tuple[Seconds, dict[Kernel, float]]:
    """({kernel: {map: seconds of each round}}, {kernel: median seconds of compiling})."""
    seconds: Seconds = {kernel: {} for kernel in kernels(kind, small)}
    compiling: dict[Kernel, list[float]] = {kernel: [] for kernel in seconds}
    for name in KINDS[kind][1][: 1 if small else None]:
        ours = prepared(kind, name, cells, steps)
        runs = {}
        for kernel in seconds:
            program = shaped(ours, kernel, cells)
            # The plan's own kernel has been compiled already.
            compiling[kernel].append(program.compile_seconds or ours.compile_seconds)
            program.exhaust()
            runs[kernel] = program.exhaust
        rounds = measure.rounds(runs, repeats)
        for kernel in seconds:
            seconds[kernel][name] = rounds[kernel]
    return seconds, {k: statistics.median(times) for k, times in compiling.items()}


def scores(seconds: Seconds) -> dict[Kernel, float]:
    """The speed of each kernel over the maps together: geometric means, the best one's being 1."""
    speed = {
        kernel: 1 / statistics.geometric_mean(statistics.median(times) for times in by_map.values())
        for kernel, by_map in seconds.items()
    }
    return {kernel: s / max(speed.values()) for kernel, s in speed.items()}


def choice(score: Mapping[Kernel, float], compiling: Mapping[Kernel, float]) -> Kernel:
    """The smallest kernel that is fast enough; of two as small the one that compiles sooner."""
    enough = [kernel for kernel, s in score.items() if s >= ENOUGH]
    return min(enough, key=lambda k: (max(k.unroll, k.batch), compiling[k]))


def total(by_map: Mapping[str, list[float]]) -> list[float]:
    """Seconds of all maps together, round by round."""
    return [sum(times) for times in zip(*by_map.values(), strict=True)]


def table(
    kind: str, seconds: Seconds, score: Mapping[Kernel, float], compiling: Mapping[Kernel, float],
    work: int, best: Kernel,
) -> measure.Table:  # fmt: skip
    """One row for each kernel."""
    rows = []
    for kernel, by_map in seconds.items():
        mark = "**" if kernel == best else ""
        speeds = [f"{work / statistics.median(times) / 1e9:.3g}" for times in by_map.values()]
        rows.append(
            [
                f"{mark}{title(kernel)}{mark}",
                *speeds,
                f"{score[kernel]:.2f}",
                measure.time(compiling[kernel]),
            ]
        )
    names = list(seconds[best])
    head = ["kernel", *names, "of the best", "compiling"]
    return measure.Table(f"{kind}: 10^9 steps a second, as if no cell left", head, rows)


def title(kernel: Kernel) -> str:
    """In a few words."""
    marks = [word for word in ("paired", "guarded") if getattr(kernel, word)]
    return " ".join([str(max(kernel.unroll, kernel.batch)), *marks])


def by_width(kind: str, kernel: Kernel, steps: int, repeats: int, small: bool) -> measure.Table:
    """The same kernel on blocks of other sizes."""
    name, runs, cells = KINDS[kind][1][0], {}, {}
    for power in (9, 10) if small else range(9, 20):
        program = shaped(prepared(kind, name, 2**power, steps), kernel, 2**power)
        program.exhaust()
        runs[str(2**power)] = program.exhaust
    for block, times in measure.rounds(runs, repeats).items():
        speeds = [int(block) * steps / s / 1e9 for s in times]
        cells[block] = measure.span(speeds, lambda v: f"{v:.3g}")
    rows = [[block, speed] for block, speed in cells.items()]
    return measure.Table(f"{kind}, {name}: {title(kernel)}", ["cells", "10^9 steps a second"], rows)


def main(small: bool) -> measure.Study:
    study = measure.Study("Kernels: how many steps in one body, and what does it carry?")
    repeats = 1 if small else 5
    for kind in KINDS:
        cells, steps = (1024, 500) if kind == "orbit" else (65536, 1000)
        cells, steps = (1024, 70) if small else (cells, steps)
        seconds, compiling = measured(kind, cells, steps, repeats, small)
        score = scores(seconds)
        best = choice(score, compiling)
        study.tables.append(table(kind, seconds, score, compiling, cells * steps, best))
        study.tables.append(by_width(kind, best, steps, repeats, small))
        kept = TABLE.get(("cpu", kind), Kernel())
        for peer, other in {"rolled": Kernel(), "as the table has it": kept}.items():
            if other in seconds:
                ours, theirs = total(seconds[best]), total(seconds[other])
                study.rows.append(measure.Row(f"{kind}: all maps", title(best), peer, ours, theirs))
    return study


if __name__ == "__main__":
    measure.main(main)
