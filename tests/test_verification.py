"""Verification: identical, consistent, different, corrupt; nothing in between, nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from pipeline import archive, job, provenance, sensitivity, verdict, verification
from pipeline.__main__ import main
from pipeline.errors import ConfigError, ForeignError
from tests.archives import ELSEWHERE, edited, filed, resealed, rewritten
from tests.runs import experiment

HENON: dict[str, Any] = {
    "map": "henon",
    "grid": {"a": {"start": 1.0, "stop": 1.4, "num": 150}},
    "length": 200,
}
SOLVED: dict[str, Any] = {
    "objective": "himmelblau",
    "solver": "newton",
    "grid": {"x0": {"start": -5, "stop": 5, "num": 12}, "y0": {"start": -4, "stop": 5, "num": 7}},
    "analysis": {"history": {}},
    "length": 60,
}
LYAPUNOV: dict[str, Any] = {
    "map": "cubic",
    "grid": {"a": {"start": 1.5, "stop": 3, "num": 300}},
    "analysis": {"lyapunov": {}, "final": {}},
    "length": 1000,
    "transient": 100,
}
ESCAPE: dict[str, Any] = {
    "map": "quadratic_c",
    "grid": {
        "c_re": {"start": -2, "stop": 0.5, "num": 40},
        "c_im": {"start": -1.2, "stop": 1.2, "num": 31},
    },
    "analysis": {"escape": {"smooth": True}},
    "length": 200,
}
NOISY: dict[str, Any] = {
    "map": {
        "equations": {"x": "a*x*(1 - x)"},
        "parameters": {"a": 3.7},
        "initial": {"x": 0.3},
        "noise": {"x": 0.001},
    },
    "grid": {"a": {"start": 3.0, "stop": 3.9, "num": 90}},
    "length": 100,
}
EVERY = {"henon": HENON, "solved": SOLVED, "lyapunov": LYAPUNOV, "escape": ESCAPE, "noisy": NOISY}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of Hénon's orbits, in several blocks."""
    folder = tmp_path_factory.mktemp("verification")
    return filed(folder / "result.nc", plan={"block": 64}, **HENON)


def test_statuses() -> None:
    """Those that the documentation lists."""
    assert verdict.STATUS == {
        "identical": 0,
        "intact": 0,
        "different": 1,
        "consistent": 3,
        "corrupt": 4,
    }


@pytest.mark.parametrize("name", EVERY)
def test_the_same_machine_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    """Folds, solvers, early exit, with the blocks that were recorded and with smaller ones."""
    for plan in ({}, {"block": 37}):
        made = filed(tmp_path / "result.nc", plan=plan, **EVERY[name])
        found = verification.verify(made)
        assert (found.outcome, found.reasons, found.notes) == ("identical", (), ())
        assert not any(row.difference.bits for row in found.rows)
        assert found.blocks[0] == found.blocks[1] > 0


def test_without_axes(tmp_path: Path) -> None:
    made = filed(tmp_path / "one.nc", map="logistic", length=20)
    found = verification.verify(made)
    assert found.outcome == "identical"
    assert {row.name for row in found.rows} == {"iteration", "status", "x"}


