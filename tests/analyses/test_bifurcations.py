"""Bifurcations: places, types and coefficients known on paper, cascades, and branches that part."""

import numpy as np
import pytest

import pipeline
from pipeline.analyses.branches.advance import End
from pipeline.analyses.branches.detect import Kind
from pipeline.analyses.branches.forms import Criticality, balance
from pipeline.analyses.branches.record import Origin
from pipeline.errors import ConfigError

EXACT = 1e-12  # what bifurcations are located to
PRINTED = 1e-9  # digits of the table, and of coefficients, which are third derivatives
# Row 2. The last ratios are off by less than this: each error is 1/4.7 of the one before.
DELTA, ALPHA = 4.669201609102990672, 2.502907875095892822
NEAR_DELTA, NEAR_ALPHA = 1e-4, 2e-4


def run(*overrides):
    """The dataset of bifurcations."""
    return pipeline.run("experiment=orbit", "analysis=bifurcations", "figure=none", *overrides)


def found(ds, kind, period=None, name="parameter"):
    """The values of all bifurcations of a kind, in order."""
    own = ds.bifurcation_type.values == kind
    if period is not None:
        own &= ds.bifurcation_period.values == period
    return ds[f"bifurcation_{name}"].values[own]


@pytest.fixture(scope="module")
def cascade():
    return run("map=logistic", "map.initial.x=0.3", "grid.a={start: 0.5, stop: 3.7, num: 3}",
               "analysis.continuation={max_period: 64, start_period: 1}")  # fmt: skip


def test_a_cascade(cascade):
    # Row 1; a_6 and a_7 are mpmath's, by Newton's method on f^p(x) = x, (f^p)'(x) = -1.
    flips = [3, 1 + 6**0.5, 3.54409035955192285, 3.56440726609543260, 3.56875941954382643]
    flips += [3.5696916098013967, 3.5698912593781205]
    ds = cascade
    assert found(ds, Kind.flip) == pytest.approx(flips, rel=EXACT)
    assert found(ds, Kind.flip, name="period").tolist() == [2**k for k in range(7)]
    assert ds.cascade_parameter.values[0] == pytest.approx(flips, rel=EXACT)
    assert ds.cascade_period.values[0].tolist() == [2**k for k in range(7)]
    assert float(ds.cascade_delta[0, 5]) == pytest.approx(DELTA, abs=NEAR_DELTA)
    assert float(ds.cascade_alpha[0, 6]) == pytest.approx(ALPHA, abs=NEAR_ALPHA)
    steps = np.diff(flips)
    assert ds.cascade_delta.values[0, 1:-1] == pytest.approx(steps[:-1] / steps[1:], rel=1e-6)
    assert np.isnan(ds.cascade_delta.values[0, [0, -1]]).all()
    assert np.isnan(ds.cascade_alpha.values[0, :2]).all()
    assert (found(ds, Kind.flip, name="residual") < EXACT).all()
    assert (found(ds, Kind.flip, name="criticality") == Criticality.supercritical).all()
    assert found(ds, Kind.flip, name="angle") == pytest.approx(np.pi)


def test_each_branch_of_a_cascade_begins_at_the_flip_before(cascade):
    ds = cascade
    count = int(ds.branch_count)
    assert ds.branch_period.values[:count].tolist() == [1, 1, 2, 4, 8, 16, 32, 64]
    assert ds.branch_origin.values[2:count].tolist() == [Origin.flip] * 6
    assert ds.branch_parent.values[3:count].tolist() == [2, 3, 4, 5, 6]
    assert (ds.branch_begin.values[2:count] == End.halved).all()
    begins = ds.branch_parameter.values[2:count, 0]
    assert begins == pytest.approx(found(ds, Kind.flip)[:6], rel=EXACT)


def test_bifurcations_are_points_of_their_branches(cascade):
    ds = cascade
    for k in range(int(ds.bifurcation_count)):
        line = ds.branch_parameter.values[int(ds.bifurcation_branch[k])]
        at = int(np.nanargmin(np.abs(line - float(ds.bifurcation_parameter[k]))))
        assert line[at] == float(ds.bifurcation_parameter[k])
        multiplier = ds.branch_multiplier_re.values[int(ds.bifurcation_branch[k]), at, 0]
        assert multiplier == pytest.approx(
            -1 if int(ds.bifurcation_type[k]) == Kind.flip else 1, abs=1e-6
        )


def test_transcritical(cascade):
    # At a = 1 both fixed points meet in 0, where f''/2 = -1: one bifurcation of two branches.
    assert found(cascade, Kind.branch_point) == pytest.approx([1], rel=EXACT)
    assert found(cascade, Kind.branch_point, name="coefficient") == pytest.approx([-1])
    assert found(cascade, Kind.branch_point, name="criticality") == Criticality.none
    # f''/2 squared at 2/3, a = 3: c = f''^2/4 + f'''/6.
    assert found(cascade, Kind.flip, name="coefficient")[0] == pytest.approx(9, rel=PRINTED)


def test_the_fold_of_period_3():
    # Row 4.
    ds = run("map=logistic", "map.initial.x=0.3", "analysis.bifurcations.switch=[]",
             "grid.a={start: 3.7, stop: 3.9, num: 2}",
             "analysis.continuation={max_period: 3}")  # fmt: skip
    assert found(ds, Kind.fold) == pytest.approx([1 + 8**0.5], rel=EXACT)
    assert found(ds, Kind.fold, name="x")[0] == pytest.approx(
        [0.159928818, 0.514355277, 0.956317842], abs=PRINTED
    )
    a, x = 1 + 8**0.5, found(ds, Kind.fold, name="x")[0]
    # (f^3)'' = sum of f''(x_k) (f^k)'^2 times the derivatives that follow.
    d = a - 2 * a * x
    second = -2 * a * (d[1] * d[2] + d[0] ** 2 * d[2] + d[0] ** 2 * d[1] ** 2)
    assert found(ds, Kind.fold, name="coefficient") == pytest.approx([second / 2])
    # Its flip: where the multiplier is -1.
    assert len(found(ds, Kind.flip, 3)) == 1
    assert found(ds, Kind.flip, 3)[0] == pytest.approx(3.8414990075435, abs=EXACT)


