"""How fast is a basin of attraction? The Hénon map from a square of starts."""

from __future__ import annotations

from collections.abc import Callable

import measure
import numpy as np

import pipeline

A, B, BOX, RADIUS = 1.4, 0.3, 2.0, 1e6
PEER = "pynamicalsys, a call for each start"
TARGETS = {PEER: 20}
# Rounding decides at a few starts on the boundary, which is a fractal.
APART = 1e-3


def peer() -> Callable[[int, int], np.ndarray]:
    """(side, steps) -> [side, side] whether a start stays; attractors are not told apart."""
    from pynamicalsys import DiscreteDynamicalSystem

    system = DiscreteDynamicalSystem(model="henon map")
    region = [[-RADIUS, RADIUS], [-RADIUS, RADIUS]]

    def stays(side: int, steps: int) -> np.ndarray:
        starts = np.linspace(-BOX, BOX, side)
        settings = {"parameters": [A, B], "escape": "exiting"}
        found = [
            system.escape_analysis([x, y], steps, region, **settings)[1] >= steps
            for x in starts
            for y in starts
        ]
        return np.reshape(found, (side, side))

    return stays


def overrides(side: int, steps: int, analysis: str) -> list[str]:
    return [
        *("experiment=orbit", "map=henon", f"analysis={analysis}", "figure=none"),
        *("iterate.transient=0", f"iterate.length={steps}"),
        *(measure.axis(name, -BOX, BOX, side) for name in ("x0", "y0")),
    ]


def main(small: bool) -> measure.Study:
    side, steps, repeats = (20, 100, 2) if small else (400, 1000, 5)
    document = overrides(side, steps, "basin")
    basin = pipeline.run(*document).basin.values
    loop = measure.prepare(*overrides(side, steps, "final"))
    case, rows = f"{side} x {side} starts x {steps} steps", []
    if measure.has("pynamicalsys"):
        stays = peer()
        measure.close(PEER, np.mean(stays(side, steps) != (basin >= 0)), 0, APART)
        theirs = {PEER: lambda: stays(side, steps)}
        ours = {"compiled program": loop.compute, **theirs}
        rows = measure.race(f"{case}: who stays", ours, repeats=repeats, targets=TARGETS)
        ours = {"pipeline.run": lambda: pipeline.run(*document), **theirs}
        rows += measure.race(f"{case}: attractors and shares too", ours, repeats=repeats)
    return measure.Study("Basin of the Hénon attractor", rows)


if __name__ == "__main__":
    measure.main(main)
