"""Derivatives of results. Rows are those of the known results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.analyses.sensitivity import Sensitive
from pipeline.errors import ConfigError
from pipeline.status import Status
from tests.runs import experiment, run

# Exact formulas, and sums of a few products.
ROUNDING = 1e-12
# Central differences over 1e-6: their own error and the rounding of values near 1, over the step.
DIFFERENCES = 1e-6
STEPS = 12


def henon(a: float, b: float, x: float, y: float) -> np.ndarray:
    """x_12, y_12 and the growth of (1, 0) over 12 steps, by a naive loop."""
    v, growth = np.array([1.0, 0.0]), 0.0
    for _ in range(STEPS):
        v = np.array([[-2 * a * x, 1.0], [b, 0.0]]) @ v
        x, y = 1 - a * x**2 + y, b * x
        growth += np.log(np.linalg.norm(v))
        v /= np.linalg.norm(v)
    return np.array([x, y, growth / STEPS])


def slope(f: Callable[..., np.ndarray], at: dict[str, float], name: str) -> np.ndarray:
    """By central differences."""
    step = 1e-6
    up, down = (f(**{**at, name: at[name] + s}) for s in (step, -step))
    return (up - down) / (2 * step)


def test_agrees_with_differences_along_an_orbit() -> None:
    at = {"a": 1.4, "b": 0.3, "x": 0.1, "y": 0.2}
    ds = run(
        map="henon",
        grid={"b": [0.2, 0.3], "y0": [0.1, 0.2]},
        analysis={"sensitivity": {"by": ["a", "b", "x0", "y0"]}},
        length=STEPS,
    ).isel(b=1, y0=1)
    for own, key in (("a", "a"), ("b", "b"), ("x", "x0"), ("y", "y0")):
        names = (f"{result}_by_{key}" for result in ("x_final", "y_final", "lyapunov"))
        found = np.array([float(ds[name]) for name in names])
        assert found == pytest.approx(slope(henon, at, own), rel=DIFFERENCES)
    assert int(ds["sensitivity"]) == Sensitive.known


def test_known_on_paper() -> None:
    """Row 5: x -> 1 - 1/a, whose exponent is ln(2 - a); the start does not count in the end."""
    a = np.array([1.5, 2.5])
    ds = run(
        map="logistic",
        grid={"a": a.tolist()},
        analysis={"sensitivity": {"by": ["a", "x0"]}},
        transient=200,
        length=50,
    )
    assert ds["x_final_by_a"].values == pytest.approx(1 / a**2, rel=ROUNDING)
    assert ds["lyapunov_by_a"].values == pytest.approx(-1 / (2 - a), rel=1e-9)
    assert np.abs(ds["x_final_by_x0"].values).max() < ROUNDING


def test_a_formula_of_the_start_counts() -> None:
    """z_0 = r exp(i th), z' = c z: z_3 = c^3 r exp(i th), by the modulus and by the angle."""
    ds = run(
        map={
            "equations": {"z": "c*z"},
            "parameters": {"c": 0.5, "r": 2},
            "initial": {"z": "r*exp(1j*th)"},
        },
        grid={"th": [0.3]},
        analysis={"sensitivity": {"by": ["r", "th", "c"]}},
        length=3,
    ).squeeze()
    z = 0.5**3 * 2 * np.exp(0.3j)
    for name, expected in (("r", z / 2), ("th", 1j * z), ("c", 3 * z / 0.5)):
        found = complex(*(float(ds[f"z_final_{part}_by_{name}"]) for part in ("re", "im")))
        assert found == pytest.approx(expected, rel=ROUNDING)


def test_says_where_a_derivative_means_nothing() -> None:
    """Chaos outgrows it; the orbit at 2 stays on the critical point 1/2; at 5 it escapes."""
    ds = run(
        map={
            "equations": {"x": "a*x*(1 - x)"},
            "parameters": {"a": 2},
            "initial": {"x": 0.3},
        },
        grid={"pair": {"of": ["a", "x0"], "values": [[4, 0.3], [3.9, 0.3], [2, 0.5], [5, 0.3]]}},
        analysis={"sensitivity": {"by": ["a"]}},
        length=100,
    )
    codes = [Sensitive.grown, Sensitive.grown, Sensitive.singular, Sensitive.ended]
    assert ds["sensitivity"].values.tolist() == codes
    assert float(ds["x_final_by_a"][2]) == pytest.approx(0.25, rel=ROUNDING)
    assert np.isnan(ds["lyapunov_by_a"].values[2:]).all()
    assert np.isnan(ds["x_final_by_a"].values[3])
    assert np.abs(ds["x_final_by_a"].values[1]) > 1e8


