"""The table of functions: each against numpy's or Python's own, on numbers and both libraries."""

import cmath
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.errors import ExpressionError
from pipeline.expressions import CONSTANTS, FUNCTIONS, RESERVED, compile, constant

# Two libraries' elementary functions differ by a few units in the last place.
ROUNDING = 4e-15

X = np.array([0.3, -0.7, 0.2])
A = np.array([[1.0, 2.0, -1.0], [0.5, -3.0, 4.0]])
Z = np.array([0.3 + 0.4j, -0.7 - 0.1j])
VALUES = {"x": X, "A": A, "z": Z, "u": np.array(0.4), "t": np.array(1.5), "size": 3}

ARRAYS = {
    "sin(x)": np.sin(X),
    "cos(x)": np.cos(X),
    "tan(x)": np.tan(X),
    "arcsin(x)": np.arcsin(X),
    "arccos(x)": np.arccos(X),
    "arctan(x)": np.arctan(X),
    "arctan2(x, u)": np.arctan2(X, 0.4),
    "sinh(x)": np.sinh(X),
    "cosh(x)": np.cosh(X),
    "tanh(x)": np.tanh(X),
    "arcsinh(x)": np.arcsinh(X),
    "arccosh(1 + x**2)": np.arccosh(1 + X * X),
    "arctanh(x)": np.arctanh(X),
    "exp(x)": np.exp(X),
    "expm1(x)": np.expm1(X),
    "log(2 + x)": np.log(2 + X),
    "log1p(x)": np.log1p(X),
    "log2(2 + x)": np.log2(2 + X),
    "log10(2 + x)": np.log10(2 + X),
    "sqrt(2 + x)": np.sqrt(2 + X),
    "cbrt(x)": np.cbrt(X),
    "abs(x)": np.abs(X),
    "sign(x)": np.sign(X),
    "floor(3*x)": np.floor(3 * X),
    "ceil(3*x)": np.ceil(3 * X),
    "round(3*x)": np.rint(3 * X),
    "mod(x, u)": np.mod(X, 0.4),
    "minimum(x, 0)": np.minimum(X, 0),
    "maximum(x, 0)": np.maximum(X, 0),
    "clip(x, -0.5, 0.25)": np.clip(X, -0.5, 0.25),
    "where(x > 0, x, u)": np.where(X > 0, X, 0.4),
    "isfinite(1/(x - 0.3))": np.array([False, True, True]),
    "min(x)": np.array(-0.7),
    "max(x)": np.array(0.3),
    "min(A, axis=0)": A.min(0),
    "max(A, axis=1)": A.max(1),
    "sum(x)": X.sum(),
    "sum(A, axis=-1)": A.sum(-1),
    "sum(x > 0)": np.array(2.0),
    "prod(x)": X.prod(),
    "prod(A, axis=0)": A.prod(0),
    "mean(x)": X.mean(),
    "mean(A, axis=0)": A.mean(0),
    "norm(x)": np.sqrt((X * X).sum()),
    "norm(A)": np.sqrt((A * A).sum()),
    "norm(A, axis=1)": np.sqrt((A * A).sum(1)),
    "norm(z)": np.sqrt((np.abs(Z) ** 2).sum()),
    "dot(x, x)": X @ X,
    "dot(A, x)": A @ X,
    "dot(u, x)": 0.4 * X,
    "cumsum(x)": X.cumsum(),
    "cumsum(A, axis=0)": A.cumsum(0),
    "diff(x)": np.diff(X),
    "diff(A, axis=0)": np.diff(A, axis=0),
    "roll(x, 1)": np.roll(X, 1),
    "roll(x, -1)": np.roll(X, -1),
    "roll(A, 1, axis=1)": np.roll(A, 1, axis=1),
    "concatenate([x, [u, 1]])": np.concatenate([X, [0.4, 1]]),
    "concatenate((A, A), axis=1)": np.concatenate((A, A), axis=1),
    "stack([x, 2*x])": np.stack([X, 2 * X]),
    "stack((x, 2*x), axis=1)": np.stack((X, 2 * X), axis=1),
    "stack([u, 1])": np.array([0.4, 1]),
    "arange(size)": np.arange(3.0),
    "arange(1, 2*size)": np.arange(1.0, 6.0),
    "arange(5, -4, -3)": np.arange(5.0, -4.0, -3.0),
    "linspace(0, u, 5)": np.linspace(0, 0.4, 5),
    "linspace(0, 1, 1)": np.array([0.0]),
    "ones(size)": np.ones(3),
    "ones((2, size))": np.ones((2, 3)),
    "zeros((size, 1))": np.zeros((3, 1)),
    "zeros(0)": np.zeros(0),
    "eye(2)": np.eye(2),
    "eye(2, size)": np.eye(2, 3),
    "real(z)": Z.real,
    "imag(z)": Z.imag,
    "conj(z)": Z.conj(),
    "arg(z)": np.angle(Z),
    "exp(z)": np.exp(Z),
    "abs(z)": np.abs(Z),
    "sqrt(z)": np.sqrt(Z),
}


