"""Arguments of compiled programs: NumPy arrays in the types of the precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.experiment import Experiment


def typed(experiment: Experiment, value: Any) -> np.ndarray:
    """A number or an array as the device computes with it."""
    kinds = {"f": experiment.device.real, "c": experiment.device.complex}
    array = np.asarray(value)
    return array.astype(kinds.get(array.dtype.kind, experiment.device.real))
