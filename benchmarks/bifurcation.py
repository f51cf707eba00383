"""How soon is a bifurcation diagram there? The logistic map, in a warm process and a fresh one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import numpy as np

import pipeline

LOW, HIGH, START = 3.4, 4.0, 0.5
PEER = "pynamicalsys"
WARM, COLD = {PEER: 10}, {PEER: 3}
# A few steps agree point by point, the whole diagram by its mean, to five standard errors.
SHORT, ROUNDING, SAMPLING = 8, 1e-10, 5

OURS = """
import sys
import pipeline
pipeline.run(*sys.argv[1:])
"""
COMMAND = """
import sys
from pipeline.__main__ import main
sys.exit(main(["run", *sys.argv[1:]]))
"""
THEIRS = """
import sys
from pynamicalsys import DiscreteDynamicalSystem
low, high, start, num, transient, length = map(float, sys.argv[1:])
DiscreteDynamicalSystem(model="logistic map").bifurcation_diagram(
    u=[start], param_index=0, param_range=(low, high, int(num)),
    total_time=int(transient + length), transient_time=int(transient),
)
"""


def overrides(num: int, transient: int, length: int) -> list[str]:
    return [
        *("experiment=orbit", "map=logistic", f"map.initial.x={START}", "figure=none"),
        *(f"iterate.transient={transient}", f"iterate.length={length}"),
        measure.axis("a", LOW, HIGH, num),
    ]


def peer() -> Callable[[int, int, int], np.ndarray]:
    """(values of a, transient, length) -> [values, length] by pynamicalsys."""
    from pynamicalsys import DiscreteDynamicalSystem

    system = DiscreteDynamicalSystem(model="logistic map")

    def diagram(num: int, transient: int, length: int) -> np.ndarray:
        return system.bifurcation_diagram(
            u=[START],
            param_index=0,
            param_range=(LOW, HIGH, num),
            total_time=transient + length,
            transient_time=transient,
        )[1]

    return diagram


def cold(code: str, *arguments: str, **environment: str) -> Callable[[], Any]:
    """A fresh process from its start to its end."""
    return lambda: measure.child(code, *arguments, **environment)


def main(small: bool) -> measure.Study:
    num, transient, length, repeats = (20, 10, 20, 2) if small else (1000, 500, 200, 25)
    document, case = overrides(num, transient, length), f"{num} x ({transient} + {length}) steps"
    ours = measure.prepare(*document)
    compiling = [["Cobweb", measure.time(ours.compile_seconds)]]
    warm, fresh = {}, {}
    if measure.has(PEER):
        diagram = peer()
        warm[PEER] = lambda: diagram(num, transient, length)
        numbers = map(str, (LOW, HIGH, START, num, transient, length))
        fresh[PEER] = cold(THEIRS, *numbers)
        compiling.append(["pynamicalsys, its first call", measure.time(measure.timed(warm[PEER]))])
        check(diagram, ours, num, transient, length)
    rows = measure.race(
        f"{case}, warm", {"compiled program": ours.compute, **warm}, repeats=repeats, targets=WARM
    )
    whole = {"pipeline.run": lambda: pipeline.run(*document)}
    rows += measure.race(f"{case}, warm", {**whole, **warm}, repeats=min(9, repeats))
    repeats = min(5, repeats)
    alone = {"fresh process, pipeline.run": cold(OURS, *document)}
    rows += measure.race(f"{case}, cold", {**alone, **fresh}, repeats=repeats, targets=COLD)
    with tempfile.TemporaryDirectory() as name:
        # A cache of its own, which the first run fills.
        folder = Path(name) / "run"
        command = cold(COMMAND, *document, f"hydra.run.dir={folder}", XDG_CACHE_HOME=name)
        command()

        def empty() -> None:
            shutil.rmtree(folder, ignore_errors=True)

        processes = {"fresh process, cobweb run, programs in the cache": command, **fresh}
        rows += measure.race(f"{case}, cold", processes, repeats=repeats, before=empty)
    table = measure.Table("Compile time", ["who", "time"], compiling)
    return measure.Study("Bifurcation diagram: how soon is it there?", rows, [table])


def check(
    diagram: Callable[[int, int, int], np.ndarray],
    ours: measure.Prepared,
    num: int,
    transient: int,
    length: int,
) -> None:
    """A few steps point by point, the whole diagram by its mean."""
    early = measure.prepare(*overrides(num, 0, SHORT)).compute()["x"]
    # Its rows begin with x_1.
    measure.close(PEER, diagram(num, 0, SHORT), early[:, 1:], ROUNDING)
    found, theirs = ours.compute()["x"], diagram(num, transient, length)
    error = SAMPLING * found.std() / np.sqrt(num)
    measure.close(PEER, theirs.mean(), found.mean(), error)


if __name__ == "__main__":
    measure.main(main)
