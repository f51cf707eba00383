"""A formula's text to its checked tree: Python's own parser, then a white list of nodes."""

from __future__ import annotations

import ast
import cmath
import warnings
from collections.abc import Collection
from typing import NoReturn

from pipeline.errors import ExpressionError
from pipeline.expressions import hints, limits, source, tree
from pipeline.expressions.functions import CONSTANTS, FUNCTIONS
from pipeline.expressions.scalars import bounded

_BINARY = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
}
_UNARY = {ast.UAdd: "+", ast.USub: "-", ast.Not: "not"}
_COMPARE = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_LISTS = frozenset({"stack", "concatenate"})


def parse(text: str, names: Collection[str]) -> tree.Node:
    """The tree of a formula in these names.

    Raises:
        ExpressionError: the text is not a formula of the white list.
    """
    line = source.read(text)
    start = len(line) - len(line.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(line[start:], mode="eval").body
    except SyntaxError as error:
        offset = min(start + max((error.offset or 1) - 1, 0), len(text) - 1)
        reason = f"this is not a formula: {error.msg}"
        raise ExpressionError(text, reason, offset) from None
    except (MemoryError, RecursionError):
        # Both are how Python's parser says that its stack is full.
        raise ExpressionError(text, "the formula is too deeply nested", start) from None
    return _Builder(text, line, start, frozenset(names)).build(body, 0)


class _Builder:
    """One formula's text and names, while its nodes are checked."""

    def __init__(self, text: str, line: str, start: int, names: frozenset[str]) -> None:
        self.text, self.line, self.start, self.names = text, line, start, names

    def refuse(self, reason: str, node: ast.AST | None = None, offset: int = 0) -> NoReturn:
        raise ExpressionError(self.text, reason, self.place(node) if node else offset)

    def place(self, node: ast.AST) -> int:
        return self.start + getattr(node, "col_offset", 0)

    def between(self, symbol: str, left: ast.expr, right: ast.expr) -> int:
        """Where an operator stands; only brackets and blanks are beside it."""
        after = self.start + (left.end_col_offset or 0)
        return self.line.index(symbol, after, self.place(right))

    def build(self, node: ast.expr, depth: int) -> tree.Node:
        if depth > limits.DEPTH:
            self.refuse(f"the formula is nested more than {limits.DEPTH} deep", node)
        match node:
            case ast.Constant(value=value):
                return self.number(node, value)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return tree.Unary(
                    self.place(node), _UNARY[type(op)], self.build(operand, depth + 1)
                )
            case ast.BinOp():
                return self.series(node, depth)
            case ast.BoolOp(op=op, values=values):
                symbol = "and" if isinstance(op, ast.And) else "or"
                operands = tuple(self.build(v, depth + 1) for v in values)
                return tree.Logic(self.between(symbol, values[0], values[1]), symbol, operands)
            case ast.Compare():
                return self.comparison(node, depth)
            case ast.Subscript():
                return self.index(node, depth)
            case ast.Call():
                return self.call(node, depth)
            case ast.List(elts=items):
                if not items:
                    self.refuse("an array has at least one entry", node)
                return tree.Array(self.place(node), tuple(self.build(i, depth + 1) for i in items))
            case ast.Tuple():
                self.refuse("an array is written with square brackets, [a, b]", node)
            case _:
                self.refuse("this has no place in a formula", node)

    def number(self, node: ast.Constant, value: object) -> tree.Node:
        if type(value) not in (int, float, complex):
            self.refuse("only numbers, names and functions have a place in a formula", node)
        assert isinstance(value, int | float | complex)
        start = self.place(node)
        if not isinstance(value, int) and not cmath.isfinite(value):
            self.refuse("this number is too large (the largest is 1.8e308)", node)
        text = self.line[start : self.start + (node.end_col_offset or 0)]
        return tree.Number(start, bounded(value), text)

    def name(self, node: ast.Name, name: str) -> tree.Node:
        if name in CONSTANTS:
            return tree.Number(self.place(node), CONSTANTS[name], name)
        if name in self.names:
            return tree.Name(self.place(node), name)
        if name in FUNCTIONS:
            self.refuse(f"{name} is a function: write {name}(...)", node)
        self.refuse(hints.unknown("name", name, self.names | CONSTANTS.keys()), node)

    def series(self, node: ast.BinOp, depth: int) -> tree.Node:
        links = []
        spine: ast.expr = node
        while isinstance(spine, ast.BinOp):
            symbol = _BINARY.get(type(spine.op))
            if symbol is None:
                self.refuse("this operator has no place in a formula", spine)
            links.append((self.between(symbol, spine.left, spine.right), symbol, spine.right))
            spine = spine.left
        first = self.build(spine, depth + 1)
        built = tuple(tree.Link(o, s, self.build(r, depth + 1)) for o, s, r in reversed(links))
        return tree.Series(self.place(node), first, built)

    def comparison(self, node: ast.Compare, depth: int) -> tree.Node:
        first, links, left = self.build(node.left, depth + 1), [], node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            symbol = _COMPARE.get(type(op))
            if symbol is None:
                self.refuse("this comparison has no place in a formula", right)
            offset = self.between(symbol, left, right)
            links.append(tree.Link(offset, symbol, self.build(right, depth + 1)))
            left = right
        return tree.Comparison(self.place(node), first, tuple(links))

    def index(self, node: ast.Subscript, depth: int) -> tree.Node:
        key = node.slice
        parts = key.elts if isinstance(key, ast.Tuple) else [key]
        operand = self.build(node.value, depth + 1)
        offset = self.line.index("[", self.start + (node.value.end_col_offset or 0))
        return tree.Index(offset, operand, tuple(self.item(p, depth + 1) for p in parts))

    def item(self, part: ast.expr, depth: int) -> tree.Node | tree.Slice:
        if not isinstance(part, ast.Slice):
            return self.build(part, depth)
        ends = [e and self.build(e, depth) for e in (part.lower, part.upper, part.step)]
        return tree.Slice(self.place(part), *ends)

    def call(self, node: ast.Call, depth: int) -> tree.Node:
        if not isinstance(node.func, ast.Name):
            self.refuse("only functions of the table can be called; a product is written *", node)
        name = node.func.id
        if name not in FUNCTIONS:
            self.uncallable(node.func)
        function, axis = FUNCTIONS[name], None
        for given in node.keywords:
            if given.arg != "axis" or not function.axis:
                takes = "takes only axis= by name" if function.axis else "takes nothing by name"
                self.refuse(f"{name} {takes}", given)
            if axis:
                self.refuse("axis= is given twice", given)
            axis = self.build(given.value, depth + 1)
        self.count(node, name)
        arguments: list[ast.expr] = list(node.args)
        if name in _LISTS:
            if not isinstance(arguments[0], ast.List | ast.Tuple) or not arguments[0].elts:
                self.refuse(f"{name} takes a list: {name}([a, b])", arguments[0])
            arguments = arguments[0].elts
        elif function.shape and isinstance(arguments[0], ast.Tuple):
            arguments = arguments[0].elts
            if not 1 <= len(arguments) <= 8:
                self.refuse("an array has one to eight dimensions here", node.args[0])
        for given in arguments:
            if isinstance(given, ast.Starred):
                self.refuse("a list cannot be spread into arguments with *", given)
        built = tuple(self.build(a, depth + 1) for a in arguments)
        return tree.Call(self.place(node), name, built, axis)

    def uncallable(self, node: ast.Name) -> NoReturn:
        name = node.id
        if name in self.names or name in CONSTANTS:
            self.refuse(
                f"{name} is a quantity, not a function; a product is written {name}*(...)", node
            )
        self.refuse(hints.unknown("function", name, FUNCTIONS), node)

    def count(self, node: ast.Call, name: str) -> None:
        function, given = FUNCTIONS[name], len(node.args)
        if function.least <= given <= function.most:
            return
        wanted = str(function.least)
        if function.most > function.least:
            wanted += f" to {function.most}"
        plural = "" if wanted == "1" else "s"
        hint = f": {function.usage}" if function.usage else ""
        self.refuse(f"{name} takes {wanted} argument{plural}, here are {given}{hint}", node)
