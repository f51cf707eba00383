"""The Python entry points: a dataset, a folder, a figure."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import xarray
import yaml

import pipeline
from pipeline import api, archive, config, job, preparation
from pipeline.errors import CobwebError, ConfigError
from tests.runs import document

SMALL = ("experiment=orbit", "map=henon", "iterate.length=20", "grid={a: [1.2, 1.4]}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run and its figure."""
    path = tmp_path_factory.mktemp("run") / "deep" / "er"
    pipeline.run(*SMALL, "figure.formats=[png,svg]", folder=path).close()
    return path


def test_run_gives_a_dataset_and_writes_nothing(workdir: Path) -> None:
    ds = pipeline.run(*SMALL)
    assert isinstance(ds, xarray.Dataset)
    assert dict(ds.sizes) == {"a": 2, "iteration": 21}
    assert float(ds["x"].sel(a=1.4, iteration=1)) == pytest.approx(1 - 1.4 * 0.01 + 0.1)
    assert yaml.safe_load(ds.attrs["document"])["grid"] == {"a": {"values": [1.2, 1.4]}}
    assert list(workdir.iterdir()) == []


def test_run_into_a_folder_gives_the_same(folder: Path) -> None:
    """Values, labels and document; the archive says besides who wrote it and when."""
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["figure.png", "figure.svg", "result.nc"]
    ds = pipeline.run(*SMALL)
    with pipeline.open(folder / "result.nc") as filed:
        for name, variable in ds.variables.items():
            assert variable.equals(filed[name].variable), name
            assert variable.attrs["long_name"] == filed[name].attrs["long_name"]
        assert filed.attrs["source"].startswith("Cobweb ")
        assert "computed by Cobweb" in filed.attrs["history"]
        here, there = (yaml.safe_load(each.attrs["document"]) for each in (ds, filed))
        aside = ("figure",)
        assert {k: v for k, v in here.items() if k not in aside} == {
            k: v for k, v in there.items() if k not in aside
        }
    texts = archive.provenance(folder / "result.nc")
    assert json.loads(texts["overrides"])[: len(SMALL)] == list(SMALL)
    plan = json.loads(texts["plan"])
    assert plan["block"] == 2
    assert plan["kernel"] == {
        "unroll": 1,
        "batch": 1,
        "width": 64,
        "paired": False,
        "guarded": False,
    }
    assert plan["devices"] == 1


def test_plot_draws_either(folder: Path) -> None:
    """A dataset in memory, an archive, into axes of one's own, another kind."""
    with pipeline.open(folder / "result.nc") as ds:
        figure = pipeline.plot(ds)
        assert figure.axes
        own, axes = plt.subplots()
        assert pipeline.plot(ds, "phase_portrait", ax=axes) is own
        assert axes.has_data()
    assert pipeline.plot(pipeline.run(*SMALL), style="paper").axes
    plt.close("all")


def test_a_result_beyond_the_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In memory it is refused; into a folder it goes."""
    monkeypatch.setattr(preparation, "free_memory", lambda: 1000)
    reason = "0.00 GiB of memory are free; give a folder to write it to"
    with pytest.raises(ConfigError, match=reason):
        pipeline.run(*SMALL)
    pipeline.run(*SMALL, "figure=none", folder=tmp_path).close()
    monkeypatch.setattr(preparation, "free_memory", lambda: None)
    assert pipeline.run(*SMALL).sizes["a"] == 2


def test_mistakes_are_told_before_anything_is_made(workdir: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        pipeline.run("experiment=orbit", "map=henon", "grid.a.num=-5", folder=workdir / "new")
    assert raised.value.mistakes
    assert list(workdir.iterdir()) == []


def test_the_archive_of_a_document_gives_it_again(folder: Path) -> None:
    """What is filed can be read, checked and re-run."""
    texts = archive.provenance(folder / "result.nc")
    again = config.read(yaml.safe_load(texts["document"]))
    assert again.problem.name == "henon"
    assert again.iterate.length == 20
    plan = preparation.prepare(again)[1]
    call, _ = job.compiled(again, plan)
    _, _, results = next(iter(job.blocks(again, plan, call)))
    with pipeline.open(folder / "result.nc") as ds:
        assert (results["x"] == ds["x"].values).all()


def test_names_of_the_package() -> None:
    assert pipeline.run is api.run
    assert set(pipeline.__all__) == {"open", "plot", "run"}
    with pytest.raises(AttributeError, match="has no attribute 'fly'"):
        pipeline.fly  # noqa: B018
    assert document(map="logistic")["solver"] == {"name": "direct"}


def test_what_belongs_to_the_command_line_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^dry_run = true: expected false"):
        pipeline.run("dry_run=true")
    with pytest.raises(ConfigError, match=r"^hydra.run.dir=x: Hydra has no part here"):
        pipeline.run("hydra.run.dir=x")


def test_only_datasets_are_drawn() -> None:
    with pytest.raises(CobwebError, match=r"^plot: expected a dataset, not a list\.$"):
        pipeline.plot([1, 2])  # type: ignore[arg-type]  # the mistake


def test_a_notebook_draws_nothing_unasked() -> None:
    """So a figure that does not fit is no reason to refuse the run."""
    assert "x_final" in pipeline.run("experiment=orbit", "analysis=[final]")
