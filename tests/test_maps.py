"""Each shipped map against results known on paper or published, and the form of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from math import cos, exp, log, pi, sin, sinh, sqrt, tanh
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml

from pipeline import config
from pipeline.maps import Map
from pipeline.state import start

HERE = Path(__file__).resolve().parent
FILES = sorted(HERE.parent.glob("conf/map/*.yaml"))
NAMES = [file.stem for file in FILES if file.stem != "custom"]

# Exact identities: some ten operations on numbers of order one, in double precision.
ROUNDING = 1e-12
# A rounding error grows by the multiplier of what it passes: up to 4^8 here.
AMPLIFIED = 1e-9
# Values given to nine digits, through slopes below 10.
PRINTED = 1e-8
# The published averages are those of finite orbits too.
PUBLISHED = 2e-4
# The cells are independent: five standard errors fail once in a million.
STANDARD_ERRORS = 5

GOLDEN = (1 + sqrt(5)) / 2


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


@cache
def shipped(name: str, *overrides: str) -> Map:
    """The map as an experiment reads it."""
    problem = config.read(config.compose(["experiment=orbit", f"map={name}", *overrides])).problem
    assert isinstance(problem, Map)
    return problem


def function(name: str, **parameters: Any) -> Callable[[Any], Any]:
    """The map as a function of one vector, [d] -> [d], components in order."""
    g = shipped(name)
    p = {k: jnp.asarray(v) for k, v in {**g.parameters, **parameters}.items()}
    assert p.keys() == g.parameters.keys()

    def step(x: Any) -> Any:
        y = g.step(dict(zip(g.components, x, strict=True)), p)
        assert list(y) == list(g.components)
        return jnp.stack(list(y.values()))

    return step


def iterate(name: str, x: Any, steps: int, **parameters: Any) -> np.ndarray:
    """[steps + 1, d] The orbit of x, which comes first."""
    step = function(name, **parameters)
    x = jnp.asarray(x) * 1.0
    _, rows = jax.lax.scan(lambda x, _: (step(x), x), x, length=steps + 1)
    return np.asarray(rows)


def jacobian(name: str, x: Any, steps: int = 1, **parameters: Any) -> np.ndarray:
    """[d, d] The derivative of so many steps."""
    step = function(name, **parameters)

    def steps_of(x: Any) -> Any:
        for _ in range(steps):
            x = step(x)
        return x

    x = jnp.asarray(x) * 1.0
    return np.asarray(jax.jit(jax.jacfwd(steps_of, holomorphic=jnp.iscomplexobj(x)))(x))


def distance(name: str, x: Any, y: Any) -> float:
    """The largest difference of a component, along the circle where it lives on one."""
    g = shipped(name)
    differences = []
    for component, a, b in zip(g.components, np.atleast_1d(x), np.atleast_1d(y), strict=True):
        length = g.modulus.get(component)
        d = a - b
        differences.append(abs(d if length is None else (d + length / 2) % length - length / 2))
    return max(differences)


def starts(name: str, cells: int, spread: float = 1e-3) -> np.ndarray:
    """[cells, d] The default start and others close to it."""
    g = shipped(name)
    x = start(g.initial, g.components, g.parameters, np.float64)
    noise = np.random.default_rng(1).uniform(-spread, spread, (cells, len(g.components)))
    noise[0] = 0
    return np.asarray(list(x.values())) + noise


# The files


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_describes_itself(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# ")
    assert len(first) < 100
    document = yaml.safe_load(text)
    assert document["name"] == file.stem
    assert document["reference"]
    assert document["initial"].keys() == document["equations"].keys()


@pytest.mark.parametrize("name", NAMES)
def test_default_orbit_stays_bounded(name: str) -> None:
    g = shipped(name)
    x = start(g.initial, g.components, g.parameters, np.float64)

    def step(x: Any, _: None) -> Any:
        x = g.step(x, dict(g.parameters))
        return x, g.inside(x)

    last, inside = jax.lax.scan(step, x, length=2000)
    assert np.all(inside)
    assert all(np.all(np.isfinite(value)) for value in last.values())
    for component, length in g.modulus.items():
        assert 0 <= last[component] <= length


# Fixed points and cycles: map, parameters, a point, the period, the multipliers of the cycle

A = 3.2
PERIOD_2 = (A + 1 - sqrt((A + 1) * (A - 3))) / (2 * A)
TURN = np.exp(0.7j)


def henon_point(a: float, b: float, sign: float) -> list[float]:
    """A fixed point of the Hénon map."""
    x = (b - 1 + sign * sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    return [x, b * x]


def quadratic_roots(trace: float, determinant: float) -> list[complex]:
    """The eigenvalues of a matrix of this trace and determinant."""
    root = (trace**2 / 4 - determinant + 0j) ** 0.5
    return [trace / 2 + root, trace / 2 - root]


def hyperchaotic_point(a: float, b: float) -> float:
    """Each coordinate of the generalised Hénon map's fixed point."""
    return (-1 - b + sqrt((1 + b) ** 2 + 4 * a)) / 2


FLIP_SINE = (0.645773676543405539, 0.719961682979535191)  # tan(pi x) = -pi x; r = x/sin(pi x)
COEXIST = 2 * log(2) / (1 - log(2) / 3)  # alpha for which half the prey escapes at the fixed point

