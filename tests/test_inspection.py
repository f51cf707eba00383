"""Listings of what there is to choose, and what is in an archive."""

from __future__ import annotations

import re
from pathlib import Path

import netCDF4
import pytest

import pipeline
from pipeline import archive, inspection
from pipeline.__main__ import main
from pipeline.config import composition
from pipeline.errors import ArchiveError


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a run of which one cell escapes."""
    folder = tmp_path_factory.mktemp("inspection")
    words = ("experiment=orbit", "map=henon", "grid={a: [1.2, 9]}", "iterate.length=30")
    pipeline.run(*words, "figure=none", folder=folder).close()
    return folder / "result.nc"


def test_everything_is_listed_with_its_description() -> None:
    """Each YAML file of each group, once."""
    groups = re.split(r"^(\w+)=$", inspection.listing(), flags=re.MULTILINE)[1:]
    listed = dict(zip(groups[::2], groups[1::2], strict=True))
    assert list(listed) == list(inspection.GROUPS)
    for group, text in listed.items():
        rows = {line.split()[0]: line.split(maxsplit=1)[1:] for line in text.splitlines() if line}
        names = {p.stem for p in (composition.CONF / group).glob("*.yaml")}
        assert rows.keys() == names
        for name, words in rows.items():
            assert words, f"{group}={name} has no description"
            assert len(words[0]) < 100
            assert not words[0].startswith("@")


def test_some_groups_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "solver", "device"]) == 0
    out = capsys.readouterr().out
    assert re.findall(r"^(\w+)=$", out, flags=re.MULTILINE) == ["solver", "device"]
    assert re.search(r"newton_cg +Newton's method without a matrix", out)
    with pytest.raises(SystemExit) as ended:
        main(["list", "solvers"])
    assert ended.value.code == 2
    assert "no such group: solvers (known: experiment, map" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# A map\nname: a\n", "A map"),
        ("# @package _global_\n# An experiment\n", "An experiment"),
        ("#\n#   Spaced   \n", "Spaced"),
        ("name: a\n# too late\n", ""),
        ("", ""),
    ],
)
def test_the_first_comment_describes_a_file(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert inspection.description(tmp_path / "a.yaml") == found


def test_what_is_in_an_archive(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Title, document, sizes, variables, how cells ended, and where it was computed."""
    assert main(["info", str(path)]) == 0
    out = capsys.readouterr().out
    assert f"{path}: orbit: the map henon, solver direct" in out
    assert "  equations: {x: 1 - a*x**2 + y, y: b*x}" in out
    sections = re.findall(r"^(\w+)$", out, flags=re.MULTILINE)
    assert sections[:5] == ["document", "dimensions", "variables", "status", "environment"]
    assert sections[5:] in ([], ["git_diff"])
    assert "\n  a = 2  (1.2 ... 9)\n" in out
    assert "\n  iteration = 31  (0 ... 30)\n" in out
    assert re.search(r"^  x +float64  \(a, iteration\)  x$", out, flags=re.MULTILINE)
    assert re.search(r"^  status +int8 +\(a\)  how the cell ended$", out, flags=re.MULTILINE)
    assert "\n  1 bounded\n  1 escaped\n" in out
    assert re.search(r"^  overrides +experiment=orbit map=henon 'grid={a: \[1", out, re.MULTILINE)
    assert re.search(r"^  plan +block 2, devices 1, kernel \{\"unroll\": ", out, re.MULTILINE)
    for name in ("command_line", "seed", "python", "platform", "cpu", "timing_run_seconds"):
        assert re.search(rf"^  {name} +\S", out, re.MULTILINE), name
    assert re.search(r"^  packages +cobweb-pipeline \S+, jax ", out, flags=re.MULTILINE)


def test_an_archive_of_little(tmp_path: Path) -> None:
    """A provenance of nothing, and codes that mean nothing here."""
    path = tmp_path / "little.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createGroup("provenance")
        file.createDimension("a", 3)
        file.createVariable("status", "i1", ("a",))[:] = [0, 77, -5]
        file["status"].flag_meanings = "bounded"
    text = inspection.info(str(path))
    assert "  1 bounded" in text
    assert "  1 code 77" in text
    assert "  1 code -5" in text


def test_an_archive_that_was_joined(tmp_path: Path) -> None:
    """No document of its own; groups; texts that go on for long."""
    path = tmp_path / "sweep.nc"
    with netCDF4.Dataset(path, "w") as file:
        archive.describe(file, {"jobs": "1", "job_0": "x" * 1000, "plan": "[]", "overrides": "{}"})
        group = file.createGroup("first")
        group.createDimension("n", 2)
        group.createVariable("status", "i1", ("n",), fill_value=False)[:] = [0, 2]
        file.createDimension("letters", 3)
        label = file.createVariable("label", "S1", ("letters",), fill_value=False)
        label.set_auto_chartostring(False)
        label[:] = [b"a", b"b", b"c"]
    text = inspection.info(path)
    assert re.findall(r"^([\w/]+)$", text, re.MULTILINE) == [
        "dimensions",
        "variables",
        "first/status",
        "environment",
    ]
    assert re.search(r"^  label +text +\(letters\)", text, re.MULTILINE)
    assert "\n  1 code 0\n  1 code 2\n" in text
    assert re.search(r"^  job_0 +x{200}\.\.\.$", text, re.MULTILINE)
    assert re.search(r"^  plan +\[\]$", text, re.MULTILINE)
    assert re.search(r"^  overrides +\{\}$", text, re.MULTILINE)


def test_figures_of_an_archive(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Beside the archive, elsewhere, of another kind and format."""
    assert main(["figure", str(path)]) == 0
    assert capsys.readouterr().out == f"{path.parent / 'figure.png'}\n"
    assert (path.parent / "figure.png").read_bytes().startswith(b"\x89PNG")
    words = ["--name", "phase_portrait", "--style", "paper", "--format", "svg", "--format", "pdf"]
    assert main(["figure", str(path), *words, "-o", str(tmp_path / "portrait")]) == 0
    assert (tmp_path / "portrait.svg").read_text().startswith("<?xml")
    assert (tmp_path / "portrait.pdf").read_bytes().startswith(b"%PDF")
    assert main(["figure", str(path), "--name", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err


def test_files_that_are_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("info", "figure"):
        assert main([command, str(tmp_path / "absent.nc")]) == 2
        assert capsys.readouterr().err == f"{tmp_path / 'absent.nc'}: no such file.\n"
        (tmp_path / "text.nc").write_text("text")
        assert main([command, str(tmp_path / "text.nc")]) == 2
        assert "text.nc: not a netCDF file, or damaged" in capsys.readouterr().err


def test_damaged_integers_are_told(path: Path, tmp_path: Path) -> None:
    """A flipped byte of the compressed status, which its checksum finds."""
    data = path.read_bytes()
    with archive.read(path) as ds:
        assert ds["status"].values.tolist() == [0, 2]
    # zlib's header at level 1, before compressed content: of the iteration or the status.
    places = [at for at in range(len(data) - 8) if data[at : at + 2] == b"\x78\x01"]
    assert places
    told = []
    for at in places:
        broken = tmp_path / f"{at}.nc"
        broken.write_bytes(data[: at + 4] + bytes([data[at + 4] ^ 0x5A]) + data[at + 5 :])
        with pytest.raises(ArchiveError, match="damaged") as raised:
            inspection.info(str(broken))
        told.append(str(raised.value))
    assert any("damaged (NetCDF: " in text for text in told)
