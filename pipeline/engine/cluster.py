"""The cluster: Dask's workers compute and file blocks, the driver hands them on in order.

A task is a piece: blocks that follow one another, about a second's work. It holds two numbers and
returns a receipt, so that neither what Dask sends nor what the driver holds grows with the result.
A worker that dies costs its piece in hand: Dask gives it to another one.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import multiprocessing
import os
import shutil
import signal
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client, KilledWorker, LocalCluster, Worker, WorkerPlugin
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.security import Security

from pipeline import dataset, job, parts, provenance
from pipeline.dataset import Template
from pipeline.engine import worker
from pipeline.engine.order import Order
from pipeline.engine.source import Receipt, Source, Tell
from pipeline.errors import CobwebError, ConfigError, DamageError
from pipeline.experiment import Engine, Experiment

# Steps of cells in one piece: about a second's work of one core, beside which Dask's millisecond
# for a task is little.
WORK = 2**30
# Bytes of a piece's file.
BYTES = 2**26
# Pieces for each worker at least, if there are blocks enough: so little is left to wait for at the
# end, and so little is lost with a worker.
SHARES = 8
# Pieces for each worker that are handed out before the first of them is needed.
AHEAD = 16
# Seconds in which a scheduler has to answer, and a shared folder to show what a worker has filed.
ANSWER, SHOWN = 20.0, 60.0
# Seconds between questions to the scheduler.
ASK = 5.0
# Times that a piece is computed again where its worker failed, or its file is damaged.
AGAIN = 3


@dataclass
class _Told:
    """What receipts and the scheduler have told."""

    compile_seconds: float = 0.0
    program_bytes: int = 0
    lost: list[str] = field(default_factory=list)
    cpus: set[str] = field(default_factory=lambda: {provenance.cpu()})


@contextlib.contextmanager
def opened(
    experiment: Experiment, plan: job.Plan, order: Order, begin: int, tell: Tell
) -> Iterator[Source]:
    """The blocks from a cell on, computed by the workers of a cluster.

    Raises:
        ConfigError: no scheduler answers.
    """
    with _client(experiment.engine, tell) as (client, threads):
        folder = order.write()
        for other in order.folder.iterdir():
            if other != folder and other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
        parts.remove(folder, begin)
        workers = max(1, len(client.nthreads()))
        layout = dataset.template(experiment)
        size = plan.block * blocks(experiment, layout, plan, order.wanted.count, workers)
        told = _Told()
        client.subscribe_topic("all", lambda event: _note(told, event[1]))
        run = _Run(client, folder, threads, tell)
        count = math.ceil((plan.cells - begin) / size)
        try:
            yield Source(
                _joined(run, _filed(run, order, begin, size), told),
                count,
                lambda: (told.compile_seconds, told.program_bytes),
                receipts=_received(run, _filed(run, order, begin, size, looked=True), told),
                safe=functools.lru_cache(1)(functools.partial(parts.remove, folder)),
            )
        finally:
            client.unsubscribe_topic("all")


def blocks(
    experiment: Experiment, layout: Template, plan: job.Plan, cells: int, workers: int
) -> int:
    """How many blocks one piece has.

    Args:
        cells: that are wanted, of all pieces together.
    """
    steps, size = plan.block * experiment.iterate.steps, plan.block * layout.cell_bytes
    count = -(-cells // plan.block)
    return max(1, min(WORK // steps, BYTES // size, count // (SHARES * workers)))


@dataclass(frozen=True, eq=False)
class _Run:
    """What tasks are given to.

    Attributes:
        threads: of a worker's process; 0 where it is as many as the worker says.
    """

    client: Any
    folder: Path
    threads: int
    tell: Tell

    def submit(self, first: int, last: int) -> Any:
        """Give a piece to the cluster, under a key that no other task has had."""
        given = str(self.folder), first, last, self.threads
        key = f"cobweb-{uuid.uuid4().hex}"
        return self.client.submit(worker.compute, *given, key=key, pure=False, retries=AGAIN)


Filed = tuple[int, int, Any]


def _filed(
    run: _Run, order: Order, begin: int, size: int, *, looked: bool = False
) -> Iterator[Filed]:
    """(first cell, one past the last, its task) of all pieces, in order, handed out ahead.

    Args:
        looked: whether workers look through what an earlier run has filed; else its task is None.
    """
    there = parts.there(run.folder)
    made = set() if looked else {first for first, _ in there}
    coming = order.wanted.pieces(begin, size, there)
    waiting: deque[Filed] = deque()
    most, asked = 0, -math.inf
    while True:
        if time.monotonic() - asked > ASK:  # workers come and go
            with _connected(run):
                most = AHEAD * max(1, len(run.client.nthreads()))
            asked = time.monotonic()
        while len(waiting) < most and (piece := next(coming, None)) is not None:
            first, last = piece
            waiting.append((first, last, None if first in made else run.submit(first, last)))
        if not waiting:
            return
        yield waiting.popleft()


def _joined(
    run: _Run, filed: Iterator[Filed], told: _Told
) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
    """The rows of the pieces, once they are filed; damaged ones are computed again."""
    for first, last, task in filed:
        for _ in range(AGAIN):
            if task is not None:
                _receive(run, first, last, task, told)
            try:
                rows = _shown(parts.path_of(run.folder, first, last), wait=task is not None)
                break
            except DamageError as error:
                run.tell(f"{error} It is computed again.")
                parts.path_of(run.folder, first, last).unlink(missing_ok=True)
                task = run.submit(first, last)
        else:
            raise CobwebError(f"{run.folder}: what workers file there comes back damaged.")
        yield first, last, rows


def _received(run: _Run, filed: Iterator[Filed], told: _Told) -> Iterator[Receipt]:
    """The receipts of the pieces."""
    for first, last, task in filed:
        yield _receive(run, first, last, task, told)


def _ended(run: _Run, first: int, last: int, task: Any) -> Any:
    """What a task has returned.

    Raises:
        CobwebError: it cannot be done, or its workers were lost time and again.
    """
    for _ in range(AGAIN):
        try:
            with _connected(run):
                return _awaited(run, task)
        except KilledWorker as error:
            count = error.allowed_failures + 1
            run.tell(f"{count} workers were lost at cells {first:,} to {last - 1:,}; once more")
            task = run.submit(first, last)
        except ModuleNotFoundError as error:
            reason = f"a worker has no module {error.name}; start workers from the same environment"
            raise CobwebError(f"engine = dask: {reason}.") from None
        except OSError as error:
            reason = f"a worker cannot file its blocks ({error})"
            raise CobwebError(f"engine = dask: {reason}.") from None
    where = f"at cells {first:,} to {last - 1:,}"
    reason = "lower device.memory, or give workers more memory"
    raise CobwebError(f"engine = dask: workers were lost time and again {where}; {reason}.")


def _awaited(run: _Run, task: Any) -> Any:
    """What a task has returned; that nobody is there to do it is told, once."""
    told = False
    while True:
        try:
            return task.result(timeout=ASK)
        except TimeoutError:
            if task.status == "error":  # a folder of the worker's has not answered
                raise
        if not told and not run.client.nthreads():
            run.tell("there are no workers; the run waits for some (to end it: Ctrl-C, twice)")
            told = True


def _receive(run: _Run, first: int, last: int, task: Any, told: _Told) -> Receipt:
    """Wait for a receipt.

    Raises:
        CobwebError: there will be none.
    """
    receipt = _ended(run, first, last, task)
    if isinstance(receipt, CobwebError):
        raise CobwebError(f"engine = dask: of a worker: {receipt}")
    assert isinstance(receipt, Receipt)
    if receipt.cpu not in told.cpus:
        run.tell(f"workers on {receipt.cpu}, where this is another processor: last bits may differ")
        told.cpus.add(receipt.cpu)
    told.compile_seconds = max(told.compile_seconds, receipt.compile_seconds)
    told.program_bytes = max(told.program_bytes, receipt.program_bytes)
    while told.lost:
        address = told.lost.pop()
        run.tell(f"a worker was lost ({address}); others compute what it had in hand")
    return receipt


@contextlib.contextmanager
def _connected(run: _Run) -> Iterator[None]:
    """What becomes of a run whose scheduler is gone."""
    try:
        yield
    except (FutureCancelledError, CommClosedError) as error:
        reason = (
            "the scheduler was lost; what is filed is kept, and the same command goes on from it"
        )
        raise CobwebError(f"engine = dask: {reason} ({run.folder}).") from error


def _shown(path: Path, *, wait: bool) -> dict[str, np.ndarray]:
    """The content of a part; network folders may show it late."""
    until = time.monotonic() + (SHOWN if wait else 0)
    while True:
        try:
            return parts.read(path)
        except FileNotFoundError:
            if not wait or time.monotonic() > until:
                reason = "the folder of the run must be one that all workers share"
                raise CobwebError(f"{path}: filed by a worker, and not here; {reason}.") from None
            time.sleep(0.2)
            os.listdir(path.parent)  # which makes NFS look again


def _note(told: _Told, message: Any) -> None:
    """One of the scheduler's events."""
    gone = isinstance(message, dict) and message.get("action") == "remove-worker"
    if gone and not message.get("expected"):
        told.lost.append(str(message.get("worker", "")))


