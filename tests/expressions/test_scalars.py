"""Numbers known beforehand: folded in Python, exactly and within bounds."""

import math
import re
import time

import pytest

from pipeline.errors import ExpressionError
from pipeline.expressions import compile, constant
from pipeline.expressions.scalars import integer_power

CONSTANTS = {
    "1+sqrt(8)": 1 + math.sqrt(8),
    "2*pi": 2 * math.pi,
    "e": math.e,
    "0+0j": 0j,
    "1e-3": 1e-3,
    "1_000": 1000,
    ".5": 0.5,
    "2.": 2.0,
    "2 ** -1": 0.5,
    "-2 ** 2": -4,
    "(-2) ** 3": -8,
    "2 ** 3 ** 2": 512,
    "2 ** 53": 2**53,
    "2 ** 54": float(2**54),
    "9007199254740993": 9007199254740992.0,
    "3 * 2**53": float(3 * 2**53),
    "0 ** 0": 1,
    "0.0 ** 0": 1.0,
    "1e200 ** -2": 0.0,
    "(1e200 + 0j) ** -2": 0j,
    "1 ** (2**53)": 1.0,
    "(-1) ** (2**53 - 1)": -1.0,
    "1.0001 ** 2000": 1.0001**2000,
    "2 ** 0.5": math.sqrt(2),
    "(-8 + 0j) ** 0.5": (-8 + 0j) ** 0.5,
    "2 ** 1j": 2**1j,
    "(1 + 1j) ** 4": (-4 + 0j),
    "7 // 2": 3,
    "-7 // 2": -4,
    "-7 % 3": 2,
    "7 % -3": -2,
    "7 / 2": 3.5,
    "6 / 2": 3.0,
    "1 < 2 < 3": 1,
    "1 < 2 > 3": 0,
    "1 == 1.0": 1,
    "1j != 1": 1,
    "(2 > 1) + (3 > 1)": 2,
    "not 0": 1,
    "1 and 0": 0,
    "0 or 2": 1,
    "+3": 3,
    "--3": 3,
    "-(3 > 2)": -1,
    "10**100 * 0": 0.0,
}


@pytest.mark.parametrize("text", CONSTANTS)
def test_constant(text):
    value = constant(text)
    assert type(value) is type(CONSTANTS[text])
    assert value == CONSTANTS[text]


REFUSED = [
    ("1 |/ 0", "division by zero"),
    ("1 |// 0", "division by zero"),
    ("1 |% 0", "division by zero"),
    ("1j |/ 0", "division by zero"),
    ("0 |** -1", "division by zero"),
    ("0.0 |** -0.5", "division by zero"),
    ("9|**9**9", "this number is too large"),
    ("10|**10**10", "this number is too large"),
    ("2 |** 1024", "this number is too large"),
    ("1e308 |* 10", "this number is too large"),
    ("1e308j |* 10", "this number is too large"),
    ("1e308 |// 1e-10", "this number is too large"),
    ("|1e400", "this number is too large"),
    ("1 + |1e400j", "this number is too large"),
    ("(-8) |** (1/3)", "a complex one is written (-8+0j)**..."),
    ("1 |< 1j", "complex numbers have no order"),
    ("1j |// 2", "// has no meaning for complex numbers"),
    ("1j |% 2", "% has no meaning for complex numbers"),
    ("2 |@ 3", "numbers are multiplied by *"),
    ("|inf", "there is no infinity in a formula"),
    ("|nan", "there is no nan in a formula"),
    ("|i", "the imaginary unit is written 1j"),
    ("|x", 'no name called "x" (known: e, pi)'),
]


@pytest.mark.parametrize(("marked", "reason"), REFUSED)
def test_constant_is_refused(marked, reason):
    with pytest.raises(ExpressionError, match=re.escape(reason)) as caught:
        constant(marked.replace("|", ""))
    assert caught.value.offset == marked.index("|")


@pytest.mark.parametrize("text", ["ones(3)", "[1, 2]", "sum([1, 2])", "[1, 2][0]"])
def test_constant_is_a_number(text):
    with pytest.raises(ExpressionError, match="a single number is needed here, not an array"):
        constant(text)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9**9",
        "10**10**10",
        "((((9**99)**99)**99)**99)**99",
        "2**(2**53)",
        "*".join(["9" * 90] * 100),
        "(-9)**(9**15)",
        "1.5**(10**300)",
        "9" * 5000,
    ],
)
def test_large_numbers_are_quick(text):
    start = time.process_time()
    with pytest.raises(ExpressionError):
        constant(text)
    assert time.process_time() - start < 5


def test_faults_of_constants_are_found_by_compile():
    with pytest.raises(ExpressionError, match="division by zero") as caught:
        compile("x + 1/0", ["x"])
    assert caught.value.offset == 5


def test_names_with_numbers_are_folded_as_they_come():
    f = compile("(size - 1) / size", ["size"])
    assert float(f({"size": 4})) == 0.75
    with pytest.raises(ExpressionError, match="division by zero"):
        f({"size": 0})


def test_where_asks_only_for_the_branch_taken():
    f = compile("where(size > 1, 1/(size - 1), 0)", ["size"])
    assert float(f({"size": 3})) == 0.5
    assert float(f({"size": 1})) == 0
    with pytest.raises(ExpressionError, match="these sizes do not fit"):
        compile("where(size > 1, 1, [1, 2] + [1, 2, 3])", ["size"])({"size": 3})


def test_infinite_values_pass_through():
    """A value that is infinite already is the caller's affair."""
    f = compile("x + 1", ["x"])
    assert float(f({"x": math.inf})) == math.inf
    assert float(compile("floor(x)", ["x"])({"x": math.inf})) == math.inf
    with pytest.raises(ExpressionError, match="sin\\(inf\\) has no finite value"):
        compile("sin(x)", ["x"])({"x": math.inf})


@pytest.mark.parametrize("exponent", range(1, 40))
def test_repeated_squaring_is_exact(exponent):
    assert integer_power(3, exponent, lambda a, b: a * b) == 3**exponent


def test_repeated_squaring_takes_few_products():
    products = []

    def multiply(a, b):
        products.append(a + b)
        return a + b

    assert integer_power(1, 1023, multiply) == 1023
    assert len(products) == 18
