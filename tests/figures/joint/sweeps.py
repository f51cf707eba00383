"""Runs of sweeps as the joint figures take them, written down rather than computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.figures.joint import Run
from pipeline.status import CriticalKind, Status
from tests.figures.datasets import dataset


def run(
    solver: str,
    *,
    objective: str = "valley",
    status: Status = Status.converged,
    kind: CriticalKind = CriticalKind.minimum,
    value: float = 0.0,
    steps: int = 3,
    evaluations: int = 10,
    residual: Sequence[float] = (),
    labels: dict[str, str] | None = None,
    error: str = "",
    costs: dict[str, float] | None = None,
    **problem: Any,
) -> Run:
    """The run of a solver on an objective of one cell; with a history where residuals are given."""
    described = {
        "objective": {
            "name": objective,
            "expression": "(x - 1)**2",
            "sense": "minimise",
            "parameters": {},
            "initial": {"x": 0},
            **problem,
        },
        "solver": {"name": solver, "absolute_tolerance": 1e-10, "relative_tolerance": 1e-8},
    }
    results: dict[str, Any] = {
        "status": ((), np.int8(status)),
        "objective_final": ((), value),
        "steps": ((), np.int32(steps)),
        "evaluations": ((), np.int32(evaluations)),
        "critical_kind": ((), np.int8(kind)),
    }
    coordinates = {}
    if len(residual):
        row = np.full(20, np.nan)
        row[: len(residual)] = residual
        cost = np.where(np.isnan(row), -1, 2).astype(np.int32)
        coordinates = {"step_number": np.arange(20)}
        results["residual_norm"] = (("step_number",), row)
        results["step_evaluations"] = (("step_number",), cost)
    labels = {"objective": objective, "solver": solver} if labels is None else labels
    data = dataset(None if error else described, coordinates, results)
    return Run(labels, data, error, costs or {})
