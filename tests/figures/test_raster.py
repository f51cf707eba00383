"""Rasters: every point counted once, columns even, limits that outliers do not set."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.figures import raster


def test_every_point_in_range_is_counted_once():
    values = np.random.default_rng(0).uniform(-0.5, 1.5, (50, 400))
    columns = raster.columns(np.linspace(0, 1, 50), log=False, most=100)
    counts = raster.count([(columns.of, values)], width=50, height=37, low=0.0, high=1.0)
    assert counts.sum() == np.sum((values >= 0) & (values <= 1))
    assert np.array_equal(counts.sum(axis=0), np.sum((values >= 0) & (values <= 1), axis=1))


def test_both_limits_belong_to_the_raster_and_what_is_not_finite_does_not():
    values = np.array([[0.0, 1.0, np.nan, np.inf, -np.inf]])
    counts = raster.count([(np.array([0]), values)], width=1, height=10, low=0.0, high=1.0)
    assert counts[:, 0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_points_of_the_plane_are_counted_once():
    x, y = np.random.default_rng(0).normal(size=(2, 10_000))
    counts = raster.plane(x, y, (-1.0, 1.0, -2.0, 2.0), 30, 20)
    assert counts.sum() == np.sum((np.abs(x) <= 1) & (np.abs(y) <= 2))
    # Rows are y: more of a normal distribution lies near the middle of both.
    assert counts.shape == (20, 30)
    assert counts[9:11].sum() > counts[:2].sum()


def test_weights_of_points_add_up():
    x, y = np.array([[0.1, 0.1, 0.9, 5.0]]), np.array([[0.1, 0.1, 0.9, 0.5]])
    weights = np.array([[1.0, 2.0, -4.0, 8.0]])
    sums = raster.plane(x, y, (0.0, 1.0, 0.0, 1.0), 2, 2, weights)
    assert sums.tolist() == [[3.0, 0.0], [0.0, -4.0]]


@pytest.mark.parametrize("number", [1, 2, 100, 600, 601, 1199, 1200, 5000])
def test_columns_hold_equally_many_values_and_none_is_empty(number):
    columns = raster.columns(np.linspace(3.4, 4.0, number), log=False, most=600)
    members = np.bincount(columns.of, minlength=columns.members.size)
    assert np.array_equal(members, columns.members)
    assert members.min() > 0
    assert members.size <= 600
    assert len(set(members[:-1])) <= 1
    assert np.all(np.diff(columns.edges) > 0)


def test_columns_of_even_values_are_evenly_wide():
    columns = raster.columns(np.linspace(3.4, 4.0, 600), log=False, most=600)
    assert np.ptp(np.diff(columns.edges)) < 1e-9
    assert columns.edges[0] == pytest.approx(3.4 - 0.0005, abs=1e-5)


def test_geometric_values_have_geometric_columns():
    columns = raster.columns(np.geomspace(1e-3, 1, 50), log=True, most=600)
    ratios = columns.edges[1:] / columns.edges[:-1]
    assert np.ptp(ratios) < 1e-9


def test_a_hole_in_the_axis_stays_blank():
    values = np.concatenate([np.linspace(0, 1, 50), np.linspace(9, 10, 50)])
    columns = raster.columns(values, log=False, most=600)
    assert columns.members.min() == 0
    hole = int(np.argmin(columns.members))
    assert columns.edges[hole] < 1.1
    assert columns.edges[hole + 1] > 8.9


def test_the_order_of_the_values_does_not_matter():
    values = np.random.default_rng(0).permutation(np.linspace(0, 1, 80))
    columns = raster.columns(values, log=False, most=600)
    assert np.array_equal(columns.of, np.argsort(np.argsort(values)))


def test_repeated_values_share_a_column():
    columns = raster.columns(np.array([1.0, 1.0, 2.0]), log=False, most=600)
    assert columns.of.tolist() == [0, 0, 1]


def test_tones_grow_with_the_density_and_no_point_is_invisible():
    counts = np.array([[0, 1, 2, 10, 1000]])
    tone = raster.tones(counts, 1.0)[0]
    assert tone[0] == 0
    assert tone[1] >= 0.12
    assert np.all(np.diff(tone) >= 0)
    assert tone[-1] == 1


def test_a_lone_line_of_dense_points_is_widened_and_a_cloud_is_not():
    counts = np.zeros((9, 2), int)
    counts[4, 0] = 1000
    counts[:, 1] = np.arange(1, 10)
    tone = raster.tones(counts, counts.sum(axis=0) / 9, thicken=True)
    assert np.flatnonzero(tone[:, 0]).tolist() == [3, 4, 5]
    assert tone[3, 0] < tone[4, 0]


def test_limits_leave_out_the_few_cells_that_dwarf_the_rest():
    low, high = np.zeros(1000), np.ones(1000)
    high[3] = 5e5
    assert raster.limits(low, high, margin=0.0) == (0.0, 1.0)


def test_limits_of_a_constant_hold_it_inside():
    low, high = raster.limits(np.array([2.0]), np.array([2.0]))
    assert low < 2 < high
    low, high = raster.limits(np.array([0.0]), np.array([0.0]))
    assert low < 0 < high


def test_limits_of_nothing_are_a_unit():
    assert raster.limits(np.array([np.nan]), np.array([np.nan])) == (0.0, 1.0)
