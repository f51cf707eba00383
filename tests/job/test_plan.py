"""Plans: how many cells a block has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import dataset, job
from pipeline.errors import ConfigError
from tests.runs import experiment


def cells_and_bytes(memory: int | str, num: int = 1000, length: int = 100, **more: object):
    """A plan of the logistic map, and the bytes that a cell takes."""
    found = experiment(
        map="logistic",
        grid={"a": {"start": 3, "stop": 4, "num": num}},
        length=length,
        device={"memory": memory, **more},
    )
    size = dataset.template(found).cell_bytes
    return job.plan(found, size), job.cell_memory(found, size)


def test_a_large_memory_takes_all_cells_at_once() -> None:
    plan, _ = cells_and_bytes("1GiB")
    assert (plan.cells, plan.block, plan.blocks) == (1000, 1000, 1)


@given(st.integers(1, 5000), st.integers(1, 3000))
def test_a_block_fits_and_covers(most: int, num: int) -> None:
    """As few blocks as there can be, of one size, no larger than need be."""
    _, cell = cells_and_bytes("1GiB")
    plan, _ = cells_and_bytes(most * cell + cell // 2, num)
    assert plan.block <= most
    assert plan.blocks * plan.block >= num
    assert (plan.blocks - 1) * most < num
    assert plan.blocks * plan.block - num < plan.blocks


def test_the_memory_counts_the_results() -> None:
    """Ten times the rows take ten times the memory; single precision half."""
    _, short = cells_and_bytes("1GiB", length=1000)
    _, long = cells_and_bytes("1GiB", length=10000)
    _, single = cells_and_bytes("1GiB", length=10000, precision="single")
    assert long / short == pytest.approx(10, rel=0.05)
    assert long / single == pytest.approx(2, rel=0.01)
    assert long > 10000 * 8


def test_a_solvers_matrices_count() -> None:
    """A hundred unknowns have a Jacobian of 80 kB."""
    found = experiment(
        objective={"expression": "dot(x, x)", "initial": {"x": {"value": 1, "size": 100}}},
        solver="newton",
    )
    assert job.cell_memory(found, dataset.template(found).cell_bytes) > 80_000


def test_one_cell_must_fit() -> None:
    with pytest.raises(ConfigError, match=r"^device\.memory = 1,024: one cell alone takes [\d,]+"):
        cells_and_bytes(1024)
