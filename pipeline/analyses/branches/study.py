"""The study: branches from cycles that were sought, then from the bifurcations on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.analyses.branches import detect, seeds
from pipeline.analyses.branches.advance import End
from pipeline.analyses.branches.detect import Event, Kind
from pipeline.analyses.branches.forms import Form, forms
from pipeline.analyses.branches.locate import Spot, flip, locate
from pipeline.analyses.branches.programs import Frame, Programs, programs, room
from pipeline.analyses.branches.seeds import same
from pipeline.analyses.branches.trace import Branch, Start, Steps, measured, padded, trace
from pipeline.analyses.hunt import Wanted
from pipeline.analyses.search import Bench

# Intervals are halved so often, where more than one thing happens in them.
HALVINGS = 8
# Two located bifurcations this close, in units of the range and the extents, are one.
NEAR = 1e-7
# The first step from a bifurcation, over that from elsewhere.
GENTLE = 0.1


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


@dataclass
class Found:
    """What a study has come to; numbers are places in these lists.

    Attributes:
        more: {cell: branches that there was no room for}.
    """

    frame: Frame
    branches: list[Branch]
    spots: list[Spot]
    forms: list[Form]
    more: dict[int, int]


def study(bench: Bench, plan: Plan) -> Found:
    """Everything of one bench."""
    sown = seeds.seeds(bench, plan.wanted, plan.bounds, plan.levels)
    run = programs(bench, plan.wanted.problem, sown.frame)
    found = Found(sown.frame, [], [], [], {})
    for which, level in enumerate(plan.levels):
        starts = _room(seeds.fresh(run, sown, which, found.branches), found, plan)
        fresh = _traced(run, found, starts, plan)
        found.branches += _once(run, sown.frame, starts, fresh, float(level))
    if not plan.locates:
        return found
    first = 0
    while first < len(found.branches):
        located = _located(run, found, first)
        for spot in located:
            if not any(_alike(found.frame, spot, other) for other in found.spots):
                found.spots.append(spot)
        found.forms += forms(run, found.frame, found.spots[len(found.forms) :])
        _adopt(found)
        first = len(found.branches)
        starts = _room(list(_switches(found, located, plan)), found, plan)
        _join(found, _traced(run, found, starts, plan))
    return found


def _traced(run: Programs, found: Found, starts: list[Start], plan: Plan) -> list[Branch]:
    """Followed, the ends at flips exact, with the derivatives."""
    traced = trace(run, found.frame, starts, plan.steps)
    return measured(run, [_halved(run, found.frame, branch) for branch in traced])


def _prime(branch: Branch) -> bool:
    """Whether its cycles are not shorter ones all along."""
    points, period = branch.points, branch.period
    gaps = (
        np.max(np.abs(points - np.roll(points, -q, axis=1)))
        for q in range(1, period)
        if period % q == 0
    )
    return all(gap > NEAR for gap in gaps)


def _room(starts: list[Start], found: Found, plan: Plan) -> list[Start]:
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


def _located(run: Programs, found: Found, first: int) -> list[Spot]:
    """The bifurcations of the branches from a number on, which get points where it takes more."""
    frame, every = found.frame, found.branches
    numbers = list(range(first, len(every)))
    located: dict[Event, Spot] = {}
    looked = set(numbers)
    for halving in range(HALVINGS + 1):
        events = [e for k in numbers for e in detect.events(k, every[k], frame.eps)]
        pending = [e for e in events if e not in located and e.branch in looked]
        for event, spot in zip(pending, locate(run, frame, every, pending), strict=True):
            if spot is not None:
                located[event] = spot
        located = {event: located[event] for event in events if event in located}
        if halving == HALVINGS:
            break
        places: dict[int, set[int]] = {}
        for event in events:
            several = sum(e[1:3] == event[1:3] for e in events) > 1
            if event not in located or several:
                places.setdefault(event.branch, set()).add(event.place)
        if halving < HALVINGS // 2:
            for k in numbers:
                places.setdefault(k, set()).update(detect.close(every[k], frame.eps))
        places = {k: some for k, some in places.items() if some}
        if not places:
            break
        looked = set(places)
        for k, some in places.items():
            every[k] = _finer(run, every[k], sorted(some))
            located = {event: spot for event, spot in located.items() if event.branch != k}
    return _inserted(run, every, list(located.values()))


def _inserted(run: Programs, every: list[Branch], spots: list[Spot]) -> list[Spot]:
    """The spots in order, each a point of its branch and in that place."""
    found = []
    for k in sorted({spot.branch for spot in spots}):
        own = sorted((s for s in spots if s.branch == k), key=lambda s: (s.place, s.kind))
        branch, i = every[k], np.array([spot.place for spot in own])
        extra = dataclasses.replace(
            branch,
            points=np.stack([np.roll(spot.points, -spot.turn, axis=0) for spot in own]),
            level=np.array([spot.level for spot in own]),
            rate=np.where([s.kind == Kind.fold for s in own], 0, branch.rate[i]),
        )
        every[k] = _with(branch, i, measured(run, [extra])[0])
        found += [dataclasses.replace(s, place=s.place + 1 + n) for n, s in enumerate(own)]
    return found


def _with(branch: Branch, places: np.ndarray, extra: Branch) -> Branch:
    """With further points, each behind the one in its place."""
    names = ("points", "level", "rate", "multipliers", "matrix", "slope")
    joined = {
        n: np.insert(getattr(branch, n), places + 1, getattr(extra, n), axis=0) for n in names
    }
    origin = branch.origin + int(np.count_nonzero(places < branch.origin))
    return dataclasses.replace(branch, origin=origin, **joined)


def _finer(run: Programs, branch: Branch, places: list[int]) -> Branch:
    """With a point more between some and the next."""
    i = np.array(places)
    points = (branch.points[i] + branch.points[i + 1]) / 2
    level = (branch.level[i] + branch.level[i + 1]) / 2
    across = np.concatenate(
        [np.diff(branch.points[:, 0], axis=0)[i], np.diff(branch.level)[i, None]], axis=1
    )
    size = np.linalg.norm(across, axis=1, keepdims=True)
    across = across / np.where(size > 0, size, 1)
    here = np.concatenate([points[:, 0], level[:, None]], axis=1)
    length = room(branch.period)
    settled, levels, last = run.settle(
        np.full(len(i), branch.cell),
        np.stack([padded(p, length) for p in points]),
        level,
        np.full(len(i), branch.period, np.int32),
        across,
        np.sum(across * here, axis=1),
    )
    good = np.flatnonzero((last <= NEAR) & (size[:, 0] > 0))
    if not len(good):
        return branch
    i, states = i[good], settled[good, : branch.period].astype(float)
    rate = (branch.rate[i] + branch.rate[i + 1]) / 2
    extra = dataclasses.replace(branch, points=states, level=levels[good].astype(float), rate=rate)
    (extra,) = measured(run, [extra])
    return _rated(_with(branch, i, extra))


def _rated(branch: Branch) -> Branch:
    """With rates that are those of the chords where points were put in."""
    steps = np.diff(branch.points[:, 0], axis=0)
    chords = np.sqrt(np.sum(steps**2, axis=1) + np.diff(branch.level) ** 2)
    rate = np.diff(branch.level) / np.where(chords > 0, chords, 1)
    middle = branch.rate.copy()
    middle[1:-1] = (rate[:-1] + rate[1:]) / 2
    return dataclasses.replace(branch, rate=middle)


def _alike(frame: Frame, a: Spot, b: Spot) -> bool:
    """Whether two are the same bifurcation of the same cycle."""
    there = a.kind == b.kind and a.cell == b.cell and a.period == b.period
    return (
        there
        and abs(a.level - b.level) <= NEAR
        and same(frame, a.cell, a.points, b.points, within=100 * NEAR)
    )


def _adopt(found: Found) -> None:
    """Branches that begin at flips which have been located since are their children."""
    flips = [(k, spot) for k, spot in enumerate(found.spots) if spot.kind == Kind.flip]
    for number, branch in enumerate(found.branches):
        if branch.parent >= 0 or branch.begin != End.halved:
            continue
        for k, spot in flips:
            if _at(found.frame, spot, branch, 0):
                found.branches[number] = dataclasses.replace(branch, parent=k)


def _at(frame: Frame, spot: Spot, branch: Branch, place: int) -> bool:
    """Whether a branch of twice the period is at a flip in one of its points."""
    half = spot.period
    return (
        spot.cell == branch.cell
        and branch.period == 2 * half
        and abs(branch.level[place] - spot.level) <= NEAR
        and same(frame, spot.cell, spot.points, branch.points[place, :half], within=100 * NEAR)
    )


def _switches(found: Found, located: list[Spot], plan: Plan) -> Iterator[Start]:
    """Where branches part that are not known."""
    frame = found.frame
    for k, spot in enumerate(found.spots):
        fresh = any(_alike(frame, spot, one) for one in located)
        if not fresh or spot.kind not in plan.switches:
            continue
        if spot.kind == Kind.flip and 2 * spot.period <= plan.longest:
            met = (b for b in found.branches for p in _halves(b) if _at(frame, spot, b, p))
            if next(met, None) is None:
                v = spot.along[0]
                twice = np.concatenate([spot.points, spot.points])
                along = np.concatenate([v, -v])
                yield Start(spot.cell, twice, spot.level, along, 0.0, both=False, parent=k)
        if spot.kind == Kind.branch_point:
            through = {one.branch for one in located if _alike(frame, spot, one)}
            through |= {one.branch for one in found.spots if _alike(frame, spot, one)}
            if len(through) == 1:
                yield from _crossing(found, k)


def _halves(branch: Branch) -> Iterator[int]:
    if branch.begin == End.halved:
        yield 0
    if branch.last == End.halved:
        yield len(branch.level) - 1


def _crossing(found: Found, number: int) -> Iterator[Start]:
    """The other branch at a branch point, if it has a tangent of its own."""
    spot, branch = found.spots[number], found.branches[found.spots[number].branch]
    tangents = found.forms[number].tangents
    if not np.isfinite(tangents).all():
        return
    along = np.einsum("tk,kpd->tpd", tangents, spot.along)
    rate = tangents @ spot.lean
    i = spot.place
    chord = np.append(branch.points[i + 1, 0] - branch.points[i, 0], np.diff(branch.level)[i])
    own = np.concatenate([along[:, spot.turn], rate[:, None]], axis=1)
    other = int(np.argmin(np.abs(own @ chord) / np.linalg.norm(own, axis=1)))
    yield Start(spot.cell, spot.points, spot.level, along[other], float(rate[other]), parent=number)


def _join(found: Found, fresh: list[Branch]) -> None:
    """Add what was followed from bifurcations, once where it leads from one to another."""
    for branch in fresh:
        spot = found.spots[branch.parent]
        if spot.kind == Kind.flip:
            met = any(
                _at(found.frame, spot, other, place)
                for other in found.branches
                for place in _halves(other)
            )
        else:
            met = any(_through(other, spot) for other in found.branches if other.parent >= 0)
        if not met:
            found.branches.append(branch)


def _through(branch: Branch, spot: Spot) -> bool:
    """Whether a branch from one branch point goes through another."""
    if branch.cell != spot.cell or branch.period != spot.period:
        return False
    path = np.concatenate([branch.points[:, 0], branch.level[:, None]], axis=1)
    here = np.append(spot.points[spot.turn], spot.level)
    chords, gaps = np.diff(path, axis=0), here - path[:-1]
    square = np.sum(chords**2, axis=1)
    part = np.clip(np.sum(chords * gaps, axis=1) / np.where(square > 0, square, 1), 0, 1)
    apart = np.linalg.norm(gaps - part[:, None] * chords, axis=1)
    # A chord leaves its branch by so much of its own length where neighbours turn by 14 degrees.
    return bool((apart <= 0.05 * np.sqrt(square)).any())
