"""Walk a tree with values for its names; every failure gets its place in the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import ExpressionError
from pipeline.expressions import operators, scalars, shapes, tree
from pipeline.expressions.fault import ArithmeticFault, Fault
from pipeline.expressions.functions import FUNCTIONS, Function, integer, stack
from pipeline.expressions.operators import Library
from pipeline.expressions.scalars import is_scalar


class ArithmeticExpressionError(ExpressionError):
    """A number that does not exist, in a branch that may not be taken."""


class _Unknown:
    """A value that only a call will know, while the constant parts are checked."""

    shape = ()


UNKNOWN = _Unknown()


class Walk:
    """One evaluation: its text, its values and its array library.

    Without a library only what numbers alone decide is computed, and the rest is UNKNOWN.
    """

    def __init__(self, text: str, values: Mapping[str, Any], library: Library | None) -> None:
        self.text, self.values, self.library = text, values, library

    def value(self, node: tree.Node, held: int = 0) -> Any:
        """The value of a node, while `held` elements of other results are kept."""
        match node:
            case tree.Number():
                return node.value
            case tree.Name():
                return self.values[node.name] if self.library else UNKNOWN
            case tree.Series():
                return self._series(node, held)
            case tree.Unary():
                x = self.value(node.operand, held)
                return self._do(node, held, operators.unary, node.symbol, x)
            case tree.Comparison():
                return self._comparison(node, held)
            case tree.Logic():
                return self._logic(node, held)
            case tree.Index():
                return self._index(node, held)
            case tree.Call():
                return self._call(node, held)
            case tree.Array():
                items = self._values(node.items, held)
                return self._array(node, held, stack, items, None)

    def _values(self, nodes: tuple[tree.Node, ...], held: int) -> list[Any]:
        values = []
        for node in nodes:
            values.append(self.value(node, held))
            held += _kept(node, values[-1])
        return values

    def _series(self, node: tree.Series, held: int) -> Any:
        x, before = self.value(node.first, held), node.first
        for link in node.links:
            y = self.value(link.operand, held + _kept(before, x))
            if link.symbol == "**" and not is_scalar(x) and _literal(link.operand):
                self._do(link.operand, held, lambda _, n: operators.check_exponent(n), y)
            x, before = self._do(link, held, operators.binary, link.symbol, x, y), node
        return x

    def _comparison(self, node: tree.Comparison, held: int) -> Any:
        x, result = self.value(node.first, held), None
        for link in node.links:
            y = self.value(link.operand, held + shapes.size(x))
            holds = self._do(link, held, operators.compare, link.symbol, x, y)
            if result is not None:
                holds = self._do(link, held, operators.logic, "and", result, holds)
            x, result = y, holds
        return result

    def _logic(self, node: tree.Logic, held: int) -> Any:
        result = self.value(node.operands[0], held)
        for operand in node.operands[1:]:
            y = self.value(operand, held + shapes.size(result))
            result = self._do(node, held, operators.logic, node.symbol, result, y)
        return result

    def _index(self, node: tree.Index, held: int) -> Any:
        x = self.value(node.operand, held)
        items = tuple(self._item(item, held) for item in node.items)
        if x is UNKNOWN or UNKNOWN in items:
            return UNKNOWN
        return self._do(node, held, lambda _, *given: operators.index(*given), x, items)

    def _item(self, item: tree.Node | tree.Slice, held: int) -> Any:
        if not isinstance(item, tree.Slice):
            return self._do(item, held, lambda _, n: integer(n), self.value(item, held))
        start, stop, step = (
            self._item(end, held) if end else None for end in (item.start, item.stop, item.step)
        )
        if step == 0 and item.step:
            raise ExpressionError(self.text, "the step of a slice cannot be 0", item.step.offset)
        return UNKNOWN if UNKNOWN in (start, stop, step) else slice(start, stop, step)

    def _call(self, node: tree.Call, held: int) -> Any:
        function = FUNCTIONS[node.function]
        axis = None
        if node.axis:
            axis = self._do(node.axis, held, lambda _, n: integer(n), self.value(node.axis, held))
        if node.function == "where":
            return self._where(node, function, held)
        arguments = self._values(node.arguments, held)
        if function.number and all(map(is_scalar, arguments)):
            return self._do(
                node, held, lambda _, *given: _number(node, function, axis, given), *arguments
            )
        if self.library is None and function.check and all(map(is_scalar, arguments)):
            check = function.check
            self._do(node, held, lambda _, *given: bool(check(given)), *arguments)
        return self._array(node, held, function.compute, arguments, axis)

    def _where(self, node: tree.Call, function: Function, held: int) -> Any:
        condition = self.value(node.arguments[0], held)
        if not is_scalar(condition):
            held += shapes.size(condition)
            branches = self._values(node.arguments[1:], held)
            return self._array(node, held, function.compute, [condition, *branches], None)
        taken, other = node.arguments[1:] if condition else node.arguments[:0:-1]
        x = self.value(taken, held)
        try:
            y = self.value(other, held + shapes.size(x))
        except ArithmeticExpressionError:
            # where(size > 1, 1/(size - 1), 0): a number that nobody asks for need not exist.
            return x
        if is_scalar(x) and is_scalar(y):
            return scalars.promote(x, y)
        return self._array(node, held, function.compute, [True, x, y], None)

    def _array(self, node: tree.Node, held: int, compute: Any, given: list[Any], axis: Any) -> Any:
        if self.library is None:
            return UNKNOWN
        return self._do(node, held, compute, given, axis)

    def _do(self, node: tree.Node | tree.Link, held: int, operation: Any, *given: Any) -> Any:
        """One operation: unknown where an operand is, with its failure placed in the text."""
        if any(g is UNKNOWN for g in given):
            return UNKNOWN
        try:
            result = operation(self.library, *given)
            shapes.limited(shapes.size(result) + held)
        except ArithmeticFault as fault:
            raise ArithmeticExpressionError(self.text, str(fault), node.offset) from None
        except Fault as fault:
            raise ExpressionError(self.text, str(fault), node.offset) from None
        except Exception as error:
            # The array library refuses a value: the formula does not fit its quantities.
            reason = str(error).strip().split("\n", 1)[0][:160] or type(error).__name__
            raise ExpressionError(self.text, reason, node.offset) from error
        return result


def _literal(node: tree.Node) -> bool:
    """Whether a node is a number as written, with or without a sign."""
    return isinstance(node.operand if isinstance(node, tree.Unary) else node, tree.Number)


def _kept(node: tree.Node, value: Any) -> int:
    """Elements that a value holds beyond those of the quantities themselves."""
    return 0 if isinstance(node, tree.Name) else shapes.size(value)


def _number(node: tree.Call, function: Function, axis: Any, given: tuple[Any, ...]) -> Any:
    if axis is not None:
        shapes.axis_of(axis, 0)
    assert function.number is not None
    return scalars.call(node.function, function.number, list(given))
