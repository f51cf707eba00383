"""Shares of the starts against slow and plain calculations."""

from __future__ import annotations

from collections import Counter
from math import log

import numpy as np
import pytest

from pipeline.analyses.attractors import shares


def naive(labels: np.ndarray, side: int) -> tuple[float, float]:
    """Box by box."""
    found = []
    for i in range(0, labels.shape[0] - side + 1, side):
        for j in range(0, labels.shape[1] - side + 1, side):
            box = [k for k in labels[i : i + side, j : j + side].ravel() if k != -2]
            parts = [n / len(box) for n in Counter(box).values()]
            if box:
                found.append((sum(-p * log(p) for p in parts), len(parts)))
    mixed = [s for s, n in found if n > 1]
    return float(np.mean([s for s, _ in found])), float(np.mean(mixed))


def test_entropies_box_by_box() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(-2, 3, (47, 33))
    labels[:20, :20] = 1
    labels[20:30, :10] = -2
    assert shares.entropies(labels, 10) == pytest.approx(naive(labels, 10))


def test_entropies_where_nothing_is_mixed() -> None:
    """A single basin; two halves in equal parts; nothing resolved."""
    single = shares.entropies(np.zeros((20, 20), int), 10)
    assert single[0] == 0
    assert np.isnan(single[1])
    assert shares.entropies(np.arange(20) // 5 % 2, 10) == pytest.approx((log(2), log(2)))
    assert np.isnan(shares.entropies(np.full(20, -2), 10)).all()


def test_an_axis_shorter_than_a_box() -> None:
    labels = np.array([[0, 0, 0, 1], [0, 0, 0, 1]])
    expected = -(0.75 * log(0.75) + 0.25 * log(0.25))
    assert shares.entropies(labels, 10) == pytest.approx((expected, expected))


def test_fractions_and_errors() -> None:
    """Over a random axis times a regular one, the random values are what is independent."""
    labels = np.array([[0, 0, -1], [0, 1, -1], [1, 1, -2], [0, 0, 0]])
    assert shares.fractions(labels, 3).tolist() == [6 / 12, 3 / 12, 0]
    means = np.array([2 / 3, 1 / 3, 0, 1])
    assert shares.errors(labels, 1, (0,))[0] == pytest.approx(means.std(ddof=1) / 2)
    both = means.var(ddof=1) / 4 + np.array([3 / 4, 2 / 4, 1 / 4]).var(ddof=1) / 3
    assert shares.errors(labels, 1, (0, 1))[0] == pytest.approx(both**0.5)
    assert np.isnan(shares.errors(labels[:1], 1, (0,))[0])
