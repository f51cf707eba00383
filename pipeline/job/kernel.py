"""The kernel: the shape of the compiled loop. It decides bits, so it follows from the work.

The compiler contracts multiplications and additions differently in differently shaped loops, and
chaos makes the last bit the first. Therefore the kernel depends on the formulas, the analyses, the
number of steps and the platform alone, never on the number of cells, the memory or the devices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pipeline.experiment import Experiment
from pipeline.job.lane import leaves
from pipeline.maps import Map

# Fewer steps than this run sooner than a longer loop body compiles.
SHORT = 64
# Lanes that move together where cells leave early: enough to fill the vectors of the processor, few
# enough to stay in its cache. Those of solvers wait for one another at each inner step, so they are
# fewer: so many reals of their states together, between the fewest and the most lanes.
LANES, TOGETHER, FEWEST, MOST = 16384, 4096, 16, 512


@dataclass(frozen=True)
class Kernel:
    """One row of the table.

    Attributes:
        unroll: steps in one loop body.
        batch: steps in one body where a fold pushes tangents: it closes its books once in a body.
        width: the lanes of a call are padded to a multiple of it: narrower loops are vectorised
            otherwise (a cubic differs between widths up to 16 and from 32 on).
        paired: whether reals travel two by two (`pairs`).
        lanes: that move together where cells leave early.
        guarded: whether a state that has left the radius becomes NaN, so that the loop need carry
            no status; cells that have left are computed again without the guard.
    """

    unroll: int = 1
    batch: int = 1
    width: int = 64
    lanes: int = LANES
    paired: bool = False
    guarded: bool = False


# {(platform, kind of work): kernel}, tuned by benchmarks/kernel.py; every other pair stays rolled.
TABLE: dict[tuple[str, str], Kernel] = {
    ("cpu", "map"): Kernel(unroll=4, paired=True, guarded=True),
    ("cpu", "orbit"): Kernel(unroll=4, batch=4),
    ("cpu", "tangent"): Kernel(unroll=4, batch=32, paired=True, guarded=True),
    ("cpu", "leaving"): Kernel(unroll=32, paired=True),
}
# A step that costs as much as many others gains nothing in a longer body, and compiles for long:
# one of a formula with exponentials or sines, or of a Python function, and one that pushes the
# tangents of a plane.
COSTLY = {"unroll": 1, "batch": 16}
PLANE = 4
# A body draws its random numbers several times over, and compiles for as long.
NOISY = {"unroll": 1, "batch": 4}
# A reduction over a vector depends on the batch whatever the width, so nothing is padded for it.
BATCHED = Kernel(width=1)


def kind(experiment: Experiment) -> str:
    """What a loop does: the rows of the table."""
    problem = experiment.problem
    vector = any(component.shape for component in problem.components.values())
    if experiment.solver.freezes or not isinstance(problem, Map) or vector:
        return "batched"
    if any(fold.recorded for fold in experiment.folds()):
        return "orbit"
    if any(fold.tangent for fold in experiment.folds()):
        return "tangent"
    return "leaving" if leaves(experiment) else "map"


def choose(experiment: Experiment, platform: str) -> Kernel:
    """The kernel of an experiment on a platform (cpu, gpu, tpu)."""
    work = kind(experiment)
    reals = sum(component.reals for component in experiment.problem.components.values())
    if work == "batched":
        return replace(BATCHED, lanes=_lanes(reals))
    if experiment.iterate.steps < SHORT:
        return Kernel()
    kernel = TABLE.get((platform, work), Kernel())
    if experiment.iterate.stop == "converged":
        # Where a cell ends, its status is what tells.
        kernel = replace(kernel, guarded=False)
    assert isinstance(experiment.problem, Map)
    if experiment.problem.costly:
        most = NOISY if experiment.problem.noise else COSTLY
        kernel = replace(kernel, **{k: min(v, getattr(kernel, k)) for k, v in most.items()})
    return replace(kernel, batch=max(1, kernel.batch // PLANE)) if reals > 1 else kernel


def _lanes(reals: int) -> int:
    """Of states of so many reals: a power of two."""
    return min(max(FEWEST, 2 ** int(math.log2(max(1, TOGETHER // reals)))), MOST)
