"""A document, read: checked as a whole before anything compiles, every mistake told at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from pipeline import analyses, device, grid, solvers
from pipeline.analyses import Iterate, Subject
from pipeline.config import axes, names, problem, values
from pipeline.config.mistakes import Mistakes, plain, suggest
from pipeline.device import Device
from pipeline.errors import ConfigError
from pipeline.experiment import Experiment, Figure
from pipeline.expressions import Expression
from pipeline.grid import Axis, Quantity
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.settings import Setting, Settings
from pipeline.solvers import Solver

# Steps are counted in 32 bits.
MOST_STEPS = 2**31 - 1
SECTIONS: dict[str, Settings] = {
    "iterate": {
        "transient": Setting("integer", 0, "iterations dropped", low=0, high=MOST_STEPS),
        "length": Setting("integer", 1000, "iterations kept", low=1, high=MOST_STEPS),
        "stop": Setting("choice", "length", "when a cell ends", options=("length", "converged")),
        "tolerance": Setting("number", 1e-10, "of a step, to have converged", low=0),
    },
    "device": {
        "platform": Setting("choice", "auto", "where it runs", options=device.PLATFORMS),
        "precision": Setting("choice", "double", "of the numbers", options=("single", "double")),
        "memory": Setting("bytes", "1GiB", "for the arrays of one block", low=1),
        "arithmetic": Setting(
            "choice", "fast", "strict forbids contraction", options=("fast", "strict")
        ),
        "compile_cache": Setting("boolean", True, "keep compiled programs for other runs"),
    },
    "engine": {"name": Setting("choice", "local", "what runs the blocks", options=("local",))},
    "figure": {
        "name": Setting("text", "auto", "kind of figure"),
        "style": Setting("choice", "screen", "how it looks", options=("screen", "paper")),
        "formats": Setting("choices", ["png"], "files", options=("png", "svg", "pdf")),
    },
}
TOP: Settings = {
    "experiment": Setting("text", "custom", "what the run is called"),
    "dry_run": Setting("boolean", False, "print the plan and stop"),
    "seed": Setting("integer", 0, "of everything random", low=0),
}
PROBLEMS = ("map", "objective")
KEYS = (*TOP, *PROBLEMS, "solver", "grid", "analysis", *SECTIONS)


def read(document: Mapping[str, Any]) -> Experiment:
    """The experiment that a document describes.

    Raises:
        ConfigError: with all of its mistakes.
    """
    mistakes = Mistakes()
    experiment = check(document, mistakes)
    if mistakes or experiment is None:
        raise ConfigError(mistakes)
    return experiment


def check(
    document: Mapping[str, Any], mistakes: Mistakes, unread: Collection[str] = ()
) -> Experiment | None:
    """Note every mistake of a document; None where there are any.

    Args:
        unread: sections that already have a mistake, so that what depends on them is not checked.
    """
    before = len(mistakes)
    mistakes.unknown("", document, KEYS)
    top = {k: values.take(mistakes, k, document.get(k, s.default), s) for k, s in TOP.items()}
    sections = {k: values.section(mistakes, k, document.get(k, {}), s) for k, s in SECTIONS.items()}
    nodes = _axis_nodes(mistakes, document.get("grid"))
    group = _group(mistakes, document, unread)
    found: Map | Objective | None = None
    resolved: dict[str, Any] = {}
    if group and group not in unread:
        free = [name for name, node in nodes.items() if "of" not in node]
        found, resolved = problem.read(mistakes, group, document[group], top["seed"], free)
    solver, settings = _solver(mistakes, document.get("solver"), group, unread)
    swept, kept = _grid(mistakes, nodes, found, solver, top["seed"])
    iterate = Iterate(**sections["iterate"])
    if iterate.steps > MOST_STEPS:
        mistakes.add("iterate", f"expected transient + length <= {MOST_STEPS}", iterate.steps)
    if isinstance(found, Map) and found.counts and solver and solver.freezes:
        reason = "a map whose formulas use n has no fixed points"
        mistakes.add("solver", f"{reason}; iterate it with solver=direct", solver.name)
    chosen = _analyses(mistakes, document.get("analysis"), found, solver, iterate)
    radius = chosen.get("escape", {}).get("radius")
    if isinstance(found, Map) and radius is not None:
        found = dataclasses.replace(found, escape_radius=radius)
    if solver and solver.freezes and iterate.stop == "converged":
        mistakes.add("iterate.stop", "a solver always stops when it has converged; drop it")
    if solver and solver.freezes and iterate.transient:
        reason = f"a solver's steps all count, so with solver {solver.name} it is 0"
        mistakes.add("iterate.transient", reason, iterate.transient)
    _platform(mistakes, sections["device"]["platform"])
    if len(mistakes) > before or found is None or solver is None:
        return None
    figure = Figure(**{**sections["figure"], "formats": tuple(sections["figure"]["formats"])})
    whole = {
        "experiment": top["experiment"],
        found.group: resolved,
        "solver": {"name": solver.name, **settings},
        "grid": kept,
        "iterate": sections["iterate"],
        "analysis": chosen,
        "device": sections["device"],
        "engine": sections["engine"],
        "figure": sections["figure"],
        "dry_run": top["dry_run"],
        "seed": top["seed"],
    }
    return Experiment(
        name=top["experiment"],
        problem=found,
        solver=solver,
        settings=settings,
        grid=swept,
        iterate=iterate,
        analyses=chosen,
        device=Device(**sections["device"]),
        figure=figure,
        dry_run=top["dry_run"],
        seed=top["seed"],
        document=whole,
    )


def device_of(document: Mapping[str, Any]) -> Device | None:
    """The devices that a document asks for, before it is read: JAX is told at its start.

    None where that section has mistakes, which `read` tells with all others.
    """
    mistakes = Mistakes()
    found = values.section(mistakes, "device", document.get("device", {}), SECTIONS["device"])
    return None if mistakes else Device(**found)


def _group(mistakes: Mistakes, document: Mapping[str, Any], unread: Collection[str]) -> str | None:
    given = [group for group in PROBLEMS if document.get(group) is not None]
    if len(given) == 2:
        mistakes.add(
            "map, objective", "expected one of the two; drop the other with '~map' or '~objective'"
        )
    elif not given and not set(PROBLEMS) & set(unread):
        mistakes.add(
            "map, objective",
            "expected one of the two, such as map=logistic or objective=rosenbrock",
        )
    return given[0] if len(given) == 1 else None


def _solver(
    mistakes: Mistakes, node: Any, group: str | None, unread: Collection[str]
) -> tuple[Solver | None, dict[str, Any]]:
    if "solver" in unread:
        return None, {}
    if not isinstance(node, dict) or "name" not in node:
        mistakes.add("solver", f"expected the name of one{suggest('', solvers.TABLE)}", node)
        return None, {}
    name = node["name"]
    if not isinstance(name, str) or name not in solvers.TABLE:
        mistakes.add("solver.name", f"no such solver{suggest(name, solvers.TABLE)}", name)
        return None, {}
    solver = solvers.TABLE[name]
    own = {key: value for key, value in node.items() if key != "name"}
    settings = values.section(mistakes, "solver", own, solver.settings)
    if group and group not in solver.solves:
        able = ", ".join(k for k, s in solvers.TABLE.items() if group in s.solves)
        mistakes.add("solver", f"it does not take an {group}; expected one of {able}", name)
        return None, settings
    return solver, settings


def _axis_nodes(mistakes: Mistakes, node: Any) -> dict[str, Any]:
    if node is None:
        return {}
    if not isinstance(node, dict):
        mistakes.add(
            "grid", "expected axes by name, such as {a: {start: 0, stop: 1, num: 11}}", node
        )
        return {}
    good = {}
    for name, axis in node.items():
        if axis is None:
            mistakes.add(
                f"grid.{plain(name)}",
                f"expected an axis; drop one with '~grid.{plain(name)}'",
                axis,
            )
        elif not isinstance(name, str):
            mistakes.add(f"grid.{plain(name)}", "expected the name of a quantity")
        else:
            good[name] = axis if isinstance(axis, dict) else {"values": axis}
    return good


def _grid(
    mistakes: Mistakes,
    nodes: Mapping[str, Any],
    found: Map | Objective | None,
    solver: Solver | None,
    seed: int,
) -> tuple[grid.Grid, dict[str, Any]]:
    result: list[Axis] = []
    kept, sweeps = {}, {}
    for name, node in nodes.items():
        wanted = node.get("of", name)
        wanted = list(wanted) if isinstance(wanted, list) else [wanted]
        quantities = ()
        if found is not None and solver is not None:
            before = len(mistakes)
            quantities = tuple(
                q
                for w in wanted
                if (q := _quantity(mistakes, name, w, found, solver, own="of" not in node))
            )
            for quantity in quantities:
                key = (quantity.target, quantity.key, quantity.index, quantity.part)
                if key in sweeps:
                    mistakes.add(
                        f"grid.{name}", f"{quantity.name} is swept by {sweeps[key]} already"
                    )
                sweeps[key] = name
            if "of" in node and wanted != [name]:
                _free_name(mistakes, name, found)
            if len(mistakes) > before:
                quantities = ()
        axis, kept[name] = axes.read(mistakes, name, node, quantities, seed)
        if axis is not None and axis.quantities:
            result.append(axis)
    return tuple(result), kept


def _quantity(
    mistakes: Mistakes, axis: str, name: Any, found: Map | Objective, solver: Solver, *, own: bool
) -> Quantity | None:
    """What a name in the grid sweeps."""
    where = f"grid.{axis}" if own else f"grid.{axis}.of"
    if not isinstance(name, str):
        mistakes.add(where, "expected the name of a quantity, or a list of names", name)
        return None
    quantity = grid.find(name, found.parameters, found.components)
    if quantity is not None:
        return quantity
    settings = {f"solver.{key}": key for key, s in solver.settings.items() if s.swept}
    if name in settings:
        return Quantity(name, "setting", settings[name])
    formulas = [v for v in found.initial.values() if isinstance(v, Expression)]
    if any(name in formula.names for formula in formulas):
        return Quantity(name, "free", name)
    known = [*_entries(found), *settings]
    parts = [k for k in known if k.startswith(f"{name}_")]
    if parts:
        shown = ", ".join(parts[:3]) + (", ..." if len(parts) > 3 else "")
        mistakes.add(where, f"{name} is not one real number; sweep {shown}")
    else:
        tail = suggest(name, known)
        setting = (
            f"; a setting is swept by {{of: solver.{name}, ...}}"
            if f"solver.{name}" in known
            else ""
        )
        mistakes.add(where, f"no quantity has the name {name}{tail}{setting}")
    return None


def _entries(found: Map | Objective) -> list[str]:
    """The names of what an axis may sweep; the first few of a large array."""
    parts = [("parameter", k, v.shape, v.dtype.kind == "c") for k, v in found.parameters.items()]
    parts += [
        ("initial", k, c.shape, c.complex)
        for k, c in found.components.items()
        if not isinstance(found.initial[k], Expression)
    ]
    listed: list[str] = []
    for part in parts:
        for count, quantity in enumerate(grid.entries(*part)):  # type: ignore[arg-type]  # literals in tuples
            if count == 4:
                break
            listed.append(quantity.name)
    return listed


def _free_name(mistakes: Mistakes, name: str, found: Map | Objective) -> None:
    """An axis that has another name than what it sweeps needs one that nothing else has."""
    if not names.identifier(mistakes, "grid", name):
        return
    taken = names.clashes(
        Mistakes(),
        found.group,
        {
            "initial": list(found.components),
            "parameters": list(found.parameters),
            "definitions": list(found.definitions),
        },
    )
    if name in taken:
        mistakes.add(f"grid.{name}", f"the name is taken by {taken[name]}; give the axis another")


def _analyses(
    mistakes: Mistakes,
    node: Any,
    found: Map | Objective | None,
    solver: Solver | None,
    iterate: Iterate,
) -> dict[str, dict[str, Any]]:
    if node is None:
        node = {}
    if not isinstance(node, dict):
        mistakes.add("analysis", "expected analyses by name, such as {orbit: {every: 1}}", node)
        return {}
    chosen = {}
    for name, settings in node.items():
        if name not in analyses.TABLE:
            mistakes.add(
                f"analysis.{plain(name)}", f"no such analysis{suggest(name, analyses.TABLE)}"
            )
            continue
        analysis = analyses.TABLE[name]
        chosen[name] = values.section(
            mistakes, f"analysis.{name}", settings or {}, analysis.settings
        )
        if found is not None and solver is not None:
            why_not = analysis.refuse(Subject(found, solver, iterate))
            if why_not:
                mistakes.add(f"analysis.{name}", why_not)
    if not chosen and not node and solver is not None and not solver.freezes:
        mistakes.add("analysis", f"expected at least one{suggest('', analyses.TABLE)}")
    return chosen


def _platform(mistakes: Mistakes, platform: str) -> None:
    if platform != "auto" and platform not in (known := device.known()):
        mistakes.add("device.platform", f"JAX has none here; it has {', '.join(known)}", platform)
