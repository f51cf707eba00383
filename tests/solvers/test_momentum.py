"""The heavy ball and Nesterov's gradient, on the same quadratics."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest
import xarray

from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

# A hundred steps of exact recurrences.
ROUNDING = 1e-11
# Curvatures 1 and 25: sqrt k = 5.
QUADRATIC = {
    "expression": "s*(0.5*x**2 + 12.5*y**2)",
    "parameters": {"s": 1},
    "initial": {"x": 1, "y": 1},
}


def descend(solver: str, sense: str, **settings: Any) -> xarray.Dataset:
    sign = 1 if sense == "minimise" else -1
    return run(
        objective={**QUADRATIC, "sense": sense, "parameters": {"s": sign}},
        solver={"name": solver, **settings, "relative_tolerance": 1e-12},
        analysis={"orbit": {}, "history": {}},
        length=200,
    )


@pytest.mark.parametrize("sense", ["minimise", "maximise"])
def test_the_best_rate_of_the_heavy_ball(sense: str) -> None:
    """(sqrt k - 1)/(sqrt k + 1) = 2/3, a double root: x_n = (1 + n (1 - q)) q^n, exactly.

    On the other curvature the root is -q, and y_n = (1 + n (1 + q)) (-q)^n.
    """
    q = 2 / 3
    ds = descend("momentum", sense, step=4 / 36, momentum=q**2)
    n = np.arange(int(ds["steps"]) + 1)
    x, y = (ds[name].values[: len(n)] for name in "xy")
    assert x == pytest.approx((1 + n * (1 - q)) * q**n, abs=ROUNDING)
    assert y == pytest.approx((1 + n * (1 + q)) * (-q) ** n, abs=ROUNDING)
    assert int(ds["status"]) == Status.converged
    # The factor (1 + n c) makes the quotient larger by 1/n.
    assert float(ds["convergence_rate"]) == pytest.approx(q * (1 + 1 / n[-1]), abs=0.01)
    wanted = CriticalKind.minimum if sense == "minimise" else CriticalKind.maximum
    assert int(ds["critical_kind"]) == wanted


@pytest.mark.parametrize("sense", ["minimise", "maximise"])
def test_the_rate_of_nesterov(sense: str) -> None:
    """1 - 1/sqrt k = 4/5, a double root as well; the largest curvature is done in one step."""
    beta, q = 2 / 3, 4 / 5
    ds = descend("nesterov", sense, step=1 / 25, momentum=beta)
    n = np.arange(int(ds["steps"]) + 1)
    # x_1 = 1 - 1/25 = (1 + c) q.
    c = (1 - 1 / 25) / q - 1
    assert ds["x"].values[: len(n)] == pytest.approx((1 + n * c) * q**n, abs=ROUNDING)
    assert ds["y"].values[1:] == pytest.approx(0, abs=ROUNDING)
    assert float(ds["convergence_rate"]) == pytest.approx(q * (1 + 1 / n[-1]), abs=0.01)


def test_momentum_is_swept_and_none_is_gradient_descent() -> None:
    """Roots of modulus sqrt(momentum) where they are complex; row 27's bound moves with it."""
    bound = 2 * (1 + 0.5) / 25
    cases = [[1 / 25, 0], [bound * 0.99, 0.5], [bound * 1.01, 0.5], [0.01, 0.9]]
    ds = run(
        objective=QUADRATIC,
        solver={"name": "momentum", "relative_tolerance": 0},
        grid={"case": {"of": ["solver.step", "solver.momentum"], "values": cases}},
        analysis={"orbit": {}},
        length=3000,
    )
    assert ds["x"].values[0, :20] == pytest.approx(0.96 ** np.arange(20), abs=ROUNDING)
    beyond = [Status.iteration_limit, Status.escaped]
    assert ds["status"].values[[0, 1, 3]].tolist() == [Status.converged] * 3
    assert ds["status"].values[2] in beyond
    assert float(ds["objective_final"][2]) > 1e6
    # 0.01: |r| falls by sqrt(0.9) a step, and swings; over 200 steps the mean tells.
    size = np.hypot(ds["x"].values, ds["y"].values)[3]
    low, high = (np.max(size[k : k + 40]) for k in (50, 250))
    assert (high / low) ** (1 / 200) == pytest.approx(sqrt(0.9), abs=2e-3)


@pytest.mark.parametrize("solver", ["momentum", "nesterov"])
def test_maps_in_single_precision(solver: str) -> None:
    """Row 10: |g(x) - x|^2 / 2 of the seed map falls to 3 and to 7."""
    ds = run(
        map="quadratic",
        solver={"name": solver, "step": 1.0, "momentum": 0.5, "relative_tolerance": 1e-5},
        grid={"x0": [0, 6, 8]},
        length=500,
        device={"precision": "single"},
    )
    assert ds["x_final"].values == pytest.approx([3, 7, 7], abs=1e-3)
    kinds = [FixedPointKind.attracting, FixedPointKind.repelling, FixedPointKind.repelling]
    assert ds["fixed_point_kind"].values.tolist() == kinds
