"""Given the kernel, no plan changes a bit: not the blocks, not the devices, not early exit."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import config, dataset, job
from pipeline.job.kernel import BATCHED, TABLE

CELLS = 150
# That of the escape times below.
PAIRED = TABLE["cpu", "leaving"]
MAPS = {
    "logistic": ["map=logistic", f"grid={{a: {{start: 3.4, stop: 4, num: {CELLS}}}}}"],
    "henon": ["map=henon", f"grid={{a: {{start: 1, stop: 1.4, num: {CELLS}}}}}"],
    "cubic": ["map=cubic", f"grid={{a: {{start: 2, stop: 3, num: {CELLS}}}}}"],
}
# Ricker's map beside the running mean of its orbit: the mean knows every bit of the past.
MAPS["ricker_mean"] = [
    "map=custom",
    "map.equations={x: 'x*exp(r*(1 - x))', m: 'm + (x - m)/(n + 1)'}",
    "map.parameters={r: 2.7}",
    "map.initial={x: 0.3, m: 0}",
    f"grid={{r: {{start: 2, stop: 3, num: {CELLS}}}}}",
]
# Numbers from the seed, the cell and the step; one parameter anew at each step.
MAPS["noisy"] = [
    "map=logistic",
    "map.noise={x: 1e-3*x, a: {uniform: 0.01}}",
    f"grid={{a: {{start: 3.4, stop: 3.8, num: {CELLS}}}}}",
]
ANALYSES = {
    "logistic": "[final, orbit, lyapunov]",
    "henon": "[final, orbit]",
    "cubic": "[lyapunov]",
    "ricker_mean": "[final]",
    "noisy": "[final]",
}


def experiment(name):
    overrides = ["experiment=orbit", *MAPS[name], f"analysis={ANALYSES[name]}", "figure=none"]
    overrides += ["iterate.transient=100", "iterate.length=205"]
    if "orbit" in ANALYSES[name]:
        overrides.append("analysis.orbit.every=5")
    return config.read(config.compose(overrides))


def compute(described, **changed):
    layout = dataset.template(described)
    plan = dataclasses.replace(job.plan(described, layout.cell_bytes), **changed)
    call, _ = job.compiled(described, plan)
    return dataset.fill(layout, job.blocks(described, plan, call))


def same_bits(one, other):
    return all(one[name].tobytes() == other[name].tobytes() for name in one)


@pytest.fixture(scope="module")
def whole():
    return {name: compute(experiment(name)) for name in MAPS}


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(sorted(MAPS)), block=st.integers(1, CELLS))
def test_block_size_changes_no_bit(whole, name, block):
    assert same_bits(compute(experiment(name), block=block), whole[name])


def test_results_are_not_all_alike(whole):
    # The comparison above would pass for constants.
    for results in whole.values():
        assert any(len(np.unique(values)) > CELLS / 2 for values in results.values())


SCRIPT = """
import hashlib, json, sys
import jax
sys.path.insert(0, {tests!r})
from test_determinism import MAPS, compute, experiment, solved
assert jax.local_device_count() == 4
results = {{name: compute(experiment(name)) for name in MAPS}} | {{"solver": solved()}}
print(json.dumps({{
    name: {{k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in found.items()}}
    for name, found in results.items()
}}))
"""


def test_four_devices_change_no_bit(whole):
    import hashlib

    here = {
        name: {k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in results.items()}
        for name, results in {**whole, "solver": solved()}.items()
    }
    flags = "--xla_force_host_platform_device_count=4"
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(tests=os.path.dirname(__file__))],
        env=os.environ | {"XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == here


def escapes(*overrides, **changed):
    described = config.read(
        config.compose(
            [
                *overrides,
                "experiment=orbit",
                "map=quadratic_c",
                "analysis=[escape]",
                "figure=none",
                "iterate.length=200",
                "+grid.c_re={start: -2, stop: 0.7, num: 90}",
                "+grid.c_im={start: 0, stop: 1.2, num: 70}",
            ]
        )
    )
    return compute(described, **changed)


@pytest.mark.parametrize("given", [[], ["map.noise={z: 0.01}"]], ids=["still", "noisy"])
def test_early_exit_gives_the_counts_of_the_plain_loop(monkeypatch, given):
    from pipeline.job import early

    left = escapes(*given)
    monkeypatch.setattr(early, "suits", lambda experiment: False)
    job._PROGRAMS.clear()
    stayed = escapes(*given)
    job._PROGRAMS.clear()
    assert same_bits(left, stayed)
    assert len(np.unique(left["escape_iteration"])) > 30


@pytest.mark.parametrize("lanes", [64, 256])
def test_lanes_are_refilled(lanes):
    kernel = dataclasses.replace(PAIRED, lanes=lanes)
    assert same_bits(escapes(block=3000, kernel=kernel), escapes())


def solved(**changed):
    starts = "{of: [x0, y0], sample: uniform, num: 200, low: -2, high: 2}"
    overrides = [
        *("experiment=minimise", "objective=rosenbrock", "solver=newton_cg", "figure=none"),
        *("analysis=[history, orbit]", "analysis.orbit.every=3", "iterate.length=70"),
        f"grid.starts={starts}",
    ]
    kernel = dataclasses.replace(BATCHED, lanes=32)
    return compute(config.read(config.compose(overrides)), kernel=kernel, **changed)


def test_a_solvers_cells_are_the_same_in_blocks_that_fill_the_lanes():
    """Refilled at other steps, beside other cells; the history and the orbit to the last row."""
    whole, parts = solved(), solved(block=45)
    assert same_bits(parts, whole)
    assert len(np.unique(whole["steps"])) > 10
    # The rows after a cell's end: nothing of the history, the last state of the orbit.
    for cell, steps in enumerate(whole["steps"]):
        assert np.isfinite(whole["residual_norm"][cell, : steps + 1]).all()
        assert np.isnan(whole["residual_norm"][cell, steps + 1 :]).all()
        assert (whole["inner_steps"][cell, steps + 1 :] == -1).all()
        assert whole["residual_norm"][cell, steps] == whole["residual_norm_final"][cell]
        after = whole["x"][cell, -(-steps // 3) :]
        assert (after == whole["x"][cell, -1]).all()
    assert whole["x"].shape == (200, 24)
