"""Newton's method with the dense Jacobian. Rows are those of the known results."""

from __future__ import annotations

from fractions import Fraction
from math import cos, sin, sqrt

import numpy as np
import pytest

from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import run

# Exact identities.
ROUNDING = 1e-12
# Values given to nine digits or more.
PRINTED = 1e-8
# Newton at its end: the square of a step below 1e-5.
CONVERGED = 1e-9


# To the end, not to a fraction of the first residual.
EXACT = {"name": "newton", "relative_tolerance": 0}


def equation(text: str, start: float = 1) -> dict[str, object]:
    """The map whose residual g(x) - x is the left side of an equation."""
    return {"equations": {"x": f"x + ({text})"}, "initial": {"x": start}}


def test_one_step_solves_the_seed_quadratic() -> None:
    """Rows 30 and 31."""
    ds = run(
        objective="seed_quadratic",
        solver={"name": "newton"},
        analysis={"orbit": {}, "history": {}},
        length=5,
    )
    assert ds["objective_value"].values[:2] == pytest.approx([-452, 2], abs=ROUNDING)
    assert ds["residual_norm"].values[0] == pytest.approx(sqrt(46**2 + 110**2), rel=ROUNDING)
    assert ds["step_norm"].values[1] == pytest.approx(sqrt(58), rel=ROUNDING)
    assert ds["x"].values[1] == pytest.approx([3, 7], abs=ROUNDING)
    assert int(ds["steps"]) == 1
    assert int(ds["critical_kind"]) == CriticalKind.maximum


def test_both_linear_solvers_agree() -> None:
    """Where the Jacobian is well conditioned, to rounding; from starts all over the plane."""
    grid = {"x0": {"start": -4, "stop": 4, "num": 9}, "y0": {"start": -4, "stop": 4, "num": 9}}
    lu, inverse = (
        run(
            objective="himmelblau",
            solver={"name": "newton", "linear_solver": how},
            grid=grid,
            length=100,
            analysis={"orbit": {}},
        )
        for how in ("lu", "inverse")
    )
    assert abs(lu["x"] - inverse["x"]).isel(iteration=1).max() < 1e-10
    near = abs(lu["x_final"] - inverse["x_final"]) + abs(lu["y_final"] - inverse["y_final"])
    # Some starts lie on the boundary between basins, where rounding decides.
    assert float((near < CONVERGED).mean()) > 0.9
    assert (lu["status"] == Status.converged).mean() > 0.9


@pytest.mark.parametrize("linear_solver", ["cholesky", "eigh"])
def test_symmetric_linear_solvers(linear_solver: str) -> None:
    """Rows 12 and 31: the same steps, of an objective in its own sense, of a map by J^T J."""
    how = {"name": "newton", "linear_solver": linear_solver}
    seed = run(objective="seed_quadratic", solver=how, analysis={"orbit": {}}, length=5)
    assert seed["x"].values[1] == pytest.approx([3, 7], abs=ROUNDING)
    assert int(seed["critical_kind"]) == CriticalKind.maximum
    henon, known = (
        run(map="henon", solver=solver, analysis={"orbit": {}}, length=20)
        for solver in (how, {"name": "newton"})
    )
    assert henon["x"].values == pytest.approx(known["x"].values, abs=CONVERGED)
    assert float(henon["x_final"]) == pytest.approx(0.631354477089505, abs=CONVERGED)


def test_what_is_not_definite() -> None:
    """Near Himmelblau's saddle and maximum: `lu` goes there, `cholesky` has no factors.

    `eigh` descends: with moduli of the eigenvalues, saddles and maxima repel.
    """
    grid = {"start": {"of": ["x0", "y0"], "values": [[3.3, 0.1], [-0.3, -0.9], [3.1, 2.1]]}}
    kinds = {"lu": [3, 2, 1], "cholesky": [0, 0, 1], "eigh": [1, 1, 1]}
    for how, known in kinds.items():
        solver = {"name": "newton", "linear_solver": how}
        ds = run(objective="himmelblau", solver=solver, grid=grid, length=100)
        assert ds["critical_kind"].values.tolist() == known
        ends = [Status.converged if kind else Status.escaped for kind in known]
        assert ds["status"].values.tolist() == ends


