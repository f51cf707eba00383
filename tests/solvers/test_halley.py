"""Halley's method. Rows are those of the known results."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from pipeline.status import CriticalKind, Status
from tests.runs import run

ROUNDING = 1e-12
EXACT = {"name": "halley", "relative_tolerance": 0}


def test_the_cube_of_a_ratio() -> None:
    """Row 40's order 3: on x^2 - a, (x' - q)/(x' + q) = ((x - q)/(x + q))^3 with q = sqrt a."""
    g = {"equations": {"x": "x + x**2 - a"}, "parameters": {"a": 2}, "initial": {"x": 1.3}}
    ds = run(map=g, solver=EXACT, grid={"a": [2, 5]}, analysis={"orbit": {}}, length=10)
    q = np.sqrt([[2], [5]])
    ratio = (ds["x"].values - q) / (ds["x"].values + q)
    assert ratio[:, 1:4] == pytest.approx(ratio[:, :3] ** 3, abs=ROUNDING)
    # Nearer to its root, the start of a = 2 is on the way at once.
    assert float(ds["convergence_order"][0]) == pytest.approx(3, abs=0.05)


def test_a_system_as_its_own_parts() -> None:
    """Two equations in turned coordinates: the two-solve form does not depend on them."""
    turned = {
        "equations": {
            "x": "x + 0.6*(u**2 - 2) - 0.8*(v**2 - 3)",
            "y": "y + 0.8*(u**2 - 2) + 0.6*(v**2 - 3)",
        },
        "definitions": {"u": "0.8*x + 0.6*y", "v": "-0.6*x + 0.8*y"},
        "initial": {"x": 0.2, "y": 1.4},
    }
    ds = run(map=turned, solver=EXACT, analysis={"orbit": {}}, length=10)
    x, y = ds["x"].values, ds["y"].values
    parts = np.array([0.8 * x + 0.6 * y, -0.6 * x + 0.8 * y])
    assert parts[:, 0] == pytest.approx([1, 1], abs=ROUNDING)
    q = np.array([[sqrt(2)], [sqrt(3)]])
    ratio = (parts - q) / (parts + q)
    assert ratio[:, 1:4] == pytest.approx(ratio[:, :3] ** 3, abs=ROUNDING)
    assert int(ds["status"]) == Status.converged


def test_objectives_and_singular_starts() -> None:
    """Rows 42 and 43 from near by; where the tangent is level, the step is not finite."""
    grid = {"start": {"of": ["x0", "y0"], "values": [[2.5, 2.5], [-0.5, -0.5]]}}
    ds = run(objective="himmelblau", solver=EXACT, grid=grid, length=20)
    assert ds["critical_kind"].values.tolist() == [CriticalKind.minimum, CriticalKind.maximum]
    assert ds["objective_final"].values == pytest.approx([0, 181.6165215], abs=1e-7)
    flat = {"equations": {"x": "x + x**2 - 2"}, "initial": {"x": 0}}
    assert int(run(map=flat, solver="halley", length=5)["status"]) == Status.escaped
