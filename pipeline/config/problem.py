"""The map or the objective of a document, read and checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from pipeline.config import formulas, functions, names, values
from pipeline.config.mistakes import Mistakes
from pipeline.config.quantity import initial_value, parameter
from pipeline.device import Device
from pipeline.errors import ExpressionError
from pipeline.expressions import Expression, compile
from pipeline.function import Function
from pipeline.grid import find
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.settings import Setting, Settings
from pipeline.state import Component, Components, size

FIELDS: dict[str, Settings] = {
    "map": {
        "name": Setting("text", "unnamed", "what it is called"),
        "reference": Setting("text", "none", "where it comes from"),
        "escape_radius": Setting(
            "number", 1e6, "the norm beyond which an orbit has escaped", 0, 1e150, above=True
        ),
    },
    "objective": {
        "name": Setting("text", "unnamed", "what it is called"),
        "reference": Setting("text", "none", "where it comes from"),
        "sense": Setting("choice", "minimise", "what is sought", options=("minimise", "maximise")),
    },
}
PARTS = {
    "map": ("equations", "definitions", "parameters", "initial", "modulus"),
    "objective": ("definitions", "parameters", "initial"),
}
FORMULA = {"map": (), "objective": ("expression", "residuals")}
# What a document says of a Python function in the place of its formulas.
FUNCTION = "function"
FROM_PYTHON = "no document names code; hand it over from Python: pipeline.run(..., map=f)"
# Names of a map that has none of its own.
NAMELESS = ("custom", "unnamed")


def read(
    mistakes: Mistakes,
    group: str,
    node: Any,
    seed: int,
    axes: Collection[str],
    device: Device,
    function: Function | None = None,
) -> tuple[Map | Objective | None, dict[str, Any]]:
    """A map or an objective; None where it has mistakes.

    Args:
        axes: names that the formulas under `initial` may use as well as the parameters.
        device: whose precision a function is traced in.
        function: in the place of the map's formulas.

    Returns:
        (the problem, its node with every default filled in).
    """
    before = len(mistakes)
    if not isinstance(node, dict):
        a = "an" if group == "objective" else "a"
        mistakes.add(group, f"expected the name of {a} {group}, or a description of one", node)
        return None, {}
    known_keys = (*FIELDS[group], *PARTS[group], *FORMULA[group])
    mistakes.unknown(group, node, (*known_keys, FUNCTION) if group == "map" else known_keys)
    own = {key: value for key, value in node.items() if key in FIELDS[group]}
    fields = values.section(mistakes, group, own, FIELDS[group])
    told = len(mistakes)
    parts = {key: _part(mistakes, f"{group}.{key}", node.get(key)) for key in PARTS[group]}
    if len(mistakes) > told:
        return None, {}
    # What is left empty, as in objective=custom, is not given.
    texts = {key: node[key] for key in FORMULA[group] if node.get(key)}
    if function is not None and fields["name"] in NAMELESS:
        fields["name"] = function.name
    resolved = {**fields, **texts, **parts}
    if group == "map" and function is None and FUNCTION in node:
        mistakes.add("map.function", f"the map is a Python function, and {FROM_PYTHON}")
        return None, resolved
    _check_names(mistakes, group, parts, function)
    if group == "objective":
        _check_main(mistakes, texts, fields["sense"])
    if len(mistakes) > before:
        return None, resolved

    parameters, initial, components = _numbers(mistakes, group, parts, seed, axes)
    if len(mistakes) > before:
        return None, resolved
    known = [*components, *parameters, *(["size"] if size(components) else [])]
    known += ["n"] if group == "map" else []
    definitions: dict[str, Expression] = {}
    for name, text in parts["definitions"].items():
        _compile(mistakes, f"{group}.definitions", name, text, known, definitions)
        known.append(name)
    common: dict[str, Any] = {
        "name": fields["name"],
        "reference": fields["reference"],
        "components": components,
        "parameters": parameters,
        "initial": initial,
        "definitions": definitions,
    }
    problem: Map | Objective
    if group == "map":
        common["escape_radius"] = fields["escape_radius"]
        if function is not None:
            function = functions.read(mistakes, function, components, parameters, device)
            resolved[FUNCTION] = function.record
        problem = _map(mistakes, parts, known, function, common)
    else:
        found = _main(mistakes, texts, known)
        if len(mistakes) > before:
            return None, resolved
        problem = Objective(sense=fields["sense"], **found, **common)
    if len(mistakes) == before:
        formulas.check_use(mistakes, problem)
        formulas.check_shapes(mistakes, problem)
    return (problem if len(mistakes) == before else None), resolved


def _map(
    mistakes: Mistakes,
    parts: Mapping[str, dict[str, Any]],
    known: list[str],
    function: Function | None,
    common: dict[str, Any],
) -> Map:
    equations: dict[str, Expression] = {}
    for name, text in parts["equations"].items():
        _compile(mistakes, "map.equations", name, text, known, equations)
    modulus = _modulus(mistakes, parts["modulus"], common["components"])
    # The state has one order, that of the equations.
    order = parts["equations"] if function is None else parts["initial"]
    common["components"] = {name: common["components"][name] for name in order}
    return Map(equations=equations, modulus=modulus, function=function, **common)


def _check_main(mistakes: Mistakes, texts: Mapping[str, Any], sense: str) -> None:
    """Exactly one of the two forms of an objective."""
    if not texts:
        advice = "expected the formula of f, such as (x - 1)**2, or residuals, such as [x - 1, y]"
        mistakes.add("objective.expression", advice)
    elif len(texts) > 1:
        advice = "drop the other with '~objective.expression' or '~objective.residuals'"
        mistakes.add("objective.expression, residuals", f"expected one of the two; {advice}")
    elif "residuals" in texts and sense == "maximise":
        advice = "residuals make a sum of squares, which is minimised; give an expression instead"
        mistakes.add("objective.sense", advice, sense)


def _main(mistakes: Mistakes, texts: Mapping[str, Any], known: list[str]) -> dict[str, Any]:
    """{expression: ...} or {residuals: (..., ...)} of an objective, compiled."""
    compiled: dict[str, Expression] = {}
    if "expression" in texts:
        _compile(mistakes, "objective", "expression", texts["expression"], known, compiled)
        return compiled
    given = texts["residuals"]
    listed = given if isinstance(given, list) else [given]
    for k, text in enumerate(listed):
        key = f"residuals[{k}]" if len(listed) > 1 else "residuals"
        _compile(mistakes, "objective", key, text, known, compiled)
    return {"residuals": tuple(compiled.values())}


def _part(mistakes: Mistakes, where: str, node: Any) -> dict[str, Any]:
    """A mapping of names, empty where there is none."""
    if node is None:
        return {}
    if not isinstance(node, dict):
        mistakes.add(where, "expected names and their values, such as {x: 0.1}", node)
        return {}
    return dict(node)


def _check_names(
    mistakes: Mistakes,
    group: str,
    parts: Mapping[str, dict[str, Any]],
    function: Function | None,
) -> None:
    order = ("initial", "definitions", "parameters")
    good = {
        k: [n for n in parts[k] if names.identifier(mistakes, f"{group}.{k}", n)] for k in order
    }
    names.clashes(mistakes, group, good)
    if (group == "objective" or function) and not parts["initial"]:
        mistakes.add(f"{group}.initial", "expected a start for each component, such as {x: 0}")
    if function is not None:
        _check_formulas(mistakes, parts, function)
    if group == "objective" or function:
        return
    if not parts["equations"]:
        example = "such as {x: a*x*(1 - x)}"
        mistakes.add("map.equations", f"expected a formula for each component, {example}")
    for name in parts["equations"]:
        if name not in parts["initial"] and names.identifier(mistakes, "map.equations", name):
            mistakes.add(f"map.initial.{name}", f"expected the initial value of {name}")
    for part in ("initial", "modulus"):
        for name in parts[part]:
            if name not in parts["equations"]:
                mistakes.add(f"map.{part}.{name}", f"{name} has no equation, so it is no component")


def _check_formulas(
    mistakes: Mistakes, parts: Mapping[str, dict[str, Any]], function: Function
) -> None:
    """What has no meaning beside a Python function, whose components are those of `initial`."""
    for part in ("equations", "definitions"):
        if parts[part]:
            reason = f"the Python function {function.name} stands in the place of all formulas"
            mistakes.add(f"map.{part}", f"{reason}; expected none, as in map=custom")
    for name in parts["modulus"]:
        if name not in parts["initial"]:
            mistakes.add(f"map.modulus.{name}", f"{name} has no initial value: no component")


def _numbers(
    mistakes: Mistakes,
    group: str,
    parts: Mapping[str, dict[str, Any]],
    seed: int,
    axes: Collection[str],
) -> tuple[dict[str, np.ndarray], dict[str, Any], Components]:
    """Parameters, initial values and the components' shapes: each may depend on those before it."""
    # A start that is a formula may use what an axis gives, unless it is something else's name.
    taken = names.owners(parts["initial"])
    own = re.compile(rf"({'|'.join(map(re.escape, parts['initial'])) or 'x'})0(_\d+)*(_re|_im)?")
    for part in ("initial", "definitions", "parameters"):
        taken |= parts[part]
    free = [a for a in axes if a not in taken and not own.fullmatch(a)]
    known = [*parts["parameters"], *free]
    initial = {
        name: initial_value(mistakes, f"{group}.initial.{name}", name, value, seed, known)
        for name, value in parts["initial"].items()
    }
    vectors = {
        name: Component(value.shape)
        for name, value in initial.items()
        if isinstance(value, np.ndarray)
    }
    length = size(vectors)
    parameters = {
        name: parameter(mistakes, f"{group}.parameters.{name}", name, value, seed, length)
        for name, value in parts["parameters"].items()
    }
    components = {}
    for name, value in initial.items():
        where = f"{group}.initial.{name}"
        sample: Any = value
        if isinstance(value, Expression):
            for used in sorted(value.names & set(free)):
                if (entry := find(used, parameters, {})) is not None:
                    reason = f"{used} is an entry of {entry.key}; a formula takes it from there"
                    mistakes.add(where, reason, value.text)
            # Names that only axes give a value: any number shows the shape and the field.
            stand_ins = {axis: np.float64(0.5) for axis in free} | parameters
            try:
                sample = value(stand_ins, np)
            except ExpressionError as error:
                mistakes.formula(where, error)
                continue
        shape = np.shape(sample)
        if len(shape) > 1 or 0 in shape:
            mistakes.add(where, "expected a number or a vector of them", parts["initial"][name])
            continue
        components[name] = Component(shape, bool(np.iscomplexobj(sample)))
    _check_entries(mistakes, group, parameters, components)
    return parameters, initial, components