@pytest.fixture(params=["numpy", "jax"])
def xp(request):
    """Both libraries, in double precision."""
    with jax.enable_x64(True):
        yield np if request.param == "numpy" else jnp


@pytest.mark.parametrize("text", ARRAYS)
def test_array_values(text, xp):
    result = compile(text, VALUES)(VALUES, xp)
    assert result.shape == np.shape(ARRAYS[text])
    np.testing.assert_allclose(result, ARRAYS[text], rtol=ROUNDING, atol=ROUNDING)


def test_every_function_is_tested():
    called = {name for text in ARRAYS for name in re.findall(r"(\w+)\(", text)}
    assert called >= set(FUNCTIONS)


NUMBERS = {
    "sin(1)": math.sin(1),
    "cos(1)": math.cos(1),
    "tan(1)": math.tan(1),
    "arcsin(0.5)": math.asin(0.5),
    "arccos(0.5)": math.acos(0.5),
    "arctan(2)": math.atan(2),
    "arctan2(1, -2)": math.atan2(1, -2),
    "sinh(1)": math.sinh(1),
    "cosh(1)": math.cosh(1),
    "tanh(1)": math.tanh(1),
    "arcsinh(1)": math.asinh(1),
    "arccosh(2)": math.acosh(2),
    "arctanh(0.5)": math.atanh(0.5),
    "exp(1)": math.e,
    "expm1(1e-10)": math.expm1(1e-10),
    "log(2)": math.log(2),
    "log1p(1e-10)": math.log1p(1e-10),
    "log2(8)": 3.0,
    "log10(1000)": math.log10(1000),
    "sqrt(8)": math.sqrt(8),
    "cbrt(-8)": -2.0,
    "abs(-3)": 3,
    "abs(3 + 4j)": 5.0,
    "sign(-2.5)": -1,
    "sign(0)": 0,
    "sign(3 + 4j)": 0.6 + 0.8j,
    "sign(0j)": 0j,
    "floor(-2.5)": -3,
    "floor(1e300)": 1e300,
    "ceil(-2.5)": -2,
    "round(2.5)": 2,
    "round(-1e17)": -1e17,
    "mod(-1, 3)": 2,
    "minimum(1, 2.5)": 1,
    "maximum(1, 2.5)": 2.5,
    "clip(7, 0, 1)": 1,
    "where(1 > 2, 3, 4.5)": 4.5,
    "where(2 > 1, 3, 4.5)": 3.0,
    "dot(2, 3)": 6,
    "sum(3)": 3,
    "prod(3)": 3,
    "mean(3)": 3,
    "min(3)": 3,
    "max(3)": 3,
    "norm(-3)": 3,
    "real(3 + 4j)": 3.0,
    "imag(3 + 4j)": 4.0,
    "imag(3)": 0,
    "conj(3 + 4j)": 3 - 4j,
    "arg(1j)": math.pi / 2,
    "arg(-1)": math.pi,
    "isfinite(1)": 1,
    "exp(1j*pi)": cmath.exp(1j * math.pi),
    "expm1(1j)": cmath.exp(1j) - 1,
    "log(-1 + 0j)": 1j * math.pi,
    "log1p(1j)": cmath.log(1 + 1j),
    "log2(2j)": cmath.log(2j) / math.log(2),
    "sqrt(-1 + 0j)": 1j,
}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_are_folded(text):
    value = constant(text)
    assert type(value) is type(NUMBERS[text])
    assert value == pytest.approx(NUMBERS[text], rel=ROUNDING, abs=ROUNDING)


def test_every_function_of_numbers_is_tested():
    called = {name for text in NUMBERS for name in re.findall(r"(\w+)\(", text)}
    assert called >= {name for name, f in FUNCTIONS.items() if f.number}


@pytest.mark.parametrize("text", [t for t in NUMBERS if "j" not in t and "where" not in t])
def test_arrays_agree_with_folded_numbers(text, xp):
    """The same formula with each literal an array of one element."""
    literals = re.findall(r"(?<![\w.])\d[\d.]*(?:e-?\d+)?", text)
    names = {f"q{i}": np.float64(v) for i, v in enumerate(literals)}
    varied = text
    for name, literal in zip(names, literals, strict=True):
        varied = re.sub(rf"(?<![\w.]){re.escape(literal)}(?![\w.])", name, varied, count=1)
    result = compile(varied, names)(names, xp)
    assert complex(result) == pytest.approx(NUMBERS[text], rel=ROUNDING, abs=ROUNDING)


