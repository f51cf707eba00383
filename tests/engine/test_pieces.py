"""Parts: files of blocks that are whole or not there, and the cells that they are cut into."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import xarray
from hypothesis import given
from hypothesis import strategies as st

from pipeline import parts, pieces
from pipeline.engine import Wanted, pin
from pipeline.engine import wanted as wanted_module
from pipeline.errors import ArchiveError, DamageError

ARRAYS = {"x": np.arange(6.0).reshape(2, 3), "status": np.array([0, 2], np.int8)}


def test_a_part_comes_back(tmp_path: Path) -> None:
    path = parts.path_of(tmp_path, 4, 6)
    parts.write(path, ARRAYS)
    found = parts.read(path)
    assert found.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        assert found[name].dtype == values.dtype
        assert np.array_equal(found[name], values)
    assert os.listdir(tmp_path) == [path.name]
    assert parts.there(tmp_path) == ((4, 6),)


def test_every_flipped_byte_of_the_values_is_seen(tmp_path: Path) -> None:
    path = parts.path_of(tmp_path, 0, 2)
    parts.write(path, ARRAYS)
    content = path.read_bytes()
    begin = content.index(ARRAYS["x"].tobytes())
    for at in range(begin, begin + ARRAYS["x"].nbytes):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(DamageError, match=r"0-000000000000002\.zip: damaged"):
            parts.read(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DamageError, match="damaged"):
        parts.read(path)


def test_whatever_byte_is_flipped_is_damage_or_nothing(tmp_path: Path) -> None:
    """In what describes the values too: no other error of Python's, and no other values."""
    path = parts.path_of(tmp_path, 0, 2)
    parts.write(path, ARRAYS)
    content = path.read_bytes()
    for at, bit in itertools.product(range(len(content)), (1, 8, 128)):
        path.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
        with contextlib.suppress(DamageError):
            for name, values in parts.read(path, ARRAYS).items():
                assert values.tobytes() == ARRAYS[name].tobytes()