def test_the_spectrum_is_clipped() -> None:
    """x^2 + 1e-20 y^2: the second eigenvalue counts as 1e-8 of the first, 2."""
    f = {"expression": "x**2 + 1e-20*y**2 + 1e-6*y", "initial": {"x": 1, "y": 0}}
    solver = {"name": "newton", "linear_solver": "eigh"}
    ds = run(objective=f, solver=solver, analysis={"orbit": {}}, length=1)
    assert float(ds["x"][1]) == pytest.approx(0, abs=ROUNDING)
    assert float(ds["y"][1]) == pytest.approx(-1e-6 / 2e-8, rel=1e-9)


def test_all_stationary_points_of_himmelblau() -> None:
    """Rows 42, 43 and 44: nine points, their kinds and their values."""
    minima = [
        (3, 2),
        (3.584428340, -1.848126527),
        (-3.779310253, -3.283185991),
        (-2.805118087, 3.131312518),
    ]
    maximum = (-0.270844591, -0.923038556)
    side = {"start": -5, "stop": 5, "num": 21}
    ds = run(objective="himmelblau", solver=EXACT, grid={"x0": side, "y0": side}, length=200)
    done = (ds["status"] == Status.converged).values
    assert done.all()
    points = np.stack([ds["x_final"].values[done], ds["y_final"].values[done]], axis=1)
    kinds, values = ds["critical_kind"].values[done], ds["objective_final"].values[done]

    def distinct(kind: int) -> list[tuple[float, ...]]:
        return sorted({tuple(p) for p in points[kinds == kind].round(7)})

    found = distinct(CriticalKind.minimum)
    assert np.array(found) == pytest.approx(np.array(sorted(minima)), abs=1e-6)
    assert values[kinds == CriticalKind.minimum] == pytest.approx(0, abs=CONVERGED)
    assert np.array(distinct(CriticalKind.maximum)) == pytest.approx(np.array([maximum]), abs=1e-6)
    assert values[kinds == CriticalKind.maximum] == pytest.approx(181.6165215, abs=1e-7)
    saddles = sorted(set(values[kinds == CriticalKind.saddle].round(6)))
    known = [13.31192627, 67.71915009, 104.0151629, 178.3372392]
    assert saddles == pytest.approx(known, abs=1e-6)
    assert not (kinds == CriticalKind.degenerate).any()


def test_newtons_values_on_rosenbrock() -> None:
    """Row 45, and the kind of the point (1, 1)."""
    ds = run(objective="rosenbrock", solver="newton", analysis={"history": {}}, length=20)
    values = ds["objective_value"].values
    assert values[0] == pytest.approx(24.2, abs=ROUNDING)
    assert values[1:5] == pytest.approx([4.731884, 1411.845, 0.0559655, 0.3131891], rel=1e-6)
    assert values[5] == pytest.approx(1.85e-11, rel=2e-3)
    assert [float(ds["x_final"]), float(ds["y_final"])] == pytest.approx([1, 1], abs=CONVERGED)
    assert int(ds["critical_kind"]) == CriticalKind.minimum
    # The path to row 45's last value is one of the rows that a history has, and none after.
    steps = int(ds["steps"])
    assert np.isfinite(values[: steps + 1]).all()
    assert np.isnan(values[steps + 1 :]).all()


def test_a_chain_of_any_size() -> None:
    """A vector component: the extended Rosenbrock function of ten, from near ones."""
    ds = run(
        objective={
            "expression": "sum((a - x[:-1])**2 + b*(x[1:] - x[:-1]**2)**2)",
            "parameters": {"a": 1, "b": 100},
            "initial": {"x": [1.1] * 10},
        },
        solver="newton",
        length=50,
    )
    assert ds["x_final"].dims == ("x_dim",)
    assert ds["x_final"].values == pytest.approx(np.ones(10), abs=CONVERGED)
    assert int(ds["critical_kind"]) == CriticalKind.minimum


