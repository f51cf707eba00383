"""How fast are periods over a plane of parameters? The Hénon map, after 10 000 steps."""

from __future__ import annotations

from collections.abc import Callable

import measure
import numpy as np

A, B, START = (0.0, 1.2), (0.0, 0.3), 0.1
LONGEST, TOLERANCE = 32, 1e-8
PEER = "pynamicalsys"
# A peer that asks for recurrences alone is wrong here and there beside a bifurcation.
AGREED = 0.95


def peer() -> Callable[[int, int, int], np.ndarray]:
    """(side, transient, length) -> [side, side] by a loop over calls; -1 where there is none."""
    from pynamicalsys import DiscreteDynamicalSystem

    system = DiscreteDynamicalSystem(model="henon map")

    def periods(side: int, transient: int, length: int) -> np.ndarray:
        settings = {"max_time": transient + length, "transient_time": transient}
        settings |= {"max_period": LONGEST, "tolerance": TOLERANCE}
        a, b = np.linspace(*A, side), np.linspace(*B, side)
        found = [system.period([START] * 2, parameters=[p, q], **settings) for p in a for q in b]
        return np.reshape(found, (side, side))

    return periods


def overrides(side: int, transient: int, length: int) -> list[str]:
    return [
        *("experiment=orbit", "map=henon", "analysis=[period]"),
        *(f"analysis.period.max_period={LONGEST}", f"analysis.period.tolerance={TOLERANCE}"),
        *(f"iterate.transient={transient}", f"iterate.length={length}"),
        *(measure.axis("a", *A, side), measure.axis("b", *B, side)),
    ]


def main(small: bool) -> measure.Study:
    side, whole, transient, length = (5, 6, 500, 64) if small else (100, 500, 10_000, 1000)
    ours = measure.prepare(*overrides(side, transient, length))
    rows, tables = [], []
    if measure.has(PEER):
        periods = peer()
        found, theirs = ours.compute()["period"], periods(side, transient, length)
        agreed = np.mean(np.where(theirs < 0, 0, theirs) == found)
        if agreed < AGREED:
            raise SystemExit(f"{PEER}: agrees with Cobweb in {agreed:.1%} of the pairs")
        tables.append(measure.Table("Pairs with the same period", ["part"], [[f"{agreed:.2%}"]]))
        rows = measure.race(
            f"{side} x {side} pairs x ({transient} + {length}) steps",
            {"compiled program": ours.compute, PEER: lambda: periods(side, transient, length)},
            repeats=2 if small else 5,
        )
    plane = measure.prepare(*overrides(whole, transient, length))
    plane.compute()
    shown = [f"{whole} x {whole}", str(plane.plan.blocks), measure.time(plane.compile_seconds)]
    shown.append(measure.time(measure.timed(plane.compute)))
    head = ["pairs", "calls of one program", "compile time", "time"]
    tables.append(measure.Table("The whole plane", head, [shown]))
    return measure.Study("Periods of the Hénon map over two parameters", rows, tables)


if __name__ == "__main__":
    measure.main(main)
