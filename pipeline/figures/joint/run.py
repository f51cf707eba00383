"""The runs of a sweep as a joint figure sees them: what tells them apart, and how they ended."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import view, words
from pipeline.status import CriticalKind, Status

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, eq=False)
class Run:
    """A run: an archive's own, or one of those that a sweep joins.

    Attributes:
        labels: {what was swept: its value}; empty for an archive's own.
        data: its dataset, with the document among the attributes.
        error: why it failed, if it did.
        costs: {job_run_seconds, ...: what it took}, where that is known.
    """

    labels: Mapping[str, str]
    data: xarray.Dataset
    error: str = ""
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The labels as text."""
        return ", ".join(f"{label} = {value}" for label, value in self.labels.items())

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """Read once; empty where there is none."""
        return view.document(self.data)


def named(run: Run, labels: Iterable[str]) -> str:
    """Some of a run's labels for a reader: one that is a word stands for itself."""
    shown = []
    for label in labels:
        text = run.labels.get(label, "")
        held = number(text)
        value = words.plain(text) if held is None else f"${words.value(held)}$"
        shown.append(value if held is None else f"{words.plain(label)} {value}")
    return ", ".join(shown)


def number(text: str) -> float | None:
    """A label's number, None where it is a word."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def varying(runs: Sequence[Run]) -> list[str]:
    """The labels that are not the same in all runs."""
    every = dict.fromkeys(label for run in runs for label in run.labels)
    return [name for name in every if len({run.labels.get(name) for run in runs}) > 1]


def competing(runs: Sequence[Run]) -> list[str]:
    """The labels that tell solvers apart: of runs with equal solvers each has one value."""
    values: dict[str, dict[str, set[str]]] = {}
    for run in runs:
        if run.error:
            continue
        solver = repr(sorted(view.section(run.document, "solver").items(), key=str))
        for label, value in run.labels.items():
            values.setdefault(label, {}).setdefault(solver, set()).add(value)
    apart = varying(runs)
    return [
        label
        for label, found in values.items()
        if label in apart and len(found) > 1 and all(len(held) == 1 for held in found.values())
    ]


def endings(run: Run) -> tuple[np.ndarray, list[str]]:
    """How a run's cells ended.

    Returns:
        ([cells] status, for each cell why it is no success: its status where it has not converged,
        the kind of its point where that is not what is sought; empty where it is one).
    """
    axes = [axis.name for axis in view.read(run.data).axes]
    status = run.data["status"].transpose(*axes).values.ravel()
    kinds = np.zeros(status.shape, int)
    if "critical_kind" in run.data:
        kinds = run.data["critical_kind"].transpose(*axes).values.ravel()
    objective = view.section(run.document, "objective")
    rising = str(objective.get("sense", "")).startswith("max")
    # A degenerate point may be what is sought, and so may one of which nothing is known.
    worst = CriticalKind.minimum if rising else CriticalKind.maximum
    ends = []
    for code, kind in zip(status, kinds, strict=True):
        end = "" if code == Status.converged else Status(code).name.replace("_", " ")
        if not end and kind in (CriticalKind.saddle, worst):
            end = CriticalKind(kind).name
        ends.append(end)
    return status, ends