REFUSED = [
    ("|sin(x, u)", "sin takes 1 argument, here are 2"),
    ("|sin()", "sin takes 1 argument, here are 0"),
    ("|arctan2(x)", "arctan2 takes 2 arguments, here are 1"),
    ("|arange()", "arange takes 1 to 3 arguments, here are 0: arange(stop)"),
    ("|max(x, u)", "the larger of two is maximum(a, b)"),
    ("|min(x, u)", "the smaller of two is minimum(a, b)"),
    ("|clip(x, 1)", "clip(x, low, high)"),
    ("|where(x, 1)", "where(condition, a, b)"),
    ("sin(x, |axis=0)", "sin takes nothing by name"),
    ("sum(x, |dtype=0)", "sum takes only axis= by name"),
    ("sum(x, axis=|0.5)", "0.5 is not a whole number known beforehand"),
    ("|sum(x, axis=1)", "axis = 1: no such axis; they are 0 to 0"),
    ("|sum(u, axis=0)", "axis = 0: no such axis; a single number has none"),
    ("|sum(3, axis=0)", "axis = 0: no such axis; a single number has none"),
    ("sum(x, axis=|u)", "this is not a whole number known beforehand"),
    ("|floor(z)", "floor has no meaning for complex numbers"),
    ("|floor(1j)", "floor has no meaning for complex numbers"),
    ("|maximum(z, 1)", "maximum has no meaning for complex numbers"),
    ("|max(z)", "max has no meaning for complex numbers"),
    ("|clip(z, 0, 1)", "maximum has no meaning for complex numbers"),
    ("|mean(x[3:])", "mean of no entries has no value"),
    ("|max(zeros(0))", "max of no entries has no value"),
    ("|min(zeros((0, 3)), axis=0)", "min of no entries has no value"),
    ("|diff(u)", "diff needs an array"),
    ("|diff(3)", "diff needs an array"),
    ("concatenate(|x)", "concatenate takes a list: concatenate([a, b])"),
    ("stack(|x)", "stack takes a list: stack([a, b])"),
    ("stack([|])", "a value is missing before ]"),
    ("|concatenate([x, u])", "a single number is written [a]"),
    ("|concatenate([A, x])", "these sizes do not fit: 2x3 and 3"),
    ("|stack([x, u])", "these sizes do not fit: 3 and a single number"),
    ("|[x, u]", "these sizes do not fit: 3 and a single number"),
    ("|stack([x, x], axis=2)", "axis = 2"),
    ("|zeros(1.5)", "1.5 is not a whole number known beforehand"),
    ("|zeros(u)", "this is not a whole number known beforehand"),
    ("|zeros(-1)", "-1 is too small: an integer >= 0 is needed"),
    ("|ones((size, -size))", "-3 is too small"),
    ("|zeros(10**7 + 1)", "an array of 10000001 elements is too large (at most 1e+07)"),
    ("|zeros((10**4, 10**4))", "an array of 100000000 elements is too large"),
    ("|zeros((0, 10**9))", "an array of 1000000000 elements is too large"),
    ("|ones(2**60)", "1.15292e+18 is not a whole number"),
    ("|eye(10**4)", "an array of 100000000 elements is too large"),
    ("|arange(10**8)", "an array of 100000000 elements is too large"),
    ("|arange(-2**53, 2**53)", "is too large"),
    ("|arange(0, 1, 0)", "the step of arange cannot be 0"),
    ("|arange(0, 1, 0.1)", "0.1 is not a whole number"),
    ("|linspace(0, 1, 10**8)", "is too large"),
    ("|linspace(0, 1, 0)", "0 is too small: an integer >= 1 is needed"),
    ("|linspace(0, x, 3)", "linspace goes from one number to another"),
    ("zeros(|(1,2,3,4,5,6,7,8,9))", "one to eight dimensions"),
    ("|roll(x, u)", "this is not a whole number known beforehand"),
    ("|sqrt(-1)", "sqrt(-1) has no finite value among the real numbers"),
    ("|log(0)", "log(0) has no finite value"),
    ("|log(0j)", "log(0+0j) has no finite value"),
    ("|arctanh(1)", "arctanh(1) has no finite value"),
    ("|exp(1000)", "exp(1000) is too large a number"),
    ("|mod(1, 0)", "mod(1, 0) has no finite value"),
    ("|cbrt(1j)", "cbrt has no meaning for complex numbers"),
    ("|dot(A, A)", "these sizes do not fit: 2x3 @ 2x3"),
    ("|foo(x)", 'no function called "foo"'),
    ("|sn(x)", 'no function called "sn"; did you mean "sin"?'),
    ("|Sin(x)", 'no function called "Sin"; did you mean "sin"?'),
    ("|ln(x)", "the natural logarithm is written log(x)"),
    ("|pow(x, 2)", "powers are written x**y"),
    ("|x(1 - x)", "x is a quantity, not a function; a product is written x*(...)"),
    ("|pi(x)", "pi is a quantity, not a function"),
    ("1 + |sin", "sin is a function: write sin(...)"),
]


@pytest.mark.parametrize(("marked", "reason"), REFUSED)
def test_wrong_call_has_reason_and_caret(marked, reason, xp):
    with pytest.raises(ExpressionError, match=re.escape(reason)) as caught:
        compile(marked.replace("|", ""), VALUES)(VALUES, xp)
    assert caught.value.offset == marked.index("|")


def test_wrong_sizes_of_literals_are_found_by_compile():
    for text in ("zeros(1.5)", "arange(10**8)", "eye(10**4)", "linspace(0, 1, 0)"):
        with pytest.raises(ExpressionError):
            compile(text, ())


def test_tables():
    assert {"pi": math.pi, "e": math.e} == CONSTANTS
    assert {"sin", "pi", "lambda", "and", "where"} <= RESERVED
    assert "x" not in RESERVED
