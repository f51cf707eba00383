"""Analyses: folds, searches and surveys. A new one is a module and an entry of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.analyses import (
    autocorrelation,
    basin,
    bifurcation_curves,
    bifurcations,
    continuation,
    convergence,
    correlation_dimension,
    cycles,
    density,
    escape,
    expansion_entropy,
    final,
    gali,
    history,
    lyapunov,
    manifolds,
    orbit,
    period,
    record,
    recurrence,
    rotation,
    sensitivity,
    spectrum,
    statistics,
    stopping,
    zero_one,
)
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import ALIGNING, Again, End, Fold, Iterate, Phase, Seen, Sequel
from pipeline.analyses.search import Search

__all__ = [
    "ALIGNING",
    "TABLE",
    "Again",
    "Analysis",
    "End",
    "Fold",
    "Iterate",
    "Phase",
    "Search",
    "Seen",
    "Sequel",
    "Subject",
    "extended",
    "folds",
    "searches",
]

_FOLDS = (
    orbit, final, record, statistics, density, lyapunov, period, rotation, sensitivity, escape,
    history,
)  # fmt: skip
_INDICATORS = (
    autocorrelation, spectrum, recurrence, correlation_dimension, zero_one, gali,
)  # fmt: skip
_SEARCHES = (
    basin, cycles, manifolds, continuation, bifurcations, bifurcation_curves, expansion_entropy,
)  # fmt: skip
TABLE: dict[str, Analysis] = {
    module.ANALYSIS.name: module.ANALYSIS for module in (*_FOLDS, *_INDICATORS, *_SEARCHES)
}


def folds(subject: Subject, chosen: Mapping[str, Mapping[str, Any]]) -> tuple[Fold, ...]:
    """The folds of a run: those chosen, and with a solver that seeks something what it came to."""
    wanted = dict(chosen)
    for name in chosen:
        wanted |= {need: {} for need in TABLE[name].needs if need not in wanted}
    if subject.solver.freezes:
        wanted.setdefault("final", {})
    own = {module.ANALYSIS.name for module in (*_FOLDS, *_INDICATORS)}
    every = {name: TABLE[name].build(subject, wanted[name]) for name in wanted if name in own}
    built = {name: fold for name, fold in every.items() if isinstance(fold, Fold)}
    if "period" in built and "lyapunov" in built:
        # It needs exponents, and shares these.
        exponents = built.pop("lyapunov")
        built["period"] = period.build(subject, wanted["period"], exponents)
    if subject.solver.freezes:
        built["convergence"] = convergence.build(subject, {})
    elif subject.iterate.stop == "converged":
        built["stopping"] = stopping.build(subject, {})
    return tuple(built.values())


def searches(subject: Subject, chosen: Mapping[str, Mapping[str, Any]]) -> tuple[Search, ...]:
    """The searches of a run, which come after the loop."""
    within = {other for name in chosen for other in extended(name)}
    built: list[Fold | Search] = []
    for name, settings in chosen.items():
        if name not in within:
            more = [chosen[other] for other in extended(name)]
            built.append(TABLE[name].build(subject, settings, *more))
    return tuple(search for search in built if isinstance(search, Search))


def extended(name: str) -> Iterator[str]:
    """What an analysis extends, what that extends, and so on."""
    if extends := TABLE[name].extends:
        yield extends
        yield from extended(extends)
