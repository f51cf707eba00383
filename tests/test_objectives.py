"""Each shipped objective against results known on paper, and the form of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml

from pipeline import config
from pipeline.objectives import Objective
from pipeline.state import flatten, start, unflatten
from pipeline.status import CriticalKind, Status
from tests import runs

HERE = Path(__file__).resolve().parent
FILES = sorted(HERE.parent.glob("conf/objective/*.yaml"))
NAMES = [file.stem for file in FILES if file.stem != "custom"]
KNOWN = yaml.safe_load((HERE / "known/objectives.yaml").read_text(encoding="utf-8"))
MINIMA = [(known, minimum) for known in KNOWN for minimum in known["minima"]]

# Exact identities: some ten operations, relative to the largest term.
ROUNDING = 1e-12
# The smallest eigenvalue is exact relative to the largest, a thousand times it.
CONDITIONED = 1e3 * ROUNDING
# Of the extreme eigenvalues of a random matrix of 200 dimensions, beside those of infinitely many.
FINITE = 0.1
# Points and values given to eleven digits.
DIGITS = 1e-9
# Points given to nine digits, at which gradients are the curvature (up to 130) times that.
PRINTED = 1e-7
# Central differences of step 1e-6: its square times rates of up to 320 squared, with room to spare.
DIFFERENCES = 1e-6
# The solvers' tolerances, 1e-8 of the gradient at the start, over the least eigenvalue.
CONVERGED = 1e-6
# What points of eleven digits leave of a value 0: the square of residuals of 1e-9.
SQUARED = 1e-17
# Values at such points are right to the digits printed, for the gradient vanishes there.
VALUE = 1e-8


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


@cache
def shipped(name: str, *overrides: str) -> Objective:
    """The objective as an experiment reads it."""
    overrides = ("experiment=minimise", f"objective={name}", *overrides)
    problem = config.read(config.compose(list(overrides))).problem
    assert isinstance(problem, Objective)
    return problem


def function(f: Objective) -> Callable[[Any], Any]:
    """The objective as a function of one vector, [d] -> []."""
    return lambda x: f.value(unflatten(jnp.asarray(x) * 1.0, f.components), dict(f.parameters))


@cache
def taylor(f: Objective) -> Callable[[Any], Any]:
    """x -> (value [], gradient [d], Hessian [d, d]), compiled."""
    g = function(f)
    return jax.jit(lambda x: (g(x), jax.grad(g)(x), jax.hessian(g)(x)))


def newton(f: Objective, x: Any, steps: int) -> list[Any]:
    """The points of Newton's method, x first."""
    derivatives, points = taylor(f), [jnp.asarray(x)]
    for _ in range(steps):
        _, gradient, hessian = derivatives(points[-1])
        points.append(points[-1] - np.linalg.solve(hessian, gradient))
    return points


