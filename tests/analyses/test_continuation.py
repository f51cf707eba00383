"""Branches: points, multipliers and ends known on paper, and what the settings refuse."""

from types import SimpleNamespace

import numpy as np
import pytest

import pipeline
from pipeline.analyses.branches.advance import End
from pipeline.analyses.branches.programs import Measured
from pipeline.analyses.branches.trace import Branch, measured, smooth
from pipeline.analyses.cycles import Searched
from pipeline.errors import ConfigError

ROUNDING = 1e-12  # of a few operations on numbers of order 1
SINGLE = 1e-5  # the same in single precision, times what solving a cycle loses


def run(*overrides):
    """The dataset of some branches."""
    return pipeline.run("experiment=orbit", "analysis=continuation", "figure=none", *overrides)


def points(ds, name, branch):
    """The values along one branch."""
    return ds[f"branch_{name}"].values[branch, : int(ds.branch_points[branch])]


@pytest.fixture(scope="module")
def logistic():
    words = ["map=logistic", "grid.a={start: 0.5, stop: 4, num: 8}", "map.initial.x=0.3"]
    return run(*words, "analysis.continuation={max_period: 3, max_branches: 8}")


def test_fixed_points_and_their_multipliers(logistic):
    # Row 5.
    ds = logistic
    assert "a" not in ds.branch_period.dims
    assert ds.branch_parameter.attrs["quantity"] == "a"
    assert ds.branch_period.values.tolist() == [1, 1, 2, 3, 0, 0, 0, 0]
    assert int(ds.branch_count) == 4
    seen = set()
    for branch in (0, 1):
        a, x, m = (points(ds, name, branch) for name in ("parameter", "x", "multiplier_re"))
        zero = np.abs(x[-1, 0]) < ROUNDING
        exact = (0 * a, a) if zero else (1 - 1 / a, 2 - a)
        assert x[:, 0] == pytest.approx(exact[0], abs=ROUNDING)
        assert m[:, 0] == pytest.approx(exact[1], abs=ROUNDING)
        stable = np.abs(exact[1]) < 1 - 1e-8
        assert (points(ds, "stable", branch) == stable).all()
        # Both ends of the range are points.
        assert (a[0], a[-1]) == (0.5, 4)
        assert (ds.branch_begin[branch], ds.branch_end[branch]) == (End.low, End.high)
        seen.add(bool(zero))
    assert seen == {True, False}


def test_multipliers_of_period_2(logistic):
    # Row 6; it begins where both of its points are the fixed point.
    a, x, m = (points(logistic, name, 2) for name in ("parameter", "x", "multiplier_re"))
    assert a[0] == pytest.approx(3, abs=ROUNDING)
    assert m[:, 0] == pytest.approx(4 + 2 * a - a**2, abs=ROUNDING)
    assert x[:, 0] + x[:, 1] == pytest.approx(1 + 1 / a, abs=ROUNDING)
    assert int(logistic.branch_begin[2]) == End.halved
    assert np.isnan(logistic.branch_x.values[2, :, 2]).all()


def test_a_branch_goes_through_its_fold(logistic):
    # Row 4: both cycles of period 3 are one branch, which ends at a = 4 on both sides.
    a = points(logistic, "parameter", 3)
    low = int(np.argmin(a))
    assert 1 + 8**0.5 <= a[low] < 3.84
    assert (np.diff(a[: low + 1]) < 0).all()
    assert (np.diff(a[low:]) > 0).all()
    assert (a[0], a[-1]) == (4, 4)
    assert (logistic.branch_begin[3], logistic.branch_end[3]) == (End.high, End.high)
    m = points(logistic, "multiplier_re", 3)[[0, -1], 0]
    assert sorted(m) == pytest.approx([-8, 8])


def test_arclength_is_that_of_the_polygon(logistic):
    a, x, s = (points(logistic, name, 3) for name in ("parameter", "x", "arclength"))
    steps = np.hypot(np.diff(a), np.diff(x[:, 0]))
    assert s == pytest.approx(np.concatenate([[0], np.cumsum(steps)]))


