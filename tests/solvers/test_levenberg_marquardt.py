"""The Levenberg-Marquardt method. Rows are those of the known results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.solvers.gain import ACCEPT
from pipeline.solvers.levenberg_marquardt import LEAST_FACTOR
from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

# Minima of the tables, given to ten digits.
PRINTED = 2e-10
# The ratio is recorded after the damping was computed from it, in the same precision.
ROUNDING = 1e-12
SOLVED = {"name": "levenberg_marquardt", "forcing": "constant", "inner_tolerance": 1e-14}
FINE = {"name": "levenberg_marquardt", "relative_tolerance": 1e-11}


@pytest.fixture(scope="module")
def valley() -> Any:
    """Rosenbrock's function from its standard start and another one."""
    return run(
        objective="rosenbrock_extended",
        solver=SOLVED,
        grid={"x0_0": [-1.2, 5]},
        analysis={"orbit": {}, "history": {}},
        length=100,
    )


def test_ends_in_the_minimum_without_climbing(valley: Any) -> None:
    assert (valley["status"] == Status.converged).all()
    assert (valley["critical_kind"] == CriticalKind.minimum).all()
    assert (valley["objective_value"].diff("step_number").fillna(0) <= 0).all()


def test_the_damping_follows_the_gain_ratio(valley: Any) -> None:
    """Nielsen's rule: x max(1/3, 1 - (2 q - 1)^3) after a step; x 2, 4, 8, ... while none is."""
    refused = 0
    for cell in (valley.isel(x0_0=0), valley.isel(x0_0=1)):
        last, factor = int(cell["steps"]), 2.0
        for n in range(1, last):
            ratio, damping = cell["gain_ratio"].values[n], cell["damping"].values
            if ratio > ACCEPT.default:
                expected = damping[n] * max(LEAST_FACTOR, 1 - (2 * ratio - 1) ** 3)
                factor = 2.0
                assert cell["step_norm"].values[n] > 0
            else:
                expected, factor = damping[n] * factor, 2 * factor
                assert cell["step_norm"].values[n] == 0
                refused += 1
            assert damping[n + 1] == pytest.approx(expected, rel=ROUNDING)
    assert refused > 0


def test_a_step_is_that_of_the_damped_normal_equations(valley: Any) -> None:
    """The first one of r = (10 (y - x^2), 1 - x), in pairs, by NumPy."""
    cell = valley.isel(x0_0=0)
    before, after = cell["x"].values[:2]
    x, y = before[0::2], before[1::2]
    r = np.concatenate([10 * (y - x**2), 1 - x])
    pairs = len(x)
    jacobian = np.zeros((2 * pairs, 2 * pairs))
    for k in range(pairs):
        jacobian[k, 2 * k], jacobian[k, 2 * k + 1] = -20 * x[k], 10
        jacobian[pairs + k, 2 * k] = -1
    damped = jacobian.T @ jacobian + cell["damping"].values[1] * np.eye(2 * pairs)
    assert after - before == pytest.approx(np.linalg.solve(damped, -jacobian.T @ r), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "minimum"),
    [("bard", 8.21487730658e-3), ("brown_dennis", 85822.2016264), ("meyer", 87.9458551709)],
)
def test_minima_of_the_published_set(name: str, minimum: float) -> None:
    """Row 48; Meyer's valley, of condition 1e12, needs its steps solved as well as can be."""
    valley = {"relative_tolerance": 1e-12, "forcing": "constant", "inner_tolerance": 1e-14}
    solver = {**FINE, **(valley if name == "meyer" else {})}
    ds = run(objective=name, solver=solver, length=900)
    assert float(ds["objective_final"]) == pytest.approx(minimum, rel=PRINTED)
    assert int(ds["critical_kind"]) in (CriticalKind.minimum, CriticalKind.degenerate)


def test_goes_on_where_rounding_hides_the_decrease() -> None:
    """Row 47: f is 49 there, and its last decreases are below its rounding; slopes tell them."""
    solver = {"name": "levenberg_marquardt", "relative_tolerance": 1e-12}
    ds = run(objective="freudenstein_roth", solver=solver, length=60)
    assert int(ds["status"]) == Status.converged
    assert float(ds["objective_final"]) == pytest.approx(48.9842536792, rel=PRINTED)
    assert float(ds["residual_norm_final"]) < 2e-9


def test_fixed_points_of_a_map() -> None:
    """Row 12's, stable or not."""
    grid = {"x0": [-2, 1], "y0": [0]}
    ds = run(map="henon", solver="levenberg_marquardt", grid=grid, length=60)
    found = ds["x_final"].squeeze().values
    assert found == pytest.approx([-1.131354477089505, 0.631354477089505], abs=1e-9)
    assert (ds["fixed_point_kind"] == FixedPointKind.saddle).all()
