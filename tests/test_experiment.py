"""Experiments: what the numbers of a document and its axes mean for one cell."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.state import flatten
from tests.runs import experiment, run


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def test_numbers_are_all_that_a_program_takes() -> None:
    """Parameters, starts that are no formulas, settings that may be swept."""
    found = experiment(
        objective={
            "expression": "a*(x - 1)**2 + y**2",
            "parameters": {"a": 2},
            "initial": {"x": 3, "y": "a/2"},
        },
        solver={"name": "newton", "linear_solver": "lu", "absolute_tolerance": 1e-4},
    )
    numbers = found.numbers()
    assert {key: set(value) for key, value in numbers.items()} == {
        "parameters": {"a"},
        "initial": {"x"},
        "settings": {"absolute_tolerance", "relative_tolerance"},
    }
    assert float(numbers["parameters"]["a"]) == 2
    assert numbers["settings"]["absolute_tolerance"] == 1e-4


def test_axes_replace_the_numbers_of_a_cell() -> None:
    """Each kind of quantity: parameters, entries, starts, free names, settings."""
    found = experiment(
        map={
            "equations": {"x": "A[0]*x", "v": "A[1]*v", "z": "c*z"},
            "parameters": {"A": [2, 3], "c": "1+2j"},
            "initial": {"x": "r*10", "v": [1, 2], "z": "0+1j"},
        },
        grid={
            "A_1": [5.0],
            "c_im": [7.0],
            "v0_1": [9.0],
            "z0_re": [4.0],
            "r": [6.0],
        },
    )
    swept = {"A_1": 5.0, "c_im": 7.0, "v0_1": 9.0, "z0_re": 4.0, "r": 6.0}
    x0 = found.start(found.numbers(), swept)
    assert float(x0["x"]) == 60
    assert x0["v"].tolist() == [1, 9]
    assert complex(x0["z"]) == 4 + 1j
    x1 = found.iteration(found.numbers(), swept).step(x0, 0)
    assert float(x1["x"]) == 120
    assert x1["v"].tolist() == [5, 45]
    assert complex(x1["z"]) == (1 + 7j) * (4 + 1j)
    # The document's own arrays are as they were.
    assert found.problem.parameters["A"].tolist() == [2, 3]


def test_a_swept_parameter_is_in_the_formula_of_a_start() -> None:
    """Polar starts: r and th are names that only the start uses, a is a parameter."""
    ds = run(
        map={
            "equations": {"x": "x*1", "y": "y*a/a"},
            "parameters": {"a": 1},
            "initial": {"x": "a*r*cos(th)", "y": "a*r*sin(th)"},
        },
        grid={"r": [1, 2], "th": {"start": 0, "stop": np.pi, "num": 5}, "a": [1, 10]},
        length=1,
    )
    x = ds["a"] * ds["r"] * np.cos(ds["th"])
    y = ds["a"] * ds["r"] * np.sin(ds["th"])
    assert abs(ds["x"].isel(iteration=0) - x).max() < 1e-14
    assert abs(ds["y"].isel(iteration=0) - y).max() < 1e-14


def test_a_start_axis_overrides_a_number() -> None:
    ds = run(map="henon", grid={"y0": [3, 4], "x0": [1, 2]}, length=1)
    assert ds["x"].dims == ("y0", "x0", "iteration")
    start = ds.isel(iteration=0)
    assert (start["x"] == start["x0"]).all()
    assert (start["y"] == start["y0"]).all()


def test_a_start_is_the_flattened_state_of_a_solver() -> None:
    found = experiment(objective="seed_quadratic", solver="newton", grid={"x0_1": [8.0]})
    numbers = jax.tree.map(jnp.asarray, found.numbers())
    x0 = found.start(numbers, {"x0_1": 8.0})
    carry = found.iteration(numbers, {"x0_1": 8.0}).init(x0)
    assert carry.u.tolist() == flatten(x0).tolist() == [0, 8]
