"""Periods: against the exact ones, a long naive run, and the regimes in between."""

import math

import numpy as np
import pytest

import pipeline
from pipeline.analyses.period import Regime
from pipeline.errors import ConfigError

NAIVE = 1e-10  # of a return, after two million steps: what is not exact by then is chaotic


def found(*overrides):
    """(period, regime) of a run, flat."""
    ds = pipeline.run("experiment=orbit", *overrides)
    return ds.period.values.ravel().tolist(), [Regime(r) for r in ds.regime.values.ravel()]


def values(*numbers):
    return "{values: [" + ", ".join(map(repr, numbers)) + "]}"


@pytest.mark.slow
def test_no_period_is_missed_or_doubled():
    """The 600 values of the bifurcation diagram, the hard ones 3.444, 3.445 and 3.542 included."""
    ds = pipeline.run(
        "experiment=logistic_bifurcation", "analysis=period", "iterate.transient=10000"
    )
    a = ds.a.values
    x = np.full(a.shape, 0.5)
    for _ in range(2_000_000):
        x = a * x * (1 - x)
    y, naive = x, np.zeros(a.shape, int)
    for q in range(1, 65):
        y = a * y * (1 - y)
        naive = np.where((naive == 0) & (abs(y - x) < NAIVE), q, naive)
    period = ds.period.values
    np.testing.assert_array_equal(np.where(period <= 64, period, 0), naive)
    np.testing.assert_array_equal(ds.regime == Regime.periodic, period > 0)
    assert set(np.unique(ds.regime)) == {Regime.periodic, Regime.chaotic}


def test_logistic_where_it_is_hard():
    """Rows 1, 3 and 4: at a doubling, at its accumulation, on both sides of the window of 3."""
    opens = 1 + math.sqrt(8)
    a = [2.9, 3.0, 3.2, 1 + math.sqrt(5), 3.56875, 3.569945671870944901]
    a += [opens - 1e-8, opens - 1e-11, opens + 1e-8, 0.5, 0.999, 4.1]
    period, regime = found("map=logistic", "analysis=period", "grid={a: " + values(*a) + "}")
    assert period == [1, 0, 2, 2, 16, 0, 0, 0, 3, 1, 1, 0]
    marginal = [regime[k] for k in (1, 5, 6, 7)]
    assert marginal == [Regime.unresolved] * 4
    assert regime[-1] == Regime.escaped
    assert regime[4] == regime[8] == Regime.periodic


def test_tori_and_locking():
    """Row 22: the delayed logistic map turns quasiperiodic at a = 2, and locks to 7 near 2.19."""
    a = values(1.5, 1.99, 2.05, 2.1, 2.19, 2.27)
    period, regime = found("map=delayed_logistic", "analysis=period", "grid={a: " + a + "}")
    assert period == [1, 1, 0, 0, 7, 0]
    assert regime[2:4] == [Regime.quasiperiodic] * 2
    assert regime[5] == Regime.chaotic


def test_a_circle_is_closed():
    """Rotations by a half: a locked cycle of 2, the short way round where the circle closes."""
    grid = "grid={omega: " + values(0.5, 0.6180339887498949) + "}"
    period, regime = found(
        "map=circle", "analysis=period", grid, "map.parameters.k=0.9", "map.initial.theta=0.999"
    )
    assert period == [2, 0]
    assert regime == [Regime.periodic, Regime.quasiperiodic]


def test_bulbs_of_the_mandelbrot_set():
    """A complex component is two reals. The centres of period 1, 2, 3 and 4, and one outside."""
    c = {1: 0.1 + 0.1j, 2: -1.05 + 0.05j, 3: -0.12 + 0.74j, 4: 0.28 + 0.53j, 0: 0.5 + 0.5j}
    points = [[z.real, z.imag] for z in c.values()]
    for count, (re, im) in zip(c, points, strict=True):
        period, regime = found(
            "map=quadratic_c", "analysis=period", f"grid={{c_re: {values(re)}, c_im: {values(im)}}}"
        )
        assert period == [count]
        assert regime == [Regime.periodic if count else Regime.escaped]


@pytest.mark.parametrize("precision", ["single", "double"])
def test_exponents_beside_it_are_untouched(precision):
    """Henon: the cascade at b = 0.3 begins at a = 0.3675 (row 17)."""
    grid = "grid={a: " + values(0.36, 0.375, 1.0, 1.4) + "}"
    wanted = ["experiment=orbit", "map=henon", grid, f"device.precision={precision}"]
    both = pipeline.run(*wanted, "analysis=[lyapunov,period]")
    alone = pipeline.run(*wanted, "analysis=lyapunov")
    assert both.period.values.tolist() == [1, 2, 4, 0]
    assert both.regime.values[-1] == Regime.chaotic
    for name in alone.data_vars:
        np.testing.assert_allclose(both[name], alone[name], rtol=1e-3)


def test_a_lattice_is_one_state():
    """Vectors: nine logistic maps, coupled so strongly that they are one."""
    period, _ = found(
        "map=coupled_logistic", "analysis=period", "map.parameters={a: 3.2, epsilon: 0.3}",
        "~map.initial.x", "+map.initial.x={value: [0.3], size: 9}",
    )  # fmt: skip
    assert period == [2]


def test_the_longest_is_a_setting():
    grid = "grid={a: " + values(3.2, 3.5) + "}"
    period, regime = found("map=logistic", "analysis=period", grid, "analysis.period.max_period=3")
    assert period == [2, 0]
    assert regime[1] == Regime.unresolved


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["solver=aitken"], "a step of aitken is no smooth map of the state alone"),
        (["map=custom", "map.equations={x: x/2 + n}", "map.initial={x: 1}"], "formulas use n"),
        (["map=coupled_logistic", "map.initial.x.size=65"], "at most 64 reals"),
    ],
)
def test_what_cannot_be_studied(overrides, reason):
    with pytest.raises(ConfigError, match=reason):
        pipeline.run("experiment=orbit", "analysis=period", *overrides)


def test_passing_chaos_is_not_chaos():
    """In the window of 3 an orbit wanders before it settles: looked at again, it has."""
    a = "grid={a: {start: 3.8285, stop: 3.8414, num: 40}}"
    short = ["map=logistic", "analysis=period", a, "iterate.transient=0", "iterate.length=64"]
    period, regime = found(*short)
    assert period == [3] * 40
    assert set(regime) == {Regime.periodic}
    once, _ = found(*short, "analysis.period.extended=0")
    assert 0 in once