def test_a_maximum_moves_with_its_place() -> None:
    """Row 30: x = c is the maximum of 2 - (x - c) A (x - c), whose value stays 2."""
    ds = run(
        objective="seed_quadratic",
        solver="newton",
        analysis={"sensitivity": {"by": ["c_0", "c_1", "A_0_0", "x0_0"]}},
    )
    assert ds["x_final_by_c_0"].values == pytest.approx([1, 0], abs=ROUNDING)
    assert ds["x_final_by_c_1"].values == pytest.approx([0, 1], abs=ROUNDING)
    for name in ("A_0_0", "x0_0"):
        assert ds[f"x_final_by_{name}"].values == pytest.approx([0, 0], abs=ROUNDING)
    for name in ("c_0", "c_1", "A_0_0", "x0_0"):
        assert float(ds[f"objective_final_by_{name}"]) == pytest.approx(0, abs=ROUNDING)


def test_the_value_of_a_minimum_moves_as_f_does_there() -> None:
    """f = x^4/4 - q x: x = q^(1/3), f = -3/4 q^(4/3), by any solver; settings do not count."""
    q = np.array([1.0, 8.0])
    for solver in ("newton", "gradient_exact"):
        ds = run(
            objective={
                "expression": "x**4/4 - q*x",
                "parameters": {"q": 1},
                "initial": {"x": 1.5},
            },
            solver={"name": solver, "relative_tolerance": 1e-12},
            grid={"q": q.tolist()},
            analysis={"sensitivity": {"by": ["q", "solver.relative_tolerance"]}},
            length=200,
        )
        assert (ds["status"] == Status.converged).all()
        assert ds["x_final_by_q"].values == pytest.approx(q ** (-2 / 3) / 3, rel=1e-9)
        assert ds["objective_final_by_q"].values == pytest.approx(-np.cbrt(q), rel=1e-9)
        assert ds["x_final_by_relative_tolerance"].values.tolist() == [0, 0]


def test_a_solution_that_vanishes_has_none() -> None:
    """x^2 = q at q = 0, where both roots meet; at q = -1 there is none to converge to."""
    ds = run(
        map={"equations": {"x": "x + x**2 - q"}, "parameters": {"q": 1}, "initial": {"x": 0}},
        solver={"name": "levenberg_marquardt"},
        grid={"q": [4.0, 0.0, -1.0], "x0": [1.0, 0.0]},
        analysis={"sensitivity": {"by": ["q"]}},
        length=100,
    )
    assert float(ds["x_final_by_q"][0, 0]) == pytest.approx(1 / 4, rel=1e-9)
    assert int(ds["sensitivity"][1, 1]) == Sensitive.singular
    assert int(ds["sensitivity"][2, 0]) == Sensitive.ended
    assert np.isnan(float(ds["x_final_by_q"][2, 0]))


def test_an_axis_names_the_quantity_that_it_sweeps() -> None:
    """Gradient descent does not converge within its steps here: no solution, no derivative."""
    ds = run(
        objective={"expression": "x**2/2", "initial": {"x": 1}},
        solver="gradient",
        grid={"h": {"of": "solver.step", "values": [0.5, 1e-3]}},
        analysis={"sensitivity": {"by": ["h"]}},
        length=100,
    )
    assert ds["sensitivity"].values.tolist() == [Sensitive.known, Sensitive.ended]
    assert float(ds["x_final_by_step"][0]) == 0