def test_cells_are_followed_as_one_by_one():
    words = ["map=henon", "analysis.continuation={parameter: a, low: 0, high: 1, max_period: 1}"]
    both = run(*words, "grid.b={values: [0.2, 0.3]}")
    alone = run(*words, "map.parameters.b=0.3")
    assert both.branch_period.dims == ("b", "branch")
    for name in ("branch_parameter", "branch_x", "branch_multiplier_re"):
        assert both[name].values[1] == pytest.approx(alone[name].values, nan_ok=True)
    # Row 12, at the end of the range: the fixed points solve a x^2 + (1 - b) x - 1 = 0.
    last = sorted(points(alone, "x", k)[-1, 0] for k in range(int(alone.branch_count)))
    assert last == pytest.approx(np.sort(np.roots([1, 0.7, -1])))


# One program for three maps, which a number tells apart: compiling is what takes time.
FORMULA = "where(kind < 1, x + p**2 + x**2 - 1, where(kind < 2, x/2 + 1/(2*p), x/2 + sqrt(p)))"
THREE = (
    "map=custom",
    f"map.equations={{x: '{FORMULA}'}}",
    "analysis.continuation={parameter: p, max_period: 1}",
)


def test_a_closed_branch():
    # The fixed points of x' = x + p^2 + x^2 - 1 are a circle.
    ds = run(*THREE, "map.parameters={p: 0, kind: 0}", "map.initial={x: -0.9}",
             "analysis.continuation.low=-2", "analysis.continuation.high=2")  # fmt: skip
    p, x = points(ds, "parameter", 0), points(ds, "x", 0)[:, 0]
    assert p**2 + x**2 == pytest.approx(1)
    assert int(ds.branch_begin[0]) == int(ds.branch_end[0]) == End.closed
    assert (p[0], x[0]) == (p[-1], x[-1])
    assert float(ds.branch_arclength[0].max()) == pytest.approx(2 * np.pi, rel=0.01)
    assert int(ds.branch_count) == 1


def test_a_branch_that_leaves_for_infinity():
    # x = 1/p.
    ds = run(*THREE, "map.parameters={p: 1, kind: 1}", "map.initial={x: 1}",
             "analysis.continuation.low=-1", "analysis.continuation.high=1")  # fmt: skip
    ends = [int(ds[f"branch_{side}"][k]) for k in range(2) for side in ("begin", "end")]
    assert sorted(ends) == [End.low, End.high, End.escaped, End.escaped]


def test_steps_that_fail_and_room_that_is_full():
    # sqrt(p) has no continuation below 0.
    words = *THREE, "map.parameters={p: 1, kind: 2}", "map.initial={x: 1}"
    words = *words, "analysis.continuation.high=1"
    ds = run(*words, "analysis.continuation.low=-1")
    assert int(ds.branch_begin[0]) == End.step_too_small
    assert abs(float(ds.branch_parameter[0, 0])) < 1e-6
    ds = run(*words, "analysis.continuation.low=0.5", "analysis.continuation.max_points=5")
    assert End.full in (int(ds.branch_begin[0]), int(ds.branch_end[0]))
    assert int(ds.branch_points[0]) <= 5


def test_more_branches_than_room(logistic):
    words = ["map=logistic", "grid.a={start: 0.5, stop: 4, num: 8}", "map.initial.x=0.3"]
    ds = run(*words, "analysis.continuation={max_period: 3, max_branches: 1}")
    assert ds.sizes["branch"] == 1
    assert int(ds.branch_count) > 1
    assert int(ds.branch_search) == Searched.full


