"""How fast a solver converged: observed order and rate, of residuals above rounding."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.status import Status
from tests.runs import run

# Orders are limits; these are taken from the last steps above rounding.
LIMIT = 0.05


def rates(expression: str, start: float, step: float = 0.25, **more: object):
    """Of gradient descent on an objective of x."""
    return run(
        objective={"expression": expression, "initial": {"x": start}},
        solver={"name": "gradient", "step": step, "relative_tolerance": 0, **more},
        length=200,
    )


def test_a_linear_rate_is_the_ratio_of_residuals() -> None:
    """(x - 1)^2 with step 0.25: it halves at every step, order 1."""
    ds = rates("(x - 1)**2", 3)
    assert int(ds["status"]) == Status.converged
    assert float(ds["convergence_rate"]) == pytest.approx(0.5, abs=1e-9)
    assert float(ds["convergence_order"]) == pytest.approx(1, abs=1e-6)


def test_two_steps_are_too_few_for_an_order() -> None:
    """A rate takes two residuals and an order three."""
    f = {"expression": "(x - 1)**2", "initial": {"x": 3}}
    ds = run(
        objective=f,
        solver={"name": "gradient", "step": 0.25, "relative_tolerance": 0},
        grid={"tolerance": {"of": "solver.absolute_tolerance", "values": [5, 3, 1.5, 0.6]}},
        length=20,
    )
    assert ds["steps"].values.tolist() == [0, 1, 2, 3]
    assert ds["convergence_rate"].values[1:] == pytest.approx([0.5] * 3)
    assert np.isnan(ds["convergence_rate"].values[0])
    assert np.isnan(ds["convergence_order"].values).tolist() == [True, True, False, False]
    assert ds["convergence_order"].values[2:] == pytest.approx([1, 1])


@pytest.mark.parametrize("power", [2, 3])
def test_rounding_is_no_convergence(power: int) -> None:
    """x + x^power - x of direct substitution x^power: order `power`, down to residuals of 1e-14.

    Newton on x^3 + x converges to 0 with order 3, on x^2 + x with order 2.
    """
    ds = run(
        map={"equations": {"x": "2*x + x**m"}, "parameters": {"m": 2}, "initial": {"x": 0.5}},
        solver={"name": "newton", "absolute_tolerance": 1e-300, "relative_tolerance": 0},
        grid={"m": [2, 3]},
        length=30,
    ).sel(m=power)
    assert int(ds["status"]) == Status.converged
    assert float(ds["residual_norm_final"]) <= 1e-300
    assert float(ds["convergence_order"]) == pytest.approx(power, abs=LIMIT)
