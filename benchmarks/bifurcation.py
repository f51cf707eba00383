"""How soon is a bifurcation diagram there? The logistic map, in a warm process and a fresh one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import measure
import numpy as np

import pipeline

LOW, HIGH, START = 3.4, 4.0, 0.5
WARM, COLD = 10, 3
# Orbits of a few steps agree point by point; the whole diagram by its mean, to five standard errors.
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


def cold(code: str, *arguments: str) -> Callable[[], Any]:
    """A fresh process from its start to its end."""
    return lambda: measure.child(code, *arguments)


def main(small: bool) -> measure.Study:
    num, transient, length, repeats = (20, 10, 20, 1) if small else (1000, 500, 200, 25)
    study = measure.Study("Bifurcation diagram: how soon is it there?")
    whole = overrides(num, transient, length)
    ours = measure.prepare(*whole)
    case = f"{num} values x ({transient} + {length}) steps"
    warm: dict[str, Callable[[], Any]] = {"pynamicalsys": lambda: None}
    fresh = {"pynamicalsys": cold(THEIRS, *map(str, (LOW, HIGH, START, num, transient, length)))}
    if not measure.has("pynamicalsys"):
        warm, fresh = {}, {}
    else:
        diagram = peer()
        warm["pynamicalsys"] = lambda: diagram(num, transient, length)
        begun = perf_counter()
        theirs = warm["pynamicalsys"]()
        compile_seconds = perf_counter() - begun
        found = ours.compute()["x"]
        error = SAMPLING * found.std() / np.sqrt(num)
        measure.close("pynamicalsys", theirs.mean(), found.mean(), error)
        early = measure.prepare(*overrides(num, 0, SHORT)).compute()["x"][:, 1:]
        # Its rows begin with the state before the first step that is kept.
        measure.close("pynamicalsys", diagram(num, 0, SHORT), early, ROUNDING)
        rows = [[measure.time(ours.compile_seconds), measure.time(compile_seconds)]]
        study.tables.append(
            measure.Table("Compile time", ["Cobweb", "pynamicalsys, the first call"], rows)
        )
    programs = {
        "compiled program": ours.compute,
        "pipeline.run": lambda: pipeline.run(*whole),
    }
    for name, f in programs.items():
        target = {"pynamicalsys": WARM} if f is ours.compute else {}
        study.rows += measure.race(
            f"{case}, warm", {name: f, **warm}, repeats=repeats, targets=target
        )
    processes = {"fresh process, pipeline.run": cold(OURS, *whole)}
    return study


if __name__ == "__main__":
    measure.main(main)
