"""The Python entry points: a dataset, a folder, a figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray
import yaml

import pipeline
from pipeline import api, archive, config, job, preparation
from pipeline.__main__ import main
from pipeline.errors import CobwebError, ConfigError
from tests.archives import rewritten
from tests.functions import henon, misses, scaled, valley
from tests.runs import SMALL, document


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
        "lanes": 16384,
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
    assert set(pipeline.__all__) == {"open", "plot", "run", "verify"}
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


def test_a_function_in_the_place_of_formulas() -> None:
    """In memory, over axes; without a choice of a map, custom is the one."""
    words = (
        "map.parameters={a: 1.4, b: 0.3}",
        "map.initial={x: 0.1, y: 0.1}",
        SMALL[0],
        *SMALL[2:],
    )
    ds = pipeline.run(*words, map=henon)
    expected = pipeline.run(*SMALL)
    for name in ("x", "y", "status", "a"):
        assert ds[name].equals(expected[name])
    assert yaml.safe_load(ds.attrs["document"])["map"]["function"]["name"] == "henon"
    assert "all that is needed but the Python function henon, to" in ds.attrs["comment"]
    assert pipeline.plot(ds, "phase_portrait").axes
    assert pipeline.run("map=custom", *words, map=henon).identical(ds)
    with pytest.raises(CobwebError, match="its map is a Python function"):
        pipeline.plot(pipeline.run(SMALL[0], "map.initial={x: 1}", map=scaled(0.5)), "cobweb")
    plt.close("all")


def test_mistakes_of_a_function_come_with_the_others() -> None:
    """Those of the overrides and of the document."""
    with pytest.raises(ConfigError) as raised:
        pipeline.run("map=logistic", "solver=newtn", "seed=-1", map=henon)
    told = "\n".join(raised.value.mistakes)
    assert len(raised.value.mistakes) == 3
    for word in ("map.equations: the Python function henon", "newtn", "seed = -1"):
        assert word in told


def test_a_function_without_a_derivative() -> None:
    """Refused by JAX while the loop is made; a sentence all the same."""

    def f(x: Any) -> Any:
        like = jax.ShapeDtypeStruct((), x.dtype)
        return jax.pure_callback(np.sin, like, x, vmap_method="broadcast_all")

    words = ("experiment=orbit", "map.initial={x: 1}", "iterate.length=2")
    assert float(pipeline.run(*words, map=f)["x"][1]) == pytest.approx(np.sin(1))
    with pytest.raises(CobwebError, match=r"^map=f: it raises ValueError: Pure callbacks do not"):
        pipeline.run(*words, "analysis=[lyapunov]", map=f)


def test_a_secret_in_a_source_is_masked() -> None:
    def f(x: Any, password: Any = 1) -> Any:
        password = "hunter2"  # noqa: F841
        return x

    ds = pipeline.run("experiment=orbit", "map.initial={x: 1}", "iterate.length=1", map=f)
    assert "def f(x" in ds.attrs["document"]
    assert "hunter2" not in ds.attrs["document"]


def test_verify_computes_an_archive_again(folder: Path) -> None:
    """As the command does; its verdict is told in words."""
    found = pipeline.verify(folder / "result.nc")
    assert found.outcome == "identical"
    assert "result.nc: identical: 109 values of 5 variables" in str(found)
    assert pipeline.verify(folder / "result.nc", quick=True).outcome == "intact"
    with pytest.raises(ConfigError, match=r"^sample = 2: expected a number from 0 to 1\.$"):
        pipeline.verify(folder / "result.nc", sample=2)
    with pytest.raises(CobwebError, match=r"made by formulas; leave out the function henon\.$"):
        pipeline.verify(folder / "result.nc", map=henon)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of two functions."""
    path = tmp_path_factory.mktemp("functions")
    for name, factor in (("a", 0.5), ("b", 0.25)):
        words = ("experiment=orbit", "map.initial={x: 1}", "iterate.length=5")
        pipeline.run(*words, map=scaled(factor), folder=path / name).close()
    return path


def test_an_archive_of_a_function(made: Path) -> None:
    """Verified with it alone; another closure of the same source is another function."""
    path = made / "a" / "result.nc"
    found = pipeline.verify(path, map=scaled(0.5))
    assert (found.outcome, found.notes) == ("identical", ())
    assert pipeline.verify(path, map=scaled(0.25)).outcome == "different"
    same = pipeline.verify(path, map=lambda x: 0.5 * x)
    assert same.outcome == "identical"
    assert "note: the source of <lambda> is not the recorded one" in str(same)
    with pytest.raises(CobwebError, match=r"made with a Python function, line; verify it from Py"):
        pipeline.verify(path)
    with pytest.raises(CobwebError, match="its document with that function:\n  map=hen"):
        pipeline.verify(path, map=henon)


def test_the_commands_on_archives_of_functions(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They show, draw, join and compare; those that would compute say who can."""
    path, other = (str(made / name / "result.nc") for name in "ab")
    assert main(["verify", "--quick", path]) == 0
    for command in (["info", path], ["table", path], ["report", path], ["figure", path]):
        assert main(command) == 0
    shown = capsys.readouterr().out
    assert "      source: |\n        def line(x: Any) -> Any:\n            return factor" in shown
    assert main(["collect", str(made)]) == 0
    assert main(["diff", path, other]) == 1
    assert "map.function.program" in capsys.readouterr().out
    for words in (["verify", path], ["verify", "--sample", "0.1", path]):
        assert main(words) == 2
    assert "verify it from Python: pipeline.verify(path, map=f)." in capsys.readouterr().err


def test_an_archive_of_an_objective_function(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verified with the function in the place that it had, and by nothing else."""
    words = ("experiment=minimise", "iterate.length=10", "figure=none")
    pipeline.run(*words, residuals=misses, initial={"x": -1.2, "y": 1}, folder=tmp_path).close()
    path = tmp_path / "result.nc"
    found = pipeline.verify(path, residuals=misses)
    assert (found.outcome, found.notes) == ("identical", ())
    other = pipeline.verify(path, residuals=lambda x, y: [9 * (y - x**2), 1 - x])
    assert other.outcome == "different"
    with pytest.raises(CobwebError, match="over as residuals, not as objective"):
        pipeline.verify(path, objective=valley)
    with pytest.raises(ConfigError, match=r"^map=henon and objective=valley: expected one Python"):
        pipeline.verify(path, map=henon, objective=valley)
    assert main(["verify", str(path)]) == 2
    assert "from Python: pipeline.verify(path, residuals=f)." in capsys.readouterr().err
    with pipeline.open(path) as ds:
        assert pipeline.plot(ds, "convergence").axes
    plt.close("all")


def test_nothing_of_an_archive_is_run(tmp_path: Path, made: Path) -> None:
    """A source that would do something, and a description that is none."""
    old = archive.provenance(made / "a" / "result.nc")["document"]
    document = yaml.safe_load(old)
    evil = f"open({str(tmp_path / 'evil')!r}, 'w')"
    for described in ({"name": "os.system", "source": evil}, {"name": [evil]}, evil, None, 3):
        document["map"]["function"] = described
        path = rewritten(
            made / "a" / "result.nc", tmp_path / "a.nc", document=yaml.safe_dump(document)
        )
        assert main(["verify", str(path)]) == 2
        assert main(["info", str(path)]) == 0
        assert main(["figure", str(path), "--format", "svg"]) == 0
        assert pipeline.verify(path, map=scaled(0.5)).outcome == "identical"
    assert not (tmp_path / "evil").exists()
