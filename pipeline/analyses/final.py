"""The final state: where a cell stands after the last step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.analyses import components
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """Variables `<component>_final`."""
    return Fold(
        finished=components.variables(
            subject.problem.components, (), suffix="_final", meaning=" after the last iteration"
        ),
        finish=lambda _, end: components.values(end.seen.state, suffix="_final"),
    )


ANALYSIS = Analysis("final", build)
