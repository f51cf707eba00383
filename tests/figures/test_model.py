"""Curves, contours and fixed points from the document's formulas."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from pipeline.figures import model, view
from pipeline.figures.final import boundary
from tests.figures import datasets

ROUNDING = 1e-9  # of bisection to the last bit, over a range of tens
DIFFERENCES = 1e-5  # central differences of step 1e-6 of the range


@pytest.fixture
def seed():
    """The seed's map (x² + 21)/10."""
    g = model.scalar(view.read(datasets.seed_basin()), {})
    assert g is not None
    return g


def test_fixed_points_of_the_seed_are_3_and_7(seed):
    # REFERENCE row 10: fixed points 3, 7; multipliers 0.6, 1.4.
    points = model.fixed_points(seed, -9.95, 10.45)
    assert points == pytest.approx([3, 7], abs=ROUNDING)
    assert model.multiplier(seed, points, 20.0) == pytest.approx([0.6, 1.4], abs=DIFFERENCES)


def test_a_fixed_point_on_a_sample_is_found_once(seed):
    assert model.fixed_points(seed, 0, 4) == pytest.approx([3], abs=ROUNDING)


def test_the_basin_of_the_seed_ends_at_7_and_its_mirror_image(seed):
    points = np.array([3.0, 7.0])
    # The last start that stays and the first that escapes, REFERENCE row 10: (-7, 7).
    assert boundary(7.0, 7.5, seed, points) == pytest.approx(7, abs=ROUNDING)
    assert boundary(6.6, 7.3, seed, points) == pytest.approx(7, abs=ROUNDING)
    assert boundary(-7.0, -7.5, seed, points) == pytest.approx(-7, abs=ROUNDING)
    assert boundary(-6.8, -7.3, seed, points) == pytest.approx(-7, abs=ROUNDING)


def test_without_a_formula_a_basin_ends_half_way():
    assert boundary(1.0, 2.0, None, np.array([])) == 1.5


def test_a_pole_is_no_fixed_point():
    with np.errstate(divide="ignore"):
        assert model.fixed_points(lambda x: x + 1 / (x - 0.3), 0, 1).size == 0


def test_an_axis_overrides_the_document_s_parameter():
    ds = datasets.logistic(3, 10, 0)
    seen = view.read(ds)
    for i, a in enumerate(ds["a"].values):
        g = model.scalar(seen, {"a": i})
        assert g is not None
        assert g(np.array([0.5])) == pytest.approx(a / 4)


def test_entries_of_array_parameters_are_axes_too():
    ds = datasets.ascent()
    ds = ds.expand_dims(A_0_1=[9.0], c_0=[1.0])
    document = yaml.safe_load(ds.attrs["document"])
    document["grid"] |= {"A_0_1": {"values": [9.0]}, "c_0": {"values": [1.0]}}
    ds.attrs["document"] = yaml.safe_dump(document)
    found = model.at(view.read(ds), {})
    assert found is not None
    assert found.values["A"].tolist() == [[3, 9], [2, 7]]
    assert found.values["c"].tolist() == [1, 7]


def test_surface_of_a_sum_of_squares():
    # Data in a residual: each point of the lattice by itself.
    described = {
        "residuals": ["x*t - d", "x + y"],
        "definitions": {"d": "y*t"},
        "parameters": {"t": [1, 2, 3]},
        "initial": {"x": 0, "y": 0},
    }
    seen = view.View(datasets.single(), {"objective": described}, (), ())
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])
    expected = 14 * (x - y[:, None]) ** 2 + (x + y[:, None]) ** 2
    assert model.surface(seen, {}, x, y) == pytest.approx(expected)


def test_surfaces_of_a_vector_and_of_two_components():
    x, y = np.array([0.0, 3.0]), np.array([0.0, 7.0])
    # REFERENCE row 30: -452 at 0; 2 at (3, 7).
    quadratic = model.surface(view.read(datasets.ascent()), {}, x, y)
    assert quadratic is not None
    assert quadratic[0, 0] == pytest.approx(-452)
    assert quadratic[1, 1] == pytest.approx(2)
    # Row 45: Rosenbrock at (-1.2, 1) is 24.2.
    rosenbrock = model.surface(view.read(datasets.newton()), {}, np.array([-1.2]), np.array([1.0]))
    assert rosenbrock == pytest.approx(24.2)


def test_no_model_without_a_document_and_none_of_a_solver():
    ds = datasets.single()
    del ds.attrs["document"]
    assert model.scalar(view.read(ds), {}) is None
    assert model.scalar(view.read(datasets.newton()), {}) is None
