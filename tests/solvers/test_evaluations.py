"""The work of solvers, counted in evaluations of the residual and products with its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from pipeline.config.names import RESULTS
from pipeline.solvers.descent import Move
from tests.runs import run

Told = Mapping[str, np.ndarray]
# Lanczos's steps at the end of a trust_region run, in two dimensions.
LOOKED = 2


def trials(told: Told) -> np.ndarray:
    """Of an Armijo search: one more than it contracted."""
    return told["backtracks"] + 1


# (solver with settings, evaluations of the start, those of each step from what it tells), in two
# dimensions: what each module says that a step costs.
COSTS: list[tuple[dict[str, Any], int, Callable[[Told], Any]]] = [
    ({"name": "gradient", "step": 0.1}, 1, lambda told: 1),
    ({"name": "gradient_armijo", "step": 0.1}, 1, lambda told: 1 + trials(told)),
    ({"name": "gradient_exact"}, 1, lambda told: 2 + 2 * told["line_trials"]),
    ({"name": "nesterov", "step": 0.05, "momentum": 0.3}, 1, lambda told: 2),
    ({"name": "steffensen"}, 1, lambda told: 2),
    ({"name": "secant", "first_step": 0.1}, 1, lambda told: 1),
    ({"name": "chord"}, 1 + 2, lambda told: 1),
    ({"name": "newton"}, 1, lambda told: 1 + 2),
    ({"name": "halley"}, 1, lambda told: 1 + 2 * 2),
    (
        {"name": "newton_cg", "preconditioner": "jacobi", "probes": 3, "warm_start": "last"},
        1,
        lambda told: 1 + told["hessian_products"] + told["line_trials"],
    ),
    ({"name": "newton_cg", "line_search": "none"}, 1, lambda told: 1 + told["hessian_products"]),
    ({"name": "trust_region"}, 1, lambda told: 2 + told["hessian_products"]),
    ({"name": "sgd", "step": 0.1}, 1, lambda told: 1),
    ({"name": "bfgs"}, 1, lambda told: 2),
    ({"name": "optimistix_newton"}, 1, lambda told: 2 + 2),
    ({"name": "optimistix_chord"}, 1 + 2, lambda told: 2),
    ({"name": "nelder_mead"}, 1, lambda told: np.r_[2 + 2, np.full(len(told["step_norm"]) - 1, 3)]),
]


@pytest.mark.parametrize(("solver", "start", "step"), COSTS, ids=[c[0]["name"] for c in COSTS])
def test_each_step_counts_what_it_takes(solver, start, step):
    """On the seed quadratic, of two dimensions; all of them together are the result."""
    ds = run(objective="seed_quadratic", solver=solver, analysis={"history": {}}, length=40)
    steps = int(ds["steps"])
    told = {str(name): ds[name].values[1 : steps + 1] for name in ds.data_vars if ds[name].ndim}
    cost = ds["step_evaluations"].values
    expected = np.broadcast_to(step(told), steps).copy()
    if solver["name"] == "trust_region":
        expected[-1] += LOOKED
    assert cost[0] == start
    assert cost[1 : steps + 1].tolist() == expected.tolist()
    assert (cost[steps + 1 :] == -1).all()
    assert int(ds["evaluations"]) == start + expected.sum()


@pytest.mark.parametrize(
    ("solver", "each"),
    [
        # J^T r is a product more than the residual; and J^T J v is two products.
        ({"name": "gradient", "step": 0.1}, lambda told: 2),
        (
            {"name": "newton_cg"},
            lambda told: 2 + 2 * told["hessian_products"] + 2 * told["line_trials"],
        ),
        ({"name": "aitken"}, lambda told: 2),
    ],
)
def test_maps_take_products_with_the_transpose_too(solver, each):
    """Row 10: the seed map from 0."""
    ds = run(map="quadratic", solver=solver, analysis={"history": {}}, length=10)
    steps = int(ds["steps"])
    told = {str(name): ds[name].values[1 : steps + 1] for name in ds.data_vars if ds[name].ndim}
    cost = ds["step_evaluations"].values[1 : steps + 1]
    assert cost.tolist() == np.broadcast_to(each(told), steps).tolist()


@pytest.mark.parametrize(
    ("name", "start", "beside"),
    [("gauss_newton", 1, "line_trials"), ("levenberg_marquardt", 1 + 2, "")],
)
def test_least_squares_take_two_products_a_step(name, start, beside):
    """J v and J^T v of each inner step, J^T r before them; a trial, or those of the search."""
    ds = run(objective="beale", solver=name, analysis={"history": {}}, length=5)
    steps = int(ds["steps"])
    inner = ds["inner_steps"].values[1 : steps + 1]
    tried = ds[beside].values[1 : steps + 1] if beside else 1
    cost = ds["step_evaluations"].values
    assert cost[0] == start
    assert cost[1 : steps + 1].tolist() == (1 + tried + 1 + 2 * inner).tolist()


def test_a_step_that_says_nothing_counts_one():
    """The evaluation at its end."""
    assert Move(0.0).evaluations == 1


def test_the_counts_have_their_names_to_themselves():
    assert {"evaluations", "step_evaluations"} <= RESULTS
