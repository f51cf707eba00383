"""Sweeps: which quantities the axes of a document's grid sweep, and that no two sweep one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pipeline import grid
from pipeline.config import axes, names, values
from pipeline.config.mistakes import Mistakes, suggest
from pipeline.expressions import Expression
from pipeline.grid import Axis, Quantity
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.solvers import Solver

# A status alone takes a byte of each: a terabyte.
MOST_CELLS = 2**40
# Entries of one array that a message lists.
_LISTED = 4


def nodes(mistakes: Mistakes, node: Any) -> dict[str, dict[str, Any]]:
    """{axis: its description}; a list stands for its values."""
    if node is None:
        return {}
    if not isinstance(node, dict):
        form = "such as {a: {start: 0, stop: 1, num: 11}}"
        mistakes.add("grid", f"expected axes by name, {form}", node)
        return {}
    found = {}
    for name, axis in node.items():
        if isinstance(axis, dict | list):
            found[name] = axis if isinstance(axis, dict) else {"values": axis}
        elif axis is None:
            mistakes.add(f"grid.{name}", f"expected an axis; drop one with '~grid.{name}'", axis)
        else:
            form = "{start: 0, stop: 1, num: 101}"
            mistakes.add(f"grid.{name}", f"expected an axis, such as {form}", axis)
    return found


def free(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names to which axes give a value if no quantity has them, for formulas of a start."""
    wanted = (w for name, node in found.items() for w in _wanted(name, node) if isinstance(w, str))
    return [w for w in dict.fromkeys(wanted) if names.fault(w) is None]


def _wanted(name: str, node: Mapping[str, Any]) -> list[Any]:
    wanted = node.get("of", name)
    return wanted if isinstance(wanted, list) else [wanted]


def read(
    mistakes: Mistakes,
    found: Mapping[str, Mapping[str, Any]],
    problem: Map | Objective | None,
    solver: Solver | None,
    seed: int,
) -> tuple[grid.Grid, dict[str, Any]]:
    """The axes of these descriptions; without what they could sweep only their form is checked.

    Returns:
        (the axes, their nodes as the archive keeps them).
    """
    result: list[Axis] = []
    kept: dict[str, Any] = {}
    swept: dict[Any, str] = {}
    for name, node in found.items():
        before, quantities = len(mistakes), ()
        if problem is not None and solver is not None:
            quantities = tuple(_quantities(mistakes, name, node, problem, solver))
            for q in quantities:
                if (key := (q.target, q.key, q.index, q.part)) in swept:
                    taken = swept[key]
                    there = "there twice" if taken == name else f"swept by grid.{taken} already"
                    mistakes.add(f"grid.{name}", f"{q.name} is {there}")
                swept[key] = name
            if _wanted(name, node) != [name]:
                _own_name(mistakes, name, problem)
        sound = len(mistakes) == before
        axis, kept[name] = axes.read(mistakes, name, node, quantities if sound else (), seed)
        if axis is not None and axis.quantities and solver is not None:
            _within(mistakes, axis, solver)
            result.append(axis)
    if grid.cells(tuple(result)) > MOST_CELLS:
        sizes = " x ".join(str(axis.size) for axis in result)
        mistakes.add("grid", f"expected at most 2**40 cells; there are {sizes}")
    _without_effect(mistakes, result, problem)
    return tuple(result), kept


def _quantities(
    mistakes: Mistakes,
    axis: str,
    node: Mapping[str, Any],
    problem: Map | Objective,
    solver: Solver,
) -> Iterable[Quantity]:
    """What the names of an axis sweep; those that nothing has are noted."""
    where = f"grid.{axis}.of" if "of" in node else f"grid.{axis}"
    wanted = _wanted(axis, node)
    if not wanted:
        mistakes.add(where, "expected the name of a quantity, or a list of names", wanted)
    settings = {f"solver.{key}": key for key, s in solver.settings.items() if s.swept}
    for name in wanted:
        if not isinstance(name, str):
            mistakes.add(where, "expected the name of a quantity, or a list of names", name)
        elif (quantity := grid.find(name, problem.parameters, problem.components)) is not None:
            yield quantity
        elif name in settings:
            yield Quantity(name, "setting", settings[name])
        elif name in _starts(problem):
            if names.identifier(mistakes, "grid", name):
                yield Quantity(name, "free", name)
        else:
            _unknown(mistakes, where, name, [*_listed(problem), *settings])


