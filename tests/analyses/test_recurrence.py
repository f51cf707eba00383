"""Recurrence rates that are known on paper, and those counted pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

from tests.config.cases import LOGISTIC, mistakes
from tests.runs import run

EPS, POINTS = 0.1, 2000
# Pairs share their states, so that a rate is known to about 1/sqrt(points).
SAMPLING = 5 / np.sqrt(POINTS)


def test_independent_numbers() -> None:
    """Evenly spread over [-1, 1]: 2e - e^2 of the pairs are nearer than e of the range, and of
    these pairs those are in a line of two whose neighbours on the diagonal recur as well."""
    ds = run(
        map={
            "equations": {"x": 0},
            "parameters": {},
            "initial": {"x": 0},
            "noise": {"x": {"uniform": 1}},
        },
        length=POINTS,
        analysis={"recurrence": {"radius": EPS, "points": POINTS}},
    )
    rate = 2 * EPS - EPS**2
    # Neighbours share no state with a pair, but for those one step apart.
    assert float(ds.recurrence_rate) == pytest.approx(rate, rel=SAMPLING)
    assert float(ds.determinism) == pytest.approx(1 - (1 - rate) ** 2, rel=SAMPLING)


def test_as_counted_pair_by_pair() -> None:
    """Chaos with lines of four, and a cycle."""
    ds = run(
        map="henon",
        grid={"a": [1.4, 0.6]},
        transient=200,
        length=300,
        analysis={
            "recurrence": {"line": 4, "theiler": 3, "every": 2, "points": 120},
            "orbit": {"every": 2},
        },
    )
    x = np.stack([ds.x.values[0, :120], ds.y.values[0, :120]])
    gap = np.abs(x[:, :, None] - x[:, None, :]).max(axis=0)
    near = gap <= 0.05 * np.ptp(x, axis=1).max()
    pairs = lined = total = 0
    for k in range(4, 120):
        total += 120 - k
        line = "".join("x" if hit else " " for hit in np.diagonal(near, k))
        pairs += line.count("x")
        lined += sum(len(run) for run in line.split() if len(run) >= 4)
    assert pairs > 100
    assert float(ds.recurrence_rate[0]) == pytest.approx(pairs / total, rel=1e-12)
    assert float(ds.determinism[0]) == pytest.approx(lined / pairs, rel=1e-12)
    # Every second iterate of a cycle of two is the same; the last three diagonals are too short.
    assert float(ds.recurrence_rate[1]) == 1
    assert float(ds.determinism[1]) == pytest.approx(1 - 6 / total, rel=1e-12)


def test_on_a_circle() -> None:
    """Of turns by 1/10 a tenth of all pairs is 0 apart, and a fifth a tenth of a turn."""
    ds = run(
        map={
            "equations": {"t": "mod(t + 0.1, 1)"},
            "parameters": {},
            "initial": {"t": 0.05},
            "modulus": {"t": 1},
        },
        length=1001,
        analysis={"recurrence": {"radius": 0.11, "points": 1001}},
    )
    assert float(ds.recurrence_rate) == pytest.approx(0.3, abs=2e-3)
    assert float(ds.determinism) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"theiler": 999},
            "analysis.recurrence.points = 1000: expected >= 1003, so that pairs are left.",
        ),
        (
            {"every": 500},
            (
                "analysis.recurrence.every = 500: expected iterate.length >= 2000: it takes 4 "
                "states or more."
            ),
        ),
    ],
)
def test_mistakes(settings: dict, message: str) -> None:
    assert message in mistakes(LOGISTIC, analysis={"recurrence": settings})
