"""The plan: how many cells one call computes. It changes no result."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import ConfigError
from pipeline.experiment import Experiment
from pipeline.grid import cells

# A block's results exist up to three times at once: as rows of the loop, in the order of the
# cells, and as the NumPy array that leaves the device.
COPIES = 3


@dataclass(frozen=True)
class Plan:
    """Blocks of one size cover the cells; the last one may be padded."""

    cells: int
    block: int

    @property
    def blocks(self) -> int:
        """How many calls there are."""
        return -(-self.cells // self.block)

    def memory(self, cell_bytes: int) -> int:
        """Bytes that the results of one block take while it is computed."""
        return COPIES * cell_bytes * self.block


def plan(experiment: Experiment, cell_bytes: int) -> Plan:
    """As few blocks of one size as the memory allows.

    Args:
        cell_bytes: of the results of one cell.

    Raises:
        ConfigError: not even one cell fits.
    """
    memory = experiment.device.memory
    most = memory // (COPIES * cell_bytes)
    if most < 1:
        need = f"{COPIES * cell_bytes:,} bytes"
        reason = f"the results of one cell alone take {need} while they are computed"
        raise ConfigError([f"device.memory = {memory:,}: {reason}."])
    count = cells(experiment.grid)
    return Plan(count, -(-count // -(-count // most)))
