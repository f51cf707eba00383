"""A cluster of real processes: the archive is that of this process alone, whoever is killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from distributed import KilledWorker
from distributed.client import FutureCancelledError

import pipeline
from pipeline import archive, config, engine, execution, gathering, parts, provenance, restoration
from pipeline.__main__ import main
from pipeline.engine import cluster
from pipeline.errors import CobwebError, ConfigError, DamageError
from tests.functions import HENON, henon
from tests.test_command import environment

# 24 blocks of 128 cells.
RUN = [
    *("experiment=orbit", "map=henon", "figure=none", "iterate.length=400"),
    *("grid={a: {start: 1, stop: 1.4, num: 3000}}", "device.memory=7MiB"),
]


def experiment(*more: str) -> Any:
    return config.read(config.compose([*RUN, *more]))


def hashes(folder: Path) -> str:
    return archive.provenance(folder / "result.nc")["sha256"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hashes of an undisturbed run in this process."""
    folder = tmp_path_factory.mktemp("whole")
    report = execution.file(experiment(), folder)
    assert report is not None
    assert report.plan.blocks > 20
    return hashes(folder)


@pytest.fixture(scope="module")
def joined() -> Iterator[tuple[str, Any]]:
    """The address of a cluster of two processes, as somebody else has started it."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as started:
        yield f"engine.address={started.scheduler_address}", started


def test_a_local_cluster_by_the_command(root: Path, tmp_path: Path, whole: str) -> None:
    """Two processes are started and ended; the log says where they were."""
    words = [*RUN, "engine=dask", "engine.workers=2", f"hydra.run.dir={tmp_path}"]
    done = subprocess.run(
        [sys.executable, str(root / "run.py"), *words],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "engine dask: 2 workers here; " in done.stdout
    assert ("no dashboard, since bokeh" in done.stdout) == (util.find_spec("bokeh") is None)
    assert done.stderr == ""
    assert hashes(tmp_path) == whole
    assert sorted(os.listdir(tmp_path)) == ["result.nc", "run.log"]
    log = (tmp_path / "run.log").read_text()
    assert "2 workers here" in log
    assert "Scheduler" not in log


def test_workers_that_are_killed(
    joined: tuple[str, Any], tmp_path: Path, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At random, by SIGKILL, in mid-run: the same bits, and it is told."""
    address, started = joined
    chance, told = random.Random(5), []
    monkeypatch.setattr(cluster, "AHEAD", 2)

    def watch(blocks: Any, count: int) -> Iterator[Any]:
        for number, block in enumerate(blocks):
            yield block
            if number in (3, 9):
                pids = [n.pid for n in started.workers.values() if n.pid]
                os.kill(chance.choice(pids), signal.SIGKILL)

    found = experiment("engine=dask", address)
    report = execution.file(found, tmp_path, watch=watch, tell=told.append)
    assert report is not None
    assert report.counts["status"] == {"bounded": 3000} or "escaped" in report.counts["status"]
    assert report.clock.compile_seconds > 0
    assert hashes(tmp_path) == whole
    assert os.listdir(tmp_path) == ["result.nc"]
    assert any(line.startswith("a worker was lost (tcp://") for line in told)


