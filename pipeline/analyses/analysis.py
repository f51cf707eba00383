"""An analysis: one entry of the table, and what it is asked to study."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.analyses.fold import Fold, Iterate
from pipeline.analyses.search import Search
from pipeline.errors import ExpressionError
from pipeline.grid import Grid
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.settings import Settings
from pipeline.solvers import Solver


class Subject(NamedTuple):
    """What an analysis is asked to study."""

    problem: Map | Objective
    solver: Solver
    iterate: Iterate
    grid: Grid = ()


@dataclass(frozen=True, eq=False)
class Analysis:
    """One entry of the table of analyses.

    Attributes:
        build: (subject, its settings) -> the fold or the search.
        refuse: subject -> why it cannot be studied, None if it can.
        faults: (subject that is not refused, settings of the right kinds) -> those that do not suit
            the subject, each as (setting, what would be right or what is wrong with its formula);
            the settings of what it extends come after its own.
        needs: analyses whose results it reads, which are chosen with it.
        extends: a search that it does as well and does more with, of which the document has the
            settings; its own `build` takes them after its own, and those of what that extends.
    """

    name: str
    build: Callable[..., Fold | Search]
    settings: Settings = field(default_factory=dict)
    refuse: Callable[[Subject], str | None] = lambda subject: None
    faults: Callable[..., Iterable[tuple[str, str | ExpressionError]]] = lambda *_: ()
    needs: tuple[str, ...] = ()
    extends: str | None = None
