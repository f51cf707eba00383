"""The map or the objective of a document, read and checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipeline.config import formulas, functions, names, numbers, values
from pipeline.config.mistakes import Mistakes, suggest
from pipeline.device import Device
from pipeline.errors import ExpressionError
from pipeline.expressions import Expression, compile
from pipeline.function import Function, recorded_place
from pipeline.maps import Map
from pipeline.noise import KINDS, Noise
from pipeline.objectives import Objective
from pipeline.settings import Setting, Settings
from pipeline.state import Components, size

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
    "map": ("equations", "definitions", "parameters", "initial", "modulus", "noise"),
    "objective": ("definitions", "parameters", "initial"),
}
FORMULA = {"map": (), "objective": ("expression", "residuals")}
# What a document says of a Python function in the place of its formulas.
FUNCTION = "function"
FROM_PYTHON = "no document names code; hand it over from Python: pipeline.run(..., {}=f)"
# Names of a problem that has none of its own.
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
        function: in the place of the formulas, where it belongs to this group.

    Returns:
        (the problem, its node with every default filled in).
    """
    before = len(mistakes)
    if not isinstance(node, dict):
        a = "an" if group == "objective" else "a"
        mistakes.add(group, f"expected the name of {a} {group}, or a description of one", node)
        return None, {}
    known_keys = (*FIELDS[group], *PARTS[group], *FORMULA[group])
    mistakes.unknown(group, node, (*known_keys, FUNCTION))
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
    # A map without noise has no key of it, as in the archives from before there was any.
    own = {key: part for key, part in parts.items() if part or key != "noise"}
    resolved = {**fields, **texts, **own}
    if function is None and FUNCTION in node:
        advice = FROM_PYTHON.format(recorded_place(group, node[FUNCTION]))
        mistakes.add(f"{group}.function", f"the {group} is a Python function, and {advice}")
        return None, resolved
    _check_names(mistakes, group, parts, function)
    if function is not None:
        _check_formulas(mistakes, {**parts, **texts}, function)
    elif group == "objective":
        _check_main(mistakes, texts)
    squared = "residuals" in texts or (function is not None and function.place == "residuals")
    if squared and fields["sense"] == "maximise":
        advice = "residuals make a sum of squares, which is minimised; give an expression instead"
        mistakes.add("objective.sense", advice, "maximise")
    if len(mistakes) > before:
        return None, resolved

    parameters, initial, components = numbers.read(mistakes, group, parts, seed, axes)
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
        "function": function,
    }
    if function is not None:
        common[FUNCTION] = functions.read(mistakes, function, components, parameters, device)
        resolved[FUNCTION] = common[FUNCTION].record
    problem: Map | Objective
    if group == "map":
        problem = _map(mistakes, parts, known, fields["escape_radius"], common)
    else:
        found = _main(mistakes, texts, known) if function is None else {}
        if len(mistakes) > before:
            return None, resolved
        problem = Objective(sense=fields["sense"], **found, **common)
        if function is not None and len(mistakes) == before:
            functions.check_derivatives(mistakes, problem, device)
    if len(mistakes) == before:
        formulas.check_use(mistakes, problem)
        formulas.check_shapes(mistakes, problem)
    return (problem if len(mistakes) == before else None), resolved


def _map(
    mistakes: Mistakes,
    parts: Mapping[str, dict[str, Any]],
    known: list[str],
    escape_radius: float,
    common: dict[str, Any],
) -> Map:
    equations: dict[str, Expression] = {}
    for name, text in parts["equations"].items():
        _compile(mistakes, "map.equations", name, text, known, equations)
    modulus = _modulus(mistakes, parts["modulus"], common["components"])
    noise = _noise(mistakes, parts["noise"], known, common)
    # The state has one order, that of the equations.
    order = parts["equations"] if common[FUNCTION] is None else parts["initial"]
    common["components"] = {name: common["components"][name] for name in order}
    own = {"equations": equations, "modulus": modulus, "noise": noise}
    return Map(**own, escape_radius=escape_radius, **common)


def _noise(
    mistakes: Mistakes, node: Mapping[str, Any], known: list[str], common: Mapping[str, Any]
) -> dict[str, Noise]:
    """A formula, or {its kind: the formula}, for each component or parameter that is disturbed."""
    able, found = [*common["components"], *common["parameters"]], {}
    for name, given in node.items():
        where, texts, kind = f"map.noise.{name}", given, KINDS[0]
        if name not in able:
            mistakes.add(where, f"no component and no parameter of that name{suggest(name, able)}")
            continue
        if isinstance(given, dict):
            if len(given) != 1 or not given.keys() <= set(KINDS):
                forms = "{normal: 0.01}, by its standard deviation, or {uniform: 0.01}, up to it"
                mistakes.add(where, f"expected a formula, {forms}", given)
                continue
            ((kind, texts),) = given.items()
        scales: dict[str, Expression] = {}
        _compile(mistakes, "map.noise", name, texts, known, scales)
        if name in scales:
            found[name] = Noise(scales[name], kind)
    return found


def _check_main(mistakes: Mistakes, texts: Mapping[str, Any]) -> None:
    """Exactly one of the two forms of an objective."""
    if not texts:
        advice = "expected the formula of f, such as (x - 1)**2, or residuals, such as [x - 1, y]"
        mistakes.add("objective.expression", advice)
    elif len(texts) > 1:
        advice = "drop the other with '~objective.expression' or '~objective.residuals'"
        mistakes.add("objective.expression, residuals", f"expected one of the two; {advice}")


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


def _check_formulas(mistakes: Mistakes, parts: Mapping[str, Any], function: Function) -> None:
    """What has no meaning beside a Python function, whose components are those of `initial`."""
    group = function.group
    for part in ("equations", "definitions", "expression", "residuals"):
        if parts.get(part):
            reason = f"the Python function {function.name} stands in the place of all formulas"
            mistakes.add(f"{group}.{part}", f"{reason}; expected none, as in {group}=custom")
    for name in parts.get("modulus", ()):
        if name not in parts["initial"]:
            mistakes.add(f"map.modulus.{name}", f"{name} has no initial value: no component")


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
