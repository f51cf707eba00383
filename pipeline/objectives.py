"""Objectives: scalar functions f(x, p) whose stationary points a solver seeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from pipeline.expressions import Expression
from pipeline.state import Components, Parameters, State, define, size


@dataclass(frozen=True, eq=False)
class Objective:
    """An objective of a document, checked.

    Attributes:
        expression: the formula of f.
        sense: what is sought; values, gradients and kinds refer to f as written.
        definitions, parameters, initial: as in a map.
    """

    group: ClassVar[str] = "objective"
    name: str
    expression: Expression
    components: Components
    parameters: Mapping[str, np.ndarray]
    initial: Mapping[str, Any]
    sense: Literal["minimise", "maximise"] = "minimise"
    definitions: Mapping[str, Expression] = field(default_factory=dict)
    reference: str = ""

    def value(self, x: State, p: Parameters, xp: Any = None) -> Any:
        """[] f at the state of one cell.

        Args:
            x: {component: [] or [size]}.
            p: {parameter: its value}.
            xp: the array module, jax.numpy if None.
        """
        values = define(self.definitions, {**p, **x, "size": size(self.components)}, xp)
        return self.expression(values, xp)
