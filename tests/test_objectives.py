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

FILES = sorted(Path(__file__).resolve().parents[1].glob("conf/objective/*.yaml"))
NAMES = [file.stem for file in FILES if file.stem != "custom"]

# Exact identities: some ten operations, relative to the largest term.
ROUNDING = 1e-12
# The smallest eigenvalue is exact relative to the largest, a thousand times it.
CONDITIONED = 1e3 * ROUNDING
# Points and values given to eleven digits.
DIGITS = 1e-9
# Points given to nine digits, at which gradients are the curvature (up to 130) times that.
PRINTED = 1e-7
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
    assert np.linalg.norm(gradient) > 1


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
