"""Curves of bifurcations: those known on paper, what they pass, where they end, what is refused."""

import numpy as np
import pytest

import pipeline
from pipeline.analyses.branches.curves import End
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.forms import Criticality
from pipeline.errors import ConfigError

EXACT = 1e-12  # what bifurcations are located to


def run(*overrides):
    """The dataset of curves."""
    words = "experiment=orbit", "analysis=bifurcation_curves", "figure=none"
    return pipeline.run(*words, *overrides)


def curves(ds, kind, period=1):
    """(first, second, its own variables) of each curve of a kind."""
    own = (ds.curve_type.values == kind) & (ds.curve_period.values == period)
    for k in np.flatnonzero(own):
        one = ds.isel(curve=k, curve_point=slice(0, int(ds.curve_points[k])))
        yield one.curve_parameter.values, one.curve_second.values, one


@pytest.fixture(scope="module")
def cubic():
    """x' = a + b x - c x^3: folds on 27 c a^2 = 4 (b - 1)^3, with a cusp at a = 0, b = 1."""
    return run("map=custom", "map.equations={x: a + b*x - c*x**3}", "map.initial={x: 0.1}",
               "map.parameters={a: 0, b: 2, c: 1}",
               "grid={b: {values: [1.5, 2]}, c: {values: [1, 2]}}",
               "analysis.continuation={parameter: a, low: -1, high: 1, max_period: 1, starts: 32}",
               "analysis.bifurcations.switch=[]",
               "analysis.bifurcation_curves={second: b, second_low: 0.5, second_high: 2.2, "
               "max_curves: 4}")  # fmt: skip


def test_a_curve_of_folds_and_its_cusp(cubic):
    assert cubic.curve_parameter.dims == ("c", "curve", "curve_point")
    for c in (1, 2):
        ((a, b, one),) = curves(cubic.sel(c=c), Kind.fold)
        assert 27 * c * a**2 == pytest.approx(4 * (b - 1) ** 3, abs=EXACT)
        # Through the cusp, where the coefficient -3 c x changes its sign.
        assert sorted(np.sign(a[[0, -1]])) == [-1, 1]
        assert b[[0, -1]].tolist() == [2.2, 2.2]
        assert int(one.curve_begin) == int(one.curve_end) == End.second_high
        x = one.curve_x.values[:, 0]
        assert 3 * c * x**2 == pytest.approx(b - 1, abs=EXACT)
        assert np.abs(one.curve_coefficient.values) == pytest.approx(3 * c * np.abs(x), abs=1e-9)
        assert np.count_nonzero(np.diff(np.sign(one.curve_coefficient.values))) == 1
        assert (one.curve_residual.values < EXACT).all()


def test_each_line_has_its_branches(cubic):
    # Bifurcations on the lines b = 1.5 and 2, which the axis names; one curve goes through all.
    assert cubic.bifurcation_parameter.dims == ("b", "c", "bifurcation")
    for b in (1.5, 2):
        for c in (1, 2):
            one = cubic.sel(b=b, c=c)
            folds = one.bifurcation_parameter.values[one.bifurcation_type.values == Kind.fold]
            a = np.sqrt(4 * (b - 1) ** 3 / (27 * c))
            assert folds == pytest.approx([-a, a], rel=EXACT)


@pytest.fixture(scope="module")
def delayed():
    """x' = a x (1 - (1 - c) y - c x), y' = x: at c = 0 the delayed logistic map."""
    return run("map=custom", "map.equations={x: 'a*x*(1 - (1 - c)*y - c*x)', y: x}",
               "map.initial={x: 0.4, y: 0.4}", "map.parameters={a: 2, c: 0}",
               "grid={c: {values: [0, 0.2]}}",
               "analysis.continuation={parameter: a, low: 1.5, high: 6, max_period: 1}",
               "analysis.bifurcations.switch=[]",
               "analysis.bifurcation_curves={second_low: 0, second_high: 0.9}")  # fmt: skip


def test_neimark_sacker(delayed):
    # Row 22: multipliers exp(i pi / 3); Kuznetsov has -2 for a vector of length sqrt(2).
    ds = delayed.sel(c=0)
    (k,) = np.flatnonzero(ds.bifurcation_type.values == Kind.neimark_sacker)
    one = ds.isel(bifurcation=k)
    assert float(one.bifurcation_parameter) == pytest.approx(2, rel=EXACT)
    assert float(one.bifurcation_angle) == pytest.approx(np.pi / 3, rel=EXACT)
    assert float(one.bifurcation_coefficient) == pytest.approx(-1)
    assert int(one.bifurcation_criticality) == Criticality.supercritical
    assert np.isnan(ds.cascade_parameter.values).all()


