"""Line searches, alone on lines and as solvers. Rows are those of the known results."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.solvers.line_search import Line, Search, backtrack, exact
from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

ROUNDING = 1e-12
# The slope of an exact search is 1e-8 of the first one.
SEARCHED = 1e-7


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def along(text: str) -> Line:
    """The line of a merit of t."""

    def merit(t: jax.Array) -> jax.Array:
        return eval(text, {"t": t, "jnp": jnp})  # noqa: S307  # a test's own text

    return lambda t: (merit(t), jax.grad(merit)(t))


def armijo(text: str, decrease: float = 1e-4, limit: int = 60) -> Search:
    rule = {"contraction": 0.5, "decrease": decrease, "limit": limit}
    phi, zero, one = along(text), jnp.array(0.0), jnp.array(1.0)
    return backtrack(phi, phi(zero), one, least=1e-16, **rule)


def minimum(text: str) -> Search:
    return exact(along(text), jnp.zeros(1), jnp.ones(1))


@pytest.mark.parametrize(
    ("text", "length", "trials"),
    [
        # phi(t) <= c t phi'(0) on (t - b)^2 - b^2 is t <= 2 b (1 - c).
        ("(t - 1)**2", 1.0, 1),
        ("(t - 0.4)**2", 0.5, 2),
        ("(t - 0.01)**2", 1 / 64, 7),
        # Not a number where it is too far.
        ("-t + 0*jnp.sqrt(0.3 - t)", 0.25, 3),
        # The decrease is lost in the rounding of 1e9; the slopes tell.
        ("1e9 + 1e-9*(t - 0.4)**2", 0.5, 2),
    ],
)
def test_backtracking(text: str, length: float, trials: int) -> None:
    found = armijo(text)
    assert (float(found.length), int(found.trials)) == (length, trials)
    assert bool(found.found)


def test_backtracking_in_vain() -> None:
    """The limit counts contractions; none below the least, 2^-53.1, is tried."""
    jump = "-t + jnp.where(t > 0, 2.0, 0.0)"
    for text, limit, contractions in (("(t - 0.01)**2", 5, 5), (jump, 40, 40), (jump, 60, 53)):
        found = armijo(text, limit=limit)
        assert not bool(found.found)
        assert float(found.length) == 0
        assert int(found.trials) == contractions + 1


@pytest.mark.parametrize(
    ("text", "length", "most"),
    [
        ("3*(t - 0.37)**2 - 5", 0.37, 1),
        ("(t - 1e-9)**2", 1e-9, 1),
        ("jnp.cosh(t - 2)", 2, 10),
        # No curvature, or a negative one, at the start.
        ("(t - 2)**4/4 - t**2", None, 20),
        ("jnp.cos(t + 0.1)", np.pi - 0.1, 20),
        # Beyond 0.3 there is nothing: the minimum is before.
        ("(t - 0.2)**2 + t**2*(t - 0.2)**2 + 0*jnp.sqrt(0.3 - t)", 0.2, 20),
    ],
)
def test_exact(text: str, length: float | None, most: int) -> None:
    found = minimum(text)
    assert bool(found.found)
    assert int(found.trials) <= most
    if length is None:  # (t - 2)^3 = 2 t
        t = float(found.length)
        assert (t - 2) ** 3 == pytest.approx(2 * t, rel=SEARCHED)
    else:
        assert float(found.length) == pytest.approx(length, rel=10 * SEARCHED)


def test_exact_without_a_minimum() -> None:
    """Falling for ever it goes far; where every step goes up, it finds nothing."""
    assert float(minimum("-t").length) > 1e20
    assert float(minimum("-t**2 - t").length) > 1e20
    jump = minimum("-t + jnp.where(t > 0, 2.0, 0.0)")
    assert not bool(jump.found)
    assert float(jump.length) == 0


def test_steepest_descent_from_the_worst_start() -> None:
    """(x, y) = (k, 1) of curvatures 1 and k: the iterates are q^n (k, (-1)^n), q = (k-1)/(k+1)."""
    f = {
        "expression": "0.5*(x**2 + k*y**2)",
        "parameters": {"k": 4},
        "initial": {"x": "k", "y": 1},
    }
    ds = run(
        objective=f,
        solver={"name": "gradient_exact", "relative_tolerance": 1e-6},
        grid={"k": [4, 9]},
        analysis={"orbit": {}, "history": {}},
        length=100,
    )
    for k, q in ((4, 0.6), (9, 0.8)):
        one = ds.sel(k=k)
        n = np.arange(int(one["steps"]) + 1)
        assert one["x"].values[n] == pytest.approx(k * q**n, rel=1e-9)
        assert one["y"].values[n] == pytest.approx((-q) ** n, rel=1e-9)
        # Its length is always 2/(1 + k), found at the first trial.
        assert one["step_length"].values[n[1:]] == pytest.approx(2 / (1 + k), rel=1e-9)
        assert (one["line_trials"].values[n[1:]] == 1).all()
        assert float(one["convergence_rate"]) == pytest.approx(q, abs=1e-9)


def test_exact_ascent_on_the_seed_quadratic() -> None:
    """Rows 30 and 32: the first iterate is that of conjugate gradients."""
    ds = run(objective="seed_quadratic", solver="gradient_exact", analysis={"orbit": {}}, length=20)
    assert ds["x"].values[1] == pytest.approx([2.93803465, 7.02573503], abs=1e-8)
    assert int(ds["critical_kind"]) == CriticalKind.maximum
    assert ds["x_final"].values == pytest.approx([3, 7], abs=1e-6)


def test_backtracking_on_a_quadratic_with_swept_numbers() -> None:
    """f = 50 x^2: a length is taken below (1 - decrease)/50, after so many halvings or thirds."""
    f = {"expression": "-50*x**2", "sense": "maximise", "initial": {"x": 1}}
    names = ["contraction", "decrease", "backtrack_limit"]
    cases = [[0.5, 1e-4, 60], [0.3, 1e-4, 60], [0.5, 0.4, 60], [0.5, 1e-4, 5], [0.5, 1e-4, 6]]
    ds = run(
        objective=f,
        solver={"name": "gradient_armijo"},
        grid={"case": {"of": [f"solver.{name}" for name in names], "values": cases}},
        analysis={"history": {}, "orbit": {}},
        length=100,
    )
    lengths = [1 / 64, 0.3**4, 1 / 128, 0, 1 / 64]
    assert ds["step_length"].values[:, 1] == pytest.approx(lengths, rel=ROUNDING)
    assert ds["backtracks"].values[:, 1].tolist() == [6, 4, 7, 5, 6]
    assert ds["x"].values[:, 1] == pytest.approx(1 - 100 * np.array(lengths), abs=ROUNDING)
    failed, converged = Status.line_search_failed, Status.converged
    assert ds["status"].values.tolist() == [converged] * 3 + [failed, converged]
    # Where the search fails, the cell stays where it is, of no kind.
    assert ds["x_final"].values[3] == 1
    assert ds["steps"].values[3] == 1
    assert ds["critical_kind"].values.tolist() == [2, 2, 2, 0, 2]
    assert (ds["residual_norm_final"].values[[0, 1, 2, 4]] <= 1e-6 + 1e-10).all()


@pytest.mark.parametrize("solver", ["gradient_exact", "gradient_armijo"])
def test_how_searches_end(solver: str) -> None:
    """Unbounded, a jump at the start, a minimum, a merit without slope that is no fixed point."""
    f = {
        "expression": "a*x**2 + b*where(x >= 1, x, 101 - x) + c*x**4",
        "parameters": {"a": 1, "b": 0, "c": 0},
        "initial": {"x": 1},
    }
    cases = [[-1, 0, 0], [0, 1, 0], [-1, 0, 0.5]]
    ds = run(
        objective=f,
        solver=solver,
        grid={"case": {"of": ["a", "b", "c"], "values": cases}, "x0": [1.0, 0.5]},
        length=200,
    )
    assert (ds["status"][0] == Status.unbounded_objective).all()
    assert ds["status"].values[1, 0] == Status.line_search_failed
    assert ds["status"].values[2, 1] == Status.converged
    assert ds["x_final"].values[2] == pytest.approx(1, abs=1e-6)
    g = run(map="quadratic", solver=solver, grid={"x0": [4, 5, 6]}, length=200)
    assert g["status"].values[[0, 2]].tolist() == [Status.converged, Status.converged]
    # The slope at 5 is 0, or what rounding leaves of it, along which no length is found.
    assert g["status"].values[1] in (Status.stalled, Status.line_search_failed)
    assert g["x_final"].values == pytest.approx([3, 5, 7], abs=1e-6)
    kinds = [FixedPointKind.attracting, FixedPointKind.none, FixedPointKind.repelling]
    assert g["fixed_point_kind"].values.tolist() == kinds
