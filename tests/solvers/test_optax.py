"""The optimisers of optax, all in one program; a few of them in whole runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.solvers import TABLE
from pipeline.solvers.optax import METHODS
from pipeline.status import Status
from tests.runs import experiment, run
from tests.solvers.together import Path, together

# Some tens of steps of the same arithmetic, compiled twice.
ROUNDING = 1e-11
# Steps whose lengths are constant, or shrink slowly, end about so far from the maximum.
NEAR = 0.1
# A residual of 1e-8 of the first one, 119, over the least curvature, 4.3.
CONVERGED = 3e-7
STEPS, COMPARED = 1500, 40
# Row 30's quadratic, whose curvatures are 4.3 and 15.7: lengths that suit it, and short memories.
BRISK = {"step": 0.1, "b2": 0.9}
SUITED: dict[str, dict[str, float]] = {
    "sgd": {"step": 0.1, "momentum": 0.1},
    "sign_sgd": {"step": 0.03},
    "signum": {"step": 0.03},
    "lion": {"step": 0.03, "weight_decay": 0.0},
    "polyak_sgd": {"f_min": -2.0},
    "optimistic_gradient_descent": {"step": 0.03},
    "adam": BRISK,
    "adamw": {**BRISK, "weight_decay": 1e-5},
    "nadam": BRISK,
    "nadamw": {**BRISK, "weight_decay": 1e-5},
    "radam": BRISK,
    "optimistic_adam": BRISK,
    "adamax": BRISK,
    "adamaxw": {**BRISK, "weight_decay": 1e-5},
    "amsgrad": {"step": 1.0},
    "adabelief": {"step": 0.1},
    "adan": {"step": 0.1},
    "yogi": {"step": 0.1},
    "rmsprop": {"step": 0.01},
    "rprop": {"min_step_size": 0.0},
    "adagrad": {"step": 2.0},
    "sm3": {"step": 2.0},
    "lars": {"step": 1.0},
    "fromage": {"step": 0.02},
}
# Those whose steps shrink with the gradient.
SHRINKING = (
    "sgd polyak_sgd optimistic_gradient_descent amsgrad adabelief adan yogi rprop adagrad sm3 "
    "optax_lbfgs"
).split()


def value(u: Any) -> Any:
    """Row 30's quadratic, of which optax minimises the opposite."""
    import jax.numpy as jnp

    v = u - jnp.array([3.0, 7.0])
    return v @ jnp.array([[3.0, 2.0], [2.0, 7.0]]) @ v - 2


def made(name: str) -> Any:
    """The transformation as one would write it with optax alone, other arguments left out."""
    import optax

    method = METHODS[name]
    given = dict(SUITED.get(name, {}))
    if "step" in method.settings:
        given[method.step] = given.pop("step", method.settings["step"].default)
    return optax.with_extra_args_support(getattr(optax, method.function or name)(**given))


def alone(name: str) -> tuple[Any, Any, Any]:
    """[n + 1, 2] The way of optax by itself; the next step, and that with other counters."""
    import jax
    import jax.numpy as jnp

    transform = made(name)

    def change(u: Any, state: Any) -> tuple[Any, Any]:
        f, gradient = jax.value_and_grad(value)(u)
        return transform.update(gradient, state, u, value=f, grad=gradient, value_fn=value)

    def step(carry: Any, _: Any) -> tuple[Any, Any]:
        u, state = carry
        added, state = change(u, state)
        return (u + added, state), u + added

    start = jnp.zeros(2)
    (u, state), way = jax.lax.scan(step, (start, transform.init(start)), length=COMPARED)
    later = jax.tree.map(lambda a: a + 7 if jnp.issubdtype(a.dtype, jnp.integer) else a, state)
    return jnp.concatenate([start[None], way]), change(u, state)[0], change(u, later)[0]


@pytest.fixture(scope="module")
def found() -> tuple[dict[str, Path], dict[str, Any]]:
    """All of them on row 30's quadratic from 0, and optax by itself."""
    solvers = {name: {"name": name, **SUITED.get(name, {})} for name in METHODS}
    runs = {k: experiment(objective="seed_quadratic", solver=v) for k, v in solvers.items()}
    return together(runs, STEPS, lambda: {name: alone(name) for name in METHODS})


@pytest.mark.parametrize("name", METHODS)
def test_it_goes_the_way_of_optax_by_itself(found: Any, name: str) -> None:
    """Where a document says nothing, optax is told nothing here: the defaults are its own."""
    path, (way, _, _) = found[0][name], found[1][name]
    steps = min(path.steps, COMPARED)
    np.testing.assert_allclose(path.u[: steps + 1], way[: steps + 1], atol=ROUNDING)


