"""Bisection: brackets, their halves, and what is no bracket."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.status import Status
from tests.runs import experiment, run

# Half the width that a residual of 1e-8 of the first one leaves, and more.
CONVERGED = 1e-7
COSINE = {"equations": {"x": "cos(x)"}, "initial": {"x": 5.0}}
# Its derivative is row 38's x^3 - 2x - 5, and of both senses the same point is stationary.
QUARTIC = {"expression": "x**4/4 - x**2 - 5*x", "initial": {"x": 2.5}}


def test_the_fixed_point_of_the_cosine_from_brackets_good_and_bad() -> None:
    """Row 35. The start, 5, is outside: the middle comes first. From 1 on there is no root."""
    ds = run(
        map=COSINE,
        solver={"name": "bisection", "upper": 2.0},
        grid={"a": {"of": "solver.lower", "values": [0.0, -2.0, 3.0, 1.0]}},
        length=60,
        analysis={"history": {}, "orbit": {}},
    )
    ends = [Status(code).name for code in ds["status"].values]
    assert ends == ["converged", "converged", "line_search_failed", "line_search_failed"]
    assert np.abs(ds["x_final"].values[:2] - 0.7390851332151607).max() < CONVERGED
    assert ds["x"].values[:2, 1].tolist() == [1.0, 0.0]
    assert ds["steps"].values[2:].tolist() == [1, 1]
    # A cell that fails stays where it is.
    assert ds["x_final"].values[2:].tolist() == [5.0, 5.0]
    width = ds["bracket_width"].values[0]
    steps = int(ds["steps"][0])
    np.testing.assert_array_equal(width[1 : steps + 1], 2.0 ** (2 - np.arange(1.0, steps + 1)))


def test_a_zero_of_the_derivative_and_the_floor_of_single_precision() -> None:
    """Row 38. Where the bracket is two numbers wide there is nothing to halve."""
    ends = []
    for precision, tolerance in (("double", 1e-10), ("single", 0.0)):
        ds = run(
            objective={**QUARTIC, "sense": "maximise"},
            solver={
                "name": "bisection",
                "lower": 3.0,
                "upper": 2.0,
                "relative_tolerance": tolerance,
            },
            length=60,
            device={"precision": precision},
        )
        ends.append(Status(int(ds["status"])).name)
        error = abs(float(ds["x_final"]) - 2.0945514815423266)
        assert error < (CONVERGED if precision == "double" else 1e-6)
    assert ends == ["converged", "stalled"]


def test_it_takes_one_real_unknown() -> None:
    expected = 'solver = "bisection": it takes one real unknown, and here are 2; expected one of '
    with pytest.raises(ConfigError, match=expected):
        experiment(objective="himmelblau", solver="bisection")
    complex_one = {"equations": {"z": "z**2"}, "initial": {"z": "1j"}}
    with pytest.raises(ConfigError, match=expected):
        experiment(map=complex_one, solver="bisection")
