"""The history of a solver, row by row. Rows of the known results are named."""

from __future__ import annotations

import numpy as np
import pytest
import xarray

from pipeline.errors import ConfigError
from pipeline.status import Status
from tests.runs import experiment, run

# Exact identities.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def ds() -> xarray.Dataset:
    """Steps of conjugate gradients to (x - 1)^2 + y^2 (one), x^4 + y^2 (many) and not at all."""
    return run(
        objective={
            "expression": "(x - 1)**2 + k*(x - 1)**4 + y**2",
            "parameters": {"k": 0},
            "initial": {"x": 0, "y": 1},
        },
        solver={"name": "newton_cg", "relative_tolerance": 0},
        grid={"k": [0, 0.5], "x0": [1, 3], "y0": [0]},
        analysis={"history": {}},
        length=12,
    ).isel(y0=0)


def test_it_begins_with_the_start(ds: xarray.Dataset) -> None:
    """Row 0 is of x_0: there is no step yet."""
    assert (ds["step_number"] == np.arange(13)).all()
    assert ds["objective_value"].values[..., 0].tolist() == [[0, 4], [0, 12]]
    assert ds["residual_norm"].values[..., 0].tolist() == [[0, 4], [0, 20]]
    assert np.isnan(ds["step_norm"].values[..., 0]).all()
    assert (ds["inner_steps"].values[..., 0] == 0).all()


def test_it_ends_with_the_cell(ds: xarray.Dataset) -> None:
    """NaN, or -1 of a count, from the step after the last one on."""
    assert (ds["status"] == Status.converged).all()
    steps = ds["steps"]
    assert steps.values[:, 0].tolist() == [0, 0]
    assert int(steps[0, 1]) == 1
    assert 4 <= int(steps[1, 1]) <= 10
    over = ds["step_number"] > steps
    for name in ("objective_value", "residual_norm"):
        assert (np.isnan(ds[name]) == over).all()
    assert ((ds["inner_steps"] == -1) == over).all()
    assert ds["inner_steps"].dtype == np.int32
    assert (np.isnan(ds["step_norm"]) == over | (ds["step_number"] == 0)).all()


def test_its_last_row_is_the_end(ds: xarray.Dataset) -> None:
    """What is told of the end agrees with it."""
    for k in (0, 1):
        for x in (0, 1):
            cell = ds.isel(k=k, x0=x)
            last = cell.isel(step_number=int(cell["steps"]))
            assert float(last["residual_norm"]) == float(cell["residual_norm_final"])
            assert float(last["objective_value"]) == float(cell["objective_final"])


def test_a_map_has_no_objective() -> None:
    """Row 35's equation; the steps are the differences of the orbit."""
    ds = run(
        map={"equations": {"x": "cos(x)"}, "initial": {"x": 1}},
        solver="newton",
        analysis={"history": {}, "orbit": {}},
        length=6,
    )
    assert "objective_value" not in ds
    assert "objective_final" not in ds
    x, steps = ds["x"].values, int(ds["steps"])
    assert ds["residual_norm"].values[: steps + 1] == pytest.approx(
        np.abs(np.cos(x) - x)[: steps + 1], abs=ROUNDING
    )
    assert ds["step_norm"].values[1 : steps + 1] == pytest.approx(
        np.abs(np.diff(x))[:steps], abs=ROUNDING
    )


def test_the_direct_solver_has_none() -> None:
    with pytest.raises(ConfigError, match="the direct solver seeks nothing, so it has no history"):
        experiment(map="logistic", analysis={"history": {}})
