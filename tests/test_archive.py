"""Archives: whole or not at all, readable by others, honest about their content."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import xarray
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline import archive, dataset, filing, job, provenance
from pipeline.errors import ArchiveError
from tests.runs import experiment

ENGINES = ["netcdf4", "h5netcdf"]
# Two lines, letters beyond ASCII, and nothing.
TEXTS = {"document": "map: Hénon\ngrid: {}\n", "overrides": "[]", "xla_flags": ""}


class Written:
    """An archive of a solver's results with an axis of pairs, and the arrays that went into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        found = experiment(
            map="henon",
            grid={
                "a": [0.2, 0.3, 0.4],
                "pair": {"of": ["x0", "b"], "values": [[0.1, 0.2], [0.3, 0.4]]},
                "y0": [0, 0.5],
            },
            solver="newton",
            analysis={"orbit": {"every": 2}, "history": {}},
            length=6,
        )
        bare = dataset.template(found)
        signed = {**bare.attributes, "source": "Cobweb", "history": "2026-01-01 computed"}
        self.template = dataclasses.replace(bare, attributes=signed)
        plan = job.Plan(12, 5)
        call, _ = job.compiled(found, plan)
        self.blocks = list(job.blocks(found, plan, call))
        self.arrays = dataset.fill(self.template, self.blocks)
        filing.write(self.template, self.blocks, path, TEXTS)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """One archive for all readers."""
    return Written(tmp_path_factory.mktemp("archive") / "result.nc")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_file_holds_what_was_computed(written: Written, engine: Any) -> None:
    """Read by both libraries: the same values, types, labels."""
    expected = dataset.assemble(written.template, written.arrays)
    with xarray.open_dataset(written.path, engine=engine) as ds:
        for name, entry in expected.variables.items():
            found = ds[name].variable
            assert found.dims == entry.dims, name
            assert found.dtype == entry.dtype, name
            assert np.array_equal(found.values, entry.values, equal_nan=entry.dtype.kind == "f")
            for key, value in entry.attrs.items():
                assert np.array_equal(found.attrs[key], value), (name, key)
        assert set(ds.variables) == set(expected.variables)
        assert set(ds.coords) == set(expected.coords)
        assert ds.attrs == expected.attrs


def test_reading_gives_the_dataset_and_its_document(written: Written) -> None:
    with archive.read(written.path) as ds:
        assert ds.attrs["document"] == TEXTS["document"]
        expected = dataset.assemble(written.template, written.arrays)
        xarray.testing.assert_identical(ds.load().drop_attrs(), expected.drop_attrs())


def test_provenance_is_scalar_texts(written: Written) -> None:
    """For our reader and for others: letters beyond ASCII, several lines, nothing."""
    texts = archive.provenance(written.path)
    assert {name: texts[name] for name in TEXTS} == TEXTS
    assert texts.keys() == {*TEXTS, "sha256"}
    for engine in ENGINES:
        with xarray.open_dataset(written.path, group="provenance", engine=engine) as group:  # type: ignore[arg-type]  # a parameter
            assert {name: group[name].item() for name in group} == texts
            assert all(group[name].dims == () for name in group)
            assert all({"long_name", "units"} <= group[name].attrs.keys() for name in group)


def test_hashes_are_of_the_files_content(written: Written) -> None:
    """Name, little-endian type, shape, then the bytes in C order, from the other reader."""
    hashes = json.loads(archive.provenance(written.path)["sha256"])
    with xarray.open_dataset(written.path, engine="h5netcdf") as ds:
        assert hashes.keys() == set(ds.variables)
        for name, expected in hashes.items():
            values = ds[name].values
            head = f"{name} {values.dtype.newbyteorder('<').str} {list(values.shape)}\n"
            content = values.astype(values.dtype.newbyteorder("<")).tobytes()
            assert hashlib.sha256(head.encode() + content).hexdigest() == expected, name


def test_hashes_do_not_depend_on_the_blocks(written: Written, tmp_path: Path) -> None:
    whole = {
        e.name: written.arrays[e.name].reshape(12, *e.shape[3:]) for e in written.template.variables
    }
    filing.write(written.template, [(0, 12, whole)], tmp_path / "one.nc", TEXTS)
    one, five = (archive.provenance(p)["sha256"] for p in (tmp_path / "one.nc", written.path))
    assert one == five


