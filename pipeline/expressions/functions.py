"""The table of functions that a formula may call, with the constants."""

from __future__ import annotations

import keyword
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.expressions import limits, shapes
from pipeline.expressions.fault import Fault
from pipeline.expressions.operators import Library, binary
from pipeline.expressions.scalars import NUMBERS, is_scalar

Compute = Callable[[Library, Sequence[Any], Any], Any]


@dataclass(frozen=True, slots=True)
class Function:
    """One entry of the table.

    Attributes:
        least, most: how many arguments it takes.
        compute: (library, arguments, axis) -> array, when an argument is an array.
        number: the same for plain numbers alone; None where the result is an array.
        axis: whether axis= has a meaning.
        shape: whether a tuple may be its argument: the shape of what it makes.
        check: refuses numbers among the arguments that make no array, before anything runs.
        usage: what to write when the number of arguments is wrong.
    """

    least: int
    most: int
    compute: Compute
    number: Callable[..., Any] | None = None
    axis: bool = False
    shape: bool = False
    check: Callable[[Sequence[Any]], Any] | None = None
    usage: str = ""


def _elementwise(name: str, *, real: bool = False) -> Compute:
    def compute(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
        operands = [library.operand(a) for a in arguments]
        if real and any(library.is_complex(a) for a in operands):
            raise Fault(f"{name} has no meaning for complex numbers")
        shapes.broadcast(map(shapes.shape, operands))
        return getattr(library.xp, name)(*operands)

    return compute


def _reduction(name: str, *, empty: bool = True, real: bool = False) -> Compute:
    def compute(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
        x = library.operand(arguments[0])
        axis = shapes.axis_of(axis, x.ndim)
        if real and library.is_complex(x):
            raise Fault(f"{name} has no meaning for complex numbers")
        if not empty and shapes.empty(x):
            raise Fault(f"{name} of no entries has no value")
        return getattr(library.xp, name)(x, axis=axis)

    return compute


def _norm(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    x = library.operand(arguments[0])
    return library.xp.linalg.norm(x, axis=shapes.axis_of(axis, x.ndim))


def _clip(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    x, low, high = arguments
    above = _elementwise("maximum", real=True)(library, [x, low], None)
    return _elementwise("minimum", real=True)(library, [above, high], None)


def _where(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    condition, x, y = arguments
    shapes.broadcast(map(shapes.shape, arguments))
    if shapes.shape(condition) == () and is_scalar(condition):
        condition = bool(condition)
    return library.xp.where(condition, library.operand(x), library.operand(y))


def _dot(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    x, y = arguments
    single = not shapes.shape(x) or not shapes.shape(y)
    return binary(library, "*" if single else "@", x, y)


def _roll(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    x = library.array(arguments[0])
    return library.xp.roll(x, integer(arguments[1]), axis=shapes.axis_of(axis, x.ndim))


def _diff(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    x = library.operand(library.array(arguments[0]))
    if not x.ndim:
        raise Fault("diff needs an array; this is a single number")
    return library.xp.diff(x, axis=-1 if axis is None else shapes.axis_of(axis, x.ndim))


def _cumsum(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    x = library.operand(library.array(arguments[0]))
    return library.xp.cumsum(x, axis=shapes.axis_of(axis, x.ndim))


def _arrays(library: Library, arguments: Sequence[Any]) -> list[Any]:
    """The entries of a list as arrays of one type; plain numbers take that of the others."""
    operands = [library.operand(a) for a in arguments]
    if all(map(is_scalar, operands)):
        kind = library.xp.result_type(*map(library.array, operands))
    else:
        kind = library.xp.result_type(*operands)
    return [library.xp.asarray(a, dtype=kind) for a in operands]


def _concatenate(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    extents = [shapes.shape(a) for a in arguments]
    for extent in extents:
        if not extent:
            raise Fault("concatenate joins arrays; a single number is written [a]")
    along = shapes.axis_of(0 if axis is None else axis, len(extents[0])) or 0
    shapes.joined(extents, along % len(extents[0]))
    return library.xp.concatenate(_arrays(library, arguments), axis=along)


def stack(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    """The arguments along a new axis."""
    extents = [shapes.shape(a) for a in arguments]
    shapes.joined(extents, -1)
    along = shapes.axis_of(0 if axis is None else axis, len(extents[0]) + 1)
    return library.xp.stack(_arrays(library, arguments), axis=along)


def integer(value: Any, least: int | None = None) -> int:
    """A whole number known before anything runs."""
    if type(value) not in (int, bool):
        what = f"{value:g}" if is_scalar(value) else "this"
        raise Fault(f"{what} is not a whole number known beforehand, like 3, -1 or size")
    if least is not None and value < least:
        raise Fault(f"{value} is too small: an integer >= {least} is needed")
    return int(value)


def _extent(arguments: Sequence[Any]) -> tuple[int, ...]:
    """The shape that zeros, ones or eye is to make."""
    extent = tuple(integer(a, 0) for a in arguments)
    shapes.limited(shapes.volume(extent), limits.BUILT)
    return extent


def _square(arguments: Sequence[Any]) -> tuple[int, ...]:
    return _extent([arguments[0], arguments[-1]])


def _range(arguments: Sequence[Any]) -> range:
    given = [integer(a) for a in arguments]
    if len(given) == 3 and not given[2]:
        raise Fault("the step of arange cannot be 0")
    numbers = range(*given)
    # Not len(), which fails beyond 2**63.
    first, last, step = numbers.start, numbers.stop, numbers.step
    shapes.limited(max(0, -((first - last) // step)), limits.BUILT)
    return numbers


def _points(arguments: Sequence[Any]) -> int:
    num = integer(arguments[2], 1)
    shapes.limited(num, limits.BUILT)
    return num


def _filled(name: str) -> Compute:
    def compute(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
        return getattr(library.xp, name)(_extent(arguments), dtype=library.real)

    return compute


def _eye(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    return library.xp.eye(*_square(arguments), dtype=library.real)


def _arange(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    numbers = _range(arguments)
    return library.xp.arange(numbers.start, numbers.stop, numbers.step, dtype=library.real)


def _linspace(library: Library, arguments: Sequence[Any], axis: Any) -> Any:
    num = _points(arguments)
    if shapes.shape(arguments[0]) or shapes.shape(arguments[1]):
        raise Fault("linspace goes from one number to another, not between arrays")
    start, stop = _arrays(library, [library.array(a) for a in arguments[:2]])
    return library.xp.linspace(start, stop, num)


def _one(name: str, *, real: bool = False) -> Function:
    return Function(1, 1, _elementwise(name, real=real), NUMBERS[name])


def _renamed(name: str, other: str) -> Function:
    return Function(1, 1, _elementwise(other), NUMBERS[name])


def _two(name: str) -> Function:
    return Function(2, 2, _elementwise(name, real=True), NUMBERS[name])


def _over(name: str, *, empty: bool = True, real: bool = False, usage: str = "") -> Function:
    compute = _reduction(name, empty=empty, real=real)
    return Function(1, 1, compute, NUMBERS[name], axis=True, usage=usage)


FUNCTIONS: Mapping[str, Function] = {
    **{
        name: _one(name)
        for name in (
            "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh "
            "exp expm1 log log1p log2 log10 sqrt abs sign real imag conj isfinite"
        ).split()
    },
    **{name: _one(name, real=True) for name in ("cbrt", "floor", "ceil")},
    **{name: _two(name) for name in ("arctan2", "mod", "minimum", "maximum")},
    "round": Function(1, 1, _elementwise("rint", real=True), NUMBERS["round"]),
    "arg": _renamed("arg", "angle"),
    "clip": Function(3, 3, _clip, NUMBERS["clip"], usage="clip(x, low, high)"),
    "where": Function(3, 3, _where, usage="where(condition, a, b)"),
    "sum": _over("sum"),
    "prod": _over("prod"),
    "mean": _over("mean", empty=False),
    "min": _over("min", empty=False, real=True, usage="the smaller of two is minimum(a, b)"),
    "max": _over("max", empty=False, real=True, usage="the larger of two is maximum(a, b)"),
    "norm": Function(1, 1, _norm, NUMBERS["norm"], axis=True),
    "dot": Function(2, 2, _dot, NUMBERS["dot"]),
    "cumsum": Function(1, 1, _cumsum, axis=True),
    "diff": Function(1, 1, _diff, axis=True),
    "roll": Function(2, 2, _roll, axis=True, usage="roll(x, shift)"),
    "concatenate": Function(1, 1, _concatenate, axis=True, usage="concatenate([a, b])"),
    "stack": Function(1, 1, stack, axis=True, usage="stack([a, b])"),
    "arange": Function(
        1, 3, _arange, check=_range, usage="arange(stop) or arange(start, stop, step)"
    ),
    "linspace": Function(3, 3, _linspace, check=_points, usage="linspace(start, stop, num)"),
    "ones": Function(
        1, 1, _filled("ones"), shape=True, check=_extent, usage="ones(n) or ones((n, m))"
    ),
    "zeros": Function(
        1, 1, _filled("zeros"), shape=True, check=_extent, usage="zeros(n) or zeros((n, m))"
    ),
    "eye": Function(1, 2, _eye, check=_square, usage="eye(n) or eye(n, m)"),
}

TRANSCENDENTAL = frozenset(
    "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh "
    "exp expm1 log log1p log2 log10 cbrt arctan2 arg".split()
)
"""What costs tens of additions."""

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}

RESERVED: frozenset[str] = frozenset({*FUNCTIONS, *CONSTANTS, *keyword.kwlist})
"""What no quantity may be called."""
