"""Sizes of results, known and bounded before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.expressions import limits
from pipeline.expressions.fault import Fault

Shape = tuple[int, ...]


def shape(value: Any) -> Shape:
    """The shape of an array; () of a number."""
    return tuple(getattr(value, "shape", ()))


def volume(extent: Iterable[int]) -> int:
    """How many elements a shape has; a dimension of 0 counts 1, as a sum over it leaves 1."""
    return math.prod(max(1, length) for length in extent)


def size(value: Any) -> int:
    """The volume of a value."""
    return volume(shape(value))


def empty(value: Any) -> bool:
    """Whether an array has no elements at all."""
    return 0 in shape(value)


def limited(elements: int, limit: int = limits.ELEMENTS) -> None:
    """Refuse an array that is too large."""
    if elements > limit:
        raise Fault(f"an array of {elements} elements is too large (at most {limit:.0e})")


def shown(given: Shape) -> str:
    """A shape in words."""
    return "x".join(map(str, given)) if given else "a single number"


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The common shape of elementwise operands, bounded."""
    result: list[int] = []
    shapes = list(shapes)
    for given in shapes:
        result = [1] * (len(given) - len(result)) + result
        for i in range(1, len(given) + 1):
            if result[-i] == 1:
                result[-i] = given[-i]
            elif given[-i] not in (1, result[-i]):
                sides = " and ".join(shown(s) for s in shapes)
                raise Fault(f"these sizes do not fit: {sides}")
    limited(volume(result))
    return tuple(result)


def product(left: Shape, right: Shape) -> Shape:
    """The shape of left @ right, bounded."""
    if not left or not right:
        raise Fault("@ multiplies vectors and matrices; numbers are multiplied by *")
    inner = right[0] if len(right) == 1 else right[-2]
    if left[-1] != inner:
        raise Fault(f"these sizes do not fit: {shown(left)} @ {shown(right)}")
    outer = broadcast([left[:-2], right[:-2]])
    result = outer + left[-2:-1] + (right[-1:] if len(right) > 1 else ())
    limited(volume(result))
    return result


def axis_of(axis: Any, dimensions: int) -> int | None:
    """A valid axis, or None."""
    if axis is None:
        return None
    if type(axis) is not int or not -dimensions <= axis < dimensions:
        there = f"they are 0 to {dimensions - 1}" if dimensions else "a single number has none"
        raise Fault(f"axis = {axis}: no such axis; {there}")
    return axis


def joined(shapes: Sequence[Shape], axis: int) -> None:
    """Refuse arrays that cannot be put one after the other along an axis."""
    for given in shapes:
        same = len(given) == len(shapes[0]) and all(
            a == b for i, (a, b) in enumerate(zip(given, shapes[0], strict=True)) if i != axis
        )
        if not same:
            sides = " and ".join(shown(s) for s in (shapes[0], given))
            raise Fault(f"these sizes do not fit: {sides}")
    limited(sum(map(volume, shapes)))
