"""Objectives: scalar functions f(x, p) whose stationary points a solver seeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from pipeline.expressions import Expression
from pipeline.function import Function
from pipeline.state import Components, Parameters, State, define, size


@dataclass(frozen=True, eq=False)
class Objective:
    """An objective of a document, checked.

    Attributes:
        expression: the formula of f; None where f is given otherwise.
        residuals: formulas of numbers or vectors r, f being the sum of their squares (without a
            factor 1/2); empty where f is given otherwise.
        sense: what is sought; values, gradients and kinds refer to f as written.
        definitions, parameters, initial: as in a map.
        function: in the place of all formulas, of the expression or of the residuals.
    """

    group: ClassVar[str] = "objective"
    name: str
    components: Components
    parameters: Mapping[str, np.ndarray]
    initial: Mapping[str, Any]
    expression: Expression | None = None
    residuals: tuple[Expression, ...] = ()
    sense: Literal["minimise", "maximise"] = "minimise"
    definitions: Mapping[str, Expression] = field(default_factory=dict)
    reference: str = ""
    function: Function | None = None

    @property
    def squares(self) -> bool:
        """Whether f is the sum of the squares of residuals."""
        place = self.function.place if self.function else ""
        return bool(self.residuals) or place == "residuals"

    @property
    def main(self) -> dict[str, Expression]:
        """{its key in the document: formula} What f is made of, besides the definitions."""
        if self.expression is not None:
            return {"expression": self.expression}
        if len(self.residuals) == 1:
            return {"residuals": self.residuals[0]}
        return {f"residuals[{k}]": formula for k, formula in enumerate(self.residuals)}

    def value(self, x: State, p: Parameters, xp: Any = None) -> Any:
        """[] f at the state of one cell.

        Args:
            x: {component: [] or [size]}.
            p: {parameter: its value}.
            xp: the array module, jax.numpy if None.
        """
        if self.squares:
            r = self.residual_vector(x, p, xp)
            return (r * r).sum()
        if self.function is not None:
            return self.function({**p, **x})
        assert self.expression is not None
        return self.expression(self._values(x, p, xp), xp)

    def residual_vector(self, x: State, p: Parameters, xp: Any = None) -> Any:
        """[m] The residuals at the state of one cell, one formula's after the other's.

        Args:
            x, p, xp: as in `value`.

        Raises:
            ValueError: the objective has none.
        """
        if not self.squares:
            raise ValueError(f"{self.name} is no sum of squares and has no residuals")
        if xp is None:
            import jax.numpy as xp
        if self.function is not None:
            return xp.ravel(xp.asarray(self.function({**p, **x})))
        values = self._values(x, p, xp)
        return xp.concatenate([xp.ravel(formula(values, xp)) for formula in self.residuals])

    def _values(self, x: State, p: Parameters, xp: Any) -> dict[str, Any]:
        return define(self.definitions, {**p, **x, "size": size(self.components)}, xp)
