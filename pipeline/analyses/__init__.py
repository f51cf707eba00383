"""Analyses: folds, searches and surveys. A new one is a module and an entry of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.analyses import convergence, escape, final, history, lyapunov, orbit, stopping
from pipeline.analyses.fold import Analysis, End, Fold, Iterate, Seen, Subject

__all__ = ["TABLE", "Analysis", "End", "Fold", "Iterate", "Seen", "Subject", "folds"]

TABLE: dict[str, Analysis] = {
    module.ANALYSIS.name: module.ANALYSIS for module in (orbit, final, lyapunov, escape, history)
}


def folds(subject: Subject, chosen: Mapping[str, Mapping[str, Any]]) -> tuple[Fold, ...]:
    """The folds of a run: those chosen, and with a solver that seeks something what it came to."""
    built = {name: TABLE[name].build(subject, settings) for name, settings in chosen.items()}
    if subject.solver.freezes:
        built.setdefault("final", final.build(subject, {}))
        built["convergence"] = convergence.build(subject, {})
    elif subject.iterate.stop == "converged":
        built["stopping"] = stopping.build(subject, {})
    return tuple(built.values())
