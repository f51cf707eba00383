"""Replay: the recorded loop where it can be repeated; what cannot is told and bounded."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from pipeline import dataset, device, job
from pipeline.job import kernel
from pipeline.job.kernel import BATCHED, Kernel
from tests.runs import experiment

MAP: dict[str, Any] = {"map": "henon", "grid": {"a": {"start": 1, "stop": 1.4, "num": 5000}}}
VECTOR: dict[str, Any] = {
    "map": "coupled_logistic",
    "grid": {"a": {"start": 3, "stop": 4, "num": 500}},
}


def replayed(record: Any, **parts: Any) -> tuple[job.Plan, list[str]]:
    found = experiment(**(parts or MAP))
    return job.replay(found, dataset.template(found).cell_bytes, record)


def own(**parts: Any) -> job.Plan:
    found = experiment(**(parts or MAP))
    return job.plan(found, dataset.template(found).cell_bytes)


def test_a_record_is_its_plan_again() -> None:
    """Of a map and of a vector, whose results depend on the batch."""
    for parts in (MAP, VECTOR):
        plan = replace(own(**parts), block=96)
        found, notes = replayed(plan.record, **parts)
        assert (found.block, found.devices, found.kernel) == (96, 1, plan.kernel)
        assert notes == []


def test_another_kernel_is_repeated() -> None:
    """That of another platform, or of an older table."""
    for change in ({"unroll": 1}, {"batch": 2}, {"width": 128}):
        recorded = replace(own().kernel, **change)
        found, notes = replayed({"block": 64, "devices": 1, "kernel": asdict(recorded)})
        assert (found.kernel, notes) == (recorded, [])


def test_the_share_of_a_device_is_what_counts() -> None:
    """Blocks of four devices on the one that is here."""
    assert len(device.devices(experiment(**MAP).device)) == 1
    record = {"block": 400, "devices": 4, "kernel": asdict(BATCHED)}
    found, notes = replayed(record, **VECTOR)
    assert (found.block, found.devices, notes) == (100, 1, [])


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"strands": 8, "unroll": 4}, "its kernel has strands, which this version does not know"),
        ({"unroll": 10**9}, "its kernel is none that this version can repeat"),
        ({"unroll": 0}, "its kernel is none that this version can repeat"),
        ({"unroll": True}, "its kernel is none that this version can repeat"),
        ({"unroll": "4"}, "its kernel is none that this version can repeat"),
        ({"paired": 1}, "its kernel is none that this version can repeat"),
        ({"width": 2**40}, "its kernel is none that this version can repeat"),
        ({"guarded": True}, "its kernel does not suit its document"),
        ({"width": 1}, "its kernel does not suit its document"),
        (None, "its kernel is not recorded"),
        ([4], "its kernel is not recorded"),
    ],
)
def test_kernels_that_cannot_be_repeated(table: Any, told: str) -> None:
    """This version's own takes their place."""
    found, notes = replayed({"block": 64, "devices": 1, "kernel": table})
    assert notes == [told]
    assert found.kernel == own().kernel


def test_a_vector_has_one_kernel() -> None:
    record = {"block": 64, "devices": 1, "kernel": asdict(Kernel(unroll=4))}
    found, notes = replayed(record, **VECTOR)
    assert (found.kernel, notes) == (
        own(**VECTOR).kernel,
        ["its kernel does not suit its document"],
    )
    assert kernel.kind(experiment(**VECTOR)) == "batched"


@pytest.mark.parametrize("block", [None, 0, -5, 2**60, "64", 6.5, True])
def test_blocks_that_are_none(block: Any) -> None:
    plan = own()
    found, notes = replayed({"block": block, "devices": 1, "kernel": asdict(plan.kernel)})
    assert found.block == plan.block
    assert notes == ["its blocks are not recorded"]


def test_blocks_too_large_for_the_memory() -> None:
    """Cut in silence where that changes no bit, with a note where it may."""
    for parts, told in ((MAP, []), (VECTOR, ["its blocks of 500 cells are too large"])):
        found = experiment(**parts)
        small = replace(found, device=replace(found.device, memory=10**6))
        cell_bytes = dataset.template(found).cell_bytes
        record = {**own(**parts).record, "block": 10**6}
        plan, notes = job.replay(small, cell_bytes, record)
        assert plan.block_bytes <= 10**6
        assert plan.block < plan.cells
        assert [note.split(" for this")[0] for note in notes] == told


def test_blocks_of_too_much_work() -> None:
    """A block takes about a second, whatever a stranger recorded: only a run between two stops."""
    parts = {**MAP, "length": 2**28, "analysis": {"final": {}}}
    record = {**own(**parts).record, "block": 5000}
    plan, notes = replayed(record, **parts)
    assert plan.block * 2**28 <= 2**31
    assert notes == []
