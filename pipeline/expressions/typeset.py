"""A formula as matplotlib's mathtext shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipeline.expressions import tree
from pipeline.expressions.symbol import pieces, symbol, upright

# How tightly a piece holds together: brackets go around a looser piece inside a tighter one.
_LOGIC, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(7)

_DEPTH = 8
_LENGTH = 1000
"""Beyond these, formulas are shown as they were written: mathtext's parser recurses and is slow."""

_SHOWN = 200
"""Characters of such a formula, of which more would not fit a figure."""

Piece = tuple[str, int]

_POWERED = "sin cos tan arcsin arccos arctan sinh cosh tanh log".split()
_FUNCTION: Mapping[str, str] = {
    **{name: "\\" + name for name in [*_POWERED, "min", "max"]},
    "log2": r"\log_{2}",
    "log10": r"\log_{10}",
    "real": r"\mathrm{Re}",
    "imag": r"\mathrm{Im}",
}
_AROUND: Mapping[str, tuple[str, str]] = {
    "abs": ("|", "|"),
    "norm": (r"\|", r"\|"),
    "floor": (r"\lfloor ", r"\rfloor "),
    "ceil": (r"\lceil ", r"\rceil "),
    "conj": (r"\overline{", "}"),
    "sqrt": (r"\sqrt{", "}"),
    "cbrt": (r"\sqrt[3]{", "}"),
}
_SYMBOL: Mapping[str, str] = {
    "<=": r"\leq ",
    ">=": r"\geq ",
    "!=": r"\neq ",
    "==": "=",
    "and": r"\,\wedge\,",
    "or": r"\,\vee\,",
}


class _TooLong(Exception):
    """The formula is better shown as it was written."""


def mathtext(node: tree.Node, text: str) -> str:
    """The formula, without dollar signs; as written, in upright letters, when it is very long."""
    try:
        shown = _piece(node, 0)[0]
        if len(shown) <= _LENGTH:
            return shown
    except _TooLong:
        pass
    written = " ".join(re.sub(r"#[^\n]*", "", text).split())
    return upright(written if len(written) <= _SHOWN else written[:_SHOWN] + " ...")


def _piece(node: tree.Node, depth: int) -> Piece:
    if depth > _DEPTH:
        raise _TooLong
    match node:
        case tree.Number():
            return _number(node.text)
        case tree.Name():
            return symbol(node.name), _ATOM
        case tree.Unary():
            inner = _within(node.operand, _SIGN if node.symbol == "not" else _PRODUCT, depth)
            sign = r"\neg " if node.symbol == "not" else node.symbol
            return sign + inner, _SIGN if node.symbol == "not" else _SUM
        case tree.Series():
            return _series(node, depth)
        case tree.Comparison():
            shown = _within(node.first, _SUM, depth)
            for link in node.links:
                right = _within(link.operand, _SUM, depth)
                shown += _SYMBOL.get(link.symbol, link.symbol) + right
            return shown, _COMPARE
        case tree.Logic():
            parts = [_within(n, _COMPARE, depth) for n in node.operands]
            return _SYMBOL[node.symbol].join(parts), _LOGIC
        case tree.Index():
            return _index(node, depth), _ATOM
        case tree.Call():
            return _call(node, depth)
        case tree.Array():
            return f"[{_listed(node.items, depth)}]", _ATOM


def _brackets(text: str) -> str:
    return rf"\left({text}\right)" if r"\frac" in text else f"({text})"


def _fit(piece: Piece, level: int) -> str:
    return piece[0] if piece[1] >= level else _brackets(piece[0])


def _within(node: tree.Node, level: int, depth: int) -> str:
    return _fit(_piece(node, depth + 1), level)


def _listed(nodes: tuple[tree.Node, ...], depth: int) -> str:
    return r",\,".join(_piece(n, depth + 1)[0] for n in nodes)


def _number(text: str) -> Piece:
    if text in ("pi", "e"):
        return symbol(text), _ATOM
    text = text.lower().replace("_", "")
    unit = "i" if text.endswith("j") else ""
    mantissa, _, exponent = text.rstrip("j").partition("e")
    if not exponent:
        return (unit if unit and mantissa == "1" else mantissa + unit), _ATOM
    power = f"10^{{{int(exponent)}}}{unit}"
    return (power if mantissa in ("1", "1.", "1.0") else rf"{mantissa}\times {power}"), _PRODUCT


