"""Boxes of phase space, and what they join."""

from __future__ import annotations

import numpy as np

from pipeline.analyses.attractors.boxes import frame, join, keys

REAL = np.zeros(1)


def orbit(a: float, x: float, count: int = 4096) -> np.ndarray:
    """[n, 1] the logistic map's."""
    points = []
    for n in range(count + 100):
        x = a * x * (1 - x)
        if n >= 100:
            points.append(x)
    return np.array(points)[:, None]


def test_orbits_in_the_bands_of_one_attractor_are_joined() -> None:
    """At a = 3.6 orbits change from one band to the other at each step."""
    even, odd = orbit(3.6, 0.3)[::2], orbit(3.6, 0.4)
    assert join([orbit(3.6, 0.3), odd], REAL).members.tolist() == [0, 0]
    # Of every second point alone, one band is a set of its own.
    assert join([even, even + 2, odd], REAL).members.tolist() == [0, 1, 0]


def test_sets_that_touch_are_not_joined() -> None:
    """They have a box in common; a point in it belongs to neither."""
    rng = np.random.default_rng(1)
    left, right = rng.uniform(-1, 0.0005, (5000, 1)), rng.uniform(0, 1, (5000, 1))
    atlas = join([left, right], REAL)
    assert atlas.members.tolist() == [0, 1]
    located = atlas.locate(np.array([[-0.5], [0.5], [0.00025], [7.0]]))
    assert located.tolist() == [0, 1, -1, -1]


def test_few_points_of_a_large_set_have_larger_boxes() -> None:
    rng = np.random.default_rng(2)
    one, two = rng.random((2, 2000, 3))
    atlas = join([one, two], np.zeros(3))
    assert atlas.members.tolist() == [0, 0]
    assert atlas.count < 16
    assert join([one, two + 5], np.zeros(3)).members.tolist() == [0, 1]


def test_a_circle_has_no_seam() -> None:
    """Points just below and just above 0 are neighbours on it, whatever turn they are on."""
    angles = frame(np.array([[0.1], [6.2]]), np.array([2 * np.pi]))
    wrapped = angles.indices(np.array([[0.1], [0.1 + 2 * np.pi], [0.1 - 4 * np.pi]]), 16)
    assert wrapped.ravel().tolist() == [0, 0, 0]


def test_keys_tell_boxes_apart() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(-40, 40)] * 3), axis=-1).reshape(-1, 3)
    assert len(np.unique(keys(grid))) == len(grid)


def test_no_orbits() -> None:
    assert join([], REAL).locate(np.zeros((2, 1))).tolist() == [-1, -1]
