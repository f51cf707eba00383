"""Formula text to pure functions: parsed, checked node by node, never executed as code."""

from pipeline.expressions.expression import Expression, compile, constant
from pipeline.expressions.functions import CONSTANTS, FUNCTIONS, RESERVED, Function
from pipeline.expressions.remainder import dividend
from pipeline.expressions.typeset import symbol

__all__ = [
    "CONSTANTS",
    "FUNCTIONS",
    "RESERVED",
    "Expression",
    "Function",
    "compile",
    "constant",
    "dividend",
    "symbol",
]
