"""Steffensen's method. Rows are those of the known results."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

# Values given to eight digits, or all of them.
PRINTED, ROUNDING = 1e-8, 1e-14
EXACT = {"name": "steffensen", "relative_tolerance": 0}


def test_on_the_cosine() -> None:
    """Row 36."""
    g = {"equations": {"x": "cos(x)"}, "initial": {"x": 1}}
    ds = run(map=g, solver=EXACT, analysis={"orbit": {}}, length=10)
    assert ds["x"].values[1:3] == pytest.approx([0.72801036, 0.73906697], abs=PRINTED)
    assert ds["x"].values[3] == pytest.approx(0.7390851331660755, abs=ROUNDING)
    assert float(ds["convergence_order"]) == pytest.approx(2, abs=0.01)


def test_the_asymptotic_error() -> None:
    """Row 40's order 2 for x^2 - 2: e' / e^2 = f'' (1 + f') / (2 f'), f' = 2 sqrt 2."""
    g = {"equations": {"x": "x + x**2 - 2"}, "initial": {"x": 1.4}}
    ds = run(map=g, solver=EXACT, analysis={"orbit": {}}, length=10)
    error = ds["x"].values[:3] - np.sqrt(2)
    slope = 2 * np.sqrt(2)
    # To the next order in the error, 1e-3.
    assert error[2] / error[1] ** 2 == pytest.approx((1 + slope) / slope, rel=5e-3)


def test_a_repelling_fixed_point_is_found() -> None:
    """Rows 5 and 10: stability does not matter; from all sides, parameters on the grid."""
    ds = run(map="logistic", solver="steffensen", grid={"a": [2.5, 3.5], "x0": [0.55]}, length=50)
    assert ds["x_final"].values[:, 0] == pytest.approx([1 - 1 / 2.5, 1 - 1 / 3.5], abs=PRINTED)
    kinds = [[FixedPointKind.attracting], [FixedPointKind.repelling]]
    assert ds["fixed_point_kind"].values.tolist() == kinds


def test_a_complex_component_is_one_number() -> None:
    """The first step on z^2 + c by hand, and the fixed point (1 - sqrt(1 - 4c))/2."""
    c, z0 = 0.1 + 0.2j, 0.05 + 0.1j
    grid = {"c_re": [c.real], "c_im": [c.imag], "z0_re": [z0.real], "z0_im": [z0.imag]}
    ds = run(map="quadratic_c", solver=EXACT, grid=grid, analysis={"orbit": {}}, length=9)
    z = (ds["z_re"] + 1j * ds["z_im"]).values.squeeze()
    z1 = z0**2 + c
    z2 = z1**2 + c
    assert z[1] == pytest.approx(z0 - (z1 - z0) ** 2 / (z2 - 2 * z1 + z0), abs=ROUNDING)
    assert z[-1] == pytest.approx((1 - np.sqrt(1 - 4 * c)) / 2, abs=1e-10)


@pytest.mark.parametrize("sense", ["minimise", "maximise"])
def test_separable_objectives_in_single_precision(sense: str) -> None:
    """Each entry of a vector by itself; a stationary point is one in either sense."""
    f = {
        "expression": "sum(0.5*x**2 + 0.1*x**4 - b*x)",
        "parameters": {"b": [0.5, 1.0, 0.7]},
        "initial": {"x": [0.3, 0.8, 0.4]},
        "sense": sense,
    }
    ds = run(
        objective=f,
        solver={"name": "steffensen", "relative_tolerance": 1e-5},
        length=50,
        device={"precision": "single"},
    )
    x = ds["x_final"].values.astype(float)
    assert int(ds["status"]) == Status.converged
    assert int(ds["critical_kind"]) == CriticalKind.minimum
    assert x + 0.4 * x**3 == pytest.approx([0.5, 1.0, 0.7], abs=1e-5)


def test_two_equal_steps_go_on_as_the_map_does() -> None:
    """x + 1 has no fixed point: it walks to the escape radius."""
    g = {"equations": {"x": "x + 1"}, "initial": {"x": 0}, "escape_radius": 3.5}
    ds = run(map=g, solver="steffensen", analysis={"orbit": {}}, length=10)
    assert ds["x"].values[:5].tolist() == [0, 1, 2, 3, 4]
    assert int(ds["status"]) == Status.escaped
