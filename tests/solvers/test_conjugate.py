"""Conjugate gradients. Rows are those of the known results."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi, tan
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.solvers.conjugate import Solution, conjugate_gradients, diagonal

# Exact identities.
ROUNDING = 1e-12
# Values given to nine digits.
PRINTED = 1e-8

A = np.array([[3.0, 2.0], [2.0, 7.0]])


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def found(matrix: Any, b: Any, **options: Any) -> Solution:
    """Conjugate gradients on a matrix."""
    matrix, b = jnp.asarray(matrix), jnp.asarray(b)
    options = {"tolerance": 1e-14, "limit": 1000, **options}
    return conjugate_gradients(lambda v: matrix @ v, b, **options)


def solve(matrix: Any, b: Any, **options: Any) -> tuple[Any, int]:
    """The solution and the number of steps."""
    solved = found(matrix, b, **options)
    return np.asarray(solved.d), int(solved.steps)


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
    d, _, count, *_ = conjugate_gradients(product, b, tolerance=1e-8, limit=1000)
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
    """At the first step as long as if the sign were the other one; later what was found before."""
    d, steps = solve(np.diag([-1.0, -4.0]), [1.0, 1.0])
    assert (d.tolist(), steps) == ([0.4, 0.4], 1)
    d, steps = solve(np.diag([1.0, 0.0]), [0.0, 1.0])
    assert (d.tolist(), steps) == ([0.0, 1.0], 1)
    # diag(3, -1) on (1, 0.1): the first curvature is 2.99, the second negative.
    b = np.array([1.0, 0.1])
    d, steps = solve(np.diag([3.0, -1.0]), b)
    assert steps == 2
    assert d == pytest.approx(b * (b @ b) / (3 - 0.01), rel=ROUNDING)


def test_curvature_has_no_scale() -> None:
    """A condition of 1e12 is solved at any scale of the matrix; a flat direction never is."""
    for power in (-300, 0, 300):
        steep = np.ldexp(np.diag([1.0, 1e-12]), power)
        solved = found(steep, [1.0, 1.0])
        assert not bool(solved.curved)
        assert np.ldexp(solved.d, power) == pytest.approx([1, 1e12], rel=1e-3)
        assert bool(found(np.ldexp(np.diag([1.0, -1e-9]), power), [1e-9, 1.0]).curved)


def test_a_radius_is_kept() -> None:
    """Inside it nothing changes; outside, and along no positive curvature, the end lies on it."""
    exact = np.linalg.solve(A, [1.0, 2.0])
    inside = found(A, [1.0, 2.0], radius=1.0)
    assert not bool(inside.bounded)
    assert np.asarray(inside.d) == pytest.approx(exact, abs=ROUNDING)
    for matrix in (A, -A, np.diag([3.0, -1.0])):
        cut = found(matrix, [1.0, 0.1], radius=0.1)
        assert bool(cut.bounded)
        assert float(jnp.linalg.norm(cut.d)) == pytest.approx(0.1, rel=ROUNDING)
    assert bool(found(np.diag([3.0, -1.0]), [1.0, 0.1], radius=1.0).curved)
    assert np.asarray(found(-A, [3.0, 4.0], radius=0.5).d) == pytest.approx([0.3, 0.4])


def test_a_start_and_a_scale() -> None:
    """The solution at the start takes no step; a diagonal matrix scaled by itself takes one."""
    d = np.linalg.solve(A, [1.0, 2.0])
    again, steps = solve(A, [1.0, 2.0], start=(jnp.asarray(d), jnp.asarray(A @ d)))
    assert steps == 0
    assert again == pytest.approx(d)
    curvatures = np.geomspace(1.0, 1e8, 20)
    scale = diagonal(lambda v: curvatures * v, jnp.zeros(20), 1)
    assert np.asarray(scale) == pytest.approx(curvatures, rel=ROUNDING)
    b = jnp.ones(20)
    solved = conjugate_gradients(
        lambda v: curvatures * v, b, tolerance=1e-10, limit=50, scale=scale
    )
    assert int(solved.steps) == 1
    assert np.asarray(solved.d) == pytest.approx(1 / curvatures, rel=ROUNDING)


def test_the_estimate_of_a_diagonal() -> None:
    """Of a dense matrix the error falls with the root of the probes; of zero there is none."""
    few, many = (
        np.abs(np.asarray(diagonal(lambda v: jnp.asarray(A) @ v, jnp.zeros(2), probes)) - [3, 7])
        for probes in (1, 10_000)
    )
    assert few.max() == pytest.approx(2)
    assert many.max() < 0.1
    assert diagonal(jnp.zeros_like, jnp.zeros(2), 3).tolist() == [1, 1]


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
