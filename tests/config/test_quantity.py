"""Parameters and starts: numbers, arrays, formulas, or generated."""

from __future__ import annotations

import numpy as np
import pytest

from tests.config.cases import LOGISTIC, mistakes, read

MATRIX = {"map__equations": {"x": "A @ x"}, "map__initial": {"x": [1, 2]}, "map__parameters": {}}


def parameter(value):
    return read(LOGISTIC, **{**MATRIX, "map__parameters": {"A": value}}).problem.parameters["A"]


def initial(value):
    return read(LOGISTIC, map__initial__x=value).problem.initial["x"]


def test_parameters():
    np.testing.assert_array_equal(parameter([[1, "1/2"], [0, "pi"]]), [[1, 0.5], [0, np.pi]])
    found = parameter({"sample": "normal", "shape": ["size", "size"]})
    assert found.shape == (2, 2)
    np.testing.assert_array_equal(found, parameter({"sample": "normal", "shape": [2, "1 + 1"]}))
    spread = parameter({"sample": "uniform", "shape": [2, 2], "low": 5, "high": "6"})
    assert np.all((spread >= 5) & (spread < 6))


def test_the_seed_changes_what_is_generated():
    node = {"A": {"sample": "normal", "shape": [2, 2]}}
    one, other = (
        read(LOGISTIC, **{**MATRIX, "map__parameters": node}, seed=s).problem.parameters["A"]
        for s in (0, 1)
    )
    assert not np.array_equal(one, other)


def test_starts():
    np.testing.assert_array_equal(
        initial({"value": [-1.2, 1], "size": 5}), [-1.2, 1, -1.2, 1, -1.2]
    )
    np.testing.assert_array_equal(initial({"value": 2, "size": 3}), [2, 2, 2])
    assert initial({"sample": "uniform", "size": 7}).shape == (7,)
    np.testing.assert_array_equal(initial("linspace(0, 1, 3)"), [0, 0.5, 1])
    assert initial("pi/4") == np.pi / 4
    assert initial("a/4").names == {"a"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "map.parameters.A = null: expected a number."),
        ("x", 'map.parameters.A = "x": expected a number or a formula without names;'),
        ([[1, 2], [3]], "expected lists of one length."),
        ({"value": 1}, "expected a number, a list or {sample: uniform or normal, shape: ...}."),
        (
            {"sample": "sobol"},
            "expected a number, a list or {sample: uniform or normal, shape: ...}.",
        ),
        ({"sample": "normal", "size": 3}, "map.parameters.A.size: no such key"),
        ({"sample": "normal", "shape": [0]}, "expected sizes that are integers >= 1."),
        ({"sample": "normal", "shape": [1.5]}, "expected sizes that are integers >= 1."),
        ({"sample": "normal", "shape": ["y"]}, "expected sizes that are integers >= 1."),
        ({"sample": "normal", "shape": ["zeros(2)"]}, "expected sizes that are integers >= 1."),
        ({"sample": "normal", "shape": [1] * 9}, "expected at most 8 dimensions."),
        ({"sample": "normal", "shape": [10**6, 10**6]}, "expected at most 33554432 entries."),
        ({"sample": "normal", "std": -1}, "expected std >= 0."),
        ({"sample": "uniform", "low": 2}, "expected low <= high."),
        ({"sample": "normal", "mean": [1]}, "expected a number."),
    ],
)
def test_mistaken_parameters(value, message):
    found = mistakes(LOGISTIC, **{**MATRIX, "map__parameters": {"A": value}})
    assert message in found[0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "map.initial.x = null: expected a number."),
        ([], "map.initial.x = []: expected at least one number."),
        ([[1]], "map.initial.x = [[1]]: expected fewer nested lists."),
        ("1/0", "map.initial.x: division by zero.\n    1/0\n     ^"),
        ("log(0*arange(2))", "expected finite numbers."),
        ("eye(2)", 'map.initial.x = "eye(2)": expected a number or a vector of them.'),
        ("zeros(10**12)", "map.initial.x: an array of 1000000000000 elements is too large"),
        ({}, "expected a number, a list, a formula, {value, size} or {sample, size}."),
        ({"value": 1, "size": 10**12}, "expected at most 33554432 entries."),
        ({"value": 1, "size": 0}, "expected sizes that are integers >= 1."),
        (
            {"value": 1, "size": [3]},
            "expected sizes that are integers >= 1; `size` is the length of",
        ),
        (
            {"value": 1, "size": "size"},
            "expected sizes that are integers >= 1; `size` is the length",
        ),
        ({"value": 1, "size": 3, "q": 1}, "map.initial.x.q: no such key (known: size, value)."),
        ({"sample": "uniform"}, "expected size: the number of entries."),
        ({"sample": "uniform", "size": [3]}, "expected size: the number of entries."),
        ({"sample": "uniform", "size": 10**12}, "expected at most 33554432 entries."),
    ],
)
def test_mistaken_starts(value, message):
    found = mistakes(LOGISTIC, map__initial__x=value)
    assert len(found) == 1
    assert message in found[0]
