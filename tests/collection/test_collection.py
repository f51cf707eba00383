"""Results joined into one file: labels, structures, failures, provenance."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import h5netcdf
import netCDF4
import numpy as np
import pytest
import xarray

from pipeline import archive, config, execution
from pipeline.collection import Member, file, join
from pipeline.errors import ArchiveError, CobwebError
from tests.runs import document

GRID = {"a": {"values": [3.2, 3.5, 3.9]}}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """{name: an archive} of three orbits of three values of a."""
    folder = tmp_path_factory.mktemp("results")
    made = {
        "logistic": document(map="logistic", grid=GRID, length=5),
        "single": document(map="logistic", grid=GRID, length=5, device={"precision": "single"}),
        "cubic": document(map="cubic", grid=GRID, length=5),
        "henon": document(map="henon", grid=GRID, length=5),
        "other": document(map="cubic", grid={"a": {"values": [1, 2, 3]}}, length=5),
        "newton": document(
            map="quadratic", solver="newton", length=20,
            grid={"x0": {"values": [0, 2.5, 9]}, "s": {"of": ["c"], "values": [20, 21]}},
        ),
        "pairs": document(
            map="logistic", length=5, grid={"p": {"of": ["a", "x0"], "values": [[3, 0], [2, 1]]}}
        ),
    }  # fmt: skip
    for name, described in made.items():
        execution.file(config.read(described), folder / name)
    return {name: folder / name / execution.RESULT for name in made}


def maps(results, *names):
    """Members labelled by their map."""
    return [Member({"map": name}, results[name]) for name in names]


def test_equal_structures_share_an_array(results, tmp_path):
    """Along a dimension of each label, in the order of the members."""
    target = tmp_path / "sweep.nc"
    labels = [(m, n) for m in ("logistic", "cubic") for n in (5, 7)]
    members = [Member({"map": m, "seed": n}, results[m]) for m, n in labels]
    join(members, target)
    with xarray.open_dataset(target) as ds, xarray.open_dataset(results["cubic"]) as cubic:
        assert ds["x"].dims == ("map", "seed", "a", "iteration")
        assert ds["map"].values.tolist() == ["logistic", "cubic"]
        assert (ds["seed"].dtype, ds["seed"].values.tolist()) == (np.int64, [5, 7])
        assert ds["job"].values.tolist() == [[0, 1], [2, 3]]
        assert ds["job_error"].values.tolist() == [["", ""], ["", ""]]
        assert ds["x"].attrs["long_name"] == cubic["x"].attrs["long_name"]
        for name in ("x", "status", "a", "iteration"):
            one = ds.sel(map="cubic", seed=7)[name]
            assert np.array_equal(one.values, cubic[name].values)
            assert one.dtype == cubic[name].dtype
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep.nc"]


def test_labels_survive_saving(results, tmp_path):
    """xarray cuts texts of different lengths that it has concatenated; these it reads whole."""
    target, again = tmp_path / "sweep.nc", tmp_path / "again.nc"
    names = ["a", "a long name that goes on and on", "\u00e9t\u00e9"]
    join([Member({"map": name}, results["logistic"]) for name in names], target)
    with xarray.open_dataset(target) as ds:
        assert ds["map"].values.tolist() == names
        ds.to_netcdf(again)
    with xarray.open_dataset(again) as ds:
        assert ds["map"].values.tolist() == names
    with h5netcdf.File(target) as other:
        assert other["map"][1].tobytes().decode().rstrip("\0") == names[1]


def test_precisions_share_an_array(results, tmp_path):
    """In the wider type; the coordinate is the exact one."""
    members = [Member({"precision": n}, results[n]) for n in ("single", "logistic")]
    join(members, tmp_path / "sweep.nc")
    with (
        xarray.open_dataset(tmp_path / "sweep.nc") as ds,
        xarray.open_dataset(results["single"]) as single,
    ):
        assert ds["x"].dtype == np.float64
        assert ds["a"].values.tolist() == [3.2, 3.5, 3.9]
        assert np.array_equal(ds["x"].values[0], single["x"].values.astype(float))


def test_other_structures_have_groups(results, tmp_path):
    """Where one label tells them apart, the values of one structure share a group."""
    target = tmp_path / "sweep.nc"
    join(maps(results, "logistic", "henon", "cubic", "other"), target)
    with xarray.open_datatree(target) as tree:
        assert set(tree.children) == {"logistic_cubic", "henon", "other", "provenance"}
        assert tree["logistic_cubic"]["x"].dims == ("map", "a", "iteration")
        assert tree["henon"]["y"].dims == ("a", "iteration")
        assert tree["henon"]["map"].item() == "henon"
        assert tree["henon"]["job"].item() == 1
        assert tree["other"]["a"].values.tolist() == [1, 2, 3]


def test_groups_of_two_labels(results, tmp_path):
    """A structure that depends on both: no place of a grid is left open that no job failed at."""
    names = ["logistic", "henon", "cubic", "cubic"]
    labels = [(m, n) for m in ("one", "two") for n in (1, 2.5)]
    members = [
        Member({"map": m, "n": n}, results[name])
        for (m, n), name in zip(labels, names, strict=True)
    ]
    join(members, tmp_path / "sweep.nc")
    with xarray.open_datatree(tmp_path / "sweep.nc") as tree:
        assert set(tree.children) == {"one_n_1", "one_n_2.5", "two_n_1", "two_n_2.5", "provenance"}
        assert tree["one_n_2.5"]["n"].item() == 2.5


def test_a_failed_job_is_missing_numbers_and_its_error(results, tmp_path):
    target = tmp_path / "sweep.nc"
    error = "the disk is full \u2013 really"
    ok = Member({"n": 0}, results["newton"])
    join([ok, Member({"n": 1}, None, error)], target)
    with xarray.open_dataset(target) as ds, xarray.open_dataset(results["newton"]) as newton:
        assert ds["job_error"].values.tolist() == ["", error]
        assert np.array_equal(ds["status"][0], newton["status"])
        assert np.array_equal(ds["x_final"][0], newton["x_final"])
        failed = ds.isel(n=1)
        meaning = ds["status"].attrs["flag_meanings"].split()
        assert {meaning[code] for code in failed["status"].values.ravel()} == {"job_failed"}
        assert np.isnan(failed["x_final"]).all()
        assert (failed["steps"] == -1).all()
        assert (failed["fixed_point_kind"] == 0).all()
        assert ds["steps"].dtype == newton["steps"].dtype


def test_nothing_but_failures(tmp_path):
    join([Member({"map": m}, None, "no") for m in ("a", "b")], tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc") as ds:
        assert ds["status"].values.tolist() == [7, 7]
        assert ds["job_error"].values.tolist() == ["no", "no"]


def test_a_failure_beside_other_structures(results, tmp_path):
    """Its own structure is not known, so it has a group of its own."""
    members = [*maps(results, "logistic", "henon"), Member({"map": "lost"}, None, "no")]
    join(members, tmp_path / "sweep.nc")
    with xarray.open_datatree(tmp_path / "sweep.nc") as tree:
        assert tree["lost"]["job_error"].item() == "no"
        assert tree["lost"]["status"].item() == 7


def test_what_jobs_cost_is_no_content(results, tmp_path):
    """It lies over the labels, NaN of what failed or is unknown, and no hash covers it."""
    older = tmp_path / "older.nc"
    shutil.copy(results["logistic"], older)
    with netCDF4.Dataset(older, "a") as file:
        for name in ("timing_compile_seconds", "timing_run_seconds", "program_bytes"):
            file["provenance"].delncattr(name)
    timed = tmp_path / "timed.nc"
    shutil.copy(results["cubic"], timed)
    with netCDF4.Dataset(timed, "a") as file:
        file["provenance"].timing_run_seconds = 1.5
    paths = [timed, older, None]
    members = [Member({"n": n}, path) for n, path in enumerate(paths)]
    join(members, tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc") as ds:
        assert set(archive.COSTS) <= set(ds.data_vars)
        np.testing.assert_array_equal(ds["job_run_seconds"], [1.5, np.nan, np.nan])
        assert ds["job_run_seconds"].attrs["units"] == "s"
    hashes = json.loads(archive.provenance(tmp_path / "sweep.nc")["sha256"])
    assert not set(archive.COSTS) & set(hashes)


def test_one_job_without_labels(results, tmp_path):
    """The whole grid, the values beside a paired axis included."""
    join([Member({}, results["pairs"])], tmp_path / "sweep.nc")
    with (
        xarray.open_dataset(tmp_path / "sweep.nc") as ds,
        xarray.open_dataset(results["pairs"]) as pairs,
    ):
        xarray.testing.assert_identical(
            ds.drop_vars(["job", "job_error", *archive.COSTS]).drop_attrs(deep=False),
            pairs.drop_attrs(deep=False),
        )


def test_a_label_makes_way_for_a_name_of_the_results(results, tmp_path):
    join([Member({"x": m}, results[m]) for m in ("logistic", "cubic")], tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc") as ds:
        assert ds["x_choice"].values.tolist() == ["logistic", "cubic"]
        assert ds["x"].dims == ("x_choice", "a", "iteration")


def test_provenance_of_all_jobs(results, tmp_path):
    """Once what they share; of each its labels, document, overrides and hashes."""
    target = tmp_path / "sweep.nc"
    join([*maps(results, "logistic", "cubic"), Member({"map": "lost"}, None, "no")], target)
    texts = archive.provenance(target)
    one = archive.provenance(results["logistic"])
    assert texts["jobs"] == "3"
    assert texts["packages"] == one["packages"]
    assert "document" not in texts
    first, _, lost = (json.loads(texts[f"job_{n}"]) for n in range(3))
    assert first["labels"] == {"map": "logistic"}
    assert (tmp_path / first["path"]).resolve() == results["logistic"].resolve()
    assert (first["document"], first["sha256"]) == (one["document"], one["sha256"])
    assert lost == {"labels": {"map": "lost"}, "path": None, "error": "no"}


def test_the_hashes_are_those_of_the_contents(results, tmp_path):
    target = tmp_path / "sweep.nc"
    join(maps(results, "logistic", "henon"), target)
    hashes = json.loads(archive.provenance(target)["sha256"])
    assert set(hashes) == {"logistic/status", "logistic/x", "henon/status", "henon/x", "henon/y"}
    with netCDF4.Dataset(target) as found:
        for name, expected in hashes.items():
            values = found[name][...].data
            heading = f"{name.split('/')[1]} {values.dtype.str} {list(values.shape)}\n"
            assert hashlib.sha256(heading.encode() + values.tobytes()).hexdigest() == expected


def test_large_results_are_copied_in_pieces(results, tmp_path, monkeypatch):
    """The same file, whatever the size of a piece."""
    whole, pieces = tmp_path / "whole.nc", tmp_path / "pieces.nc"
    members = maps(results, "logistic", "cubic")
    join(members, whole)
    monkeypatch.setattr(file, "_PIECE", 64)
    join(members, pieces)
    assert archive.provenance(whole)["sha256"] == archive.provenance(pieces)["sha256"]
    with xarray.open_dataset(whole) as a, xarray.open_dataset(pieces) as b:
        assert a.equals(b)


def test_a_member_that_cannot_be_read_counts_as_failed(results, tmp_path):
    """No archive, one of several jobs, one cut short: told, and the others are there."""
    (tmp_path / "text.nc").write_text("no archive")
    cut = tmp_path / "cut.nc"
    cut.write_bytes(results["cubic"].read_bytes()[:-5000])
    join([Member({}, None, "no")], tmp_path / "joined.nc")
    strange = ["absent.nc", "text.nc", "cut.nc"]
    members = maps(results, "logistic", "cubic")
    members += [Member({"map": name}, tmp_path / name) for name in strange]
    join(members, tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc") as ds:
        errors = ds["job_error"].values
        assert errors[:2].tolist() == ["", ""]
        assert errors[2].endswith("absent.nc: no such file.")
        assert "text.nc: not a netCDF file, or damaged" in errors[3]
        assert "cut.nc: not a netCDF file, or damaged" in errors[4]
        assert (ds["status"][2:] == 7).all()
        assert (ds["status"][:2] != 7).all()


def test_damage_that_shows_late(results, tmp_path):
    """One flipped bit, found while the values are copied: the file is begun again without it."""
    content = bytearray(results["cubic"].read_bytes())
    with netCDF4.Dataset(results["cubic"]) as cubic:
        at = content.index(cubic["x"][...].data.tobytes())
    content[at + 20] ^= 1
    (tmp_path / "flipped.nc").write_bytes(content)
    members = [*maps(results, "logistic"), Member({"map": "cubic"}, tmp_path / "flipped.nc")]
    join(members, tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc") as ds:
        assert ds["job_error"].values[1].endswith("damaged (x is not what was filed).")
        assert np.isnan(ds["x"][1]).all()
        assert not np.isnan(ds["x"][0]).any()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flipped.nc", "sweep.nc"]


def strange(path: Path, **variables) -> Path:
    """A file that says it is an archive."""
    with netCDF4.Dataset(path, "w") as made:
        made.createGroup("provenance")
        made.createDimension("cell", 4)
        for name, kind in variables.items():
            made.createVariable(name, kind, ("cell",))
    return path


def test_members_that_are_no_results(results, tmp_path, monkeypatch):
    joined = tmp_path / "joined.nc"
    join(maps(results, "logistic", "henon"), joined)
    kinds = {
        "bare.nc": strange(tmp_path / "bare.nc", x="f8"),
        "texts.nc": strange(tmp_path / "texts.nc", status="i1", x=str),
        "joined.nc": joined,
    }
    join([Member({"n": n}, path) for n, path in enumerate(kinds.values())], tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc") as ds:
        assert [e.rpartition(": ")[2] for e in ds["job_error"].values] == [
            "not the result of one run.",
            "x has no numbers; not the result of one run.",
            "not the result of one run.",
        ]
    monkeypatch.setattr("pipeline.collection.header.MOST_VALUES", 2)
    join(maps(results, "logistic"), tmp_path / "sweep.nc")
    with xarray.open_dataset(tmp_path / "sweep.nc") as ds:
        assert ds["job_error"].item().endswith("a is longer than any axis.")


def test_what_cannot_be_joined(results, tmp_path):
    target = tmp_path / "sweep.nc"
    with pytest.raises(CobwebError, match="no results to join"):
        join([], target)
    twice = maps(results, "logistic", "logistic")
    with pytest.raises(CobwebError, match=r"jobs 0 and 1 have the same labels: map=logistic\."):
        join(twice, target)
    with pytest.raises(CobwebError, match="jobs 0 and 1 are not labelled by the same names"):
        join([Member({"map": "a"}, None), Member({"seed": 1}, None)], target)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written(results, tmp_path, monkeypatch):
    """A folder that is not there, and a disk without room: nothing is left behind."""
    with pytest.raises(ArchiveError, match=r"sweep\.nc: cannot be written"):
        join(maps(results, "logistic"), tmp_path / "absent" / "sweep.nc")
    monkeypatch.setattr(file.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 100))
    with pytest.raises(ArchiveError, match=r"its disk has 0\.00 GiB free"):
        join(maps(results, "logistic"), tmp_path / "sweep.nc")
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(results, tmp_path, monkeypatch):
    target = tmp_path / "sweep.nc"
    join(maps(results, "logistic"), target)
    before = target.read_bytes()

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file, "_texts", broken)
    with pytest.raises(ArchiveError, match="No space left on device"):
        join(maps(results, "logistic", "cubic"), target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]