CYCLES: list[tuple[str, dict[str, Any], Any, int, list[complex]]] = [
    # Rows 3, 5 and 6 of the known results.
    ("logistic", {"a": 2.8}, [1 - 1 / 2.8], 1, [2 - 2.8]),
    ("logistic", {"a": A}, [PERIOD_2], 2, [4 + 2 * A - A**2]),
    # Two steps of the logistic map are one of the forced map with equal parameters.
    ("forced_logistic", {"a": A, "b": A}, [PERIOD_2], 1, [4 + 2 * A - A**2]),
    ("logistic", {"a": 1 + sqrt(5)}, [0.5], 2, [0]),
    ("logistic", {"a": 3.49856169932770152}, [0.5], 4, [0]),
    # Row 10.
    ("quadratic", {}, [3.0], 1, [0.6]),
    ("quadratic", {}, [7.0], 1, [1.4]),
    # The main cardioid and the disk of period 2; the rabbit's centre; the dendrite at c = i.
    ("quadratic_c", {"c": TURN / 2 - TURN**2 / 4}, [TURN / 2], 1, [TURN]),
    ("quadratic_c", {"c": -1 + TURN / 4}, [(-1 + (1 - TURN) ** 0.5) / 2], 2, [TURN]),
    ("quadratic_c", {"c": -0.12256116687665362 + 0.74486176661974424j}, [0j], 3, [0]),
    ("quadratic_c", {"c": 1j}, [-1 + 1j], 2, [4 + 4j]),
    # The odd cubic's fixed points and its symmetric 2-cycle; row 53: the fold at r = 1/(3 sqrt 6).
    ("cubic", {"a": 1.7}, [sqrt(0.7)], 1, [3 - 2 * 1.7]),
    ("cubic", {"a": 1.7}, [sqrt(2.7)], 2, [(2 * 1.7 + 3) ** 2]),
    ("cubic", {"a": 1.5, "r": 1 / (3 * sqrt(6))}, [-1 / sqrt(6)], 1, [1]),
    # r sin(pi x) = x at x = 1/2, 1/4 and 2/3, and its first flip.
    ("sine", {"r": 0.5}, [0.5], 1, [0]),
    ("sine", {"r": sqrt(2) / 4}, [0.25], 1, [pi / 4]),
    ("sine", {"r": 4 / (3 * sqrt(3))}, [2 / 3], 1, [-2 * pi / (3 * sqrt(3))]),
    ("sine", {"r": FLIP_SINE[1]}, [FLIP_SINE[0]], 1, [-1]),
    ("tent", {"mu": 1.9}, [1.9 / 2.9], 1, [-1.9]),
    ("tent", {"mu": 2.0}, [2 / 7], 3, [8]),
    # The steepest descent of the bell, at 1/sqrt(2a); its top.
    ("gauss", {"a": 2.0, "b": 0.5 - exp(-0.5)}, [0.5], 1, [-2 * exp(-0.5)]),
    ("gauss", {"a": 4.9, "b": -1.0}, [0.0], 1, [0]),
    # [1, 1, ...], [2, 2, ...] and [1, 2, 1, 2, ...].
    ("continued_fraction", {}, [GOLDEN - 1], 1, [-(GOLDEN**2)]),
    ("continued_fraction", {}, [sqrt(2) - 1], 1, [-((1 + sqrt(2)) ** 2)]),
    ("continued_fraction", {}, [sqrt(3) - 1], 2, [(2 + sqrt(3)) ** 2]),
    # The 2-cycle of k/2 and 3k/2 is that of r = 2 ln 3.
    ("ricker", {"r": 2.8, "k": 3.0}, [3.0], 1, [1 - 2.8]),
    ("ricker", {"r": 2 * log(3), "k": 3.0}, [1.5], 2, [(1 - log(3)) * (1 - 3 * log(3))]),
    ("ulam", {}, [0.5], 1, [-2]),
    ("ulam", {}, [-1.0], 1, [4]),
    ("ulam", {"a": 1.2}, [(1 + sqrt(4 * 1.2 - 3)) / (2 * 1.2)], 2, [4 * (1 - 1.2)]),
    ("ulam", {"a": 1.75487766624669276}, [0.0], 3, [0]),  # a^3 - 2a^2 + a = 1
    # n cos(phi) at n phi = phi and n phi = -phi, modulo 2 pi.
    ("chebyshev", {"degree": 3.0}, [0.0], 1, [-3]),
    ("chebyshev", {"degree": 4.0}, [-0.5], 1, [4]),
    ("chebyshev", {"degree": 4.0}, [cos(2 * pi / 5)], 1, [-4]),
    # The tip of the tongue 0/1 lies at omega = k/(2 pi); tongue 1/2 has the cycle 0, 1/2 inside.
    ("circle", {"omega": 0.95 / (2 * pi), "k": 0.95}, [0.25], 1, [1]),
    ("circle", {"omega": 0.0, "k": 0.95}, [0.5], 1, [1 + 0.95]),
    ("circle", {"omega": 0.5, "k": 0.95}, [0.0], 2, [1 - 0.95**2]),
    # Row 17: the fold and the first flip.
    ("henon", {"a": -(0.7**2) / 4}, henon_point(-(0.7**2) / 4, 0.3, 1), 1, [1, -0.3]),
    ("henon", {"a": 0.3675}, henon_point(0.3675, 0.3, 1), 1, [-1, 0.3]),
    ("lozi", {}, [1 / 2.2, 0.5 / 2.2], 1, quadratic_roots(-1.7, -0.5)),
    ("lozi", {}, [-1 / 1.2, -0.5 / 1.2], 1, quadratic_roots(1.7, -0.5)),
    ("tinkerbell", {}, [0.0, 0.0], 1, quadratic_roots(1.4, 0.9 * 0.5 + 2 * 0.6013)),
    ("burgers", {}, [-0.75, sqrt(0.1875)], 1, quadratic_roots(1.75, 1.125)),
    ("burgers", {"b": 1.5}, [-0.5, -sqrt(0.125)], 1, quadratic_roots(1.75, 1)),
    ("duffing_map", {}, [0.0, 0.0], 1, quadratic_roots(2.75, 0.2)),
    ("duffing_map", {}, [sqrt(1.55)] * 2, 1, quadratic_roots(2.75 - 3 * 1.55, 0.2)),
    (
        "duffing_map",
        {},
        [sqrt(3.95), -sqrt(3.95)],
        2,
        [m**2 for m in quadratic_roots(2.75 - 3 * 3.95, 0.2)],
    ),
    # Row 22: at a = 2 the multipliers cross the unit circle, here as sixth roots of one.
    ("delayed_logistic", {"a": 2.0}, [0.5, 0.5], 1, quadratic_roots(1, 1)),
    ("delayed_logistic", {"a": 2.27}, [0.0, 0.0], 1, [2.27, 0]),
    ("standard", {"k": 1.2}, [0.0, 0.0], 1, quadratic_roots(2 + 1.2, 1)),
    ("standard", {"k": 1.2}, [pi, 0.0], 1, quadratic_roots(2 - 1.2, 1)),
    ("standard", {"k": 1.2}, [0.0, pi], 2, quadratic_roots(2 - 1.2**2, 1)),
    # Row 20.
    ("arnold_cat", {}, [0.0, 0.0], 1, [exp(0.962423650119206895), exp(-0.962423650119206895)]),
    ("arnold_cat", {}, [0.5, 0.5], 3, [9 + 4 * sqrt(5), 9 - 4 * sqrt(5)]),
    ("baker", {}, [0.0, 0.0], 1, [1 / 0.4, 0.25]),
    ("baker", {}, [1.0, 1.0], 1, [1 / 0.6, 0.4]),
    ("baker", {}, [0.16 / 0.76, 0.6 / 0.9], 2, [1 / 0.24, 0.1]),
    ("gingerbreadman", {}, [1.0, 1.0], 1, quadratic_roots(1, 1)),
    ("gingerbreadman", {}, [1.25, 1.0], 6, [1, 1]),
    ("gingerbreadman", {}, [-1.0, 3.0], 5, quadratic_roots(1, 1)),
    # Row 21.
    ("kaplan_yorke", {"alpha": 0.2}, [0.0, 1.25], 1, [2, 0.2]),
    ("kaplan_yorke", {"alpha": 0.2}, [2 * pi / 3, -0.625], 2, [4, 0.04]),
    ("predator_prey", {}, [1.0, 0.0], 1, [1 - 3, 5]),
    (
        "predator_prey",
        {"alpha": COEXIST},
        [1 - log(2) / 3, log(2) / COEXIST],
        1,
        quadratic_roots(2 * log(2) - 2, log(2) * (log(2) - 1)),
    ),
    (
        "generalised_henon",
        {},
        [hyperchaotic_point(1.76, 0.1)] * 3,
        1,
        list(np.roots([1, 0, 2 * hyperchaotic_point(1.76, 0.1), 0.1])),
    ),
    # sin(a/2) = 1/2 and cos(a/2) = -sqrt(3)/2, at a = b, c = d = 0.
    (
        "clifford",
        {"a": 5 * pi / 3, "b": 5 * pi / 3, "c": 0.0, "d": 0.0},
        [0.5, 0.5],
        1,
        [5 * pi * sqrt(3) / 6, -5 * pi * sqrt(3) / 6],
    ),
    (
        "de_jong",
        {"a": 2 * pi, "b": 2 * pi / 3, "c": 2 * pi, "d": 2 * pi / 3},
        [-0.5, -0.5],
        1,
        [-pi / sqrt(3) + 2 * pi, -pi / sqrt(3) - 2 * pi],
    ),
    ("svensson", {"b": pi / 0.4}, [0.0, 0.4], 1, [-6.56 * 1.4, 0]),
    ("gumowski_mira", {}, [0.0, 0.0], 1, quadratic_roots(-0.496 * 2.008, 1.008)),
    ("gumowski_mira", {}, [1.0, 0.0], 1, [1, 1.008]),
    ("hopalong", {"a": 1.0}, [0.25, 0.75], 1, quadratic_roots(-1, 1)),
    ("rulkov", {}, [-1.0, -3.05], 1, quadratic_roots(3.05, 2.051)),
    ("bogdanov", {"epsilon": 0.1, "mu": -0.2}, [0.0, 0.0], 1, quadratic_roots(2.1 - 1.2, 1.1)),
    ("bogdanov", {"epsilon": 0.1, "mu": -0.2}, [1.0, 0.0], 1, quadratic_roots(1.9 + 1.2, 0.9)),
    (
        "zaslavskii",
        {"nu": 2.0},
        [0.25, 0.0],
        1,
        quadratic_roots(1 - 2 * pi * 0.3 * 2 * (1 - exp(-3)) / 3 + exp(-3), exp(-3)),
    ),
    ("grebogi_torus", {"epsilon": 0.0, "omega1": 0.5, "omega2": 1 / 3}, [0.1, 0.2], 6, [1, 1]),
    # 2 sigma tanh(1) = 1, without forcing.
    ("gopy", {"sigma": 0.5 / tanh(1), "omega": 0.0}, [1.0, 0.0], 1, [2 / sinh(2), 1]),
    (
        "folded_towel",
        {"a": 2.0, "b": 2.004},
        [0.5, -0.005, 0.5],
        1,
        list(np.roots([1, 0, 0.2 * 0.00345, -0.19 * 0.2 * 0.0345])),
    ),
    ("nontwist_standard", {"a": 0.3, "b": 0.2}, [0, 1], 1, quadratic_roots(2 + 0.24 * pi, 1)),
    ("nontwist_standard", {"a": 0.3, "b": 0.2}, [0.5, 1], 1, quadratic_roots(2 - 0.24 * pi, 1)),
    (
        "froeschle",
        {"k1": 0.5, "k2": 0.5, "b": 0.05},
        [0.0, 0.0, 0.0, 0.0],
        1,
        quadratic_roots(2.5, 1) + quadratic_roots(2.6, 1),
    ),
    (
        "froeschle",
        {"k1": 0.5, "k2": 0.5, "b": 0.05},
        [pi, 0.0, pi, 0.0],
        1,
        quadratic_roots(1.5, 1) + quadratic_roots(1.6, 1),
    ),
    ("pomeau_manneville", {}, [0.0], 1, [1]),
    ("pomeau_manneville", {"z": 1.0}, [1 / 3], 2, [4]),
    ("beta_shift", {}, [1 / (1.8**2 - 1)], 2, [1.8**2]),
    ("skew_tent", {}, [1 / 1.7], 1, [-1 / 0.7]),
    ("skew_tent", {}, [1 / (0.7 + 1 / 0.3)], 2, [-1 / 0.21]),
    (
        "leslie",
        {"f1": 3.0, "f2": 5.0},
        [log(6.5) / 0.17, 0.7 * log(6.5) / 0.17],
        1,
        quadratic_roots(
            3 / 6.5 - log(6.5) / 1.7,
            -0.7 * (5 / 6.5 - log(6.5) / 1.7),
        ),
    ),
    (
        "lotka_volterra",
        {},
        [1 / 3.2, 3.65 * (1 - 1 / 3.2) - 1],
        1,
        quadratic_roots(2 - 3.65 / 3.2, 3.65 - 2 * 3.65 / 3.2),
    ),
    # May 1978: at k = 1 the multipliers are on the unit circle.
    ("nicholson_bailey", {"k": 1.0}, [2.0, 1.0], 1, quadratic_roots(1.5, 1)),
    ("multibrot", {"c": 1j}, [0j], 2, [0]),
    ("multibrot", {}, [0j], 3, [0]),
    ("multibrot", {"c": TURN / sqrt(3) - TURN**3 / 3**1.5}, [TURN / sqrt(3)], 1, [TURN**2]),
    ("multibrot", {"c": 0.5 - 0.5**2.5, "d": 2.5}, [0.5 + 0j], 1, [2.5 * 0.5**1.5]),
    # Where x and y have one sign it is z^2 + c, elsewhere its conjugate.
    ("burning_ship", {"a": 0.25, "b": 0.08}, [0.3, 0.2], 1, [0.6 + 0.4j, 0.6 - 0.4j]),
    ("burning_ship", {"a": -0.35, "b": 0.08}, [-0.3, 0.2], 1, [sqrt(0.52), -sqrt(0.52)]),
    ("henon_area_preserving", {}, [0.0, 0.0], 1, quadratic_roots(0.48, 1)),
    # Hénon 1969: x = 2 tan(alpha/2), y = x tan(alpha/2).
    (
        "henon_area_preserving",
        {},
        [2 * sqrt(0.76 / 1.24), 2 * 0.76 / 1.24],
        1,
        quadratic_roots(0.48 + 4 * 0.76, 1),
    ),
    ("web", {}, [0.0, 0.0], 1, quadratic_roots(-1, 1)),
    ("web", {"q": 3.0}, [0.0, 0.0], 1, quadratic_roots(-1 - sqrt(3) / 2, 1)),
    ("sinai", {"delta": 0.5}, [0.5, 0.5], 1, quadratic_roots(3, 1)),
    ("sinai", {"delta": -1 / 3}, [5 / 6, 1 / 6], 1, quadratic_roots(3, 1 - pi / sqrt(3))),
    ("lorenz_3d", {}, [2.0, 2.0, 2.0], 1, list(np.roots([1, -2, -2, 1]))),
    ("lorenz_3d", {}, [0.0, 0.0, 0.0], 1, list(np.roots([1, 0, 0, 1]))),
    ("cusp", {}, [3 - 2 * sqrt(2)], 1, [-1 - sqrt(2)]),
    ("cusp", {}, [-1.0], 1, [1]),
    ("pinchers", {"s": log(3), "c": 1.0}, [0.5], 1, [-0.75 * log(3)]),
    ("dissipative_standard", {}, [0.0, 0.0], 1, quadratic_roots(1.1 + 8.8, 0.1)),
    ("dissipative_standard", {}, [pi, 0.0], 1, quadratic_roots(1.1 - 8.8, 0.1)),
    # One turn of the table between impacts.
    (
        "bouncing_ball",
        {"gamma": 2 * pi},
        [2 * pi / 3, 2 * pi],
        1,
        quadratic_roots(1.5 + pi * sqrt(3), 0.5),
    ),
    ("mcmillan", {}, [0.0, 0.0], 1, quadratic_roots(3.2, 1)),
    ("mcmillan", {}, [sqrt(0.6), sqrt(0.6)], 1, quadratic_roots(2 * (2 - 1.6) / 1.6, 1)),
    (
        "chialvo",
        {"c": 0.25 * 0.29, "k": 0.1875},
        [0.25, 0.25],
        1,
        quadratic_roots(0.4375 + 0.89, 0.89 * 0.4375 + 0.18 * 0.0625),
    ),
    # Haake, Kus and Scharf 1987: the pole is stable up to kappa = 2.
    ("kicked_top", {"kappa": 1.5}, [0.0, 1.0, 0.0], 1, [1, *quadratic_roots(1.5, 1)]),
]


