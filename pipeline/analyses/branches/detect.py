"""Detecting: between which points of a branch its cycles bifurcate, and where to look closer."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from pipeline.analyses.branches.advance import End
from pipeline.analyses.branches.trace import Branch

# Test functions are this many roundings of the multipliers wide.
BLUR = 1e3
# A test function that comes this close to 0 between points, as a parabola has it, is looked at.
CLOSE = 0.3


class Kind(IntEnum):
    """What happens to a cycle at a bifurcation."""

    none = -1
    fold = 0
    flip = 1
    neimark_sacker = 2
    branch_point = 3


class Event(NamedTuple):
    """A bifurcation between a point and the next.

    Attributes:
        branch: its number.
        place: of the point.
        part: of the way, to where the test function's chord is 0.
    """

    kind: Kind
    branch: int
    place: int
    part: float


class Tests(NamedTuple):
    """[n] Functions of the points that change their sign at bifurcations; 0 within rounding."""

    fold: np.ndarray
    flip: np.ndarray
    neimark_sacker: np.ndarray
    branch_point: np.ndarray


def tests(branch: Branch, eps: float) -> Tests:
    """The test functions of a branch.

    At a fold the parameter turns back; at a branch point the determinant of the system bordered by
    the tangent, which is that of M - 1 over the parameter's rate, changes its sign.
    """
    m = branch.multipliers
    size = m.shape[1]
    scale = BLUR * branch.period * eps * np.prod(np.maximum(1, np.abs(m)), axis=1)
    one, minus = np.real(np.prod(m - 1, axis=1)), np.real(np.prod(m + 1, axis=1))
    first, second = np.triu_indices(size, 1)
    pairs = np.prod(1 - m[:, first] * m[:, second], axis=1) if size > 1 else np.ones(len(m))

    def sharp(values: np.ndarray, blur: np.ndarray) -> np.ndarray:
        return np.where(np.abs(values) > blur, values, 0)

    rate = sharp(branch.rate, np.full(len(m), BLUR * eps))
    one = sharp(one, scale)
    return Tests(rate, sharp(minus, scale), sharp(np.real(pairs), scale), one * np.sign(rate))


def changed(values: np.ndarray) -> np.ndarray:
    """[n - 1] Whether the sign changes up to the next point, or is 0 at an end alone."""
    signs = np.sign(values)
    last = np.maximum.accumulate(np.where(signs != 0, np.arange(len(signs)), 0))
    held = signs[last]
    found = held[:-1] * signs[1:] < 0
    found[0] |= signs[0] == 0 and signs[1] != 0
    found[-1] |= signs[-1] == 0 and signs[-2] != 0
    return found


def ends(branch: Branch) -> list[int]:
    """The points at which a branch meets another: between these and their neighbours, none."""
    found = [branch.origin] if branch.parent >= 0 else []
    found += [0] if branch.begin == End.halved else []
    return [*found, len(branch.level) - 1] if branch.last == End.halved else found


def events(number: int, branch: Branch, eps: float) -> list[Event]:
    """The bifurcations of one branch, in order."""
    found = tests(branch, eps)
    count = len(branch.level) - 1
    if count < 1:
        return []
    changes = {name: changed(values) for name, values in found._asdict().items()}
    # Where it is a branch point, the rate may change its sign and need not.
    changes["fold"] &= ~changes["branch_point"]
    for place in ends(branch):
        for interval in (place - 1, place):
            if 0 <= interval < count:
                changes["fold"][interval] = changes["branch_point"][interval] = False
    pairs = np.any(np.imag(branch.multipliers) != 0, axis=1)
    changes["neimark_sacker"] &= pairs[:-1] | pairs[1:]
    listed = []
    for name, happens in changes.items():
        values = getattr(found, name)
        for place in np.flatnonzero(happens):
            part = values[place] / (values[place] - values[place + 1])
            listed.append(Event(Kind[name], number, int(place), float(np.clip(part, 0.02, 0.98))))
    return sorted(listed, key=lambda event: (event.place, event.kind))


def close(branch: Branch, eps: float) -> set[int]:
    """Intervals in which a test function may have two zeros that its signs at the ends hide."""
    found = set()
    for name, values in tests(branch, eps)._asdict().items():
        if name == "branch_point":
            continue
        if len(values) < 3:
            continue
        before, here, after = np.abs(values[:-2]), np.abs(values[1:-1]), np.abs(values[2:])
        alike = (values[:-2] * values[1:-1] > 0) & (values[1:-1] * values[2:] > 0)
        lowest = alike & (here <= before) & (here <= after)
        # The lowest value of the parabola through three points, as if they were evenly spaced.
        curve, slope = before - 2 * here + after, after - before
        dip = slope**2 / np.where(curve > 0, 8 * curve, np.inf)
        for place in np.flatnonzero(lowest & (dip > (1 - CLOSE) * here)):
            found |= {int(place), int(place) + 1}
    return found