def test_neimark_sacker_up_to_its_resonance(delayed):
    # The fixed point 1 - 1/a has the determinant (1 - c)(a - 1) and the trace 1 - c (a - 1).
    ((a, c, one),) = curves(delayed, Kind.neimark_sacker)
    assert a == pytest.approx(1 + 1 / (1 - c), rel=EXACT)
    angle = one.curve_angle.values
    assert np.cos(angle) == pytest.approx((1 - c * (a - 1)) / 2, abs=EXACT)
    order = np.argsort(c)
    # From angle pi/3 at c = 0 to the double multiplier -1.
    assert (c[order[0]], angle[order[0]]) == pytest.approx((0, np.pi / 3))
    assert (a[order[-1]], c[order[-1]]) == pytest.approx((5, 0.75), rel=1e-9)
    assert {int(one.curve_begin), int(one.curve_end)} == {End.second_low, End.resonance}


def test_curves_of_henon():
    # Row 17, and the second flip, as in the tests of bifurcations.
    ds = run("map=henon", "analysis.bifurcations.switch=[flip]",
             "analysis.continuation={parameter: a, low: -1, high: 3, max_period: 2}",
             "analysis.bifurcation_curves={second: b, second_low: -0.9, second_high: 0.9}"
             )  # fmt: skip
    known = {
        (Kind.fold, 1): lambda b: -((1 - b) ** 2) / 4,
        (Kind.flip, 1): lambda b: 3 * (1 - b) ** 2 / 4,
        (Kind.flip, 2): lambda b: (1 - b) ** 2 + (1 + b) ** 2 / 4,
    }
    assert int(ds.curve_count) == 3
    for (kind, period), expected in known.items():
        ((a, b, one),) = curves(ds, kind, period)
        assert a == pytest.approx(expected(b), abs=EXACT)
        assert (np.diff(b) > 0).all() or (np.diff(b) < 0).all()
        ends = {int(one.curve_begin), int(one.curve_end)}
        assert ends <= {End.low, End.high, End.second_low, End.second_high}


def test_edges_of_tongues():
    ds = run("map=circle", "map.parameters.k=1",
             "analysis.continuation={parameter: omega, low: 0.1, high: 1, max_period: 2, "
             "start_values: 12}", "analysis.bifurcations.switch=[]",
             "analysis.bifurcation_curves={second: k, second_low: 0.1, second_high: 1}"
             )  # fmt: skip
    ones, twos = (list(curves(ds, Kind.fold, period)) for period in (1, 2))
    # The tongue 1/1 is wide open: omega = 1 - k/(2 pi); 0/1 enters the picture at omega = 0.1.
    assert len(ones) == 2
    for omega, k, _ in ones:
        assert np.minimum(omega, 1 - omega) == pytest.approx(k / (2 * np.pi), abs=EXACT)
    # 1/2 is its own mirror image, and both edges close an ever narrower gap.
    assert len(twos) == 2
    ends = {tuple(np.round([one.curve_second.values.min(), 0], 12)) for _, _, one in twos}
    assert ends == {(0.1, 0.0)}
    for omega, k, one in twos:
        theta = one.curve_theta.values[:, :2]
        slopes = 1 - k[:, None] * np.cos(2 * np.pi * theta)
        image = theta + omega[:, None] - k[:, None] / (2 * np.pi) * np.sin(2 * np.pi * theta)
        gap = image - theta[:, ::-1]
        assert np.abs(gap - np.round(gap)).max() < EXACT
        assert slopes.prod(axis=1) == pytest.approx(1, abs=1e-11)
    low = [omega[np.argmin(k)] for omega, k, _ in twos]
    assert sum(low) == pytest.approx(1, abs=EXACT)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["map=henon"], "analysis.continuation.parameter"),
        (["map=henon", "analysis.continuation={parameter: a, low: 0, high: 1}"],
         "analysis.bifurcation_curves.second_low = null: expected the end of the range of b"),
        (["map=henon", "analysis.continuation={parameter: a, low: 0, high: 1}",
          "analysis.bifurcation_curves={second: a, second_low: 0, second_high: 1}"],
         "a is analysis.continuation.parameter already"),
        (["map=henon", "analysis.continuation={parameter: a, low: 0, high: 1}",
          "analysis.bifurcation_curves={second: b, second_low: 0.5, second_high: 1}"],
         "expected its own value, 0.3, in the range of b, 0.5 to 1: curves begin there"),
        (["map=logistic", "analysis.continuation={low: 3, high: 4}"],
         "there is no parameter besides a to follow"),
        (["~map", "objective=cubic", "solver=adam"], "no smooth map of the state alone"),
        (["~map", "objective=cubic", "solver=gradient",
          "grid={x0: {values: [0.1]}}", "analysis.bifurcation_curves.second=solver.step",
          "analysis.bifurcation_curves.second_low=0.1",
          "analysis.bifurcation_curves.second_high=1",
          "+objective.parameters.c=1", "objective.expression='c*x**3/3 - x**2/2'",
          "analysis.continuation={parameter: c, low: 0.5, high: 1}"],
         "grid.step={of: solver.step, values: [...]}"),
    ],
)  # fmt: skip
def test_what_is_refused(words, message):
    with pytest.raises(ConfigError) as raised:
        run(*words)
    assert str(raised.value).count(message) == 1
