"""How fast are branches and their bifurcations? The Hénon map's, a batch against one by one."""

from __future__ import annotations

from collections.abc import Callable

import measure
import numpy as np

from pipeline import config, job
from pipeline.experiment import Experiment

LOW, HIGH, B = -0.2, 1.0, (0.1, 0.4)
# Points of a loop of NumPy: the step along the branch, and Newton's tolerance.
STEP, CLOSE = 0.02, 1e-10
ALONE, NUMPY = "the same, cell after cell", "loop over NumPy, fixed points alone"
TARGETS = {ALONE: 5}
ROUNDING = 1e-10


def experiment(b: np.ndarray) -> Experiment:
    along = f"{{parameter: a, low: {LOW}, high: {HIGH}, max_period: 4, max_branches: 12}}"
    document = [
        *("experiment=orbit", "map=henon", "analysis=bifurcations", "figure=none"),
        *(f"analysis.continuation={along}", "iterate.length=1"),
        f"grid={{b: {{values: {b.tolist()}}}}}",
    ]
    return config.read(config.compose(document))


def searched(b: np.ndarray) -> dict[str, np.ndarray]:
    """{variable: [b, ...]} of all cells in one batch."""
    return job.searched(experiment(b), lambda name, index: np.zeros(0))


def flips(found: dict[str, np.ndarray]) -> np.ndarray:
    """[b] The flip of the fixed point, by its parameter."""
    own = (found["bifurcation_type"] == 1) & (found["bifurcation_period"] == 1)
    return np.nanmin(np.where(own, found["bifurcation_parameter"], np.inf), axis=1)


def plain() -> Callable[[np.ndarray], list[np.ndarray]]:
    """b [c] -> of each the points (x, a) of its fixed points, from the right end to the fold."""

    def gap(z: np.ndarray, b: float) -> tuple[float, np.ndarray]:
        x, a = z
        return 1 - a * x**2 + b * x - x, np.array([-2 * a * x + b - 1, -(x**2)])

    def branch(b: float) -> np.ndarray:
        z = np.array([np.roots([HIGH, 1 - b, -1]).max(), HIGH])
        tangent, points = np.array([0.0, -1.0]), []
        while len(points) < 1000:
            slope = gap(z, b)[1]
            tangent = np.linalg.solve(np.stack([slope, tangent]), [0, 1])
            tangent /= np.linalg.norm(tangent)
            if tangent[1] > 0:
                break
            new = z + STEP * tangent
            for _ in range(8):
                value, slope = gap(new, b)
                shift = np.linalg.solve(
                    np.stack([slope, tangent]), [-value, STEP - tangent @ (new - z)]
                )
                new = new + shift
                if np.abs(shift).max() < CLOSE:
                    break
            z = new
            points.append(z)
        return np.array(points)

    return lambda b: [branch(value) for value in b]


def main(small: bool) -> measure.Study:
    count, repeats = (3, 1) if small else (64, 5)
    b = np.linspace(*B, count)

    def alone() -> list[dict[str, np.ndarray]]:
        return [searched(b[[k]]) for k in range(count)]

    once = searched(b)
    measure.close("row 17", flips(once), 3 * (1 - b) ** 2 / 4, ROUNDING)
    own = np.concatenate([flips(found) for found in alone()])
    measure.close(ALONE, own, flips(once), ROUNDING)
    follow = plain()
    rows = measure.race(
        f"{count} values of b, {int(once['branch_count'].sum())} branches, "
        f"{int(once['bifurcation_count'].sum())} bifurcations",
        {
            "one batch": lambda: searched(b),
            ALONE: alone,
            NUMPY: lambda: follow(b),
        },
        repeats=repeats,
        targets=TARGETS,
    )
    return measure.Study("Branches and bifurcations of the Hénon map", rows)


if __name__ == "__main__":
    measure.main(main)
