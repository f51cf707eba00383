"""The shipped studies of solvers as dynamical systems, by numbers of the known results."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.status import CriticalKind

# A solver ends within its tolerance, and polishes what it found.
CONVERGED = 1e-8
# So far from a root the gradient is less than the tolerance, 1e-8 of the first one.
LOOSE = 1e-6
# Multipliers at values of h that are rounded, of which they are steep functions.
FLIP = 1e-6
# An orbit whose multiplier is 0.8 or less, 1000 steps on.
SETTLED = 1e-9
# Digits of the tables.
PRINTED = 5e-7
# Where a window opens its cycle moves with the root of what h is off, here 1e-12.
FOLD = 1e-4

MINIMA = (
    (-3.779310253, -3.283185991),
    (-2.805118087, 3.131312518),
    (3, 2),
    (3.584428340, -1.848126527),
)
MAXIMUM, HIGHEST = (-0.270844591, -0.923038556), 181.6165215
# The other roots of z^3 - 2 z + 2, whose sum is 0 and whose product is -2.
COMPLEX = tuple(1.7692923542386314 / 2 + sign * 0.5897428050222055j for sign in (1, -1))
PASSES = (13.31192627, 67.71915009, 104.0151629, 178.3372392)


def ended(solver: str, starts: int = 20) -> xr.Dataset:
    """The experiment solver_basins, with fewer starts."""
    small = (f"grid.x0.num={starts}", f"grid.y0.num={starts}", "figure=none")
    return pipeline.run("experiment=solver_basins", f"solver={solver}", *small)


def attractors(ds: xr.Dataset, kind: CriticalKind) -> np.ndarray:
    """[m, 2] those to which starts go that end in such a point."""
    basin = ds["basin"].values
    own = np.unique(basin[(ds["critical_kind"].values == kind) & (basin >= 0)])
    points = np.stack([ds["attractor_x"].values[own, 0], ds["attractor_y"].values[own, 0]], axis=1)
    return points[np.lexsort(points.T[::-1])]


def himmelblau(points: np.ndarray) -> np.ndarray:
    x, y = points.T
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def test_newton_finds_stationary_points_of_every_kind() -> None:
    """Rows 42, 43 and 44: four minima, one maximum, four saddles, and nothing else."""
    ds = ended("newton")
    assert (ds["basin"] >= 0).all()
    assert int((ds["attractor_kind"] > 0).sum()) == 9
    assert attractors(ds, CriticalKind.minimum) == pytest.approx(np.array(MINIMA), abs=CONVERGED)
    maximum = attractors(ds, CriticalKind.maximum)
    assert maximum == pytest.approx(np.array([MAXIMUM]), abs=CONVERGED)
    assert himmelblau(maximum) == pytest.approx([HIGHEST], abs=PRINTED)
    saddles = himmelblau(attractors(ds, CriticalKind.saddle))
    assert np.sort(saddles) == pytest.approx(PASSES, abs=PRINTED)


@pytest.mark.parametrize(
    ("solver", "tolerance"), [("gradient", CONVERGED), ("trust_region", LOOSE)]
)
def test_what_goes_down_finds_minima_alone(solver: str, tolerance: float) -> None:
    """Row 42."""
    ds = ended(solver)
    assert (ds["basin"] >= 0).all()
    assert (ds["critical_kind"] == CriticalKind.minimum).all()
    assert int((ds["attractor_kind"] > 0).sum()) == 4
    assert attractors(ds, CriticalKind.minimum) == pytest.approx(np.array(MINIMA), abs=tolerance)


def test_flips_of_descent_are_those_of_the_logistic_map() -> None:
    """Rows 1 and 4: at a = 1 + h the cycles of period 1, 2 and 4 have the multiplier -1."""
    flips = [2, math.sqrt(6), 2.54409035955192285]
    fold = math.sqrt(8) + 1e-12
    ds = pipeline.run(
        "experiment=step_size_bifurcation", "~analysis.orbit", "~analysis.lyapunov",
        "+analysis.cycles={max_period: 4, max_cycles: 8}", "figure=none", "iterate.transient=0",
        "~grid.h", f"+grid.h={{of: solver.step, values: {[*flips, fold]}}}",
    )  # fmt: skip
    periods, multipliers = ds["cycle_period"].values, ds["multiplier_re"].values[..., 0]
    for cell, period in enumerate((1, 2, 4)):
        own = multipliers[cell, periods[cell] == period]
        assert np.abs(own + 1).min() < FLIP
    assert multipliers[3, periods[3] == 3] == pytest.approx(1, abs=FOLD)
    three = ds["cycle_x"].values[3, periods[3] == 3][0, :3] * fold / (1 + fold)
    assert np.sort(three) == pytest.approx([0.159928818, 0.514355277, 0.956317842], abs=FOLD)


def test_what_is_shown_of_descent_is_its_attractor() -> None:
    """Rows 5, 6 and 26: the transient is dropped, and where a cell has converged it stays."""
    ds = pipeline.run("experiment=step_size_bifurcation", "grid.h.num=7", "figure=none")
    h = ds["h"].values
    assert h[[0, 2, 3, 6]] == pytest.approx([1.8, 2.2, 2.4, 3])
    x = ds["x"].values
    assert ds["iteration"].values[[0, -1]].tolist() == [1001, 2000]
    assert x[0] == pytest.approx(np.ones(1000), abs=CONVERGED)
    for cell in (2, 3):
        a = 1 + h[cell]
        pair = (a + 1 + np.array([-1, 1]) * math.sqrt((a - 3) * (a + 1))) / (2 * a)
        shown = np.sort(x[cell].reshape(-1, 2), axis=1) * h[cell] / a
        assert shown == pytest.approx(np.tile(pair, (500, 1)), abs=SETTLED)
    exponents = [math.log(0.8), math.log(0.16) / 2, math.log(0.76) / 2]
    assert ds["lyapunov"].values[[0, 2, 3], 0] == pytest.approx(exponents, abs=SETTLED)


@pytest.mark.parametrize(
    ("f", "solver", "roots", "periods"),
    [
        ("z**3 - 2*z + 2", "newton", (-1.7692923542386314, *COMPLEX), [1, 1, 1, 2]),
        ("z**4 - 1", "halley", (1, -1, 1j, -1j), [1, 1, 1, 1]),
    ],
)
def test_other_equations_and_solvers(
    f: str, solver: str, roots: tuple[complex, ...], periods: list[int]
) -> None:
    """Row 41: in the plane, too, some starts end in the cycle 0, 1."""
    ds = pipeline.run(
        "experiment=newton_fractal", f"map.definitions.f='{f}'", f"solver={solver}",
        "grid.z0_re.num=25", "grid.z0_im.num=25", "figure=none",
    )  # fmt: skip
    found = ds["attractor_z_re"].values + 1j * ds["attractor_z_im"].values
    assert ds["attractor_period"].values[ds["attractor_kind"] > 0].tolist() == periods
    for root in roots:
        assert np.abs(found[: len(roots), 0] - root).min() < CONVERGED
    if 2 in periods:
        assert found[3, :2] == pytest.approx([0, 1], abs=CONVERGED)
