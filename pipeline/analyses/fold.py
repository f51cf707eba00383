"""Folds: analyses that look at every step of the one loop that serves them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.settings import Settings
from pipeline.solvers import Iteration, Solver


@dataclass(frozen=True)
class Iterate:
    """How long a cell is iterated: steps dropped, then steps kept."""

    transient: int = 0
    length: int = 1000

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
    """

    n: Any
    state: dict[str, Any]
    probe: dict[str, Any]
    running: Any


class End(NamedTuple):
    """What is left when the loop has ended, for one cell."""

    seen: Seen
    status: Any
    iteration: Iteration
    carry: Any


@dataclass(frozen=True, eq=False)
class Fold:
    """An analysis ready for the loop; functions of one cell.

    Attributes:
        init: what is seen before the first step -> the accumulator.
        update: (accumulator, what is seen) -> accumulator, after each step.
        finish: (accumulator, end) -> {variable: value}, for `finished`.
        record: what is seen -> {variable: value}, for `recorded`, whose first dimension is the
            iteration: at transient + every, + 2 every, ... and at 0 where there is no transient.
    """

    finished: tuple[Variable, ...] = ()
    recorded: tuple[Variable, ...] = ()
    every: int = 1
    init: Callable[[Seen], Any] = lambda seen: ()
    update: Callable[[Any, Seen], Any] = lambda kept, seen: kept
    finish: Callable[[Any, End], dict[str, Any]] = lambda kept, end: {}
    record: Callable[[Seen], dict[str, Any]] = lambda seen: {}


class Subject(NamedTuple):
    """What an analysis is asked to study."""

    problem: Map | Objective
    solver: Solver
    iterate: Iterate


@dataclass(frozen=True, eq=False)
class Analysis:
    """One entry of the table of analyses.

    Attributes:
        build: (subject, its settings) -> the fold.
        refuse: subject -> why it cannot be studied, None if it can.
    """

    name: str
    build: Callable[[Subject, Mapping[str, Any]], Fold]
    settings: Settings = field(default_factory=dict)
    refuse: Callable[[Subject], str | None] = lambda subject: None
