"""A run into a folder: filed once, refused where something else is, gone on with."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from jax.errors import JaxRuntimeError

import pipeline
from pipeline import config, execution, function, job, preparation, restoration
from pipeline.__main__ import main
from pipeline.errors import ArchiveError, CobwebError, ConfigError, Interrupted
from tests.functions import scaled
from tests.runs import SMALL, experiment


def test_a_finished_folder_is_not_computed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for another figure nor for another style."""
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}

    def never(*_: Any) -> Any:
        raise AssertionError("computed again")

    monkeypatch.setattr(job, "blocks", never)
    with pipeline.run(*SMALL, "figure=none", folder=folder) as ds:
        assert ds.sizes["iteration"] == 21
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_another_document_is_refused(folder: Path) -> None:
    content = (folder / "result.nc").read_bytes()
    for change in ("iterate.length=21", "map.parameters.b=0.2", "device.precision=single"):
        with pytest.raises(CobwebError, match=r"result\.nc: holds the result of another document"):
            pipeline.run(*SMALL, change, folder=folder)
    assert (folder / "result.nc").read_bytes() == content


def test_the_order_of_the_grid_is_part_of_the_document(tmp_path: Path) -> None:
    """It is the order of the dimensions."""
    words = ("experiment=orbit", "map=henon", "iterate.length=2", "figure=none")
    pipeline.run(*words, "grid={a: [1, 1.1], b: [0.1, 0.2]}", folder=tmp_path).close()
    with pytest.raises(CobwebError, match="holds the result of another document"):
        pipeline.run(*words, "grid={b: [0.1, 0.2], a: [1, 1.1]}", folder=tmp_path)


@pytest.mark.parametrize("text", ["[1, 2]", "{", "", "a: &x [*x]"])
def test_a_document_that_is_none_is_another(tmp_path: Path, text: str) -> None:
    """A stranger's file in the folder."""
    with netCDF4.Dataset(tmp_path / "result.nc", "w") as file:
        group = file.createGroup("provenance")
        group.createDimension("n", max(1, len(text)))
        group.createVariable("document", "S1", ("n",))[:] = np.frombuffer(
            text.encode() or b"\0", "S1"
        )
    with pytest.raises(CobwebError, match="holds the result of another document"):
        pipeline.run(*SMALL, folder=tmp_path)


def test_a_file_that_is_no_archive_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "result.nc").write_text("precious")
    with pytest.raises(ArchiveError, match="not a netCDF file"):
        pipeline.run(*SMALL, folder=tmp_path)
    assert (tmp_path / "result.nc").read_text() == "precious"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CobwebError, match=r"file/deeper: cannot be made \(Not a directory\)\.$"):
        pipeline.run(*SMALL, folder=tmp_path / "file" / "deeper")


