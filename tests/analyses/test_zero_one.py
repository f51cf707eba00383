"""The 0-1 test where the answer is known, and against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.analyses.zero_one import angles
from tests.config.cases import LOGISTIC, mistakes
from tests.runs import run


def defined(phi: np.ndarray, c: float) -> float:
    """K(c) by sums (Gottwald and Melbourne 2009, section 3)."""
    count, most = len(phi), len(phi) // 10
    walk = np.cumsum(phi * np.exp(1j * c * np.arange(1, count + 1)))
    n = np.arange(1, most + 1)
    square = [np.mean(np.abs(walk[k : count - most + k] - walk[: count - most]) ** 2) for k in n]
    driven = np.mean(phi) ** 2 * (1 - np.cos(n * c)) / (1 - np.cos(c))
    return float(np.corrcoef(n, square - driven)[0, 1])


def test_logistic() -> None:
    """Chaos at 3.97 and 4, a cycle at 3.55, and period three in its window."""
    ds = run(
        map="logistic",
        grid={"a": [3.55, 3.83, 3.97, 4.0], "x0": [0.1]},
        transient=1000,
        length=2000,
        analysis={"zero_one": {"angles": 20}, "orbit": {}},
    )
    found = ds.zero_one.values[:, 0]
    # Gottwald and Melbourne report 0.998 and more, and some thousandths, of 5000 states.
    assert np.all(np.abs(found[:2]) < 0.02)
    assert np.all(found[2:] > 0.98)
    for k in range(4):
        expected = np.median([defined(ds.x.values[k, 0], c) for c in angles(20)])
        assert found[k] == pytest.approx(expected, abs=1e-8)


def test_turns() -> None:
    """Quasiperiodic: bounded walks, whatever the circle's cut; a constant series is regular."""
    ds = run(
        map={
            "equations": {"t": "mod(t + w, 1)", "k": "k"},
            "parameters": {"w": 0},
            "initial": {"t": 0.1, "k": 3},
            "modulus": {"t": 1},
        },
        grid={"w": [0.6180339887498949, 0.0]},
        length=2000,
        analysis={"zero_one": {"angles": 20, "component": "t"}},
    )
    assert abs(float(ds.zero_one[0])) < 0.05
    assert float(ds.zero_one[1]) == 0


def test_angles() -> None:
    found = angles(100)
    assert np.all((found > np.pi / 5) & (found < 4 * np.pi / 5))
    # Evenly spread, to the discrepancy of the golden ratio's multiples.
    np.testing.assert_allclose(
        np.sort(found), np.pi / 5 * (1 + 3 * np.linspace(0, 1, 100)), atol=0.05
    )


def test_mistakes() -> None:
    told = mistakes(LOGISTIC, analysis={"zero_one": {"component": "y"}}, iterate={"length": 50})
    assert told == [
        'analysis.zero_one.component = "y": there is no such real number in the state (known: x).',
        "analysis.zero_one.every = 1: expected iterate.length >= 100: it takes 100 states or more.",
    ]