def test_the_command(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its sentence and its exit status."""
    assert main(["verify", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{path}: identical: 60,801 values of 5 variables, computed again, have")
    assert main(["verify", "--quick", str(path)]) == 0
    assert f"{path}: intact: every variable has its recorded hash" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--sample", "1.5", str(path)])
    assert ended.value.code == 2
    assert "expected a number from 0 to 1, not 1.5" in capsys.readouterr().err


def test_quick_needs_no_jax(path: Path) -> None:
    code = (
        "import sys; from pipeline.__main__ import main; code = main(['verify', '--quick', "
        f"{str(path)!r}]); sys.exit(code or 10 * ('jax' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_sample(path: Path) -> None:
    """So many of the blocks, the same ones each time, at least one; they are really computed."""
    seen: list[list[int]] = []

    def watch(numbers: Any, count: int) -> Any:
        seen.append(list(numbers))
        assert count == len(seen[-1])
        return seen[-1]

    for sample, count in ((0.0, 1), (0.01, 1), (0.67, 2), (0.67, 2), (1.0, 3)):
        found = verification.verify(path, sample=sample, watch=watch)
        assert found.outcome == "identical"
        assert found.blocks == (count, 3)
        assert len(seen[-1]) == count
    assert seen[2] == seen[3]
    rows = {row.name: row for row in verification.verify(path, sample=0.0).rows}
    assert rows["x"].cells in (64, 22)
    assert rows["a"].cells == 150


@pytest.mark.parametrize("name", ["henon", "lyapunov"])
def test_another_kernel_is_consistent(name: str, tmp_path: Path) -> None:
    """Other bits from an other loop, on another machine: as chaos must, and no further."""
    kernel = {"unroll": 1, "batch": 1, "paired": False, "guarded": False}
    other = filed(tmp_path / "other.nc", plan={"kernel": kernel}, **EVERY[name])
    own = json.loads(archive.provenance(filed(tmp_path / "own.nc", **EVERY[name]))["plan"])
    moved = rewritten(other, tmp_path / "moved.nc", plan=json.dumps(own), **ELSEWHERE)
    found = verification.verify(moved)
    assert (found.outcome, found.reasons) == ("consistent", ())
    assert found.environment == (("device", ELSEWHERE["device"], "cpu: 1 x cpu"),)
    rows = {row.name: row for row in found.rows if row.difference.differing}
    assert rows
    assert all(row.strange == 0 for row in rows.values())
    if name == "henon":
        x = rows["x"]
        assert x.difference.differing > 1000
        assert x.difference.absolute > 0.5
        first, parted = x.iteration(x.difference.first), x.iteration(x.parted)
        assert first is not None
        assert parted is not None
        # Rounding of 1e-16 needs some twenty steps to be seen, at no more than a factor of 5 each.
        assert 0 < first < parted
        assert 10 <= parted <= 80
    # The recorded loop, replayed, gives its bits again, whatever the machine is called.
    assert verification.verify(other).outcome == "identical"


@pytest.mark.parametrize("name", EVERY)
def test_another_machine_is_consistent(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers a few units apart in the place of another processor's rounding."""
    found = experiment(**EVERY[name])
    with monkeypatch.context() as patch:
        patch.setattr(sensitivity, "MOVED", 4)
        other = sensitivity.probe(found, 99)
    made = filed(tmp_path / "a.nc", computed=other, texts=ELSEWHERE, **EVERY[name])
    result = verification.verify(made)
    assert (result.outcome, result.reasons) == ("consistent", ())
    assert any(row.difference.differing for row in result.rows)


def test_a_report_of_what_is_consistent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table, the iterations, the environments; the exit status."""
    kernel = {"unroll": 1, "batch": 1, "paired": False, "guarded": False}
    other = filed(tmp_path / "other.nc", plan={"kernel": kernel}, **HENON)
    own = archive.provenance(filed(tmp_path / "own.nc", **HENON))["plan"]
    old = rewritten(other, tmp_path / "old.nc", plan=own, packages='{"jax": "0.9.9"}')
    assert main(["verify", str(old)]) == 3
    out = capsys.readouterr().out
    assert f"{old}: consistent: the same result, computed again, rounded otherwise" in out
    lines = out.splitlines()
    heads = next(line.split() for line in lines if line.startswith("  variable"))
    assert heads == ["variable", "values", "differing", "ULPs", "distance", "unexplained"]
    row = next(line.split() for line in lines if line.startswith("  x  "))
    assert row[1] == "30,150"
    assert row[-1] == "0"
    assert any("x: the same bits before iteration " in line for line in lines)
    assert any(line.split()[:4] == ["jax", "0.9.9", "->", provenance.version("jax")]
               for line in lines)  # fmt: skip


def test_nothing_explains_other_bits_here(tmp_path: Path) -> None:
    """The same machine and version: a single unit in the last place is a difference."""

    def nudge(results: dict[str, np.ndarray]) -> None:
        results["x"][3, 2] = np.nextafter(results["x"][3, 2], 9)

    found = verification.verify(filed(tmp_path / "a.nc", change=nudge, **HENON))
    assert found.outcome == "different"
    assert found.reasons == (
        "this is the machine and the version that made it: not a bit may differ",
    )
    row = next(row for row in found.rows if row.name == "x")
    assert (row.difference.differing, row.difference.ulps) == (1, 1)
    assert row.iteration(row.difference.first) == 2
    assert found.status == 1


def _swap(name: str) -> Any:
    def change(results: dict[str, np.ndarray]) -> None:
        results[name][:] = results[name][::-1]

    return change


def _shift(name: str, by: float) -> Any:
    def change(results: dict[str, np.ndarray]) -> None:
        results[name][: len(results[name]) // 10] += by

    return change


@pytest.mark.parametrize(
    ("name", "variable", "change"),
    [
        ("henon", "x", _swap("x")),
        ("henon", "y", _shift("y", 1e-9)),
        ("henon", "status", _shift("status", 1)),
        ("solved", "x_final", _shift("x_final", 1e-9)),
        ("solved", "steps", _shift("steps", 1)),
        ("solved", "critical_kind", _swap("critical_kind")),
        ("lyapunov", "lyapunov", _shift("lyapunov", 1e-7)),
        ("lyapunov", "x_final", _shift("x_final", 1e3)),
        ("escape", "escape_iteration", _shift("escape_iteration", 1)),
        ("escape", "escape_smooth", _shift("escape_smooth", 1e-6)),
    ],
)
def test_what_no_rounding_explains(
    name: str, variable: str, change: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tenth of the cells or all of them forged, hashes included, on another machine."""
    made = filed(tmp_path / "a.nc", change=change, texts=ELSEWHERE, **EVERY[name])
    found = verification.verify(made)
    assert found.outcome == "different"
    assert [r.split(":")[0] for r in found.reasons] == [variable]
    assert "cells differ by more than the rounding of another machine explains" in found.reasons[0]
    assert main(["verify", str(made)]) == 1
    assert f"{made}: different: not what its document gives\n  {variable}: " in (
        capsys.readouterr().out
    )


def test_another_parameter_is_different(tmp_path: Path) -> None:
    """Results of a slightly other map, under this document."""
    other = experiment(**{**HENON, "map": {**experiment(**HENON).document["map"]}})
    document = {**other.document["map"], "parameters": {"a": 1.4, "b": 0.3 + 1e-9}}
    forged = experiment(**{**HENON, "map": document})
    found = verification.verify(filed(tmp_path / "a.nc", computed=forged, texts=ELSEWHERE, **HENON))
    assert found.outcome == "different"
    assert {r.split(":")[0] for r in found.reasons} == {"x", "y"}


def test_any_flipped_byte_of_the_values_is_corruption(path: Path, tmp_path: Path) -> None:
    """Of contiguous results, wherever they are; told apart from disagreement."""
    data = path.read_bytes()
    with archive.read(path) as ds:
        values = ds["x"].values
    begin = data.find(values[:2].tobytes())
    assert begin > 0
    draws = np.random.default_rng(1).integers(0, values.nbytes, 12)
    for at in draws.tolist():
        broken = tmp_path / "broken.nc"
        flipped = bytes([data[begin + at] ^ 1 << at % 8])
        broken.write_bytes(data[: begin + at] + flipped + data[begin + at + 1 :])
        for quick in (True, False):
            found = verification.verify(broken, quick=quick)
            assert (found.outcome, found.status) == ("corrupt", 4)
            assert found.reasons == (
                "x: its values do not have the hash that is recorded for them",
            )


def test_a_flipped_byte_anywhere_is_no_crash(path: Path, tmp_path: Path) -> None:
    """In a process of its own, for HDF5's sake: corrupt, foreign, or of no account."""
    data = path.read_bytes()
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pipeline import verification\n"
        "from pipeline.errors import CobwebError\n"
        "data, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])\n"
        "for at in map(int, sys.argv[3:]):\n"
        "    path.write_bytes(data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1:])\n"
        "    try:\n"
        "        print(at, verification.verify(path, quick=True).outcome)\n"
        "    except CobwebError as error:\n"
        "        print(at, 'told')\n"
    )
    places = np.random.default_rng(2).integers(0, min(len(data), 20_000), 60).tolist()
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "b.nc"), *map(str, places)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    outcomes = [line.split()[1] for line in done.stdout.splitlines()]
    assert len(outcomes) == len(places)
    assert set(outcomes) <= {"intact", "corrupt", "told"}
    assert "corrupt" in outcomes


