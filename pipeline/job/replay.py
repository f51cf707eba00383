"""Replay: the loop and the blocks that an archive records, on whatever this machine has.

The record may come from a stranger or from another version. What this version cannot repeat is
told, and done in its own way instead: it may cost bits, never time or memory without bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from pipeline import device
from pipeline.experiment import Experiment
from pipeline.job import kernel
from pipeline.job.kernel import Kernel
from pipeline.job.plan import WORK, Plan, block_bytes, plan, sequence

# Beyond these, a loop's body compiles for minutes: no kernel of ours comes near.
MOST = {"unroll": 128, "batch": 128, "width": 4096, "lanes": 2**16}


def replay(
    experiment: Experiment, cell_bytes: int, record: Mapping[str, Any]
) -> tuple[Plan, list[str]]:
    """The plan of an archive again.

    Args:
        cell_bytes: of the results of one cell.
        record: what /provenance/plan holds.

    Returns:
        (the plan, what of it is not as recorded: ends of sentences).

    Raises:
        ConfigError: not even one cell fits into the memory.
    """
    found = device.devices(experiment.device)
    shape, notes = _kernel(experiment, found[0].platform, record.get("kernel"))
    own = plan(experiment, cell_bytes, shape, len(found))
    recorded, devices = _whole(record.get("block")), _whole(record.get("devices", 1))
    if not recorded or not devices:
        return own, [*notes, "its blocks are not recorded"]
    # A device's share is what decides where results depend on the batch.
    share, count = -(-recorded // devices), min(devices, own.devices)
    block = min(share * count, own.cells)
    if experiment.iterate.follow:
        # Whole sequences alone can be followed.
        unit = math.prod(sequence(experiment))
        block = max(1, block // unit) * unit
    need = block_bytes(experiment, cell_bytes, shape, count, block)
    fits = need <= experiment.device.memory
    quick = block <= max(count, count * WORK // experiment.iterate.steps)
    if fits and quick:
        return Plan(own.cells, block, count, shape, need), notes
    if shape.width == 1:
        notes.append(f"its blocks of {block:,} cells are too large for this machine")
    return own, notes


def _whole(value: Any) -> int:
    """A count, 0 where it is none."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 2**40
    return value if good else 0


def _kernel(experiment: Experiment, platform: str, record: Any) -> tuple[Kernel, list[str]]:
    """The recorded kernel; this version's own where it cannot be repeated."""
    own = kernel.choose(experiment, platform)
    known = {field.name: type(field.default) for field in fields(Kernel)}
    if not isinstance(record, dict):
        return own, ["its kernel is not recorded"]
    strange = [str(key)[:40] for key in record if key not in known]
    if strange:
        return own, [f"its kernel has {', '.join(strange[:4])}, which this version does not know"]
    good = all(type(value) is known[key] for key, value in record.items())
    if not good or any(not 0 < record.get(key, 1) <= most for key, most in MOST.items()):
        return own, ["its kernel is none that this version can repeat"]
    recorded = replace(Kernel(), **record)
    if recorded == own:
        return own, []
    work = kernel.kind(experiment)
    rows = [row for (_, kind), row in kernel.TABLE.items() if kind == work]
    batched = replace(kernel.BATCHED, lanes=recorded.lanes)
    sound = recorded == batched if work == "batched" else recorded.width > 1
    for flag in ("paired", "guarded"):
        sound &= not getattr(recorded, flag) or any(getattr(row, flag) for row in rows)
    return (recorded, []) if sound else (own, ["its kernel does not suit its document"])