def test_how_variables_are_stored(written: Written) -> None:
    """Results contiguous, each value in its place; coordinates with a checksum; no fill values."""
    with netCDF4.Dataset(written.path) as file:
        for name, variable in file.variables.items():
            filters = variable.filters()
            if name in {c.name for c in written.template.coordinates}:
                assert variable.chunking() != "contiguous", name
                assert (filters["zlib"], filters["shuffle"], filters["fletcher32"]) == (True,) * 3
            else:
                assert variable.chunking() == "contiguous", name
                assert not filters["zlib"]
            assert "_FillValue" not in variable.ncattrs(), name
        assert not any(d.isunlimited() for d in file.dimensions.values())


def test_attributes_are_strings_and_numbers(written: Written) -> None:
    """And CF finds the names of coordinates beside the dimensions."""
    with netCDF4.Dataset(written.path) as file:
        assert file.Conventions == "CF-1.13"
        attributes = [file.__dict__, *(v.__dict__ for v in file.variables.values())]
        kinds = {type(value) for each in attributes for value in each.values()}
        assert kinds <= {str, np.ndarray, np.float64, np.int64, np.int8}
        for name, variable in file.variables.items():
            assert variable.long_name, name
            assert variable.units == "1", name
        assert file["x"].coordinates == "x0 b"
        assert list(file["status"].flag_values) == list(range(8))
        assert len(file["status"].flag_meanings.split()) == 8
        assert not {"_FillValue", "missing_value"} & set(file["status"].ncattrs())


