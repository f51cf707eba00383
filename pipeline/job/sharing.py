"""Sharing: several devices take a block together, each a part of its cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline import device
from pipeline.experiment import Experiment
from pipeline.job.lane import Cell, take
from pipeline.job.plan import Plan


def shared(
    f: Callable[..., Any], experiment: Experiment, plan: Plan, split: tuple[int, ...]
) -> Callable[..., Any]:
    """A function whose arguments are divided among the devices; the same on each, on its cells.

    Args:
        split: for each argument 1 where its leading axes are divided, 0 where every device has
            all of it.
    """
    if plan.devices == 1:
        return f
    import jax
    from jax.sharding import Mesh, PartitionSpec

    found = device.devices(experiment.device)[: plan.devices]
    mesh = Mesh(np.array(found), ("cells",))
    divided = PartitionSpec("cells")
    specs = tuple(divided if part else PartitionSpec() for part in split)
    return jax.shard_map(f, mesh=mesh, in_specs=specs, out_specs=divided, check_vma=False)


def spread(cells: Cell, plan: Plan) -> Cell:
    """The cells of a block in the lanes of the devices: each its share, then its last one again."""
    if len(cells.place) == plan.width * plan.devices == plan.share * plan.devices:
        return cells
    lane = np.minimum(np.arange(plan.width), plan.share - 1)
    places = (np.arange(plan.devices)[:, None] * plan.share + lane).ravel()
    return take(cells, np.minimum(places, len(cells.place) - 1))
