"""Conjugate gradients and the Newton steps made of them. Rows are those of the known results."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi, tan
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.solvers.newton_cg import conjugate_gradients
from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

# Exact identities.
ROUNDING = 1e-12
# Values given to nine digits.
PRINTED = 1e-8
# Newton at its end.
CONVERGED = 1e-9

A = np.array([[3.0, 2.0], [2.0, 7.0]])


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def solve(matrix: Any, b: Any, *, tolerance: float = 1e-14, limit: int = 1000) -> tuple[Any, int]:
    """Conjugate gradients on a matrix."""
    matrix, b = jnp.asarray(matrix), jnp.asarray(b)
    d, steps = jax.jit(
        lambda m, v, t, k: conjugate_gradients(lambda u: m @ u, v, tolerance=t, limit=k)
    )(matrix, b, tolerance, limit)
    return np.asarray(d), int(steps)


def test_the_iterates_of_the_seed_step() -> None:
    """Rows 31 and 32: from 0, with -Hessian [[6, 4], [4, 14]] and gradient (46, 110)."""
    first, one = solve(2 * A, [46.0, 110.0], limit=1)
    second, two = solve(2 * A, [46.0, 110.0], limit=2)
    assert (one, two) == (1, 2)
    assert first == pytest.approx([2.93803465, 7.02573503], abs=PRINTED)
    assert second == pytest.approx([3, 7], abs=ROUNDING)


@pytest.mark.parametrize(
    ("m", "steps", "kappa"), [(8, 10, 32.1634), (16, 28, 116.4612), (32, 59, 440.6886)]
)
def test_steps_on_the_poisson_equation(m: int, steps: int, kappa: float) -> None:
    """Row 51."""
    h = 1 / (m + 1)
    assert 1 / tan(pi * h / 2) ** 2**1 == pytest.approx(kappa, abs=1e-4)

    def product(v: Any) -> Any:
        u = jnp.pad(v.reshape(m, m), 1)
        around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
        return (4 * u[1:-1, 1:-1] - around).ravel() / h**2

    b = jnp.ones(m * m)
    d, count = conjugate_gradients(product, b, tolerance=1e-8, limit=1000)
    assert int(count) == steps
    assert float(jnp.linalg.norm(b - product(d)) / jnp.linalg.norm(b)) <= 1.1e-8


@pytest.mark.parametrize("distinct", [[2.0], [1.0, 3.0], [0.5, 1.0, 4.0, 9.0]])
def test_one_step_for_each_distinct_eigenvalue(distinct: list[float]) -> None:
    """Row 50."""
    size = 12
    random = np.random.default_rng(0)
    q, _ = np.linalg.qr(random.normal(size=(size, size)))
    eigenvalues = np.resize(distinct, size)
    matrix = q @ np.diag(eigenvalues) @ q.T
    b = random.normal(size=size)
    d, steps = solve(matrix, b, tolerance=1e-10)
    assert steps == len(distinct)
    assert d == pytest.approx(q @ ((q.T @ b) / eigenvalues), abs=1e-9)


def test_a_limit_of_steps_is_kept() -> None:
    _, steps = solve(np.diag([1.0, 2.0, 3.0, 4.0]), np.ones(4), limit=3)
    assert steps == 3


def test_directions_without_positive_curvature() -> None:
    """At the first step the right side itself; later what was found before."""
    d, steps = solve(np.diag([-1.0, -2.0]), [1.0, 1.0])
    assert (d.tolist(), steps) == ([1.0, 1.0], 1)
    d, steps = solve(np.diag([1.0, 0.0]), [0.0, 1.0])
    assert (d.tolist(), steps) == ([0.0, 1.0], 1)
    # diag(3, -1) on (1, 0.1): the first curvature is 2.99, the second negative.
    b = np.array([1.0, 0.1])
    d, steps = solve(np.diag([3.0, -1.0]), b)
    assert steps == 2
    assert d == pytest.approx(b * (b @ b) / (3 - 0.01), rel=ROUNDING)


def test_nothing_to_solve_takes_no_step() -> None:
    d, steps = solve(A, [0.0, 0.0])
    assert (d.tolist(), steps) == ([0.0, 0.0], 0)


def test_small_and_large_right_sides_alike() -> None:
    """The stop is relative: a power of two more or less changes no digit."""
    plain, steps = solve(A, [1.0, 2.0])
    for power in (-400, 400):
        scaled, count = solve(A, np.ldexp([1.0, 2.0], power))
        assert count == steps
        assert (np.ldexp(scaled, -power) == plain).all()


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
        for name in ("newton", "newton_cg")
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
        solver="newton_cg",
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
        for name in ("newton", "newton_cg")
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
    assert float(down["step_norm"][1]) == pytest.approx(float(down["residual_norm"][0]), rel=1e-12)
