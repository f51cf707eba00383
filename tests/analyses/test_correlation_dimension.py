"""Correlation dimensions that are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.config.cases import LOGISTIC, mistakes
from tests.runs import run


def test_henon() -> None:
    """1.21 to 1.25: Grassberger and Procaccia 1983, Grassberger 1983."""
    ds = run(
        map="henon",
        transient=1000,
        length=3000,
        analysis={"correlation_dimension": {"points": 3000}, "orbit": {}},
    )
    assert 1.18 < float(ds.correlation_dimension) < 1.27
    assert 0 < float(ds.correlation_dimension_error) < 0.02
    # A sum as counted pair by pair.
    x = np.stack([ds.x.values[:3000], ds.y.values[:3000]])
    radius = float(ds.correlation_radius[10]) * np.ptp(x, axis=1).max()
    pairs = 0
    for k in range(11, 3000):
        gap = np.abs(x[:, k:] - x[:, :-k]).max(axis=0)
        pairs += int((gap < radius).sum())
    total = (3000 - 11) * (3000 - 10) / 2
    assert float(ds.correlation_sum[10]) == pytest.approx(pairs / total, rel=1e-12)


def test_a_circle_a_square_and_a_cycle() -> None:
    """1 of a rotation, 2 of what fills a square evenly; 0 of a cycle, whose points are apart."""
    circle = {"initial": {"s": 0.1, "t": 0.2}, "modulus": {"s": 1, "t": 1}}
    turning = {"equations": {"s": "mod(s + a, 1)", "t": "t"}, "parameters": {"a": 0.6180339887}}
    random = {
        "equations": {"s": "mod(0, 1)", "t": "mod(0, 1)"},
        "parameters": {},
        "noise": {"s": {"uniform": 0.5}, "t": {"uniform": 0.5}},
    }
    for described, dimension in ((turning, 1), (random, 2)):
        ds = run(
            map={**circle, **described},
            length=2000,
            analysis={"correlation_dimension": {"scaling": [0.02, 0.3]}},
        )
        assert float(ds.correlation_dimension) == pytest.approx(dimension, abs=0.02)
    cycle = run(
        map="logistic",
        grid={"a": [3.2]},
        transient=1000,
        length=200,
        analysis={"correlation_dimension": {"scaling": [1e-9, 1e-3], "radii": 3}},
    )
    assert float(cycle.correlation_dimension[0]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"scaling": [0, 0.1]},
            (
                "analysis.correlation_dimension.scaling = [0.0, 0.1]: expected [low, high] with "
                "0 < low < high <= 1, such as [0.003, 0.1]."
            ),
        ),
        (
            {"scaling": [0.1, 2]},
            (
                "analysis.correlation_dimension.scaling = [0.1, 2.0]: expected high <= 1: they are "
                "fractions of the orbit's range."
            ),
        ),
        (
            {"theiler": 5000},
            (
                "analysis.correlation_dimension.points = 2000: expected >= 5003, so that pairs are "
                "left."
            ),
        ),
    ],
)
def test_mistakes(settings: dict, message: str) -> None:
    assert message in mistakes(LOGISTIC, analysis={"correlation_dimension": settings})
