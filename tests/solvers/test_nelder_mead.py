"""Nelder and Mead's simplex, against its rules by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from pipeline.status import Status
from tests.runs import experiment
from tests.solvers.together import Path, together

# Some steps of the same arithmetic; comparisons of values decide alike.
ROUNDING = 1e-9
# Differences of values tell x to the root of rounding, times the condition.
CONVERGED = 1e-5
ROSENBROCK = {"expression": "100*(y - x**2)**2 + (1 - x)**2", "initial": {"x": -1.2, "y": 1.0}}
# From three dimensions on, optimistix alone begins with a flat simplex and finds (1, 3, 3, 3).
APART = {"expression": "norm(x - arange(1, 5))**2", "initial": {"x": {"value": 0.5, "size": 4}}}
KINK = {"expression": "abs(x - 0.3) + 2*abs(y) + x**2", "initial": {"x": 1.0, "y": 0.7}}
STEPS, COMPARED = 300, 40


@pytest.fixture(scope="module")
def paths() -> dict[str, Path]:
    given = {"rosenbrock": ROSENBROCK, "apart": APART, "kink": KINK}
    runs = {key: experiment(objective=g, solver="nelder_mead") for key, g in given.items()}
    return together(runs, STEPS)[0]


def by_hand(f: Callable[[Any], float], simplex: np.ndarray) -> Iterator[np.ndarray]:
    """Each simplex, the best vertex first, as it expands, reflects, contracts or shrinks."""
    while True:
        simplex = simplex[np.argsort([f(v) for v in simplex], kind="stable")]
        yield simplex
        best, second, worst = (f(simplex[k]) for k in (0, -2, -1))
        ahead = simplex[:-1].mean(axis=0) - simplex[-1]
        reflected = f(simplex[-1] + 2 * ahead)
        length = 2.0
        if reflected < best:
            length = 3.0
        elif reflected > second:
            length = 0.5 if reflected > worst else 1.5
        moved = simplex[-1] + length * ahead
        if f(moved) > worst:
            simplex = simplex[0] + (simplex - simplex[0]) / 2
        else:
            simplex = np.concatenate([simplex[:-1], [moved]])


def test_its_vertices_are_those_of_the_rules(paths: dict[str, Path]) -> None:
    path = paths["rosenbrock"]
    # Each edge is 5 % of the entry, and 1/4000.
    first = np.array([[-1.2, 1.0], [-1.13975, 1.0], [-1.2, 1.05025]])
    ways = by_hand(lambda v: 100 * (v[1] - v[0] ** 2) ** 2 + (1 - v[0]) ** 2, first)
    for n, simplex in zip(range(1, COMPARED), ways, strict=False):
        np.testing.assert_allclose(path.u[n], simplex[0], rtol=ROUNDING)
        size = np.linalg.norm(simplex - simplex[0], axis=1).max()
        assert path.told["simplex_size"][n] == pytest.approx(size, rel=ROUNDING)


def test_it_finds_minima_and_never_climbs(paths: dict[str, Path]) -> None:
    for key, minimum in {"rosenbrock": [1, 1], "apart": [1, 2, 3, 4]}.items():
        path = paths[key]
        assert path.status[-1] == Status.converged
        assert np.abs(path.u[-1] - minimum).max() < CONVERGED
        assert (np.diff(path.told["objective_value"]) <= 0).all()


def test_a_simplex_without_size_has_stalled(paths: dict[str, Path]) -> None:
    """At a kink there is no gradient that could become small."""
    path = paths["kink"]
    assert path.status[-1] == Status.stalled
    np.testing.assert_allclose(path.u[-1], [0.3, 0], atol=CONVERGED)
    assert path.told["simplex_size"][-1] < ROUNDING
