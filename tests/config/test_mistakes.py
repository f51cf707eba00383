"""The shape of messages."""

from __future__ import annotations

import pytest

from pipeline.config.mistakes import Mistakes, show, suggest
from pipeline.errors import ExpressionError


def test_add():
    told = Mistakes()
    told.add("a.b", "expected an integer", -5)
    told.add("a", "expected this.")
    told.add("x" * 1000, "too long")
    assert told[:2] == ["a.b = -5: expected an integer.", "a: expected this."]
    assert len(told[2]) < 200


def test_formula():
    told = Mistakes()
    told.formula("a", ExpressionError("x + ?", "no.", 4))
    told.formula("b", ExpressionError("  ", "the formula is empty"))
    assert told == ["a: no.\n    x + ?\n        ^", "b: the formula is empty."]


def test_unknown():
    told = Mistakes()
    told.unknown("grid", {"nmu": 1, "num": 2}, ["num", "step"])
    assert told == ['grid.nmu: no such key; did you mean "num"? (known: num, step).']


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("é", '"é"'),
        ({"a": [1, 2.5]}, '{"a": [1, 2.5]}'),
        (float("nan"), "NaN"),
        pytest.param(10**5000, "(int)", id="too long for Python"),
        ("\x9b", '"?"'),
        ("x" * 100, '"' + "x" * 56 + "..."),
    ],
)
def test_show(value, text):
    assert show(value) == text


def test_show_is_short_and_quick():
    deep: list = []
    deep.append(deep)
    for value in (deep, [0] * 10**7, {str(k): k for k in range(10**5)}, "x" * 10**8):
        assert len(show(value)) <= 60


def test_suggest():
    assert suggest("logstic", ["logistic", "henon"]) == (
        '; did you mean "logistic"? (known: henon, logistic)'
    )
    assert suggest("", []) == " (known: none)"
    assert suggest("?" * 10**6, [f"n{k}" for k in range(20)]).endswith(", ...)")
