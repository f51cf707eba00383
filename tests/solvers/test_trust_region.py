"""Steps within a radius, and the way out of saddles. Rows are those of the known results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

# Himmelblau's maximum and four saddles have these for coordinates: rows 43 and 44.
XS = [
    -0.2708445906673476, -0.1279613467306801, -3.073025750764390, 0.0866775045553964,
    3.385154183607021,
]  # fmt: skip
YS = [
    -0.9230385564799815, -1.953714980244576, -0.0813530442879675, 2.884254701174776,
    0.0738518798377493,
]  # fmt: skip
VALUES = [181.6165215, 178.3372392, 104.0151629, 67.71915009, 13.31192627]


@pytest.fixture(scope="module")
def himmelblau() -> Any:
    """From all pairs of the coordinates, the five critical points among them."""
    return run(
        objective="himmelblau",
        solver="trust_region",
        grid={"x0": XS, "y0": YS},
        analysis={"history": {}},
        length=60,
    )


def test_leaves_a_maximum_and_saddles_for_minima(himmelblau: Any) -> None:
    start = np.diag(himmelblau["objective_value"].isel(step_number=0))
    gradient = np.diag(himmelblau["residual_norm"].isel(step_number=0))
    assert start == pytest.approx(VALUES, abs=1e-7)
    assert (gradient < 1e-10).all()
    assert (himmelblau["status"] == Status.converged).all()
    assert (himmelblau["critical_kind"] == CriticalKind.minimum).all()
    assert (himmelblau["objective_final"] < 1e-12).all()


def test_steps_stay_within_the_radius_and_never_climb(himmelblau: Any) -> None:
    ds = himmelblau.isel(step_number=slice(1, None))
    done = ds["radius"].notnull()
    assert (ds["step_norm"].where(done, 0) <= ds["radius"].where(done, 0) * (1 + 1e-12)).all()
    change = himmelblau["objective_value"].diff("step_number")
    assert (change.where(done, 0) <= 1e-12).all()


def test_the_radius_follows_the_gain_ratio(himmelblau: Any) -> None:
    """A step of which too little was true is not taken, and the next is a quarter as long."""
    ratio, radius = himmelblau["gain_ratio"], himmelblau["radius"]
    ratio, after = ratio.isel(step_number=slice(1, -1)), radius.shift(step_number=-1)
    later = after.isel(step_number=slice(1, -1))
    grown = (later / radius.isel(step_number=slice(1, -1))).values
    ratio, known = ratio.values, np.isfinite(grown)
    step = himmelblau["step_norm"].isel(step_number=slice(1, -1)).values
    refused = known & (ratio <= 1e-4)
    assert refused.any()
    assert (step[refused] == 0).all()
    assert (grown[known & (ratio < 0.25)] <= 0.25 + 1e-12).all()
    assert set(grown[known & (ratio > 0.75)]) <= {1.0, 2.0}
    assert (grown[known & (ratio >= 0.25) & (ratio <= 0.75)] == 1).all()


def test_without_the_look_a_saddle_is_an_answer() -> None:
    """The first and the second start, at the maximum and a saddle, have no gradient."""
    ds = run(
        objective="himmelblau",
        solver={"name": "trust_region", "escape_steps": 0},
        grid={"x0": XS[:2], "y0": YS[:2]},
        length=60,
    )
    assert np.diag(ds["steps"]).tolist() == [0, 0]
    kinds = [CriticalKind.maximum, CriticalKind.saddle]
    assert np.diag(ds["critical_kind"]).tolist() == kinds
    assert ds["critical_kind"].values[0, 1] == CriticalKind.minimum


def test_maximises_away_from_a_minimum() -> None:
    """The minimum 0 of x^2 lies between maxima at 1 and -1; a degenerate point stays."""
    ds = run(
        objective={
            "expression": "c*(x**2 - x**4/2) + (1 - c)*(x**3 - 3*x*y**2) - y**4",
            "sense": "maximise",
            "parameters": {"c": 1},
            "initial": {"x": 0, "y": 0},
        },
        solver="trust_region",
        grid={"c": [0, 1]},
        length=60,
    )
    assert ds["critical_kind"].values.tolist() == [CriticalKind.degenerate] * 2
    assert np.abs(ds["x_final"].values) == pytest.approx([0, 1], abs=1e-8)
    assert ds["steps"].values[0] == 0


def test_fixed_points_of_a_map() -> None:
    """Row 12's; the model is that of least squares, and a fixed point of any kind is sought."""
    ds = run(map="henon", solver="trust_region", grid={"x0": [-2, 1], "y0": [0]}, length=60)
    found = ds["x_final"].squeeze().values
    assert found == pytest.approx([-1.131354477089505, 0.631354477089505], abs=1e-9)
    assert (ds["fixed_point_kind"] == FixedPointKind.saddle).all()
