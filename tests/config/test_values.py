"""Single values of a document."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from pipeline.config import values
from pipeline.config.mistakes import Mistakes
from pipeline.config.values import Unfit
from pipeline.settings import Setting

STEP = Setting("number", 0.01, "a step", low=0, above=True)
COUNT = Setting("integer", 1, "a count", low=1, high=100)


@pytest.mark.parametrize(
    ("value", "found"), [(3, 3), (2.5, 2.5), ("1e-3", 1e-3), ("2*pi", 2 * math.pi), ("-1", -1)]
)
def test_number(value, found):
    assert values.number(value) == found


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "expected a number (YAML reads on, off, yes and no as true and false"),
        (None, "expected a number"),
        ([], "expected a number"),
        ("x", 'expected a number or a formula without names; no name called "x"'),
        ("1j", "expected a real number"),
        (math.inf, "expected a finite number"),
        (math.nan, "expected a finite number"),
        (10**400, "expected a finite number"),
    ],
)
def test_no_number(value, message):
    with pytest.raises(Unfit, match=re.escape(message)):
        values.number(value)


def test_complex_number():
    assert values.number("1+2j", allow_complex=True) == 1 + 2j


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (3, np.array(3.0)),
        ([1, 2.5, "pi"], np.array([1, 2.5, math.pi])),
        ([0.5, 0.25], np.array([0.5, 0.25])),
        ([[1, 2], [3, 4]], np.array([[1.0, 2], [3, 4]])),
        (["1j", 2], np.array([1j, 2])),
    ],
)
def test_array(value, found):
    read = values.array(value, allow_complex=True)
    assert read.dtype == found.dtype
    np.testing.assert_array_equal(read, found)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "expected at least one number"),
        ([[1], [1, 2]], "expected lists of one length"),
        ([1, [2]], "expected lists of one length"),
        ([[[1]]], "expected fewer nested lists"),
        ([0.5, math.nan], "expected finite numbers"),
        ([0.5, None], "expected a number"),
    ],
)
def test_no_array(value, message):
    with pytest.raises(Unfit, match=message):
        values.array(value, dimensions=2)


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [
        (5, 5),
        ("5", 5),
        (1e9, 10**9),
        ("1GiB", 2**30),
        ("1.5 kB", 1500),
        ("2M", 2 * 10**6),
        ("3KiB", 3072),
    ],
)
def test_memory(value, bytes_):
    assert values.memory(value) == bytes_


@pytest.mark.parametrize("value", ["5XB", "-1", True, "GiB", None, "9" * 400 + "GiB", "inf"])
def test_no_memory(value):
    with pytest.raises(Unfit, match="expected a size such as 512MiB or 1GiB"):
        values.memory(value)


def test_too_much_memory():
    with pytest.raises(Unfit, match=re.escape("expected a size of at most 2**60 bytes")):
        values.memory("99999999TiB")


@pytest.mark.parametrize(
    ("value", "setting", "message"),
    [
        (0, STEP, "k = 0: expected a finite number > 0."),
        ("x", STEP, 'k = "x": expected a finite number > 0; no name called "x" (known: e, pi).'),
        (None, STEP, "k = null: expected a finite number > 0."),
        (1.5, COUNT, "k = 1.5: expected an integer >= 1 and <= 100."),
        (-5, COUNT, "k = -5: expected an integer >= 1 and <= 100."),
        (True, COUNT, "k = true: expected an integer >= 1 and <= 100 (YAML reads on"),
        ("1j", COUNT, "expected an integer"),
        (10**30, Setting("integer", 1, "", low=1), "integer >= 1; this one has more than 64 bits."),
        (1, Setting("boolean", False, ""), "k = 1: expected true or false."),
        (1, Setting("text", "", ""), "k = 1: expected a text."),
        (
            "z",
            Setting("choice", "a", "", options=("a", "b")),
            'k = "z": no such choice (known: a, b).',
        ),
        ([], Setting("choice", "a", "", options=("a", "b")), "k = []: no such choice"),
        (["z"], Setting("choices", [], "", options=("a", "b")), "expected a list of a, b."),
        ({}, Setting("choices", [], "", options=("a",)), "k = {}: expected a list of a."),
        (True, Setting("formula", None, ""), "k = true: expected a formula."),
        ([1], Setting("names", None, ""), "k = [1]: expected a list of names."),
        ([1, 0], Setting("integers", 1, "", low=1), "expected an integer >= 1."),
        ({"x": [1]}, Setting("ranges", None, ""), "[low, high] with low < high, or {name:"),
        ("1XB", Setting("bytes", 1, ""), "expected a size such as 512MiB or 1GiB."),
    ],
)
def test_take(value, setting, message):
    told = Mistakes()
    assert values.take(told, "k", value, setting) == setting.default
    assert len(told) == 1
    assert message in told[0]


def test_taken():
    told = Mistakes()
    assert values.take(told, "k", "1e2", COUNT) == 100
    assert values.take(told, "k", None, Setting("number", None, "")) is None
    choices = Setting("choices", [], "", options=("a", "b"))
    assert values.take(told, "k", "a", choices) == ["a"]
    assert values.take(told, "k", ["b", "a", "b"], choices) == ["b", "a"]
    assert not told


def test_section():
    told = Mistakes()
    assert values.section(told, "s", {"step": "1/8"}, {"step": STEP, "n": COUNT}) == {
        "step": 0.125,
        "n": 1,
    }
    assert values.section(told, "s", [1], {"step": STEP}) == {"step": 0.01}
    assert values.section(told, "s", {"stp": 1}, {"step": STEP}) == {"step": 0.01}
    assert told == [
        "s = [1]: expected keys and values (step).",
        's.stp: no such key; did you mean "step"? (known: step).',
    ]


def test_within():
    np.testing.assert_array_equal(
        values.within(np.array([0.0, 1.0, 1.5, 101.0]), COUNT), [False, True, False, False]
    )
