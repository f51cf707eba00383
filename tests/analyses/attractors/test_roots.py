"""Roots from the points that a solver converged to."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.analyses.attractors.roots import roots
from pipeline.analyses.attractors.seek import Found


def sorted_out(finals: np.ndarray, polish: float = 0.0, reach: float = 1.0) -> Found:
    """What is found where further steps bring points so much nearer to whole numbers."""
    seeking = roots(finals, np.zeros(finals.shape[1]), reach)
    points, _ = next(seeking).inputs
    nearer = points + polish * (np.round(points) - points)
    with pytest.raises(StopIteration) as end:
        seeking.send((nearer, np.ones(len(points), bool)))
    return end.value.value


def test_points_of_one_root_lie_on_both_sides_of_a_box() -> None:
    """Scattered as a tolerance leaves them, about roots on a box's corner and elsewhere."""
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    of = rng.integers(0, 3, 3000)
    finals = centres[of] + 1e-9 * rng.standard_normal((3000, 2))
    found = sorted_out(finals)
    assert len(found.attractors) == 3
    points = np.concatenate([attractor.points for attractor in found.attractors])
    assert np.max(np.abs(points[found.labels] - centres[of])) < 1e-8


def test_what_further_steps_bring_together_is_one_root() -> None:
    """Points that a loose tolerance left some boxes away from one another."""
    finals = np.concatenate([np.zeros(50), np.full(50, 0.005), np.ones(50)])[:, None]
    assert len(sorted_out(finals).attractors) == 3
    assert len(sorted_out(finals, polish=1.0).attractors) == 2


def test_a_line_of_minima_is_one_attractor() -> None:
    angle = np.linspace(0, 2 * np.pi, 10000)
    found = sorted_out(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    assert len(found.attractors) == 1
    assert (found.labels == 0).all()


def test_a_step_that_depends_on_others_takes_no_point_further() -> None:
    finals = np.array([[0.0], [1e-9], [1.0]])
    with pytest.raises(StopIteration) as end:
        next(roots(finals, np.zeros(1), 1.0, onward=0))
    assert end.value.value.labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize("reach", [1e-3, 10, 1e6])
def test_a_single_root_at_the_origin(reach: float) -> None:
    """There is no scale in what is left of the starts, but in where they were."""
    finals = 1e-8 * reach * np.random.default_rng(0).standard_normal((1000, 2))
    found = sorted_out(finals, reach=reach)
    assert len(found.attractors) == 1
    assert (found.labels == 0).all()


def test_a_multiple_root_is_reached_slowly() -> None:
    """Points further from one another than from no root, which further steps bring to it."""
    finals = np.linspace(-1e-3, 1e-3, 50)[:, None]
    assert len(sorted_out(finals).attractors) == 50
    assert len(sorted_out(finals, polish=1.0).attractors) == 1


def test_roots_close_together_among_starts_far_apart() -> None:
    finals = np.repeat([-1.0, 1.0], 50)[:, None]
    assert len(sorted_out(finals, reach=2000.0).attractors) == 2
