"""Linear least squares by conjugate gradients, against NumPy's direct solutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.solvers.least_squares import Model, least_squares

# Double precision, times the condition of the matrices below (about 10), squared.
ROUNDING = 1e-12


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def model(matrix: Any, r: Any) -> Model:
    matrix, r = jnp.asarray(matrix), jnp.asarray(r)
    return Model(r, lambda v: matrix @ v, lambda v: matrix.T @ v)


@pytest.fixture(scope="module")
def tall() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    return random.normal(size=(9, 4)), random.normal(size=9)


@pytest.mark.parametrize("damping", [0.0, 0.7])
def test_agrees_with_a_direct_solution(tall: Any, damping: float) -> None:
    """Of the equations with the square root of the damping times the identity below them."""
    matrix, r = tall
    fit = least_squares(model(matrix, r), damping=damping, tolerance=1e-15, limit=100)
    below = np.concatenate([matrix, np.sqrt(damping) * np.eye(4)])
    expected = np.linalg.lstsq(below, -np.concatenate([r, np.zeros(4)]))[0]
    assert np.asarray(fit.d) == pytest.approx(expected, abs=ROUNDING)
    fall = r @ r - np.sum((r + matrix @ expected) ** 2)
    assert float(fit.fall) == pytest.approx(fall, rel=ROUNDING)
    assert int(fit.steps) == 4


def test_the_fall_of_an_unfinished_solution(tall: Any) -> None:
    matrix, r = tall
    fit = least_squares(model(matrix, r), damping=0.3, tolerance=1e-15, limit=2)
    assert int(fit.steps) == 2
    fall = r @ r - np.sum((r + matrix @ np.asarray(fit.d)) ** 2)
    assert float(fit.fall) == pytest.approx(fall, rel=ROUNDING)


def test_stops_where_the_gradient_has_fallen_enough(tall: Any) -> None:
    matrix, r = tall
    fit = least_squares(model(matrix, r), damping=0.0, tolerance=0.1, limit=100)
    left = matrix.T @ (r + matrix @ np.asarray(fit.d))
    assert np.linalg.norm(left) <= 0.1 * np.linalg.norm(matrix.T @ r)
    assert 1 <= int(fit.steps) < 4


def test_the_shortest_of_many_solutions() -> None:
    """Columns that depend on each other: two distinct singular values, so two steps."""
    matrix = np.array([[1.0, 1, 0], [0, 0, 3], [1, 1, 0]])
    r = np.array([1.0, -3, 2])
    fit = least_squares(model(matrix, r), damping=0.0, tolerance=1e-15, limit=100)
    assert np.asarray(fit.d) == pytest.approx(-np.linalg.pinv(matrix) @ r, abs=ROUNDING)
    assert int(fit.steps) == 2


def test_nothing_to_do_takes_no_step() -> None:
    """Where the residual is orthogonal to every column."""
    fit = least_squares(model([[1.0], [0.0]], [0.0, 5.0]), damping=0.0, tolerance=0, limit=9)
    assert np.asarray(fit.d).tolist() == [0.0]
    assert int(fit.steps) == 0
    assert float(fit.fall) == 0
