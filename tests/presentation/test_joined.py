"""The runs in a file: an archive's own, and those that a sweep joins."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline import presentation
from pipeline.errors import ArchiveError, CobwebError
from pipeline.presentation import joined


def jobs(path: Path) -> list[joined.Run]:
    with joined.parts(path) as found:
        return [
            joined.Run(job.labels, job.data.load(), job.error) for job in joined.runs(path, found)
        ]


def test_a_run_is_its_own_job(folder):
    (job,) = jobs(folder / "logistic" / "result.nc")
    assert job.labels == {}
    with pipeline.open(folder / "logistic" / "result.nc") as ds:
        xr.testing.assert_identical(job.data, ds)


def test_the_jobs_of_a_sweep_are_the_runs_that_it_joins(folder):
    found = jobs(folder / "sweep.nc")
    assert [job.name for job in found] == ["map = logistic", "map = cubic", "map = tent/<b>"]
    assert [job.error for job in found] == ["", "", "the tent has <i>no</i> a"]
    for job in found[:2]:
        with pipeline.open(folder / job.labels["map"] / "result.nc") as ds:
            xr.testing.assert_equal(job.data, ds)
            assert job.data.attrs["document"] == ds.attrs["document"]


def test_the_jobs_of_groups_are_found(folder):
    found = jobs(folder / "groups.nc")
    assert [job.labels for job in found] == [{"map": "logistic"}, {"map": "henon"}]
    assert "y_final" in found[1].data
    assert "henon" in found[1].data.attrs["document"]


def test_jobs_of_strangers(folder, elsewhere, monkeypatch):
    """Provenance that is no JSON leaves the labels of the coordinates; jobs are bounded."""
    with netCDF4.Dataset(elsewhere / "sweep.nc", "a") as file:
        text = file["provenance"]["job_1"]
        text[:] = np.full(text.shape, b"[")
    assert [job.labels for job in jobs(elsewhere / "sweep.nc")][1] == {"map": "cubic"}
    monkeypatch.setattr(joined, "MOST_JOBS", 2)
    with pytest.raises(ArchiveError, match="more jobs than a sweep has"):
        jobs(elsewhere / "sweep.nc")


def test_a_folder_stands_for_what_it_holds(folder):
    assert presentation.located(folder) == folder / "sweep.nc"
    assert presentation.located(folder / "henon") == folder / "henon" / "result.nc"
    assert presentation.located("none.nc") == Path("none.nc")
    with pytest.raises(CobwebError, match=r"a folder that has sweep\.nc, result\.nc"):
        presentation.located(folder.parent)


def test_a_variable_called_job_makes_no_sweep(folder, elsewhere):
    """Neither a real one nor one over other dimensions; none of them is a traceback."""
    with pipeline.open(folder / "logistic" / "result.nc") as ds:
        runs_of = [
            ds.assign(job=ds["x_final"]),
            ds.assign(job=ds["status"].astype(int)),
            ds.assign(job=("iteration", np.arange(ds.sizes["iteration"]))),
            ds.drop_vars("status").assign(job=0, job_error=""),
        ]
        for one in runs_of:
            assert not joined.joins(one)
            assert [run.labels for run in joined.runs(folder / "sweep.nc", [one])] == [{}]