def test_truncated_files(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = path.read_bytes()
    for size in (len(data) - 1, len(data) // 2, 2000, 100):
        short = tmp_path / f"{size}.nc"
        short.write_bytes(data[:size])
        found = verification.verify(short, quick=True)
        assert found.outcome == "corrupt"
        assert "damaged" in found.reasons[0]
        assert main(["verify", str(short)]) == 4
        assert f"{short}: corrupt: its content is not what was written" in capsys.readouterr().out
    (tmp_path / "empty.nc").touch()
    with pytest.raises(ForeignError, match=r"empty\.nc: not a netCDF file, or damaged"):
        verification.verify(tmp_path / "empty.nc")


def test_damage_that_hdf5_finds(path: Path, tmp_path: Path) -> None:
    """The checksum of a compressed coordinate."""
    data = path.read_bytes()
    at = data.find(b"\x78\x01")
    broken = tmp_path / "broken.nc"
    broken.write_bytes(data[: at + 4] + bytes([data[at + 4] ^ 0x5A]) + data[at + 5 :])
    found = verification.verify(broken)
    assert found.outcome == "corrupt"
    assert "damaged (NetCDF: " in found.reasons[0]


def test_variables_added_and_removed(path: Path, tmp_path: Path) -> None:
    """Against the hashes, and against the document where the hashes were forged too."""
    with edited(path, tmp_path / "more.nc") as file:
        file.createVariable("z", "f8", ("a",))[:] = 0
    found = verification.verify(tmp_path / "more.nc", quick=True)
    assert (found.outcome, found.reasons) == ("corrupt", ("z: no hash is recorded for it",))
    with edited(path, tmp_path / "less.nc") as file:
        file.renameVariable("y", "v")
    found = verification.verify(tmp_path / "less.nc", quick=True)
    assert found.outcome == "corrupt"
    assert found.reasons == (
        "v: no hash is recorded for it",
        "y: a hash is recorded for it, and the file has no such variable",
    )
    hashes = json.loads(archive.provenance(path)["sha256"])
    hashes["v"] = hashes.pop("y")
    forged = rewritten(tmp_path / "less.nc", tmp_path / "f.nc", sha256=json.dumps(hashes, indent=1))
    resealed(forged)
    found = verification.verify(forged)
    assert found.outcome == "different"
    assert found.reasons == (
        "y: the document makes it, and the file has no such variable",
        "v: the file has it, and the document makes no such variable",
    )


def test_another_shape_or_type(path: Path, tmp_path: Path) -> None:
    """Told with both; nothing is computed."""
    document = archive.provenance(path)["document"]
    for old, new, told in (
        ("length: 200", "length: 199", "x: the document makes it float64 (a = 150, iteration"),
        ("precision: double", "precision: single", "x: the document makes it float32 (a = 150,"),
    ):
        assert old in document
        changed = document.replace(old, new)
        found = verification.verify(rewritten(path, tmp_path / "a.nc", document=changed))
        assert found.outcome == "different"
        assert any(reason.startswith(told) for reason in found.reasons), found.reasons
        assert found.rows == ()


def test_archives_that_were_joined(path: Path, tmp_path: Path) -> None:
    """Only their hashes are checked; those of groups are found under their paths."""
    jobs = rewritten(path, tmp_path / "jobs.nc", jobs="2")
    with netCDF4.Dataset(jobs, "r+") as file:
        group = file.createGroup("second")
        group.createDimension("b", 3)
        group.createVariable("z", "f8", ("b",))[:] = [1, 2, 3]
        file.createVariable("label", str, ("a",))
    hashes = json.loads(archive.provenance(path)["sha256"]) | {"second/z": "0" * 64}
    both = tmp_path / "both.nc"
    shutil.copy(jobs, both)
    with netCDF4.Dataset(both, "r+") as file:
        del_name = file["provenance"]
        del_name.renameVariable("sha256", "sha256_old")
        text = archive.letters(json.dumps(hashes, indent=1))
        del_name.createDimension("n", text.size)
        variable = del_name.createVariable("sha256", "S1", ("n",))
        variable.set_auto_chartostring(False)
        variable[...] = text
    assert verification.verify(both, quick=True).reasons == (
        "second/z: its values do not have the hash that is recorded for them",
    )
    resealed(both)
    assert verification.verify(both, quick=True).outcome == "intact"
    with pytest.raises(ForeignError, match=r"joined from several archives.*verify --quick checks"):
        verification.verify(both)


def test_what_cannot_be_repeated_is_told(path: Path, tmp_path: Path) -> None:
    """A kernel of an older version: computed as here, and said."""
    plan = json.loads(archive.provenance(path)["plan"])
    plan["kernel"] = {"unroll": 4, "strands": 8}
    found = verification.verify(rewritten(path, tmp_path / "old.nc", plan=json.dumps(plan)))
    assert found.notes == ("its kernel has strands, which this version does not know",)
    # This version's own kernel made it.
    assert found.outcome == "identical"


def test_a_strict_document_needs_its_flag(path: Path, tmp_path: Path) -> None:
    """As a run does: the process has started without it."""
    document = archive.provenance(path)["document"].replace(
        "arithmetic: fast", "arithmetic: strict"
    )
    with pytest.raises(ConfigError, match=r"device\.arithmetic = strict: JAX has started without"):
        verification.verify(rewritten(path, tmp_path / "a.nc", document=document))


def test_the_memory_of_a_block(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that do not fit here are cut, and elementwise maps keep their bits."""
    from pipeline import preparation

    seen: list[int] = []

    def watch(numbers: Any, count: int) -> Any:
        seen.append(count)
        return numbers

    monkeypatch.setattr(preparation, "free_memory", lambda: 4 * 10**6)
    assert verification.verify(path, watch=watch).outcome == "identical"
    assert seen[0] > 3
    monkeypatch.setattr(preparation, "free_memory", lambda: 1000)
    with pytest.raises(ConfigError, match=r"one cell alone takes"):
        verification.verify(path)


def test_what_does_not_fit_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(job, "replay", failing)
    with pytest.raises(ForeignError, match=r"does not fit into the memory of this machine"):
        verification.verify(path)