def test_henon():
    # Row 17 for several b, each a cell; and the second flip, of the cycle of row 14.
    ds = run("map=henon", "grid={b: {values: [0.2, 0.3]}}", "analysis.bifurcations.switch=[flip]",
             "analysis.continuation={parameter: a, low: -0.3, high: 1, max_period: 2}")  # fmt: skip
    for k, b in enumerate((0.2, 0.3)):
        one = ds.isel(b=k)
        assert found(one, Kind.fold) == pytest.approx([-((1 - b) ** 2) / 4], rel=EXACT)
        assert found(one, Kind.flip, 1) == pytest.approx([3 * (1 - b) ** 2 / 4], rel=EXACT)
        # Trace -1 - b^2 of the Jacobian of the cycle: a = (1 - b)^2 + (1 + b)^2 / 4.
        assert found(one, Kind.flip, 2) == pytest.approx(
            [(1 - b) ** 2 + (1 + b) ** 2 / 4], rel=EXACT
        )


# One program for two maps, which a number tells apart: compiling is what takes time.
ODD = (
    "map=custom", "map.equations={x: 'where(kind < 1, a*x - x**3, a*sin(pi*x))'}",
    "analysis.continuation.parameter=a",
)  # fmt: skip


def test_pitchfork():
    # a x - x^3: 0 and +-sqrt(a - 1); at a = -1 a subcritical flip, c = f'''/6 = -1.
    ds = run(*ODD, "map.parameters={a: 0.5, kind: 0}", "map.initial={x: 0.5}",
             "analysis.continuation={low: -1.5, high: 1.8, max_period: 1, start_values: 1}"
             )  # fmt: skip
    assert found(ds, Kind.branch_point) == pytest.approx([1], rel=EXACT)
    assert found(ds, Kind.branch_point, name="coefficient") == pytest.approx([-1])
    assert found(ds, Kind.branch_point, name="criticality") == Criticality.supercritical
    assert found(ds, Kind.flip) == pytest.approx([-1], rel=EXACT)
    assert found(ds, Kind.flip, name="coefficient") == pytest.approx([-1])
    assert found(ds, Kind.flip, name="criticality") == Criticality.subcritical
    # The start value is below the pitchfork: the other branch was switched to, on both sides.
    assert int(ds.branch_count) == 2
    assert int(ds.branch_origin[1]) == Origin.branch_point
    assert int(ds.branch_parent[1]) == 0
    count = int(ds.branch_points[1])
    a, x = ds.branch_parameter.values[1, :count], ds.branch_x.values[1, :count, 0]
    assert x**2 == pytest.approx(a - 1, abs=EXACT)
    assert x.min() < 0 < x.max()


def test_flips_of_gradient_descent():
    # Row 26: conjugate to the logistic map with a = 1 + h.
    ds = run("~map", "objective=cubic", "objective.parameters={}", "solver=gradient",
             "objective.expression=x**3/3 - x**2/2", "objective.initial={x: 0.9}",
             "analysis.continuation={parameter: solver.step, low: 0.5, high: 2.56, max_period: 4, "
             "start_period: 1}")  # fmt: skip
    flips = [2, 6**0.5, 3.54409035955192285 - 1]
    assert found(ds, Kind.flip) == pytest.approx(flips, rel=EXACT)


def test_a_formula_of_ones_own():
    # a sin(pi x): the flip of the fixed point is where tan(pi x) = -pi x.
    ds = run(*ODD, "map.parameters={a: 0.9, kind: 1}", "map.initial={x: 0.4}",
             "analysis.continuation={low: 0.2, high: 0.85, max_period: 2}")  # fmt: skip
    t = 2.028757838110434  # the first root of tan(t) = -t
    # The sine is odd: there are two, and at 1/pi a pitchfork.
    flip = t / np.pi / np.sin(t)
    assert found(ds, Kind.flip, 1) == pytest.approx([flip, flip], rel=EXACT)
    # Both are at one value, so that rounding decides which comes first.
    places = np.sort(found(ds, Kind.flip, 1, "x")[:, 0])
    assert places == pytest.approx([-t / np.pi, t / np.pi])
    assert found(ds, Kind.branch_point) == pytest.approx([1 / np.pi], rel=EXACT)
    assert found(ds, Kind.branch_point, name="criticality") == Criticality.supercritical


@pytest.mark.parametrize(
    ("whole", "found"),
    [
        (2.0, (2.0, Criticality.supercritical)),
        (-2.0, (-2.0, Criticality.subcritical)),
        # As at every Neimark-Sacker point of a map of a complex number.
        (1e-14, (0.0, Criticality.degenerate)),
    ],
)
def test_a_coefficient_is_0_within_its_rounding(whole, found):
    assert balance(whole, 4.0, 2e-16, positive=True) == found


def test_bifurcations_need_branches():
    reason = r"it goes on with analysis.continuation: analysis=\[continuation,bifurcations\]"
    with pytest.raises(ConfigError, match=reason):
        run("map=logistic", "~analysis.continuation", "analysis.bifurcations={}")