def default(f: Objective) -> Any:
    """[d] Its start."""
    return flatten(start(f.initial, f.components, f.parameters, np.float64))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_describes_itself(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# ")
    assert len(first) < 100
    document = yaml.safe_load(text)
    assert document["name"] == file.stem
    assert document["reference"]
    assert document["sense"] in ("minimise", "maximise")


@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient_at_the_start(name: str) -> None:
    f = shipped(name)
    value, gradient = jax.jit(jax.value_and_grad(function(f)))(default(f))
    assert value.shape == ()
    assert np.isfinite(value)
    assert np.all(np.isfinite(gradient))
    assert np.linalg.norm(gradient) > 0


@pytest.mark.parametrize("name", NAMES)
def test_gradient_by_differences(name: str) -> None:
    """Of NumPy's values, beside the start."""
    f = shipped(name)
    # Not at the start itself: there several are 0, where a wrong gradient may vanish too.
    x = np.asarray(default(f)) * 1.01 + 0.01
    gradient = jax.jit(jax.grad(function(f)))(x)

    def value(u: np.ndarray) -> float:
        state = {k: np.asarray(v) for k, v in unflatten(u, f.components).items()}
        return float(f.value(state, dict(f.parameters), np))

    steps = 1e-6 * np.maximum(1, np.abs(x))
    differences = [
        (value(x + h * e) - value(x - h * e)) / (2 * h)
        for h, e in zip(steps, np.eye(x.size), strict=True)
    ]
    rounding = ROUNDING * abs(value(x)) / steps.min()
    scale = float(np.abs(gradient).max())
    assert differences == pytest.approx(gradient, abs=DIFFERENCES * scale + rounding)


def variant(known: dict[str, Any]) -> Objective:
    """A shipped objective, or one of another size."""
    parts = {"initial": {"x": known["initial"]}} if "initial" in known else {}
    described = runs.shipped("objective", known["objective"], **parts)
    return objective(described)


def objective(described: dict[str, Any]) -> Objective:
    """An objective as its document describes it."""
    problem = runs.experiment(objective=described, solver="newton").problem
    assert isinstance(problem, Objective)
    return problem


def identity(case: Any) -> str:
    """What a case is called."""
    return case["objective"] if "objective" in case else f"{case['value']:.6g}"


@pytest.mark.parametrize("known", KNOWN, ids=identity)
def test_sum_of_squares_at_its_start(known: dict[str, Any]) -> None:
    f = variant(known)
    assert f.residuals
    assert function(f)(default(f)) == pytest.approx(known["start"], rel=DIGITS)


@pytest.mark.parametrize(("known", "minimum"), MINIMA, ids=identity)
def test_sum_of_squares_at_its_minima(known: dict[str, Any], minimum: dict[str, Any]) -> None:
    """The value there; the gradient is no more than the point's last digits make of it."""
    x = np.array(minimum["at"], float)
    value, gradient, hessian = taylor(variant(known))(x)
    assert value == pytest.approx(minimum["value"], rel=DIGITS, abs=SQUARED)
    curvature = np.abs(hessian).max()
    assert gradient == pytest.approx(np.zeros(x.size), abs=DIGITS * curvature * np.abs(x).max())
    assert np.linalg.eigvalsh(hessian).min() >= -DIGITS * curvature


def test_all_sums_of_squares_are_known() -> None:
    """The network's data follow from the seed: no table has it."""
    squares = {name for name in NAMES if shipped(name).residuals}
    assert squares - {known["objective"] for known in KNOWN} == {"neural_network"}


def test_value_is_the_sum_of_the_squares_of_the_residuals() -> None:
    f = shipped("powell_singular", "objective.initial.x.size=8")
    x = unflatten(jnp.asarray(default(f)), f.components)
    r = f.residual_vector(x, dict(f.parameters))
    # At (3, -1, 0, 1): -7, -sqrt 5, 1 and sqrt(10)*4, one kind after the other.
    expected = np.repeat([-7, -sqrt(5), 1, 4 * sqrt(10)], 2)
    assert r == pytest.approx(expected, rel=ROUNDING)
    assert f.value(x, dict(f.parameters)) == pytest.approx(float(expected @ expected), rel=ROUNDING)


def test_an_expression_has_no_residuals() -> None:
    f = shipped("himmelblau")
    with pytest.raises(ValueError, match="himmelblau is no sum of squares"):
        f.residual_vector({"x": 0.0, "y": 0.0}, dict(f.parameters))


@pytest.mark.parametrize(
    ("name", "solver", "value"),
    [
        ("freudenstein_roth", "newton", 48.9842536792),
        ("jennrich_sampson", "newton", 124.362182356),
        ("bard", "newton", 0.00821487730658),
        ("brown_dennis", "newton", 85822.2016264),
        ("chebyquad", "newton_cg", 0.00351687372568),
        ("linear_full_rank", "newton_cg", 15),
        ("discrete_integral_equation", "newton_cg", 0),
    ],
)
def test_newton_from_the_standard_start(name: str, solver: str, value: float) -> None:
    ds = runs.run(objective=name, solver=solver, length=50)
    assert int(ds["status"]) == Status.converged
    assert int(ds["critical_kind"]) == CriticalKind.minimum
    assert float(ds["objective_final"]) == pytest.approx(value, rel=DIGITS, abs=SQUARED)


def test_gradient_descent_on_residuals() -> None:
    # Booth's Hessian has the eigenvalues 2 and 18: step 0.1 shrinks both errors by 0.8.
    ds = runs.run(objective="booth", solver={"name": "gradient", "step": 0.1}, length=200)
    assert int(ds["status"]) == Status.converged
    assert [float(ds["x_final"]), float(ds["y_final"])] == pytest.approx([1, 3], abs=CONVERGED)


def test_biggs_published_minimum_is_a_saddle() -> None:
    # Moré, Garbow and Hillstrom give 5.65565e-3 as a minimum; descent methods do stop there.
    x = np.array([1.711416, 17.6832, 1.16314, 5.18656, 1.711416, 1.16314])
    value, gradient, hessian = taylor(shipped("biggs_exp6"))(x)
    assert value == pytest.approx(np.array(5.65565e-3), rel=1e-6)
    assert np.abs(gradient).max() < 1e-4
    assert np.linalg.eigvalsh(hessian)[0] == pytest.approx(-0.00981, rel=1e-3)


def test_wood_saddle() -> None:
    f = shipped("wood")
    x = newton(f, [-1.0, 1.0, -1.0, 1.0], 8)[-1]
    value, _, hessian = taylor(f)(x)
    assert value == pytest.approx(np.array(7.876967165), rel=DIGITS)
    assert np.sign(np.linalg.eigvalsh(hessian)).tolist() == [-1, 1, 1, 1]


def test_six_hump_camel_stationary_points() -> None:
    # With each point -x is one; Newton's method from a lattice finds them all.
    f, found = shipped("six_hump_camel"), set()
    for x in np.ndindex(12, 9):
        point = newton(f, [0.2 * x[0] - 0.1, 0.25 * x[1] - 1.1], 12)[-1]
        value, gradient, hessian = taylor(f)(point)
        if np.abs(gradient).max() < DIGITS and np.abs(point).max() < 2:
            signs = tuple(np.sign(np.linalg.eigvalsh(hessian)).astype(int))
            found.add((round(float(value), 6), signs))
    least, saddle, most = (1, 1), (-1, 1), (-1, -1)
    assert found == {
        *((value, least) for value in (-1.031628, -0.215464, 2.10425)),
        *((value, saddle) for value in (0.0, 0.543719, 2.229357, 2.229471)),
        (2.496295, most),
    }


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("six_hump_camel", [0.08984201368, -0.71265640327], -1.03162845349),
        ("styblinski_tang", [-2.90353402777, -2.90353402777], -78.3323314075),
        ("rastrigin", [0, 0], 0),
        ("griewank", [0, 0], 0),
    ],
)
def test_lowest_minimum(name: str, at: list[float], value: float) -> None:
    found, gradient, hessian = taylor(shipped(name))(np.array(at, float))
    assert found == pytest.approx(np.array(value), rel=DIGITS, abs=ROUNDING)
    assert gradient == pytest.approx(np.zeros(2), abs=PRINTED)
    assert np.linalg.eigvalsh(hessian)[0] > 0