@pytest.mark.parametrize(
    ("name", "parameters", "point", "period", "multipliers"),
    [pytest.param(*row, id=f"{row[0]}-{i}") for i, row in enumerate(CYCLES)],
)
def test_cycle_and_its_multipliers(
    name: str, parameters: dict[str, Any], point: Any, period: int, multipliers: list[complex]
) -> None:
    orbit = iterate(name, point, period, **parameters)
    assert distance(name, orbit[-1], orbit[0]) < ROUNDING
    assert all(distance(name, x, orbit[0]) > 1e-3 for x in orbit[1:-1])
    # Characteristic polynomials: eigenvalues come in no order, and double ones are ill-conditioned.
    found = np.poly(jacobian(name, point, period, **parameters))
    assert found == pytest.approx(np.poly(multipliers), rel=100 * ROUNDING, abs=100 * ROUNDING)


def test_every_map_is_tested() -> None:
    # These have tests of their own; the Ikeda map has its fixed point below.
    others = {"ikeda", "matsumoto_tsuda", "coupled_logistic", "globally_coupled_logistic"}
    assert {row[0] for row in CYCLES} | others == set(NAMES)


# Volume: map, parameters, the determinant of the Jacobian, the same everywhere

VOLUMES = [
    ("henon", {"b": 0.3}, -0.3),
    ("lozi", {"b": 0.5}, -0.5),
    ("ikeda", {"u": 0.9}, 0.81),
    ("duffing_map", {"b": 0.2}, 0.2),
    ("standard", {"k": 1.2}, 1),
    ("arnold_cat", {}, 1),
    ("baker", {"a": 0.4, "b": 0.4, "c": 0.6}, 1),
    ("gingerbreadman", {}, 1),
    ("kaplan_yorke", {"alpha": 0.2}, 0.4),
    ("generalised_henon", {"b": 0.1}, -0.1),
    ("gumowski_mira", {"a": 0.0}, 1),
    ("hopalong", {}, 1),
    ("bogdanov", {}, 1),
    ("zaslavskii", {}, exp(-3)),
    ("nontwist_standard", {}, 1),
    ("froeschle", {}, 1),
    ("henon_area_preserving", {}, 1),
    ("web", {}, 1),
    ("lorenz_3d", {}, -1),
    ("dissipative_standard", {"b": 0.1}, 0.1),
    ("bouncing_ball", {"alpha": 0.5}, 0.5),
    ("mcmillan", {}, 1),
    ("kicked_top", {}, 1),
]