def test_newton_on_the_seed_maps_fixed_points() -> None:
    """Row 11: (x' - 3)/(x' - 7) = ((x - 3)/(x - 7))^2, and the basins part at x = 5."""
    starts = [-20, 0, 4, 4.99, 5.01, 6, 30]
    ds = run(
        map="quadratic",
        solver=EXACT,
        grid={"x0": starts},
        analysis={"orbit": {}, "history": {}},
        length=60,
    )
    x = ds["x"].values
    ratio = (x - 3) / np.where(x == 7, np.nan, x - 7)
    # On its way to 7 the ratio grows without bound, and so does its rounding.
    early = (np.abs(ratio[:, :-1]) < 10) & (np.abs(ratio[:, :-1]) > 1e-3)
    assert early.sum() > 20
    assert ratio[:, 1:][early] == pytest.approx(ratio[:, :-1][early] ** 2, rel=1e-9)
    assert ds["x_final"].values == pytest.approx([3] * 4 + [7] * 3, abs=CONVERGED)
    kinds = [FixedPointKind.attracting] * 4 + [FixedPointKind.repelling] * 3
    assert ds["fixed_point_kind"].values.tolist() == kinds


@pytest.mark.parametrize(
    ("text", "start", "iterates"),
    [
        # Row 37; the residual of the map cos is that of the equation.
        ("cos(x) - x", 1, [0.75036387, 0.73911289, 0.739085133385284, 0.7390851332151607]),
        # Row 39.
        (
            "x**2 - 2",
            1,
            [Fraction(3, 2), Fraction(17, 12), Fraction(577, 408), Fraction(665857, 470832)],
        ),
    ],
)
def test_the_iterates_on_an_equation(text: str, start: float, iterates: list) -> None:
    ds = run(
        map=equation(text, start),
        solver=EXACT,
        analysis={"orbit": {}, "history": {}},
        length=20,
    )
    known = np.array([start, *map(float, iterates)])
    assert ds["x"].values[:5] == pytest.approx(known, abs=PRINTED)
    assert ds["x"].values[3] == pytest.approx(known[3], abs=ROUNDING)
    # Row 40: the order is 2.
    assert float(ds["convergence_order"]) == pytest.approx(2, abs=0.03)
    assert int(ds["status"]) == Status.converged


def test_the_roots_of_two_cubics() -> None:
    """Row 38."""
    g = {
        "equations": {"x": "x + x**3 + a*x**2 + b*x + c"},
        "parameters": {"a": 0, "b": -2, "c": -5},
        "initial": {"x": 2},
    }
    cubics = {"of": ["a", "b", "c"], "values": [[0, -2, -5], [4, 0, -10]]}
    ds = run(map=g, solver=EXACT, grid={"cubic": cubics}, length=20)
    assert ds["x_final"].values == pytest.approx(
        [2.0945514815423266, 1.3652300134140969], abs=ROUNDING
    )


def test_the_ratio_at_a_multiple_root() -> None:
    """Row 40: 1 - 1/m of the errors, so (1 - 1/m)^m of the residuals, order 1."""
    g = {
        "equations": {"x": "x + (x - 1)**m"},
        "parameters": {"m": 2},
        "initial": {"x": 2},
    }
    ds = run(
        map=g,
        solver={"name": "newton", "absolute_tolerance": 1e-12, "relative_tolerance": 0},
        grid={"m": [2, 3, 4]},
        analysis={"orbit": {}},
        length=100,
    )
    assert (ds["status"] == Status.converged).all()
    errors = ds["x"].values[:, :8] - 1
    m = np.array([2, 3, 4])
    assert errors[:, 1:] / errors[:, :-1] == pytest.approx(
        np.repeat([[1 / 2], [2 / 3], [3 / 4]], 7, axis=1), abs=ROUNDING
    )
    assert ds["convergence_rate"].values == pytest.approx((1 - 1 / m) ** m, abs=1e-4)
    assert ds["convergence_order"].values == pytest.approx(1, abs=1e-3)


def test_a_cycle_is_no_convergence() -> None:
    """Row 41: on x^3 - 2x + 2, 24.10 % of [-2, 2] end in the cycle 0, 1, the rest at the root."""
    cells = 60_000
    ds = run(
        map=equation("x**3 - 2*x + 2", 0),
        solver=EXACT,
        grid={"x0": {"start": -2 + 2 / cells, "stop": 2 - 2 / cells, "num": cells}},
        length=200,
    )
    limit = ds["status"] == Status.iteration_limit
    # The boundary is a fractal: 20,000 and 40,000 cells give 0.2431 and 0.2439.
    assert float(limit.mean()) == pytest.approx(0.2410, abs=2e-3)
    ends = ds["x_final"].values[limit.values]
    assert np.minimum(np.abs(ends), np.abs(ends - 1)) == pytest.approx(0, abs=CONVERGED)
    residuals = ds["residual_norm_final"].values[limit.values]
    assert residuals[ends > 0.5] == pytest.approx(1, abs=CONVERGED)
    assert residuals[ends < 0.5] == pytest.approx(2, abs=CONVERGED)
    done = (ds["status"] == Status.converged).values
    assert ds["x_final"].values[done] == pytest.approx(-1.7692923542386314, abs=CONVERGED)


