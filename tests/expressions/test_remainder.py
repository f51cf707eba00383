import math

import pytest

from pipeline.expressions import compile, dividend


@pytest.mark.parametrize(
    ("text", "divisor", "whole"),
    [
        ("mod(x + a, 1)", 1, "x + a"),
        ("(x + a) % 1", 1, "x + a"),
        ("x*a % (2*pi)", 2 * math.pi, "x*a"),
        ("mod( mod(x, 1) , 2 )", 2, "mod(x, 1)"),
        ("mod(x, 1)", 2, None),
        ("mod(x, a)", 1, None),
        ("x + a % 1", 1, None),
        ("(x % 1) % 1", 1, "x % 1"),
        ("mod(x, 1) + 0", 1, None),
    ],
)
def test_dividend(text, divisor, whole):
    found = dividend(compile(text, ("x", "a")), divisor)
    assert (found.text if found else None) == whole