def test_rastrigin_minimum_in_each_cell() -> None:
    # Stationary where x = -10 pi sin(2 pi x): close to 1 with the value 0.9949590570.
    f = shipped("rastrigin")
    x = newton(f, [1.0, 0.0], 6)[-1]
    assert x[0] == pytest.approx(-10 * np.pi * np.sin(2 * np.pi * x[0]), rel=DIGITS)
    assert taylor(f)(x)[0] == pytest.approx(np.array(0.9949590570932898), rel=DIGITS)


def test_ackley() -> None:
    f = function(shipped("ackley", "objective.initial.x.size=5"))
    # 0 at its cusp, on a slope of a b/sqrt(n) in each direction of an axis.
    assert f(np.full(5, 1e-9)) == pytest.approx(4e-9, rel=1e-5)
    # At whole numbers the cosines are all 1.
    expected = 20 - 20 * np.exp(-0.2 * sqrt(11))
    assert f(np.array([1.0, -2, 3, 4, 5])) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize(("side", "condition"), [(8, 32.1634), (16, 116.4612)])
def test_poisson_condition(side: int, condition: float) -> None:
    # Row 51.
    f = shipped("poisson", f"objective.initial.x.size={side * side}")
    _, gradient, hessian = taylor(f)(default(f))
    eigenvalues = np.linalg.eigvalsh(hessian)
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(condition, rel=2e-6)
    assert gradient == pytest.approx(np.full(side * side, -1 / (side + 1) ** 2), rel=ROUNDING)
    # Of the five-point formula: 4 on the diagonal, -1 for each of the neighbours.
    edges = 2 * side * (side - 1)
    assert np.sum(hessian == -1) == 2 * edges
    assert np.sum(hessian) == 4 * side * side - 2 * edges


