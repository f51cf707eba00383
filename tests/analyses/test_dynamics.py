"""Solvers studied as maps are: exponents, periods and averages of what goes on for ever.

Rows of the known results are named.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray

from tests.runs import run

# A stable cycle's exponent, once the transient has decayed, is a mean of rounded logarithms.
ROUNDING = 1e-9
# Standard error of the mean of ln|g'| over 2 10^4 chaotic steps, some five times over.
SAMPLING = 2e-2
# Of a pair of multipliers the two vectors grow in turns: a turn in 1000 steps.
TURNING = 5e-3
# What is known to so many digits.
ROWS = 5e-6
STEPS = {0.9: 1, 2.2: 2, 2.5: 4, 2.83: 3, 3.0: 0}


@pytest.fixture(scope="module")
def descent() -> xarray.Dataset:
    """Row 26: gradient descent on x^3/3 - x^2/2 is the logistic map with a = 1 + step."""
    return run(
        objective="cubic",
        solver={"name": "gradient", "relative_tolerance": 0},
        grid={"h": {"of": "solver.step", "values": list(STEPS)}},
        analysis={"lyapunov": {}, "period": {"extended": 0}, "statistics": {}},
        transient=1000,
        length=20_004,
    )


def test_exponents_of_a_solver_are_those_of_the_map(descent: xarray.Dataset) -> None:
    """Rows 5, 6 and 7."""
    found = descent["lyapunov"].values[:, 0]
    assert found[:2] == pytest.approx([math.log(0.1), -0.916290731874], abs=ROUNDING)
    assert found[2:4] == pytest.approx([-0.8725073, -0.36967], abs=ROWS)
    assert found[4] == pytest.approx(math.log(2), abs=SAMPLING)


def test_periods_and_averages_go_on_where_a_cell_has_ended(descent: xarray.Dataset) -> None:
    """Row 9: the mean is 1/2, of h x/(1 + h); at the step 0.9 the cell has long converged."""
    assert descent["period"].values.tolist() == list(STEPS.values())
    assert int(descent["steps"][0]) < 30
    assert float(descent["x_mean"][0]) == pytest.approx(1, abs=ROUNDING)
    assert float(descent["x_mean"][-1]) == pytest.approx(2 / 3, abs=SAMPLING)


def test_exponents_alter_nothing_else() -> None:
    """Of a quadratic they are ln|1 - step curvature|, whenever it converged."""
    asked = {
        "objective": {"expression": "x**2 + 2*y**2", "initial": {"x": 1, "y": 1}},
        "solver": {"name": "gradient", "step": 0.3},
        "length": 200,
    }
    alone = run(**asked, analysis={"history": {}})
    beside = run(**asked, analysis={"history": {}, "lyapunov": {}})
    assert int(alone["steps"]) < 30
    xarray.testing.assert_allclose(alone, beside[list(alone)], rtol=ROUNDING)
    known = np.log([0.4, 0.2])
    assert beside["lyapunov"].values == pytest.approx(known, abs=ROUNDING)


def test_newton_on_a_cycle() -> None:
    """Row 41: from 0 the superstable cycle 0, 1; from -2 a root, superstable as well."""
    ds = run(
        map={"equations": {"x": "x**3 - x + 2"}, "initial": {"x": 0}},
        solver="newton",
        grid={"x0": [0, -2]},
        analysis={"period": {"max_period": 4}, "lyapunov": {}},
        length=100,
    )
    assert ds["period"].values.tolist() == [2, 1]
    assert ds["lyapunov"].values[0, 0] == -math.inf


def test_inertia_has_exponents_of_its_own() -> None:
    """Moduli of the roots of z^2 - (1 - h k + b) z + b for each curvature k, a pair on a circle."""
    h, b = 0.1, 0.6
    ds = run(
        objective={"expression": "(x**2 + 4*y**2)/2", "initial": {"x": 1, "y": 1}},
        solver={"name": "momentum", "step": h, "momentum": b},
        analysis={"lyapunov": {}},
        transient=1000,
        length=1000,
    )
    known = [np.log(np.abs(np.roots([1, -(1 - h * k + b), b]))) for k in (1, 4)]
    assert ds["lyapunov"].values == pytest.approx(-np.sort(-np.ravel(known)), abs=TURNING)


def test_a_map_that_is_stopped_goes_on() -> None:
    """Row 10: its cell ends at 3, where the multiplier is 0.6; the exponent is of all steps."""
    ds = run(
        map="quadratic",
        analysis={"lyapunov": {}, "final": {}},
        iterate={"transient": 200, "length": 200, "stop": "converged"},
    )
    assert float(ds["lyapunov"][0]) == pytest.approx(math.log(0.6), abs=ROUNDING)
    assert int(ds["steps"]) < 100