def _check_entries(
    mistakes: Mistakes,
    group: str,
    parameters: Mapping[str, np.ndarray],
    components: Mapping[str, Component],
) -> None:
    """The names of entries (A_0_1, x0_2, c_re) are names too, which nothing else may have."""
    for part, known in (("parameters", parameters), ("initial", components)):
        for name in known:
            others = {k: v for k, v in parameters.items() if k != name}
            states = {k: v for k, v in components.items() if k != name}
            quantity = find(name, others, states)
            if quantity is not None:
                mistakes.add(
                    f"{group}.{part}.{name}", f"the name is taken by an entry of {quantity.key}"
                )


def _compile(
    mistakes: Mistakes,
    where: str,
    name: str,
    text: Any,
    known: list[str],
    into: dict[str, Expression],
) -> None:
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        mistakes.add(f"{where}.{name}", "expected a formula, such as a*x*(1 - x)", text)
        return
    try:
        into[name] = compile(str(text), known)
    except ExpressionError as error:
        mistakes.formula(f"{where}.{name}", error)


def _modulus(
    mistakes: Mistakes, node: Mapping[str, Any], components: Components
) -> dict[str, float]:
    found = {}
    for name, value in node.items():
        where = f"map.modulus.{name}"
        setting = Setting("number", 1.0, "length of the circle", low=0, above=True)
        found[name] = float(values.take(mistakes, where, value, setting))
        if components[name].complex:
            mistakes.add(where, f"{name} is complex, and only a real component lives on a circle")
    return found