def test_a_driver_that_was_stopped_goes_on(
    joined: tuple[str, Any], tmp_path: Path, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What workers have filed is not computed again; a damaged part is."""
    found, submitted, filed, told = experiment("engine=dask", joined[0]), [], [], []
    real = cluster._Run.submit

    def submit(self: Any, first: int, *rest: int) -> Any:
        submitted.append(first)
        return real(self, first, *rest)

    monkeypatch.setattr(cluster._Run, "submit", submit)

    def some(blocks: Any, count: int) -> Iterator[Any]:
        for _, block in zip(range(3), blocks, strict=False):
            filed.append(block[1])
            yield block
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.file(found, tmp_path, watch=some)
    (own,) = (tmp_path / ".result.nc.blocks").iterdir()
    # That after the last one in the result was read ahead, so it is there.
    first, last = next(part for part in parts.there(own) if part[0] >= filed[-1])
    path = parts.path_of(own, first, last)
    path.write_bytes(path.read_bytes()[:-100])
    before = len(submitted)
    report = restoration.resume(tmp_path, tell=told.append)
    assert report.plan.blocks > len(submitted) - before
    assert first in submitted[before:]
    assert any("damaged" in line for line in told)
    assert hashes(tmp_path) == whole
    assert os.listdir(tmp_path) == ["result.nc"]


def test_what_one_engine_has_begun_another_may_end(
    joined: tuple[str, Any], tmp_path: Path, whole: str
) -> None:
    def some(blocks: Any, count: int) -> Iterator[Any]:
        yield next(iter(blocks))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.file(experiment("engine=dask", joined[0]), tmp_path, watch=some)
    assert execution.file(experiment(), tmp_path) is not None
    assert hashes(tmp_path) == whole
    assert os.listdir(tmp_path) == ["result.nc"]


def test_other_code_is_refused(
    joined: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers say so; nothing of theirs is taken."""
    for name, told in (("code", "another version of Cobweb's code"), ("xla_flags", "xla_flags = ")):
        monkeypatch.setattr(provenance, name, lambda: "another")
        with pytest.raises(CobwebError, match=rf"^engine = dask: of a worker: it has {told}"):
            execution.file(experiment("engine=dask", joined[0]), tmp_path)
        monkeypatch.undo()
    packages = provenance.packages().replace('"jax": "', '"jax": "9.')
    monkeypatch.setattr(provenance, "packages", lambda: packages)
    with pytest.raises(CobwebError, match=r"it has jax [\d.]+ for 9\.[\d.]+: its bits would not"):
        execution.file(experiment("engine=dask", joined[0]), tmp_path)


def test_a_folder_that_workers_do_not_see(
    joined: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cluster._Run.submit

    def submit(self: Any, first: int, *rest: int) -> Any:
        shutil.rmtree(self.folder, ignore_errors=True)
        return real(self, first, *rest)

    monkeypatch.setattr(cluster._Run, "submit", submit)
    with pytest.raises(CobwebError, match="must be one that all workers share"):
        execution.file(experiment("engine=dask", joined[0]), tmp_path / "run")


class Ends:
    """A task that ends as it is told."""

    def __init__(self, end: Any) -> None:
        self.end = end

    def result(self, timeout: float) -> Any:
        if not isinstance(self.end, CobwebError):  # which is a value
            raise self.end
        return self.end


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (FutureCancelledError("key", "lost"), r"the scheduler was lost; what is filed is kept"),
        (KilledWorker("key", None, 3), r"workers were lost time and again at cells 0 to 127; l"),
        (ModuleNotFoundError(name="pipeline"), r"a worker has no module pipeline; start workers"),
        (OSError(28, "No space left on device"), r"a worker cannot file its blocks .*No space"),
        (CobwebError("not here."), r"of a worker: not here\."),
    ],
)
def test_what_ends_a_run(
    joined: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Any, told: str
) -> None:
    """Each in a sentence; what Dask says of it is seen in the tests above, or stands in here."""
    monkeypatch.setattr(cluster._Run, "submit", lambda *_: Ends(end))
    with pytest.raises(CobwebError, match=rf"^engine = dask: {told}"):
        execution.file(experiment("engine=dask", joined[0]), tmp_path)


def test_workers_that_are_not_there_yet() -> None:
    """A run that waits for some says so, once."""
    told: list[str] = []
    run = cluster._Run(SimpleNamespace(nthreads=dict), Path(), 0, told.append)
    ends = iter([TimeoutError(), TimeoutError(), "done"])

    def result(timeout: float) -> Any:
        if isinstance(end := next(ends), Exception):
            raise end
        return end

    assert cluster._awaited(run, SimpleNamespace(result=result, status="pending")) == "done"
    assert [line.partition(";")[0] for line in told] == ["there are no workers"]
    with pytest.raises(TimeoutError):
        cluster._awaited(run, SimpleNamespace(result=Ends(TimeoutError()).result, status="error"))


