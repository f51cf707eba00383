"""What goes wrong inside a formula before its place in the text is known."""

from __future__ import annotations


class Fault(Exception):
    """A reason; the tree's walk adds the formula and the caret and raises an ExpressionError."""


class ArithmeticFault(Fault):
    """A number that does not exist or is too large: no fault in a branch that is not taken."""
