"""Continuation: branches of fixed points and cycles along a parameter, by pseudo-arclength."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.analyses import cycles
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.branches import record
from pipeline.analyses.branches.benches import slices
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.followed import Followed, Unfit, followed
from pipeline.analyses.branches.record import Room
from pipeline.analyses.branches.study import Plan, study
from pipeline.analyses.branches.trace import Steps
from pipeline.analyses.hunt import Wanted
from pipeline.analyses.search import Bench, Search
from pipeline.settings import Setting

# Cycles sought at one value, over the branches that there is room for: folds join two.
PER_BRANCH = 2
# Of the points, for those that are put between others: one in so many.
BETWEEN = 10
# Of the range: the outer start values are beside its ends, where a cycle may just be born.
MARGIN = 1.3e-4


def levels(count: int) -> np.ndarray:
    """[count] Where in the range, from 0 to 1, starting cycles are sought: the middle first."""
    spread = np.linspace(MARGIN, 1 - 1.3 * MARGIN, count) if count > 1 else np.array([0.487])
    return spread[np.argsort(np.abs(spread - 0.5), kind="stable")]


def plan(
    subject: Subject,
    settings: Mapping[str, Any],
    along: Followed,
    switches: tuple[Kind, ...] = (),
    *,
    locates: bool = False,
) -> Plan:
    """What is to be studied."""
    longest = settings["max_period"]
    sought = settings["start_period"] or min(longest, 4)
    wanted = Wanted(
        problem=subject.problem,
        periods=range(1, sought + 1),
        most=PER_BRANCH * settings["max_branches"],
        starts=settings["starts"],
        region=cycles.region(subject.problem.components, settings["region"]),
    )
    most = settings["max_points"]
    # What is put between points later needs room as well.
    points = most - most // BETWEEN
    steps = Steps(settings["step"], settings["min_step"], settings["max_step"], points)
    return Plan(
        wanted, np.array([along.low, along.high]), levels(settings["start_values"]), steps,
        longest, settings["max_branches"], locates, switches,
    )  # fmt: skip


def room(subject: Subject, settings: Mapping[str, Any], along: Followed) -> Room:
    """Of the variables."""
    return Room(
        settings["max_branches"],
        settings["max_points"],
        settings["max_period"],
        len(cycles.reals(subject.problem.components)),
        without=(along.axis.name,) if along.axis else (),
        quantity=along.quantity.name,
    )


def build(subject: Subject, settings: Mapping[str, Any]) -> Search:
    """The branches of each cell of the other parameter axes."""
    along = followed(subject, settings)
    every, own = subject.problem.components, room(subject, settings, along)
    planned = plan(subject, settings, along)

    def find(bench: Bench) -> dict[str, np.ndarray]:
        parts = [
            record.branch_arrays(study(part, planned), every, own, part.cells)
            for part in slices(bench)
        ]
        return record.joined(parts)

    return Search(record.branch_variables(every, own), find, (along.quantity,))


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A parameter with a range, steps and periods in order, a region of what there is."""
    try:
        followed(subject, settings)
    except Unfit as error:
        yield error.key, error.reason
    least, most = settings["min_step"], settings["max_step"]
    if not least <= settings["step"] <= most:
        yield "step", f"expected >= min_step = {least:g} and <= max_step = {most:g}"
    longest = settings["max_period"]
    if (settings["start_period"] or 1) > longest:
        yield "start_period", f"expected <= max_period = {longest}"
    periods = {"min_period": 1, "max_period": longest}
    yield from cycles.faults(subject, {**settings, **periods})


ANALYSIS = Analysis(
    "continuation",
    build,
    settings={
        "parameter": Setting(
            "text", None, "that is followed: an axis or a quantity; the only one by default"
        ),
        "low": Setting("number", None, "end of its range; that of its axis by default"),
        "high": Setting("number", None, "end of its range; that of its axis by default"),
        "max_period": Setting("integer", 8, "of the branches", low=1, high=1024),
        "start_period": Setting(
            "integer", None, "up to which starting cycles are sought; 4 at most by default",
            low=1, high=1000,
        ),
        "start_values": Setting(
            "integer", 4, "of the parameter at which they are sought", low=1, high=1000
        ),
        "starts": Setting("integer", 64, "of each round of that search", low=1, high=10**6),
        "region": Setting(
            "ranges", None, "where starts lie; around the orbit and the cycles found by default"
        ),
        "max_branches": Setting(
            "integer", 64, "room for so many; `branch_count` counts all", low=1, high=10**5
        ),
        "max_points": Setting(
            "integer", 500, "room for so many, of each branch", low=3, high=10**6
        ),
        "step": Setting(
            "number", 0.01, "first step, in units of the range and of the states' extent",
            low=0, above=True,
        ),
        "min_step": Setting("number", 1e-9, "where a branch is given up", low=0, above=True),
        "max_step": Setting("number", 0.04, "of a step", low=0, above=True),
    },
    refuse=cycles.refuse,
    faults=faults,
)  # fmt: skip
