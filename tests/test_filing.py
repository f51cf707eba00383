"""Filing: whatever ends a run, what it has filed is kept, and the rest follows bit for bit."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from pipeline import api, archive, config, execution, filing, provenance, restoration
from pipeline.errors import ArchiveError, CobwebError
from tests.test_command import environment

RUN = [
    *("experiment=orbit", "figure=none", "iterate.transient=0", "iterate.length=400"),
    *("grid={a: {start: 3.4, stop: 4, num: 3000}}", "device.memory=1MiB"),
]


def contents(path: Path) -> dict[str, bytes]:
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        found = {name: variable[...].tobytes() for name, variable in file.variables.items()}
    return found | {"sha256": archive.provenance(path)["sha256"].encode()}


def begun(folder: Path, blocks: int, overrides: list[str] = RUN) -> None:
    """A run that is stopped after so many blocks."""

    def some(source: Any, count: int) -> Any:
        assert count > blocks
        for _, block in zip(range(blocks), source, strict=False):
            yield block
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.file(experiment(overrides), folder, overrides, some)
    assert not (folder / "result.nc").exists()


def experiment(overrides: list[str] = RUN) -> Any:
    return config.read(config.compose(overrides))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The content of an undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    execution.file(experiment(), folder, RUN)
    return contents(folder / "result.nc")


@pytest.mark.parametrize("by", ["resume", "the same command"])
def test_a_stopped_run_goes_on(tmp_path: Path, whole: dict[str, bytes], by: str) -> None:
    """From where it was, with a block plan of its own, to the same bits."""
    begun(tmp_path, 3)
    assert sorted(os.listdir(tmp_path)) == [".result.nc.journal", ".result.nc.partial"]
    left: list[int] = []

    def watch(source: Any, count: int) -> Any:
        left.append(count)
        return source

    if by == "resume":
        report = restoration.resume(tmp_path, watch=watch)
    else:
        report = execution.file(experiment([*RUN[:-1], "device.memory=1GiB"]), tmp_path, RUN, watch)
    assert report is not None
    assert left == [report.plan.blocks - 3]
    assert report.counts["status"] == {"bounded": 3000}
    assert contents(tmp_path / "result.nc") == whole
    assert os.listdir(tmp_path) == ["result.nc"]


def test_values_that_did_not_reach_the_disk_are_computed_again(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    """The journal says what there should be."""
    begun(tmp_path, 3)
    with netCDF4.Dataset(tmp_path / ".result.nc.partial", "r+") as file:
        file["x"][10, 20] += 1e-15
    restoration.resume(tmp_path)
    assert contents(tmp_path / "result.nc") == whole


@pytest.mark.parametrize("kept", [0, 10, -1, -5])
def test_a_journal_cut_short_is_read_up_to_there(
    tmp_path: Path, whole: dict[str, bytes], kept: int
) -> None:
    begun(tmp_path, 3)
    journal = tmp_path / ".result.nc.journal"
    journal.write_bytes(journal.read_bytes()[:kept])
    execution.file(experiment(), tmp_path, RUN)
    assert contents(tmp_path / "result.nc") == whole


def test_an_unreadable_part_is_begun_anew(tmp_path: Path, whole: dict[str, bytes]) -> None:
    begun(tmp_path, 3)
    (tmp_path / ".result.nc.partial").write_bytes(b"nothing of the kind")
    execution.file(experiment(), tmp_path, RUN)
    assert contents(tmp_path / "result.nc") == whole


def test_another_document_is_refused_and_the_part_is_kept(tmp_path: Path) -> None:
    begun(tmp_path, 3)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    other = [*RUN, "map.initial.x=0.3"]
    with pytest.raises(CobwebError, match="unfinished result of another document"):
        execution.file(experiment(other), tmp_path, other)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_environment_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(tmp_path, 3)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=SSE4_2")
    with pytest.raises(CobwebError, match="begun with xla_flags = , where this is --xla_cpu"):
        restoration.resume(tmp_path)
    monkeypatch.undo()
    # The archive would name the code that has begun it alone.
    monkeypatch.setattr(provenance, "code", lambda: "another")
    with pytest.raises(CobwebError, match=r"begun with code = .*, where this is another; its"):
        restoration.resume(tmp_path)


def test_room_that_is_taken_already(tmp_path: Path) -> None:
    """What a run has filed before it was stopped does not need its room twice."""
    path, folder = tmp_path / "result.nc", tmp_path / ".result.nc.blocks"
    assert filing.held(path, folder) == 0
    (folder / "0123").mkdir(parents=True)
    for place in (filing.partial_of(path), folder / "0123" / "piece.zip"):
        place.write_bytes(bytes(2**16))
    assert filing.held(path, folder) >= 2**17


def test_two_runs_into_one_folder(tmp_path: Path) -> None:
    """The second is refused while the first one lives."""
    (tmp_path / ".result.nc.journal").touch()
    with open(tmp_path / ".result.nc.journal") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ArchiveError, match="another run is filing its result here"):
            execution.file(experiment(), tmp_path, RUN)
    assert execution.file(experiment(), tmp_path, RUN) is not None


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(CobwebError, match="nothing to resume; no run was stopped here"):
        restoration.resume(tmp_path)
    execution.file(experiment(), tmp_path, RUN)
    with pytest.raises(CobwebError, match="nothing to resume; its result is whole"):
        restoration.resume(tmp_path)


def command(root: Path, folder: Path, *more: str) -> list[str]:
    return [sys.executable, str(root / "run.py"), *RUN, f"hydra.run.dir={folder}", *more]


@pytest.mark.slow
def test_kills_at_any_moment(root: Path, tmp_path: Path) -> None:
    """Again and again, by SIGKILL; then the file is what an undisturbed run gives, bit for bit."""
    long = ["iterate.length=4000", "device.memory=4MiB"]
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    begin = time.monotonic()
    subprocess.run(command(root, undisturbed, *long), check=True, env=environment())
    took = time.monotonic() - begin
    chance, kills, safe = random.Random(3), 0, []
    while not (killed / "result.nc").exists():
        run = subprocess.Popen(
            command(root, killed, *long), env=environment(), stdout=subprocess.DEVNULL
        )
        try:
            # Later and later, so that it ends however slow the machine is.
            code = run.wait(took * (0.3 + 0.1 * kills + 0.3 * chance.random()))
        except subprocess.TimeoutExpired:
            run.kill()
            code = run.wait()
            kills += 1
        assert code in (0, -signal.SIGKILL)
        assert kills < 50
        journal = killed / ".result.nc.journal"
        safe.append(len(journal.read_bytes()) if journal.exists() else 0)
    assert kills
    assert contents(killed / "result.nc") == contents(undisturbed / "result.nc")
    assert sorted(os.listdir(killed)) == ["result.nc", "run.log"]


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="needs a mount")
def test_a_full_disk(tmp_path: Path) -> None:
    """Said before anything is computed; nothing is left, and nothing is damaged."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "cobweb", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(CobwebError, match=r"the result takes|is the disk full\?"):
            execution.file(experiment(), disk / "run", RUN)
        assert not list(disk.glob("run/.*"))
        (disk / "filler").write_bytes(bytes(3 * 2**20))
        small = ["experiment=orbit", "figure=none", "iterate.length=100"]
        small += ["grid={a: {start: 3, stop: 4, num: 2000}}"]
        with pytest.raises(CobwebError, match=r"the result takes|is the disk full\?"):
            execution.file(experiment(small), disk / "run", small)
        (disk / "filler").unlink()
        assert execution.file(experiment(small), disk / "run", small) is not None
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_room_is_taken_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system cannot give it, the folder is left as it was."""

    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ArchiveError, match=r"No space left on device\); is the disk full\?"):
        execution.file(experiment(), tmp_path, RUN)
    assert os.listdir(tmp_path) == []


def test_a_write_that_fails_can_be_gone_on_with(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = filing.Filing.put, []

    def failing(self: filing.Filing, *given: Any) -> None:
        calls.append(given)
        with filing.unwritable(self.path):
            if len(calls) == 3:
                raise OSError(28, "No space left on device")
            real(self, *given)

    monkeypatch.setattr(filing.Filing, "put", failing)
    with pytest.raises(ArchiveError, match="is the disk full"):
        execution.file(experiment(), tmp_path, RUN)
    monkeypatch.undo()
    report = restoration.resume(tmp_path)
    assert report is not None
    assert contents(tmp_path / "result.nc") == whole


def test_codes_of_an_earlier_part_are_counted(tmp_path: Path) -> None:
    overrides = ["experiment=quadratic_basin", "figure=none", "device.memory=120kB"]
    overrides.append("grid.x0.step=0.01")
    begun(tmp_path, 2, overrides)
    report = restoration.resume(tmp_path)
    counts = np.bincount(api.open(tmp_path / "result.nc")["status"].values.ravel())
    assert sorted(report.counts["status"].values()) == sorted(counts[counts > 0].tolist())
