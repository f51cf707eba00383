"""What does a cluster cost, what does a killed worker lose, and what would 10^12 cells take?"""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

import measure

from pipeline import dataset, execution, preparation
from pipeline.engine import cluster

LOGISTIC = ("experiment=orbit", "map=logistic", "analysis=[lyapunov]")
# What is planned: one number, its error and a status for each cell, after so many steps.
CELLS, STEPS = 10**12, 1000
# Cores of the cluster that it is planned for.
CORES = 1024
# Failures of a node in a year, and cores of a node: assumed, since nothing here can measure them.
FAILURES, NODE = 2, 64
YEAR = 365.25 * 86400


def overrides(cells: int, steps: int, memory: str) -> list[str]:
    """Exponents along one parameter, in blocks as small as the memory makes them."""
    length = [f"iterate.transient={steps // 10}", f"iterate.length={steps - steps // 10}"]
    return [*LOGISTIC, *length, measure.axis("a", 3.4, 4.0, cells), f"device.memory={memory}"]


@contextmanager
def started(workers: int, threads: int) -> Iterator[tuple[list[str], Any]]:
    """A cluster that goes on from run to run: the overrides that join it, and itself."""
    from pipeline.experiment import Engine

    with cluster._started(Engine("dask", None, workers, threads)) as found:
        yield ["engine=dask", f"engine.address={found.scheduler_address}"], found


def filed(words: list[str], watch: execution.Watch = lambda blocks, count: blocks) -> int:
    """Run into a folder that is gone afterwards; how many pieces came."""
    pieces = 0

    def counted(blocks: Iterable[Any], count: int) -> Iterator[Any]:
        nonlocal pieces
        for block in watch(blocks, count):
            pieces += 1
            yield block

    with tempfile.TemporaryDirectory() as folder:
        report = execution.file(measure.read(*words), Path(folder) / "run", watch=counted)
        assert report is not None
        assert sum(report.counts["status"].values()) == report.plan.cells
    return pieces


def killing(found: Any) -> execution.Watch:
    """Kill a worker when half of the pieces have come."""

    def watch(blocks: Iterable[Any], count: int) -> Iterator[Any]:
        for number, block in enumerate(blocks):
            yield block
            if number == count // 2:
                pid = next(n.pid for n in found.workers.values() if n.pid)
                os.kill(pid, signal.SIGKILL)

    return watch


def main(small: bool) -> measure.Study:
    cells, repeats = (2**13, 1) if small else (2**21, 3)
    long = overrides(cells, STEPS, "64MiB")
    short = overrides(2**13 if small else 2**20, 100, "1MiB")
    rows, tables = [], []
    begun = perf_counter()
    with started(2, 1) as (joined, found):
        start = perf_counter() - begun
        contenders: dict[str, Callable[[], Any]] = {
            "2 workers of 1 thread": lambda: filed([*long, *joined]),
            "engine=local, 2 threads": lambda: filed(long),
            "2 workers, one killed half way": lambda: filed([*long, *joined], killing(found)),
        }
        for contender in contenders.values():
            contender()  # compiles
        case = f"{cells:,} cells x {STEPS:,} steps, exponents"
        rows += measure.race(case, contenders, repeats=repeats)
    with started(1, 2) as (joined, _), patch.object(cluster, "WORK", 1):  # a block a piece
        pieces = filed([*short, *joined])
        filed(short)
        contenders = {
            "1 worker of 2 threads": lambda: filed([*short, *joined]),
            "engine=local, 2 threads": lambda: filed(short),
        }
        case = f"{pieces:,} pieces of little work"
        rows += measure.race(case, contenders, repeats=repeats)
        cpu = process_time()
        kept = filed([*short, *joined, "engine.join=false"])
        cpu = process_time() - cpu
    costs = [o - p for o, p in zip(rows[-1].ours_seconds, rows[-1].peer_seconds, strict=True)]
    spent = cpu / kept
    killed = [p - o for o, p in zip(rows[1].ours_seconds, rows[1].peer_seconds, strict=True)]
    overhead = statistics.median(costs) / pieces
    figures = [
        ["starting a cluster of two processes", measure.time(start)],
        ["a piece, beside computing it, of one worker", measure.time(max(overhead, 0))],
        ["a kept piece, of driver and scheduler together (processor)", measure.time(spent)],
        ["a worker of two that is killed half way", f"{statistics.median(killed):.2f} s"],
    ]
    tables.append(measure.Table("What it costs", ["what", "time"], figures))
    tables.append(planned(long, rows[0], cells, spent))
    return measure.Study("A cluster: what does it cost, and what does a kill lose?", rows, tables)


def planned(words: list[str], measured: measure.Row, cells: int, spent: float) -> measure.Table:
    """What 10^12 cells would take, from what was measured here.

    Args:
        measured: the time of so many cells on two workers, filing and joining included.
        spent: seconds of driver and scheduler on a kept piece.
    """
    experiment = measure.read(*words)
    layout, plan = dataset.template(experiment), preparation.prepare(experiment)[1]
    rate = cells / statistics.median(measured.ours_seconds) / 2
    own = plan.block * cluster.blocks(experiment, layout, plan, CELLS, CORES)
    pieces = CELLS / own
    seconds = CELLS / rate / CORES
    lost = FAILURES * (CORES / NODE) * seconds / YEAR
    piece = own / rate
    rows = [
        ["cells of one core in a second, measured here on 2", f"{rate:.3g}"],
        [f"time on {CORES:,} such cores", f"{seconds / 3600:.1f} h"],
        ["bytes of a cell", f"{layout.cell_bytes}"],
        ["bytes of the result", f"{CELLS * layout.cell_bytes / 1e12:.1f} TB"],
        ["bytes to the disk in a second", f"{CELLS * layout.cell_bytes / seconds / 1e9:.2f} GB"],
        ["blocks", f"{CELLS / plan.block:,.0f} of {plan.block:,} cells"],
        ["tasks, and files of blocks", f"{pieces:,.0f}"],
        ["tasks of the scheduler in a second", f"{pieces / seconds:,.0f}"],
        ["driver and scheduler, beside it", f"{pieces * spent / 3600:.1f} h"],
        [f"nodes lost, at {FAILURES} a year and node of {NODE} cores", f"{lost:.2g}"],
        ["a piece takes", measure.time(piece)],
        ["work lost with a node, half a piece of each core", measure.time(NODE * piece / 2)],
    ]
    title = f"{CELLS:.0e} cells x {STEPS:,} steps of this map, planned from these figures"
    return measure.Table(title, ["what", "how much"], rows)


if __name__ == "__main__":
    measure.main(main)