@pytest.mark.parametrize(("name", "parameters", "determinant"), VOLUMES)
def test_volume_changes_by_a_constant(
    name: str, parameters: dict[str, Any], determinant: float
) -> None:
    # Row 16: the exponents' sum at every step.
    points = np.random.default_rng(2).uniform(0, 1, (20, len(shipped(name).components)))
    matrices = jax.jit(jax.vmap(jax.jacfwd(function(name, **parameters))))(points)
    assert np.linalg.det(matrices) == pytest.approx(np.full(20, determinant), rel=ROUNDING)


# Symmetry: map, the signs under which it commutes

SYMMETRIES = [
    ("cubic", [-1]),
    ("duffing_map", [-1, -1]),
    ("burgers", [1, -1]),
    ("standard", [-1, -1]),
    ("froeschle", [-1, -1, -1, -1]),
    ("dissipative_standard", [-1, -1]),
    ("web", [-1, -1]),
    ("mcmillan", [-1, -1]),
    ("gopy", [-1, 1]),
    ("kicked_top", [-1, 1, -1]),
]


@pytest.mark.parametrize(("name", "signs"), SYMMETRIES)
def test_map_commutes_with_its_symmetry(name: str, signs: list[int]) -> None:
    step = function(name)
    for x in np.random.default_rng(3).uniform(-1, 1, (20, len(signs))):
        assert distance(name, step(np.multiply(signs, x)), np.multiply(signs, step(x))) < ROUNDING


