"""Folds: analyses that look at every step of the one loop that serves them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from pipeline.arrays import Variable
from pipeline.solvers import Iteration

# The steps of a run: the transient but its last ones, those, and the length.
Phase = Literal["settling", "aligning", "keeping"]
# Steps that tangent vectors turn along before they are measured: they align exponentially.
ALIGNING = 1000


@dataclass(frozen=True)
class Iterate:
    """How long a cell is iterated: steps dropped, then steps kept.

    Attributes:
        stop: "length", or "converged": a map's cell ends when a step is no longer than the
            tolerance, which is the residual g(x) - x of the state before it.
        follow: an axis whose values are taken one after the other, each cell starting where the
            one before it ended.
        kinds: whether the kind of the point that a solver converged to is told.
    """

    transient: int = 0
    length: int = 1000
    stop: Literal["length", "converged"] = "length"
    tolerance: float = 1e-10
    follow: str | None = None
    kinds: bool = True

    @property
    def steps(self) -> int:
        """All of them."""
        return self.transient + self.length


class Seen(NamedTuple):
    """What the loop shows of one cell after n steps.

    Attributes:
        state: {component: its value}.
        probe: what the solver tells of it.
        running: whether the cell had not ended before this step.
        push: tangent of the point before the step -> tangent after it (the step's `jvp`); None
            where no fold asks for it.
        transient: whether this step is one of the transient.
        parameters: {name: its value} in this cell.
        before: the state before the step; None where no step has been taken.
        point: {name: value} what the next step depends on: the state, and the last step of a
            solver with inertia.
        iteration: the cell's; None where a state is recorded.
    """

    n: Any
    state: dict[str, Any]
    probe: dict[str, Any]
    running: Any
    push: Callable[[Any], Any] | None = None
    transient: bool = False
    parameters: Mapping[str, Any] = MappingProxyType({})
    before: dict[str, Any] | None = None
    point: Mapping[str, Any] = MappingProxyType({})
    iteration: Iteration | None = None


class End(NamedTuple):
    """What is left when the loop has ended, for one cell.

    Attributes:
        parts: [parts + 1, ...] what this fold's `part` gave before the first of equal parts of the
            length and after each; of no parts where the length is too short.
        span: steps of one of them.
    """

    seen: Seen
    status: Any
    iteration: Iteration
    carry: Any
    parts: Any = None
    span: int = 0


class Again(NamedTuple):
    """A second look at some cells, by an analysis of its own.

    Attributes:
        doubts: {variable: [c, ...]} -> [c] the cells that call for it, in NumPy.
        analysis: the name of the analysis, whose results take the place of the first.
        settings: its.
        iterate: how long the cells are iterated, from their start again.
    """

    doubts: Callable[[Mapping[str, np.ndarray]], np.ndarray]
    analysis: str
    settings: Mapping[str, Any]
    iterate: Iterate


class Sequel(NamedTuple):
    """What some cells do after the loop, each for a time of its own.

    Attributes:
        takes: results of the loop that it needs, which are no variables.
        cost: of those, {name: [c, ...]} -> [c] about how long a cell takes, in NumPy; 0 where it
            has nothing to do.
        find: (iteration, {name: value} of those) -> {variable: value}, of one cell.
        gives: the variables.
        company: cells that go together, as many as their arrays let; a sum over many numbers of a
            cell has the same bits in every such company, whatever the blocks are.
    """

    takes: tuple[str, ...]
    cost: Callable[[Mapping[str, np.ndarray]], np.ndarray]
    find: Callable[[Iteration, Mapping[str, Any]], dict[str, Any]]
    gives: tuple[str, ...]
    company: int = 256


@dataclass(frozen=True, eq=False)
class Fold:
    """An analysis ready for the loop; functions of one cell.

    Attributes:
        init: what is seen before the first step -> the accumulator.
        open: accumulator -> working accumulator, before a few steps that are taken together.
        update: (working accumulator, what is seen) -> working accumulator, after each step.
        settle: working accumulator -> working accumulator, every fourth step or sooner.
        close: working accumulator -> accumulator, after those steps.
        finish: (accumulator, end) -> {variable: value}, for `finished`.
        done: (accumulator, status) -> whether it has seen enough of its cell; None where it never
            has. A cell leaves the loop when every fold is done with it; until then, what a fold
            that is done has kept stays as it is.
        part: accumulator -> what is noted of it between two parts of the length.
        parts: how many parts at most; 0 where none are wanted.
        span: their steps, where these are given.
        dynamics: whether it studies the iteration, which goes on where a cell has ended, and not
            what the cell came to.
        tangent: whether `update` pushes tangents.
        transient: what of the transient it looks at as well; the last of it is `ALIGNING` steps.
        record: what is seen -> {variable: value}, for `recorded`, whose first dimension is the
            iteration: at transient + every, + 2 every, ... and at 0 where there is no transient.
        sequels: what follows the loop for some cells.
        again: second looks, one after the other.
        holds: real numbers of one cell that it keeps on the way, if these are many.
    """

    finished: tuple[Variable, ...] = ()
    recorded: tuple[Variable, ...] = ()
    every: int = 1
    init: Callable[[Seen], Any] = lambda seen: ()
    open: Callable[[Any], Any] = lambda kept: kept
    update: Callable[[Any, Seen], Any] = lambda kept, seen: kept
    settle: Callable[[Any], Any] = lambda kept: kept
    close: Callable[[Any], Any] = lambda kept: kept
    finish: Callable[[Any, End], dict[str, Any]] = lambda kept, end: {}
    record: Callable[[Seen], dict[str, Any]] = lambda seen: {}
    done: Callable[[Any, Any], Any] | None = None
    part: Callable[[Any], Any] = lambda kept: ()
    parts: int = 0
    span: int = 0
    dynamics: bool = False
    tangent: bool = False
    transient: Literal["all", "last", "none"] = "all"
    sequels: tuple[Sequel, ...] = ()
    again: tuple[Again, ...] = ()
    holds: int = 0

    def looks(self, phase: Phase) -> bool:
        """Whether it looks at the steps of a phase."""
        phases = {"settling": "all", "aligning": "all last", "keeping": "all last none"}
        return self.transient in phases[phase].split()
