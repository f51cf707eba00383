"""The loop: all analyses see the same steps, against loops written in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline import config, dataset, job
from pipeline.status import Status
from tests.runs import experiment, run

# Short orbits, before chaos has made a rounding error visible.
EARLY = 1e-10

Step = Callable[..., tuple[Any, ...]]
REFERENCE: dict[str, Step] = {
    "logistic": lambda p, x: (p["a"] * x * (1 - x),),
    "henon": lambda p, x, y: (1 - p["a"] * x * x + y, p["b"] * x),
    "cubic": lambda p, x: (p["r"] + p["a"] * x - x * x * x,),
    "gauss": lambda p, x: (np.exp(-p["a"] * x * x) + p["b"],),
    "ricker": lambda p, x: (x * np.exp(p["r"] * (1 - x / p["k"])),),
    "tinkerbell": lambda p, x, y: (
        x * x - y * y + p["a"] * x + p["b"] * y,
        2 * x * y + p["c"] * x + p["d"] * y,
    ),
    "standard": lambda p, theta, q: (
        (theta + q + p["k"] * np.sin(theta)) % (2 * np.pi),
        (q + p["k"] * np.sin(theta)) % (2 * np.pi),
    ),
    "quadratic_c": lambda p, z: (z * z + p["c"],),
    "coupled_logistic": lambda p, x: (
        (1 - p["epsilon"]) * (f := p["a"] * x * (1 - x))
        + p["epsilon"] / 2 * (np.roll(f, 1) + np.roll(f, -1)),
    ),
    "predator_prey": lambda p, x, y: (
        x * np.exp(p["r"] * (1 - x / p["k"]) - p["alpha"] * y),
        x * (1 - np.exp(-p["alpha"] * y)),
    ),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_orbits_against_a_loop_in_numpy(name: str) -> None:
    """Transient and strides included; two values of the first parameter."""

    transient, length, every = 3, 14, 2
    found = experiment(map=name)
    problem = found.problem
    parameter = next(iter(problem.parameters))
    value = problem.parameters[parameter]
    axis = f"{parameter}_re" if np.iscomplexobj(value) else parameter
    values = [float(value.real), float(value.real) * 0.9]
    ds = run(
        map=name,
        grid={axis: values},
        transient=transient,
        length=length,
        analysis={"orbit": {"every": every}, "final": {}},
    )
    for k, swept in enumerate(values):
        p = dict(problem.parameters)
        p[parameter] = swept + 1j * value.imag if np.iscomplexobj(value) else swept
        x = tuple(np.asarray(v(p) if callable(v) else v) for v in problem.initial.values())
        for n in range(1, transient + length + 1):
            x = REFERENCE[name](p, *x)
            if n > transient and (n - transient) % every == 0:
                row = ds.isel({axis: k}).sel(iteration=n)
                for component, expected in zip(problem.components, x, strict=True):
                    assert part(row, component, "") == pytest.approx(expected, rel=EARLY, abs=EARLY)
        for component, expected in zip(problem.components, x, strict=True):
            end = part(ds.isel({axis: k}), component, "_final")
            assert end == pytest.approx(expected, rel=EARLY, abs=EARLY)
    assert list(ds["iteration"].values) == list(range(transient + every, 18, every))


def part(ds: Any, component: str, suffix: str) -> Any:
    """A component's values, complex ones put together."""
    if f"{component}{suffix}" in ds:
        return ds[f"{component}{suffix}"].values
    return ds[f"{component}{suffix}_re"].values + 1j * ds[f"{component}{suffix}_im"].values