# Conjugacies: h(g(x)) = f(h(x))

CONJUGACIES: list[tuple[str, Any, str, Any, Callable[[Any], Any]]] = [
    ("tent", {"mu": 2.0}, "logistic", {"a": 4.0}, lambda x: np.sin(pi * x / 2) ** 2),
    ("ulam", {"a": 2.0}, "logistic", {"a": 4.0}, lambda x: (1 + x) / 2),
    ("ulam", {"a": 3.7 * 1.7 / 4}, "logistic", {"a": 3.7}, lambda x: 0.5 + 0.425 * x),
    ("chebyshev", {"degree": 2.0}, "ulam", {"a": 2.0}, lambda x: -x),
    ("logistic", {"a": 3.7}, "quadratic_c", {"c": 3.7 / 2 - 3.7**2 / 4}, lambda x: 3.7 * (0.5 - x)),
    ("quadratic", {}, "quadratic_c", {"c": 0.21}, lambda x: x / 10),
]


@pytest.mark.parametrize(("left", "p", "right", "q", "h"), CONJUGACIES)
def test_conjugate_maps(left: str, p: Any, right: str, q: Any, h: Callable[[Any], Any]) -> None:
    g, f = function(left, **p), function(right, **q)
    for x in np.linspace(0.01, 0.99, 33):
        image = np.asarray(f(jnp.asarray([h(x)])))
        assert h(np.asarray(g(jnp.asarray([x])))) == pytest.approx(image, abs=ROUNDING)


def test_tinkerbell_contains_the_complex_quadratic_map() -> None:
    # With d = a and b = -c it is z^2 + (a + ic) z.
    z, m = 0.3 - 0.2j, 0.9 + 0.4j
    x, y = np.asarray(function("tinkerbell", a=0.9, b=-0.4, c=0.4, d=0.9)(jnp.array([0.3, -0.2])))
    assert x + 1j * y == pytest.approx(z**2 + m * z, abs=ROUNDING)


def test_ikeda_turns_and_shrinks_the_plane() -> None:
    # Hammel, Jones and Moloney 1985: z' = 1 + u z exp(i(0.4 - 6/(1 + |z|^2))).
    z = 0.7 - 1.1j
    x, y = np.asarray(function("ikeda")(jnp.array([0.7, -1.1])))
    phase = 0.4 - 6 / (1 + abs(z) ** 2)
    assert x + 1j * y == pytest.approx(1 + 0.9 * z * np.exp(1j * phase), abs=ROUNDING)


def test_ikeda_fixed_point() -> None:
    # Found with mpmath to 30 digits.
    point = [0.532754622940790243, 0.246896772711013184]
    assert iterate("ikeda", point, 1)[1] == pytest.approx(point, abs=ROUNDING)


# Hénon: rows 12 to 14


@pytest.mark.parametrize(
    ("point", "multipliers"),
    [
        ([0.631354477089505, 0.189406343126851], [0.155946322, -1.923738858]),
        ([-1.131354477089505, -0.339406343126851], [3.259822098, -0.092029562]),
    ],
)
def test_henon_fixed_points(point: list[float], multipliers: list[float]) -> None:
    assert iterate("henon", point, 1)[1] == pytest.approx(point, abs=ROUNDING)
    found = sorted(np.linalg.eigvals(jacobian("henon", point)), key=abs)
    assert found == pytest.approx(sorted(multipliers, key=abs), abs=PRINTED)


def test_henon_period_2() -> None:
    point = [0.975800051175056, -0.142740015352517]
    assert iterate("henon", point, 2)[2] == pytest.approx(point, abs=ROUNDING)
    assert np.trace(jacobian("henon", point, 2)) == pytest.approx(-3.04, abs=ROUNDING)


# Logistic: rows 4 to 8 and 28


def test_logistic_period_3_opens() -> None:
    points = [0.159928818, 0.514355277, 0.956317842]
    a = 1 + sqrt(8)
    orbit = iterate("logistic", [points[0]], 2, a=a)
    assert orbit[:, 0] == pytest.approx(points, abs=PRINTED)
    assert jacobian("logistic", [points[0]], 3, a=a) == pytest.approx(1, abs=10 * PRINTED)


@pytest.mark.parametrize(
    ("a", "period", "exponent", "tolerance"),
    [
        (2.8, 1, log(0.8), ROUNDING),
        (3.2, 2, -0.916290731874, ROUNDING),
        (3.5, 4, -0.8725073, 5e-8),
        (3.83, 3, -0.36967, 5e-6),
    ],
)
def test_logistic_exponent_of_a_stable_cycle(
    a: float, period: int, exponent: float, tolerance: float
) -> None:
    # The last two to the digits that are printed.
    x = iterate("logistic", [0.3], 5000, a=a)[-1]
    (multiplier,) = jacobian("logistic", x, period, a=a).ravel()
    assert log(abs(multiplier)) / period == pytest.approx(exponent, abs=tolerance)


