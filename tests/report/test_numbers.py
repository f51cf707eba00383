"""Counts and statistics, piece by piece."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from pipeline.report import numbers
from pipeline.status import Status
from tests.figures.datasets import dataset


@pytest.fixture(params=[1, 3, 2**20])
def ds(request, monkeypatch) -> xr.Dataset:
    """Three by two cells, of which one escaped; read in pieces of several sizes."""
    monkeypatch.setattr(numbers, "BLOCK", request.param)
    status = np.zeros((3, 2), np.int8)
    status[2, 1] = Status.escaped
    return dataset(
        None,
        {"a": [1.0, 2.0, 3.0], "b": [0.0, 1.0], "exponent": [0]},
        {
            "status": (("a", "b"), status),
            "v": (("a", "b"), [[1, 2], [3, np.nan], [-4, 1e9]]),
            "steps": (("a", "b"), np.int32([[1, 2], [3, 4], [5, 9]])),
            "lyapunov": (("a", "b", "exponent"), [[[1.0], [2]], [[3], [4]], [[5], [-np.inf]]]),
            "share": (("a",), [0.1, 0.2, 0.6]),
            "orbit": (("a", "b", "iteration"), np.zeros((3, 2, 4))),
        },
    )


def test_results_of_one_number_a_cell(ds):
    assert numbers.grid(ds) == ("a", "b")
    assert numbers.scalars(ds) == ["v", "steps", "lyapunov", "share"]
    assert numbers.grid(ds[["v"]]) == ()


def test_reals_of_cells_that_escaped_do_not_count(ds):
    assert numbers.statistics(ds, "v") == numbers.Statistics(-4, 0.5, 3, 2)
    assert numbers.statistics(ds, "lyapunov") == numbers.Statistics(1, 3, 5, 1)


def test_counts_of_cells_that_escaped_do(ds):
    assert numbers.statistics(ds, "steps") == numbers.Statistics(1, 4, 9, 0)


def test_results_over_some_axes(ds):
    found = numbers.statistics(ds, "share")
    assert (found.least, found.greatest, found.missing) == (0.1, 0.6, 0)
    assert found.mean == pytest.approx(0.3)


def test_nothing_finite(ds):
    ds["v"][:] = np.nan
    found = numbers.statistics(ds, "v")
    assert math.isnan(found.least)
    assert math.isnan(found.mean)
    assert found.missing == 6


def test_a_sum_too_large_is_infinite_without_a_warning(ds):
    ds["v"][:] = 1.7e308
    assert numbers.statistics(ds, "v").mean == math.inf


def test_codes_are_counted(ds):
    ds["status"][0, 0] = 99
    assert numbers.codes(ds) == {"status": {"bounded": 4, "escaped": 1, "code 99": 1}}


def test_no_axes(ds):
    one = ds.isel(a=0, b=0, drop=True)
    assert numbers.statistics(one, "v") == numbers.Statistics(1, 1, 1, 0)
    assert numbers.statistics(one, "lyapunov").mean == 1
    assert numbers.codes(one) == {"status": {"bounded": 1}}
