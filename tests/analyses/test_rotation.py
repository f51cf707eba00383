import math
from fractions import Fraction

import numpy as np
import pytest

from pipeline import config, run
from pipeline.errors import ConfigError

ROTATION = ["experiment=orbit", "map=circle", "analysis=[rotation]", "figure=none"]
# The mean of a constant.
ROUNDING = 1e-12
# What a weighted average of 10^4 steps leaves of a locked or a smooth orbit.
CONVERGED = 1e-9
GOLDEN = (math.sqrt(5) - 1) / 2


def circle(k, omegas, *overrides, length=10000):
    grid = f"grid={{omega: {{values: {list(map(float, omegas))}}}}}"
    lengths = ["iterate.transient=1000", f"iterate.length={length}"]
    return run(*ROTATION, *lengths, f"map.parameters.k={k}", grid, *overrides)


def test_without_a_bend_it_is_omega():
    omegas = [0, 0.1, GOLDEN, 0.75, 1, 1.25, -0.3]
    ds = circle(0, omegas)
    np.testing.assert_allclose(ds.rotation_number, omegas, rtol=0, atol=ROUNDING)
    assert (ds.rotation_number_error.values < ROUNDING).all()


def test_in_a_tongue_it_is_rational():
    # The tongue of 0/1 is |omega| < k/(2 pi); 1/2 is locked about 1/2, by symmetry.
    ds = circle(0.9, [0.1, 0.14, 0.5, 0.503, 0.86])
    np.testing.assert_allclose(ds.rotation_number, [0, 0, 0.5, 0.5, 1], rtol=0, atol=CONVERGED)


def test_rises_with_omega_by_stairs():
    omegas = np.linspace(0, 1, 301)
    ds = circle(1, omegas)
    found = ds.rotation_number.values
    assert (np.diff(found) > -1e-6).all()
    # rho(1 - omega) = 1 - rho(omega)
    np.testing.assert_allclose(found + found[::-1], 1, atol=1e-6)
    # The step of 0 ends at 1/(2 pi); together the steps fill the line (Jensen, Bak and Bohr 1984),
    # but beside their ends, and where they are narrow, an orbit takes longer to settle.
    assert np.array_equal(found < CONVERGED, omegas < 1 / (2 * math.pi))
    near = [float(Fraction(v).limit_denominator(20)) for v in found]
    assert (np.abs(found - near) < CONVERGED).mean() > 0.6


def test_golden_mean():
    # omega of the golden mean at k = 0.9, by bisection on plain averages of the lift.
    def plain(omega, steps=20000):
        x = 0.1
        for _ in range(steps):
            x += omega - 0.9 / (2 * math.pi) * math.sin(2 * math.pi * x)
        return (x - 0.1) / steps

    low, high = 0.6, 0.62
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (middle, high) if plain(middle) < GOLDEN else (low, middle)
    ds = circle(0.9, [low], length=20000)
    # A plain average of N steps is within 1/N, and much nearer by its mean.
    assert float(ds.rotation_number[0]) == pytest.approx(GOLDEN, abs=5e-5)
    twice = circle(0.9, [low], length=40000)
    # The weighted one has all its digits: more steps change none.
    assert float(twice.rotation_number[0]) == pytest.approx(
        float(ds.rotation_number[0]), abs=CONVERGED
    )


def test_a_remainder_of_another_form_goes_the_short_way_round():
    bend = "k/(2*pi)*sin(2*pi*theta)"
    asked = {
        "mod": f"mod(theta + omega - {bend}, 1)",
        "sign": f"(theta + omega - {bend}) % 1",
        "plain": f"theta + omega - {bend} - floor(theta + omega - {bend})",
    }
    for omega in (0.3, 0.9, -0.2):
        found = {
            name: float(circle(0.5, [omega], f"map.equations.theta='{text}'").rotation_number[0])
            for name, text in asked.items()
        }
        assert found["sign"] == pytest.approx(found["mod"], abs=CONVERGED)
        turns = found["plain"] - found["mod"]
        assert turns == pytest.approx(-1 if omega == 0.9 else 0, abs=CONVERGED)


def test_on_a_circle_of_another_length():
    ds = run(
        "experiment=orbit", "map=standard", "analysis=[rotation]", "figure=none",
        "map.parameters.k=0", "grid={p0: {values: [1, 2, 5]}}", "iterate.length=5000",
    )  # fmt: skip
    np.testing.assert_allclose(ds.rotation_number, np.array([1, 2, 5]) / (2 * math.pi))
    ds = run(
        "experiment=orbit", "map=standard", "analysis=[rotation]", "figure=none",
        "analysis.rotation.component=p", "map.parameters.k=0",
    )  # fmt: skip
    assert float(ds.rotation_number) == pytest.approx(0, abs=ROUNDING)


def test_of_a_vector_and_in_single_precision():
    ds = run(
        "experiment=orbit", "map=custom", "analysis=[rotation]", "figure=none",
        "map.equations={u: 'mod(u + w, 1)'}", "map.parameters={w: [0.25, 0.4, 0.9]}",
        "map.initial={u: [0, 0.1, 0.2]}", "map.modulus={u: 1}", "device.precision=single",
    )  # fmt: skip
    assert ds.rotation_number.dims == ("u_dim",)
    np.testing.assert_allclose(ds.rotation_number, [0.25, 0.4, 0.9], atol=1e-5)


def test_definitions_and_the_count_are_those_of_the_step():
    ds = run(
        "experiment=orbit", "map=custom", "analysis=[rotation]", "figure=none",
        "map.equations={u: 'mod(u + push, 1)'}", "map.definitions={push: '0.1 + 0.2*(n % 2)'}",
        "map.parameters={}", "map.initial={u: 0}", "map.modulus={u: 1}",
    )  # fmt: skip
    assert float(ds.rotation_number) == pytest.approx(0.2, abs=CONVERGED)


def test_short_lengths():
    for length in (1, 2, 3, 5):
        ds = circle(0, [0.3], length=length)
        assert float(ds.rotation_number[0]) == pytest.approx(0.3, abs=ROUNDING)
        assert math.isnan(float(ds.rotation_number_error[0])) == (length == 1)


def test_mistakes():
    asked = config.compose(["experiment=orbit", "analysis=[rotation]"])
    with pytest.raises(ConfigError, match="no component lives on a circle"):
        config.read(asked)
    asked = config.compose([*ROTATION, "analysis.rotation.component=phi"])
    with pytest.raises(ConfigError, match=r'= "phi": expected a component with a modulus \(theta'):
        config.read(asked)
    asked = config.compose([*ROTATION, "iterate.stop=converged"])
    with pytest.raises(ConfigError, match="averages are over"):
        config.read(asked)
