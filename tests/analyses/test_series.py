"""What all analyses of a series have in common: blocks change no bit, memory is counted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline import dataset, job, preparation
from pipeline.analyses import series
from tests.config.cases import LOGISTIC, QUADRATIC, mistakes
from tests.runs import experiment

EVERY = {
    "autocorrelation": {"max_lag": 5},
    "spectrum": {"segment": 32},
    "recurrence": {"points": 50},
    "correlation_dimension": {"points": 50, "radii": 4, "scaling": [0.1, 0.5]},
    "zero_one": {"angles": 3},
}


def test_blocks_change_no_bit() -> None:
    """Sums over a series are taken for as many cells, whatever the block; NaN of an escaped one."""
    found = experiment(
        map="logistic",
        grid={"a": {"start": 3.0, "stop": 4.1, "num": 35}},
        transient=20,
        length=100,
        analysis={name: EVERY[name] for name in ("spectrum", "recurrence", "zero_one")},
    )
    layout, plan = preparation.prepare(found)
    results = []
    for block in (35, 9):
        shape = dataclasses.replace(plan, block=block)
        call, _ = job.compiled(found, shape)
        results.append(dataset.fill(layout, job.blocks(found, shape, call)))
    whole, parts = results
    assert all(whole[name].tobytes() == parts[name].tobytes() for name in whole)
    gone = whole["status"] == 2
    assert 0 < gone.sum() < 10
    assert all(
        np.isnan(whole[n][gone]).all() for n in ("zero_one", "x_spectrum", "recurrence_rate")
    )
    assert len(np.unique(whole["zero_one"][~gone])) > 20


def test_memory_is_counted() -> None:
    """A block holds its series three times over."""
    long, short = (
        preparation.prepare(
            experiment(
                map="logistic",
                grid={"a": {"start": 3.0, "stop": 4.0, "num": 20_000}},
                length=length,
                analysis={"zero_one": {}},
                device={"memory": "1GiB"},
            )
        )[1]
        for length in (5000, 100)
    )
    assert long.block * series.COPIES * 5000 * 8 < 2**30
    assert long.block < short.block


def test_solvers_have_none() -> None:
    told = mistakes(QUADRATIC, analysis=EVERY, solver={"name": "newton_cg"})
    for name in EVERY:
        assert any(
            line.startswith(f"analysis.{name}: a step of newton_cg is no map") for line in told
        )


@pytest.mark.parametrize("name", ["recurrence", "zero_one", "correlation_dimension"])
def test_too_few_states(name: str) -> None:
    told = mistakes(LOGISTIC, analysis={name: {}}, iterate={"length": 3})
    assert any("expected iterate.length >= " in line for line in told)
