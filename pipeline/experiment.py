"""An experiment: a document after every check, and what its numbers mean for one cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from types import MappingProxyType
from typing import Any

from pipeline.analyses import Fold, Iterate, Search, Subject, folds, searches
from pipeline.device import Device
from pipeline.expressions import Expression
from pipeline.function import Function
from pipeline.grid import Grid, Quantity, replace, shifted
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.solvers import Iteration, Solver
from pipeline.state import State, start

Numbers = Mapping[str, Mapping[str, Any]]
Shifts = Mapping[Quantity, Any]
UNMOVED: Shifts = MappingProxyType({})
Quantities = tuple[Quantity, ...]
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Figure:
    """What is drawn of the result, and (`joint`, `work`) of a sweep's results together."""

    name: str = "auto"
    style: str = "screen"
    formats: tuple[str, ...] = ("png",)
    report: bool = False
    theory: str | None = None
    joint: str = "none"
    work: str = "auto"


@dataclass(frozen=True)
class Engine:
    """What runs the blocks.

    Attributes:
        address: of the cluster's scheduler; None starts one on this machine.
        workers: processes of that one, None for one for each `threads` cores.
        threads: of each.
        join: whether blocks become one file; they stay what workers file otherwise.
    """

    name: str = "local"
    address: str | None = None
    workers: int | None = None
    threads: int = 1
    join: bool = True


@dataclass(frozen=True, eq=False)
class Experiment:
    """The checked description of a run.

    Attributes:
        settings: the solver's, by key.
        analyses: {analysis: its settings}.
        document: what it was read from, with every default filled in: plain data. It does not say
            where earlier results are, which is no part of what it describes.
        reuse: the folder in which an archive of it is looked for.
        extend: the archive whose cells are taken over.
    """

    name: str
    problem: Map | Objective
    solver: Solver
    settings: Mapping[str, Any]
    grid: Grid
    iterate: Iterate
    analyses: Mapping[str, Mapping[str, Any]]
    device: Device
    figure: Figure
    dry_run: bool
    seed: int
    document: Mapping[str, Any]
    engine: Engine = Engine()  # frozen
    reuse: str | None = None
    extend: str | None = None

    @property
    def subject(self) -> Subject:
        """What the analyses study."""
        return Subject(self.problem, self.solver, self.iterate, self.grid)

    def searches(self) -> tuple[Search, ...]:
        """The analyses that come after the loop."""
        return searches(self.subject, self.analyses)

    @property
    def function(self) -> Function | None:
        """What stands in the place of the problem's formulas, None where nothing does."""
        return self.problem.function

    def folds(self) -> tuple[Fold, ...]:
        """The analyses, ready for the loop."""
        return folds(self.subject, self.analyses)

    def numbers(self) -> dict[str, dict[str, Any]]:
        """Every number that the compiled program takes as an argument and all cells share."""
        settings = self.solver.settings
        return {
            "parameters": dict(self.problem.parameters),
            "initial": {
                name: value
                for name, value in self.problem.initial.items()
                if not isinstance(value, Expression)
            },
            "settings": {k: v for k, v in self.settings.items() if settings[k].swept},
        }

    def iteration(
        self,
        numbers: Numbers,
        swept: Mapping[str, Any],
        keys: Mapping[str, Any] = _NONE,
        shifts: Shifts = UNMOVED,
        also: Quantities = (),
    ) -> Iteration:
        """The iteration of one cell.

        Args:
            numbers: of `numbers`.
            swept: {quantity: []} what the axes make of them in this cell.
            keys: {name: [2]} of what the cell's noise follows from, where there is any.
            shifts: {quantity: []} what is added to them.
            also: what is swept besides.
        """
        settings = {**self.settings, **numbers["settings"]}
        for quantity in self._swept("setting", also):
            settings[quantity.key] = swept[quantity.name]
        for quantity in _of(shifts, "setting"):
            settings[quantity.key] = settings[quantity.key] + shifts[quantity]
        parameters = self.parameters(numbers, swept, shifts, also)
        problem = replaced(self.problem, keys=keys) if keys else self.problem

        def moved(more: Shifts) -> tuple[Iteration, State]:
            iteration = self.iteration(numbers, swept, keys, more, also)
            return iteration, self.start(numbers, swept, more, also)

        return self.solver.build(problem, parameters, settings)._replace(moved=moved)

    def start(
        self,
        numbers: Numbers,
        swept: Mapping[str, Any],
        shifts: Shifts = UNMOVED,
        also: Quantities = (),
    ) -> State:
        """The initial state of one cell; arguments as above."""
        import jax.numpy as jnp

        values = self.parameters(numbers, swept, shifts, also)
        values |= {quantity.key: swept[quantity.name] for quantity in self._swept("free")}
        values |= {q.key: values[q.key] + shifts[q] for q in _of(shifts, "free")}
        initial = {**self.problem.initial, **numbers["initial"]}
        x0 = start(initial, self.problem.components, values, jnp.result_type(float))
        for quantity in self._swept("initial"):
            x0[quantity.key] = replace(x0[quantity.key], quantity, swept[quantity.name])
        for quantity in _of(shifts, "initial"):
            x0[quantity.key] = shifted(x0[quantity.key], quantity, shifts[quantity])
        return x0

    def parameters(
        self,
        numbers: Numbers,
        swept: Mapping[str, Any],
        shifts: Shifts = UNMOVED,
        also: Quantities = (),
    ) -> dict[str, Any]:
        """{name: its value} of one cell; arguments as above."""
        parameters = dict(numbers["parameters"])
        for quantity in self._swept("parameter", also):
            parameters[quantity.key] = replace(
                parameters[quantity.key], quantity, swept[quantity.name]
            )
        for quantity in _of(shifts, "parameter"):
            parameters[quantity.key] = shifted(parameters[quantity.key], quantity, shifts[quantity])
        return parameters

    def _swept(self, target: str, also: Quantities = ()) -> list[Quantity]:
        every = dict.fromkeys([*(q for axis in self.grid for q in axis.quantities), *also])
        return _of(every, target)


def _of(quantities: Iterable[Quantity], target: str) -> list[Quantity]:
    return [quantity for quantity in quantities if quantity.target == target]
