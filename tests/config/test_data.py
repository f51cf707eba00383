"""A document as plain data."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from pipeline.config import data
from pipeline.config.mistakes import Mistakes


def plain(document: Any) -> tuple[dict[str, Any], list[str]]:
    told = Mistakes()
    return data.plain(told, document), told


def test_copy():
    document = {"a": [1, {"b": None}], "c": True, "d": "x\n\ty", "é": 1.5}
    found, told = plain(document)
    assert found == document
    assert found["a"] is not document["a"]
    assert not told


def test_arrays():
    document = {"a": np.arange(3), "b": np.float64(0.5), "c": (1, np.int64(2)), "d": np.str_("x")}
    found, told = plain(document)
    assert not told
    assert found == {"a": [0, 1, 2], "b": 0.5, "c": [1, 2], "d": "x"}
    assert type(found["b"]) is float
    assert type(found["c"][1]) is int
    assert type(found["d"]) is str


def nested(depth: int) -> dict[str, Any]:
    inner: Any = 1
    for _ in range(depth):
        inner = [inner]
    return {"a": inner}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "document = null: expected keys and values, such as {map: ..., grid: ...}."),
        ([1], "document = [1]: expected keys and values"),
        ({True: 1}, "True: YAML reads the keys on, off, yes and no as true and false; quote it."),
        ({"a": {3: 1}}, "a.3: a key is a text; quote it."),
        ({"a": {None: 1}}, "a.NoneType: a key is a text; quote it."),
        ({"a": {10**400: 1}}, "a.int: a key is a text; quote it."),
        ({"a": 1j}, 'a = "1j": expected a complex number as a text, such as 1+2j.'),
        (
            {"a": datetime.date(2001, 1, 1)},
            "a: expected a number, a text, a list or a mapping, not date.",
        ),
        ({"a": b"x"}, "not bytes."),
        ({"a": object()}, "not object."),
        ({"a": {1, 2}}, "not set."),
        ({"a": "x\0y"}, "expected a text of printable characters."),
        ({"a": "\ud800"}, "expected a text of printable characters."),
        ({"a": "\x1b[31m"}, 'a = "\\u001b[31m": expected a text of printable characters.'),
        ({"a\0": 1}, "expected a text of printable characters."),
        ({"a": "x" * 200_000}, "expected a text of at most 100000 characters."),
        (nested(40), "expected at most 32 levels, one within the other."),
        (nested(100_000), "expected at most 32 levels, one within the other."),
        ({"a": [0] * (data.MOST + 1)}, "document: expected at most 2000000 values."),
        ({"a": np.broadcast_to(0.0, 10**12)}, "document: expected at most 2000000 values."),
    ],
)
def test_refused(document, message):
    _, told = plain(document)
    assert len(told) == 1
    assert message in told[0]


def test_a_list_that_holds_itself():
    loop: list[Any] = []
    loop.append(loop)
    assert "levels" in plain({"a": loop})[1][0]
    wide: list[Any] = []
    wide += [wide] * 10  # ten to the 32 values, were they all looked at
    assert plain({"a": wide})[1]