def _starts(problem: Map | Objective) -> set[str]:
    """The names that only formulas of the initial state use."""
    formulas = [v for v in problem.initial.values() if isinstance(v, Expression)]
    return {n for formula in formulas for n in formula.names} - set(problem.parameters)


def _unknown(mistakes: Mistakes, where: str, name: str, known: list[str]) -> None:
    parts = [k for k in known if k.startswith(f"{name}_")]
    stem = re.sub(r"(_\d+)+$", "", name)
    beside = [k for k in known if k.startswith(f"{stem}_") and stem != name]
    if parts:
        shown = ", ".join(parts[:3]) + (", ..." if len(parts) > 3 else "")
        mistakes.add(where, f"{name} is not one real number; sweep {shown}")
    elif beside:
        mistakes.add(where, f"{stem} has no entry {name}; its first are {', '.join(beside[:3])}")
    elif f"solver.{name}" in known:
        mistakes.add(where, f"a setting is swept by grid.{name}={{of: solver.{name}, ...}}")
    elif name == "solver":
        mistakes.add(where, "a setting is swept by an axis such as grid.s={of: solver.step, ...}")
    else:
        mistakes.add(where, f"no quantity has the name {name}{suggest(name, known)}")


def _listed(problem: Map | Objective) -> list[str]:
    """The names of what an axis may sweep; the first few of a large array."""
    found: list[str] = []
    for key, value in problem.parameters.items():
        found += _first(grid.entries("parameter", key, value.shape, np.iscomplexobj(value)))
    for key, c in problem.components.items():
        if not isinstance(problem.initial[key], Expression):
            found += _first(grid.entries("initial", key, c.shape, c.complex))
    return [*found, *sorted(_starts(problem))]


def _first(quantities: Iterable[Quantity]) -> list[str]:
    return [q.name for _, q in zip(range(_LISTED), quantities, strict=False)]


def _own_name(mistakes: Mistakes, name: str, problem: Map | Objective) -> None:
    """An axis that has another name than what it sweeps needs one that nothing else has."""
    if not names.identifier(mistakes, "grid", name):
        return
    parts = {
        "initial": list(problem.components),
        "parameters": list(problem.parameters),
        "definitions": list(problem.definitions),
    }
    taken = names.clashes(Mistakes(), problem.group, parts)
    taken |= dict.fromkeys(_starts(problem), "a formula under initial")
    other = grid.find(name, problem.parameters, problem.components)
    if other is not None:
        taken.setdefault(name, f"an entry of {other.key}")
    if name in taken:
        mistakes.add(f"grid.{name}", f"the name is taken by {taken[name]}; give the axis another")


def _within(mistakes: Mistakes, axis: Axis, solver: Solver) -> None:
    """The values of a setting keep its bounds on an axis too."""
    for k, quantity in enumerate(axis.quantities):
        if quantity.target == "setting":
            setting = solver.settings[quantity.key]
            outside = axis.values[~values.within(axis.values[:, k], setting), k]
            if outside.size:
                reason = f"{quantity.name} takes {setting.expected}; one value is {outside[0]:g}"
                mistakes.add(f"grid.{axis.name}", reason)


def _without_effect(
    mistakes: Mistakes, result: list[Axis], problem: Map | Objective | None
) -> None:
    """An axis of a start in the place of the formula that another axis serves would hide it."""
    swept = {q.name: axis.name for axis in result for q in axis.quantities if q.target == "free"}
    for axis in result:
        for q in axis.quantities:
            formula = problem.initial[q.key] if problem and q.target == "initial" else None
            used = sorted(swept.keys() & formula.names) if isinstance(formula, Expression) else []
            if used:
                reason = f"the start of {q.key} is a formula of {', '.join(used)}"
                mistakes.add(f"grid.{axis.name}", f"{reason}; sweep either {q.name} or these")
