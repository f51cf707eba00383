"""Gradient descent and ascent with a fixed step. Rows are those of the known results."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

# Exact identities.
ROUNDING = 1e-12


def test_ascent_on_the_seed_quadratic() -> None:
    """Rows 30, 33 and 34, all steps in one job."""
    steps = [0.05, 0.1, 0.12, 0.127, 0.128]
    ds = run(
        objective="seed_quadratic",
        solver={"name": "gradient", "absolute_tolerance": 1e-8, "relative_tolerance": 0},
        grid={"step": {"of": "solver.step", "values": steps}},
        analysis={"history": {}, "orbit": {}},
        length=3000,
    )
    assert ds["steps"].values.tolist() == [72, 41, 180, 1993, 3000]
    assert ds["status"].values.tolist() == [Status.converged] * 4 + [Status.iteration_limit]
    assert ds["critical_kind"].values.tolist() == [CriticalKind.maximum] * 4 + [0]
    assert (ds["residual_norm_final"][:4] <= 1e-8).all()
    # Row 30: the value and the gradient at the start.
    assert (ds["objective_value"][:, 0] == -452).all()
    assert ds["residual_norm"][:, 0].values == pytest.approx(sqrt(46**2 + 110**2), rel=ROUNDING)
    assert ds["step_norm"][:, 1].values == pytest.approx(
        np.array(steps) * sqrt(46**2 + 110**2), rel=ROUNDING
    )
    assert ds["x"].isel(iteration=1).values == pytest.approx(
        np.outer(steps, [46, 110]), rel=ROUNDING
    )
    # Row 33: the largest |1 - step * eigenvalue|, of the Hessian's eigenvalues 2 (5 +- sqrt 8),
    # is the rate, 0.56568542 at the best of these steps; above 0.12773958 it exceeds 1.
    factors = np.abs(1 - np.outer(steps, [2 * (5 - sqrt(8)), 2 * (5 + sqrt(8))])).max(axis=1)
    assert factors[1] == pytest.approx(0.56568542, abs=1e-8)
    assert ds["convergence_rate"].values[:4] == pytest.approx(factors[:4], abs=1e-6)
    assert ds["convergence_order"].values[:4] == pytest.approx(1, abs=1e-4)
    growing = ds["residual_norm"].sel(step=0.128)
    assert float(growing[-1] / growing[-2]) == pytest.approx(factors[4], abs=1e-9)
    assert np.isnan(ds["convergence_rate"].values[4])


def test_the_bound_of_stability() -> None:
    """Rows 27 and 33: on a quadratic exactly for step < 2 / (its largest curvature)."""
    bound = 1 / (5 + sqrt(8))
    assert bound == pytest.approx(0.12773958, abs=1e-8)
    ds = run(
        objective="seed_quadratic",
        solver={"name": "gradient", "absolute_tolerance": 0},
        grid={"step": {"of": "solver.step", "values": [bound * (1 - 1e-3), bound * (1 + 1e-3)]}},
        length=3000,
        analysis={"history": {}},
    )
    late = ds["residual_norm"].isel(step_number=[2000, 2001])
    quotient = (late[:, 1] / late[:, 0]).values
    assert quotient == pytest.approx([1 - 2e-3, 1 + 2e-3], abs=1e-9)


def test_descent_is_conjugate_to_the_logistic_map() -> None:
    """Row 26: on x^3/3 - x^2/2 with step h, h x/(1 + h) follows the logistic map at a = 1 + h."""
    cubic = {"expression": "x**3/3 - x**2/2", "initial": {"x": 0.3}}
    ds = run(
        objective=cubic,
        solver="gradient",
        grid={"h": {"of": "solver.step", "values": [0.5, 2.2, 2.5]}},
        analysis={"orbit": {}},
        length=500,
    )
    h = ds["h"]
    y = ds["x"] * h / (1 + h)
    assert ds["status"].values.tolist() == [Status.converged] + [Status.iteration_limit] * 2
    assert float(ds["x_final"][0]) == pytest.approx(1, abs=1e-8)
    # At a = 3.2 the two points of the cycle; at 3.5, four of them (row 6's map, solved exactly).
    a = 3.2
    pair = (a + 1 + np.array([-1, 1]) * sqrt((a - 3) * (a + 1))) / (2 * a)
    assert np.sort(y[1, -2:].values) == pytest.approx(pair, abs=1e-10)
    last = y[2, -5:].values
    assert last[4] == pytest.approx(last[0], abs=1e-10)
    assert abs(last[2] - last[0]) > 0.01


def test_descent_on_a_map_finds_where_its_residual_is_least() -> None:
    """|g(x) - x|^2 / 2 of the seed map has minima at 3 and 7, a maximum at 5 (row 10)."""
    ds = run(
        map="quadratic",
        solver={"name": "gradient", "step": 1.0, "relative_tolerance": 0},
        grid={"x0": [0, 4.9, 5, 5.1, 9]},
        length=2000,
    )
    assert ds["x_final"].values == pytest.approx([3, 3, 5, 7, 7], abs=1e-8)
    assert ds["fixed_point_kind"].values.tolist() == [
        FixedPointKind.attracting,
        FixedPointKind.attracting,
        FixedPointKind.none,
        FixedPointKind.repelling,
        FixedPointKind.repelling,
    ]
    # A merit without a slope is no fixed point: the residual there is (25 + 21)/10 - 5.
    assert int(ds["status"][2]) == Status.stalled
    assert float(ds["residual_norm_final"][2]) == pytest.approx(0.4, abs=ROUNDING)


def test_a_complex_map_descends_as_two_reals() -> None:
    """|z^2 + c - z|^2 / 2 near the fixed point (1 - sqrt(1 - 4c))/2; the first step by hand."""
    c, z0 = 0.1 + 0.2j, 0.05 + 0.1j
    ds = run(
        map="quadratic_c",
        solver={"name": "gradient", "step": 0.5},
        grid={"c_re": [c.real], "c_im": [c.imag], "z0_re": [z0.real], "z0_im": [z0.imag]},
        analysis={"orbit": {}},
        length=300,
    ).squeeze()
    z = (ds["z_re"] + 1j * ds["z_im"]).values
    # The gradient of |r|^2/2 for an analytic r is r times the conjugate of r'.
    assert z[1] == pytest.approx(z0 - 0.5 * (z0**2 + c - z0) * np.conj(2 * z0 - 1), abs=ROUNDING)
    assert z[-1] == pytest.approx((1 - np.sqrt(1 - 4 * c)) / 2, abs=1e-8)
    assert int(ds["fixed_point_kind"]) == FixedPointKind.attracting
