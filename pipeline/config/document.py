"""A document, read: checked as a whole before anything compiles, every mistake told at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from pipeline import analyses, device, solvers
from pipeline.analyses import Iterate, Subject
from pipeline.config import data, problem, sweeps, values
from pipeline.config.mistakes import Mistakes, listed, suggest
from pipeline.device import Device
from pipeline.errors import ConfigError, ExpressionError
from pipeline.experiment import Engine, Experiment, Figure
from pipeline.expressions import compile
from pipeline.function import Function
from pipeline.grid import Grid
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
        "follow": Setting("text", None, "axis of which each value starts where the last ended"),
        "kinds": Setting(
            "boolean", True, "tell the kind of a point that a solver finds, by a dense matrix"
        ),
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
    "figure": {
        "name": Setting("text", "auto", "kind of figure"),
        "style": Setting("choice", "screen", "how it looks", options=("screen", "paper")),
        "formats": Setting("choices", ["png"], "files", options=("png", "svg", "pdf")),
        "report": Setting("boolean", False, "write report.html too"),
        "theory": Setting(
            "formula", None, "of the components and parameters, drawn over a density of one of them"
        ),
        "joint": Setting("text", "none", "kind of figure that compares the jobs of a sweep"),
        "work": Setting("text", "auto", "what that counts: steps, evaluations, seconds"),
    },
}
# {engine: its settings}
ENGINES: dict[str, Settings] = {
    "local": {},
    "dask": {
        "address": Setting("text", None, "of a scheduler to join; none starts a cluster here"),
        "workers": Setting(
            "integer", None, "processes that are started; none is one for each core", low=1
        ),
        "threads": Setting("integer", 1, "of each process that is started", low=1),
        "join": Setting("boolean", True, "one file; false keeps blocks, for results beyond that"),
    },
}
# What Dask's schedulers are reached by.
ADDRESS = r"(tcp|tls|ws|wss)://[^\s/@]+:\d{1,5}"
TOP: Settings = {
    "experiment": Setting("text", "custom", "what the run is called"),
    "dry_run": Setting("boolean", False, "print the plan and stop"),
    "reuse": Setting(
        "text", None, "folder: an archive of the same document and code is taken over"
    ),
    "extend": Setting("text", None, "archive: only cells that it does not have are computed"),
    "seed": Setting("integer", 0, "of everything random", low=0, high=2**32 - 1),
}
PROBLEMS = ("map", "objective")
KEYS = (*TOP, *PROBLEMS, "solver", "grid", "analysis", *SECTIONS, "engine")


def read(document: Mapping[str, Any], function: Function | None = None) -> Experiment:
    """The experiment that a document describes.

    Args:
        function: in the place of formulas; a document alone cannot bring one.

    Raises:
        ConfigError: with all of its mistakes.
    """
    mistakes = Mistakes()
    experiment = check(document, mistakes, function=function)
    if mistakes or experiment is None:
        raise ConfigError(mistakes)
    return experiment


def check(
    document: Mapping[str, Any],
    mistakes: Mistakes,
    unread: Collection[str] = (),
    function: Function | None = None,
) -> Experiment | None:
    """Note every mistake of a document; None where there are any.

    Args:
        unread: sections that already have a mistake, so that what depends on them is not checked.
    """
    before = len(mistakes)
    whole = data.plain(mistakes, document)
    if len(mistakes) > before:
        return None
    mistakes.unknown("", whole, KEYS)
    given = {key: value for key, value in whole.items() if key not in unread}
    top = {k: values.take(mistakes, k, given.get(k, s.default), s) for k, s in TOP.items()}
    sections = {k: values.section(mistakes, k, given.get(k, {}), s) for k, s in SECTIONS.items()}
    nodes = sweeps.nodes(mistakes, given.get("grid"))
    group = _group(mistakes, given, unread, function)
    found: Map | Objective | None = None
    resolved: dict[str, Any] = {}
    if group:
        free = sweeps.free(nodes)
        wanted = Device(**sections["device"])
        found, resolved = problem.read(
            mistakes, group, given[group], top["seed"], free, wanted, function
        )
    solver, settings = None, {}
    if "solver" not in unread:
        solver, settings = _solver(mistakes, given.get("solver"), group)
    swept, kept = sweeps.read(mistakes, nodes, found, solver, top["seed"])
    iterate = Iterate(**sections["iterate"])
    _follow(mistakes, iterate.follow, swept)
    if iterate.steps > MOST_STEPS:
        mistakes.add("iterate", f"expected transient + length <= {MOST_STEPS}", iterate.steps)
    if solver and found:
        _match(mistakes, solver, found)
    if isinstance(found, Map) and found.counts and solver and solver.freezes:
        reason = "a map whose formulas use n has no fixed points"
        mistakes.add("solver", f"{reason}; iterate it with solver=direct", solver.name)
    if isinstance(found, Map) and found.noise:
        _noisy(mistakes, solver, iterate)
    chosen = {}
    if "analysis" not in unread:
        chosen = _analyses(mistakes, given.get("analysis"), found, solver, iterate, swept)
    if solver and solver.freezes and iterate.stop == "converged":
        mistakes.add("iterate.stop", "a solver always stops when it has converged; drop it")
    if iterate.stop != "converged" and iterate.tolerance != Iterate.tolerance:
        reason = "it has no meaning without iterate.stop=converged"
        mistakes.add("iterate.tolerance", reason, iterate.tolerance)
    _theory(mistakes, sections["figure"]["theory"], found, chosen)
    _platform(mistakes, sections["device"]["platform"])
    engine = Engine() if "engine" in unread else _engine(mistakes, given.get("engine"))
    if len(mistakes) > before or found is None or solver is None:
        return None
    figure = Figure(**{**sections["figure"], "formats": tuple(sections["figure"]["formats"])})
    described = {
        "experiment": top["experiment"],
        found.group: resolved,
        "solver": {"name": solver.name, **settings},
        "grid": kept,
        "iterate": sections["iterate"],
        "analysis": chosen,
        "device": sections["device"],
        "engine": {"name": engine.name, **{k: getattr(engine, k) for k in ENGINES[engine.name]}},
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
        document=described,
        engine=engine,
        reuse=top["reuse"],
        extend=top["extend"],
    )


def device_of(document: Mapping[str, Any]) -> Device | None:
    """The devices that a document asks for, before it is read: JAX is told at its start.

    None where that section has mistakes, which `read` tells with all others.
    """
    mistakes = Mistakes()
    found = values.section(mistakes, "device", document.get("device", {}), SECTIONS["device"])
    return None if mistakes else Device(**found)


def _engine(mistakes: Mistakes, node: Any) -> Engine:
    given = {} if node is None else node
    if not isinstance(given, dict):
        mistakes.add("engine", "expected the name of one, as in {name: local}", node)
        return Engine()
    name = given.get("name", Engine.name)
    if not isinstance(name, str) or name not in ENGINES:
        mistakes.add("engine.name", f"no such choice{suggest(name, sorted(ENGINES))}", name)
        return Engine()
    own = {key: value for key, value in given.items() if key != "name"}
    for key in [k for k in own if k not in ENGINES[name]]:
        having = [other for other, settings in ENGINES.items() if key in settings]
        if having:
            mistakes.add(f"engine.{key}", f"a setting of {listed(having)}, not of {name}")
            del own[key]
    settings = values.section(mistakes, "engine", own, ENGINES[name])
    address = settings.get("address")
    if address is not None:
        if not re.fullmatch(ADDRESS, address):
            reason = "expected the address of a scheduler, such as tcp://10.0.0.1:8786"
            mistakes.add("engine.address", reason, address)
        for key in ("workers", "threads"):
            if settings[key] != ENGINES[name][key].default:
                reason = "the cluster at engine.address has workers of its own; drop it"
                mistakes.add(f"engine.{key}", reason, settings[key])
    return Engine(name, **settings)


def _group(
    mistakes: Mistakes,
    given: Mapping[str, Any],
    unread: Collection[str],
    function: Function | None,
) -> str | None:
    there = [group for group in PROBLEMS if given.get(group) is not None]
    both, where = set(there) | set(PROBLEMS) & set(unread), "map, objective"
    if function is not None and (others := [g for g in there if g != function.group]):
        reason = f"the Python function {function.name} stands for the {function.group}"
        mistakes.add(others[0], f"{reason}; drop it with '~{others[0]}'")
        return None
    if len(there) == 2:
        advice = "drop the other with '~map' or '~objective'"
        mistakes.add(where, f"expected one of the two; {advice}")
    elif not both:
        mistakes.add(where, "expected one, such as map=logistic or objective=rosenbrock")
    return there[0] if len(there) == len(both) == 1 else None


def _solver(
    mistakes: Mistakes, node: Any, group: str | None
) -> tuple[Solver | None, dict[str, Any]]:
    if not isinstance(node, dict) or "name" not in node:
        known = listed(solvers.TABLE)
        mistakes.add("solver", f"expected the name of one (known: {known})", node)
        return None, {}
    name = node["name"]
    if not isinstance(name, str) or name not in solvers.TABLE:
        mistakes.add("solver.name", f"no such solver{suggest(name, solvers.TABLE)}", name)
        return None, {}
    solver = solvers.TABLE[name]
    own = {key: value for key, value in node.items() if key != "name"}
    for key in [k for k in own if k not in solver.settings]:
        having = [s.name for s in solvers.TABLE.values() if key in s.settings]
        if having:
            advice = f"choose a solver as a whole, with solver={name}"
            mistakes.add(f"solver.{key}", f"a setting of {listed(having)}, not of {name}; {advice}")
            del own[key]
    settings = values.section(mistakes, "solver", own, solver.settings)
    if group and group not in solver.solves:
        able = listed(k for k, s in solvers.TABLE.items() if group in s.solves)
        mistakes.add("solver", f"it takes no {group}; expected one of {able}", name)
        return None, settings
    return solver, settings


def _noisy(mistakes: Mistakes, solver: Solver | None, iterate: Iterate) -> None:
    """Note what asks a map with noise to settle."""
    reason = "a map with noise has no fixed points"
    if solver and solver.freezes:
        advice = f"{reason}; iterate it with solver=direct, or drop map.noise"
        mistakes.add("solver", advice, solver.name)
    if iterate.stop == "converged":
        mistakes.add("iterate.stop", f"{reason} to converge to; expected length", iterate.stop)


def _match(mistakes: Mistakes, solver: Solver, found: Map | Objective) -> None:
    """Note why the solver does not suit the problem."""
    why_not = solver.refuse(found)
    if why_not:
        suited = [s for s in solvers.TABLE.values() if found.group in s.solves]
        able = listed(s.name for s in suited if s.refuse(found) is None)
        mistakes.add("solver", f"{why_not}; expected one of {able}", solver.name)


def _analyses(
    mistakes: Mistakes,
    node: Any,
    found: Map | Objective | None,
    solver: Solver | None,
    iterate: Iterate,
    grid: Grid,
) -> dict[str, dict[str, Any]]:
    if node is None:
        node = {}
    if not isinstance(node, dict):
        mistakes.add("analysis", "expected analyses by name, such as {orbit: {every: 1}}", node)
        return {}
    chosen, sound = {}, {}
    for name, settings in node.items():
        if name not in analyses.TABLE:
            mistakes.add(f"analysis.{name}", f"no such analysis{suggest(name, analyses.TABLE)}")
            continue
        analysis, before = analyses.TABLE[name], len(mistakes)
        chosen[name] = values.section(
            mistakes, f"analysis.{name}", {} if settings is None else settings, analysis.settings
        )
        if len(mistakes) == before:
            sound[name] = chosen[name]
        if analysis.extends and analysis.extends not in node:
            both = f"analysis=[{analysis.extends},{name}]"
            mistakes.add(f"analysis.{name}", f"it goes on with analysis.{analysis.extends}: {both}")
    if found is not None and solver is not None:
        for name in chosen:
            _suit(mistakes, name, Subject(found, solver, iterate, grid), sound)
    if not chosen and not node and solver is not None and not solver.freezes:
        mistakes.add("analysis", f"expected at least one{suggest('', analyses.TABLE)}")
    return chosen


def _follow(mistakes: Mistakes, name: str | None, grid: Grid) -> None:
    axes = {axis.name: axis for axis in grid}
    if name is None or not axes:
        if name is not None:
            mistakes.add("iterate.follow", "expected an axis of the grid, and there is none", name)
    elif name not in axes:
        mistakes.add("iterate.follow", f"no such axis{suggest(name, axes)}", name)
    elif axes[name].starts:
        reason = "its values are starts; expected an axis of parameters, whose cells have none"
        mistakes.add("iterate.follow", reason, name)


def _suit(
    mistakes: Mistakes, name: str, subject: Subject, sound: Mapping[str, Mapping[str, Any]]
) -> None:
    """Note why an analysis, or one of its settings, does not suit.

    Args:
        sound: the settings of those analyses whose settings have no mistakes.
    """
    analysis, needed = analyses.TABLE[name], [name, *analyses.extended(name)]
    why_not = analysis.refuse(subject)
    # What it extends says the same of itself.
    if why_not and not any(analyses.TABLE[other].refuse(subject) for other in needed[1:]):
        mistakes.add(f"analysis.{name}", why_not)
    if why_not or not all(other in sound for other in needed):
        return
    settings, *more = (sound[other] for other in needed)
    for key, fault in analysis.faults(subject, settings, *more):
        where = f"analysis.{name}.{key}"
        if isinstance(fault, ExpressionError):
            mistakes.formula(where, fault)
        else:
            mistakes.add(where, fault, settings[key])


def _theory(
    mistakes: Mistakes, theory: str | None, found: Map | Objective | None, chosen: Collection[str]
) -> None:
    """The formula of a figure is one of the problem's own quantities."""
    if theory is None or found is None:
        return
    if "density" not in chosen:
        mistakes.add("figure.theory", "there is no density to draw it over; drop it", theory)
        return
    try:
        compile(theory, [*found.components, *found.parameters])
    except ExpressionError as error:
        mistakes.formula("figure.theory", error)


def _platform(mistakes: Mistakes, platform: str) -> None:
    if platform != "auto" and platform not in (known := device.known()):
        mistakes.add("device.platform", f"JAX has none here; it has {', '.join(known)}", platform)
