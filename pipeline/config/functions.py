"""A Python function in the place of formulas, checked: what it takes, what it returns."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.config.mistakes import Mistakes, show, suggest
from pipeline.device import Device, precision
from pipeline.errors import FunctionError
from pipeline.function import Function, reason
from pipeline.objectives import Objective
from pipeline.solvers.target import aim
from pipeline.state import Components

EXAMPLES = {
    "map": "such as def f(x, a): return 1 - a*x**2",
    "objective": "such as def f(x, a): return (x - a)**2",
    "residuals": "such as def f(x, y): return [1 - x, y - x**2]",
}
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
# Cells that it is traced for at once, as the loop does: what has no batched form fails here.
_CELLS = 2


def read(
    mistakes: Mistakes,
    given: Function,
    components: Components,
    parameters: Mapping[str, np.ndarray],
    device: Device,
) -> Function:
    """The function with the names that it takes and its program.

    Args:
        device: of the document, whose precision it is traced in.
    """
    before = len(mistakes)
    steps = ["n"] if given.place == "map" else []
    takes = _takes(mistakes, given, [*components, *parameters, *steps])
    found = dataclasses.replace(given, takes=tuple(takes))
    if len(mistakes) > before:
        return found
    text = _traced(mistakes, found, components, parameters, device)
    return dataclasses.replace(found, program=hashlib.sha256(text.encode()).hexdigest()[:16])


def check_derivatives(mistakes: Mistakes, problem: Objective, device: Device) -> None:
    """Trace the gradient and the curvature: every solver needs them, or the kind of a point does.

    Args:
        device: as in `read`.
    """
    import jax

    assert problem.function is not None

    def curvature(u: Any, p: dict[str, Any]) -> Any:
        return jax.jvp(aim(problem, p).residual, (u,), (u,))

    length = sum(component.reals for component in problem.components.values())
    state = jax.ShapeDtypeStruct((length,), device.real)
    with precision(device):
        try:
            jax.eval_shape(curvature, state, dict(problem.parameters))
        except FunctionError as error:
            mistakes.append(str(error))
        except (TypeError, ValueError, NotImplementedError) as error:  # where JAX has no rule
            where = problem.function.where
            mistakes.add(where, f"it has no first or second derivatives: {reason(error)}")


def _takes(mistakes: Mistakes, function: Function, known: Sequence[str]) -> list[str]:
    """Those of its arguments that the document declares; others need a default."""
    where, example = function.where, EXAMPLES[function.place]
    if not callable(function.call):
        expected = f"expected a Python function, {example}"
        mistakes.add(function.place, expected, _shown(function.call))
        return []
    try:
        arguments = inspect.signature(function.call).parameters.values()
    except (TypeError, ValueError):  # written in C
        mistakes.add(where, f"its arguments are not to be had; wrap it, {example}")
        return []
    for argument in arguments:
        if argument.kind not in _NAMED:
            mistakes.add(where, f"expected arguments by name, {example}", str(argument))
        elif argument.name not in known and argument.default is inspect.Parameter.empty:
            strange = f"it takes {argument.name}, which is no component and no parameter"
            mistakes.add(where, f"{strange} of the document{suggest(argument.name, known)}")
    return [argument.name for argument in arguments if argument.name in known]


def _traced(
    mistakes: Mistakes,
    function: Function,
    components: Components,
    parameters: Mapping[str, np.ndarray],
    device: Device,
) -> str:
    """What JAX makes of it, as text: abstractly, nothing is computed."""
    import jax

    def step(x: dict[str, Any], p: dict[str, Any], n: Any) -> Any:
        try:
            result = function({**p, **x, "n": n})
        except FunctionError as error:
            mistakes.append(str(error))
            return {}
        if function.place == "map":
            return _next(mistakes, function.where, result, components)
        return _value(mistakes, function, result)

    def abstract(shape: tuple[int, ...], is_complex: bool) -> Any:
        return jax.ShapeDtypeStruct((_CELLS, *shape), device.complex if is_complex else device.real)

    state = {name: abstract(c.shape, c.complex) for name, c in components.items()}
    values = {k: abstract(v.shape, np.iscomplexobj(v)) for k, v in parameters.items()}
    count = jax.ShapeDtypeStruct((_CELLS,), np.int32)
    with precision(device):
        return jax.jit(jax.vmap(step)).lower(state, values, count).as_text()


def _value(mistakes: Mistakes, function: Function, result: Any) -> Any:
    """An objective's value or its residuals as an array, or what is wrong with them noted."""
    import jax.numpy as jnp

    squared = function.place == "residuals"
    expected = f"expected {'a vector' if squared else 'a number'}, but it returns"
    try:
        found = jnp.asarray(result)
    except (TypeError, ValueError):
        mistakes.add(function.where, f"{expected} {_described(result)}")
        return ()
    if found.ndim > squared:
        advice = "" if squared else "; a vector of residuals is handed over as residuals=f"
        mistakes.add(function.where, f"{expected} {_form(found.shape)}{advice}")
    elif jnp.iscomplexobj(found):
        mistakes.add(function.where, "expected real numbers, but it returns complex ones")
    return found


def _next(mistakes: Mistakes, where: str, result: Any, components: Components) -> dict[str, Any]:
    """The components' next values as arrays; those that are none are noted."""
    import jax.numpy as jnp

    names = ", ".join(components)
    if not isinstance(result, dict):
        if len(components) > 1:
            wanted = ", ".join(f'"{name}": ...' for name in components)
            expected = f"expected the next values by name, {{{wanted}}}"
            mistakes.add(where, f"{expected}, but it returns {_described(result)}")
            return {}
        result = dict.fromkeys(components, result)
    for name in components:
        if name not in result:
            mistakes.add(where, f"what it returns lacks the next value of {name}")
    for name in result:
        if name not in components:
            mistakes.add(where, f"it returns {show(name)}, which is no component (known: {names})")
    found = {}
    for name in [name for name in components if name in result]:
        component = components[name]
        try:
            found[name] = jnp.asarray(result[name])
        except (TypeError, ValueError):
            mistakes.add(
                where, f"expected a number as the next {name}, but it is {_described(result[name])}"
            )
            continue
        shape = found[name].shape
        if shape not in (component.shape, ()):
            there, wanted = (_form(s) for s in (shape, component.shape))
            mistakes.add(where, f"expected {wanted} as the next {name}, but it is {there}")
        elif jnp.iscomplexobj(found[name]) and not component.complex:
            advice = f"then map.initial.{name} is complex too, such as 0+0j"
            mistakes.add(where, f"the next {name} is complex; {advice}")
    return found


def _form(shape: tuple[int, ...]) -> str:
    return f"an array of shape {list(shape)}" if shape else "a number"


def _described(value: Any) -> str:
    """What a value is, without its content: JAX's arrays have none yet."""
    if hasattr(value, "dtype"):
        return _form(value.shape)
    return "None" if value is None else f"a {type(value).__name__}"


def _shown(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else f"({type(value).__name__})"
