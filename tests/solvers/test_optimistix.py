"""The methods of optimistix, in few programs; one of them in a whole run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.job.plan import MATRICES
from pipeline.solvers import TABLE
from pipeline.solvers.optimistix import METHODS
from pipeline.status import Status
from tests.runs import experiment, run
from tests.solvers.together import Path, together

# Some steps of the same arithmetic, compiled twice.
ROUNDING = 1e-9
# A gradient of 1e-8 of the first one, 233, over the least curvature, 0.4.
CONVERGED = 1e-5
# Values are second order in that; the tables have ten digits.
VALUE = 1e-8
# The most steps of any method from Rosenbrock's start, lbfgs 701.
STEPS, COMPARED = 800, 12
ROSENBROCK = {"residuals": ["10*(y - x**2)", "1 - x"], "initial": {"x": -1.2, "y": 1.0}}
# optimistix's own functions for a whole solve, and a method for each.
SOLVED = {
    "bfgs": "minimise",
    "lbfgs": "minimise",
    "dogleg": "least_squares",
    "optimistix_levenberg_marquardt": "least_squares",
    "optimistix_newton": "root_find",
}


def alone(name: str) -> Any:
    """[2] Where optimistix is after some steps, by itself."""
    import jax
    import jax.numpy as jnp
    import optimistix

    def residuals(u: Any, _: None = None) -> Any:
        return jnp.array([10 * (u[1] - u[0] ** 2), 1 - u[0]])

    def value(u: Any, _: None = None) -> Any:
        return jnp.sum(residuals(u) ** 2)

    gradient = jax.grad(value)
    problem = {"minimise": value, "least_squares": residuals, "root_find": lambda u, _: gradient(u)}
    entry = SOLVED[name]
    solver = getattr(optimistix, METHODS[name].name)(rtol=1e-30, atol=1e-30)
    start = jnp.array([-1.2, 1.0])
    solve = getattr(optimistix, entry)
    return solve(problem[entry], solver, start, max_steps=COMPARED, throw=False).value


@pytest.fixture(scope="module")
def rosenbrock() -> tuple[dict[str, Path], dict[str, Any]]:
    """All methods from the usual start, row 45, and some by optimistix itself."""
    runs = {name: experiment(objective=ROSENBROCK, solver=name) for name in METHODS}
    return together(runs, STEPS, lambda: {name: alone(name) for name in SOLVED})


@pytest.mark.parametrize("name", SOLVED)
def test_its_steps_are_those_of_optimistix_by_itself(rosenbrock: Any, name: str) -> None:
    path, there = rosenbrock[0][name], rosenbrock[1][name]
    np.testing.assert_allclose(path.u[COMPARED], there, rtol=ROUNDING)


@pytest.mark.parametrize("name", METHODS)
def test_it_comes_to_the_minimum_of_rosenbrock(rosenbrock: Any, name: str) -> None:
    path = rosenbrock[0][name]
    if name == "optimistix_chord":
        # The Jacobian of the start is no good at the minimum.
        assert path.status[-1] == Status.escaped
        return
    assert path.status[-1] == Status.converged
    assert np.abs(path.u[-1] - 1).max() < CONVERGED


def test_newton_goes_the_known_way(rosenbrock: Any) -> None:
    """Row 45."""
    values = rosenbrock[0]["optimistix_newton"].told["objective_value"]
    known = [24.2, 4.731884, 1411.845, 0.0559655, 0.3131891, 1.85e-11]
    np.testing.assert_allclose(values[:6], known, rtol=2e-3)
    np.testing.assert_allclose(values[:5], known[:5], rtol=1e-5)


def test_a_trial_that_is_not_taken_is_a_step_on_the_spot(rosenbrock: Any) -> None:
    """The first looks at the start; each failure halves the length; neither ends the cell."""
    path = rosenbrock[0]["bfgs"]
    told = {key: value[: path.steps + 1] for key, value in path.told.items()}
    taken, length = told["step_taken"], told["step_length"]
    assert taken[1] == 0
    assert taken.sum() < path.steps
    assert np.isnan(length[:2]).all()
    moved = np.any(path.u[1 : path.steps + 1] != path.u[: path.steps], axis=1)
    np.testing.assert_array_equal(moved, taken[1:] == 1)
    np.testing.assert_array_equal(told["step_norm"][1:] > 0, moved)
    again = np.flatnonzero(taken[2:-1] == 0) + 2
    np.testing.assert_array_equal(length[again + 1], length[again] / 2)
    anew = np.flatnonzero(taken[2:-1] == 1) + 2
    np.testing.assert_array_equal(length[anew + 1], 1.0)
    assert (np.diff(told["objective_value"]) <= 0).all()


def test_what_radius_and_damping_tell(rosenbrock: Any) -> None:
    """A dogleg within the radius goes to it or less far; the rule of Gould et al.: 3.5 and 1/4."""
    path = rosenbrock[0]["dogleg"]
    told = {key: value[2 : path.steps + 1] for key, value in path.told.items()}
    assert (told["step_norm"] <= told["radius"] * (1 + ROUNDING)).all()
    # Newton's step from the start, (2.2, 4.84), is not taken; a quarter of it is.
    assert told["radius"][0] == pytest.approx(np.hypot(2.2, 4.84), rel=ROUNDING)
    assert told["step_taken"][:2].tolist() == [0, 1]
    assert told["step_norm"][1] == pytest.approx(np.hypot(2.2, 4.84) / 4, rel=ROUNDING)
    path = rosenbrock[0]["optimistix_levenberg_marquardt"]
    damping, taken = (path.told[key][2 : path.steps + 1] for key in ("damping", "step_taken"))
    ratio = damping[1:] / damping[:-1]
    np.testing.assert_allclose(ratio[taken[:-1] == 0], 4, rtol=ROUNDING)
    assert set(np.round(ratio[taken[:-1] == 1], 6)) <= {1.0, round(1 / 3.5, 6)}


@pytest.mark.parametrize("name", METHODS)
def test_the_plan_counts_what_it_keeps(name: str) -> None:
    import jax

    size = 40
    given = {"residuals": "sin(x) - 0.1", "initial": {"x": {"value": 0.3, "size": size}}}
    found = experiment(objective=given, solver=name)

    def kept() -> Any:
        numbers = found.numbers()
        return found.iteration(numbers, {}).init(found.start(numbers, {})).memory

    numbers = sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(kept)))
    solver = TABLE[name]
    counted = solver.vectors(found.settings) * size + solver.dense * MATRICES * size**2
    assert size < numbers <= counted


def test_the_fixed_point_of_the_cosine() -> None:
    """Row 35, in single precision: by the merit, the residuals and the residual of a map."""
    cosine = {"equations": {"x": "cos(x)"}, "initial": {"x": 1.0}}
    tolerances = {"absolute_tolerance": 1e-5, "relative_tolerance": 0.0}
    single = {"precision": "single"}
    names = ("nonlinear_cg", "optimistix_gauss_newton", "optimistix_newton", "optimistix_chord")
    runs = {
        name: experiment(map=cosine, solver={"name": name, **tolerances}, device=single)
        for name in names
    }
    paths, _ = together(runs, 60)
    for name, path in paths.items():
        assert path.u.dtype == np.float32
        assert path.status[-1] == Status.converged, name
        # The residual's slope is 1.67.
        assert abs(path.u[-1, 0] - 0.7390851332151607) < 1e-5


def test_the_ends_are_told_apart() -> None:
    """No least value; a kink; a singular matrix, and the same with damping; small residuals."""
    kink = {"expression": "abs(x - 0.3) + 2*abs(y) + x**2", "initial": {"x": 1.0, "y": 0.7}}
    cubic = {"expression": "x**3", "initial": {"x": -0.5}}
    idle = {"residuals": ["x**2 - 2", "1 + 0*x"], "initial": {"x": 1.0, "y": 0.7}}
    runs = {
        ("bfgs", "cubic"): ("unbounded_objective", cubic),
        ("lbfgs", "kink"): ("line_search_failed", kink),
        ("dogleg", "idle"): ("escaped", idle),
        ("optimistix_levenberg_marquardt", "idle"): ("converged", idle),
    }
    paths, _ = together(
        {str(key): experiment(objective=given, solver=key[0]) for key, (_, given) in runs.items()},
        300,
    )
    ends = {key: Status(paths[str(key)].status[-1]).name for key in runs}
    assert ends == {key: end for key, (end, _) in runs.items()}
    # The kink's minimum is at x = 0.3, y = 0.
    np.testing.assert_allclose(paths[str(("lbfgs", "kink"))].u[-1], [0.3, 0], atol=ROUNDING)


def test_least_squares_of_the_published_problems() -> None:
    """Row 48."""
    runs = {
        "brown_dennis": ("dogleg", 85822.20163),
        "bard": ("optimistix_levenberg_marquardt", 8.214877307e-3),
    }
    paths, _ = together(
        {key: experiment(objective=key, solver=name) for key, (name, _) in runs.items()}, 400
    )
    for key, (_, value) in runs.items():
        assert paths[key].status[-1] == Status.converged
        told = paths[key].told["objective_value"][-1]
        assert told == pytest.approx(value, rel=VALUE)


def test_a_grid_over_a_setting_of_the_search() -> None:
    """In a whole run: after a failure the next length is the contraction's share."""
    contractions = [0.5, 0.25]
    ds = run(
        objective=ROSENBROCK,
        solver="bfgs",
        grid={"c": {"of": "solver.contraction", "values": contractions}, "x0": [-1.2, 2.0]},
        length=200,
        analysis={"history": {}},
    )
    assert (ds["status"] == Status.converged).all()
    assert (ds["critical_kind"] == 1).all()
    # The first step looks at the start, the second tries the whole gradient, which is too long.
    np.testing.assert_array_equal(
        ds["step_length"].isel(step_number=3), [[c] * 2 for c in [0.5, 0.25]]
    )
    assert ds["steps"].values[0, 0] == 54


def test_a_solver_of_least_squares_wants_residuals() -> None:
    from pipeline.errors import ConfigError

    with pytest.raises(
        ConfigError, match='solver = "dogleg": it takes an objective that is given by'
    ):
        experiment(objective="himmelblau", solver="dogleg")
