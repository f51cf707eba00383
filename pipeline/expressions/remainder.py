"""Remainders: what a formula takes the remainder of."""

from __future__ import annotations

import ast

from pipeline.errors import ExpressionError
from pipeline.expressions import source
from pipeline.expressions.expression import Expression, compile, constant


def dividend(formula: Expression, divisor: float) -> Expression | None:
    """E of a formula mod(E, m) or E % m, where m is that number; None of any other formula."""
    line = source.read(formula.text).strip()
    match ast.parse(line, mode="eval").body:
        case ast.Call(func=ast.Name(id="mod"), args=[whole, by]):
            pass
        case ast.BinOp(left=whole, op=ast.Mod(), right=by):
            pass
        case _:
            return None
    texts = [ast.get_source_segment(line, node) or "" for node in (whole, by)]
    try:
        same = constant(texts[1]) == divisor
    except ExpressionError:
        return None
    return compile(texts[0], formula.names) if same else None
