"""Figures of densities, rotation numbers, statistics and recorded states."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from pipeline.figures import rotation_map
from tests.figures.datasets import LOGISTIC, dataset

CIRCLE = {
    "name": "circle",
    "equations": {"theta": "mod(theta + omega, 1)"},
    "parameters": {"omega": 0.3, "k": 1},
    "initial": {"theta": 0.1},
    "modulus": {"theta": 1},
}


@pytest.fixture
def ax():
    return Figure().subplots()


def arcsine(theory=None, **axes):
    """The density of the logistic map at 4, for each value of the axes."""
    edges = np.linspace(0, 1, 21)
    heights = np.diff(2 / np.pi * np.arcsin(np.sqrt(edges))) * 20
    shape = tuple(len(values) for values in axes.values())
    document = {
        "map": {**LOGISTIC, "parameters": {"a": 4.0}},
        "grid": {name: {"values": list(map(float, v))} for name, v in axes.items()},
        "figure": {"theory": theory},
    }
    ds = dataset(
        document,
        {**axes, "x_bin": (edges[1:] + edges[:-1]) / 2},
        {
            "density": ((*axes, "x_bin"), np.broadcast_to(heights, (*shape, 20)).copy()),
            "density_outside": (tuple(axes), np.zeros(shape)),
            "status": (tuple(axes), np.zeros(shape, np.int8)),
        },
    )
    ds["x_bin"].attrs["range"] = np.array([0.0, 1.0])
    return ds


def test_a_density_is_drawn_beside_its_theory(ax):
    ds = arcsine(theory="1/(pi*sqrt(x*(1 - x)))")
    assert figures.choose(ds) == "density"
    figures.draw(ds, ax=ax)
    (line,) = ax.lines
    x, y = line.get_data()
    np.testing.assert_allclose(y, 1 / (np.pi * np.sqrt(x * (1 - x))))
    assert ax.get_xlim() == (0, 1)
    assert [t.get_text()[:6] for t in ax.get_legend().get_texts()] == ["states", "theory"]
    # The title has the distance, which is that of a quadrature.
    shown = figures.draw(ds).get_suptitle()
    assert (
        float(shown.rpartition("=")[2].strip("$ ").replace(r"\times 10^{-", "e-").rstrip("}"))
        < 0.01
    )


@pytest.mark.parametrize("theory", ["1/u", "x +", "1/(x*[1, 2])", 3])
def test_a_theory_that_cannot_be_drawn_is_left_out(ax, theory):
    figures.draw(arcsine(theory=theory), ax=ax)
    assert not ax.lines


def test_densities_of_few_values_are_outlines_and_of_many_an_image(ax):
    figures.draw(arcsine(a=np.array([3.9, 4.0])), ax=ax)
    assert len(ax.patches) == 2
    other = Figure().subplots()
    figures.draw(arcsine(a=np.linspace(3.9, 4, 30)), ax=other)
    assert len(other.images) == 1


def test_densities_of_starts_are_averaged():
    figure = figures.draw(arcsine(x0=np.linspace(0.1, 0.9, 9)))
    assert "mean of 9 starts" in figure.get_suptitle()
    assert len(figure.axes[0].patches) == 1


def test_an_escaped_cell_is_no_outline(ax):
    ds = arcsine(a=np.array([3.9, 4.5]))
    ds["density"][1] = np.nan
    figures.draw(ds, ax=ax)
    assert len(ax.patches) == 1


def tongues(values):
    """Rotation numbers over k, omega."""
    k, omega = np.linspace(0, 1, values.shape[0]), np.linspace(0, 1, values.shape[1])
    document = {
        "map": CIRCLE,
        "grid": {"k": {"values": k.tolist()}, "omega": {"values": omega.tolist()}},
    }
    return dataset(
        document,
        {"k": k, "omega": omega},
        {
            "rotation_number": (("k", "omega"), values),
            "status": (("k", "omega"), np.zeros(values.shape, np.int8)),
        },
    )


def test_tongues_are_named_and_the_most_locked_row_is_a_staircase():
    row = np.linspace(0, 1, 101)
    bent = np.where(abs(row - 0.5) < 0.2, 0.5, row + 1e-4)
    ds = tongues(np.stack([row + 1e-4, row + 1e-4, bent, bent]))
    assert figures.choose(ds) == "rotation_map"
    figure = figures.draw(ds)
    plane, stairs, _ = figure.axes
    assert [t.get_text() for t in plane.texts] == ["1/2"]
    np.testing.assert_array_equal(stairs.lines[0].get_ydata(), bent)
    assert stairs.get_title(loc="left") == "at $k = 1$"
    # omega moves the number more than k does, so it is the abscissa.
    assert "omega" in stairs.get_xlabel()
    assert "1/2" in [t.get_text() for t in stairs.texts]


def test_fractions():
    found = rotation_map.fractions(np.array([0.5, 1 / 3 + 1e-9, 0.123456, np.nan, 2.0]))
    assert [str(f) for f in found] == ["1/2", "1/3", "None", "None", "2"]


def test_tongues_need_two_axes():
    with pytest.raises(CobwebError, match="it needs two axes"):
        figures.draw(tongues(np.zeros((3, 4))).isel(k=0, drop=True), name="rotation_map")


def test_a_staircase_of_one_axis_is_the_scalar_figure(ax):
    ds = tongues(np.zeros((3, 40))).isel(k=0, drop=True)
    assert figures.choose(ds) == "scalar"
    figures.draw(ds, ax=ax)
    assert "rotation number" in ax.get_ylabel()


def test_statistics_are_bands_about_the_mean(ax):
    a = np.linspace(3, 4, 50)
    values = {"mean": 0.6 + 0 * a, "std": 0.1 + 0 * a, "min": 0.2 + 0 * a, "max": 0.9 + 0 * a}
    status = np.where(a > 3.9, 2, 0).astype(np.int8)
    ds = dataset(
        {"map": LOGISTIC, "grid": {"a": {"values": a.tolist()}}},
        {"a": a},
        {f"x_{k}": (("a",), np.where(status, np.nan, v)) for k, v in values.items()}
        | {"status": (("a",), status)},
    )
    assert figures.choose(ds) == "statistics"
    figures.draw(ds, ax=ax)
    shown = [t.get_text() for t in ax.get_legend().get_texts()]
    assert shown == ["minimum to maximum", "one standard deviation", "mean", "escaped"]
    low, high = ax.get_ylim()
    assert low < 0.2 < 0.9 < high
    with pytest.raises(CobwebError, match="it needs exactly one axis"):
        figures.draw(ds.isel(a=0, drop=True), name="statistics")


def test_recorded_states_are_drawn_as_an_orbit_s_are(ax):
    rng = np.random.default_rng(0)
    states = {f"record_{n}": (("record",), np.r_[rng.normal(size=20), [np.nan] * 5]) for n in "xy"}
    document = {"map": {"equations": {"x": "y", "y": "x"}, "initial": {"x": 0, "y": 0}}}
    ds = dataset(
        document,
        {"record": np.arange(25)},
        {**states, "record_iteration": (("record",), np.arange(25)), "record_count": ((), 20)},
    )
    assert figures.choose(ds) == "section"
    figures.draw(ds, ax=ax)
    assert "y" in ax.get_ylabel()
    with pytest.raises(CobwebError, match="a parameter axis, or two components"):
        figures.draw(ds.drop_vars("record_y"), name="section")
