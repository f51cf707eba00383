"""The lowest curvature against dense eigenvalues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.solvers.lanczos import Lowest, lowest

ROUNDING = 1e-12


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def look(matrix: Any, steps: int) -> Lowest:
    matrix = jnp.asarray(matrix)
    return lowest(lambda v: matrix @ v, jnp.zeros(len(matrix)), steps)


def test_all_dimensions_give_the_eigenvalue() -> None:
    a = np.random.default_rng(0).normal(size=(12, 12))
    a = a + a.T
    values, vectors = np.linalg.eigh(a)
    found = look(a, 30)
    assert float(found.curvature) == pytest.approx(values[0], rel=ROUNDING)
    assert float(found.scale) == pytest.approx(np.abs(values).max(), rel=ROUNDING)
    assert abs(vectors[:, 0] @ found.direction) == pytest.approx(1, rel=ROUNDING)


def test_few_dimensions_find_one_negative_among_many() -> None:
    """The value is the direction's own, and no lower than the least eigenvalue."""
    values = np.linspace(1, 100, 300)
    values[150] = -1
    found = look(np.diag(values), 30)
    assert -1 <= float(found.curvature) < -0.9
    direction = np.asarray(found.direction)
    assert direction @ (values * direction) == pytest.approx(float(found.curvature), abs=1e-10)


@pytest.mark.parametrize(("value", "lowest_seen"), [(2.0, 0.0), (0.0, 0.0), (-3.0, -3.0)])
def test_a_space_that_ends_early(value: float, lowest_seen: float) -> None:
    """A multiple of the identity has a Krylov space of one dimension; the rest counts as flat."""
    found = look(value * np.eye(5), 5)
    assert float(found.curvature) == pytest.approx(lowest_seen, abs=ROUNDING)
    assert float(found.scale) == pytest.approx(abs(value), abs=ROUNDING)
