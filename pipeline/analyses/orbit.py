"""The orbit: the states themselves, after the transient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.analyses import components
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold, Iterate
from pipeline.arrays import Dimension
from pipeline.errors import ConfigError
from pipeline.settings import Setting


def kept(iterate: Iterate, every: int) -> np.ndarray:
    """[n] The iterations that are kept: x_0 too where there is no transient."""
    first = every if iterate.transient else 0
    return iterate.transient + np.arange(first, iterate.length + 1, every, dtype=np.int64)


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """Variables named after the components, over `iteration`.

    Raises:
        ConfigError: not one iteration is kept.
    """
    every, length = settings["every"], subject.iterate.length
    steps = kept(subject.iterate, every)
    if not steps.size:
        reason = f"after the transient, nothing of iterate.length = {length} would be kept"
        raise ConfigError([f"analysis.orbit.every = {every}: expected <= {length}; {reason}."])
    iteration = Dimension("iteration", len(steps), steps, "number of iterations from the start")
    return Fold(
        recorded=components.variables(subject.problem.components, (iteration,), meaning=""),
        every=every,
        record=lambda seen: components.values(seen.state),
    )


ANALYSIS = Analysis(
    "orbit",
    build,
    settings={"every": Setting("integer", 1, "keep every so many iterations", low=1)},
)