@pytest.mark.parametrize("name", METHODS)
def test_it_comes_to_the_maximum(found: Any, name: str) -> None:
    path = found[0][name]
    error = np.abs(path.u[-1] - [3, 7]).max()
    if name in SHRINKING:
        assert path.status[-1] == Status.converged
    assert error < (CONVERGED if path.status[-1] == Status.converged else NEAR)
    assert path.status[-1] in (Status.converged, Status.bounded)


@pytest.mark.parametrize("name", METHODS)
def test_what_it_says_of_its_memory(found: Any, name: str) -> None:
    import jax

    solver, (_, step, later) = TABLE[name], found[1][name]
    assert solver.autonomous == np.array_equal(step, later)
    kept = [leaf for leaf in jax.tree.leaves(found[0][name].memory) if leaf.shape[-1:] == (2,)]
    vectors = sum(leaf.size for leaf in kept) // 2
    settings = {key: setting.default for key, setting in solver.settings.items()}
    counted = solver.vectors(settings)
    assert vectors == counted or (name == "optax_lbfgs" and 20 <= vectors <= counted)
    assert solver.memoryless == (vectors == 0)


def test_three_steps_of_adam_by_hand(found: Any) -> None:
    """Kingma and Ba 2015, algorithm 1, with eps beside the root."""
    u, m, v = np.zeros(2), np.zeros(2), np.zeros(2)
    b1, b2, eps, step = 0.9, 0.9, 1e-8, 0.1
    path = found[0]["adam"]
    for t in (1, 2, 3):
        gradient = 2 * np.array([[3.0, 2.0], [2.0, 7.0]]) @ (u - [3, 7])
        m, v = b1 * m + (1 - b1) * gradient, b2 * v + (1 - b2) * gradient**2
        moved = -step * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        u = u + moved
        np.testing.assert_allclose(path.u[t], u, rtol=ROUNDING)
        assert path.told["step_norm"][t] == pytest.approx(np.linalg.norm(moved), rel=ROUNDING)
        left = u - [3, 7]
        f = 2 - left @ [[3, 2], [2, 7]] @ left
        assert path.told["objective_value"][t] == pytest.approx(f, rel=ROUNDING)


def test_steps_of_length_zero_do_not_end_it(found: Any) -> None:
    """Rprop rests after its first look, and where signs have turned."""
    path = found[0]["rprop"]
    assert path.told["step_norm"][1] == 0
    assert path.status[1] == Status.bounded


def test_sgd_without_momentum_is_gradient_descent_over_a_grid_of_steps() -> None:
    """Row 34: to a gradient of 1e-8 in 72 and 41 steps; above 0.1277 it diverges."""
    grid = {"h": {"of": "solver.step", "values": [0.05, 0.1, 0.128]}}
    own, other = (
        run(
            objective="seed_quadratic",
            solver={"name": name, "absolute_tolerance": 1e-8, "relative_tolerance": 0},
            grid=grid,
            length=80,
            analysis={"history": {}},
        )
        for name in ("gradient", "sgd")
    )
    assert other["steps"].values.tolist() == [72, 41, 80]
    assert [Status(s).name for s in other["status"].values] == [
        "converged",
        "converged",
        "iteration_limit",
    ]
    for name in ("objective_value", "residual_norm", "step_norm"):
        np.testing.assert_allclose(other[name], own[name], rtol=1e-6, atol=ROUNDING)


def test_the_ends_are_told_apart() -> None:
    """Too long a step; no least value; a least value that is not the least; a map's fixed point."""
    steep = {"expression": "x**2", "initial": {"x": 1.0}}
    falling = {"expression": "-x**4", "initial": {"x": 1.0}}
    cosine = {"equations": {"x": "cos(x)"}, "initial": {"x": 1.0}}
    paths, _ = together(
        {
            "long": experiment(objective=steep, solver={"name": "sgd", "step": 1e300}),
            "falling": experiment(objective=falling, solver={"name": "sgd", "step": 1.0}),
            "high": experiment(objective=steep, solver={"name": "polyak_sgd", "f_min": 0.25}),
            "fixed": experiment(map=cosine, solver={"name": "sgd", "step": 0.3}),
        },
        100,
    )
    ends = {key: Status(path.status[-1]).name for key, path in paths.items()}
    assert ends == {
        "long": "escaped",
        "falling": "unbounded_objective",
        "high": "stalled",
        "fixed": "converged",
    }
    # |x|^2 = 1/4.
    assert paths["high"].u[-1, 0] == pytest.approx(0.5, abs=NEAR)
    # Row 35.
    assert paths["fixed"].u[-1, 0] == pytest.approx(0.7390851332151607, abs=CONVERGED)