@pytest.mark.parametrize(("every", "length"), [(1, 10), (3, 10), (4, 10), (10, 10), (11, 10)])
def test_an_orbit_and_a_history_have_strides_of_their_own(every: int, length: int) -> None:
    """The history keeps each step, the orbit some; the residual halves at each (x -> x/2)."""
    ds = run(
        objective={"expression": "x**2/2", "initial": {"x": 1024}},
        solver={"name": "gradient", "step": 0.5, "absolute_tolerance": 0, "relative_tolerance": 0},
        analysis={"orbit": {"every": every}, "history": {}},
        length=length,
    )
    steps = np.arange(length + 1)
    assert (ds["step_number"] == steps).all()
    assert (ds["residual_norm"] == 1024.0 / 2**steps).all()
    assert (ds["iteration"] == steps[::every]).all()
    assert (ds["x"] == 1024.0 / 2.0 ** ds["iteration"]).all()
    assert float(ds["x_final"]) == 1024 / 2**length
    assert int(ds["steps"]) == length


def test_one_analysis_does_not_alter_another() -> None:
    """Each alone and all together."""
    grid = {"x0": [-1.2, 0.5, 1], "y0": [1]}
    every = {"orbit": {"every": 5}, "history": {}, "final": {}}
    together = run(objective="rosenbrock", solver="newton", grid=grid, analysis=every, length=12)
    for name in every:
        alone = run(
            objective="rosenbrock",
            solver="newton",
            grid=grid,
            analysis={name: every[name]},
            length=12,
        )
        for variable in alone.data_vars:
            assert alone[variable].identical(together[variable])


def test_an_ended_cell_waits_for_the_others() -> None:
    """It stays where it was, and its counts with it; a map's cell goes on."""
    ds = run(
        objective={"expression": "(x - 1)**2", "initial": {"x": 0}},
        solver={"name": "gradient", "step": 0.25, "relative_tolerance": 0},
        grid={"tolerance": {"of": "solver.absolute_tolerance", "values": [1, 1e-3, 1e-6, 0]}},
        analysis={"orbit": {}},
        length=60,
    )
    # The residual 2 (x - 1) halves at each step, from 2. Step n is 2^-n long, and below two units
    # in the last place of x < 1, which are 2^-51 (1 - 2^-52), it is no step any more.
    assert ds["steps"].values.tolist() == [1, 11, 21, 52]
    assert ds["status"].values.tolist() == [Status.converged] * 3 + [Status.stalled]
    for k, steps in enumerate(ds["steps"].values):
        x = ds["x"].values[k]
        assert (x[steps:] == x[steps]).all()
        assert (np.diff(x[: steps + 1]) > 0).all()


GUARDED = [
    # The orbits from beyond 7 run away.
    ("map=quadratic", ["grid={x0: {start: -9, stop: 9, num: 37}}"]),
    # One that comes back from beyond the radius has escaped all the same.
    (
        "map=custom",
        [
            "map.equations={x: 'where(n == k, 1e9, 0.5*x + 1e-9*y)', y: 'y + 1'}",
            "map.parameters={k: 3}",
            "map.initial={x: 1, y: 0}",
            "grid={k: {values: [-1, 3, 98, 99, 1000]}}",
        ],
    ),
    ("map=henon", ["map.parameters.a=0.2", "grid={x0: {start: -9, stop: 9, num: 50}}"]),
]


@pytest.mark.parametrize(("chosen", "more"), GUARDED)
def test_a_guarded_loop_files_what_the_plain_one_does(chosen: str, more: list[str]) -> None:
    """Cells that left are computed without the guard; the others never met it."""
    overrides = ["experiment=orbit", chosen, *more, "analysis=[final]", "figure=none"]
    overrides += ["iterate.transient=0", "iterate.length=100"]
    described = config.read(config.compose(overrides))
    layout = dataset.template(described)
    plan = job.plan(described, layout.cell_bytes)
    assert plan.kernel.guarded
    found = {}
    for guarded in (True, False):
        plan = replace(plan, kernel=replace(plan.kernel, guarded=guarded))
        call, _ = job.compiled(described, plan)
        found[guarded] = dataset.fill(layout, job.blocks(described, plan, call))
    assert set(found[True]["status"]) == {0, 2}
    for name, values in found[True].items():
        np.testing.assert_allclose(values, found[False][name], rtol=1e-9)
    left = found[True]["status"] == 2
    for name, values in found[True].items():
        assert values[left].tobytes() == found[False][name][left].tobytes()
