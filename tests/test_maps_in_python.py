"""Maps whose formulas are easily mistaken, against the same maps written down in plain Python."""

from __future__ import annotations

from cmath import exp as cexp
from cmath import rect
from collections.abc import Callable, Iterator
from functools import cache
from math import copysign, cos, exp, fsum, pi, sin, sqrt, tanh
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline import config
from pipeline.maps import Map

# A few steps of some ten operations each, through slopes up to some hundred.
ROUNDING = 1e-9
STEPS = 3


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


@cache
def shipped(name: str) -> Map:
    """The map as an experiment reads it."""
    problem = config.read(config.compose(["experiment=orbit", f"map={name}"])).problem
    assert isinstance(problem, Map)
    return problem


def clifford(x: float, y: float) -> tuple[float, ...]:
    """With its default parameters, like all of them."""
    return sin(-1.4 * y) + cos(-1.4 * x), sin(1.6 * x) + 0.7 * cos(1.6 * y)


def de_jong(x: float, y: float) -> tuple[float, ...]:
    return sin(1.4 * y) - cos(-2.3 * x), sin(2.4 * x) - cos(-2.1 * y)


def svensson(x: float, y: float) -> tuple[float, ...]:
    return -6.56 * sin(1.4 * x) - sin(1.56 * y), 1.4 * cos(1.4 * x) + cos(1.56 * y)


def gumowski_mira(x: float, y: float) -> tuple[float, ...]:
    def f(x: float) -> float:
        return -0.496 * x + 2 * (1 + 0.496) * x * x / (1 + x * x)

    new = y + 0.008 * (1 - 0.05 * y * y) * y + f(x)
    return new, f(new) - x


def hopalong(x: float, y: float) -> tuple[float, ...]:
    return y - copysign(sqrt(abs(x)), x), 0.4 - x


def rulkov(x: float, y: float) -> tuple[float, ...]:
    return 4.1 / (1 + x * x) + y, y - 0.001 * (x + 1)


def bogdanov(x: float, y: float) -> tuple[float, ...]:
    y = y + 1.2 * x * (x - 1)
    return x + y, y


def zaslavskii(x: float, y: float) -> tuple[float, ...]:
    # As a rotor that is kicked and then slows down for a time: y decays with r, x turns by its
    # integral.
    y = y + 0.3 * cos(2 * pi * x)
    turn = 400 / 3 * (1 + (1 - exp(-3)) / 3 * y)
    return (x + turn) % 1, exp(-3) * y


def gopy(x: float, theta: float) -> tuple[float, ...]:
    return 3 * tanh(x) * cos(2 * pi * theta), (theta + (sqrt(5) - 1) / 2) % 1


AMPLITUDES = [
    [
        (1, 0, -0.26813663648754, 0.98546084298505),
        (0, 1, -0.91067559396390, 0.50446045609351),
        (1, 1, 0.31172026382793, 0.94707472523078),
        (1, -1, -0.04003977835470, 0.23350105508507),
    ],
    [
        (1, 0, 0.08818611671542, 0.99030722865609),
        (0, 1, -0.56502889980448, 0.33630697012268),
        (1, 1, 0.16299548727086, 0.29804921230971),
        (1, -1, -0.80398881978155, 0.15506467277737),
    ],
]


def grebogi_torus(theta: float, phi: float) -> tuple[float, ...]:
    # The table of Cross' lectures on chaos, lesson 21 (California Institute of Technology).
    p = [
        fsum(a * sin(2 * pi * (r * theta + s * phi + b)) for r, s, a, b in rows)
        for rows in AMPLITUDES
    ]
    scale = 0.75 / (2 * pi)
    return (theta + 0.54657 + scale * p[0]) % 1, (phi + 0.36736 + scale * p[1]) % 1


def folded_towel(x: float, y: float, z: float) -> tuple[float, ...]:
    w = (y + 0.35) * (1 - 2 * z)
    return (
        3.8 * x * (1 - x) - 0.05 * w,
        0.1 * (w - 1) * (1 - 1.9 * x),
        3.78 * z * (1 - z) + 0.2 * y,
    )


def nontwist_standard(x: float, y: float) -> tuple[float, ...]:
    y = y - 0.742493131039 * sin(2 * pi * x)
    return (x + 0.686049 * (1 - y) * (1 + y)) % 1, y


def froeschle(t1: float, p1: float, t2: float, p2: float) -> tuple[float, ...]:
    # Kicked by the gradient of -(k1 cos t1 + k2 cos t2 + b cos(t1 + t2)).
    p1 = p1 + 0.5 * sin(t1) + 0.05 * sin(t1 + t2)
    p2 = p2 + 0.7 * sin(t2) + 0.05 * sin(t1 + t2)
    return (t1 + p1) % (2 * pi), p1 % (2 * pi), (t2 + p2) % (2 * pi), p2 % (2 * pi)


def pomeau_manneville(x: float) -> tuple[float, ...]:
    return ((x + x**1.7) % 1,)


