"""Newton's steps by conjugate gradients. Rows are those of the known results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess_prod

import pipeline
from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run, shipped

# Exact identities.
ROUNDING = 1e-12
# Values given to nine digits.
PRINTED = 1e-8
# Newton at its end.
CONVERGED = 1e-9
# Each step solved to rounding and taken whole.
FULL = {
    "name": "newton_cg", "forcing": "constant", "inner_tolerance": 1e-10, "line_search": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def quadratics() -> tuple[Any, Any]:
    """A quadratic of size 6 with three curvatures by both solvers, minimum (0, ... 5)."""
    objective = {
        "expression": "0.5*dot(x - m, d*(x - m)) + 3",
        "parameters": {"d": [1, 1, 4, 4, 10, 10], "m": [0, 1, 2, 3, 4, 5]},
        "initial": {"x": [1, -1, 1, 1, 7, -3]},
    }
    both = (
        run(objective=objective, solver=name, analysis={"orbit": {}, "history": {}}, length=5)
        for name in ("newton", FULL)
    )
    return tuple(both)  # type: ignore[return-value]  # two of them


def test_agrees_with_newton_on_a_quadratic(quadratics: tuple[Any, Any]) -> None:
    """Row 50: as many inner steps as distinct eigenvalues, and the same point."""
    dense, free = quadratics
    assert free["x"].values[1] == pytest.approx(dense["x"].values[1], abs=CONVERGED)
    assert dense["x"].values[1] == pytest.approx(np.arange(6.0), abs=ROUNDING)
    assert free["inner_steps"].values.tolist() == [0, 3, -1, -1, -1, -1]
    assert free["inner_steps"].dtype == np.int32
    assert int(free["critical_kind"]) == CriticalKind.minimum
    assert float(free["objective_final"]) == pytest.approx(3, abs=CONVERGED)


def test_the_seed_step_in_an_experiment() -> None:
    """Rows 31 and 32: inner_limit 1 gives the first iterate, 2 the point; one compiled program."""
    ds = run(
        objective="seed_quadratic",
        solver=FULL,
        grid={"inner": {"of": "solver.inner_limit", "values": [1, 2]}},
        analysis={"orbit": {}, "history": {}},
        length=10,
    )
    first = ds["x"].isel(iteration=1).values
    assert first[0] == pytest.approx([2.93803465, 7.02573503], abs=PRINTED)
    assert first[1] == pytest.approx([3, 7], abs=ROUNDING)
    assert ds["inner_steps"].isel(step_number=1).values.tolist() == [1, 2]
    assert (ds["critical_kind"] == CriticalKind.maximum).all()


def test_maps_by_the_normal_equations() -> None:
    """Rows 10 and 12: on maps the steps are Newton's, for the Jacobian need not be symmetric."""
    grid = {"x0": [-2, 1], "y0": [0]}
    dense, free = (
        run(map="henon", solver=name, grid=grid, analysis={"orbit": {}}, length=30).isel(y0=0)
        for name in ("newton", FULL)
    )
    for component in ("x", "y"):
        early = {"iteration": slice(0, 4)}
        assert free[component].isel(early).values == pytest.approx(
            dense[component].isel(early).values, abs=1e-7
        )
    assert free["x_final"].values == pytest.approx(
        [-1.131354477089505, 0.631354477089505], abs=1e-8
    )
    assert (free["fixed_point_kind"] == FixedPointKind.saddle).all()


def test_negative_curvature_leads_away_from_a_maximum() -> None:
    """Rows 42 and 43: near Himmelblau's maximum, Newton's method goes up to it, this one down."""
    at = {"x0": [-0.3], "y0": [-0.9]}
    up = run(objective="himmelblau", solver="newton", grid=at, length=100).squeeze()
    down = run(
        objective="himmelblau",
        solver="newton_cg",
        grid=at,
        analysis={"history": {}},
        length=200,
    ).squeeze()
    assert float(up["objective_final"]) == pytest.approx(181.6165215, abs=1e-7)
    assert int(up["critical_kind"]) == CriticalKind.maximum
    assert int(down["status"]) == Status.converged
    assert int(down["critical_kind"]) == CriticalKind.minimum
    # The first direction is the gradient's own.
    assert int(down["inner_steps"][1]) == 1


def chained(size: int) -> Any:
    """The chained Rosenbrock function from (-1.2, 1, -1.2, ...), with its history."""
    f = shipped("objective", "rosenbrock_chained")
    f["initial"] = {"x": {"value": [-1.2, 1], "size": size}}
    solver = {"name": "newton_cg", "absolute_tolerance": 0}
    return run(objective=f, solver=solver, analysis={"history": {}}, length=2 * size + 100)


