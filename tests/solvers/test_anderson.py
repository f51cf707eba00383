"""Anderson acceleration. Rows are those of the known results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

# A linear system whose condition is about 10, solved by least squares.
ROUNDING = 1e-12
COSINE = {"equations": {"x": "cos(x)"}, "initial": {"x": 1}}


def linear(dimension: int) -> tuple[dict[str, Any], np.ndarray]:
    """A map x -> M x + b with multipliers on both sides of 1, and its fixed point."""
    random = np.random.default_rng(dimension)
    matrix = random.normal(size=(dimension, dimension)) / np.sqrt(dimension)
    b = random.normal(size=dimension)
    g = {
        "equations": {"x": "M @ x + b"},
        "parameters": {"M": matrix.tolist(), "b": b.tolist()},
        "initial": {"x": {"value": 0, "size": dimension}},
    }
    return g, np.linalg.solve(np.eye(dimension) - matrix, b)


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_a_linear_map_ends_at_step_m_plus_one(dimension: int) -> None:
    """Row 52: exact there and not before; the memory grows by one a step."""
    g, fixed = linear(dimension)
    ds = run(
        map=g,
        solver={"name": "anderson", "memory": dimension, "restart": 1e6},
        analysis={"orbit": {}, "history": {}},
        length=20,
    )
    distance = np.linalg.norm(ds["x"].values - fixed, axis=1) / np.linalg.norm(fixed)
    assert distance[dimension] > 1e-6
    assert distance[dimension + 1] < ROUNDING
    assert int(ds["steps"]) == dimension + 1
    assert ds["memory_used"].values[: dimension + 2].tolist() == [0, *range(dimension + 1)]


def test_one_difference_is_the_secant_method() -> None:
    """In one dimension; more differences than dimensions are not kept."""
    runs = [
        run(
            map=COSINE,
            solver={"name": "anderson", "memory": memory, "relative_tolerance": 0},
            analysis={"orbit": {}, "history": {}},
            length=12,
        )
        for memory in (1, 5)
    ]
    x = [1.0, np.cos(1.0)]
    for _ in range(3):
        r = np.cos(x[-2:]) - x[-2:]
        x.append(x[-1] - r[1] * (x[-1] - x[-2]) / (r[1] - r[0]))
    for ds in runs:
        assert ds["x"].values[:5] == pytest.approx(x, abs=ROUNDING)
        assert int(ds["memory_used"].max()) == 1
        # Row 35.
        assert float(ds["x_final"]) == pytest.approx(0.7390851332151607, abs=1e-10)


def test_a_restart_goes_back_to_the_best_state() -> None:
    """x + 1 - exp(x) from -3: the secant goes to where exp(x) is 4e6, and the way back is slow.

    Numbers of the solver are swept beside starts.
    """
    ds = run(
        map={"equations": {"x": "x + 1 - exp(x)"}, "initial": {"x": 3}},
        solver={"name": "anderson", "memory": 1},
        grid={
            "restart": {"of": "solver.restart", "values": [10, 1e9]},
            "mixing": {"of": "solver.mixing", "values": [0.1, 0.5]},
            "x0": [-3, -1, 2, 3],
        },
        analysis={"history": {}, "orbit": {}},
        length=60,
    )
    done = (ds["status"] == Status.converged).values
    assert done[0].all()
    assert not done[1, :, 0].any()
    assert ds["x_final"].values[done] == pytest.approx(0, abs=1e-7)
    far = ds.sel(restart=10, mixing=0.1, x0=-3)
    x, used = far["x"].values, far["memory_used"].values
    assert used[:5].tolist() == [0, 0, 1, 0, 1]
    assert float(far["residual_norm"][2]) > 1e6
    # Step 3 is a plain one from x_1, step 4 combines it with the one from x_3.
    plain = 1 - np.exp(x[1])
    assert x[3] == pytest.approx(x[1] + 0.1 * plain, abs=ROUNDING)
    new = 1 - np.exp(x[3])
    assert x[4] == pytest.approx(x[3] - new * (x[3] - x[1]) / (new - plain), rel=1e-6)


def test_a_lattice_and_an_objective() -> None:
    """Vectors: row 5's uniform state where it repels, and the seed quadratic, which is linear."""
    lattice = run(
        map={
            "equations": {"x": "(1 - k)*f + k/2*(roll(f, 1) + roll(f, -1))"},
            "definitions": {"f": "a*x*(1 - x)"},
            "parameters": {"a": 3.2, "k": 0.3},
            "initial": {"x": [0.6, 0.65, 0.63, 0.66]},
        },
        solver="anderson",
        length=100,
    )
    assert lattice["x_final"].values == pytest.approx(1 - 1 / 3.2, abs=1e-8)
    assert int(lattice["fixed_point_kind"]) == FixedPointKind.saddle
    seed = run(objective="seed_quadratic", solver={"name": "anderson", "mixing": 0.05}, length=9)
    assert int(seed["steps"]) == 3
    assert seed["x_final"].values == pytest.approx([3, 7], abs=1e-8)
    assert int(seed["critical_kind"]) == CriticalKind.maximum
