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


SPECTRUM = ["experiment=orbit", "analysis=[lyapunov]", "figure=none", "iterate.transient=1000"]


def spectrum(*overrides):
    found = run(*SPECTRUM, *overrides)
    return found.lyapunov.values, found.lyapunov_error.values, float(found.kaplan_yorke_dimension)


def test_the_spectrum_of_henon():
    # Row 16; the sum is that of the determinant at every step.
    found, error, dimension = spectrum("map=henon", "iterate.length=200000")
    assert np.all(np.abs(found - [0.41922, -1.62319]) < 5 * error)
    assert np.all((error > 1e-4) & (error < 3e-3))
    assert found.sum() == pytest.approx(math.log(0.3), rel=1e-12)
    assert dimension == pytest.approx(1 + found[0] / abs(found[1]), rel=1e-12)


def test_maps_with_exponents_in_closed_form():
    # Row 20: both eigenvalues are the same everywhere. Row 21.
    found, error, dimension = spectrum("map=arnold_cat", "iterate.length=1000")
    np.testing.assert_allclose(found, [0.962423650119, -0.962423650119], rtol=1e-11)
    assert error.max() < 1e-12
    assert dimension == pytest.approx(2)


def test_fewer_exponents_are_the_first_ones():
    two, _, _ = spectrum("map=henon", "iterate.length=5000")
    one, _, dimension = spectrum(
        "map=henon", "iterate.length=5000", "analysis.lyapunov.exponents=1"
    )
    assert one.shape == (1,)
    assert one[0] == pytest.approx(two[0], abs=0.02)
    assert math.isnan(dimension)


def test_a_complex_map_is_conformal():
    """z^2 + c stretches all directions alike: by |2z|, on a cycle as on any orbit."""
    found, _, _ = spectrum("map=quadratic_c", "map.parameters.c='-0.9+0.1j'", "iterate.length=2000")
    z = 0j
    total = 0.0
    for n in range(3000):
        if n >= 1000:
            total += math.log(abs(2 * z))
        z = z * z - 0.9 + 0.1j
    np.testing.assert_allclose(found, total / 2000, atol=1e-3)


def test_against_qr_in_numpy():
    """A ring of five logistic maps, whose five exponents come by Gram and Schmidt's method."""
    ring = ["map=coupled_logistic", "map.initial.x.size=5", "iterate.length=4000"]
    found, error, _ = spectrum(*ring)
    assert found.shape == (5,)
    assert (np.diff(found) <= 0).all()
    leading, _, _ = spectrum(*ring, "analysis.lyapunov.exponents=2")
    np.testing.assert_allclose(leading, found[:2], atol=5 * error[:2].max())
    described = config.read(config.compose([*SPECTRUM, *ring]))
    a, eps = (float(described.problem.parameters[name]) for name in ("a", "epsilon"))
    rng = np.random.default_rng(0)
    x, q, logs = rng.uniform(0.2, 0.8, 5), np.eye(5), []
    for n in range(21_000):
        slope = np.diag(a - 2 * a * x)
        mixing = (1 - eps) * np.eye(5) + eps / 2 * (
            np.roll(np.eye(5), 1, axis=0) + np.roll(np.eye(5), -1, axis=0)
        )
        q, r = np.linalg.qr(mixing @ slope @ q)
        if n >= 1000:
            logs.append(np.log(np.abs(np.diag(r))))
        x = mixing @ (a * x * (1 - x))
    expected = np.mean(logs, axis=0)
    assert np.all(np.abs(found - expected) < 6 * error + 0.01)


def test_windows_average_to_the_whole():
    found = run(*SPECTRUM, "map=henon", "iterate.length=5000", "analysis.lyapunov.window=1000")
    assert found.lyapunov.dims == ("exponent", "window")
    assert found.window.values.tolist() == [2000, 3000, 4000, 5000, 6000]
    whole, _, _ = spectrum("map=henon", "iterate.length=5000")
    np.testing.assert_allclose(found.lyapunov.mean("window"), whole, atol=0.05)
    np.testing.assert_allclose(found.lyapunov.sum("exponent"), math.log(0.3), rtol=1e-12)


def test_windows_beside_an_orbit():
    """Neither alters the other, though their steps have no multiple in common."""
    both = run(
        *[*SPECTRUM[:1], "analysis=[lyapunov,orbit]", *SPECTRUM[2:], "map=henon"],
        *["iterate.length=20", "analysis.lyapunov.window=3", "analysis.orbit.every=4"],
        "map.parameters.a=0.2",
    )
    alone = run(
        *[*SPECTRUM[:1], "analysis=[orbit]", *SPECTRUM[2:], "map=henon"],
        *["iterate.length=20", "analysis.orbit.every=4", "map.parameters.a=0.2"],
    )
    np.testing.assert_allclose(both.x, alone.x, rtol=1e-12)
    assert both.sizes["window"] == 6


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
        (["solver=secant"], "of the state alone: it depends on more of the steps before; expected"),
        (["solver=gradient_armijo"], "no smooth map of the state alone: it has jumps; expected"),
    ],
)
def test_what_it_does_not_take(overrides, reason):
    asked = config.compose(["experiment=orbit", "analysis=[lyapunov]", *overrides])
    with pytest.raises(ConfigError, match=reason):
        config.read(asked)
