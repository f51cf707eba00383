"""What the operators do, to numbers known beforehand and to arrays alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.expressions import limits, scalars, shapes
from pipeline.expressions.fault import Fault
from pipeline.expressions.scalars import is_scalar

_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class Library:
    """Where arrays are computed.

    Attributes:
        xp: numpy or jax.numpy.
        real: the floating type of the formula's quantities, for arrays made from nothing.
    """

    xp: Any
    real: Any

    def operand(self, value: Any) -> Any:
        """A value to calculate with: conditions count 0 or 1, large integers are floats."""
        if is_scalar(value):
            # JAX without double precision holds Python's integers in 32 bits.
            return float(value) if type(value) is int and abs(value) >= _INT32 else value
        return value.astype(self.real) if value.dtype.kind == "b" else value

    def inexact(self, value: Any) -> Any:
        """An array of integers as floats."""
        return (
            value.astype(self.real) if not is_scalar(value) and value.dtype.kind in "iu" else value
        )

    def is_complex(self, value: Any) -> bool:
        """Whether a value has an imaginary part, be it 0."""
        return self.xp.iscomplexobj(value)

    def array(self, value: Any) -> Any:
        """A value as an array; numbers in the precision of the formula's quantities."""
        if not is_scalar(value):
            return value
        if isinstance(value, complex):
            return self.xp.asarray(value, dtype=self.xp.result_type(self.real, 1j))
        return self.xp.asarray(value, dtype=self.real)


_BINARY = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "true_divide",
    "//": "floor_divide",
    "%": "mod",
}
_COMPARE = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}


def binary(library: Library, symbol: str, x: Any, y: Any) -> Any:
    """x symbol y."""
    if is_scalar(x) and is_scalar(y):
        return scalars.binary(symbol, x, y)
    x, y = library.operand(x), library.operand(y)
    if symbol == "@":
        shapes.product(shapes.shape(x), shapes.shape(y))
        return library.xp.matmul(x, y)
    shapes.broadcast([shapes.shape(x), shapes.shape(y)])
    if symbol == "**":
        return _power(library, x, y)
    if symbol in ("//", "%") and (library.is_complex(x) or library.is_complex(y)):
        raise Fault(f"{symbol} has no meaning for complex numbers")
    return getattr(library.xp, _BINARY[symbol])(x, y)


def check_exponent(y: Any) -> None:
    """Refuse a literal exponent that is too large to be multiplied out."""
    if type(y) is int and abs(y) > limits.EXPONENT:
        raise Fault(
            f"an integer exponent is at most {limits.EXPONENT}; "
            f"write {float(y)!r} for a power by exp and log"
        )


def _power(library: Library, x: Any, y: Any) -> Any:
    xp = library.xp
    if isinstance(y, int) and abs(y) <= limits.EXPONENT:
        if y == 0:
            return xp.ones_like(x)
        product = scalars.integer_power(x, abs(int(y)), xp.multiply)
        return product if y > 0 else xp.true_divide(1, product)
    if is_scalar(y) and y == 0.5:
        return xp.sqrt(x)
    # An integer base or exponent would make an integer power: wrong below zero, and it overflows.
    return xp.power(*(float(v) if type(v) is int else library.inexact(v) for v in (x, y)))


def unary(library: Library, symbol: str, x: Any) -> Any:
    """+x, -x, or `not x`."""
    if symbol == "not":
        return not x if is_scalar(x) else library.xp.logical_not(x)
    if is_scalar(x):
        return -x if symbol == "-" else +x
    x = library.operand(x)
    return library.xp.negative(x) if symbol == "-" else x


def compare(library: Library, symbol: str, x: Any, y: Any) -> Any:
    """Whether x symbol y."""
    if is_scalar(x) and is_scalar(y):
        return scalars.compare(symbol, x, y)
    x, y = library.operand(x), library.operand(y)
    if symbol not in ("==", "!=") and (library.is_complex(x) or library.is_complex(y)):
        raise Fault("complex numbers have no order; compare abs(z) or real(z)")
    shapes.broadcast([shapes.shape(x), shapes.shape(y)])
    return getattr(library.xp, _COMPARE[symbol])(x, y)


def logic(library: Library, symbol: str, x: Any, y: Any) -> Any:
    """x and y, x or y: conditions, whatever the operands are."""
    if is_scalar(x) and is_scalar(y):
        return bool(x) and bool(y) if symbol == "and" else bool(x) or bool(y)
    shapes.broadcast([shapes.shape(x), shapes.shape(y)])
    name = "logical_and" if symbol == "and" else "logical_or"
    return getattr(library.xp, name)(x, y)


def index(x: Any, items: tuple[Any, ...]) -> Any:
    """x[items] for integers and slices; JAX would move an index beyond the end to the end."""
    extent = shapes.shape(x)
    if not extent:
        raise Fault("this is a single number and has no entries")
    if len(items) > len(extent):
        raise Fault(f"{len(items)} indices for an array of {len(extent)} dimensions")
    for item, length in zip(items, extent, strict=False):
        if not isinstance(item, slice) and not -length <= item < length:
            entries = f"{length} entries, 0 to {length - 1}" if length else "no entries"
            raise Fault(f"index {item} is beyond the end: there are {entries}")
    return x[items]