def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before anything is computed or made."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    monkeypatch.setattr(job, "compiled", lambda *_: pytest.fail("compiled"))
    reason = r"^grid: the result takes 0\.00 GiB and .* has 0\.00 GiB free\.$"
    with pytest.raises(ConfigError, match=reason):
        pipeline.run(*SMALL, folder=tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [MemoryError(), JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.")],
)
def test_a_device_without_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What a block needs beside its results is not counted, so that the budget may be too large."""
    found = experiment(map="logistic", figure={"name": "none"})

    def call(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(job, "compiled", lambda *_: (job.Call(call, 0), 0.0))
    with pytest.raises(ConfigError, match=r"^device\.memory = 1,073,741,824: the device has not"):
        execution.file(found, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match=r"^device\.memory"):
        config_run(found)


def config_run(found: Any) -> None:
    """The blocks of an experiment, one after the other."""
    plan = preparation.prepare(found)[1]
    for _ in job.blocks(found, plan, job.compiled(found, plan)[0]):
        pass


def test_another_failure_of_the_device_is_no_mistake_of_the_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def call(*_: Any) -> Any:
        raise JaxRuntimeError("INTERNAL: something else")

    monkeypatch.setattr(job, "compiled", lambda *_: (call, 0.0))
    with pytest.raises(JaxRuntimeError, match="INTERNAL"):
        config_run(experiment(map="logistic"))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("half way")])
def test_an_interrupted_run_leaves_no_result(tmp_path: Path, error: BaseException) -> None:
    """But what it can be gone on with."""
    found = experiment(map="logistic", grid={"a": [3.0, 3.5, 4.0]}, device={"memory": "9KB"})

    def interrupted(blocks: Iterable[Any], count: int) -> Iterator[Any]:
        assert count > 1
        yield next(iter(blocks))
        raise error

    with pytest.raises(type(error)):
        execution.file(found, tmp_path, watch=interrupted)
    assert not (tmp_path / "result.nc").exists()
    report = restoration.resume(tmp_path)
    assert report.counts["status"] == {"bounded": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["result.nc"]


def test_a_report_counts_how_cells_ended(tmp_path: Path) -> None:
    """Across blocks; kinds beside the status."""
    found = experiment(
        objective="himmelblau",
        solver="newton",
        grid={"x0": {"start": -5, "stop": 5, "num": 6}, "y0": {"start": -5, "stop": 5, "num": 6}},
        length=100,
        device={"memory": "4KiB"},
    )
    report = execution.file(found, tmp_path)
    assert report is not None
    assert report.plan.blocks > 1
    assert report.clock.compile_seconds > 0
    assert report.bytes == (tmp_path / "result.nc").stat().st_size
    assert report.files == (tmp_path / "result.nc",)
    with pipeline.open(tmp_path / "result.nc") as ds:
        for name in ("status", "critical_kind"):
            meanings = ds[name].attrs["flag_meanings"].split()
            codes, counts = np.unique(ds[name], return_counts=True)
            expected = {meanings[c]: n for c, n in zip(codes, counts, strict=True)}
            assert report.counts[name] == expected
        assert sum(report.counts["status"].values()) == 36
    assert execution.file(found, tmp_path) is None


def test_a_figure_that_does_not_fit_is_told_first(workdir: Path) -> None:
    """Not after an hour's computing."""
    with pytest.raises(CobwebError, match="cobweb"):
        pipeline.run(*SMALL, "figure=cobweb", folder=workdir / "new")
    assert list(workdir.iterdir()) == []


def test_memory_makes_no_other_document(tmp_path: Path) -> None:
    found = experiment(map="logistic")
    assert execution.file(found, tmp_path) is not None
    again = experiment(map="logistic", device={"memory": "2GiB", "compile_cache": False})
    assert execution.file(again, tmp_path) is None


LINE = ("experiment=orbit", "map.initial={x: 1}", "iterate.length=5", "figure=none")


def test_a_finished_folder_of_a_function(tmp_path: Path) -> None:
    """The same function, made again, finds it; one that closes over another number does not."""
    pipeline.run(*LINE, map=scaled(0.5), folder=tmp_path).close()
    before = (tmp_path / "result.nc").stat().st_mtime_ns
    pipeline.run(*LINE, map=scaled(0.5), folder=tmp_path).close()
    assert (tmp_path / "result.nc").stat().st_mtime_ns == before
    for other in (scaled(0.25), lambda x: 0.5 * x):
        with pytest.raises(CobwebError, match="holds the result of another document"):
            pipeline.run(*LINE, map=other, folder=tmp_path)


def test_a_stopped_run_of_a_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Gone on with from Python alone, by the same function alone."""
    words = (*LINE, "grid={x0: [1, 2, 3]}", "device.memory=9KB")

    def stopped(blocks: Iterable[Any], count: int) -> Iterator[Any]:
        assert count > 1
        yield next(iter(blocks))
        raise ValueError("half way")

    given = function.handed(scaled(0.5))
    found = config.read(config.compose(words, None, config.Handover((given,))), given)
    with pytest.raises(ValueError, match="half way"):
        execution.file(found, tmp_path, words, stopped)
    with pytest.raises(CobwebError, match="holds an unfinished result of another document"):
        pipeline.run(*words, map=scaled(0.25), folder=tmp_path)
    assert main(["resume", str(tmp_path)]) == 2
    reason = "made with a Python function, line; go on from Python: pipeline.run(..., map=f, folder"
    assert reason in capsys.readouterr().err
    with pipeline.run(*words, map=scaled(0.5), folder=tmp_path) as ds:
        assert ds["x"].sel(iteration=2).values.tolist() == [0.25, 0.5, 0.75]


def test_an_interrupted_run_of_a_function_says_how_to_go_on(tmp_path: Path) -> None:
    # Whoever starts the tests in the background has told them to ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    words = (*LINE, "grid={x0: [1, 2, 3]}", "device.memory=9KB")
    given = function.handed(scaled(0.5))
    found = config.read(config.compose(words, None, config.Handover((given,))), given)

    def stopped(blocks: Iterable[Any], count: int) -> Iterator[Any]:
        for block in blocks:
            os.kill(os.getpid(), signal.SIGINT)
            yield block

    try:
        with pytest.raises(
            Interrupted, match=r"of 3 cells are filed; to go on: the same pipeline\.run again$"
        ):
            execution.file(found, tmp_path, words, stopped)
    finally:
        signal.signal(signal.SIGINT, before)
