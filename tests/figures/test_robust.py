"""Datasets at the edge: nothing finite, a single cell, all escaped, odd types, huge sizes."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import figures
from tests.figures import datasets
from tests.figures.test_figures import SMALL

STATES = {
    "bifurcation": ["x"],
    "cobweb": ["x"],
    "time_series": ["x"],
    "phase_portrait": ["x", "y"],
    "space_time": ["x"],
    "final": ["x_final"],
    "plane": ["lyapunov"],
    "scalar": ["lyapunov"],
    "convergence": ["x", "y", "residual_norm", "objective_value"],
}


def write(figure, folder):
    """Save a figure at a size that takes little time."""
    figure.set_dpi(40)
    figures.save(figure, folder)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 1e300])
@pytest.mark.parametrize("kind", STATES)
def test_constant_and_missing_numbers(kind, value, tmp_path):
    ds = SMALL[kind]()
    for name in STATES[kind]:
        ds[name] = ds[name].copy(data=np.full(ds[name].shape, value))
    write(figures.draw(ds, name=kind), tmp_path)


@pytest.mark.parametrize("kind", SMALL)
def test_all_escaped(kind, tmp_path):
    ds = SMALL[kind]()
    ds["status"] = ds["status"].copy(data=np.full(ds["status"].shape, 2, np.int8))
    write(figures.draw(ds, name=kind), tmp_path)


@pytest.mark.parametrize("kind", SMALL)
def test_single_precision(kind, tmp_path):
    ds = SMALL[kind]()
    for name in ds.variables:
        if ds[name].dtype == np.float64 and name not in ds.dims:
            ds[name] = ds[name].astype(np.float32)
    write(figures.draw(ds, name=kind), tmp_path)


@pytest.mark.parametrize("kind", ["bifurcation", "final", "plane", "scalar", "status_map"])
def test_one_value_on_an_axis(kind, tmp_path):
    ds = SMALL[kind]()
    grid = [d for d in ds.dims if d not in ("iteration",)]
    write(figures.draw(ds.isel({grid[0]: slice(0, 1)}), name=kind), tmp_path)


@pytest.mark.parametrize("kind", ["cobweb", "time_series", "phase_portrait", "space_time"])
def test_few_iterations(kind, tmp_path):
    for length in (1, 2, 3):
        ds = SMALL[kind]().isel(iteration=slice(0, length))
        if kind == "cobweb" and length == 1:
            kind = "time_series"
        write(figures.draw(ds, name=kind), tmp_path)


def test_whole_number_axes(tmp_path):
    ds = datasets.logistic(50, 40, 20)
    ds = ds.assign_coords(a=np.arange(50))
    write(figures.draw(ds), tmp_path)


def test_no_status(tmp_path):
    for make in SMALL.values():
        ds = make().drop_vars("status")
        if ds.data_vars:
            write(figures.draw(ds), tmp_path)


def test_decreasing_and_unordered_axes(tmp_path):
    ds = datasets.logistic(80, 50, 100)
    write(figures.draw(ds.isel(a=slice(None, None, -1))), tmp_path)
    shuffled = ds.isel(a=np.random.default_rng(0).permutation(80))
    write(figures.draw(shuffled), tmp_path)


def test_labels_of_strangers_do_not_break_the_page(tmp_path):
    ds = datasets.single()
    ds["x"].attrs.update(long_name=r"$\frac{ x_{ 100 % \n" + "long " * 200, units="$^")
    write(figures.draw(ds, name="time_series"), tmp_path)


def test_ten_million_points_take_seconds():
    a = np.linspace(3.4, 4, 2000)
    x = np.broadcast_to(np.random.default_rng(0).random(5000), (2000, 5000))
    coords = {"a": a, "iteration": np.arange(5000)}
    ds = datasets.dataset(None, coords, {"x": (("a", "iteration"), x)})
    assert figures.draw(ds).axes
