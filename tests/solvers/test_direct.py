"""The map itself as an iteration: Picard iteration, escape. Rows are those of the known results."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.status import Status
from tests.runs import run

# Exact identities and values given to all digits of double precision.
ROUNDING = 1e-12


def test_picard_on_the_seed_map() -> None:
    """Row 10: 46 steps until |x - 3| <= 1e-10 from 0; the basin of 3 is (-7, 7)."""
    starts = [0, -6.9, 6.9, -7, 7, 7.1, -7.1]
    ds = run(map="quadratic", grid={"x0": {"values": starts}}, length=600)
    distance = abs(ds["x"].sel(x0=0) - 3)
    assert int(ds["iteration"][np.argmax(distance.values <= 1e-10)]) == 46
    assert ds["x"].isel(iteration=-1).sel(x0=[-6.9, 6.9]).values == pytest.approx(3, abs=ROUNDING)
    assert (ds["x"].sel(x0=7) == 7).all()
    assert (ds["x"].sel(x0=-7)[1:] == 7).all()
    ends = dict(zip(starts, ds["status"].values, strict=True))
    assert [x for x, s in ends.items() if s == Status.escaped] == [7.1, -7.1]
    assert set(ends.values()) == {Status.bounded, Status.escaped}
    # Multipliers 0.6 and 1.4.
    near = run(map="quadratic", grid={"x0": {"values": [3 + 1e-6, 7 + 1e-6]}}, length=1)
    slopes = (near["x"][:, 1] - [3, 7]) / 1e-6
    assert slopes.values == pytest.approx([0.6, 1.4], abs=1e-6)


def test_picard_on_the_cosine() -> None:
    """Row 35: 69 steps from 1 until the step is below 1e-12, multiplier -0.6736."""
    g = {"equations": {"x": "cos(x)"}, "initial": {"x": 1}}
    x = run(map=g, length=100)["x"].values
    assert int(np.argmax(np.abs(np.diff(x)) < 1e-12)) + 1 == 69
    assert x[-1] == pytest.approx(0.7390851332151607, abs=ROUNDING)
    quotient = (x[31] - x[-1]) / (x[30] - x[-1])
    assert quotient == pytest.approx(-0.673612029183215, abs=1e-5)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_an_orbit_escapes_beyond_the_radius(precision: str) -> None:
    """The radius belongs to what is bounded; the status is of every x_n, the start included."""
    g = {
        "equations": {"x": "2*x", "y": "y"},
        "initial": {"x": 1, "y": 0},
        "escape_radius": 1024,
    }
    grid = {"x0": {"values": [1, 1.5, 0, 1025]}, "y0": {"values": [0, 1024, 1025]}}
    ds = run(map=g, grid=grid, length=10, device={"precision": precision})
    bounded = (ds["status"] == Status.bounded).values
    assert bounded.tolist() == [
        [True, False, False],  # x_10 is 1024
        [False, False, False],
        [True, True, False],
        [False, False, False],
    ]
    # An escaped map goes on: its orbit is what the formula says.
    assert (ds["x"].sel(x0=1.5, y0=0) == 1.5 * 2.0 ** ds["iteration"]).all()


@pytest.mark.parametrize(
    ("precision", "radius"), [("single", 1e6), ("single", 1e30), ("double", 1e6), ("double", 1e150)]
)
def test_what_is_not_finite_has_escaped(precision: str, radius: float) -> None:
    """Even where the square of the radius overflows."""
    g = {"equations": {"x": "x**3"}, "initial": {"x": 0.5}, "escape_radius": radius}
    ds = run(map=g, grid={"x0": [0.5, 1, 2, -2, 1e9]}, length=30, device={"precision": precision})
    assert ds["status"].values.tolist() == [0, 0, 2, 2, 2]


def test_an_angle_without_a_value_has_escaped() -> None:
    """A component with a modulus has no norm, but it is finite."""
    g = {
        "equations": {"theta": "mod(theta + log(k), 1)"},
        "parameters": {"k": 2},
        "initial": {"theta": 0.1},
        "modulus": {"theta": 1},
    }
    ds = run(map=g, grid={"k": [2, 0, -1]}, length=3)
    assert ds["status"].values.tolist() == [0, 2, 2]
    far = g | {"equations": {"theta": "theta + 1e7*k"}}
    assert run(map=far, length=3)["status"] == Status.bounded


def test_a_formula_knows_how_many_steps_were_done() -> None:
    """n is 0 when x_1 is computed, whatever is dropped."""
    g = {"equations": {"x": "n"}, "initial": {"x": -1}}
    for transient in (0, 7):
        ds = run(map=g, transient=transient, length=5)
        assert (ds["x"] == ds["iteration"] - 1).all()


def test_complex_components_iterate_as_complex_numbers() -> None:
    """The period-3 cycle of z^2 + c at the centre of the rabbit, c^3 + 2c^2 + c + 1 = 0."""
    c = np.roots([1, 2, 1, 1])[0]
    ds = run(
        map="quadratic_c",
        grid={"c_re": [c.real], "c_im": [c.imag]},
        length=6,
    )
    z = (ds["z_re"] + 1j * ds["z_im"]).values[0, 0]
    assert z == pytest.approx([0, c, c**2 + c] * 2 + [0], abs=ROUNDING)


def test_single_precision_rounds_each_step() -> None:
    """Row 28: the tent map at slope 2 from 0.1 is 0 after 56 steps in double, 28 in single."""
    for precision, steps in (("double", 56), ("single", 28)):
        ds = run(
            map="tent",
            grid={"mu": [2], "x0": [0.1]},
            length=60,
            device={"precision": precision},
        )
        assert int(np.argmax(ds["x"].values[0, 0] == 0)) == steps


def test_vectors_iterate_entry_by_entry() -> None:
    """Two coupled logistic maps in step stay in step; a uniform lattice is one logistic map."""
    lattice = run(
        map={
            "equations": {"x": "(1 - k)*f + k*roll(f, 1)"},
            "definitions": {"f": "a*x*(1 - x)"},
            "parameters": {"a": 3.2, "k": 0.25},
            "initial": {"x": [0.3, 0.3, 0.3]},
        },
        length=4,
    )
    x = [0.3]
    for _ in range(4):
        x.append(3.2 * x[-1] * (1 - x[-1]))
    assert lattice["x"].values == pytest.approx(np.outer(x, np.ones(3)), abs=ROUNDING)
