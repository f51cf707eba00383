"""Relaxed iteration. Rows are those of the known results."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.status import FixedPointKind, Status
from tests.runs import run

# A residual of 1e-12 over 1 - m, m the multiplier.
CONVERGED = 1e-11
COSINE = {"equations": {"x": "cos(x)"}, "initial": {"x": 1}}
# Row 35.
ROOT, MULTIPLIER = 0.7390851332151607, -0.673612029183215


def test_the_multiplier_is_moved_by_omega() -> None:
    """Row 35: 1 + omega (m - 1); Picard iteration, omega = 1, is at 1e-12 before its step 69."""
    omegas = [1.0, 0.5, 0.8, 1.3]
    ds = run(
        map=COSINE,
        solver={"name": "relaxed", "absolute_tolerance": 1e-12, "relative_tolerance": 0},
        grid={"omega": {"of": "solver.omega", "values": [*omegas, 1 / (1 - MULTIPLIER)]}},
        length=1000,
    )
    assert (ds["status"][:3] == Status.converged).all()
    assert ds["status"].values[3] == Status.iteration_limit
    # The residual of x_68 is the step 69, the first one below 1e-12.
    assert ds["steps"].values[0] == 68
    known = np.abs(1 + np.array(omegas[:3]) * (MULTIPLIER - 1))
    # Three digits of a quotient of residuals near 1e-12 are clear of rounding.
    assert ds["convergence_rate"].values[:3] == pytest.approx(known, abs=2e-3)
    # The best omega leaves no multiplier: the order is 2.
    assert ds["steps"].values[4] <= 5
    assert ds["convergence_order"].values[4] == pytest.approx(2, abs=0.1)
    assert ds["x_final"].values[[0, 1, 2, 4]] == pytest.approx(ROOT, abs=CONVERGED)


def test_a_negative_omega_finds_what_repels() -> None:
    """Row 10: the multipliers 0.6 and 1.4 become 1.4 and 0.6."""
    ds = run(
        map="quadratic",
        solver={"name": "relaxed"},
        grid={"omega": {"of": "solver.omega", "values": [1, -1]}, "x0": [6, 5]},
        length=200,
    )
    assert ds["x_final"].values == pytest.approx(np.array([[3, 3], [7, 7]]), abs=1e-6)
    kinds = ds["fixed_point_kind"].values
    assert (kinds[0] == FixedPointKind.attracting).all()
    assert (kinds[1] == FixedPointKind.repelling).all()
    assert ds["convergence_rate"].values == pytest.approx(0.6, abs=1e-6)


def test_angles_go_the_short_way_round() -> None:
    """theta + 0.5 - 0.2 sin(theta + 1): no step is as long as the circle."""
    g = {
        "equations": {"theta": "mod(theta - 0.2*sin(theta - 6), 2*pi)"},
        "initial": {"theta": 0.5},
        "modulus": {"theta": "2*pi"},
    }
    ds = run(map=g, solver="relaxed", analysis={"history": {}}, length=500)
    assert int(ds["status"]) == Status.converged
    assert float(ds["theta_final"]) % (2 * np.pi) == pytest.approx(6, abs=1e-6)
    assert float(ds["step_norm"].max()) <= 0.1
