"""What all solvers have in common: their numbers are arguments, and both senses are served."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

from pipeline.job.structure import structure
from pipeline.solvers import TABLE, optax, optimistix
from pipeline.status import CriticalKind, Status
from tests.runs import CONF, experiment, run

SEEKING = [name for name, solver in TABLE.items() if solver.freezes]
QUADRATIC = experiment(objective="seed_quadratic", solver="newton").problem
# Those of libraries go together in few programs in tests of their own; here are some of them.
TOGETHER = {solver.name for solver in (*optax.SOLVERS, *optimistix.SOLVERS)} - {"bfgs", "amsgrad"}
OPTIMISING = [
    name
    for name, solver in TABLE.items()
    if "objective" in solver.solves and not solver.refuse(QUADRATIC) and name not in TOGETHER
]
# Residuals of 1e-4 of the first one, 119, over the least curvature, 4.3.
SINGLE = 3e-3
# What a quadratic of curvatures 4.3 to 15.7 needs.
SUITED: dict[str, dict[str, Any]] = {
    "gradient": {"step": 0.1},
    "momentum": {"step": 0.1, "momentum": 0.1},
    "nesterov": {"step": 0.06, "momentum": 0.3},
    "anderson": {"mixing": 0.1},
    "secant": {"first_step": 0.1},
    "amsgrad": {"step": 1.0},
}


@pytest.mark.parametrize("name", TABLE)
def test_the_shipped_choice_has_every_setting_at_its_default(name: str) -> None:
    described = yaml.safe_load((CONF / "solver" / f"{name}.yaml").read_text(encoding="utf-8"))
    defaults = {key: setting.default for key, setting in TABLE[name].settings.items()}
    assert described == {"name": name, **defaults}


@pytest.mark.parametrize("name", SEEKING)
def test_numbers_are_no_part_of_the_program(name: str) -> None:
    """Another value of any setting that is a number, but a size, shares the program."""
    settings = TABLE[name].settings
    numbers = {k: s.default for k, s in settings.items() if s.kind in ("number", "integer")}
    sizes = {"memory", "probes", "escape_steps"}
    assert {k for k in numbers if not settings[k].swept} <= sizes
    moved = {k: v * 0.5 if settings[k].kind == "number" else v + 1 for k, v in numbers.items()}
    moved = {k: max(v, settings[k].low or v) for k, v in moved.items() if k not in sizes}
    texts = {
        structure(experiment(map="quadratic", solver={"name": name, **given}))
        for given in ({}, moved)
    }
    assert len(texts) == 1


@pytest.mark.parametrize("name", OPTIMISING)
def test_all_find_a_maximum_in_single_precision(name: str) -> None:
    """Row 30's quadratic, a vector; a grid of starts, of a parameter and of a tolerance."""
    if name == "steffensen":
        pytest.skip("its components act on each other: tested where they do not")
    tolerances = [1e-4, 1e-2]
    ds = run(
        objective="seed_quadratic",
        solver={"name": name, "absolute_tolerance": 0, **SUITED.get(name, {})},
        grid={
            "fraction": {"of": "solver.relative_tolerance", "values": tolerances},
            "c_0": [3, -1],
            "x0_0": [0, 5],
        },
        length=2000,
        device={"precision": "single"},
    )
    assert (ds["status"] == Status.converged).all()
    assert (ds["critical_kind"] == CriticalKind.maximum).all()
    assert ds["x_final"].dtype == np.float32
    x = ds["x_final"].sel(fraction=1e-4, method="nearest")
    for c in (3, -1):
        error = x.sel(c_0=c).values - [c, 7]
        assert np.abs(error).max() < SINGLE
    assert (ds["steps"].isel(fraction=1) <= ds["steps"].isel(fraction=0)).all()
