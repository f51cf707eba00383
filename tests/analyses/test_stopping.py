import math

import pytest

from pipeline import config, run
from pipeline.errors import ConfigError
from pipeline.status import Status

PICARD = [
    "experiment=orbit",
    "map=custom",
    "map.equations={x: 'cos(x)'}",
    "map.parameters={}",
    "map.initial={x: 1}",
    "analysis=[final]",
    "figure=none",
    "iterate.stop=converged",
    "iterate.tolerance=1e-12",
]


def test_picard_iteration_of_the_cosine():
    # Row 35: 69 steps from 1 until the step is below 1e-12.
    ds = run(*PICARD, "iterate.length=1000")
    assert int(ds.status) == Status.converged
    assert int(ds.steps) == 69
    assert float(ds.x_final) == pytest.approx(0.7390851332151607, abs=1e-12)


def test_a_cell_that_does_not_converge_is_bounded():
    ds = run(*PICARD, "iterate.length=40")
    assert int(ds.status) == Status.bounded
    assert int(ds.steps) == 40


def test_steps_are_those_of_a_naive_loop():
    ds = run("experiment=quadratic_basin", "iterate.stop=converged", "figure=none")
    for x0, steps, status in zip(ds.x0.values, ds.steps.values, ds.status.values, strict=True):
        x, n, moved = x0, 0, math.inf
        while moved > 1e-10 and abs(x) <= 1e6 and n < 500:
            new = (x * x + 21) / 10
            x, n, moved = new, n + 1, abs(new - x)
        assert steps == n
        assert status == (Status.escaped if abs(x) > 1e6 else Status.converged)


def test_a_circle_is_closed():
    # The fixed point lies at 0 and is approached from below: 0.999..., not 0.
    ds = run(
        *PICARD,
        "map.equations={x: 'mod(x + 0.1*sin(2*pi*x), 1)'}",
        "map.modulus={x: 1}",
        "map.initial.x=0.9",
        "iterate.length=1000",
    )
    assert int(ds.status) in (Status.converged, Status.bounded)
    back = run(
        *PICARD,
        "map.equations={x: 'mod(x - 0.05*sin(2*pi*x), 1)'}",
        "map.modulus={x: 1}",
        "map.initial.x=0.9",
        "iterate.length=1000",
    )
    assert int(back.status) == Status.converged
    assert min(float(back.x_final), 1 - float(back.x_final)) < 1e-9


def test_a_solver_stops_by_itself():
    asked = config.compose(["experiment=minimise", "iterate.stop=converged"])
    with pytest.raises(ConfigError, match=r"iterate.stop: a solver always stops"):
        config.read(asked)