def test_fixed_points_of_henon() -> None:
    """Rows 12 and 13: both are saddles; and at b = 0.3, a = 0.2 one attracts."""
    ds = run(
        map="henon",
        solver=EXACT,
        grid={"a": [0.2, 1.4], "x0": [-2, 1], "y0": [0]},
        length=50,
    ).isel(y0=0)
    known = {
        -2: (-1.131354477089505, -0.339406343126851),
        1: (0.631354477089505, 0.189406343126851),
    }
    for start, point in known.items():
        there = ds.sel(a=1.4, x0=start)
        assert [float(there["x_final"]), float(there["y_final"])] == pytest.approx(
            point, abs=CONVERGED
        )
    saddle, attracting = FixedPointKind.saddle, FixedPointKind.attracting
    assert ds["fixed_point_kind"].values.tolist() == [[saddle, attracting], [saddle, saddle]]


def test_fixed_points_of_a_complex_map() -> None:
    """(1 -+ sqrt(1 - 4c))/2 of z^2 + c, with multipliers 2z; the names of complex results."""
    ds = run(
        map="quadratic_c",
        solver="newton",
        grid={"c_re": [-0.12, 0.1], "c_im": [0, 0.74], "z0_re": [0, 1.3], "z0_im": [0]},
        length=50,
    ).squeeze()
    z = ds["z_final_re"] + 1j * ds["z_final_im"]
    c = ds["c_re"] + 1j * ds["c_im"]
    assert (abs(z**2 + c - z) < 1e-9).all()
    root = np.sqrt(1 - 4 * c.values)
    known = np.stack([(1 - root) / 2, (1 + root) / 2], axis=-1)
    assert z.values == pytest.approx(known, abs=CONVERGED)
    kinds = np.where(
        np.abs(2 * known) < 1, int(FixedPointKind.attracting), int(FixedPointKind.repelling)
    )
    assert ds["fixed_point_kind"].values.tolist() == kinds.tolist()
    assert len(np.unique(kinds)) == 2


def test_fixed_points_of_a_lattice() -> None:
    """Uniform states of coupled logistic maps: 1 - 1/a (row 5), the multipliers of the ring."""
    ds = run(
        map={
            "equations": {"x": "(1 - k)*f + k/2*(roll(f, 1) + roll(f, -1))"},
            "definitions": {"f": "a*x*(1 - x)"},
            "parameters": {"a": 2.8, "k": 0.3},
            "initial": {"x": [0.6, 0.65, 0.63, 0.66]},
        },
        solver="newton",
        grid={"a": [2.8, 3.2]},
        length=50,
    )
    a = np.array([2.8, 3.2])
    assert ds["x_final"].values == pytest.approx(np.outer(1 - 1 / a, np.ones(4)), abs=CONVERGED)
    # (2 - a)(1 - k + k cos(2 pi j/4)): at 3.2 moduli 1.2, 0.84, 0.48.
    kinds = [FixedPointKind.attracting, FixedPointKind.saddle]
    assert ds["fixed_point_kind"].values.tolist() == kinds


def test_a_singular_jacobian_escapes() -> None:
    """The tangent of x^2 - 2 at 0 has no zero."""
    ds = run(map=equation("x**2 - 2"), solver="newton", grid={"x0": [0, 1]}, length=10)
    assert ds["status"].values.tolist() == [Status.escaped, Status.converged]
    assert ds["steps"].values[0] == 1
    assert np.isnan(ds["convergence_order"].values[0])
    assert ds["fixed_point_kind"].values[0] == FixedPointKind.none


def test_newton_differentiates_the_map_exactly() -> None:
    """One step from 0.3 on r sin(pi x), by hand."""
    r, x = 0.95, 0.3
    ds = run(map="sine", solver="newton", analysis={"orbit": {}}, length=1)
    residual = r * sin(np.pi * x) - x
    slope = r * np.pi * cos(np.pi * x) - 1
    assert ds["x"].values[1] == pytest.approx(x - residual / slope, rel=ROUNDING)
