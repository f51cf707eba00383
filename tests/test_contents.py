"""Contents: an open archive, read piece by piece."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import archive, contents, verification
from pipeline.errors import ForeignError
from tests.archives import filed, rewritten

PARTS: dict[str, Any] = {"map": "henon", "grid": {"a": [1.1, 1.2], "b": [0.1, 0.2, 0.3]}}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of six cells."""
    return filed(tmp_path_factory.mktemp("contents") / "result.nc", **PARTS)


def test_values_of_cells(path: Path) -> None:
    """Any run of the flattened grid's cells, as the whole has them."""
    with contents.opened(path) as found:
        whole = found.read("x", ()).reshape(6, -1)
        for first in range(6):
            for last in range(first + 1, 7):
                cells = found.cells("x", (2, 3), first, last)
                assert np.array_equal(cells, whole[first:last])


def test_digests_are_those_that_were_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read whole, or seven bytes at a time."""
    for piece in (contents.PIECE, 7):
        monkeypatch.setattr(contents, "PIECE", piece)
        with contents.opened(path) as found:
            assert {name: found.digest(name) for name in found.names()} == found.hashes()


def test_other_byte_orders(path: Path, tmp_path: Path) -> None:
    """The hash is of the values, however a file holds them."""
    with netCDF4.Dataset(tmp_path / "big.nc", "w") as file:
        archive.describe(file, {"document": "{}"})
        file.createDimension("a", 3)
        big = file.createVariable("x", ">f8", ("a",), endian="big", fill_value=False)
        big[:] = [1, 2, 3]
    with contents.opened(tmp_path / "big.nc") as found:
        x = found.read("x", ())
        assert x.dtype.isnative
        assert x.tolist() == [1, 2, 3]
        content = b"x <f8 [3]\n" + x.astype("<f8").tobytes()
        assert found.digest("x") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("text", ["[" * 10**5, "{", "[1]", "3", ""])
def test_tables_that_are_none(text: str, path: Path, tmp_path: Path) -> None:
    """Told by the name of the text, before anything is computed."""
    for name in ("plan", "sha256"):
        other = rewritten(path, tmp_path / "o.nc", **{name: text})
        with pytest.raises(ForeignError, match=rf"o\.nc: /provenance/{name} cannot be read\."):
            verification.verify(other)


def test_hashes_that_are_none(path: Path, tmp_path: Path) -> None:
    for hashes, told in (
        ({"x": "f" * 63}, "/provenance/sha256 cannot be read"),
        ({"x": 7}, "/provenance/sha256 cannot be read"),
        ({}, "no hashes are recorded, so nothing can be verified"),
    ):
        other = rewritten(path, tmp_path / "o.nc", sha256=json.dumps(hashes))
        with pytest.raises(ForeignError, match=told):
            verification.verify(other, quick=True)


@given(st.lists(st.integers(0, 5), max_size=4).map(tuple), st.integers(1, 200))
def test_pieces_cover_an_array(shape: tuple[int, ...], size: int) -> None:
    """In the order of its values, none larger than it should be."""
    array = np.arange(math.prod(shape)).reshape(shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "PIECE", size)
        boxes = list(contents.pieces(shape, 8))
    parts = [array[box or ...].ravel() for box in boxes]
    assert all(part.size <= max(1, size // 8) for part in parts)
    assert np.array_equal(np.concatenate([*parts, []]), array.ravel())
