"""The plan: how many cells one call computes. It changes no result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.errors import ConfigError
from pipeline.experiment import Experiment
from pipeline.grid import cells
from pipeline.solvers.target import CLASSIFIED

# A block's results exist up to three times at once: as rows of the loop, in the order of the
# cells, and as the NumPy array that leaves the device.
COPIES = 3
# Of its state, a cell holds a few while it steps (now, next, frozen, residual, direction, ...).
STATES = 16
# A solver that seeks something forms d x d matrices: the Jacobian, its factors, its eigenvectors.
MATRICES = 4


@dataclass(frozen=True)
class Plan:
    """Blocks of one size cover the cells; the last one may be padded."""

    cells: int
    block: int

    @property
    def blocks(self) -> int:
        """How many calls there are."""
        return -(-self.cells // self.block)


def cell_memory(experiment: Experiment, cell_bytes: int) -> int:
    """Bytes that one cell takes while it is computed.

    Args:
        cell_bytes: of its results.
    """
    reals = sum(component.reals for component in experiment.problem.components.values())
    held = STATES * reals
    if experiment.solver.freezes and (experiment.solver.dense or reals <= CLASSIFIED):
        held += MATRICES * reals**2
    return COPIES * cell_bytes + held * np.dtype(experiment.device.real).itemsize


def plan(experiment: Experiment, cell_bytes: int) -> Plan:
    """As few blocks of one size as the memory allows.

    Args:
        cell_bytes: of the results of one cell.

    Raises:
        ConfigError: not even one cell fits.
    """
    memory = experiment.device.memory
    need = cell_memory(experiment, cell_bytes)
    most = memory // need
    if most < 1:
        raise ConfigError([f"device.memory = {memory:,}: one cell alone takes {need:,} bytes."])
    count = cells(experiment.grid)
    return Plan(count, -(-count // -(-count // most)))
