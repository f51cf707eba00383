"""Bifurcation diagrams: limits, escaped cells, panels."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from matplotlib.figure import Figure

from pipeline import figures
from tests.figures import datasets


@pytest.fixture
def ax():
    return Figure().subplots()


def test_limits_are_those_of_the_orbits_that_stay(ax):
    figures.draw(datasets.logistic(121, 100, 200, stop=4.2), ax=ax)
    low, high = ax.get_ylim()
    assert -0.1 < low < 0.1
    assert 1.0 < high < 1.1
    assert ax.get_xlim() == pytest.approx((3.4, 4.2), abs=0.01)


def test_escaped_values_are_shaded_from_4_on_and_in_the_legend(ax):
    figures.draw(datasets.logistic(121, 100, 200, stop=4.2), ax=ax)
    (shade,) = ax.patches
    assert shade.get_x() == pytest.approx(4.0, abs=0.005)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["escaped"]


def test_without_escaped_cells_there_is_no_legend(ax):
    figures.draw(datasets.logistic(60, 50, 100), ax=ax)
    assert ax.get_legend() is None


def test_few_values_are_points_many_a_raster(ax):
    figures.draw(datasets.logistic(5, 50, 100), ax=ax)
    assert not ax.images
    assert sum(line.get_xdata().size for line in ax.lines) == 250
    other = Figure().subplots()
    figures.draw(datasets.logistic(60, 50, 100), ax=other)
    assert len(other.images) == 1
    assert other.images[0].get_array().shape[1] == 60


def test_a_logarithmic_axis_is_drawn_as_one(ax):
    ds = datasets.logistic(60, 50, 100)
    a = np.geomspace(0.01, 4, 60)
    document = yaml.safe_load(ds.attrs["document"])
    document["grid"] = {"a": {"start": 0.01, "stop": 4, "num": 60, "scale": "log"}}
    ds = ds.assign_coords(a=a).assign_attrs(document=yaml.safe_dump(document))
    figures.draw(ds, ax=ax)
    assert ax.get_xscale() == "log"
    assert ax.get_xlim()[0] == pytest.approx(0.01, rel=0.1)


def test_further_parameters_get_panels_and_starts_are_overlaid():
    x = np.random.default_rng(0).random((50, 3, 2, 30))
    document = {
        "map": datasets.LOGISTIC | {"parameters": {"a": 3, "b": 1}},
        "grid": {"a": {}, "b": {}, "x0": {}},
    }
    ds = datasets.dataset(
        document,
        {
            "a": np.linspace(3, 4, 50),
            "b": [1.0, 2.0, 3.0],
            "x0": [0.1, 0.2],
            "iteration": range(30),
        },
        {
            "x": (("a", "b", "x0", "iteration"), x),
            "status": (("a", "b", "x0"), np.zeros((50, 3, 2))),
        },
    )
    figure = figures.draw(ds)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["$b = 1$", "$b = 2$", "$b = 3$"]


def test_exponents_over_the_same_axis_get_a_panel_beneath():
    ds = datasets.logistic(60, 50, 100)
    exponents = datasets.exponents(60)["lyapunov"]
    figure = figures.draw(ds.assign(lyapunov=exponents))
    above, beneath = figure.axes
    assert beneath.get_xlim() == above.get_xlim()
    assert beneath.get_ylabel().replace("\n", " ") == "Lyapunov exponent (nat/iteration)"
    low, high = beneath.get_ylim()
    # ln 2 at a = 4 (REFERENCE row 7) is the largest.
    assert low < 0 < np.log(2) < high < 1


def test_a_component_on_a_circle_has_the_circle_s_limits(ax):
    ds = datasets.standard(50, 40).rename(p0="k")
    document = yaml.safe_load(ds.attrs["document"])
    document["grid"] = {"k": {}}
    document["map"]["parameters"] = {"k": 0.9}
    ds.attrs["document"] = yaml.safe_dump(document)
    figures.draw(ds, name="bifurcation", ax=ax)
    assert ax.get_ylim() == (0, 2 * np.pi)
    assert [t.get_text() for t in ax.get_yticklabels()][2] == r"$\pi$"