def test_logistic_prime_cycles() -> None:
    counts = []
    for n in range(1, 9):
        # h(x) = sin^2(pi x/2) carries the tent map's 2^n points of period n over.
        left = [2 * k / (2**n - 1) for k in range(2 ** (n - 1))]
        right = [2 * k / (2**n + 1) for k in range(1, 2 ** (n - 1) + 1)]
        points = np.sin(pi * np.array(left + right) / 2) ** 2
        assert len(set(points.round(9))) == 2**n
        orbits = iterate("logistic", [points], n, a=4.0)[:, 0]
        assert orbits[n] == pytest.approx(points, abs=AMPLIFIED)
        first = np.argmax(abs(orbits[1:] - points) < AMPLIFIED, axis=0) + 1
        counts.append(int(np.sum(first == n)) // n)
    assert counts == [2, 1, 2, 3, 6, 9, 18, 30]


def test_logistic_invariant_moments() -> None:
    # Row 9: mean 1/2, variance 1/8. Starts drawn from the density 1/(pi sqrt(x(1-x))).
    u = np.random.default_rng(4).uniform(0, 1, 100_000)
    x = iterate("logistic", [np.sin(pi * u / 2) ** 2], 20, a=4.0)[-1, 0]
    assert x.mean() == pytest.approx(0.5, abs=STANDARD_ERRORS * sqrt(1 / 8 / x.size))
    # The fourth central moment is 3/128, the variance of a square thus 1/128.
    assert x.var() == pytest.approx(0.125, abs=STANDARD_ERRORS * sqrt(1 / 128 / x.size))


def test_logistic_default_start_is_a_trap_at_4() -> None:
    orbit = iterate("logistic", [0.5], 10, a=4.0)[:, 0]
    assert orbit.tolist() == [0.5, 1.0] + [0.0] * 9
    assert jacobian("logistic", [0.0], a=4.0).item() == 4


# The other maps, one by one


def test_quadratic_picard() -> None:
    # Row 10.
    orbit = iterate("quadratic", [0.0], 100)[:, 0]
    assert np.argmax(abs(orbit - 3) <= 1e-10) == 46
    for x in (6.99, -6.99):
        assert iterate("quadratic", [x], 500)[-1, 0] == pytest.approx(3, abs=ROUNDING)
    for x in (7.0, -7.0):
        assert iterate("quadratic", [x], 500)[-1, 0] == 7
    assert iterate("quadratic", [7.1], 30)[-1, 0] > shipped("quadratic").escape_radius


def test_quadratic_c_escapes_beyond_2() -> None:
    assert shipped("quadratic_c").escape_radius == 2
    tip = iterate("quadratic_c", [0j], 4, c=-2 + 0j)[:, 0]
    assert tip.tolist() == [0, -2, 2, 2, 2]
    assert abs(iterate("quadratic_c", [0j], 30, c=0.26 + 0j)[-1, 0]) > 2


def test_cubic_attractors_merge() -> None:
    # At a = 3 sqrt(3)/2 the image of the top is the edge, and goes to 0.
    a = 1.5 * sqrt(3)
    assert iterate("cubic", [sqrt(a / 3)], 2, a=a)[2] == pytest.approx(0, abs=ROUNDING)


def test_cubic_at_3_is_a_chebyshev_polynomial() -> None:
    # 3y - y^3 at y = 2x is -2 T_3(x).
    x = np.linspace(-1, 1, 21)
    found = iterate("cubic", [2 * x], 1, a=3.0)[1, 0]
    expected = -2 * iterate("chebyshev", [x], 1, degree=3.0)[1, 0]
    assert found == pytest.approx(expected, abs=ROUNDING)


def test_sine_feigenbaum() -> None:
    # Row 2: delta from the superstable cycles of period 2, 4, ..., 64; the errors are
    # 0.11, 0.024, 0.0051 and 0.0011.
    def last(r: Any, steps: int) -> Any:
        step = function("sine", r=r)
        return jax.lax.fori_loop(0, steps, lambda _, x: step(x), jnp.array([0.5]))[0] - 0.5

    @partial(jax.jit, static_argnums=1)
    def slope(r: Any, steps: int) -> Any:
        return jax.jvp(lambda r: last(r, steps), (r,), (1.0,))

    found, delta = [0.5], 4.7
    guess = 0.7777
    for n in range(1, 7):
        for _ in range(20):
            value, derivative = slope(guess, 2**n)
            guess = guess - value / derivative
        found.append(float(guess))
        guess = found[-1] + (found[-1] - found[-2]) / delta
    ratios = np.diff(found)[:-1] / np.diff(found)[1:]
    assert ratios[-1] == pytest.approx(4.669201609102990672, abs=2e-3)


@pytest.mark.parametrize(("precision", "steps"), [(np.float64, 56), (np.float32, 28)])
def test_tent_collapses_at_2(precision: Any, steps: int) -> None:
    # Row 28.
    g, x = shipped("tent"), {"x": jnp.asarray(precision(0.1))}
    for n in range(steps):
        assert x["x"] != 0, n
        x = g.step(x, {"mu": jnp.asarray(precision(2))})
    assert x["x"] == 0


def test_gauss_superstable_cycle() -> None:
    # 0 -> 1 + b -> 0 at exp(-a (1 + b)^2) = -b.
    b = -0.2
    a = -log(-b) / (1 + b) ** 2
    assert iterate("gauss", [0.0], 2, a=a, b=b)[:, 0] == pytest.approx([0, 0.8, 0], abs=ROUNDING)


def test_continued_fraction_of_pi() -> None:
    x = iterate("continued_fraction", starts("continued_fraction", 1)[0], 9)[:, 0]
    assert np.floor(1 / x).astype(int).tolist() == [7, 15, 1, 292, 1, 1, 1, 2, 1, 3]


def test_ricker_second_flip() -> None:
    # May 1974, doi:10.1126/science.186.4164.645: the 2-cycle is stable up to r = 2.526.
    def multiplier(r: float) -> float:
        x = iterate("ricker", [0.3], 4000, r=r)[-1]
        return jacobian("ricker", x, 2, r=r).item()

    low, high = 2.5, 2.525
    m, n = multiplier(low), multiplier(high)
    assert -1 < n < m < 0
    assert high + (high - low) * (-1 - n) / (n - m) == pytest.approx(2.526, abs=1e-3)


def test_chebyshev_polynomials() -> None:
    x = np.linspace(-1, 1, 21)
    step = function("chebyshev", degree=5.0)
    found = [step(jnp.asarray([value])).item() for value in x]
    assert found == pytest.approx(16 * x**5 - 20 * x**3 + 5 * x, abs=ROUNDING)


def test_circle_without_coupling_rotates() -> None:
    orbit = iterate("circle", [0.1], 10, omega=0.3, k=0.0)[:, 0]
    assert max(distance("circle", x, 0.1 + 0.3 * n) for n, x in enumerate(orbit)) < ROUNDING


def test_standard_kicks_p_only() -> None:
    # theta' - theta = p' is what Chirikov's form and its rivals disagree about.
    x = np.array([0.3, 0.2])
    theta, p = iterate("standard", x, 1, k=1.2)[1]
    assert p == pytest.approx(0.2 + 1.2 * sin(0.3), abs=ROUNDING)
    assert theta == pytest.approx(0.3 + p, abs=ROUNDING)


def test_arnold_cat_fixed_points() -> None:
    # Row 20: the points of period n are the rational ones of denominator |det(M^n - 1)|.
    counts = []
    for n in range(1, 6):
        m = np.linalg.matrix_power(jacobian("arnold_cat", [0.1, 0.2]), n)
        denominator = round(abs(np.linalg.det(m - np.eye(2))))
        k = np.arange(denominator) / denominator
        x, y = (v.ravel() for v in np.meshgrid(k, k))
        last = iterate("arnold_cat", [x, y], n)[-1]
        back = np.abs((last - [x, y] + 0.5) % 1 - 0.5).max(axis=0) < AMPLIFIED
        counts.append(int(back.sum()))
    assert counts == [1, 5, 16, 45, 121]


def test_baker_collapses_only_at_one_half() -> None:
    textbook = iterate("baker", [0.1, 0.1], 60, a=0.5, b=0.5, c=0.5)[:, 0]
    assert textbook[-1] == 0
    x = iterate("baker", [0.1, 0.1], 100_000)[:, 0]
    # The density of x is uniform; x_n and x_m are correlated for some steps only.
    assert x[1000:].mean() == pytest.approx(0.5, abs=0.01)
    assert x[1000:].var() == pytest.approx(1 / 12, abs=0.01)


def test_gingerbreadman_hexagon() -> None:
    # Devaney 1984: round (1, 1) each point inside the hexagon of vertices (0, 0), (1, 0), (2, 1),
    # (2, 2), (1, 2), (0, 1) has period 6.
    x = np.random.default_rng(5).uniform(0.5, 1.0, (2, 50))
    assert iterate("gingerbreadman", x, 6)[6] == pytest.approx(x, abs=ROUNDING)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_kaplan_yorke_does_not_collapse(precision: Any) -> None:
    g = shipped("kaplan_yorke")
    x = {"x": jnp.asarray(precision(1)), "y": jnp.asarray(precision(0.1))}
    p = {"alpha": jnp.asarray(precision(0.2))}
    _, orbit = jax.lax.scan(lambda x, _: (g.step(x, p), x["x"]), x, length=100_000)
    assert orbit.dtype == precision
    assert len(np.unique(orbit)) == 100_000
    # Uniform on the circle: the mean of cos is 0, with a standard error of 1/sqrt(2 n).
    assert np.cos(orbit).mean() == pytest.approx(0, abs=STANDARD_ERRORS / sqrt(200_000))


@pytest.mark.parametrize(
    ("name", "parameters"), [("beta_shift", {"beta": 2.0}), ("skew_tent", {"a": 0.5})]
)
def test_binary_maps_collapse(name: str, parameters: dict[str, float]) -> None:
    # Row 28: 0.1 has 55 binary digits.
    x = iterate(name, [0.1], 60, **parameters)[:, 0]
    assert np.argmax(x == 0) in (55, 56)
    assert len(np.unique(iterate(name, [0.1], 10_000)[:, 0])) == 10_001


def test_beta_shift_density_at_the_golden_mean() -> None:
    # Parry 1960: (5 + 3 sqrt 5)/10 below 1/beta, (5 + sqrt 5)/10 above. The mean of x under it.
    below, above, edge = (5 + 3 * sqrt(5)) / 10, (5 + sqrt(5)) / 10, 1 / GOLDEN
    u = np.random.default_rng(8).uniform(0, 1, 100_000)
    x = iterate("beta_shift", [u], 40, beta=GOLDEN)[-1, 0]
    mean = below * edge**2 / 2 + above * (1 - edge**2) / 2
    assert x.mean() == pytest.approx(mean, abs=STANDARD_ERRORS * 0.3 / sqrt(x.size))
    share = below * edge
    error = sqrt(share * (1 - share) / x.size)
    assert (x < edge).mean() == pytest.approx(share, abs=STANDARD_ERRORS * error)


def test_matsumoto_tsuda_is_smooth_from_the_left_and_continuous() -> None:
    """The conditions that give a and c, at 0.3; the branches are Galatolo, Monge and Nisoli's."""
    g = function("matsumoto_tsuda")
    left, right = jnp.array([0.3 - 1e-13]), jnp.array([0.3])
    assert abs(jax.jacfwd(g)(left)[0, 0]) < PRINTED
    assert g(left)[0] == pytest.approx(float(g(right)[0]), abs=PRINTED)
    p = shipped("matsumoto_tsuda").parameters
    seventh = (7 / 5) ** (1 / 3)
    assert float(p["a"]) == pytest.approx(19 / 42 * seventh, abs=ROUNDING)
    assert float(p["c"]) == pytest.approx(20 / (7 * 3**20) * seventh * exp(187 / 10), abs=ROUNDING)


def test_cusp_density() -> None:
    # Hemmer 1984: (1 - x)/2 on [-1, 1], the density of 1 - 2 sqrt(u); its mean -1/3, variance 2/9.
    u = np.random.default_rng(9).uniform(0, 1, 100_000)
    x = iterate("cusp", [1 - 2 * np.sqrt(u)], 20)[-1, 0]
    assert x.mean() == pytest.approx(-1 / 3, abs=STANDARD_ERRORS * sqrt(2 / 9 / x.size))


def test_pomeau_manneville_laminar_phase() -> None:
    # Close to 0 the map is 1/x -> 1/x - 1 at z = 2, but for terms in x: some 1/x steps to leave.
    x = iterate("pomeau_manneville", [1e-4], 10_000, z=2.0)[:, 0]
    assert x[9_000] == pytest.approx(1e-3, rel=1e-2)


def test_mcmillan_invariant() -> None:
    x, y = iterate("mcmillan", [0.1, 0.0], 1000).T
    value = x**2 * y**2 + x**2 + y**2 - 2 * 1.6 * x * y
    assert value == pytest.approx(np.full(1001, 0.01), abs=ROUNDING)


def test_kicked_top_stays_on_the_sphere() -> None:
    x = iterate("kicked_top", [0.6, 0.0, 0.8], 1000)
    assert np.linalg.norm(x, axis=1) == pytest.approx(np.ones(1001), abs=ROUNDING)


def test_nontwist_standard_winds_at_the_golden_mean() -> None:
    # del-Castillo-Negrete, Greene and Morrison 1996: the critical shearless curve of 1/golden.
    a, steps = 0.686049, 100_000
    y = iterate("nontwist_standard", [a / 2 + 0.25, 0.0], steps)[1:, 1]
    assert np.mean(a * (1 - y**2)) == pytest.approx(1 / GOLDEN, abs=2 / steps)


def test_grebogi_torus_loses_its_inverse() -> None:
    # Grebogi, Ott and Yorke 1985: the map is invertible up to epsilon = 0.669.
    angles = np.linspace(0, 1, 65)[:-1]
    points = np.stack(np.meshgrid(angles, angles), -1).reshape(-1, 2)
    least = []
    for epsilon in (0.664, 0.674):
        step = function("grebogi_torus", epsilon=epsilon)
        least.append(np.linalg.det(jax.jit(jax.vmap(jax.jacfwd(step)))(points)).min())
    assert least[0] > 0 > least[1]


def test_gopy_exponent_of_the_unforced_line() -> None:
    # The mean of ln |2 sigma cos(2 pi theta)| over the circle is ln sigma; x = 0 is repelling.
    theta = iterate("gopy", [0.0, 0.1], 100_000)[:, 1]
    slopes = np.log(np.abs(2 * 1.5 * np.cos(2 * pi * theta)))
    assert slopes.mean() == pytest.approx(log(1.5), abs=1e-3)


def test_gopy_attractor_is_not_chaotic() -> None:
    # Grebogi, Ott, Pelikan and Yorke 1984: -1.059 along x at sigma = 1.5.
    x, theta = iterate("gopy", [1.0, 0.1], 400_000)[1000:].T
    slopes = np.log(np.abs(3 * np.cos(2 * pi * theta))) - 2 * np.log(np.cosh(x))
    assert slopes.mean() == pytest.approx(-1.059, abs=1e-3)


# The coupled maps


def test_globally_coupled_spectrum_at_a_uniform_state() -> None:
    # f'(x) once, (1 - epsilon) f'(x) else.
    g = shipped("globally_coupled_logistic", "map.initial.x.size=8")
    p = {"a": jnp.asarray(1.65), "epsilon": jnp.asarray(0.2)}
    x = jnp.full(8, 0.3)
    matrix = jax.jacfwd(lambda x: g.step({"x": x}, p)["x"])(x)
    slope = -2 * 1.65 * 0.3
    found = np.sort(np.linalg.eigvalsh(np.asarray(matrix)))
    assert found == pytest.approx([slope] + [0.8 * slope] * 7, abs=ROUNDING)


def test_globally_coupled_maps_gather_in_clusters() -> None:
    # Kaneko 1990: at a = 1.65, epsilon = 0.2 the elements are two groups, each in step.
    g = shipped("globally_coupled_logistic")
    x, _ = jax.lax.scan(
        lambda x, _: (g.step(x, dict(g.parameters)), None),
        {"x": jnp.asarray(g.initial["x"])},
        length=1000,
    )
    assert len(np.unique(np.asarray(x["x"]).round(9))) == 2


def lattice(size: int) -> tuple[Map, Callable[[Any], Any]]:
    """The lattice of so many sites, and its step at a = 3.9, epsilon = 0.3."""
    g = shipped("coupled_logistic", f"map.initial.x.size={size}")
    p = {"a": jnp.asarray(3.9), "epsilon": jnp.asarray(0.3)}
    return g, lambda x: g.step({"x": x}, p)["x"]


def test_coupled_logistic_start() -> None:
    g = shipped("coupled_logistic")
    assert g.components["x"].shape == (64,)
    x = np.asarray(g.initial["x"])
    assert x.shape == (64,)
    assert 0 <= x.min() < 0.2 < 0.8 < x.max() < 1


def test_coupled_logistic_conserves_the_sum_of_its_logistic_maps() -> None:
    _, step = lattice(8)
    x = np.random.default_rng(6).uniform(0, 1, 8)
    f = 3.9 * x * (1 - x)
    assert np.sum(step(x)) == pytest.approx(f.sum(), abs=ROUNDING)
    assert step(x)[0] == pytest.approx(0.7 * f[0] + 0.15 * (f[1] + f[7]), abs=ROUNDING)


def test_coupled_logistic_spectrum_at_the_uniform_fixed_point() -> None:
    # Kaneko 1984: (2 - a) (1 - epsilon + epsilon cos(2 pi k/size)).
    g, step = lattice(8)
    assert g.components["x"].shape == (8,)
    x = jnp.full(8, 1 - 1 / 3.9)
    assert step(x) == pytest.approx(np.asarray(x), abs=ROUNDING)
    found = np.sort(np.linalg.eigvals(np.asarray(jax.jit(jax.jacfwd(step))(x))).real)
    expected = (2 - 3.9) * (0.7 + 0.3 * np.cos(2 * pi * np.arange(8) / 8))
    assert found == pytest.approx(np.sort(expected), abs=ROUNDING)


# Exponents


def exponents(name: str, parameters: dict[str, float], cells: int, steps: int) -> np.ndarray:
    """[cells, d] The exponents, d <= 2, from one tangent vector and the determinant."""
    step = function(name, **parameters)

    def update(carry: Any, _: None) -> Any:
        x, v, stretch, volume = carry
        matrix = jax.jacfwd(step)(x)
        v = matrix @ v
        size = jnp.linalg.norm(v)
        area = jnp.abs(jnp.linalg.det(matrix))
        return (step(x), v / size, stretch + jnp.log(size), volume + jnp.log(area)), None

    def cell(x: Any) -> Any:
        x, _ = jax.lax.scan(lambda x, _: (step(x), None), x, length=1000)
        v = jnp.ones(x.size) / sqrt(x.size)
        (_, _, stretch, volume), _ = jax.lax.scan(update, (x, v, 0.0, 0.0), length=steps)
        both = jnp.stack([stretch, volume - stretch])
        return both[: x.size] / steps

    return np.asarray(jax.jit(jax.vmap(cell))(starts(name, cells)))


PUBLISHED_EXPONENTS = yaml.safe_load((HERE / "known/exponents.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", PUBLISHED_EXPONENTS, ids=lambda row: row["map"])
def test_exponents(row: dict[str, Any]) -> None:
    # Rows 16, 19, 20 and 21 among them.
    cells, steps = 512, 4000
    found = exponents(row["map"], row["parameters"], cells, steps)
    error = found.std(axis=0) / sqrt(cells)
    assert np.all(error < 2e-3)
    assert np.all(abs(found.mean(axis=0) - row["exponents"]) < STANDARD_ERRORS * error + PUBLISHED)
