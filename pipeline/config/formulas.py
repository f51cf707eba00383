"""Formulas of a map or an objective, checked together: each is used, and their shapes fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.config.mistakes import Mistakes, suggest
from pipeline.errors import ExpressionError
from pipeline.expressions import Expression
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.state import Component, size


def check_use(mistakes: Mistakes, problem: Map | Objective) -> None:
    """A parameter that no formula uses is most likely another one, misspelt."""
    main = problem.equations if isinstance(problem, Map) else problem.main
    function = problem.function
    starts = [value for value in problem.initial.values() if isinstance(value, Expression)]
    scales = [n.scale for n in problem.noise.values()] if isinstance(problem, Map) else []
    every = (*main.values(), *problem.definitions.values(), *starts, *scales)
    used = {n for f in every for n in f.names}
    used |= set(function.takes) if function else set()
    who = f"the function {function.name} does not take it" if function else "no formula uses it"
    for part in ("parameters", "definitions"):
        known = getattr(problem, part)
        for name in known:
            if name not in used:
                others = [other for other in known if other in used]
                tail = suggest(name, others) if others else ""
                advice = f"{who}{tail}; drop it with '~{problem.group}.{part}.{name}'"
                mistakes.add(f"{problem.group}.{part}.{name}", advice)


def check_shapes(mistakes: Mistakes, problem: Map | Objective) -> None:
    """Evaluate every formula abstractly: shapes and fields are checked, nothing is computed."""
    import jax
    import jax.numpy as jnp

    def abstract(shape: tuple[int, ...], is_complex: bool) -> Any:
        return jax.ShapeDtypeStruct(shape, jnp.complex64 if is_complex else jnp.float32)

    state = {name: abstract(c.shape, c.complex) for name, c in problem.components.items()}
    parameters = {k: abstract(v.shape, np.iscomplexobj(v)) for k, v in problem.parameters.items()}
    if isinstance(problem, Map):
        formulas = {
            f"equations.{name}": (f, problem.components[name])
            for name, f in problem.equations.items()
        }
        shapes = {k: v.shape for k, v in (*problem.parameters.items(), *problem.components.items())}
        for name, noise in problem.noise.items():
            formulas[f"noise.{name}"] = noise.scale, Component(shapes[name])
    else:
        # Residuals are numbers or vectors of any length.
        wanted = None if problem.residuals else Component()
        formulas = {where: (formula, wanted) for where, formula in problem.main.items()}

    def evaluate(x: dict[str, Any], p: dict[str, Any], n: Any) -> None:
        given = {**p, **x, "n": n, "size": size(problem.components)}
        for name, formula in problem.definitions.items():
            try:
                given[name] = formula(given)
            except ExpressionError as error:
                mistakes.formula(f"{problem.group}.definitions.{name}", error)
                return
        for where, (formula, component) in formulas.items():
            try:
                result = formula(given)
            except ExpressionError as error:
                mistakes.formula(f"{problem.group}.{where}", error)
                continue
            _check_result(mistakes, f"{problem.group}.{where}", formula, result, component)

    jax.eval_shape(evaluate, state, parameters, jax.ShapeDtypeStruct((), jnp.int32))


def _check_result(
    mistakes: Mistakes, where: str, formula: Expression, result: Any, component: Component | None
) -> None:
    """The shape and the field of a component; None: any vector of real numbers."""
    if component is None:
        if len(result.shape) > 1:
            given = f"but the formula gives shape {list(result.shape)}"
            mistakes.add(where, f"expected a number or a vector, {given}", formula.text)
            return
        component = Component(result.shape)
    if result.shape not in (component.shape, ()):
        given, wanted = (
            f"shape {list(s)}" if s else "a number" for s in (result.shape, component.shape)
        )
        mistakes.add(where, f"expected {wanted}, but the formula gives {given}", formula.text)
    elif np.issubdtype(result.dtype, np.complexfloating) and not component.complex:
        advice = "the formula gives complex numbers"
        if where.startswith("map.equations."):
            name = where.rpartition(".")[2]
            advice += f"; then map.initial.{name} is complex too, such as 0+0j"
        mistakes.add(where, f"expected real numbers, but {advice}", formula.text)