def test_cycles_and_multipliers_by_the_implicit_function_theorem() -> None:
    """Rows 5 and 6: 1 - 1/a and 2 - a; the pair of period 2 and 4 + 2a - a^2."""
    a = np.array([3.2, 3.5])
    ds = run(
        map="logistic",
        grid={"a": a.tolist()},
        analysis={"cycles": {"max_period": 2, "max_cycles": 4, "by": ["a"]}},
    )
    assert ds["cycle_period"].values[:, :3].tolist() == [[1, 1, 2]] * 2
    assert ds["cycle_x_by_a"].values[:, 1, 0] == pytest.approx(1 / a**2, rel=ROUNDING)
    slopes = ds["multiplier_re_by_a"].values[:, :3, 0]
    assert slopes == pytest.approx(np.stack([a**0, -(a**0), 2 - 2 * a], 1), rel=1e-11)
    # Both points are (a + 1 -+ sqrt((a + 1)(a - 3))) / 2a.
    root = np.sqrt((a + 1) * (a - 3))
    for sign, point in ((-1, 0), (1, 1)):
        expected = (1 + sign * (a - 1) / root) / (2 * a) - (a + 1 + sign * root) / (2 * a**2)
        assert ds["cycle_x_by_a"].values[:, 2, point] == pytest.approx(expected, rel=1e-10)
    assert np.isnan(ds["cycle_x_by_a"].values[:, 3]).all()


def test_multipliers_of_a_plane_by_differences() -> None:
    """Row 12's fixed points, where b = 0.3, and a pair of complex multipliers, where b = -0.5."""

    def multipliers(a: float, b: float, sign: int) -> np.ndarray:
        x = (b - 1 + sign * np.sqrt((b - 1) ** 2 + 4 * a)) / (2 * a)
        found = np.linalg.eigvals(np.array([[-2 * a * x, 1], [b, 0]], complex))
        return found[np.lexsort((-found.imag, -np.round(np.abs(found), 9)))]

    at = {"a": 1.4}
    ds = run(
        map="henon",
        grid={"b": [0.3, -0.5]},
        analysis={"cycles": {"max_period": 1, "max_cycles": 2, "by": ["a", "b"]}},
    )
    turns = ds["multiplier_im"].values != 0
    assert not turns[0].any()
    assert turns[1].any()
    for cell, b in enumerate((0.3, -0.5)):
        for k, sign in enumerate((-1, 1)):
            for q in ("a", "b"):
                values = {**at, "b": b, "sign": sign}
                expected = slope(multipliers, values, q)
                one = ds.isel(b=cell, cycle=k)
                found = one[f"multiplier_re_by_{q}"] + 1j * one[f"multiplier_im_by_{q}"]
                assert found.values == pytest.approx(expected, rel=DIFFERENCES)


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        ({"by": ["k"]}, '["k"]: k is not one real number of the document (known: a, x0).'),
        ({"by": []}, "[]: expected a list of names."),
    ],
)
def test_says_what_there_is(analysis: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        experiment(map="logistic", analysis={"sensitivity": analysis})
    assert str(caught.value) == f"analysis.sensitivity.by = {message}"


def test_refuses_names_that_are_taken_and_what_has_no_quantity() -> None:
    cases = [
        (
            {
                "equations": {"x": "a*x + x_final_by_a"},
                "parameters": {"a": 1, "x_final_by_a": 0},
                "initial": {"x": 0},
            },
            "the derivative would be called x_final_by_a, which the document has already",
        ),
        (
            {"equations": {"x": "x/2"}, "initial": {"x": 0}},
            "expected names of quantities, such as [x0]; no parameter is a number",
        ),
    ]
    for described, message in cases:
        with pytest.raises(ConfigError) as caught:
            experiment(map=described, analysis={"sensitivity": {}})
        assert message in str(caught.value)


def test_refuses_what_it_cannot_follow() -> None:
    iterate = {"transient": 0, "length": 10, "stop": "converged"}
    with pytest.raises(ConfigError, match="it follows an orbit to its end"):
        experiment(map="logistic", analysis={"sensitivity": {}}, iterate=iterate)
    large = {"expression": "sum(x**2)", "initial": {"x": {"value": 1, "size": 1001}}}
    with pytest.raises(ConfigError, match="expected at most 1000"):
        experiment(
            objective=large,
            solver="newton_cg",
            analysis={"sensitivity": {"by": ["x0_0"]}},
        )