@pytest.mark.parametrize(("side", "steps"), [(8, 10), (16, 28), (32, 59)])
def test_poisson_by_conjugate_gradients(side: int, steps: int) -> None:
    # Row 51: to a relative residual of 1e-8, all in one step of Newton's method.
    described = runs.shipped("objective", "poisson", initial={"x": {"value": 0, "size": side**2}})
    solver = {"name": "newton_cg", "inner_tolerance": 1e-8}
    ds = runs.run(objective=described, solver=solver, analysis={"history": {}}, length=1)
    assert int(ds["inner_steps"][1]) == steps


def test_logistic_regression() -> None:
    f = shipped("logistic_regression")
    p, x = f.parameters, newton(f, default(f), 8)[-1]
    label = np.where(p["chance"] < 1 / (1 + np.exp(-p["inputs"] @ p["truth"])), 1, -1)
    assert set(label) == {-1, 1}
    # Stationary: the ridge balances the mean of what each point pulls.
    pull = label / (1 + np.exp(label * (p["inputs"] @ x))) @ p["inputs"] / 100
    assert 0.01 * x == pytest.approx(pull, abs=ROUNDING)
    assert function(f)(default(f)) == pytest.approx(np.log(2), rel=ROUNDING)
    # As far from the truth as a hundred points leave it.
    assert np.linalg.norm(x - p["truth"]) < 0.5


def test_neural_network() -> None:
    f = shipped("neural_network")
    p, x = f.parameters, start(f.initial, f.components, f.parameters, np.float64)
    assert {k: c.shape for k, c in f.components.items()} == {
        "w": (5,),
        "b": (5,),
        "v": (5,),
        "c": (),
    }
    hidden = np.tanh(p["inputs"] * np.asarray(x["w"]) + np.asarray(x["b"]))
    wanted = np.sin(3 * p["inputs"][:, 0]) + p["noise"]
    r = f.residual_vector(x, dict(p))
    assert r == pytest.approx(hidden @ np.asarray(x["v"]) - wanted, abs=ROUNDING)
    # Gradient descent comes close to the noise: 0.4 is the mean of the sum of its squares.
    ds = runs.run(
        objective="neural_network", solver={"name": "gradient", "step": 0.002}, length=4000
    )
    assert 0 < float(ds["objective_final"]) < 1


def test_seed_quadratic() -> None:
    # Rows 30, 31 and 33 of the known results.
    f = shipped("seed_quadratic")
    assert f.sense == "maximise"
    value, gradient, hessian = taylor(f)(default(f))
    assert default(f).tolist() == [0, 0]
    assert value == -452
    assert gradient.tolist() == [46, 110]
    assert hessian.tolist() == [[-6, -4], [-4, -14]]
    assert newton(f, default(f), 1)[1] == pytest.approx(np.array([3, 7]), abs=ROUNDING)
    assert function(f)(np.array([3.0, 7.0])) == 2
    eigenvalues = np.linalg.eigvalsh(f.parameters["A"])
    assert eigenvalues == pytest.approx([5 - sqrt(8), 5 + sqrt(8)], rel=ROUNDING)


def test_rosenbrock() -> None:
    # Row 45: the start's value, and those of Newton's next points.
    f = shipped("rosenbrock")
    assert list(f.components) == ["x", "y"]
    values = [float(function(f)(x)) for x in newton(f, default(f), 5)]
    assert values[0] == pytest.approx(24.2, rel=ROUNDING)
    # To the digits that are printed.
    assert values[1:5] == pytest.approx([4.731884, 1411.845, 0.0559655, 0.3131891], rel=1e-6)
    assert values[5] == pytest.approx(1.85e-11, rel=3e-3)
    assert taylor(f)(np.ones(2))[2].tolist() == [[802, -400], [-400, 200]]


def test_rosenbrock_chained_of_two_is_rosenbrock() -> None:
    chained = function(shipped("rosenbrock_chained", "objective.initial.x.size=2"))
    plain = function(shipped("rosenbrock"))
    for x in np.random.default_rng(1).uniform(-2, 2, (10, 2)):
        assert chained(x) == pytest.approx(float(plain(x)), rel=ROUNDING)


def test_rosenbrock_chained() -> None:
    f = shipped("rosenbrock_chained")
    assert np.asarray(default(f)).tolist() == [-1.2, 1] * 5
    # Five links -1.2 -> 1 of 24.2 each and four links 1 -> -1.2 of 100 * 2.2^2.
    assert function(f)(default(f)) == pytest.approx(5 * 24.2 + 4 * 484, rel=ROUNDING)
    assert function(f)(np.ones(10)) == 0
    assert taylor(f)(np.ones(10))[1].tolist() == [0] * 10


