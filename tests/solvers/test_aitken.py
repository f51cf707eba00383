"""Aitken's delta-squared. Rows are those of the known results."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.status import Status
from tests.runs import run

# Exact identities, with differences of numbers near 1.
ROUNDING = 1e-12


def test_the_sequence_of_the_cosine_is_extrapolated() -> None:
    """Rows 35 and 36: the first state is Steffensen's; the multiplier is squared."""
    g = {"equations": {"x": "cos(x)"}, "initial": {"x": 1}}
    solver = {"name": "aitken", "relative_tolerance": 0}
    ds = run(map=g, solver=solver, analysis={"orbit": {}}, length=100)
    x = [1.0]
    for _ in range(20):
        x.append(np.cos(x[-1]))
    a, b, c = (np.array(x[k : k + 10]) for k in range(3))
    assert ds["x"].values[1:11] == pytest.approx(a - (b - a) ** 2 / (c - 2 * b + a), abs=ROUNDING)
    assert float(ds["x"][1]) == pytest.approx(0.72801036, abs=1e-8)
    assert float(ds["convergence_rate"]) == pytest.approx(0.673612029183215**2, abs=1e-4)
    assert int(ds["status"]) == Status.converged


def test_a_geometric_sequence_ends_at_once() -> None:
    """Linear maps, component by component, attracting and repelling."""
    g = {
        "equations": {"x": "a*x + 1", "y": "-0.9*y + 1"},
        "parameters": {"a": 0.5},
        "initial": {"x": 0, "y": 0},
    }
    ds = run(map=g, solver="aitken", grid={"a": [0.5, 0.99, 3]}, length=5)
    assert (ds["steps"] == 1).all()
    assert ds["x_final"].values == pytest.approx([2, 100, -0.5], rel=ROUNDING)
    assert ds["y_final"].values == pytest.approx(1 / 1.9, rel=ROUNDING)
