"""How solvers end: the status of a cell, and what it never is."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.status import CriticalKind, Status
from tests.runs import experiment, run

# Exact identities.
ROUNDING = 1e-12


def test_a_start_at_the_solution_takes_no_step() -> None:
    """Everything is known at step 0, and the other cell goes on."""
    ds = run(
        objective="rosenbrock",
        solver="newton",
        grid={"x0": [1, -1.2], "y0": [1]},
        analysis={"orbit": {}, "history": {}, "final": {}},
        length=8,
    ).isel(y0=0)
    there = ds.sel(x0=1)
    assert int(there["status"]) == Status.converged
    assert int(there["steps"]) == 0
    assert int(there["critical_kind"]) == CriticalKind.minimum
    assert float(there["residual_norm_final"]) == 0
    assert float(there["objective_final"]) == 0
    assert there["objective_value"].values[0] == 0
    assert np.isnan(there["step_norm"].values).all()
    assert np.isnan(there["objective_value"].values[1:]).all()
    assert (there["x"] == 1).all()
    assert np.isnan(float(there["convergence_order"]))
    assert np.isnan(float(there["convergence_rate"]))
    assert int(ds["steps"].sel(x0=-1.2)) > 3


def test_the_ends_of_gradient_descent() -> None:
    """One program, four ends: unbounded below, the limit, converged, not a number."""
    f = {
        "expression": "a*x**2 + b*log(x)",
        "parameters": {"a": 1, "b": 0},
        "initial": {"x": 1},
    }
    cases = [
        [-1, 0, 1],  # -x^2 has no bottom
        [1e-6, 0, 1],  # so flat that the limit comes first
        [0.5, 0, 1],
        [0.5, 1, 0.01],  # the logarithm pulls x below 0
        [0.5, 0, -1],  # the logarithm of a negative number is none from the start
    ]
    ds = run(
        objective=f,
        solver={"name": "gradient", "step": 0.2},
        grid={"case": {"of": ["a", "b", "x0"], "values": cases}},
        analysis={"history": {}},
        length=400,
    )
    ends = [Status.unbounded_objective, Status.iteration_limit, Status.converged]
    assert ds["status"].values.tolist() == [*ends, Status.escaped, Status.escaped]
    # x grows by 1.4 a step, and its square passes 1e20: 1.4^n > 1e10.
    assert int(ds["steps"][0]) == int(np.ceil(10 / np.log10(1.4)))
    assert float(ds["objective_final"][0]) < -1e20
    assert int(ds["steps"][1]) == 400
    assert ds["steps"].values[4] == 0
    # Kinds and rates are told of what converged alone.
    assert ds["critical_kind"].values.tolist() == [0, 0, CriticalKind.minimum, 0, 0]
    assert np.isfinite(ds["convergence_rate"].values).tolist() == [False, False, True, False, False]


def test_small_steps_are_no_convergence() -> None:
    """A step of 1e-17 moves nothing: stalled, with the gradient of the start."""
    ds = run(
        objective="seed_quadratic",
        solver={"name": "gradient", "absolute_tolerance": 1e-8, "relative_tolerance": 0},
        grid={
            "step": {"of": "solver.step", "values": [1e-19, 1e-10, 0.1]},
            "x0_0": [1],
            "x0_1": [1],
        },
        length=200,
    ).squeeze()
    ends = [Status.stalled, Status.iteration_limit, Status.converged]
    assert ds["status"].values.tolist() == ends
    # The gradient at (1, 1) is 2 A (2, 6).
    assert ds["residual_norm_final"].values[:2] == pytest.approx(np.hypot(36, 92), rel=1e-6)
    assert ds["steps"].values[0] == 1


def test_single_precision_stalls_where_double_converges() -> None:
    """x^3/3 - 2x: near sqrt 2 the gradient x^2 - 2 of a float32 is 4e-8 at least."""
    f = {"expression": "x**3/3 - 2*x", "initial": {"x": 1}}
    ends = {}
    for precision in ("single", "double"):
        ds = run(
            objective=f,
            solver={"name": "gradient", "step": 0.1, "absolute_tolerance": 1e-9},
            length=500,
            device={"precision": precision},
        )
        ends[precision] = int(ds["status"])
        # A float32 stalls at a step, 0.1 times 2 sqrt 2 times the error, of two units in its last
        # place, 2.4e-7 times sqrt 2.
        tolerance = 1.2e-6 if precision == "single" else 1e-8
        assert float(ds["x_final"]) == pytest.approx(np.sqrt(2), abs=tolerance)
        assert int(ds["steps"]) < 200
    assert ends == {"single": Status.stalled, "double": Status.converged}


def test_a_solver_on_a_map_escapes_beyond_its_radius() -> None:
    """exp(-x) has no root: Newton's x grows by 1 a step until it passes the radius of 5."""
    g = {"equations": {"x": "x + exp(-x)"}, "initial": {"x": 0.5}, "escape_radius": 5}
    ds = run(map=g, solver={"name": "newton", "relative_tolerance": 0}, analysis={"orbit": {}})
    assert int(ds["status"]) == Status.escaped
    assert int(ds["steps"]) == 5
    # It stays where it ended.
    x = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, *[5.5] * 5]
    assert ds["x"].values == pytest.approx(x, abs=ROUNDING)


def test_tolerances_are_numbers_of_the_program() -> None:
    """Either tolerance ends a run, the absolute one or the fraction of the first residual."""
    pairs = [[1e-3, 0], [0, 1e-3], [1e-3, 1e-3]]
    f = {"expression": "50*x**2", "initial": {"x": 1}}
    ds = run(
        objective=f,
        solver={"name": "gradient", "step": 0.005},
        grid={
            "pair": {
                "of": ["solver.absolute_tolerance", "solver.relative_tolerance"],
                "values": pairs,
            }
        },
        length=50,
    )
    # The residual 100 x halves at each step: below 1e-3 after 17, below 0.1 after 10.
    assert ds["steps"].values.tolist() == [17, 10, 10]
    assert ds["residual_norm_final"].values == pytest.approx(100 * 0.5 ** ds["steps"].values)


def test_a_solver_needs_no_analysis() -> None:
    """What it came to is always told; an orbit is not."""
    found = experiment(objective="rosenbrock", solver="newton")
    names = {v.name for fold in found.folds() for v in (*fold.finished, *fold.recorded)}
    assert names == {
        "x_final",
        "y_final",
        "objective_final",
        "residual_norm_final",
        "steps",
        "evaluations",
        "convergence_order",
        "convergence_rate",
        "critical_kind",
    }
