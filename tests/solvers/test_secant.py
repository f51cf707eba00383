"""The secant method and Broyden's. Rows are those of the known results."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

ROUNDING = 1e-12
EXACT = {"name": "secant", "relative_tolerance": 0, "absolute_tolerance": 1e-13}


def test_the_order_in_one_dimension() -> None:
    """Row 40: on x^2 - 2 errors are e'' = e e' / (2 sqrt 2 + e + e') exactly; order 1.618."""
    g = {"equations": {"x": "x + k*(x**2 - 2)"}, "parameters": {"k": 1}, "initial": {"x": 1.5}}
    ds = run(map=g, solver=EXACT, grid={"k": [-0.25, 0.1]}, analysis={"orbit": {}}, length=30)
    error = ds["x"].values - sqrt(2)
    before, now, after = error[:, :3], error[:, 1:4], error[:, 2:5]
    assert after == pytest.approx(before * now / (2 * sqrt(2) + before + now), abs=ROUNDING)
    # The order itself is reached slowly, from both sides.
    assert ds["convergence_order"].values == pytest.approx(1.618034, abs=0.2)
    assert (ds["status"] == Status.converged).all()


def test_the_roots_of_two_cubics() -> None:
    """Row 38."""
    g = {
        "equations": {"x": "x - 0.05*(x**3 + a*x**2 + b*x + c)"},
        "parameters": {"a": 0, "b": -2, "c": -5},
        "initial": {"x": 2},
    }
    cubics = {"of": ["a", "b", "c"], "values": [[0, -2, -5], [4, 0, -10]]}
    ds = run(map=g, solver=EXACT, grid={"cubic": cubics}, length=30)
    known = [2.0945514815423266, 1.3652300134140969]
    assert ds["x_final"].values == pytest.approx(known, abs=ROUNDING)


def test_a_quadratic_takes_two_steps_a_dimension() -> None:
    """On linear residuals Broyden's method ends at step 2 d (Gay 1979), here 4; rows 30 and 31."""
    ds = run(
        objective="seed_quadratic",
        solver={"name": "secant", "relative_tolerance": 1e-10},
        grid={"first": {"of": "solver.first_step", "values": [0.02, 0.05, 0.1]}},
        analysis={"orbit": {}},
        length=20,
    )
    assert ds["steps"].values.tolist() == [4, 4, 4]
    assert (ds["critical_kind"] == CriticalKind.maximum).all()
    assert ds["x_final"].values == pytest.approx(np.array([[3, 7]] * 3), abs=1e-7)
    assert ds["x"].values[:, 1] == pytest.approx(
        np.outer([0.02, 0.05, 0.1], [46, 110]), rel=ROUNDING
    )


def test_fixed_points_of_henon_and_of_a_complex_map() -> None:
    """Row 12, and (1 - sqrt(1 - 4c))/2 of z^2 + c."""
    henon = run(map="henon", solver=EXACT, length=100)
    found = [float(henon["x_final"]), float(henon["y_final"])]
    assert found == pytest.approx([0.631354477089505, 0.189406343126851], abs=1e-10)
    assert int(henon["fixed_point_kind"]) == FixedPointKind.saddle
    z = run(map="quadratic_c", solver=EXACT, grid={"c_re": [0.1], "c_im": [0.2]}, length=99)
    z = z.squeeze()
    found = complex(float(z["z_final_re"]), float(z["z_final_im"]))
    assert found == pytest.approx((1 - np.sqrt(1 - 0.4 - 0.8j)) / 2, abs=1e-10)
