"""The plan: how many cells one call computes. It changes no result."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.errors import ConfigError
from pipeline.experiment import Experiment
from pipeline.grid import cells, shape
from pipeline.job.kernel import Kernel
from pipeline.job.lane import leaves
from pipeline.solvers.target import CLASSIFIED

# A block's results exist up to three times at once: as rows of the loop, in the order of the
# cells, and as the NumPy array that leaves the device.
COPIES = 3
# While one block is filed, the next one is computed.
IN_FLIGHT = 2
# Of its state, a cell holds a few while it steps (now, next, frozen, residual, direction, ...).
STATES = 16
# A solver that seeks something forms d x d matrices: the Jacobian, its factors, its eigenvectors.
MATRICES = 4
# Steps of cells in one block: about a second's work, so that a run can be stopped and resumed.
WORK = 2**30
# Cells in one block: the states of more do not fit the cache of a core.
MOST = 2**17
# Bytes of results in one block: those of a larger one leave the cache before they are transposed.
CACHED = 2**22


@dataclass(frozen=True)
class Plan:
    """Blocks of one size cover the cells; the last one may be padded.

    Attributes:
        block: cells of one call.
        devices: that share a block.
        kernel: the shape of its loop, which is no part of the plan's freedom.
        block_bytes: that one call takes.
    """

    cells: int
    block: int
    devices: int = 1
    kernel: Kernel = Kernel()  # noqa: RUF009  # frozen
    block_bytes: int = 0

    @property
    def blocks(self) -> int:
        """How many calls there are."""
        return -(-self.cells // self.block)

    @property
    def share(self) -> int:
        """Cells of one call on one device."""
        return -(-self.block // self.devices)

    @property
    def width(self) -> int:
        """Lanes of one device: its share, padded to what the kernel needs."""
        return -(-self.share // self.kernel.width) * self.kernel.width

    @property
    def record(self) -> dict[str, Any]:
        """As the archive keeps it."""
        return {"block": self.block, "devices": self.devices, "kernel": asdict(self.kernel)}


def plan(experiment: Experiment, cell_bytes: int, kernel: Kernel, devices: int) -> Plan:
    """As few blocks of one size as memory, cache and patience allow.

    Args:
        cell_bytes: of the results of one cell.

    Raises:
        ConfigError: not even one cell fits into the memory.
    """
    memory, count = experiment.device.memory, cells(experiment.grid)
    if experiment.iterate.follow:
        return _sequences(experiment, cell_bytes, kernel, devices, count)
    lane, devices = _lane_bytes(experiment), min(devices, count)
    multiple = kernel.width * devices
    most = (memory - lane * multiple) // (COPIES * cell_bytes + lane)
    if most < 1:
        need = COPIES * cell_bytes + lane * (multiple + 1)
        raise ConfigError([f"device.memory = {memory:,}: one cell alone takes {need:,} bytes."])
    if most < count:
        most = max(1, most // IN_FLIGHT)
    limit = max(1, min(most, devices * WORK // experiment.iterate.steps))
    if not leaves(experiment):
        limit = min(limit, devices * MOST, max(multiple, CACHED * devices // cell_bytes))
    block = -(-count // -(-count // limit))
    if multiple < block < count:
        # Whole multiples, so that nothing is computed for padding.
        block = min(limit // multiple * multiple or limit, -(-block // multiple) * multiple)
    size = block_bytes(experiment, cell_bytes, kernel, devices, block)
    return Plan(count, block, devices, kernel, size)


def sequence(experiment: Experiment) -> tuple[int, int]:
    """(values of the axis that is followed, cells of the axes behind it)."""
    names = [axis.name for axis in experiment.grid]
    at = names.index(str(experiment.iterate.follow))
    sizes = shape(experiment.grid)
    return sizes[at], math.prod(sizes[at + 1 :])


def _sequences(
    experiment: Experiment, cell_bytes: int, kernel: Kernel, devices: int, count: int
) -> Plan:
    """Blocks of whole sequences, which lie side by side for the axes behind the one followed."""
    length, inner = sequence(experiment)
    unit = length * inner
    devices = min(devices, inner)
    need = block_bytes(experiment, cell_bytes, kernel, devices, unit)
    if need > experiment.device.memory:
        reason = f"the sequences along {experiment.iterate.follow} take {need:,} bytes at once"
        raise ConfigError([f"device.memory = {experiment.device.memory:,}: {reason}."])
    most = experiment.device.memory // need
    quick = devices * min(WORK // experiment.iterate.steps, MOST, CACHED // cell_bytes) // unit
    block = unit * max(1, min(most, quick, count // unit))
    size = block_bytes(experiment, cell_bytes, kernel, devices, block)
    return Plan(count, block, devices, kernel, size)


def block_bytes(
    experiment: Experiment, cell_bytes: int, kernel: Kernel, devices: int, block: int
) -> int:
    """Bytes that one call takes."""
    lanes = block + kernel.width * devices
    return block * COPIES * cell_bytes + _lane_bytes(experiment) * lanes


def _lane_bytes(experiment: Experiment) -> int:
    """Bytes that one cell takes in the loop, its results aside."""
    reals = sum(component.reals for component in experiment.problem.components.values())
    held = (STATES + experiment.solver.vectors(experiment.settings)) * reals
    told = experiment.iterate.kinds and reals <= CLASSIFIED
    if experiment.solver.freezes and (experiment.solver.dense or told):
        held += MATRICES * reals**2
    held += sum(fold.holds for fold in experiment.folds())
    return held * np.dtype(experiment.device.real).itemsize
