"""Archives below a folder in one file: what tells them apart, and what stays out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr
import yaml

import pipeline
from pipeline import archive, gathering
from pipeline.__main__ import main
from pipeline.errors import CobwebError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One result of the logistic map."""
    base = tmp_path_factory.mktemp("gathering")
    words = ("experiment=orbit", "analysis=[final]", "iterate.length=5", "figure=none")
    pipeline.run(*words, "grid={x0: [0.1, 0.2]}", folder=base).close()
    return base / "result.nc"


def put(made: Path, folder: Path, **changes) -> Path:
    """The result again, its document changed at dotted keys (`__` for a dot)."""
    folder.mkdir(parents=True)
    path = folder / "result.nc"
    shutil.copy(made, path)
    with archive.read(made) as ds:
        document = yaml.safe_load(ds.attrs["document"])
    for key, value in changes.items():
        *outer, last = key.split("__")
        inner = document
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = value
    write(path, yaml.safe_dump(document, sort_keys=False))
    return path


def write(path: Path, text: str) -> None:
    """Another document in an archive."""
    letters = np.frombuffer(text.encode(), "S1")
    with netCDF4.Dataset(path, "a") as file:
        group = file["provenance"]
        group.renameVariable("document", f"former_{len(group.variables)}")
        length = f"length_{len(group.dimensions)}"
        group.createDimension(length, letters.size)
        group.createVariable("document", "S1", (length,))[:] = letters
        group["document"].setncattr("_Encoding", "utf-8")


def labels(folder: Path) -> dict[str, tuple]:
    return dict(gathering.collect(folder).labels)


def test_choices_tell_archives_apart(made, tmp_path):
    """A map's formulas follow from its name, so the name alone is the label."""
    put(made, tmp_path / "1", map__name="logistic", device__precision="double")
    put(
        made,
        tmp_path / "2",
        map__name="tent",
        map__equations={"x": "x"},
        device__precision="double",
    )
    put(made, tmp_path / "3", map__name="logistic", device__precision="single")
    put(
        made,
        tmp_path / "4",
        map__name="tent",
        map__equations={"x": "x"},
        device__precision="single",
    )
    assert labels(tmp_path) == {"map": ("logistic", "tent"), "precision": ("double", "single")}
    with archive.read(tmp_path / "collection.nc") as ds, archive.read(made) as one:
        assert ds["x_final"].dims == ("map", "precision", "x0")
        for name in ("logistic", "tent"):
            part = ds["x_final"].sel(map=name, precision="single")
            np.testing.assert_array_equal(part, one["x_final"])


def test_numbers_rise_along_their_label(made, tmp_path):
    for k, a in enumerate([3.9, 3.1, 3.5]):
        put(made, tmp_path / str(k), map__parameters__a=a)
    assert labels(tmp_path) == {"a": (3.1, 3.5, 3.9)}
    with xr.open_dataset(tmp_path / "collection.nc") as ds:
        np.testing.assert_array_equal(ds["a"], [3.1, 3.5, 3.9])


def test_names_are_as_short_as_they_can_be(made, tmp_path):
    changes = [(1, 1), (1, 2), (2, 1), (2, 2)]
    for k, (first, second) in enumerate(changes):
        put(made, tmp_path / str(k), map__parameters__length=first, iterate__length=second)
    assert labels(tmp_path) == {"parameters_length": (1, 2), "iterate_length": (1, 2)}


def test_what_does_not_change_a_result_is_no_label(made, tmp_path):
    put(made, tmp_path / "one", figure__style="paper", device__memory=1, experiment="a")
    put(made, tmp_path / "two", figure__style="screen", device__memory=2, experiment="b")
    assert labels(tmp_path) == {"folder": ("one", "two")}


def test_equal_documents_beside_each_other(made, tmp_path):
    put(made, tmp_path / "one")
    shutil.copy(made, tmp_path / "one" / "again.nc")
    assert labels(tmp_path) == {"folder": ("one/again.nc", "one/result.nc")}


def test_some_documents_equal(made, tmp_path):
    put(made, tmp_path / "a", map__name="tent")
    put(made, tmp_path / "b" / "c", map__name="logistic")
    put(made, tmp_path / "b" / "d", map__name="logistic")
    found = labels(tmp_path)
    assert found == {"map": ("tent", "logistic"), "folder": ("a", "b/c", "b/d")}


