"""A compiled formula: a pure function of its names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import ExpressionError
from pipeline.expressions import tree, typeset
from pipeline.expressions.evaluate import UNKNOWN, Walk
from pipeline.expressions.fault import ArithmeticFault
from pipeline.expressions.functions import RESERVED, TRANSCENDENTAL
from pipeline.expressions.operators import Library
from pipeline.expressions.parse import parse
from pipeline.expressions.scalars import is_scalar, static


@dataclass(frozen=True)
class Expression:
    """A formula that has been checked; `compile` makes it.

    Attributes:
        text: the formula as written.
        names: the quantities that it uses.
    """

    text: str
    names: frozenset[str]
    _tree: tree.Node = field(compare=False, repr=False)

    def __call__(self, values: Mapping[str, Any], xp: Any = None) -> Any:
        """Evaluate the formula.

        Args:
            values: {name: [...]} one value for each name; Python's numbers are known beforehand
                and are calculated in Python, all else are arrays.
            xp: jax.numpy (by default) or numpy.

        Returns:
            [...] an array of that library.

        Raises:
            ExpressionError: the formula does not fit these values.
        """
        if xp is None:
            import jax.numpy as xp
        with _quiet(xp):
            known = self._known(values, xp)
            library = Library(xp, _real(known, xp))
            value = Walk(self.text, known, library).value(self._tree)
            return xp.asarray(library.operand(value) if is_scalar(value) else value)

    @property
    def costly(self) -> bool:
        """Whether one value takes more than arithmetic: an exponential, a sine, a general power."""
        nodes = list(tree.walk(self._tree))
        links = [link for node in nodes if isinstance(node, tree.Series) for link in node.links]
        powers = [link for link in links if link.symbol == "**"]
        return any(not isinstance(power.operand, tree.Number) for power in powers) or any(
            isinstance(node, tree.Call) and node.function in TRANSCENDENTAL for node in nodes
        )

    def mathtext(self) -> str:
        """The formula for matplotlib's mathtext, without the dollar signs."""
        return typeset.mathtext(self._tree, self.text)

    def _known(self, values: Mapping[str, Any], xp: Any) -> dict[str, Any]:
        known = {}
        for name in sorted(self.names):
            if name not in values:
                raise ExpressionError(self.text, f"no value is given for {name}", self._find(name))
            try:
                value = static(values[name])
                known[name] = value if type(value) in _STATIC else _numeric(xp.asarray(value))
            except ArithmeticFault as fault:
                raise ExpressionError(self.text, f"{name}: {fault}", self._find(name)) from None
            except (TypeError, ValueError, OverflowError):
                kind = type(values[name]).__name__
                reason = f"{name} is neither a number nor an array of numbers, but a {kind}"
                raise ExpressionError(self.text, reason, self._find(name)) from None
        return known

    def _find(self, name: str) -> int:
        return next(
            n.offset for n in tree.walk(self._tree) if isinstance(n, tree.Name) and n.name == name
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return compile, (self.text, self.names)


_STATIC = (bool, int, float, complex)


def _numeric(array: Any) -> Any:
    if array.dtype.kind not in "biufc":
        raise TypeError
    return array


def _real(values: Mapping[str, Any], xp: Any) -> Any:
    """The floating type of the values, or the library's own."""
    inexact = [v for v in values.values() if hasattr(v, "dtype") and v.dtype.kind in "fc"]
    if not inexact:
        return xp.zeros(()).dtype
    kind = xp.result_type(*inexact)
    return xp.finfo(kind).dtype


def _quiet(xp: Any) -> Any:
    """numpy's warnings of overflow and invalid values are the caller's to judge, as results."""
    return xp.errstate(all="ignore") if hasattr(xp, "errstate") else nullcontext()


def compile(text: str, names: Collection[str]) -> Expression:
    """Check a formula in these names.

    Raises:
        ExpressionError: with a caret under the fault.
    """
    for name in sorted(names):
        if name in RESERVED:
            raise ExpressionError(name, f"{name} is a function, constant or word already")
        if not (name.isidentifier() and name.isascii()):
            raise ExpressionError(name, "a name is made of the letters a-z, A-Z, digits and _")
    node = parse(text, names)
    Walk(text, {}, None).value(node)
    used = frozenset(n.name for n in tree.walk(node) if isinstance(n, tree.Name))
    return Expression(text, used, node)


def constant(text: str) -> int | float | complex:
    """The number that a formula without names stands for.

    Raises:
        ExpressionError: it has names, makes an array, or has no finite value.
    """
    expression = compile(text, ())
    value = Walk(text, {}, None).value(expression._tree)
    if value is UNKNOWN:
        raise ExpressionError(text, "a single number is needed here, not an array")
    return int(value) if isinstance(value, bool) else value
