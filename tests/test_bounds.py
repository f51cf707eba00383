"""Bounds: files that declare what no archive has are refused before anything of them is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from pipeline import archive, bounds, contents, inspection, verification
from pipeline.__main__ import main
from pipeline.errors import ArchiveError, DamageError, ForeignError

h5py = pytest.importorskip("h5py")

TEXTS = {"document": "map: {}\n", "sha256": '{"x": "' + "0" * 64 + '"}', "plan": "{}"}


def made(path: Path, build: Callable[[Any], None], **texts: str) -> Path:
    """An HDF5 file with texts in /provenance, made by hand."""
    with h5py.File(path, "w") as file:
        group = file.create_group("provenance")
        for name, text in {**TEXTS, **texts}.items():
            group.create_dataset(name, data=np.frombuffer(text.encode(), "S1"))
        build(file)
    return path


def _chain(count: int) -> Callable[[Any], None]:
    def build(file: Any) -> None:
        group = file
        for _ in range(count):
            group = group.create_group("g")

    return build


def _attributes(file: Any) -> None:
    for k in range(bounds.ATTRIBUTES + 1):
        file.attrs[f"a{k}"] = k


def _elsewhere(file: Any) -> None:
    file["x"] = h5py.ExternalLink("/etc/passwd", "/x")


def _packed(size: int, chunk: int) -> Callable[[Any], None]:
    return lambda file: file.create_dataset("x", (size,), "f8", chunks=(chunk,), compression="gzip")


CLAIM = r"declares 8,000,\d{3},\d{3} bytes of values and has \d,\d{3}"
HOSTILE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "contiguous": (lambda f: f.create_dataset("x", (10**9,), "f8"), CLAIM),
    "compressed": (_packed(10**9, 1000), CLAIM),
    "unlimited": (
        lambda f: f.create_dataset("x", (10**9,), "f8", maxshape=(None,), chunks=(9,)),
        CLAIM,
    ),
    "one chunk": (_packed(2**26, 2**26), "x has chunks larger than an archive's"),
    "groups": (lambda f: [f.create_group(f"g{k}") for k in range(1100)], "more groups, or deeper"),
    "depth": (_chain(9), "more groups, or deeper ones"),
    "link": (_elsewhere, "damaged"),
    "attributes": (_attributes, "more attributes than an archive has"),
    "compound": (lambda f: f.create_dataset("x", (3,), [("a", "f8")]), "x is of a type that no"),
    "lists": (lambda f: f.create_dataset("x", (3,), h5py.vlen_dtype("f8")), "x is of a type that"),
    "enumeration": (lambda f: f.create_dataset("x", (3,), h5py.enum_dtype({"a": 1})), "a type"),
    "complex": (lambda f: f.create_dataset("x", (3,), "c16"), "is of a type that no archive has"),
    "opaque": (lambda f: f.create_dataset("x", (3,), "V10"), "unsupported datatype"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By every reader: an error in one sentence, and no more memory than the file takes."""
    build, told = HOSTILE[name]
    path = made(tmp_path / "h.nc", build)
    for read in (contents.opened, archive.read):
        with pytest.raises(ArchiveError, match=told), read(path):
            pass
    for command in (["info"], ["verify", "--quick"]):
        status = main([*command, str(path)])
        streams = capsys.readouterr()
        assert status == (4 if command[0] == "verify" and "corrupt" in streams.out else 2)
        assert "Traceback" not in streams.err
        assert str(path) in streams.out + streams.err


def test_many_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "VARIABLES", 5)
    path = made(
        tmp_path / "m.nc", lambda f: [f.create_dataset(f"x{k}", (1,), "f8") for k in range(6)]
    )
    with pytest.raises(ForeignError, match=r"m\.nc: more variables than an archive has\."):
        archive.provenance(path)


def test_texts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One, and all together."""
    path = made(tmp_path / "t.nc", lambda f: None, first="a" * 600, second="b" * 600)
    assert archive.provenance(path)["first"] == "a" * 600
    for name in ("LONGEST_TEXT", "LONGEST_TEXTS"):
        with monkeypatch.context() as patch:
            patch.setattr(archive, name, 700 if name == "LONGEST_TEXTS" else 500)
            with pytest.raises(ForeignError, match="longer than an archive's text"):
                archive.provenance(path)


def test_texts_of_another_kind(tmp_path: Path) -> None:
    for name, value in (("numbers", np.arange(3)), ("string", "abc")):
        path = made(
            tmp_path / f"{name}.nc", lambda f, v=value: f.create_dataset("provenance/n", data=v)
        )
        with pytest.raises(ForeignError, match=r"/provenance/n is not a text"):
            archive.provenance(path)  # fmt: skip


def test_other_formats(tmp_path: Path) -> None:
    """What netCDF reads besides is nothing of ours: the reader does not even begin."""
    path = tmp_path / "classic.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.title = "old"
    with pytest.raises(ForeignError, match="does not begin as one"):
        archive.provenance(path)
    with pytest.raises(ForeignError, match="no such file"):
        archive.provenance("http://localhost:1/result.nc")
    with pytest.raises(ForeignError, match="no such file"):
        archive.provenance(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    path = made(tmp_path / "p.nc", lambda f: None)
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ForeignError, match=r"p\.nc: cannot be read \(Permission denied\)"):
        archive.provenance(path)


def test_a_large_file_of_our_own(tmp_path: Path) -> None:
    """Zeros compress by a thousand: an archive of them is none that lies."""
    path = tmp_path / "zeros.nc"
    with netCDF4.Dataset(path, "w") as file:
        archive.describe(file, TEXTS)
        file.createDimension("a", 2 * 10**7)
        how: Any = {"compression": "zlib", "complevel": 9}
        file.createVariable("x", "i1", ("a",), fill_value=False, **how)[:] = np.zeros(
            2 * 10**7, "i1"
        )
    assert path.stat().st_size < 2 * 10**7 / 200
    with contents.opened(path) as found:
        assert found.read("x", (slice(0, 3),)).tolist() == [0, 0, 0]


def test_names_and_texts_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """Escape sequences of a stranger: in names, attributes, texts."""
    evil = "a\x1b[2J\x07b\nc"

    def build(file: Any) -> None:
        file.create_dataset(evil, data=np.arange(3.0))
        status = file.create_dataset("status", data=np.arange(2, dtype="i1"))
        status.attrs["flag_meanings"] = evil
        status.attrs["long_name"] = evil
        file.attrs["title"] = evil

    path = made(tmp_path / "e.nc", build, overrides=evil, git_diff=evil, document=evil)
    text = inspection.info(path)
    assert all(line.isprintable() for line in text.split("\n"))
    assert "a?[2J?b" in text
    found = verification.verify(path, quick=True)
    assert all(reason.isprintable() for reason in found.reasons)


def test_attributes_that_are_wrong(tmp_path: Path) -> None:
    """Dates and scales that no archive has are left alone."""

    def build(file: Any) -> None:
        x = file.create_dataset("x", data=np.arange(3.0))
        x.attrs.update({"units": "days since never", "scale_factor": "large", "_FillValue": 2.0})

    with archive.read(made(tmp_path / "a.nc", build)) as ds:
        assert ds["x"].values.tolist() == [0, 1, 2]


def test_damage_is_told_apart(tmp_path: Path) -> None:
    """A file that is cut is damaged; another kind of file is foreign."""
    path = made(tmp_path / "d.nc", lambda f: f.create_dataset("x", data=np.arange(1000.0)))
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(DamageError, match=r"d\.nc: not a netCDF file, or damaged"):
        archive.provenance(path)
