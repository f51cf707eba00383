"""Comparison: what differs between two archives, and what counts as a difference."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from pipeline import archive, comparison
from pipeline.__main__ import main
from pipeline.errors import ForeignError
from tests.archives import edited, filed, rewritten

PARTS: dict[str, Any] = {"map": "henon", "grid": {"a": [1.1, 1.2, 1.3]}, "length": 20}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What others are compared with."""
    return filed(tmp_path_factory.mktemp("comparison") / "result.nc", **PARTS)


def test_the_same(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Made again: another file of the same content; the time it took does not count."""
    again = filed(tmp_path / "again.nc", **PARTS)
    found = comparison.compare(path, again)
    assert not found.differs
    assert (found.document, found.environment, found.declared) == ((), (), ())
    assert {pair.name for pair in found.pairs} == {"a", "iteration", "status", "x", "y"}
    assert main(["diff", str(path), str(again)]) == 0
    assert capsys.readouterr().out == (
        f"{path} -> {again}\n\n5 of 5 variables of the same shape are equal.\n"
        "The documents and the results are the same.\n"
    )


def test_another_document(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Key by key; lists are one value; values follow."""
    other = filed(tmp_path / "o.nc", **{**PARTS, "grid": {"a": [1.1, 1.2, 1.35]}}, seed=7)
    found = comparison.compare(path, other)
    assert found.document == (
        ("grid.a.values", "[1.1, 1.2, 1.3]", "[1.1, 1.2, 1.35]"),
        ("seed", "0", "7"),
    )
    counts = {pair.name: pair.difference.differing for pair in found.pairs}
    assert counts == {"a": 1, "iteration": 0, "status": 0, "x": 20, "y": 19}
    assert main(["diff", str(path), str(other)]) == 1
    out = capsys.readouterr().out
    assert "\ndocument\n  grid.a.values  [1.1, 1.2, 1.3] -> [1.1, 1.2, 1.35]\n" in out
    assert "\nvalues\n  a: 1 of 3 differ, by at most 0.05 (" in out
    assert "2 of 5 variables of the same shape are equal." in out


def test_other_shapes(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Variables of one alone, and of other sides, are told and not compared."""
    other = filed(tmp_path / "o.nc", **{**PARTS, "length": 30, "analysis": {"final": {}}})
    found = comparison.compare(path, other)
    assert found.declared == (
        ("iteration", "int64 (iteration = 21)", "-"),
        ("x", "float64 (a = 3, iteration = 21)", "-"),
        ("y", "float64 (a = 3, iteration = 21)", "-"),
        ("x_final", "-", "float64 (a = 3)"),
        ("y_final", "-", "float64 (a = 3)"),
    )
    assert found.differs
    text = comparison.report(found)
    assert re.search(r"^  iterate\.length +20 -> 30$", text, re.MULTILINE)
    assert "\nvariables\n  iteration  int64 (iteration = 21) -> -\n" in text


def test_where_it_was_computed_does_not_count(path: Path, tmp_path: Path) -> None:
    """But is told: versions one by one, long texts by their length."""
    packages = {**json.loads(archive.provenance(path)["packages"]), "jax": "0.1"}
    texts = {"packages": json.dumps(packages), "git_diff": "a\nb\nc", "device": "gpu: 1 x A"}
    other = rewritten(path, tmp_path / "o.nc", **texts)
    found = comparison.compare(other, path)
    assert not found.differs
    changed = {key: old for key, old, _ in found.environment}
    assert changed == {"jax": "0.1", "git_diff": "a\nb\nc", "device": "gpu: 1 x A"}
    text = comparison.report(found)
    assert "  git_diff  (3 lines) -> " in text
    assert "  device    gpu: 1 x A -> cpu: 1 x cpu" in text


def test_numbers_that_are_near(path: Path, tmp_path: Path) -> None:
    with edited(path, tmp_path / "o.nc") as file:
        file["x"][1, 5] *= 1 + 1e-6
    for rtol, differing in ((0, 1), (1e-7, 1), (1e-5, 0)):
        found = comparison.compare(path, tmp_path / "o.nc", rtol)
        assert {p.name: p.difference.differing for p in found.pairs}["x"] == differing
        assert found.differs == bool(differing)
    assert main(["diff", str(path), str(tmp_path / "o.nc"), "--rtol", "1e-5"]) == 0


def _estimates(path: Path, target: Path, values: list[float], errors: list[float]) -> Path:
    """A copy with results that state their errors."""
    with edited(path, target) as file:
        for name, numbers in (("mean", values), ("mean_error", errors)):
            file.createVariable(name, "f8", ("a",), fill_value=False)[:] = numbers
        file["mean"].ancillary_variables = "mean_error"
    return target


def test_stated_errors(path: Path, tmp_path: Path) -> None:
    """Within five errors of the difference, or beyond."""
    first = _estimates(path, tmp_path / "1.nc", [1, 2, np.nan], [0.01, 0.01, np.nan])
    for values, within in (([1.05, 2, np.nan], True), ([1, 2.08, np.nan], False)):
        second = _estimates(path, tmp_path / "2.nc", values, [0.01, 0.01, np.nan])
        found = comparison.compare(first, second)
        pairs = {pair.name: pair for pair in found.pairs}
        assert pairs["mean"].errors is within
        assert pairs["x"].errors is None
        assert found.differs
        words = "all within 5 of" if within else "some beyond 5 of"
        assert f"{words} the errors that they state" in comparison.report(found)


def test_nan_in_one_alone(path: Path, tmp_path: Path) -> None:
    with edited(path, tmp_path / "o.nc") as file:
        file["x"][0, 3] = np.nan
    text = comparison.report(comparison.compare(path, tmp_path / "o.nc"))
    assert "  x: 1 of 63 differ, 1 of them NaN in one alone" in text


def test_archives_that_were_joined(path: Path, tmp_path: Path) -> None:
    """Groups and texts are compared; with a single run they are not."""
    for name, letter in (("1.nc", "a"), ("2.nc", "b")):
        with netCDF4.Dataset(tmp_path / name, "w") as file:
            archive.describe(file, {"jobs": "2"})
            group = file.createGroup("first")
            group.createDimension("n", 2)
            group.createVariable("x", "f8", ("n",))[:] = [1, 2]
            file.createDimension("n", 2)
            labels = file.createVariable("map", str, ("n",))
            labels[0], labels[1] = "henon", letter
    found = comparison.compare(tmp_path / "1.nc", tmp_path / "2.nc")
    counts = {pair.name: pair.difference.differing for pair in found.pairs}
    assert counts == {"map": 1, "first/x": 0}
    with pytest.raises(ForeignError, match=r"1\.nc: it was joined .* compare two of a kind"):
        comparison.compare(tmp_path / "1.nc", path)


def test_files_that_are_none(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["diff", str(path), str(tmp_path / "absent.nc")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'absent.nc'}: no such file.\n"
