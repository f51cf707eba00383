"""Axes from the columns of a CSV file."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from pipeline import config
from pipeline.config import table
from pipeline.config.values import Unfit
from tests.config.cases import LOGISTIC, mistakes, read

TEXT = "run, a ,x\n1,3.2,0.1\n\n2, 3.5 ,1e-3\n3,7/2,.5\n"


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(TEXT)
    return path


def test_one_column(runs):
    experiment = read(LOGISTIC, grid={"a": {"file": str(runs), "column": "a"}})
    np.testing.assert_array_equal(experiment.grid[0].values[:, 0], [3.2, 3.5, 3.5])
    assert experiment.document["grid"]["a"] == {
        "file": str(runs),
        "column": "a",
        "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
        "values": [3.2, 3.5, 3.5],
    }
    # The resolved document needs no file.
    runs.unlink()
    again = config.read(experiment.document)
    np.testing.assert_array_equal(again.grid[0].values, experiment.grid[0].values)
    assert again.document == experiment.document


def test_paired_columns(runs):
    node = {"of": ["x0", "a"], "file": str(runs), "column": ["x", "a"]}
    experiment = read(LOGISTIC, grid={"runs": node})
    expected = [[0.1, 3.2], [1e-3, 3.5], [0.5, 3.5]]
    np.testing.assert_array_equal(experiment.grid[0].values, expected)
    runs.unlink()
    assert config.read(experiment.document).document == experiment.document


def test_byte_order_mark(runs):
    runs.write_text(TEXT, encoding="utf-8-sig")
    assert len(table.read("", {"file": str(runs), "column": "run"})[0]) == 3


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (TEXT, "b", r"has no column b \(known: a, run, x\)"),
        (TEXT, ["a", "b"], "has no column b"),
        (TEXT, 3, "expected file: and column: as texts, or a list of columns"),
        ("a,a\n1,2\n", "a", "has 2 columns a"),
        ("a,b\n1\n", "b", 'line 2, column b: "" is no finite number'),
        ("a\n1\nx\n", "a", 'line 3, column a: "x" is no finite number'),
        ("a\n1e99\n1e999\n", "a", 'line 3, column a: "1e999" is no finite number'),
        ("a\nnan\n", "a", 'line 2, column a: "nan" is no finite number'),
        ("a\n", "a", "has no rows below its header"),
        ("", "a", "has no column a"),
        (b"a\n\xff\n", "a", "is no CSV text in UTF-8"),
        ('a\n"1\n', "a", "is no CSV text in UTF-8"),
        ("a\n" + "1" * 200_000, "a", "is no CSV text in UTF-8"),
    ],
)
def test_mistakes(tmp_path, text, column, message):
    path = tmp_path / "runs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Unfit, match=message):
        table.read("grid.a", {"file": str(path), "column": column})


def test_no_file(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path, "/dev/zero"):
        assert mistakes(LOGISTIC, grid={"a": {"file": str(path), "column": "a"}}) == [
            f"grid.a: there is no file {path}."
        ]
    with pytest.raises(Unfit, match=r"cannot be read|there is no file"):
        table.read("", {"file": "x" * 5000, "column": "a"})
    with pytest.raises(Unfit, match=r"cannot be read|there is no file"):
        table.read("", {"file": "a\0b", "column": "a"})


def test_too_large(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    with path.open("wb") as file:
        file.truncate(table.LARGEST + 1)
    with pytest.raises(Unfit, match="is larger than 64 MiB"):
        table.read("", {"file": str(path), "column": "a"})
    path.write_text("a\n1\n2\n3\n")
    monkeypatch.setattr(table, "MOST", 2)
    with pytest.raises(Unfit, match="has more than 2 rows"):
        table.read("", {"file": str(path), "column": "a"})
