"""The worker: computes blocks and files them itself; of a task it returns a receipt."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import config, dataset, device, job, parts, provenance
from pipeline.dataset import Template
from pipeline.engine import order, pin
from pipeline.engine.order import ALIKE, Order, alike
from pipeline.engine.source import Receipt
from pipeline.errors import CobwebError, DamageError
from pipeline.experiment import Experiment

# Of two tasks of one process the second waits for the program that the first compiles.
_LOCK = threading.Lock()


@dataclass(frozen=True, eq=False)
class _Ready:
    order: Order
    experiment: Experiment
    layout: Template
    plan: job.Plan
    call: job.Call
    compile_seconds: float


def compute(folder: str, first: int, last: int, threads: int) -> Receipt | CobwebError:
    """Compute and file the wanted ones of some cells; what is filed already is looked through.

    Args:
        folder: that of the order.
        threads: of this process, if JAX has not started in it; 0: as many as Dask gives it.

    Returns:
        A mistake of the user's is a value: it would be the same elsewhere, so nothing is tried
        again.
    """
    try:
        with _LOCK:
            ready = _ready(folder, threads)
        path = parts.path_of(Path(folder), first, last)
        results = _earlier(path)
        if results is None:
            places = ready.order.wanted.places(first, last)
            results = job.rows(ready.experiment, ready.plan, ready.call, places)
            parts.write(path, results)
        counts: dict[str, Counter[str]] = {}
        dataset.count(counts, ready.layout, results)
    except CobwebError as error:
        return error
    cost = ready.compile_seconds, ready.call.bytes
    return Receipt(first, last, provenance.cpu(), *cost, parts.digest(path), counts)


def _earlier(path: Path) -> dict[str, np.ndarray] | None:
    """The content of a part that is there, whole; None where it is to be computed."""
    try:
        return parts.read(path)
    except (FileNotFoundError, DamageError):
        return None


@functools.lru_cache(maxsize=8)
def _ready(folder: str, threads: int) -> _Ready:
    """The program of an order, which each process compiles once."""
    pin.pin(threads or _threads())
    found = order.read(Path(folder))
    document = provenance.document(found.texts)
    wanted, flags = config.device_of(document), os.environ.get("XLA_FLAGS", "")
    if wanted is not None:
        device.start(wanted)
    experiment = config.read(document)
    try:
        device.check(experiment.device)
    except CobwebError:
        os.environ["XLA_FLAGS"] = flags  # JAX has not read the others, whatever comes next
        raise
    _alike(found, experiment)
    layout = dataset.template(experiment)
    plan, notes = job.replay(experiment, layout.cell_bytes, json.loads(found.texts["plan"]))
    if notes:
        raise CobwebError(f"its blocks cannot be computed here: {'; '.join(notes)}.")
    call, seconds = job.compiled(experiment, plan)
    return _Ready(found, experiment, layout, plan, call, seconds)


def _threads() -> int:
    from distributed import get_worker

    return get_worker().state.nthreads


def _alike(found: Order, experiment: Experiment) -> None:
    """Refuse to compute with other code, or on another kind of device.

    Raises:
        CobwebError: with what differs.
    """
    here = alike(experiment.device)
    for name in ALIKE:
        if found.texts[name] != here[name]:
            there = found.texts[name]
            if name == "packages":
                differing = _differing(there, here[name])
            elif name == "code":
                differing = "another version of Cobweb's code"
            else:
                differing = f"{name} = {here[name] or 'none'}, where the run has {there or 'none'}"
            reason = "its bits would not fit; start workers from the same environment"
            raise CobwebError(f"it has {differing}: {reason}.")


def _differing(there: str, here: str) -> str:
    """The packages whose versions differ, in words."""
    theirs, ours = provenance.table(there), provenance.table(here)
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    return ", ".join(f"{n} {ours.get(n, 'none')} for {theirs.get(n, 'none')}" for n in names[:4])