def test_rosenbrock_chained_second_minimum() -> None:
    # Kok and Sandrock 2009: with four variables there is a minimum near (-1, 1, ...) too.
    f = shipped("rosenbrock_chained", "objective.initial.x.size=4")
    x = newton(f, [-0.7757, 0.6131, 0.3821, 0.1460], 5)[-1]
    # More digits from mpmath.
    assert x == pytest.approx(
        np.array([-0.77565922657, 0.61309336549, 0.38206284634, 0.14597201855]), abs=DIGITS
    )
    value, _, hessian = taylor(f)(x)
    assert value == pytest.approx(np.array(3.7014286104), abs=DIGITS)
    assert np.all(np.linalg.eigvalsh(hessian) > 0)


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ((3.0, 2.0), 0),
        ((3.584428340, -1.848126527), 0),
        ((-3.779310253, -3.283185991), 0),
        ((-2.805118087, 3.131312518), 0),
        ((-0.270844591, -0.923038556), 181.6165215),
    ],
)
def test_himmelblau_extrema(point: tuple[float, float], value: float) -> None:
    # Rows 42 and 43.
    found, gradient, hessian = taylor(shipped("himmelblau"))(np.array(point))
    assert found == pytest.approx(np.array(value), rel=VALUE, abs=VALUE)
    assert gradient == pytest.approx(np.zeros(2), abs=PRINTED)
    signs = np.sign(np.linalg.eigvalsh(hessian))
    assert signs.tolist() == ([-1, -1] if value else [1, 1])


def test_himmelblau_saddles() -> None:
    # Row 44.
    f = shipped("himmelblau")
    values = []
    for near in ((0.09, 2.88), (3.39, 0.07), (-3.07, -0.08), (-0.13, -1.95)):
        x = newton(f, near, 10)[-1]
        value, _, hessian = taylor(f)(x)
        assert np.linalg.det(hessian) < 0
        values.append(float(value))
    # To the digits that are printed.
    expected = [13.31192627, 67.71915009, 104.0151629, 178.3372392]
    assert sorted(values) == pytest.approx(expected, rel=VALUE)


@pytest.mark.parametrize("size", [2, 7])
def test_quadratic_spd_spectrum(size: int) -> None:
    f = shipped(
        "quadratic_spd",
        f"objective.initial.x.size={size}",
        "objective.parameters.condition=1000",
    )
    assert f.parameters["v"].shape == (size,)
    hessian = np.asarray(taylor(f)(default(f))[2])
    expected = np.geomspace(1, 1000, size)
    assert np.linalg.eigvalsh(hessian) == pytest.approx(expected, rel=CONDITIONED)
    # Turned by the reflection: no eigenvector lies along an axis.
    assert np.abs(hessian - np.diag(np.diag(hessian))).max() > 1
    assert function(f)(np.zeros(size)) == 0


def test_quadratic_spd_default() -> None:
    f = shipped("quadratic_spd")
    assert f.components["x"].shape == (100,)
    eigenvalues = np.linalg.eigvalsh(taylor(f)(default(f))[2])
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(100, rel=CONDITIONED)


def test_quadratic_scaled_spectrum() -> None:
    """Without its scales the matrix is well conditioned: between 1 and 1 + 4 * 9/4, nearly."""
    f = shipped("quadratic_scaled", "objective.initial.x.size=200")
    value, gradient, hessian = taylor(f)(default(f))
    assert float(value) == 0
    assert gradient == pytest.approx(-np.ones(200))
    scale = np.geomspace(1, np.sqrt(1e5), 200)
    inner = np.asarray(hessian) / np.outer(scale, scale)
    a = f.parameters["A"]
    expected = np.eye(200) + 9 / 4 / 200 * a.T @ a
    assert inner == pytest.approx(expected, rel=CONDITIONED, abs=CONDITIONED)
    # Marchenko and Pastur: the least eigenvalue of A^T A / n goes to 0, the largest to 4.
    assert np.linalg.eigvalsh(inner)[[0, -1]] == pytest.approx([1, 10], rel=FINITE)
    assert np.linalg.cond(hessian) > 1e5
