"""The study: branches from cycles that were sought, then from the bifurcations on them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from pipeline.analyses.branches import closer, seeds, switch
from pipeline.analyses.branches.advance import End
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.findings import NEAR, Findings, alike
from pipeline.analyses.branches.forms import forms
from pipeline.analyses.branches.locate import flip
from pipeline.analyses.branches.programs import Frame, Programs, programs
from pipeline.analyses.branches.seeds import same
from pipeline.analyses.branches.trace import Branch, Start, Steps, measured, smooth, trace
from pipeline.analyses.hunt import Wanted
from pipeline.analyses.search import Bench


@dataclass(frozen=True)
class Plan:
    """What is studied.

    Attributes:
        wanted: the cycles that are sought.
        bounds: [2] the parameter's range.
        levels: [k] where in it, scaled, cycles are sought.
        steps: of the branches.
        longest: the period of a branch at most.
        most: branches of a cell.
        locates: whether bifurcations are.
        switches: the kinds at which other branches are followed.
    """

    wanted: Wanted
    bounds: np.ndarray
    levels: np.ndarray
    steps: Steps
    longest: int
    most: int
    locates: bool
    switches: tuple[Kind, ...]


def study(bench: Bench, plan: Plan) -> Findings:
    """Everything of one bench."""
    sown = seeds.seeds(bench, plan.wanted, plan.bounds, plan.levels)
    run = programs(bench, plan.wanted.problem, sown.frame)
    found = Findings(sown.frame, [], [], [], {})
    for which, level in enumerate(plan.levels):
        starts = _room(seeds.fresh(run, sown, which, found.branches), found, plan)
        fresh = _traced(run, found, starts, plan)
        found.branches += _once(run, sown.frame, starts, fresh, float(level))
    if not plan.locates:
        return found
    first = 0
    while first < len(found.branches):
        located = closer.located(run, found, first)
        for spot in located:
            if not any(alike(found.frame, spot, other) for other in found.spots):
                found.spots.append(spot)
        found.forms += forms(run, found.frame, found.spots[len(found.forms) :])
        switch.adopt(found)
        first = len(found.branches)
        starts = _room(
            list(switch.switches(found, located, plan.switches, plan.longest)), found, plan
        )
        switch.join(found, _traced(run, found, starts, plan))
    return found


def _traced(run: Programs, found: Findings, starts: list[Start], plan: Plan) -> list[Branch]:
    """Followed, the ends at flips exact, with the derivatives."""
    traced = trace(run, found.frame, starts, plan.steps)
    whole = measured(run, [_halved(run, found.frame, branch) for branch in traced])
    return [smooth(branch) for branch in whole]


def _prime(branch: Branch) -> bool:
    """Whether its cycles are not shorter ones all along."""
    points, period = branch.points, branch.period
    gaps = (
        np.max(np.abs(points - np.roll(points, -q, axis=1)))
        for q in range(1, period)
        if period % q == 0
    )
    return all(gap > NEAR for gap in gaps)


def _room(starts: list[Start], found: Findings, plan: Plan) -> list[Start]:
    """As many as there is room for."""
    counts: dict[int, int] = {}
    for branch in found.branches:
        counts[branch.cell] = counts.get(branch.cell, 0) + 1
    kept = []
    for start in starts:
        counts[start.cell] = counts.get(start.cell, 0) + 1
        if counts[start.cell] <= plan.most:
            kept.append(start)
        else:
            found.more[start.cell] = found.more.get(start.cell, 0) + 1
    return kept


def _once(
    run: Programs, frame: Frame, starts: list[Start], branches: list[Branch], level: float
) -> list[Branch]:
    """Those that are not one of the others again, from another cycle at the same value."""
    kept: list[int] = []
    crossed: dict[int, list[np.ndarray]] = {}
    for k, branch in enumerate(branches):
        if not _prime(branch):
            continue
        others = [c for j in kept if branches[j].cell == branch.cell for c in crossed[j]]
        alike = [c for c in others if len(c) == branch.period]
        own = starts[k].points
        if not any(same(frame, branch.cell, own, other) for other in alike):
            kept.append(k)
            crossed[k] = [c for _, c in seeds.crossings(run, [branch], level)]
    return [branches[k] for k in kept]


def _halved(run: Programs, frame: Frame, branch: Branch) -> Branch:
    """With the flips at its ends as points, from which it begins if it ends at one alone."""
    if branch.last == End.halved:
        branch = _finished(run, frame, branch)
    if branch.begin == End.halved and branch.parent < 0:
        branch = _turned(_finished(run, frame, _turned(branch)))
    if branch.last == End.halved and branch.begin != End.halved:
        branch = _turned(branch)
    return branch


def _turned(branch: Branch) -> Branch:
    return dataclasses.replace(
        branch,
        points=branch.points[::-1],
        level=branch.level[::-1],
        rate=-branch.rate[::-1],
        begin=branch.last,
        last=branch.begin,
        origin=len(branch.level) - 1 - branch.origin,
    )


def _finished(run: Programs, frame: Frame, branch: Branch) -> Branch:
    """With the flip in the place of the last point, at which the halves have changed places."""
    half = branch.period // 2
    gaps = branch.points[-2:, :half] - branch.points[-2:, half:]
    sizes = np.linalg.norm(gaps[:, 0], axis=1)
    part = sizes[0] / sizes.sum()
    points = (1 - part) * branch.points[-2] + part * branch.points[-1]
    level = float((1 - part) * branch.level[-2] + part * branch.level[-1])
    middle = (points[:half] + points[half:]) / 2
    spot = flip(run, frame, branch.cell, middle, level, gaps[0, 0])
    if spot is not None:
        points, level = np.concatenate([spot.points, spot.points]), spot.level
    return dataclasses.replace(
        branch,
        points=np.concatenate([branch.points[:-1], points[None]]),
        level=np.append(branch.level[:-1], level),
        rate=np.append(branch.rate[:-1], 0),
    )
