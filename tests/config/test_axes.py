"""Every form of an axis, its values and its mistakes."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import axes
from tests.config.cases import LOGISTIC, mistakes, read

# Two roundings of numbers of order one: of the decimal and of the sum.
ROUNDING = 2**-52


def values(node, **changes):
    """The values of one axis over x0, and of `of` its columns."""
    name = "p" if "of" in node else "x0"
    (axis,) = read(LOGISTIC, grid={name: node}, **changes).grid
    return axis.values[:, 0] if axis.values.shape[1] == 1 else axis.values


def told(node, name="x0"):
    return mistakes(LOGISTIC, grid={name: node})


def test_num():
    np.testing.assert_array_equal(
        values({"start": 0, "stop": 1, "num": 5}), [0, 0.25, 0.5, 0.75, 1]
    )
    found = values({"start": "-pi", "stop": "pi", "num": 101})
    assert (found[0], found[-1], len(found)) == (-math.pi, math.pi, 101)
    assert list(values({"start": 1, "stop": 0, "num": 2})) == [1, 0]


def test_log():
    found = values({"start": 1e-3, "stop": 1e3, "num": 7, "scale": "log"})
    np.testing.assert_allclose(found, 10.0 ** np.arange(-3, 4), rtol=4 * ROUNDING)
    (axis,) = read(LOGISTIC, grid={"x0": {"values": [1, 10], "scale": "log"}}).grid
    assert axis.scale == "log"


@pytest.mark.parametrize(
    ("start", "stop", "step", "count"),
    [
        (3.4, 4.0, 0.001, 600),
        (0, 1, 0.1, 10),
        (1, 0, -0.1, 10),
        (0, 0.3, 0.1, 3),
        (0, "pi", "pi/100", 100),
        (0, 1, 0.3, 4),
        (1000000.1, 1000000.3, 0.1, 2),  # in doubles (stop - start) / step is 2.000000002
        (1e-300, 3e-300, 1e-300, 2),
        (0, 1, 2, 1),
        (-1.5, 1.5, 0.5, 6),
    ],
)
def test_step(start, stop, step, count):
    assert len(values({"start": start, "stop": stop, "step": step})) == count


def test_step_gives_the_numbers_as_written():
    found = values({"start": 3.4, "stop": 4.0, "step": 0.001})
    assert found.tolist() == [float(f"{3400 + k}e-3") for k in range(600)]


DECIMALS = st.builds(
    lambda m, e: Fraction(m, 10**e), st.integers(-(10**6), 10**6), st.integers(0, 6)
)


@given(DECIMALS, DECIMALS, st.integers(1, 400), DECIMALS)
def test_step_against_rational_arithmetic(start, step, count, short):
    """Half-open and exact: the stop belongs to the axis only where it is past the last value."""
    if not step:
        step = Fraction(1)
    share = short - math.floor(short)  # 0 where the steps end at the stop
    stop = start + step * count - step * share
    if float(stop) == float(start):
        return
    expected = math.ceil((Fraction(repr(float(stop))) - start) / step - Fraction(1, 10**9))
    if expected < 1:
        return
    node = {"start": float(start), "stop": float(stop), "step": float(step)}
    found = values(node)
    assert len(found) == expected
    exact = [start + k * step for k in range(expected)]
    assert found.tolist() == [float(v) for v in exact]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(1, 1000))
def test_step_of_doubles(start, step, count):
    """Whatever the doubles: as many values as exact arithmetic gives, none at the stop."""
    stop = start + step * count
    quotient = (Fraction(repr(stop)) - Fraction(repr(start))) / Fraction(repr(step))
    expected = math.ceil(quotient - Fraction(1, 10**9))
    if expected < 1:
        return
    found = values({"start": start, "stop": stop, "step": step})
    assert len(found) == expected
    exact = np.array(
        [float(Fraction(repr(start)) + k * Fraction(repr(step))) for k in range(expected)]
    )
    scale = max(abs(start), abs(stop), abs(step))
    np.testing.assert_allclose(found, exact, rtol=0, atol=4 * ROUNDING * scale)


def test_values():
    assert list(values({"values": [3, "1/4", 1e-3]})) == [3, 0.25, 1e-3]
    assert list(values([1, 2])) == [1, 2]
    pairs = values({"of": ["x0", "a"], "values": [[1, 2], [3, 4]]})
    np.testing.assert_array_equal(pairs, [[1, 2], [3, 4]])


def test_pairs_of_ends():
    found = values({"of": ["x0", "a"], "start": [0, 3], "stop": [1, 4], "num": 3})
    np.testing.assert_array_equal(found, [[0, 3], [0.5, 3.5], [1, 4]])
    np.testing.assert_array_equal(
        values({"of": ["x0", "a"], "start": 0, "stop": 1, "num": 2}), [[0, 0], [1, 1]]
    )


SAMPLES = {
    "uniform": {"low": -1, "high": 2},
    "sobol": {"low": -1, "high": 2},
    "latin_hypercube": {"low": -1, "high": 2},
    "normal": {"mean": 0.5, "std": 0.1},
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples(kind):
    node = {"sample": kind, "num": 100, **SAMPLES[kind]}
    found = values(node)
    assert len(set(found)) == 100
    np.testing.assert_array_equal(found, values(node))
    assert not np.array_equal(found, values(node, seed=1))
    if kind != "normal":
        assert np.all((found >= -1) & (found < 2))
    # The means of 100 numbers: five standard errors.
    assert abs(found.mean() - 0.5) < 5 * (0.1 if kind == "normal" else 3 / math.sqrt(12)) / 10


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples_do_not_depend_on_other_axes(kind):
    node = {"sample": kind, "num": 5, **SAMPLES[kind]}
    alone = read(LOGISTIC, grid={"a": node}).grid[0].values
    beside = read(LOGISTIC, grid={"x0": node, "a": node}).grid
    np.testing.assert_array_equal(beside[1].values, alone)
    assert not np.array_equal(beside[0].values, alone)


def test_paired_samples():
    node = {"of": ["x0", "a"], "sample": "sobol", "num": 64, "low": [0, 3], "high": [1, 4]}
    found = values(node)
    assert found.shape == (64, 2)
    # A Sobol sequence of 64 points has one in each of the 8 x 8 boxes.
    boxes = {(int(8 * x), int(8 * (a - 3))) for x, a in found}
    assert len(boxes) == 64


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({}, "grid.x0 = {}: expected {start, stop, num} or {start, stop, step} or {values} or"),
        ({"num": 3}, 'grid.x0 = {"num": 3}: expected {start, stop, num} or {sample, num}.'),
        ({"start": 0, "stop": 1}, "expected {start, stop, num} or {start, stop, step}."),
        ({"start": 0, "step": 1}, "grid.x0.stop: expected a value, to go with start and step."),
        ({"start": 0, "stop": 1, "nmu": 3}, 'grid.x0.nmu: no such key; did you mean "num"?'),
        (
            {"start": 0, "stop": 1, "step": 0.1, "num": 3},
            (
                "grid.x0: start, stop, step and num do not go together; to replace the axis, write "
                "'~grid.x0' '+grid.x0={start: 0, stop: 1, num: 3}'."
            ),
        ),
        (
            {"values": [1], "sample": "sobol"},
            "write '~grid.x0' '+grid.x0={sample: \"sobol\", num: ...}'.",
        ),
        (
            {"file": "a.csv", "column": "a", "values": [1]},
            (
                "values and file do not go together; to replace the axis, write '~grid.x0' "
                "'+grid.x0={values: [1]}'."
            ),
        ),
        ({"start": 0, "stop": 1, "num": 2.5}, "grid.x0.num = 2.5: expected an integer >= 1"),
        (
            {"start": 0, "stop": 1, "num": 10**12},
            "grid.x0.num = 1000000000000: expected an integer",
        ),
        (
            {"start": "y", "stop": 1, "num": 3},
            'grid.x0.start = "y": expected a number or a formula',
        ),
        ({"start": [0, 1], "stop": 1, "num": 3}, "grid.x0.start = [0, 1]: expected 1 number."),
        ({"start": -1e308, "stop": 1.7e308, "num": 3}, "grid.x0: expected finite values; these"),
        (
            {"start": 0, "stop": 1, "num": 3, "scale": "lin"},
            'grid.x0.scale = "lin": expected linear',
        ),
        ({"start": 0, "stop": 1, "num": 3, "scale": "log"}, "needs start > 0 and stop > 0."),
        ({"values": [0, 1], "scale": "log"}, "a logarithmic axis has positive values only."),
        ({"start": 1, "stop": 2, "step": 0.5, "scale": "log"}, "not by a step."),
        ({"start": 0, "stop": 1, "step": 0}, "grid.x0.step = 0: expected a number other than 0."),
        ({"start": 0, "stop": 1, "step": -1}, "start 0, stop 1 and step -1 leave no value."),
        ({"start": 1, "stop": 1, "step": 1}, "start 1, stop 1 and step 1 leave no value."),
        ({"start": 0, "stop": 1, "step": 1e-300}, "expected at most 10000000 numbers on one axis."),
        (
            {"start": 1e16, "stop": 1e16 + 8, "step": 0.1},
            "step 0.1 is too small beside start 1e+16.",
        ),
        ({"start": 0, "stop": "y", "step": 1}, 'grid.x0.stop = "y": expected a number'),
        ({"values": []}, "grid.x0.values = []: expected at least one number."),
        ({"values": 5}, "grid.x0.values = 5: expected a list of numbers."),
        ({"values": [1, "y"]}, 'grid.x0.values = [1, "y"]: expected a number or a formula'),
        ({"values": [[1, 2]]}, "grid.x0: expected 1 number in each value, for x0; there are 2."),
        ({"values": [0.0] * (10**6 + 1)}, "expected at most 1000000 values in a list."),
        (
            {"sample": "sobl", "num": 3},
            'grid.x0.sample = "sobl": no such sample; did you mean "sobol"?',
        ),
        ({"sample": [], "num": 3}, "grid.x0.sample = []: no such sample"),
        ({"sample": "normal", "num": 3, "mean": 0, "std": -1}, "grid.x0: expected std >= 0."),
        ({"sample": "uniform", "num": 3, "low": 1, "high": 0}, "grid.x0: expected low <= high."),
        (
            {"sample": "uniform", "num": 3, "low": 0, "high": 1, "std": 2},
            "grid.x0.std = 2: it has no meaning for sample: uniform.",
        ),
        (
            {"sample": "uniform", "num": 3, "low": 0, "high": 1, "scale": "log"},
            'grid.x0.scale = "log": scale has no meaning for samples; sweep the logarithm instead.',
        ),
        ({"sample": "sobol", "num": 10**8, "low": 0, "high": 1}, "expected an integer >= 1 and <="),
        (
            {"sample": "uniform", "num": 3, "low": [0, 1], "high": 1},
            "low = [0, 1]: expected 1 number.",
        ),
        ({"sample": "uniform", "num": 3, "low": -1e308, "high": 1.7e308}, "expected finite values"),
    ],
)
def test_mistakes(node, message):
    found = told(node)
    assert len(found) == 1
    assert message in found[0]


def test_every_mistake_of_an_axis_is_told():
    assert [line.split(" = ")[0] for line in told({"start": "p", "stop": "q", "num": "r"})] == [
        "grid.x0.num",
        "grid.x0.start",
        "grid.x0.stop",
    ]
    assert told({"sample": "uniform", "num": 4}) == [
        "grid.x0.low: expected a number, since sample is uniform.",
        "grid.x0.high: expected a number, since sample is uniform.",
    ]


def test_paired_mistakes():
    node = {"of": ["x0", "a"]}
    assert (
        "expected 2 numbers in each value, for x0, a; there are 1."
        in told({**node, "start": 0, "stop": 1, "step": 0.5}, "p")[0]
    )
    assert told({**node, "sample": "uniform", "num": 2, "low": [0, 1, 2], "high": 3}, "p") == [
        "grid.p.low = [0, 1, 2]: expected 2 numbers."
    ]
    big = {**node, "sample": "uniform", "num": axes.MOST_VALUES, "low": 0, "high": 1}
    assert told(big, "p") == ["grid.p: expected at most 10000000 numbers on one axis."]