def test_single_precision():
    words = "map=logistic", "map.initial.x=0.3", "device.precision=single"
    ds = run(*words, "analysis.continuation={low: 1.5, high: 3.5, max_period: 1, min_step: 1e-4}")
    assert ds.branch_parameter.dtype == np.float32
    for branch in (0, 1):
        a, x = points(ds, "parameter", branch), points(ds, "x", branch)[:, 0]
        exact = 0 * a if abs(x[0]) < SINGLE else 1 - 1 / a
        assert x == pytest.approx(exact, abs=SINGLE)


def test_parts_of_complex_parameters_and_circles():
    # z^2 + c has the fixed points (1 +- sqrt(1 - 4 c)) / 2.
    ds = run("map=quadratic_c", "analysis.continuation={parameter: c_re, low: -0.5, high: 0.1, "
             "max_period: 1}")  # fmt: skip
    c = points(ds, "parameter", 0) + 1j * float(ds.attrs.get("c_im", 0))
    z = points(ds, "z_re", 0)[:, 0] + 1j * points(ds, "z_im", 0)[:, 0]
    imaginary = pipeline.config.compose(["experiment=orbit", "map=quadratic_c"])
    c = c + 1j * complex(imaginary["map"]["parameters"]["c"]).imag
    assert z**2 + c == pytest.approx(z)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["map=henon"], "parameter = null: expected the name of the one to follow .known: a, b."),
        (["map=logistic"], "low = null: expected the end of the range of a, or an axis grid.a"),
        (["map=logistic", "analysis.continuation.parameter=q"],
         "no quantity has the name q .known: a"),
        (["map=logistic", "analysis.continuation.parameter=x0"], "x0 is a start, on which no cyc"),
        (["map=logistic", "analysis.continuation={low: 3, high: 2}"], "low = 3: expected low < hi"),
        (["map=henon", "grid={ab: {of: [a, b], values: [[1, 0.3], [1.2, 0.2]]}}"],
         "grid.ab sweeps a, b together; follow one alone"),
        (["map=logistic", "analysis.continuation={low: 3, high: 4, step: 1}"],
         "step = 1: expected >= min_step = 1e-09 and <= max_step = 0.04"),
        (["map=logistic", "analysis.continuation={low: 3, high: 4, start_period: 9}"],
         "start_period = 9: expected <= max_period = 8"),
        (["map=logistic", "analysis.continuation={low: 3, high: 4, region: {y: [0, 1]}}"],
         "there is no y .known: x"),
        (["map=logistic", "solver=gradient", "analysis.continuation.parameter=solver.step",
          "analysis.continuation.low=-1", "analysis.continuation.high=1"],
         "solver.step takes a finite number > 0"),
        (["map=logistic", "solver=anderson"], "no smooth map of the state alone"),
    ],
)  # fmt: skip
def test_what_is_refused(words, message):
    with pytest.raises(ConfigError, match=message):
        run(*words)


def test_points_without_derivatives_are_left_out():
    # x' = a - sqrt(x) at a = 0, where x = 0 and the slope is infinite.
    x = np.array([0.0, 0.04, 0.16])
    with np.errstate(divide="ignore"):
        slopes = -0.5 / np.sqrt(x)
    run = SimpleNamespace(
        measure=lambda *_: Measured(slopes[:, None, None], slopes, np.ones((3, 1)), 0 * x)
    )
    none = np.zeros(0)
    branch = Branch(0, x[:, None, None], x + np.sqrt(x), np.ones(3), End.step_too_small, End.high,
                    1, -1, none, none, none)  # fmt: skip
    (found,) = measured(run, [branch])
    assert np.isnan(found.multipliers[:, 0]).tolist() == [True, False, False]
    kept = smooth(found)
    assert kept.origin == 0
    assert kept.level == pytest.approx([0.24, 0.56])
    assert np.real(kept.multipliers[:, 0]).tolist() == [-2.5, -1.25]


def test_names_of_branches_are_taken():
    with pytest.raises(ConfigError, match="the name is taken by the branches of x"):
        run("map=custom", "map.equations={x: 'x*branch_x'}", "map.parameters={branch_x: 1}",
            "map.initial={x: 1}")  # fmt: skip
