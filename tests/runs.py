"""What the tests run: documents without Hydra, computed in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray
import yaml

from pipeline import config, dataset, job, preparation
from pipeline.experiment import Experiment

# A command line whose run takes no time.
SMALL = ("experiment=orbit", "map=henon", "iterate.length=20", "grid={a: [1.2, 1.4]}")
CONF = Path(__file__).resolve().parents[1] / "conf"


def shipped(group: str, name: str, **parts: Any) -> dict[str, Any]:
    """The description of a shipped map or objective, with other parameters, starts, ..."""
    described = yaml.safe_load((CONF / group / f"{name}.yaml").read_text(encoding="utf-8"))
    for key, value in parts.items():
        old = described.get(key)
        described[key] = {**old, **value} if isinstance(old, dict) else value
    return described


def document(
    *,
    map: str | Mapping[str, Any] | None = None,
    objective: str | Mapping[str, Any] | None = None,
    solver: str | Mapping[str, Any] = "direct",
    analysis: Mapping[str, Any] | None = None,
    length: int = 10,
    transient: int = 0,
    **sections: Any,
) -> dict[str, Any]:
    """A document; a map, an objective or a solver may be named or described."""
    problem = {"map": map, "objective": objective}
    chosen = {
        group: shipped(group, given) if isinstance(given, str) else given
        for group, given in problem.items()
        if given is not None
    }
    default = {"orbit": {}} if solver == "direct" else {}
    return {
        **chosen,
        "solver": {"name": solver} if isinstance(solver, str) else dict(solver),
        "analysis": default if analysis is None else analysis,
        "iterate": {"transient": transient, "length": length},
        "figure": {"name": "none"},
        **sections,
    }


def experiment(**parts: Any) -> Experiment:
    """The experiment of a document, checked."""
    return config.read(document(**parts))


def compute(found: Experiment) -> xarray.Dataset:
    """Its dataset, in memory."""
    layout, plan = preparation.prepare(found)
    call, _ = job.compiled(found, plan)
    arrays = dataset.fill(layout, job.blocks(found, plan, call))
    arrays |= job.searched(found, lambda name, index: arrays[name][index])
    return dataset.assemble(layout, arrays)


def run(**parts: Any) -> xarray.Dataset:
    """The dataset of a document."""
    return compute(experiment(**parts))
