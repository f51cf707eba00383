"""A Python function in the place of a map's formulas, checked: what it takes, what it returns."""

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
from pipeline.function import Function
from pipeline.state import Components

EXAMPLE = "such as def f(x, a): return 1 - a*x**2"
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
    takes = _takes(mistakes, given, [*components, *parameters, "n"])
    found = dataclasses.replace(given, takes=tuple(takes))
    if len(mistakes) > before:
        return found
    text = _traced(mistakes, found, components, parameters, device)
    return dataclasses.replace(found, program=hashlib.sha256(text.encode()).hexdigest()[:16])


def _takes(mistakes: Mistakes, function: Function, known: Sequence[str]) -> list[str]:
    """Those of its arguments that the document declares; others need a default."""
    if not callable(function.call):
        mistakes.add("map", f"expected a Python function, {EXAMPLE}", _shown(function.call))
        return []
    try:
        arguments = inspect.signature(function.call).parameters.values()
    except (TypeError, ValueError):  # written in C
        mistakes.add(f"map={function.name}", f"its arguments are not to be had; wrap it, {EXAMPLE}")
        return []
    where = f"map={function.name}"
    for argument in arguments:
        if argument.kind not in _NAMED:
            mistakes.add(where, f"expected arguments by name, {EXAMPLE}", str(argument))
        elif argument.name not in known and argument.default is inspect.Parameter.empty:
            reason = f"it takes {argument.name}, which is no component and no parameter"
            mistakes.add(where, f"{reason} of the document{suggest(argument.name, known)}")
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

    def step(x: dict[str, Any], p: dict[str, Any], n: Any) -> dict[str, Any]:
        try:
            result = function({**p, **x, "n": n})
        except FunctionError as error:
            mistakes.append(str(error))
            return {}
        return _returned(mistakes, f"map={function.name}", result, components)

    def abstract(shape: tuple[int, ...], is_complex: bool) -> Any:
        return jax.ShapeDtypeStruct((_CELLS, *shape), device.complex if is_complex else device.real)

    state = {name: abstract(c.shape, c.complex) for name, c in components.items()}
    values = {k: abstract(v.shape, np.iscomplexobj(v)) for k, v in parameters.items()}
    count = jax.ShapeDtypeStruct((_CELLS,), np.int32)
    with precision(device):
        return jax.jit(jax.vmap(step)).lower(state, values, count).as_text()


def _returned(
    mistakes: Mistakes, where: str, result: Any, components: Components
) -> dict[str, Any]:
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
