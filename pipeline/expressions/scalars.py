"""Arithmetic of numbers known beforehand: exact where it is cheap, bounded always."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

from pipeline.expressions import limits
from pipeline.expressions.fault import ArithmeticFault, Fault

Scalar = int | float | complex

_TYPES = frozenset({bool, int, float, complex})


def is_scalar(value: Any) -> bool:
    """Whether a value is a plain Python number (numpy's and JAX's are arrays here)."""
    return type(value) in _TYPES


def static(value: Any) -> Any:
    """Integers of any library as bounded Python ones; anything else as it is."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return bounded(int(value))
    return value


def bounded(value: Scalar, *operands: Scalar) -> Scalar:
    """The value as an int up to 2**53 or a float; refuse infinity made from finite operands."""
    if type(value) is int and abs(value) > limits.EXACT:
        try:
            value = float(value)
        except OverflowError:
            raise ArithmeticFault("this number is too large (the largest is 1.8e308)") from None
    if not cmath.isfinite(value) and all(map(cmath.isfinite, operands)):
        raise ArithmeticFault("this number is too large (the largest is 1.8e308)")
    return value


def integer_power(x: Any, exponent: int, multiply: Callable[[Any, Any], Any]) -> Any:
    """x**exponent for exponent >= 1 by repeated squaring."""
    result = None
    while True:
        if exponent & 1:
            result = x if result is None else multiply(result, x)
        exponent >>= 1
        if not exponent:
            return result
        x = multiply(x, x)


def power(x: Any, y: Any) -> Scalar:
    """x**y without ever making an integer of more than 53 bits."""
    if isinstance(y, int) and abs(y) <= limits.EXPONENT:
        return _multiplied(x, y)
    if isinstance(x, complex) or isinstance(y, complex):
        return complex(x) ** complex(y)
    base, exponent = float(x), float(y)
    if base < 0 and not exponent.is_integer():
        raise ArithmeticFault(
            "a negative number has no real power of this kind; a complex one is written "
            f"({x:g}+0j)**..."
        )
    return base**exponent


def _multiplied(x: Any, y: int) -> Scalar:
    if y == 0:
        return type(+x)(1)
    try:
        product = integer_power(x, abs(y), lambda a, b: bounded(a * b, a, b))
    except ArithmeticFault:
        if y > 0:
            raise
        # What is too large below the line makes a quotient too small to tell from 0.
        return type(+x)(0)
    return product if y > 0 else 1 / product


_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": power,
}

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def binary(symbol: str, x: Scalar, y: Scalar) -> Scalar:
    """x symbol y for two numbers."""
    if symbol == "@":
        raise Fault("@ multiplies vectors and matrices; numbers are multiplied by *")
    try:
        return bounded(_BINARY[symbol](x, y), x, y)
    except ZeroDivisionError:
        raise ArithmeticFault("division by zero") from None
    except OverflowError:
        raise ArithmeticFault("this number is too large (the largest is 1.8e308)") from None
    except TypeError:
        raise Fault(f"{symbol} has no meaning for complex numbers") from None


def compare(symbol: str, x: Scalar, y: Scalar) -> bool:
    """x symbol y for two numbers."""
    try:
        return _COMPARE[symbol](x, y)
    except TypeError:
        raise Fault("complex numbers have no order; compare abs(z) or real(z)") from None


def promote(value: Any, other: Any) -> Scalar:
    """The value in the wider type of the two."""
    wide = max(type(value), type(other), key=(bool, int, float, complex).index)
    return value if type(value) is wide else wide(value)


def whole(function: Callable[[float], int]) -> Callable[[Any], Any]:
    """A rounding function that leaves alone what is too large to have a fraction."""

    def rounded(x: float) -> int | float:
        return x if isinstance(x, float) and abs(x) > limits.EXACT else function(x)

    return rounded


def sign(x: Scalar) -> Scalar:
    """-1, 0 or 1; z/|z| of a complex number."""
    if isinstance(x, complex):
        return x / abs(x) if x else x
    return (x > 0) - (x < 0)


def either(real: Callable[..., Any], general: Callable[..., Any]) -> Callable[..., Any]:
    """The function of `math` for real arguments, that of `cmath` for complex ones."""

    def chosen(x: Scalar) -> Scalar:
        return general(x) if isinstance(x, complex) else real(x)

    return chosen


def call(name: str, function: Callable[..., Any], arguments: list[Scalar]) -> Scalar:
    """function(*arguments) for numbers, with its failures as faults."""
    shown = ", ".join(f"{x:g}" for x in arguments)
    try:
        return bounded(function(*arguments), *arguments)
    except OverflowError:
        raise ArithmeticFault(f"{name}({shown}) is too large a number") from None
    except (ValueError, ZeroDivisionError):
        hint = "" if any(isinstance(x, complex) for x in arguments) else _COMPLEX_HINT
        raise ArithmeticFault(f"{name}({shown}) has no finite value{hint}") from None
    except TypeError:
        raise Fault(f"{name} has no meaning for complex numbers") from None


_COMPLEX_HINT = " among the real numbers; a complex argument is written with +0j"

NUMBERS: Mapping[str, Callable[..., Any]] = {
    "sin": either(math.sin, cmath.sin),
    "cos": either(math.cos, cmath.cos),
    "tan": either(math.tan, cmath.tan),
    "arcsin": either(math.asin, cmath.asin),
    "arccos": either(math.acos, cmath.acos),
    "arctan": either(math.atan, cmath.atan),
    "arctan2": math.atan2,
    "sinh": either(math.sinh, cmath.sinh),
    "cosh": either(math.cosh, cmath.cosh),
    "tanh": either(math.tanh, cmath.tanh),
    "arcsinh": either(math.asinh, cmath.asinh),
    "arccosh": either(math.acosh, cmath.acosh),
    "arctanh": either(math.atanh, cmath.atanh),
    "exp": either(math.exp, cmath.exp),
    "expm1": either(math.expm1, lambda z: cmath.exp(z) - 1),
    "log": either(math.log, cmath.log),
    "log1p": either(math.log1p, lambda z: cmath.log(1 + z)),
    "log2": either(math.log2, lambda z: cmath.log(z) / math.log(2)),
    "log10": either(math.log10, cmath.log10),
    "sqrt": either(math.sqrt, cmath.sqrt),
    "cbrt": math.cbrt,
    "abs": abs,
    "sign": sign,
    "floor": whole(math.floor),
    "ceil": whole(math.ceil),
    "round": whole(round),
    "mod": operator.mod,
    "minimum": lambda x, y: y if y < x or y != y else x,
    "maximum": lambda x, y: y if y > x or y != y else x,
    "clip": lambda x, low, high: min(max(x, low), high),
    "dot": operator.mul,
    "real": lambda x: x.real,
    "imag": lambda x: x.imag,
    "conj": lambda x: x.conjugate(),
    "arg": cmath.phase,
    "isfinite": cmath.isfinite,
    "sum": lambda x: x,
    "prod": lambda x: x,
    "mean": lambda x: x,
    "min": lambda x: x,
    "max": lambda x: x,
    "norm": abs,
}
"""The functions that take numbers to a number."""