def _series(node: tree.Series, depth: int) -> Piece:
    shown = _piece(node.first, depth + 1)
    base: tree.Node | None = node.first
    for link in node.links:
        shown = _JOIN[link.symbol](shown, base, link.operand, depth)
        base = None
    return shown


def _sum(sign: str) -> Callable[..., Piece]:
    def join(left: Piece, _: object, right: tree.Node, depth: int) -> Piece:
        below = _PRODUCT if sign == "-" or isinstance(right, tree.Unary) else _SUM
        return _fit(left, _SUM) + sign + _within(right, below, depth), _SUM

    return join


def _product(left: Piece, base: object, right: tree.Node, depth: int) -> Piece:
    b = _within(right, _SIGN, depth)
    # Side by side, 2 and 3 would read as 23.
    times = (r"\times " if b[0].isdigit() or b[0] == "." else r"\,") + b
    if isinstance(base, tree.Unary) and base.symbol != "not":
        # (-x)*y is -x y.
        return left[0] + times, _SUM
    return _fit(left, _PRODUCT) + times, _PRODUCT


def _quotient(left: Piece, _: object, right: tree.Node, depth: int) -> Piece:
    return rf"\frac{{{left[0]}}}{{{_piece(right, depth + 1)[0]}}}", _SIGN


def _floored(left: Piece, base: object, right: tree.Node, depth: int) -> Piece:
    return rf"\lfloor {_quotient(left, base, right, depth)[0]}\rfloor ", _ATOM


def _modulo(left: Piece, _: object, right: tree.Node, depth: int) -> Piece:
    mod = r"\ \mathrm{mod}\ "
    return _fit(left, _PRODUCT) + mod + _within(right, _SIGN, depth), _PRODUCT


def _power(left: Piece, base: tree.Node | None, right: tree.Node, depth: int) -> Piece:
    exponent = f"^{{{_piece(right, depth + 1)[0]}}}"
    # Only for a number: sin^{-1}(x) is another function.
    called = base if isinstance(right, tree.Number) and isinstance(base, tree.Call) else None
    if called and called.function in _POWERED and called.axis is None:
        name, arguments = _FUNCTION[called.function], _listed(called.arguments, depth)
        return name + exponent + _brackets(arguments), _POWER
    return _fit(left, _ATOM) + exponent, _POWER


_JOIN: Mapping[str, Callable[..., Piece]] = {
    "+": _sum("+"),
    "-": _sum("-"),
    "*": _product,
    "@": _product,
    "/": _quotient,
    "//": _floored,
    "%": _modulo,
    "**": _power,
}


def _index(node: tree.Index, depth: int) -> str:
    items: list[tree.Node | tree.Slice] = []
    inner: tree.Node = node
    while isinstance(inner, tree.Index):
        items = [*inner.items, *items]
        inner = inner.operand
    below = [_item(i, depth) for i in items]
    if isinstance(inner, tree.Name):
        base, own = pieces(inner.name)
        return f"{base}_{{{','.join(own + below)}}}"
    return f"{_brackets(_piece(inner, depth + 1)[0])}_{{{','.join(below)}}}"


def _item(item: tree.Node | tree.Slice, depth: int) -> str:
    if not isinstance(item, tree.Slice):
        return _piece(item, depth + 1)[0]
    ends = [_piece(e, depth + 1)[0] if e else "" for e in (item.start, item.stop, item.step)]
    return ":".join(ends if item.step else ends[:2])


def _call(node: tree.Call, depth: int) -> Piece:
    name, given = node.function, node.arguments
    if name == "exp":
        return f"e^{{{_piece(given[0], depth + 1)[0]}}}", _POWER
    if name == "mod":
        return _modulo(_piece(given[0], depth + 1), None, given[1], depth)
    if name == "dot":
        pair = (_within(n, _SIGN, depth) for n in given)
        return r"\cdot ".join(pair), _PRODUCT
    if name in _AROUND and node.axis is None:
        left, right = _AROUND[name]
        return left + _listed(given, depth) + right, _ATOM
    axis = ""
    if node.axis:
        axis = rf",\,\mathrm{{axis}}={_piece(node.axis, depth + 1)[0]}"
    shown = _FUNCTION.get(name) or rf"\mathrm{{{re.sub('[^a-z0-9]', '', name)}}}"
    return shown + _brackets(_listed(given, depth) + axis), _POWER