@pytest.mark.skipif(shutil.which("ncdump") is None, reason="no netCDF tools here")
def test_ncdump_reads_the_header(written: Written) -> None:
    command = ["ncdump", "-h", str(written.path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "double x(a, pair, y0, iteration) ;" in text
    assert "byte status(a, pair, y0) ;" in text
    assert "group: provenance {" in text


def test_a_file_can_be_open_many_times(written: Written) -> None:
    """In a process of its own: netcdf-c 4.10 crashes here where texts are its strings."""
    code = (
        "import sys; from pipeline import archive; p = sys.argv[1]\n"
        "a = archive.read(p); b = archive.read(p); archive.provenance(p); c = archive.read(p)\n"
        "b.close(); d = archive.read(p); archive.provenance(p); a.close(); e = archive.read(p)\n"
        "print(sum(float(ds['x'].sum()) for ds in (c, d, e)))"
    )
    command = [sys.executable, "-c", code, str(written.path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(3 * written.arrays["x"].sum())


def test_closing_closes_the_file(written: Written) -> None:
    """The dataset is a copy of the reader's own; it closes the file all the same."""

    def handles() -> int:
        links = Path("/proc/self/fd").iterdir()
        return sum(os.path.realpath(link) == str(written.path.resolve()) for link in links)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc here")
    before = handles()
    with archive.read(written.path) as ds:
        assert handles() == before + 1
        assert ds["x"].shape == (3, 2, 2, 4)
    assert handles() == before


HIDDEN = [".new.nc.journal", ".new.nc.partial"]


def test_a_failure_in_the_middle_leaves_no_result(written: Written, tmp_path: Path) -> None:
    """What can be continued stays beside; another file of the name is untouched."""

    def failing(error: BaseException, blocks: int) -> Iterator[Any]:
        yield from written.blocks[:blocks]
        raise error

    there = tmp_path / "there.nc"
    there.write_bytes(b"precious")
    for error in (ValueError("in the middle"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            filing.write(written.template, failing(error, 1), tmp_path / "new.nc", TEXTS)
        assert sorted(path.name for path in tmp_path.iterdir()) == [*HIDDEN, "there.nc"]
        with pytest.raises(type(error)):
            filing.write(written.template, failing(error, 0), tmp_path / "new.nc", TEXTS)
        with pytest.raises(type(error)):
            filing.write(written.template, failing(error, 0), there, TEXTS)
        assert [path.name for path in tmp_path.iterdir()] == ["there.nc"]
    assert there.read_bytes() == b"precious"


def test_nothing_has_the_name_before_it_is_whole(written: Written, tmp_path: Path) -> None:
    path, seen = tmp_path / "new.nc", []

    def watched() -> Iterator[Any]:
        for block in written.blocks:
            seen.append(sorted(p.name for p in tmp_path.iterdir()))
            yield block

    filing.write(written.template, watched(), path, TEXTS)
    assert seen == [HIDDEN] * 3
    assert [p.name for p in tmp_path.iterdir()] == ["new.nc"]


THREADS = """
import pickle, sys, threading
from pathlib import Path
import numpy as np
from pipeline import archive, filing
from pipeline.dataset import Entry, Template
labels = {"long_name": "x", "units": "1"}
kinds = {"x": np.dtype("f8"), "k": np.dtype("i4")}
entries = tuple(Entry(n, ("a", "n"), (100, 50), kind, labels) for n, kind in kinds.items())
template = Template((100,), {"a": 100, "n": 50}, (), entries, {"title": "Hénon"})
folder, done, hashes = Path(sys.argv[1]), threading.Event(), set()
def blocks():
    for k in range(100):
        yield k, k + 1, {n: np.full((1, 50), k, kind) for n, kind in kinds.items()}
def write(name, times):
    for _ in range(times):
        filing.write(template, blocks(), folder / name, {"document": "x"})
        hashes.add(archive.provenance(folder / name)["sha256"])
def read():
    while not done.is_set():
        with archive.read(folder / "first.nc") as ds:
            assert (ds["x"].values[:, 0] == np.arange(100)).all()
            assert (ds["k"].values[:, -1] == np.arange(100)).all()
write("first.nc", 1)
with archive.read(folder / "first.nc") as ds:
    assert (pickle.loads(pickle.dumps(ds))["x"].values == ds["x"].values).all()
readers = [threading.Thread(target=read) for _ in range(2)]
writers = [threading.Thread(target=write, args=(f"{k}.nc", 4)) for k in range(2)]
for thread in readers + writers: thread.start()
for thread in writers: thread.join()
done.set()
for thread in readers: thread.join()
assert len(hashes) == 1
"""


def test_threads_write_and_read_at_once(tmp_path: Path) -> None:
    """The library below is not made for it: values read late take turns with writers.

    In a process of its own, for without a common lock it dies.
    """
    command = [sys.executable, "-W", "error", "-c", THREADS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.nc", "1.nc", "first.nc"]


shapes = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@given(shapes, st.data())
def test_boxes_cover_any_split(shape: tuple[int, ...], data: st.DataObject) -> None:
    """Blocks written as boxes of a grid of any shape fill it in the order of its cells."""
    count = int(np.prod(shape))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, count - 1)), max_size=5)))
    edges = [0, *(c for c in cuts if c < count), count]
    target = np.full(shape, -1)
    for first, last in itertools.pairwise(edges):
        block, used = np.arange(first, last), 0
        for box, piece in archive.boxes(shape, first, last):
            sides = tuple(side.stop - side.start for side in box)
            assert (target[box or ...] == -1).all()
            target[box or ...] = block[piece].reshape(sides)
            used += piece.stop - piece.start
        assert used == last - first
    assert (target == np.arange(count).reshape(shape)).all()


@given(st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(1, 50)), st.data())
def test_boxes_are_few(shape: tuple[int, ...], data: st.DataObject) -> None:
    """At most two more for each axis: the rest is one slice."""
    count = int(np.prod(shape))
    first = data.draw(st.integers(0, count - 1))
    last = data.draw(st.integers(first + 1, count))
    assert len(list(archive.boxes(shape, first, last))) <= 2 * len(shape) - 1


def test_files_that_are_no_archive(tmp_path: Path, written: Written) -> None:
    """Missing, something else, cut short, without provenance or with another kind of it."""
    data = written.path.read_bytes()
    files = {
        "text.nc": b"not an archive",
        "empty.nc": b"",
        "half.nc": data[: len(data) // 2],
        "short.nc": data[:-1],
        "folder.nc": None,
    }
    for name, content in files.items():
        path = tmp_path / name
        path.mkdir() if content is None else path.write_bytes(content)
        with pytest.raises(ArchiveError, match=rf"{name}: (not a netCDF file|no such file)"):
            archive.read(path)
    with pytest.raises(ArchiveError, match=r"absent\.nc: no such file\.$"):
        archive.read(tmp_path / "absent.nc")
    bare = tmp_path / "bare.nc"
    with netCDF4.Dataset(bare, "w") as file:
        file.createVariable("x", "f8")
    with pytest.raises(ArchiveError, match="no group /provenance, so it is no archive of Cobweb's"):
        archive.read(bare)


def test_provenance_that_is_hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers for texts, strings of another kind, and texts too long to be read."""

    def file(name: str, kind: Any, size: int | None) -> Path:
        path = tmp_path / name
        with netCDF4.Dataset(path, "w") as whole:
            group = whole.createGroup("provenance")
            if size is not None:
                group.createDimension("n", size)
            group.createVariable("document", kind, () if size is None else ("n",))
        return path

    for name, kind, size in (("n.nc", "f8", 3), ("s.nc", str, None), ("c.nc", "S1", None)):
        with pytest.raises(ArchiveError, match="/provenance/document is not a text"):
            archive.read(file(name, kind, size))
    monkeypatch.setattr(archive, "LONGEST_TEXT", 100)
    assert archive.provenance(file("just.nc", "S1", 100)) == {"document": ""}
    with pytest.raises(ArchiveError, match="/provenance/document is longer than an archive's text"):
        archive.read(file("long.nc", "S1", 101))


def test_other_errors_are_not_damage() -> None:
    """Only what netCDF says of a file is the file's fault."""
    with pytest.raises(RuntimeError, match="mine"), archive.damage("x.nc"):
        raise RuntimeError("mine")
    with (
        pytest.raises(ArchiveError, match=r"^x\.nc: damaged \(NetCDF: HDF error\)\.$"),
        archive.damage("x.nc"),
    ):
        raise RuntimeError("NetCDF: HDF error")


def test_a_document_survives(tmp_path: Path, written: Written) -> None:
    """As YAML, through the file."""
    document = {"map": {"equations": {"x": "a*x"}}, "grid": {"a": [1, 2.5, 1e-300]}, "s": "é: ü"}
    path = tmp_path / "document.nc"
    texts = {"document": provenance.text(document)}
    filing.write(written.template, written.blocks, path, texts)
    assert yaml.safe_load(archive.provenance(path)["document"]) == document


def test_it_follows_cf(written: Written) -> None:
    """By the conventions' checker, which knows 1.11 and says so; nothing else is to say."""
    pytest.importorskip("compliance_checker")
    checker = shutil.which("compliance-checker", path=str(Path(sys.executable).parent))
    assert checker is not None
    command = [checker, "--test=cf:1.11", str(written.path)]
    report = subprocess.run(command, capture_output=True, text=True).stdout
    said = [line for line in report.splitlines() if line.startswith("* ")]
    assert said == ['* §2.6.1 Conventions global attribute does not contain "CF-1.11"']


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from pipeline import filing
from pipeline.dataset import Entry, Template
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
real = np.dtype("f8")
entries = (Entry("x", ("a", "n"), (100, 1000), real, {"long_name": "x", "units": "1"}),)
template = Template((100,), {"a": 100, "n": 1000}, (), entries, {"title": "large"})
filing.write(template, [(0, 100, {"x": np.zeros((100, 1000))})], Path(sys.argv[1]), {})
"""


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """Here a limit on the size of files; nothing is left of the part that was written."""
    path = tmp_path / "result.nc"
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    # What measures the tests could not write its own file either.
    env = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 1
    told = f"pipeline.errors.ArchiveError: {path}: cannot be written (NetCDF: HDF error)"
    assert done.stderr.strip().splitlines()[-1].startswith(told)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(written: Written, tmp_path: Path) -> None:
    path = tmp_path / "absent" / "result.nc"
    with pytest.raises(ArchiveError, match=r"absent/result\.nc: cannot be written \("):
        filing.write(written.template, written.blocks, path, TEXTS)