@pytest.mark.parametrize(
    ("size", "newton_cg", "trust_ncg"), [(100, 1780, 2330), (1000, 17117, 22703)]
)
def test_products_on_the_chained_rosenbrock_function(
    size: int, newton_cg: int, trust_ncg: int
) -> None:
    """A fifth fewer than those of SciPy 1.17, counted where it comes to the same residual."""
    ds = chained(size)
    assert int(ds["status"]) == Status.converged
    assert int(ds["critical_kind"]) == CriticalKind.minimum
    products = int(ds["hessian_products"].where(ds["hessian_products"] > 0).sum())
    assert products < 0.8 * newton_cg < 0.8 * trust_ncg
    assert float(ds["forcing"].max()) == 0.25
    assert float(ds["residual_norm_final"]) <= 1e-8 * float(ds["residual_norm"][0])
    assert float(ds["objective_final"]) < 1e-9


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg"])
def test_fewer_products_than_scipy(method: str) -> None:
    """Both from the same start to the same residual; SciPy's products are counted."""
    size, count = 100, 0
    x0 = np.resize([-1.2, 1.0], size)
    goal = 1e-8 * np.linalg.norm(rosen_der(x0))

    def product(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        return rosen_hess_prod(x, v)

    def reached(x: np.ndarray) -> None:
        if np.linalg.norm(rosen_der(x)) <= goal:
            raise StopIteration

    options = {"xtol": 0} if method == "Newton-CG" else {"gtol": goal}
    found = minimize(
        *(rosen, x0),
        method=method,
        jac=rosen_der,
        hessp=product,
        callback=reached if method == "Newton-CG" else None,
        options={"maxiter": 1000, **options},
    )
    assert np.linalg.norm(rosen_der(found.x)) <= goal
    ours = chained(size)
    assert float(ours["residual_norm"][0]) == pytest.approx(np.linalg.norm(rosen_der(x0)))
    assert float(ours["residual_norm_final"]) <= goal
    assert int(ours["hessian_products"].where(ours["hessian_products"] > 0).sum()) < count


def test_the_preconditioner_saves_a_badly_scaled_quadratic() -> None:
    """Condition 1e8 on 100 unknowns: plain conjugate gradients need more than their limit."""
    objective = {
        "expression": "0.5*sum(10**(8*arange(size)/(size - 1))*(x - 1)**2)",
        "initial": {"x": {"value": 0, "size": 100}},
    }
    plain, scaled = (
        run(
            objective=objective,
            solver={**FULL, "inner_limit": 100, "preconditioner": name},
            analysis={"history": {}},
            length=3,
        )
        for name in ("none", "jacobi")
    )
    assert int(plain["status"]) == Status.iteration_limit
    assert int(scaled["status"]) == Status.converged
    assert int(scaled["steps"]) == 1
    assert scaled["inner_steps"].values[1] == 1
    assert scaled["hessian_products"].values[1] == 9


def test_a_warm_start_solves_a_repeated_step_at_once() -> None:
    """On f = x^4 each Newton step is 2/3 of the last: the start is the solution."""
    objective = {"expression": "sum(c*x**4)", "parameters": {"c": [1, 2]}, "initial": {"x": [1, 1]}}
    cold, warm = (
        run(
            objective=objective,
            solver={**FULL, "warm_start": name},
            analysis={"history": {}},
            length=30,
        )
        for name in ("none", "last")
    )
    assert int(cold["steps"]) == int(warm["steps"])
    ended = int(cold["steps"]) + 1
    assert (cold["inner_steps"].values[2:ended] >= 1).all()
    assert (warm["inner_steps"].values[2:ended] == 0).all()
    assert (warm["hessian_products"].values[2:ended] == 1).all()


@pytest.mark.parametrize("name", ["newton_inverse", "newton_cg_full"])
def test_both_reach_the_maximum_in_one_step(name: str) -> None:
    """Row 31, by the dense inverse and Hessian-free: the history shows two inner steps."""
    ds = pipeline.run("experiment=newton_quadratic", f"solver={name}")
    assert int(ds["steps"]) == 1
    assert ds["x_final"].values == pytest.approx([3, 7], abs=ROUNDING)
    assert float(ds["objective_final"]) == pytest.approx(2, abs=ROUNDING)
    if name == "newton_cg_full":
        assert ds["inner_steps"].values[1] == 2
