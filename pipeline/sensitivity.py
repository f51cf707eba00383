"""Sensitivity: how far two computations may part where their rounding differs.

Another machine rounds otherwise, and chaos makes the last bit the first. How much that may do to a
result is measured: the same cells are computed again with every number moved by a few units in the
last place. A result agrees with another where it is no further from it than these probes are, with
some room; so orbits may part as fast as chaos drives them apart, a boundary of a basin may move
across the cells beside it, and a cell that is not sensitive has no excuse.

An analysis that states an error of its own does so by CF's `ancillary_variables`: a variable
`lyapunov` that names `lyapunov_error` agrees within five of these errors too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.dataset import Entry
from pipeline.experiment import Experiment
from pipeline.grid import Axis

# Seeds of the probes: several, since one may come back to where it began.
PROBES = (1, 2, 3, 4)
# Units in the last place by which numbers are moved: some steps' rounding.
MOVED = 64
# Times the distance of the farthest probe, which rounding at every step may exceed.
ROOM = 16
# Units in the last place that sums in another order may cost a result that is not sensitive.
FLOOR = 2**10
# Of the names of stated errors, behind that of the result.
SUFFIX = "_error"
# Standard errors, of the difference of two estimates.
ERRORS = 5
# Cells on either side in which a probe may fall: sensitivity changes little from cell to cell.
BESIDE = 4
# Of values that are nearly the same, how far beyond them all, relatively, another may lie.
NEAR = 0.01
# The part of the cells that the probes may miss, on a boundary that none of them crossed.
MISSED = 1e-3


def probe(experiment: Experiment, seed: int) -> Experiment:
    """The same structure, hence the same program, with every number but settings moved."""
    draws = np.random.default_rng(seed)
    room = MOVED * np.finfo(experiment.device.real).eps

    def moved(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        by = room * draws.uniform(-1, 1, value.shape)
        return np.where(value == 0, by, value * (1 + by))

    def axis(old: Axis) -> Axis:
        settings = np.array([quantity.target == "setting" for quantity in old.quantities])
        return dataclasses.replace(old, values=np.where(settings, old.values, moved(old.values)))

    problem = dataclasses.replace(
        experiment.problem,
        parameters={name: moved(value) for name, value in experiment.problem.parameters.items()},
        initial={name: moved(value) for name, value in experiment.problem.initial.items()},
    )
    return dataclasses.replace(
        experiment, problem=problem, grid=tuple(axis(old) for old in experiment.grid)
    )


def strangers(
    entry: Entry,
    stored: np.ndarray,
    computed: Mapping[str, np.ndarray],
    probes: Callable[[], Sequence[Mapping[str, np.ndarray]]],
    iterations: int | None,
) -> np.ndarray:
    """[c] Whether a cell differs by more than its sensitivity and stated errors explain.

    Args:
        stored: [c, ...] what the archive holds of some cells.
        computed: {variable: [c, ...]} the same cells, computed here.
        probes: gives such results of the probes; asked only where rounding alone is not enough.
        iterations: the axis along which an orbit goes on, None where there is none.
    """
    here = computed[entry.name]
    apart = _apart(stored, here)
    allowed = _floor(here) + _stated(entry, computed)
    if entry.name.endswith(SUFFIX):
        # An error is no better known than the result whose error it is.
        allowed = allowed + _floor(computed.get(entry.name.removesuffix(SUFFIX), here))
    if not np.any(apart > allowed):
        return np.zeros(len(here), bool)
    reach = np.zeros(here.shape)
    low, high = here, here
    for results in probes():
        values = results[entry.name]
        reach = np.maximum(reach, _apart(values, here))
        low, high = np.fmin(low, values), np.fmax(high, values)
    if iterations is not None:
        reach = np.maximum.accumulate(reach, axis=iterations)
    reach = _around(reach)
    strange = apart > allowed + ROOM * reach
    if here.dtype.kind == "f":
        # However far apart, two orbits are on one attractor.
        with np.errstate(invalid="ignore", over="ignore"):
            bottom, top = np.nanmin(low, initial=np.inf), np.nanmax(high, initial=-np.inf)
            margin = (top - bottom) * max(1, ROOM / here.size)
            margin = max(margin, NEAR * abs(bottom), NEAR * abs(top))
            outside = (stored < bottom - margin) | (stored > top + margin)
        strange |= (apart > allowed) & outside
    return strange.reshape(len(here), -1).any(axis=1)


def parted(stored: np.ndarray, here: np.ndarray, iterations: int) -> int | None:
    """The first index along the iterations at which any cell is apart by more than rounding."""
    far = np.moveaxis(_apart(stored, here) > _floor(here), iterations, 0)
    steps = far.reshape(len(far), -1).any(axis=1)
    return int(np.argmax(steps)) if steps.any() else None


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b|; infinite where only one of them is a number, 0 where neither is."""
    if a.dtype.kind != "f":
        return np.abs(a.astype(float) - b.astype(float))
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.abs(a.astype(float) - b.astype(float))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(found), np.inf, found))


def _floor(here: np.ndarray) -> np.ndarray:
    """What rounding alone may do to a cell's values, beside the largest of them."""
    if here.dtype.kind != "f":
        return np.zeros(here.shape)
    size = np.abs(np.where(np.isfinite(here), here, 0)).astype(float)
    own = tuple(range(1, here.ndim))
    largest = size.max(axis=own, keepdims=True) if own else size
    return np.broadcast_to(FLOOR * np.finfo(here.dtype).eps * largest, here.shape)


def _stated(entry: Entry, computed: Mapping[str, np.ndarray]) -> Any:
    """The errors that an analysis states of its results; of both, as these here are known."""
    name = f"{entry.name}{SUFFIX}"
    if name not in str(entry.attributes.get("ancillary_variables", "")).split():
        return 0.0
    error = np.abs(computed[name]).astype(float)
    return ERRORS * np.sqrt(2) * np.where(np.isfinite(error), error, 0.0)


def _around(reach: np.ndarray) -> np.ndarray:
    """The farthest of each cell and those beside it."""
    found = reach.copy()
    for shift in range(1, min(BESIDE + 1, len(reach))):
        np.maximum(found[shift:], reach[:-shift], out=found[shift:])
        np.maximum(found[:-shift], reach[shift:], out=found[:-shift])
    return found