def test_a_folder_that_damages(
    joined: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> Any:
        raise DamageError(f"{path}: damaged.")

    monkeypatch.setattr(parts, "read", read)
    with pytest.raises(CobwebError, match="what workers file there comes back damaged"):
        execution.file(experiment("engine=dask", joined[0]), tmp_path)


def test_other_processors_are_told(
    joined: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(provenance, "cpu", lambda: "Zuse Z3")
    execution.file(experiment("engine=dask", joined[0]), tmp_path, tell=told.append)
    assert [line for line in told if "last bits may differ" in line] == [told[1]]


def test_no_scheduler_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER", 1.0)
    found = experiment("engine=dask", "engine.address=tcp://127.0.0.1:9")
    reason = r'^engine\.address = "tcp://127\.0\.0\.1:9": no scheduler answers there'
    with pytest.raises(ConfigError, match=reason):
        execution.file(found, tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_scheduler_without_certificates(tmp_path: Path) -> None:
    found = experiment("engine=dask", "engine.address=tls://127.0.0.1:9")
    with pytest.raises(ConfigError, match="Dask has no certificates for it"):
        execution.file(found, tmp_path)


def test_dask_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda n: None if n == "distributed" else real(n))
    with pytest.raises(ConfigError, match=r"pip install 'cobweb-pipeline\[dask\]'"):
        execution.file(experiment("engine=dask"), tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_python_function_stays_here(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"function henon cannot be sent to workers"):
        pipeline.run(
            *("experiment=orbit", "engine=dask", "figure=none"),
            map=henon,
            **HENON,
            folder=tmp_path,
        )


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("engine=dask", r"^engine = dask: workers file .*; give a folder\.$"),
        ("reuse=there", r"^reuse = there: it takes over a file; give a folder\.$"),
        ("extend=there", r"^extend = there: it goes on from a file; give a folder\.$"),
    ],
)
def test_what_needs_a_folder(word: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        pipeline.run("experiment=orbit", word, "figure=none")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["engine.address=somewhere"], 'engine.address = "somewhere": expected the address of a'),
        (["engine.workers=0"], "engine.workers = 0: expected an integer >= 1."),
        (["engine.threads=x"], 'engine.threads = "x": expected an integer >= 1'),
        (["engine.address=tcp://a:1", "engine.workers=2"], "engine.workers = 2: the cluster at"),
        (["engine.colour=red"], "engine.colour: no such key"),
    ],
)
def test_mistakes(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config.read(config.compose([*RUN, "engine=dask", *words]))
    assert told in str(raised.value)


def test_jobs_of_a_sweep_become_one_file(workdir: Path, capsys: Any) -> None:
    words = ["-m", *RUN, "engine=dask", "engine.join=false", "seed=0,1"]
    assert main(["run", *words]) == 2
    told = capsys.readouterr().err
    assert told.strip() == "engine.join = false: jobs of a sweep become one file."
    assert os.listdir(workdir) == []


def test_settings_of_another_engine() -> None:
    with pytest.raises(ConfigError, match=r"engine\.workers: a setting of dask, not of local"):
        config.read(config.compose([*RUN, "+engine.workers=2"]))


def test_the_engine_that_is_asked_for() -> None:
    assert experiment("engine=dask", "engine.threads=2").engine == engine_of("dask", threads=2)
    assert experiment().engine == engine_of("local")


def engine_of(name: str, **settings: Any) -> Any:
    from pipeline.experiment import Engine

    return Engine(name, **settings)


def test_bits_do_not_ask_who_computes() -> None:
    """What names a run's folder of blocks is the order, not the engine."""
    orders = [
        execution._order(found, execution.preparation.prepare(found)[1], Path("r.nc"), None)
        for found in (experiment(), experiment("engine=dask"))
    ]
    assert isinstance(orders[0], engine.Order)
    assert orders[0].own == orders[1].own


def test_blocks_that_are_kept(joined: tuple[str, Any], tmp_path: Path, workdir: Path) -> None:
    """One dataset, read lazily, of the values that one file has; gone on with; damage is told."""
    words = ["grid={a: {start: 1, stop: 1.4, num: 40}, x0: {start: 0, stop: 0.1, num: 30}}"]
    local = execution.file(experiment(*words, "device.memory=3MiB"), tmp_path / "one")
    assert local is not None
    words += ["device.memory=3MiB", "engine=dask", joined[0], "engine.join=false"]
    found, folder = experiment(*words), tmp_path / "kept"

    def some(receipts: Any, count: int) -> Iterator[Any]:
        for _, receipt in zip(range(3), receipts, strict=False):
            yield receipt
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.file(found, folder, watch=some)
    with pytest.raises(CobwebError, match=r"same command with hydra\.run\.dir goes on with kept"):
        restoration.resume(folder)
    # Nothing that was filed is thrown away for another run.
    for change, differing in (("seed=1", "document"), ("device.memory=5MiB", r"device\.memory")):
        with pytest.raises(CobwebError, match=rf"unfinished run with another {differing}; go on"):
            execution.file(experiment(*words, change), folder)
    told: list[str] = []
    report = execution.file(found, folder, tell=told.append)
    assert report is not None
    assert report.counts == local.counts
    assert told[-1] == "blocks are kept as files: pipeline.open reads them as one; nothing is drawn"
    assert execution.file(found, folder) is None
    with pipeline.open(tmp_path / "one" / "result.nc") as one, pipeline.open(folder) as kept:
        assert kept.chunks
        assert kept.sizes == one.sizes
        for name in one.variables:
            assert kept[name].dims == one[name].dims
            assert str(kept[name].attrs) == str(one[name].attrs)
            assert kept[name].values.tobytes() == one[name].values.tobytes(), name
        some_cells = {"a": slice(30, 5, -7), "x0": [3, 1], "iteration": 17}
        assert kept["x"].isel(some_cells).equals(one["x"].isel(some_cells))
    (own,) = (p for p in (folder / "result.blocks").iterdir() if p.is_dir())
    index = folder / "result.blocks" / "index.nc"
    verdict = pipeline.verify(index, quick=True)
    assert verdict.outcome == "intact"
    assert pipeline.verify(index, sample=0.3).outcome == "identical"
    assert main(["table", str(folder)]) == 0
    assert main(["figure", str(folder), "-o", str(workdir / "drawn")]) == 0
    assert (workdir / "drawn.png").exists()
    with pytest.raises(CobwebError, match="an index of kept blocks, which are too much for one"):
        gathering.collect(folder)
    piece = sorted(own.glob("*.zip"))[2]
    piece.write_bytes(piece.read_bytes()[:-1] + b"x")
    verdict = pipeline.verify(index, quick=True)
    assert verdict.reasons == (f"{piece.name}: it does not have the hash that is recorded for it",)
    piece.unlink()
    assert pipeline.verify(index, quick=True).reasons == (f"{piece.name}: missing",)
    with (
        pipeline.open(index) as kept,
        pytest.raises(CobwebError, match=r"\.zip: missing\.$"),
    ):
        kept["x"].load()


def test_a_grid_that_grows(joined: tuple[str, Any], tmp_path: Path, whole: str) -> None:
    """Workers compute the new cells alone; the file is that of all."""
    third = np.linspace(1, 1.4, 3000)[::3].tolist()
    document = config.compose([*RUN[:4], f"grid={{a: {third}}}"])
    execution.file(config.read(document), tmp_path / "third")
    found = experiment("engine=dask", joined[0], f"extend={tmp_path / 'third'}")
    told: list[str] = []
    assert execution.file(found, tmp_path / "grown", tell=told.append) is not None
    assert told[0].startswith("1,000 of 3,000 cells are taken over from")
    assert hashes(tmp_path / "grown") == whole


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["analysis=[cycles]"], "an analysis that comes after the loop reads the whole result"),
        (["reuse=there"], "reuse takes over one file"),
        (["figure.report=true"], "figure.report reads the whole result"),
    ],
)
def test_what_needs_one_file(words: list[str], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"^engine\.join = false: {told}\.$"):
        execution.file(experiment("engine=dask", "engine.join=false", *words), tmp_path)
