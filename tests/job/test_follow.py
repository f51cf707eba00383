"""Following an axis: against a naive loop, whatever the order of the axes and the blocks."""

import dataclasses
import math

import numpy as np
import pytest

from pipeline import dataset, job
from pipeline.errors import ConfigError
from pipeline.status import Status
from tests.runs import compute, experiment

CUBIC = {
    "name": "cubic_field",
    "equations": {"x": "r + 1.5*x - x**3"},
    "parameters": {"r": 0.0},
    "initial": {"x": -1.0},
}
# Row 53: where the two fixed points of x' = r + 1.5 x - x^3 meet.
FOLD = 1 / (3 * math.sqrt(6))
STEP = 1e-4


def followed(grid, **parts):
    parts = {"map": CUBIC, "analysis": {"final": {}}, "length": 3000, **parts}
    found = experiment(grid=grid, **parts)
    iterate = dataclasses.replace(found.iterate, follow="r" if "r" in grid else "a")
    return dataclasses.replace(found, iterate=iterate)


@pytest.mark.parametrize("direction", [1, -1])
def test_hysteresis(direction):
    """Row 53: it jumps at r = 1/(3 sqrt 6) on the way up, at minus that on the way down."""
    r = {"start": -0.3 * direction, "stop": 0.3 * direction, "step": STEP * direction}
    ds = compute(followed({"r": r}))
    jumps = np.flatnonzero(np.abs(np.diff(ds.x_final)) > 0.5)
    assert len(jumps) == 1
    # Slow near the fold: the state creeps past it for a few values.
    assert ds.r.values[jumps[0]] == pytest.approx(direction * FOLD, abs=2 * STEP)


def test_each_start_is_the_last_state():
    r, starts = [0.1, 0.3, 0.0, -0.2], [-1.2, 0.9]
    grid = {"x0": {"values": starts}, "r": {"values": r}}
    parts = {"length": 7, "analysis": {"orbit": {}}}
    ds = compute(followed(grid, **parts))
    for k, x in enumerate(starts):
        for j, value in enumerate(r):
            orbit = [x]
            for _ in range(7):
                x = value + 1.5 * x - x**3
                orbit.append(x)
            np.testing.assert_allclose(ds.x[k, j], orbit, rtol=1e-12)


def test_the_order_of_axes_and_the_blocks_change_no_bit():
    grid = {
        "b": {"values": [0.2, 0.25, 0.3]},
        "a": {"start": 1.0, "stop": 1.35, "num": 20},
        "y0": {"values": [0.0, 0.1]},
    }
    parts = {"map": "henon", "analysis": {"orbit": {}, "lyapunov": {}}, "length": 100}
    plain = followed(grid, **parts)
    ds = compute(plain)
    for order in (["a", "b", "y0"], ["y0", "b", "a"]):
        other = compute(followed({name: grid[name] for name in order}, **parts))
        for name in ds.data_vars:
            values = other[name].transpose(*ds[name].dims)
            np.testing.assert_array_equal(values, ds[name], strict=True)
    layout = dataset.template(plain)
    plan = job.plan(plain, layout.cell_bytes)
    assert plan.block == plan.cells == 120
    small = dataclasses.replace(plan, block=40)
    call, _ = job.compiled(plain, small)
    arrays = dataset.fill(layout, job.blocks(plain, small, call))
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, ds[name])
    again, notes = job.replay(plain, layout.cell_bytes, {**small.record, "block": 50})
    assert (again.block, notes) == (40, [])


def test_who_escapes_starts_anew():
    grid = {"r": {"values": [0.1, 9.0, 0.1]}}
    ds = compute(followed(grid))
    assert ds.status.values.tolist() == [Status.bounded, Status.escaped, Status.bounded]
    assert ds.x_final[0] == ds.x_final[2]


def test_sequences_that_do_not_fit():
    grid = {"r": {"start": 0, "stop": 1, "num": 1000}}
    found = followed(grid, analysis={"orbit": {}}, device={"memory": "1MiB"})
    with pytest.raises(ConfigError, match=r"device.memory = 1,048,576: the sequences along r take"):
        compute(found)


@pytest.mark.parametrize(
    ("grid", "name", "reason"),
    [
        ({}, "r", "expected an axis of the grid, and there is none"),
        ({"r": {"values": [1]}}, "s", "no such axis"),
        ({"x0": {"values": [1]}}, "x0", "its values are starts"),
    ],
)
def test_what_cannot_be_followed(grid, name, reason):
    with pytest.raises(ConfigError, match=rf"iterate.follow = \"{name}\": {reason}"):
        experiment(map=CUBIC, grid=grid, iterate={"follow": name})