def beta_shift(x: float) -> tuple[float, ...]:
    return (1.8 * x % 1,)


def skew_tent(x: float) -> tuple[float, ...]:
    return (min(x / 0.3, (1 - x) / 0.7),)


def leslie(x: float, y: float) -> tuple[float, ...]:
    return 36 * (x + y) * exp(-(x + y) / 10), 0.7 * x


def lotka_volterra(x: float, y: float) -> tuple[float, ...]:
    return x * (3.65 * (1 - x) - y), 3.2 * x * y


def nicholson_bailey(x: float, y: float) -> tuple[float, ...]:
    healthy = x * (1 + y / 0.99) ** -0.99
    return 2 * healthy, x - healthy


def multibrot(z: complex) -> tuple[complex, ...]:
    return (z * z * z + 0.5575728429596318 + 0.5403468153148777j,)


def burning_ship(x: float, y: float) -> tuple[float, ...]:
    z = complex(abs(x), abs(y)) ** 2 + complex(-0.506, -0.555)
    return z.real, z.imag


def henon_area_preserving(x: float, y: float) -> tuple[float, ...]:
    z = complex(x, y - x * x) * complex(0.24, sqrt(1 - 0.24**2))
    return z.real, z.imag


def web(x: float, y: float) -> tuple[float, ...]:
    z = complex(x, y + sin(x)) * rect(1, pi / 2)
    return z.real, z.imag


def sinai(x: float, y: float) -> tuple[float, ...]:
    return (x + y + 0.1 * cos(2 * pi * y)) % 1, (x + 2 * y) % 1


def lorenz_3d(x: float, y: float, z: float) -> tuple[float, ...]:
    return x * y - z, x, y


def cusp(x: float) -> tuple[float, ...]:
    return (1 - 2 * sqrt(abs(x)),)


def pinchers(x: float) -> tuple[float, ...]:
    return (abs(tanh(2 * x - 1)),)


def dissipative_standard(theta: float, p: float) -> tuple[float, ...]:
    p = 0.1 * p + 8.8 * sin(theta)
    return (theta + p) % (2 * pi), p % (2 * pi)


def bouncing_ball(phi: float, v: float) -> tuple[float, ...]:
    phi = phi + v
    return phi % (2 * pi), 0.5 * v - 10 * cos(phi)


def mcmillan(x: float, y: float) -> tuple[float, ...]:
    return y, -x + 3.2 * y / (1 + y * y)


def chialvo(x: float, y: float) -> tuple[float, ...]:
    return x * x * exp(y - x) + 0.03, 0.89 * y - 0.18 * x + 0.28


def kicked_top(x: float, y: float, z: float) -> tuple[float, ...]:
    # A right angle about the y axis, then a turn about the z axis by kappa times the new z.
    x, z = z, -x
    w = complex(x, y) * cexp(3j * z)
    return w.real, w.imag, z


def globally_coupled_logistic(*x: float) -> tuple[float, ...]:
    f = [1 - 1.65 * v * v for v in x]
    return tuple(0.8 * v + 0.2 * fsum(f) / len(f) for v in f)


MAPS: list[Callable[..., tuple[Any, ...]]] = [
    *(clifford, de_jong, svensson, gumowski_mira, hopalong, rulkov, bogdanov, zaslavskii, gopy),
    *(grebogi_torus, folded_towel, nontwist_standard, froeschle, pomeau_manneville, beta_shift),
    *(skew_tent, leslie, lotka_volterra, nicholson_bailey, multibrot, burning_ship),
    *(henon_area_preserving, web, sinai, lorenz_3d, cusp, pinchers, dissipative_standard),
    *(bouncing_ball, mcmillan, chialvo, kicked_top, globally_coupled_logistic),
]


@pytest.mark.parametrize("plain", MAPS, ids=lambda plain: plain.__name__)
def test_steps(plain: Callable[..., tuple[Any, ...]]) -> None:
    g = shipped(plain.__name__)
    random = np.random.default_rng(7)
    for _ in range(20):
        # One vector component, or one number for each.
        shape = next(iter(g.components.values())).shape
        x = random.uniform(0.02, 0.98, shape or len(g.components)) * (1 + 0j)
        x = x + 1j * random.uniform(-0.5, 0.5) if plain is multibrot else x.real
        state = (
            {"x": jnp.asarray(x)} if shape else dict(zip(g.components, jnp.asarray(x), strict=True))
        )
        expected = tuple(x.tolist())
        for _ in range(STEPS):
            state, expected = g.step(state, dict(g.parameters)), plain(*expected)
        found = np.concatenate([np.ravel(value) for value in state.values()])
        for component, a, b in zip([*state] * len(found), found, expected, strict=False):
            length = g.modulus.get(component)
            d = a - b if length is None else (a - b + length / 2) % length - length / 2
            assert abs(d) < ROUNDING * max(1, abs(b)), component
