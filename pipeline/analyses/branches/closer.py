"""A closer look: bifurcations located, with points put between others where it takes more."""

from __future__ import annotations

import dataclasses

import numpy as np

from pipeline.analyses.branches import detect
from pipeline.analyses.branches.detect import Event, Kind
from pipeline.analyses.branches.findings import NEAR, Findings
from pipeline.analyses.branches.locate import Spot, locate
from pipeline.analyses.branches.programs import Programs, room
from pipeline.analyses.branches.trace import Branch, measured, padded

# Intervals are halved so often, where more than one thing happens in them.
HALVINGS = 8


def located(run: Programs, findings: Findings, first: int) -> list[Spot]:
    """The bifurcations of the branches from a number on, which get points where it takes more."""
    frame, every = findings.frame, findings.branches
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