def test_what_is_packed_is_not_unpacked(tmp_path: Path) -> None:
    """A few bytes could become more than any memory holds."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("x.npy", bytes(2**20))
    with pytest.raises(DamageError, match="too large"):
        parts.read(path)


def test_what_killed_workers_leave_is_let_go(tmp_path: Path) -> None:
    for first, last in ((0, 4), (0, 2), (4, 8)):
        parts.write(parts.path_of(tmp_path, first, last), ARRAYS)
    for name in ("order.json", f".{parts.path_of(tmp_path, 4, 8).name}.abc"):
        (tmp_path / name).write_text("")
    parts.settle(tmp_path, [(0, 4, ""), (4, 8, "")])
    kept = [parts.path_of(tmp_path, *cells).name for cells in ((0, 4), (4, 8))]
    assert sorted(os.listdir(tmp_path)) == [*kept, "order.json"]


def test_objects_are_never_read(tmp_path: Path) -> None:
    """A pickle in a part would be code."""
    path = parts.path_of(tmp_path, 0, 1)
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        parts.write(path, {"x": np.array([object()])})
    assert os.listdir(tmp_path) == []


def test_what_is_there(tmp_path: Path) -> None:
    """In order; strangers, and what lies over another, are left out."""
    for first, last in ((8, 12), (0, 4), (2, 6), (4, 8)):
        parts.write(parts.path_of(tmp_path, first, last), ARRAYS)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".000000000000012-000000000000016.zip.abc").write_text("")
    assert parts.there(tmp_path) == ((0, 4), (4, 8), (8, 12))
    parts.remove(tmp_path, 8)
    assert parts.there(tmp_path) == ((8, 12),)


axis = st.lists(st.booleans(), min_size=1, max_size=7)


@given(st.lists(axis, min_size=1, max_size=3), st.integers(1, 9), st.integers(0, 20))
def test_pieces_cover_what_is_wanted(known: list[list[bool]], size: int, begin: int) -> None:
    """All of it, in order, so many at a time, whatever an earlier result has."""
    wanted = Wanted(tuple(map(len, known)), tuple(np.array(axis) for axis in known))
    whole = wanted.places(0, wanted.cells).tolist()
    with mock.patch.object(wanted_module, "MOST", 4):
        assert wanted.places(0, wanted.cells).tolist() == whole
    begin = min(begin, wanted.cells)
    at, found = begin, []
    for first, last in wanted.pieces(begin, size):
        assert first == at
        assert last > first
        places = wanted.places(first, last)
        assert len(places) <= size
        found += places.tolist()
        at = last
    assert at == wanted.cells
    new = ~np.logical_and.reduce(np.meshgrid(*wanted.known, indexing="ij")).ravel()
    assert found == [cell for cell in np.flatnonzero(new).tolist() if cell >= begin]
    assert wanted.count == np.count_nonzero(new)


def test_pieces_that_are_made_are_kept() -> None:
    """What lies between them is divided; one that the result has begun is not."""
    wanted = Wanted((20,))
    found = list(wanted.pieces(4, 5, ((0, 5), (8, 11), (11, 13))))
    assert found == [(4, 8), (8, 11), (11, 13), (13, 18), (18, 20)]


CLAIM = """
import sys
from pathlib import Path
from pipeline.engine import pin
print(pin.claimed(["0", "1"], Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_each_process_has_a_gpu_of_its_own(tmp_path: Path, root: Path) -> None:
    """That of one that was killed is free again; where there are too few they are shared."""

    def worker() -> tuple[subprocess.Popen[str], str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", CLAIM, str(tmp_path)]
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    (one, first), (two, second) = worker(), worker()
    assert (first, second) == ("0", "1")
    assert pin.claimed(["0", "1"], tmp_path) in ("0", "1")
    one.kill()
    one.communicate()
    three, third = worker()
    assert third == "0"
    for process in (two, three):
        process.communicate()


def test_what_a_worker_is_told_before_jax_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 7")
    monkeypatch.setattr(pin.tempfile, "gettempdir", lambda: str(tmp_path))
    for name in pin.THREADS:
        monkeypatch.setenv(name, "8")
        monkeypatch.delenv(name)
    pin.pin(3)
    assert [os.environ[name] for name in pin.THREADS] == ["3", "3"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4"


def index(firsts: list[int], lasts: list[int]) -> xarray.Dataset:
    named = {parts.FIRST: firsts, parts.LAST: lasts}
    return xarray.Dataset({name: (parts.PART, values) for name, values in named.items()})


VARIABLES = json.dumps([["x", ["a"], [6], "<f8", {"long_name": "x"}]])


def test_an_index_in_pieces(tmp_path: Path) -> None:
    """Values come from the pieces that have them, and from no others."""
    texts, folder = {"variables": VARIABLES, "pieces": "0" * 16}, tmp_path / ("0" * 16)
    folder.mkdir()
    parts.write(parts.path_of(folder, 0, 4), {"x": np.arange(4.0)})
    found = pieces.joined(index([0, 4], [4, 6]), texts, tmp_path / "index.nc")
    assert found["x"][1:4].values.tolist() == [1, 2, 3]
    with pytest.raises(DamageError, match=r"4-000000000000006\.zip: missing"):
        found["x"].load()
    parts.write(parts.path_of(folder, 4, 6), {"x": np.arange(3.0)})
    with pytest.raises(DamageError, match=r"its x is none of this result"):
        found["x"].load()


@pytest.mark.parametrize(
    ("texts", "ends", "told"),
    [
        ({"variables": VARIABLES, "pieces": "../../elsewhere"}, [6], "no index of blocks"),
        ({"variables": "[", "pieces": "0" * 16}, [6], "no index of blocks"),
        ({"variables": VARIABLES.replace("<f8", "O"), "pieces": "0" * 16}, [6], "no index"),
        ({"variables": VARIABLES.replace("[6]", "6"), "pieces": "0" * 16}, [6], "no index"),
        ({"variables": VARIABLES[:-1] + ", 7]", "pieces": "0" * 16}, [6], "no index"),
        ({"variables": VARIABLES, "pieces": "0" * 16}, [5], "do not cover its 6 cells"),
    ],
)
def test_what_is_no_index(texts: dict[str, str], ends: list[int], told: str) -> None:
    """A stranger's file names no folder but one beside it."""
    with pytest.raises(ArchiveError, match=told):
        pieces.joined(index([0], ends), texts, Path("index.nc"))


def test_chunks_are_of_bounded_size(tmp_path: Path) -> None:
    """However few values the first axis has."""
    sizes = {"s": [2, 4000], "x": [2, 4000, 10]}
    described = [[name, ["a", "b", "n"][: len(n)], n, "<f8", {}] for name, n in sizes.items()]
    texts = {"variables": json.dumps(described), "pieces": "0" * 16}
    with mock.patch.object(pieces, "CHUNK", 2**16):
        found = pieces.joined(index([0], [8000]), texts, tmp_path / "index.nc")
    assert found["x"].data.chunksize == (1, 819, 10)
    assert found["s"].data.chunksize == (1, 819)


def test_a_result_without_axes_in_pieces(tmp_path: Path) -> None:
    described = [["s", [], [], "|i1", {}], ["x", ["n"], [3], "<f8", {}]]
    texts, folder = {"variables": json.dumps(described), "pieces": "0" * 16}, tmp_path / ("0" * 16)
    folder.mkdir()
    arrays = {"s": np.ones(1, np.int8), "x": np.arange(3.0)[None]}
    parts.write(parts.path_of(folder, 0, 1), arrays)
    found = pieces.joined(index([0], [1]), texts, tmp_path / "index.nc")
    assert found["s"].item() == 1
    assert found["x"].values.tolist() == [0, 1, 2]
