"""The one protocol of all solvers: an iteration on a state of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.grid import Quantity
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.settings import Setting, Settings
from pipeline.state import State


class Iteration(NamedTuple):
    """What is stepped, for one cell: pure functions that know the cell's parameters.

    Attributes:
        init: x_0 -> the carry before the first step.
        step: (carry, n) -> the carry after one more step, n steps having been done.
        terminate: carry -> a code of `Status`; `bounded` while it goes on.
        probe: carry -> what a history records of it, by name.
        state: carry -> the components of the problem.
        classify: carry -> the kind of the point that it stands on.
        point: carry -> {name: value} all that the next step depends on, where the iteration is a
            map: the components, and the last step of a solver with inertia.
        put: (carry, point) -> the carry that stands on another point.
        moved: {quantity: shift} -> the iteration of the cell with these quantities so much larger,
            and its initial state: what derivatives with respect to them are taken of.
        idle: carry -> one from which a step has least to do: what a cell steps from that has ended,
            while others go on beside it. What comes of it is dropped.
    """

    init: Callable[[State], Any]
    step: Callable[[Any, Any], Any]
    terminate: Callable[[Any], Any]
    probe: Callable[[Any], dict[str, Any]]
    state: Callable[[Any], State]
    classify: Callable[[Any], Any]
    point: Callable[[Any], State]
    put: Callable[[Any, State], Any]
    moved: Callable[[Mapping[Quantity, Any]], tuple[Iteration, State]] | None = None
    idle: Callable[[Any], Any] = lambda carry: carry


@dataclass(frozen=True, eq=False)
class Solver:
    """One entry of the table of solvers.

    Attributes:
        build: (problem, parameters, settings of one cell) -> its iteration.
        settings: its keys in the document.
        solves: the groups of problems that it takes: map, objective.
        freezes: whether a cell that has ended stays as it is (a map goes on for ever).
        autonomous: whether a step depends on the carry alone, not on a counter.
        smooth: whether a step is a differentiable function of the state.
        memoryless: whether a step depends on the components of the problem alone, so that the
            iteration is a map of them.
        inertia: whether a step depends on the components and the last step alone, so that the
            iteration is a map of both. The last step is its memory, [d].
        dense: whether a step forms a d x d matrix.
        vectors: settings -> how many vectors of the state's size it keeps of the steps before.
        tells: what its history records besides the quantities that all solvers have.
        needs_residuals: whether it takes an objective as a sum of squares.
        one_unknown: whether it takes problems of one real unknown alone.
    """

    name: str
    build: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], Iteration]
    settings: Settings = field(default_factory=dict)
    solves: tuple[str, ...] = ("map", "objective")
    freezes: bool = True
    autonomous: bool = True
    smooth: bool = True
    memoryless: bool = False
    inertia: bool = False
    dense: bool = False
    vectors: Callable[[Mapping[str, Any]], int] = lambda settings: 0
    tells: tuple[Variable, ...] = ()
    needs_residuals: bool = False
    one_unknown: bool = False

    def refuse(self, problem: Map | Objective) -> str | None:
        """Why it does not suit a problem of a group that it takes; None where it does."""
        squares = not isinstance(problem, Objective) or problem.squares
        if self.needs_residuals and not squares:
            return "it takes an objective that is given by its residuals"
        unknowns = sum(component.reals for component in problem.components.values())
        if self.one_unknown and unknowns != 1:
            return f"it takes one real unknown, and here are {unknowns}"
        return None


TOLERANCES: Settings = {
    "absolute_tolerance": Setting(
        "number", 1e-10, "converged at this norm of the residual", low=0, swept=True
    ),
    "relative_tolerance": Setting(
        "number", 1e-8, "or at this fraction of the first residual's norm", low=0, swept=True
    ),
}
