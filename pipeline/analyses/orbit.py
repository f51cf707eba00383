"""The orbit: the states themselves, after the transient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.analyses import components
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold, Iterate
from pipeline.arrays import Dimension
from pipeline.settings import Setting


def kept(iterate: Iterate, every: int) -> range:
    """The iterations that are kept: x_0 too where there is no transient."""
    first = iterate.transient + (every if iterate.transient else 0)
    return range(first, iterate.steps + 1, every)


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """Variables named after the components, over `iteration`."""
    every = settings["every"]
    steps = kept(subject.iterate, every)
    numbers = np.arange(steps.start, steps.stop, steps.step, dtype=np.int64)
    iteration = Dimension("iteration", len(steps), numbers, "number of iterations from the start")
    return Fold(
        recorded=components.variables(subject.problem.components, (iteration,), meaning=""),
        every=every,
        record=lambda seen: components.values(seen.state),
    )


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Not one iteration may be left."""
    if not kept(subject.iterate, settings["every"]):
        length = subject.iterate.length
        reason = f"after the transient, nothing of iterate.length = {length} would be kept"
        yield "every", f"expected <= {length}; {reason}"


ANALYSIS = Analysis(
    "orbit",
    build,
    settings={"every": Setting("integer", 1, "keep every so many iterations", low=1)},
    faults=faults,
)
