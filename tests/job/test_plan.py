"""Plans: how many cells a block has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import dataset, job
from pipeline.errors import ConfigError
from pipeline.job.plan import CACHED
from tests.runs import experiment


def planned(memory: int | str, num: int = 1000, length: int = 100, **more: object) -> job.Plan:
    """A plan of the logistic map's orbits."""
    found = experiment(
        map="logistic",
        grid={"a": {"start": 3, "stop": 4, "num": num}},
        length=length,
        device={"memory": memory, **more},
    )
    return job.plan(found, dataset.template(found).cell_bytes)


def test_a_large_memory_takes_all_cells_at_once() -> None:
    plan = planned("1GiB", length=500)
    assert (plan.cells, plan.block, plan.blocks) == (1000, 1000, 1)


@given(st.integers(60_000, 10_000_000), st.integers(1, 3000))
def test_a_block_fits_and_covers(memory: int, num: int) -> None:
    """Blocks of one size cover the cells, each within the memory."""
    plan = planned(memory, num)
    assert plan.block_bytes <= memory
    assert plan.blocks * plan.block >= num
    assert (plan.blocks - 1) * plan.block < num


def test_half_of_the_memory_is_left_to_the_block_that_is_filed() -> None:
    plan = planned(2**20, 100_000)
    assert plan.blocks > 1
    assert 2**18 < plan.block_bytes <= 2**19


def test_whole_multiples_leave_no_lane_idle() -> None:
    plan = planned(2**22, 100_000)
    assert plan.block % plan.kernel.width == 0
    assert plan.width == plan.block


def test_long_orbits_come_in_blocks_of_a_second() -> None:
    """However much memory there is."""
    found = experiment(
        map="logistic",
        grid={"a": {"start": 3, "stop": 4, "num": 1000}},
        length=20_000_000,
        analysis={"final": {}},
        device={"memory": "1TB"},
    )
    plan = job.plan(found, dataset.template(found).cell_bytes)
    assert plan.block == 53


def test_the_memory_counts_the_results() -> None:
    """Ten times the rows of as many cells take ten times the memory; single precision half."""
    short, long = planned("1GiB", 64, length=1000), planned("1GiB", 64, length=10_000)
    single = planned("1GiB", 64, length=10_000, precision="single")
    assert short.block == long.block == single.block == 64
    assert long.block_bytes / short.block_bytes == pytest.approx(10, rel=0.05)
    assert long.block_bytes / single.block_bytes == pytest.approx(2, rel=0.01)
    assert long.block_bytes > 64 * 10_000 * 8


def test_the_results_of_a_block_stay_in_the_cache() -> None:
    """Unless not even the lanes that move together would."""
    assert planned("1GiB", 1000, length=5000).block * 5000 * 8 <= CACHED
    assert 60 < planned("8GiB", 1000, length=1_000_000).block <= 64


def test_a_solvers_matrices_count() -> None:
    """A hundred unknowns have a Jacobian of 80 kB."""
    found = experiment(
        objective={"expression": "dot(x, x)", "initial": {"x": {"value": 1, "size": 100}}},
        solver="newton",
    )
    assert job.plan(found, dataset.template(found).cell_bytes).block_bytes > 80_000


def test_one_cell_must_fit() -> None:
    with pytest.raises(ConfigError, match=r"^device\.memory = 1,024: one cell alone takes [\d,]+"):
        planned(1024)
