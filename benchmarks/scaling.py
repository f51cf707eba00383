"""What does a step of a cell cost, from a hundred cells to a hundred million?"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import replace

import measure

from pipeline import job

STEPS = 1000
DEVICES = (1, 2, 4)
FLAG = "--xla_force_host_platform_device_count"
# This script in a process that has so many devices.
CHILD = """
import json, sys
import measure
import scaling
repeats = int(sys.argv[3])
ours = scaling.prepared(int(sys.argv[1]), int(sys.argv[2]))
ours.exhaust()
print(json.dumps([measure.timed(ours.exhaust) for _ in range(repeats)]))
"""


def prepared(cells: int, steps: int) -> measure.Prepared:
    """Final states of the logistic map over a square grid of parameters and starts."""
    rows = 10 ** ((len(str(cells)) - 1) // 2)
    return measure.prepare(
        *("experiment=orbit", "map=logistic", "analysis=[final]", "iterate.transient=0"),
        f"iterate.length={steps}",
        measure.axis("a", 3.4, 4.0, rows),
        measure.axis("x0", 0.1, 0.9, cells // rows),
    )


def cost(seconds: list[float], cells: int, steps: int) -> str:
    """Nanoseconds for a step of a cell."""
    return measure.span([1e9 * s / (cells * steps) for s in seconds], lambda v: f"{v:.3g}")


def by_cells(most: int, steps: int, repeats: int) -> measure.Table:
    """From 100 cells on."""
    rows = []
    for power in range(2, most + 1):
        cells = 10**power
        ours = prepared(cells, steps)
        seconds = [measure.timed(ours.exhaust) for _ in range(repeats if power < 8 else 1)]
        plan = f"{ours.plan.blocks} x {ours.plan.block}"
        median = measure.time(statistics.median(seconds))
        rows.append([f"1e{power}", plan, median, cost(seconds, cells, steps)])
    head = ["cells", "blocks", "time", "ns for a step of a cell"]
    return measure.Table(f"Cost by number of cells, {steps} steps", head, rows)


def by_block(cells: int, steps: int, repeats: int) -> measure.Table:
    """The same cells in blocks of other sizes."""
    ours, calls = prepared(cells, steps), {}
    for power in range(9, 21):
        block = 2**power
        if block <= cells:
            plan = replace(ours.plan, block=block)
            call, _ = job.compiled(ours.experiment, plan)
            other = replace(ours, plan=plan, call=call)
            other.exhaust()
            calls[str(block)] = other.exhaust
    seconds = measure.rounds(calls, repeats)
    rows = [[block, cost(times, cells, steps)] for block, times in seconds.items()]
    head = ["cells in a block", "ns for a step of a cell"]
    return measure.Table(
        f"Cost by size of the block, {cells} cells; chosen: {ours.plan.block}", head, rows
    )


def by_devices(cells: int, steps: int, repeats: int) -> list[measure.Row]:
    """In processes that see the processor as several devices."""
    found: dict[int, list[float]] = {count: [] for count in DEVICES}
    for _ in range(repeats):
        for count, seconds in found.items():
            last = measure.child(
                *(CHILD, str(cells), str(steps), "3"),
                XLA_FLAGS=f"{FLAG}={count}",
                PYTHONPATH=":".join(sys.path),
            )
            seconds.append(statistics.median(json.loads(last)))
    one = found.pop(1)
    case = f"{cells} cells x {steps} steps"
    return [measure.Row(case, f"{n} host devices", "1 device", s, one) for n, s in found.items()]


def main(small: bool) -> measure.Study:
    steps, repeats = (70, 1) if small else (STEPS, 5)
    rows = by_devices(10**3 if small else 10**6, steps, repeats)
    tables = [
        by_cells(3 if small else 8, steps, repeats),
        by_block(2**10 if small else 10**6, steps, repeats),
    ]
    return measure.Study("Scaling: cells, blocks and devices", rows, tables)


if __name__ == "__main__":
    measure.main(main)
