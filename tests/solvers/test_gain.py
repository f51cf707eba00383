"""How much of what a model foretells comes true, by hand on f = h + x^2 / 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.solvers.gain import gain_ratio, held
from pipeline.solvers.target import aim
from tests.runs import experiment

# A few operations in double precision.
ROUNDING = 1e-13


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def ratio(height: float, x: float, change: float, foretold: float, sense: int = 1) -> float:
    objective = {
        "expression": "h + s*x**2/2",
        "parameters": {"h": 0, "s": 1},
        "initial": {"x": 0},
        "sense": "minimise" if sense == 1 else "maximise",
    }
    problem = experiment(objective=objective, solver="trust_region").problem
    target = aim(problem, {"h": height, "s": float(sense)})
    u = jnp.array([x])
    return float(gain_ratio(target, u, target.residual(u), jnp.array([change]), foretold))


@pytest.mark.parametrize("height", [0.0, 1e9])
@pytest.mark.parametrize(
    ("change", "expected"), [(-1e-4, 1.0), (-2e-4, 0.0), (1e-4, -3.0), (-0.5e-4, 0.75)]
)
@pytest.mark.parametrize("sense", [1, -1])
def test_the_decrease_over_the_one_foretold(
    height: float, change: float, expected: float, sense: int
) -> None:
    """From x = 1e-4 to 0 it is 5e-9, far below the rounding of 1e9: slopes tell it as well."""
    found = ratio(height, 1e-4, change, 5e-9, sense)
    assert found == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("foretold", [0.0, -5e-9])
def test_no_decrease_foretold_is_none(foretold: float) -> None:
    """Also where f rises as it was foretold to."""
    assert np.isnan(ratio(0, 1e-4, 1e-4, foretold))


def test_a_step_not_taken_is_held_while_another_can_be() -> None:
    u, change = jnp.array([1.0]), jnp.array([0.5])
    no, yes = jnp.array(False), jnp.array(True)
    moves: list[Any] = [
        held(u, change, taken, jnp.array(reach), {}, (), 3)
        for taken, reach in ((yes, 1.0), (no, 1.0), (no, 0.0))
    ]
    assert [float(move.change[0]) for move in moves] == [0.5, 0, 0]
    assert [bool(move.held) for move in moves] == [False, True, False]
    assert {move.evaluations for move in moves} == {5}
