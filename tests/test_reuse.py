"""Reuse and extension: what earlier archives hold is not computed again, and is as if it were."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

import pipeline
from pipeline import archive, config, execution, job, provenance, reuse
from pipeline.__main__ import main
from pipeline.errors import CobwebError, ConfigError
from tests.archives import rewritten

RUN = ["experiment=orbit", "map=henon", "figure=none", "iterate.length=100", "iterate.transient=99"]
GRID = "grid={{a: {{start: 1, stop: 1.4, num: {}}}, x0: {{values: [{}]}}}}"
SMALL, LARGE = GRID.format(5, "0.1, 0.3"), GRID.format(9, "0, 0.1, 0.2, 0.3")


def experiment(*words: str) -> Any:
    return config.read(config.compose([*RUN, *words]))


def hashes(folder: Path) -> str:
    return archive.provenance(folder / "result.nc")["sha256"]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The cells of each call."""
    cells: list[int] = []
    real = job.rows

    def rows(experiment: Any, plan: Any, call: Any, places: np.ndarray) -> Any:
        cells.append(len(places))
        return real(experiment, plan, call, places)

    monkeypatch.setattr(job, "rows", rows)
    return cells


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs."""
    folder = tmp_path_factory.mktemp("outputs")
    execution.file(experiment(SMALL), folder / "small")
    return folder


def test_the_same_document_is_taken_over(
    earlier: Path, tmp_path: Path, counted: list[int], workdir: Path, capsys: Any
) -> None:
    """One file under two names, and its figure is drawn anew."""
    words = [*RUN, SMALL, f"reuse={earlier}", f"hydra.run.dir={tmp_path / 'run'}"]
    assert main(["run", *words]) == 0
    assert counted == []
    told = capsys.readouterr().out
    path = earlier / "small" / "result.nc"
    assert f"nothing computed: {path} holds this result and is taken over" in told
    assert "status: 10 bounded" in told
    assert "is taken over" in (tmp_path / "run" / "run.log").read_text()
    assert os.path.samefile(tmp_path / "run" / "result.nc", path)
    assert sorted(os.listdir(tmp_path / "run")) == ["result.nc", "run.log"]


def test_files_without_links_are_copied(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    report = execution.file(experiment(SMALL, f"reuse={earlier}"), tmp_path)
    assert report is not None
    assert report.taken == earlier / "small" / "result.nc"
    content = report.taken.read_bytes()
    assert (tmp_path / "result.nc").read_bytes() == content
    assert not os.path.samefile(tmp_path / "result.nc", report.taken)


@pytest.mark.parametrize("change", ["iterate.length=101", "device.precision=single", "seed=1"])
def test_another_document_is_computed(earlier: Path, tmp_path: Path, change: str) -> None:
    report = execution.file(experiment(SMALL, f"reuse={earlier}", change), tmp_path)
    assert report is not None
    assert report.taken is None


@pytest.mark.parametrize("name", ["code", "packages", "cpu"])
def test_what_other_code_has_made_is_computed(
    earlier: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, name, lambda: '{"jax": "0.1"}')
    report = execution.file(experiment(SMALL, f"reuse={earlier}"), tmp_path)
    assert report is not None
    assert report.taken is None


def test_blocks_count_where_bits_follow_from_them(earlier: Path) -> None:
    """Those of vectors, which a smaller memory makes others."""
    texts = archive.provenance(earlier / "small" / "result.nc")
    for width, same in ((64, True), (1, False)):
        plan = json.loads(texts["plan"])
        plan["kernel"]["width"] = width
        here = {**texts, "plan": json.dumps(plan)}
        there = {**texts, "plan": json.dumps({**plan, "block": plan["block"] + 1})}
        assert (reuse._key(here) == reuse._key(there)) is same


def test_a_damaged_archive_is_not_taken_over(earlier: Path, tmp_path: Path) -> None:
    folder, told = tmp_path / "there", []
    folder.mkdir()
    path = rewritten(earlier / "small" / "result.nc", folder / "result.nc")
    with netCDF4.Dataset(path, "r+") as file:
        file["x"][0, 0, 0] += 1e-15
    found = experiment(SMALL, f"reuse={folder}")
    report = execution.file(found, tmp_path / "run", tell=told.append)
    assert report is not None
    assert report.taken is None
    assert told == [f"{path}: of the same document, but damaged: not taken over"]


def test_jobs_of_a_sweep_are_taken_over(workdir: Path, counted: list[int], capsys: Any) -> None:
    """One more choice costs one more job."""
    words = ["-m", *RUN, SMALL, "map.parameters.b=0.3"]
    assert main(["run", *words, "seed=0,1", "hydra.sweep.dir=one"]) == 0
    assert len(counted) == 2
    assert main(["run", *words, "seed=0,1,2", "hydra.sweep.dir=two", "reuse=one"]) == 0
    assert len(counted) == 3
    assert capsys.readouterr().out.count("is taken over") == 2
    with pipeline.open("two/sweep.nc") as ds:
        assert ds.sizes["seed"] == 3


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^reuse = .*nowhere: no such folder\.$"):
        execution.file(experiment(SMALL, f"reuse={tmp_path / 'nowhere'}"), tmp_path / "run")


def test_a_grown_grid_is_what_computing_all_gives(
    earlier: Path, tmp_path: Path, counted: list[int]
) -> None:
    """Between the old values and around them, along both axes."""
    told: list[str] = []
    execution.file(experiment(LARGE), tmp_path / "all")
    assert sum(counted) == 36
    counted.clear()
    found = experiment(LARGE, f"extend={earlier / 'small'}")
    execution.file(found, tmp_path / "grown", tell=told.append)
    assert sum(counted) == 26
    path = earlier / "small" / "result.nc"
    assert told == [f"10 of 36 cells are taken over from {path}"]
    assert hashes(tmp_path / "grown") == hashes(tmp_path / "all")
    document = archive.provenance(tmp_path / "grown" / "result.nc")["document"]
    assert str(earlier) not in document


def test_grown_in_blocks_and_gone_on_with(tmp_path: Path, counted: list[int]) -> None:
    """New cells fill whole calls, however few of them a block of the result has."""
    grid = "grid={{b: {{start: 0, stop: 0.3, num: 40}}, a: {{start: 1, step: 1e-3, stop: {}}}}}"
    small, large = grid.format(1.1), grid.format(1.11)
    memory = "device.memory=2MiB"
    execution.file(experiment(large), tmp_path / "all")
    execution.file(experiment(small, memory), tmp_path / "small")
    counted.clear()
    found = experiment(large, memory, f"extend={tmp_path / 'small'}")

    def some(blocks: Any, count: int) -> Any:
        for _, block in zip(range(9), blocks, strict=False):
            yield block
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.file(found, tmp_path / "grown", watch=some)
    report = execution.file(found, tmp_path / "grown")
    assert report is not None
    assert report.plan.blocks > 10
    assert sum(counted) < 2 * 400
    assert max(counted) > 60
    assert hashes(tmp_path / "grown") == hashes(tmp_path / "all")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([LARGE, "iterate.length=101"], "its document differs in more than the grid"),
        ([LARGE, "iterate.follow=a"], "with iterate.follow a cell depends on those before it"),
        ([LARGE, "+map.noise={x: 0.01}"], "the noise of a cell follows"),
        (["grid={a: {start: 1, stop: 1.4, num: 9}}"], "its axes are a, x0"),
        (["grid={a: [1.05], x0: [7]}"], "it has none of these cells"),
        (
            ["grid={a: [3, 4]}", "map=coupled_logistic"],
            "the last bits of vectors and of solvers depend",
        ),
    ],
)
def test_grids_that_cannot_grow(earlier: Path, tmp_path: Path, words: Any, told: str) -> None:
    with pytest.raises(CobwebError, match=told):
        execution.file(experiment(*words, f"extend={earlier / 'small'}"), tmp_path / "run")
    assert not list(tmp_path.glob("run/*")) + list(tmp_path.glob("run/.*"))


def test_what_was_made_otherwise_does_not_grow(earlier: Path, tmp_path: Path) -> None:
    path = earlier / "small" / "result.nc"
    texts = archive.provenance(path)
    plan = json.loads(texts["plan"])
    plan["kernel"]["unroll"] = 3
    for changed, told in (
        ({"code": "0"}, "made with another code"),
        ({"plan": json.dumps(plan)}, "computed by another kernel"),
        ({"sha256": texts["sha256"].replace("0", "1")}, "is not as it was written"),
    ):
        other = rewritten(path, tmp_path / "other.nc", **changed)
        with pytest.raises(ConfigError, match=rf"^extend = .*other\.nc: .*{told}"):
            execution.file(experiment(LARGE, f"extend={other}"), tmp_path / "run")
    with pytest.raises(ConfigError, match=r"^extend = .*nothing\.nc: .*no such file"):
        execution.file(experiment(LARGE, f"extend={tmp_path / 'nothing.nc'}"), tmp_path / "run")