def test_analyses_and_lists_are_labels_too(made, tmp_path):
    put(made, tmp_path / "1", analysis={"final": {}})
    put(made, tmp_path / "2", analysis={"final": {}, "orbit": {"every": 1}})
    put(made, tmp_path / "3", analysis={"final": {}}, grid__x0={"values": [1, 2]})
    put(made, tmp_path / "4", analysis={"final": {}}, grid__x0={"values": [2, 3]})
    found = labels(tmp_path)
    assert found["analysis"] == ("final", "final orbit")
    assert found["values"][-2:] == ("[1, 2]", "[2, 3]")


def test_few_combinations_of_many_are_labelled_by_folder(made, tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "SPARSEST", 1)
    put(made, tmp_path / "p", map__parameters__a=1, map__parameters__b=1)
    put(made, tmp_path / "q", map__parameters__a=1, map__parameters__b=2)
    put(made, tmp_path / "r", map__parameters__a=2, map__parameters__b=3)
    assert labels(tmp_path) == {"folder": ("p", "q", "r")}


def test_one_archive_is_a_collection_of_one(made, tmp_path):
    put(made, tmp_path / "a")
    found = gathering.collect(tmp_path / "a")
    assert (found.members, found.labels) == (1, {})


def test_the_command(made, tmp_path, capsys):
    """It says what tells the archives apart; collecting again replaces what it made."""
    put(made, tmp_path / "runs" / "1", map__name="tent")
    put(made, tmp_path / "runs" / "2", map__name="\x1b[2Jcubic")
    (tmp_path / "runs" / "3").mkdir()
    (tmp_path / "runs" / "3" / "result.nc").write_text("broken")
    (tmp_path / "runs" / "3" / ".result.nc.partial").write_text("unfinished")
    target = tmp_path / "all.nc"
    for _ in range(2):
        assert main(["collect", str(tmp_path / "runs"), "-o", str(target)]) == 0
        told = capsys.readouterr()
        assert told.out == f"{target}: 2 archives\n  map: tent, ?[2Jcubic\n"
        broken = tmp_path / "runs" / "3" / "result.nc"
        assert told.err.startswith(f"left out: {broken}: not a netCDF file, or damaged")
        assert len(told.err.splitlines()) == 1
    assert main(["collect", str(tmp_path / "runs")]) == 0
    assert main(["collect", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert f"{tmp_path / 'collection.nc'}: 2 archives" in told.out


def test_what_cannot_be_collected(made, tmp_path, capsys):
    path = put(made, tmp_path / "a")
    (tmp_path / "text").write_text("mine")
    (tmp_path / "empty").mkdir()
    for words, message in [
        ([tmp_path / "none"], f"{tmp_path / 'none'}: no such folder."),
        ([tmp_path / "empty"], f"{tmp_path / 'empty'}: no archive of a run below it."),
        ([tmp_path, "-o", path], f"{path}: is there already and joins no runs"),
        ([tmp_path, "-o", tmp_path / "text"], f"{tmp_path / 'text'}: is there already"),
        ([tmp_path, "-o", tmp_path / "b" / "c.nc"], f"{tmp_path / 'b'}: no such folder."),
    ]:
        assert main(["collect", *map(str, words)]) == 2
        assert message in capsys.readouterr().err
    assert (tmp_path / "text").read_text() == "mine"
    gathering.collect(tmp_path, tmp_path / "empty" / "sweep.nc")
    with pytest.raises(CobwebError, match=r"sweep\.nc: joins runs itself"):
        gathering.collect(tmp_path / "empty")


def test_the_wrong_folder_is_noticed(made, tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "MOST_ARCHIVES", 2)
    for k in range(3):
        put(made, tmp_path / str(k))
    with pytest.raises(CobwebError, match="more than 2 archives below it"):
        gathering.collect(tmp_path)


LAUGHS = "a: &a [l, l, l, l, l, l, l, l, l, l]\n" + "".join(
    f"{chr(98 + k)}: &{chr(98 + k)} [{', '.join([f'*{chr(97 + k)}'] * 10)}]\n" for k in range(12)
)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "!!python/object/apply:os.system [exit]",
        "a: &a {b: *a}",
        "a: &a [*a]",
        LAUGHS,
        LAUGHS.replace("[", "{").replace("]", "}"),
        "{a: !!timestamp 2001-01-01, 1: 2}",
        "- a\n- b\n",
        "\t",
    ],
)
def test_documents_of_strangers(made, tmp_path, text):
    """Whatever the document says, the archive is joined, and soon."""
    put(made, tmp_path / "good")
    write(put(made, tmp_path / "bad", map__name="x"), text)
    found = gathering.collect(tmp_path)
    assert found.members == 2
    assert os.path.getsize(found.path) < 10**6
