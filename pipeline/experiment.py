"""An experiment: a document after every check, and what its numbers mean for one cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.analyses import Fold, Iterate, Search, Subject, folds, searches
from pipeline.device import Device
from pipeline.expressions import Expression
from pipeline.function import Function
from pipeline.grid import Grid, Quantity, replace
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.solvers import Iteration, Solver
from pipeline.state import State, start

Numbers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Figure:
    """What is drawn of the result."""

    name: str = "auto"
    style: str = "screen"
    formats: tuple[str, ...] = ("png",)
    report: bool = False
    theory: str | None = None


@dataclass(frozen=True, eq=False)
class Experiment:
    """The checked description of a run.

    Attributes:
        settings: the solver's, by key.
        analyses: {analysis: its settings}.
        document: what it was read from, with every default filled in: plain data.
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
        self, numbers: Numbers, swept: Mapping[str, Any], also: tuple[Quantity, ...] = ()
    ) -> Iteration:
        """The iteration of one cell.

        Args:
            numbers: of `numbers`.
            swept: {quantity: []} what the axes make of them in this cell.
            also: what is swept besides.
        """
        settings = {**self.settings, **numbers["settings"]}
        for quantity in self._swept("setting", also):
            settings[quantity.key] = swept[quantity.name]
        return self.solver.build(self.problem, self.parameters(numbers, swept, also), settings)

    def start(
        self, numbers: Numbers, swept: Mapping[str, Any], also: tuple[Quantity, ...] = ()
    ) -> State:
        """The initial state of one cell; arguments as above."""
        import jax.numpy as jnp

        values = self.parameters(numbers, swept, also)
        values |= {quantity.key: swept[quantity.name] for quantity in self._swept("free")}
        initial = {**self.problem.initial, **numbers["initial"]}
        x0 = start(initial, self.problem.components, values, jnp.result_type(float))
        for quantity in self._swept("initial"):
            x0[quantity.key] = replace(x0[quantity.key], quantity, swept[quantity.name])
        return x0

    def parameters(
        self, numbers: Numbers, swept: Mapping[str, Any], also: tuple[Quantity, ...] = ()
    ) -> dict[str, Any]:
        """{name: its value} of one cell; arguments as above."""
        parameters = dict(numbers["parameters"])
        for quantity in self._swept("parameter", also):
            parameters[quantity.key] = replace(
                parameters[quantity.key], quantity, swept[quantity.name]
            )
        return parameters

    def _swept(self, target: str, also: tuple[Quantity, ...] = ()) -> list[Quantity]:
        every = dict.fromkeys([*(q for axis in self.grid for q in axis.quantities), *also])
        return [quantity for quantity in every if quantity.target == target]
