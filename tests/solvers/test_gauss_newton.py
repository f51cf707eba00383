"""The Gauss-Newton method. Rows are those of the known results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import experiment, run

# Minima of the tables, given to ten digits.
PRINTED = 2e-10
# Each step solved to rounding and taken whole.
FULL = {
    "name": "gauss_newton", "forcing": "constant", "inner_tolerance": 1e-14, "line_search": "none",
}  # fmt: skip
# Gradients of large residuals have a high floor.
FINE = {"name": "gauss_newton", "relative_tolerance": 1e-11}


def test_linear_residuals_take_one_step() -> None:
    """Row 49: the sum of squares ends at m - n = 15, whose one singular value takes one product."""
    ds = run(objective="linear_full_rank", solver=FULL, analysis={"history": {}}, length=9)
    assert int(ds["steps"]) == 1
    assert float(ds["objective_final"]) == pytest.approx(15, rel=1e-14)
    assert ds["hessian_products"].values[:2].tolist() == [0, 1]


def test_steps_are_those_of_the_normal_equations() -> None:
    """(J^T J) d = -J^T r, by hand, for an exponential fitted to three points."""
    t, y = np.array([0.0, 1, 2]), np.array([2.0, 1.1, 0.5])
    ds = run(
        objective={
            "residuals": "a*exp(-b*t) - y",
            "parameters": {"t": t.tolist(), "y": y.tolist()},
            "initial": {"a": 1.5, "b": 0.4},
        },
        solver=FULL,
        analysis={"orbit": {}},
        length=4,
    )
    u = np.array([1.5, 0.4])
    for n in range(5):
        assert [ds["a"].values[n], ds["b"].values[n]] == pytest.approx(u, rel=1e-11)
        decay = np.exp(-u[1] * t)
        jacobian = np.stack([decay, -u[0] * t * decay], axis=1)
        u = u + np.linalg.lstsq(jacobian, y - u[0] * decay)[0]


@pytest.mark.parametrize(
    ("name", "minimum"),
    [
        ("bard", 8.21487730658e-3),
        ("kowalik_osborne", 3.07505603849e-4),
        ("freudenstein_roth", 48.9842536792),
    ],
)
def test_minima_of_the_published_set(name: str, minimum: float) -> None:
    """Rows 47 and 48."""
    ds = run(objective=name, solver=FINE, length=200)
    assert int(ds["status"]) == Status.converged
    assert int(ds["critical_kind"]) == CriticalKind.minimum
    assert float(ds["objective_final"]) == pytest.approx(minimum, rel=PRINTED)


def test_the_rate_is_that_of_the_residual_s_curvature() -> None:
    """r = (x + 1, lam x^2 + x - 1): near 0 each whole step is 1 - 1 = 0 plus lam (Dennis 1977).

    The minimum is at 0 and the error is multiplied by lam there: linear below 1 alone.
    """
    ds = run(
        objective={
            "residuals": ["x + 1", "lam*x**2 + x - 1"],
            "parameters": {"lam": 0.5},
            "initial": {"x": 0.01},
        },
        solver=FULL,
        grid={"lam": [-0.4, 0.25, 0.5]},
        analysis={"orbit": {}},
        length=12,
    )
    x = ds["x"].values
    assert x[:, 9] / x[:, 8] == pytest.approx([-0.4, 0.25, 0.5], abs=1e-3)


def test_newton_s_steps_on_a_map() -> None:
    """Row 12: the Jacobian of g(x) - x is square, so the least of |r + J d| is 0."""
    grid = {"x0": [-2, 1], "y0": [0]}
    ours, newton = (
        run(map="henon", solver=solver, grid=grid, analysis={"orbit": {}}, length=30).squeeze()
        for solver in (FULL, "newton")
    )
    early = {"iteration": slice(0, 4)}
    for component in ("x", "y"):
        close = newton[component].isel(early).values
        assert ours[component].isel(early).values == pytest.approx(close, abs=1e-7)
    assert ours["x_final"].values == pytest.approx(
        [-1.131354477089505, 0.631354477089505], abs=1e-9
    )
    assert (ours["fixed_point_kind"] == FixedPointKind.saddle).all()


@pytest.mark.parametrize("solver", ["gauss_newton", "levenberg_marquardt"])
def test_refuses_an_objective_without_residuals(solver: str) -> None:
    with pytest.raises(ConfigError) as caught:
        experiment(objective="himmelblau", solver=solver)
    text = str(caught.value)
    begin = f'solver = "{solver}": it takes an objective that is given by its residuals'
    assert text.startswith(f"{begin}; expected one of ")
    assert "newton_cg" in text
    assert "gauss_newton" not in text.removeprefix(begin)


def test_many_starts_and_data_in_one_program() -> None:
    """A straight line through (0, c), (1, 1), (2, 2) for several c: known on paper."""
    c = np.array([-3.0, 0, 1])
    ds: Any = run(
        objective={
            "residuals": "a + b*t - y",
            "parameters": {"t": [0, 1, 2], "y": [0, 1, 2]},
            "initial": {"a": 0, "b": 0},
        },
        solver="gauss_newton",
        grid={"y_0": c.tolist(), "a0": [-1, 5]},
        length=20,
    )
    assert (ds["status"] == Status.converged).all()
    assert ds["b_final"].values == pytest.approx(np.outer((2 - c) / 2, [1, 1]), abs=1e-7)
