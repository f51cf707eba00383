"""The chord method. Rows are those of the known results."""

from __future__ import annotations

from math import cos, sin

import numpy as np
import pytest

from pipeline.status import CriticalKind, Status
from tests.runs import run

ROUNDING = 1e-12


def test_the_rate_on_the_cosine() -> None:
    """Row 35: 1 - J(x*)/J(x_0), J = -sin x - 1; the first step is Newton's (row 37)."""
    g = {"equations": {"x": "cos(x)"}, "initial": {"x": 1}}
    solver = {"name": "chord", "relative_tolerance": 0}
    starts = [1.0, 0.5]
    ds = run(map=g, solver=solver, grid={"x0": starts}, analysis={"orbit": {}}, length=50)
    root = 0.7390851332151607
    assert float(ds["x"][0, 1]) == pytest.approx(0.75036387, abs=1e-8)
    assert ds["x"].values[:, 1] == pytest.approx(
        [x - (x - cos(x)) / (1 + sin(x)) for x in starts], abs=ROUNDING
    )
    rates = np.abs([1 - (1 + sin(root)) / (1 + sin(x)) for x in starts])
    assert ds["convergence_rate"].values == pytest.approx(rates, abs=1e-4)
    assert ds["convergence_order"].values == pytest.approx(1, abs=1e-3)
    assert ds["x_final"].values == pytest.approx(root, abs=1e-9)


def test_one_step_on_the_seed_quadratic_and_none_where_singular() -> None:
    """Rows 30 and 31; a start without an invertible Jacobian escapes."""
    ds = run(objective="seed_quadratic", solver="chord", length=5)
    assert int(ds["steps"]) == 1
    assert ds["x_final"].values == pytest.approx([3, 7], abs=ROUNDING)
    assert int(ds["critical_kind"]) == CriticalKind.maximum
    flat = {"equations": {"x": "x + x**2 - 2"}, "initial": {"x": 0}}
    ds = run(map=flat, solver="chord", grid={"x0": [0, 1.3]}, length=50)
    assert ds["status"].values.tolist() == [Status.escaped, Status.converged]
