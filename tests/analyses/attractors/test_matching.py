"""Indices that attractors keep."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.analyses.attractors.known import Attractor
from pipeline.analyses.attractors.matching import canonical, match, neighbour
from pipeline.status import AttractorKind

REAL = np.zeros(1)


def at(*points: float) -> Attractor:
    kind = AttractorKind.cycle if len(points) > 1 else AttractorKind.fixed_point
    return Attractor(kind, len(points), np.array(points)[:, None])


def matched(seen: dict[int, Attractor], now: list[Attractor], most: int = 4) -> list[int]:
    return match(seen, now, np.zeros((most, len(now))), REAL, most)


def test_the_nearest_continue() -> None:
    assert matched({0: at(0.0), 1: at(1.0)}, [at(1.02), at(0.01)]) == [1, 0]


def test_a_doubled_period_continues_and_what_jumps_does_not() -> None:
    assert matched({0: at(0.5), 1: at(5.0)}, [at(0.45, 0.55), at(2.5)]) == [0, 2]


def test_a_basin_in_common_continues_what_moved_far() -> None:
    common = np.array([[0.0, 0.9], [0.8, 0.0]])
    seen = {0: at(0.0), 1: at(1.0)}
    assert match(seen, [at(0.4), at(0.6)], common, REAL, 2) == [1, 0]


def test_an_index_is_given_away_when_all_are_taken() -> None:
    """Of one that is no more; where there is none, a new attractor has none."""
    assert matched({0: at(0.0), 1: at(1.0)}, [at(1.0), at(9.0)], most=2) == [1, 0]
    assert matched({0: at(0.0)}, [at(0.0), at(9.0)], most=1) == [0, -2]


def test_neighbours_across_a_circle_s_seam() -> None:
    circle = np.array([1.0])
    found = match({0: at(0.01), 1: at(0.5)}, [at(0.99), at(0.51)], np.zeros((2, 2)), circle, 2)
    assert found == [0, 1]


def test_the_cell_before() -> None:
    """Along the last axis, or the one before it at the beginning of a row."""
    assert [neighbour(cell, (2, 3)) for cell in range(6)] == [None, 0, 1, 0, 3, 4]
    assert neighbour(0, ()) is None


def test_the_order_does_not_hang_on_rounding() -> None:
    """Two mirror images differ in the second entry; the first differs by rounding alone."""
    roots = [(-0.5 + 1e-16, -0.9), (1.0, 0.0), (-0.5, 0.9)]
    kind = AttractorKind.fixed_point
    several = [Attractor(kind, 1, np.array([root])) for root in roots]
    assert canonical(several, np.zeros(2)) == [0, 2, 1]
    assert canonical(several[::-1], np.zeros(2)) == [2, 0, 1]
    assert canonical([], REAL) == []


@pytest.mark.parametrize("most", [1, 3])
def test_at_first_all_are_new(most: int) -> None:
    assert matched({}, [at(0.0), at(1.0)], most) == [0, 1 if most > 1 else -2]
