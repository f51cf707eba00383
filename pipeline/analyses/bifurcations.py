"""Bifurcations: folds, flips, Neimark-Sacker and branch points, and the branches that part."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.analyses import continuation, cycles
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.branches import record
from pipeline.analyses.branches.benches import slices
from pipeline.analyses.branches.cascade import cascades
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.findings import Findings
from pipeline.analyses.branches.followed import Followed, followed
from pipeline.analyses.branches.record import Room
from pipeline.analyses.branches.study import Plan, study
from pipeline.analyses.search import Bench, Search
from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.state import Components

SWITCHES = (Kind.flip, Kind.branch_point)


@dataclass(frozen=True)
class Outline:
    """What is studied, and what of it the dataset holds."""

    along: Followed
    plan: Plan
    every: Components
    room: Room

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Those of the branches and of the bifurcations."""
        branches = record.branch_variables(self.every, self.room)
        return *branches, *record.bifurcation_variables(self.every, self.room)

    def arrays(self, found: Findings, total: int) -> dict[str, np.ndarray]:
        """Their values in so many cells."""
        lines = record.branch_arrays(found, self.every, self.room, total)
        every = found, cascades(found), self.every, self.room, total
        return lines | record.bifurcation_arrays(*every)


def outline(subject: Subject, settings: Mapping[str, Any], following: Mapping[str, Any]) -> Outline:
    """From the settings of both analyses."""
    along = followed(subject, following)
    room = dataclasses.replace(
        continuation.room(subject, following, along),
        bifurcations=settings["max_bifurcations"],
        cascades=settings["max_cascades"],
    )
    switches = tuple(kind for kind in SWITCHES if kind.name in settings["switch"])
    plan = continuation.plan(subject, following, along, switches, locates=True)
    return Outline(along, plan, subject.problem.components, room)


def build(subject: Subject, settings: Mapping[str, Any], following: Mapping[str, Any]) -> Search:
    """The bifurcations of each cell, and the branches that they are on.

    Args:
        following: the settings of the continuation.
    """
    own = outline(subject, settings, following)

    def find(bench: Bench) -> dict[str, np.ndarray]:
        parts = [own.arrays(study(part, own.plan), part.cells) for part in slices(bench)]
        return record.joined(parts)

    return Search(own.variables, find, (own.along.quantity,))


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