@contextlib.contextmanager
def _client(engine: Engine, tell: Tell) -> Iterator[tuple[Any, int]]:
    """(a client of the cluster, threads of each worker: 0 where that is theirs to say)."""
    if engine.address is None:
        with _started(engine) as cluster, Client(cluster, set_as_default=False) as client:
            client.register_plugin(Patient())
            tell(f"engine dask: {_workers(client)} here; {_dashboard(client)}")
            yield client, engine.threads
        return
    secure = engine.address.startswith(("tls:", "wss:"))
    if secure and Security().get_connection_args("client")["ssl_context"] is None:
        reason = "Dask has no certificates for it; name them in its settings, distributed.comm.tls"
        raise ConfigError([f'engine.address = "{engine.address}": {reason}.'])
    try:
        client = Client(engine.address, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = f"no scheduler answers there ({type(error).__name__})"
        raise ConfigError([f'engine.address = "{engine.address}": {reason}.']) from None
    with client:
        tell(f"engine dask: {_workers(client)} at {engine.address}; {_dashboard(client)}")
        yield client, 0


def _workers(client: Any) -> str:
    """How many there are, in words."""
    count = len(client.nthreads())
    return f"{count or 'no'} worker{'s' * (count != 1)}{'' if count else ' yet'}"


def _dashboard(client: Any) -> str:
    """Where the work can be watched, in words."""
    if find_spec("bokeh") is None:
        return "no dashboard, since bokeh is not installed"
    return f"dashboard: {client.dashboard_link}"


@contextlib.contextmanager
def _started(engine: Engine) -> Iterator[Any]:
    """A cluster of processes on this machine, for this run alone."""
    count = engine.workers or max(1, (os.cpu_count() or 1) // engine.threads)
    with _startable(), contextlib.ExitStack() as stack:
        try:
            cluster = LocalCluster(
                n_workers=count,
                # One block at a time: its threads are XLA's.
                threads_per_worker=1,
                processes=True,
                # Its own port, so that several runs do not quarrel about Dask's usual one.
                dashboard_address="127.0.0.1:0",
                # Results are no part of what workers remember: nothing is to be spilt or stopped.
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )
        except RuntimeError as error:
            reason = 'a script guards its call by `if __name__ == "__main__":`'
            raise CobwebError(f"engine = dask: no worker could be started; {reason}.") from error
        yield stack.enter_context(cluster)


@contextlib.contextmanager
def _startable() -> Iterator[None]:
    """Processes as Dask starts them, in joblib's too, whose own way a new process does not know.

    What Dask's parts say to one another is no part of a run's log.
    """
    log, method = logging.getLogger("distributed"), multiprocessing.get_start_method(True)
    before, log.propagate = log.propagate, False
    if method == "loky":
        multiprocessing.set_start_method("spawn", force=True)
    try:
        yield
    finally:
        log.propagate = before
        if method == "loky":
            multiprocessing.set_start_method(method, force=True)


class Patient(WorkerPlugin):
    """Ctrl-C in a terminal reaches all its processes: the driver alone decides what is stopped."""

    def setup(self, worker: Worker) -> None:
        """In the main thread of the worker's process, the one that has signals."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
