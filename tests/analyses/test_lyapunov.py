import math

import numpy as np
import pytest

from pipeline import config, run
from pipeline.errors import ConfigError

EXPONENT = ["experiment=orbit", "analysis=[lyapunov]", "figure=none", "map.initial.x=0.1"]
# Standard error of the mean of ln|g'| over 10^6 chaotic steps, some five times over.
SAMPLING = 3e-3
# A stable cycle's exponent, once the transient has decayed, is a mean of rounded logarithms.
ROUNDING = 1e-9


def exponents(*overrides, long=False):
    length = ["iterate.transient=2000", f"iterate.length={1_000_000 if long else 20_004}"]
    return run(*EXPONENT, *length, *overrides).lyapunov.values[..., 0]


def test_stable_fixed_points_and_cycles():
    found = exponents("grid={a: {values: [1.5, 2.5, 2.9, 3.2]}}")
    # Rows 5 and 6: ln|2 - a| of the fixed point, half of ln|4 + 2a - a^2| of the 2-cycle.
    expected = [math.log(0.5), math.log(0.5), math.log(0.9), math.log(abs(4 + 6.4 - 3.2**2)) / 2]
    np.testing.assert_allclose(found, expected, atol=ROUNDING)


def test_cycles_of_row_7():
    found = exponents("grid={a: {values: [3.5, 3.83]}}")
    # 20004 steps are whole turns of both cycles.
    np.testing.assert_allclose(found, [-0.8725073, -0.36967], atol=5e-6)


def test_chaos():
    # Rows 7 and 19: ln 2 of the logistic map at 4, ln mu of the tent map, ln n of Chebyshev's.
    assert exponents("map.parameters.a=4", long=True) == pytest.approx(math.log(2), abs=SAMPLING)
    assert exponents("map=tent", "map.parameters.mu=1.9") == pytest.approx(math.log(1.9), abs=1e-12)
    cubic = exponents("map=chebyshev", "map.parameters.degree=3", long=True)
    assert cubic == pytest.approx(math.log(3), abs=SAMPLING)


def test_agrees_with_a_log_at_each_step():
    a, x, total = 3.7, 0.1, 0.0
    for n in range(1300):
        if n >= 300:
            total += math.log(abs(a - 2 * a * x))
        x = a * x - a * x * x
    short = run(*EXPONENT, "map.parameters.a=3.2", "iterate.transient=0", "iterate.length=30")
    x, exact = 0.1, 0.0
    for _ in range(30):
        exact += math.log(abs(3.2 - 6.4 * x))
        x = 3.2 * x - 3.2 * x * x
    assert float(short.lyapunov[0]) == pytest.approx(exact / 30, rel=1e-12)
    whole = run(*EXPONENT, "map.parameters.a=3.7", "iterate.transient=300", "iterate.length=1000")
    # Chaotic orbits part, so only the averages agree.
    assert float(whole.lyapunov[0]) == pytest.approx(total / 1000, abs=0.05)


def test_a_superstable_orbit_has_minus_infinity():
    # x = 1/2 is the fixed point of a = 2, where the derivative vanishes exactly.
    found = run(*EXPONENT, "map.initial.x=0.5", "map.parameters.a=2", "iterate.length=100")
    assert float(found.lyapunov[0]) == -math.inf
    assert int(found.status) == 0


@pytest.mark.parametrize("rate", [1e30, 1e-30])
def test_extreme_derivatives_neither_overflow_nor_vanish(rate):
    # |x| stays put while the derivative is the rate: x' = rate * (x - x0) + x0 at x = x0.
    found = run(
        "experiment=orbit",
        "map=custom",
        "map.equations={x: 'rate*(x - 1) + 1'}",
        f"map.parameters={{rate: {rate}}}",
        "map.initial={x: 1}",
        "analysis=[lyapunov]",
        "figure=none",
        "iterate.length=1000",
    )
    assert float(found.lyapunov[0]) == pytest.approx(math.log(rate), rel=1e-12)


def test_an_escaped_cell_has_none():
    found = run(*EXPONENT, "map.parameters.a=5", "iterate.length=1000")
    assert int(found.status) == 2
    assert math.isnan(float(found.lyapunov[0]))


def test_single_precision():
    found = exponents("device.precision=single", "grid={a: {values: [2.5, 3.2]}}")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [math.log(0.5), -0.916290731874], rtol=1e-4)


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["map=henon"], "maps of one real component"),
        (["map=quadratic_c"], "maps of one real component"),
        (["solver=newton"], "a solver's cells end"),
    ],
)
def test_what_it_does_not_take(overrides, reason):
    asked = config.compose(["experiment=orbit", "analysis=[lyapunov]", *overrides])
    with pytest.raises(ConfigError, match=reason):
        config.read(asked)
