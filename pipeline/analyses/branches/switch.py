"""Switching: where branches part, which of those are known, and where the others start."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator

import numpy as np

from pipeline.analyses.branches.advance import End
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.findings import NEAR, Findings, alike, passes
from pipeline.analyses.branches.locate import Spot
from pipeline.analyses.branches.programs import Frame
from pipeline.analyses.branches.seeds import same
from pipeline.analyses.branches.trace import Branch, Start


def adopt(findings: Findings) -> None:
    """Branches that begin at flips which have been located since are their children."""
    flips = [(k, spot) for k, spot in enumerate(findings.spots) if spot.kind == Kind.flip]
    for number, branch in enumerate(findings.branches):
        if branch.parent >= 0 or branch.begin != End.halved:
            continue
        for k, spot in flips:
            if _at(findings.frame, spot, branch, 0):
                findings.branches[number] = dataclasses.replace(branch, parent=k)


def _at(frame: Frame, spot: Spot, branch: Branch, place: int) -> bool:
    """Whether a branch of twice the period is at a flip in one of its points."""
    half = spot.period
    return (
        spot.cell == branch.cell
        and branch.period == 2 * half
        and abs(branch.level[place] - spot.level) <= NEAR
        and same(frame, spot.cell, spot.points, branch.points[place, :half], within=100 * NEAR)
    )


def switches(
    findings: Findings, located: list[Spot], kinds: Collection[Kind], longest: int
) -> Iterator[Start]:
    """Where branches part that are not known."""
    frame = findings.frame
    for k, spot in enumerate(findings.spots):
        fresh = any(alike(frame, spot, one) for one in located)
        if not fresh or spot.kind not in kinds:
            continue
        if spot.kind == Kind.flip and 2 * spot.period <= longest:
            met = (b for b in findings.branches for p in _halves(b) if _at(frame, spot, b, p))
            if next(met, None) is None:
                v = spot.along[0]
                twice = np.concatenate([spot.points, spot.points])
                along = np.concatenate([v, -v])
                yield Start(spot.cell, twice, spot.level, along, 0.0, both=False, parent=k)
        if spot.kind == Kind.branch_point:
            through = {one.branch for one in located if alike(frame, spot, one)}
            through |= {one.branch for one in findings.spots if alike(frame, spot, one)}
            if len(through) == 1:
                yield from _crossing(findings, k)


def _halves(branch: Branch) -> Iterator[int]:
    if branch.begin == End.halved:
        yield 0
    if branch.last == End.halved:
        yield len(branch.level) - 1


def _crossing(findings: Findings, number: int) -> Iterator[Start]:
    """The other branch at a branch point, if it has a tangent of its own."""
    spot, branch = findings.spots[number], findings.branches[findings.spots[number].branch]
    tangents = findings.forms[number].tangents
    if not np.isfinite(tangents).all():
        return
    along = np.einsum("tk,kpd->tpd", tangents, spot.along)
    rate = tangents @ spot.lean
    i = spot.place
    chord = np.append(branch.points[i + 1, 0] - branch.points[i, 0], np.diff(branch.level)[i])
    own = np.concatenate([along[:, spot.turn], rate[:, None]], axis=1)
    other = int(np.argmin(np.abs(own @ chord) / np.linalg.norm(own, axis=1)))
    yield Start(spot.cell, spot.points, spot.level, along[other], float(rate[other]), parent=number)


def join(findings: Findings, fresh: list[Branch]) -> None:
    """Add what was followed from bifurcations, once where it leads from one to another."""
    for branch in fresh:
        spot = findings.spots[branch.parent]
        if spot.kind == Kind.flip:
            met = any(
                _at(findings.frame, spot, other, place)
                for other in findings.branches
                for place in _halves(other)
            )
        else:
            met = any(
                _through(findings.frame, other, spot)
                for other in findings.branches
                if other.parent >= 0
            )
        if not met:
            findings.branches.append(branch)


def _through(frame: Frame, branch: Branch, spot: Spot) -> bool:
    """Whether a branch from one branch point goes through another."""
    if branch.cell != spot.cell or branch.period != spot.period:
        return False
    path = np.concatenate([branch.points[:, 0], branch.level[:, None]], axis=1)
    around = np.append(frame.circles / frame.extent[spot.cell], 0)
    return passes(path, np.append(spot.points[spot.turn], spot.level), around)
