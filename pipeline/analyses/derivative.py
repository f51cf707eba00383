"""Quantities that derivatives are taken with respect to, and the names of these derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline import grid
from pipeline.analyses.analysis import Subject
from pipeline.arrays import Variable
from pipeline.expressions import Expression
from pipeline.grid import Quantity


def quantity(subject: Subject, name: str) -> Quantity | None:
    """The quantity of a name, or the only one that the axis of this name sweeps."""
    problem = subject.problem
    if (found := grid.find(name, problem.parameters, problem.components)) is not None:
        return found
    key = name.removeprefix("solver.")
    setting = subject.solver.settings.get(key)
    if key != name and setting is not None and setting.swept and setting.kind == "number":
        return Quantity(name, "setting", key)
    for axis in subject.grid:
        own = [q for q in axis.quantities if name in (axis.name, q.name)]
        if len(own) == 1 and (own[0].name == name or len(axis.quantities) == 1):
            return own[0]
    return None


def chosen(subject: Subject, names: list[str] | None) -> list[Quantity]:
    """Those asked for, all parameters that are numbers by default; unknown ones are left out."""
    if names is not None:
        return [q for q in (quantity(subject, name) for name in names) if q is not None]
    return [
        q
        for key, value in subject.problem.parameters.items()
        if not value.shape
        for q in grid.entries("parameter", key, (), np.iscomplexobj(value))
    ]


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each is one real number of the document."""
    asked, problem = settings["by"], subject.problem
    for name in asked or ():
        if quantity(subject, name) is None:
            known = [q.name for q in chosen(subject, None)]
            known += [q.name for axis in subject.grid for q in axis.quantities]
            known += [
                q.name
                for key, component in problem.components.items()
                if not component.shape and not isinstance(problem.initial[key], Expression)
                for q in grid.entries("initial", key, (), component.complex)
            ]
            listed = ", ".join(dict.fromkeys(known)) or "there is none"
            yield "by", f"{name} is not one real number of the document (known: {listed})"


def named(result: str, by: Quantity) -> str:
    """The name of the derivative of a result: x_final_by_a."""
    return f"{result}_by_{by.name.removeprefix('solver.')}"


def variables(results: tuple[Variable, ...], quantities: list[Quantity]) -> tuple[Variable, ...]:
    """The derivatives of results: of the same dimensions and axes."""
    return tuple(
        Variable(
            named(result.name, by),
            result.dimensions,
            "float",
            f"derivative of the {result.long_name} with respect to {by.name}",
            axes=result.axes,
        )
        for result in results
        for by in quantities
    )


def taken(subject: Subject, derivatives: tuple[Variable, ...]) -> str | None:
    """The name of a derivative that something in the document has already; None where none has."""
    problem = subject.problem
    every = {*problem.components, *problem.parameters, *problem.definitions}
    every |= {axis.name for axis in subject.grid}
    return next((v.name for v in derivatives if v.name in every), None)
