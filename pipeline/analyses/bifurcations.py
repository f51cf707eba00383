"""Bifurcations: folds, flips, Neimark-Sacker and branch points, and the branches that part."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.analyses import continuation, cycles
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.branches import record
from pipeline.analyses.branches.cascade import cascades
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.followed import followed
from pipeline.analyses.branches.seeds import slices
from pipeline.analyses.branches.study import study
from pipeline.analyses.search import Bench, Search
from pipeline.settings import Setting

SWITCHES = (Kind.flip, Kind.branch_point)


def build(subject: Subject, settings: Mapping[str, Any], following: Mapping[str, Any]) -> Search:
    """The bifurcations of each cell, and the branches that they are on.

    Args:
        following: the settings of the continuation.
    """
    along = followed(subject, following)
    every = subject.problem.components
    room = dataclasses.replace(
        continuation.room(subject, following, along),
        bifurcations=settings["max_bifurcations"],
        cascades=settings["max_cascades"],
    )
    switches = tuple(kind for kind in SWITCHES if kind.name in settings["switch"])
    planned = continuation.plan(subject, following, along, switches, locates=True)

    def find(bench: Bench) -> dict[str, np.ndarray]:
        parts = []
        for part in slices(bench):
            found, total = study(part, planned), part.cells
            lines = record.branch_arrays(found, every, room, total)
            parts.append(
                lines | record.bifurcation_arrays(found, cascades(found), every, room, total)
            )
        return record.joined(parts)

    variables = record.branch_variables(every, room), record.bifurcation_variables(every, room)
    return Search((*variables[0], *variables[1]), find, (along.quantity,))


ANALYSIS = Analysis(
    "bifurcations",
    build,
    settings={
        "max_bifurcations": Setting(
            "integer", 128, "room for so many; `bifurcation_count` counts all", low=1, high=10**6
        ),
        "max_cascades": Setting("integer", 16, "room for so many", low=1, high=10**5),
        "switch": Setting(
            "choices",
            [kind.name for kind in SWITCHES],
            "where other branches are followed; [] for none",
            options=tuple(kind.name for kind in SWITCHES),
        ),
    },
    refuse=cycles.refuse,
    extends="continuation",
)
