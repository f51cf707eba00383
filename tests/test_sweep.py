"""Sweeps as a user starts them: jobs, folders, sweep.nc, failures, launchers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins

from pipeline import api, archive, command, execution, presentation, sweep
from pipeline.__main__ import main
from pipeline.errors import ArchiveError

SHORT = ["experiment=orbit", "iterate.length=3", "figure=none", "hydra.sweep.dir=out"]
Command = Callable[..., tuple[int, str, str]]
PLUGINS = {
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "submitit_local": "hydra_plugins.hydra_submitit_launcher",
}


@pytest.fixture
def swept(workdir: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a sweep in an empty folder: (exit status, what it says, what it complains)."""

    def call(*words: str, short: bool = True) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["run", "-m", *(SHORT if short else []), *words])
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


def results(folder: Path) -> list[str]:
    """The netCDF files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.nc"))


def documents(path: Path) -> list[Any]:
    """Of the jobs of a sweep."""
    texts = archive.provenance(path)
    own = [json.loads(texts[f"job_{n}"]) for n in range(int(texts["jobs"]))]
    return [yaml.safe_load(one.get("document") or texts["document"]) for one in own]


def test_numbers_are_axes_and_choices_are_jobs(swept: Command, workdir: Path) -> None:
    """Two jobs of 600 cells, not 1202 jobs of one; the values are those of single runs."""
    code, out, err = swept("map=logistic,cubic", "map.parameters.a=range(3.4,4,0.001)")
    assert (code, err) == (0, "")
    assert out.splitlines()[-2] == "sweep: 2 jobs, 1,200 cells, none failed"
    assert out.splitlines()[-1].startswith("out/sweep.nc (")
    assert results(workdir / "out") == ["0/result.nc", "1/result.nc", "sweep.nc"]
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert dict(ds["x"].sizes) == {"map": 2, "a": 600, "iteration": 4}
        assert (ds["a"].values[0], ds["a"].values[-1]) == (3.4, 3.999)
        for name in ("logistic", "cubic"):
            words = [*SHORT[:3], f"map={name}", "grid={a: {start: 3.4, stop: 4, step: 0.001}}"]
            alone = api.run(*words)
            assert np.array_equal(ds["x"].sel(map=name), alone["x"])
    for number, found in enumerate(documents(workdir / "out" / "sweep.nc")):
        assert found["grid"] == {"a": {"start": 3.4, "stop": 4, "step": 0.001}}
        texts = archive.provenance(workdir / "out" / str(number) / "result.nc")
        overrides = json.loads(texts["overrides"])
        assert f"map={('logistic', 'cubic')[number]}" in overrides
        assert "map.parameters.a=range(3.4,4,0.001)" in overrides


def test_twenty_thousand_numbers_are_one_job(
    swept: Command, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hydra's parser, which would take minutes for them, never sees the values."""
    seen: list[str] = []
    parse = OverridesParser.parse_override

    def watched(self: OverridesParser, text: str) -> Any:
        seen.append(text)
        return parse(self, text)

    monkeypatch.setattr(OverridesParser, "parse_override", watched)
    code, out, _ = swept("map=logistic", "map.parameters.a=range(3.4,4,0.00003)")
    assert code == 0
    assert "sweep: 1 job, 20,000 cells, none failed" in out
    assert results(workdir / "out") == ["0/result.nc", "sweep.nc"]
    assert seen
    assert max(map(len, seen)) < 100


def test_axes_of_starts_and_settings(swept: Command, workdir: Path) -> None:
    """In the order in which they were typed; of a list, its values."""
    words = ["experiment=minimise", "objective=seed_quadratic", "solver=gradient", "figure=none"]
    numbers = ["solver.step=0.1,0.05", "objective.initial.x.1=range(0,3)"]
    code, _, err = swept(
        *words, *numbers, "objective.parameters.c_0=3,4", "hydra.sweep.dir=out", short=False
    )
    assert (code, err) == (0, "")
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert dict(ds["status"].sizes) == {"step": 2, "x0_1": 3, "c_0": 2}
        assert ds["step"].values.tolist() == [0.1, 0.05]
        assert (ds["status"] == 1).all()
        assert np.allclose(ds["x_final"].sel(x_dim=0), ds["c_0"], atol=1e-6)


def test_precisions_and_lists_are_jobs(swept: Command, workdir: Path) -> None:
    code, _, _ = swept("map=henon", "device.precision=single,double", "map.parameters.b=0.1,0.2")
    assert code == 0
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert dict(ds["y"].sizes) == {"precision": 2, "b": 2, "iteration": 4}
        assert ds["precision"].values.tolist() == ["single", "double"]
    code, _, _ = swept("map=henon", "analysis=[orbit],[final]", "hydra.sweep.dir=lists")
    assert code == 0
    with xarray.open_datatree(workdir / "lists" / "sweep.nc") as tree:
        assert set(tree.children) == {"orbit", "final", "provenance"}
        assert tree["final"]["analysis"].item() == "[final]"


def test_a_number_that_is_no_axis_of_one_document(swept: Command, workdir: Path) -> None:
    """c is a real parameter of one map and a complex one of the other."""
    code, out, _ = swept("map=quadratic,quadratic_c", "map.parameters.c=-1,0")
    assert code == 0
    assert "sweep: 3 jobs, 4 cells, none failed" in out
    with xarray.open_datatree(workdir / "out" / "sweep.nc") as tree:
        children = set(tree.children) - {"provenance"}
        assert children == {"quadratic_axis", "quadratic_c_c_-1", "quadratic_c_c_0"}
        assert tree["quadratic_axis"]["c"].values.tolist() == [-1, 0]
        assert tree["quadratic_c_c_0"]["c"].item() == 0


def test_a_study_in_a_config(workdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """hydra.mode and hydra.sweeper.params make a plain run a sweep, which overrides may change.

    Rows 10 and 11: the direct iteration comes to 3 alone, from between -7 and 7; for Newton's
    method 7, which repels, has a basin too, and they part at 5.
    """
    words = ["run", "experiment=fixed_point_basins", "figure=none"]
    assert main([*words, "hydra.sweep.dir=out"]) == 0
    with xarray.open_datatree(workdir / "out" / "sweep.nc") as tree:
        assert set(tree.children) == {"direct", "newton", "provenance"}
        direct, newton = tree["direct"], tree["newton"]
        x0 = direct["x0"].values
        assert {-7, 5, 7} <= {*x0}
        expected = np.where(np.abs(x0) < 7, 0, np.where(np.abs(x0) > 7, -1, -2))
        assert direct["basin"].values.tolist() == expected.tolist()
        expected = np.where(x0 < 5, 0, np.where(x0 > 5, 1, -1))
        assert newton["basin"].values.tolist() == expected.tolist()
        assert newton["attractor_x"].values[:2, 0] == pytest.approx([3, 7], abs=1e-12)
        kinds = newton["fixed_point_kind"].values
        assert (kinds == np.select([x0 < 5, x0 > 5], [1, 2])).all()
    assert main([*words, "solver=newton", "seed=1,2", "hydra.sweep.dir=other"]) == 0
    assert "sweep: 2 jobs, 306 cells" in capfd.readouterr().out
    (workdir / "mine" / "experiment").mkdir(parents=True)
    (workdir / "mine" / "experiment" / "bare.yaml").write_text(
        "# @package _global_\n# No map of its own\ndefaults:\n  - override /analysis: [final]\n"
        "hydra: {mode: MULTIRUN, sweeper: {params: {map: 'henon,ikeda'}}}\n"
    )
    words = ["run", "--config-dir", "mine", "experiment=bare", "figure=none", "iterate.length=3"]
    assert main([*words, "hydra.sweep.dir=bare"]) == 0
    assert results(workdir / "bare") == ["0/result.nc", "1/result.nc", "sweep.nc"]


JOINT = ["experiment=convergence", "iterate.length=30", "hydra.sweep.dir=out"]


def test_a_joint_figure_shows_what_failed(swept: Command, workdir: Path) -> None:
    """It is asked for by a key, whatever figure each job has, and drawn again by a command."""
    (workdir / "out").mkdir()
    (workdir / "out" / "1").write_text("in the way")
    words = ["solver=newton,gradient", "objective=seed_quadratic"]
    code, out, _ = swept(*JOINT, *words, short=False)
    assert code == 1
    assert "out/sweep.nc, figure.png (" in out
    assert not (workdir / "out" / "0" / "figure.png").exists()
    ((files, _),) = presentation.draw(workdir / "out" / "sweep.nc", formats=["svg"], style="paper")
    assert [path.name for path in files] == ["figure_paper.svg", "figure_paper.txt"]
    assert "failed: gradient" in files[1].read_text()
    (workdir / "out" / "0" / "result.nc").unlink()
    (workdir / "out" / "0").rename(workdir / "out" / "there")
    (workdir / "out" / "0").write_text("in the way")
    code, out, _ = swept(*JOINT, *words, short=False)
    assert code == 1
    assert 'figure.joint = "convergence": all jobs have failed.' in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["figure.joint=profil"], 'figure.joint = "profil": no such figure (known: none, conv'),
        (["figure.work=hours"], 'figure.work = "hours": expected one of auto, steps,'),
        (["figure.joint=scaling"], 'figure.joint = "scaling": it needs a sweep over sizes'),
        (["~analysis.history"], "it needs analysis=history of a solver in each job"),
        (["hydra.sweeper.jobs=a"], "hydra.sweeper.jobs = "),
    ],
)
def test_joint_figures_that_do_not_fit(
    swept: Command, workdir: Path, words: list[str], told: str
) -> None:
    """Told before anything runs."""
    code, out, err = swept(*JOINT, "solver=newton,gradient", *words, short=False)
    assert (code, out) == (2, "")
    assert told in err
    assert not list(workdir.iterdir())


def test_a_plain_run_has_no_joint_figure(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["experiment=orbit", "figure=none", "iterate.length=3", "hydra.run.dir=out"]
    assert main(["run", *words, "figure.joint=convergence"]) == 0
    assert capsys.readouterr().out.startswith(
        "figure.joint = convergence: of a sweep (-m); this is one run.\n"
    )


def test_a_job_for_each_number(swept: Command, workdir: Path) -> None:
    """Where each is to be timed by itself: hydra.sweeper.jobs."""
    words = ["map=henon", "map.parameters.a=range(1,1.4,0.2)"]
    code, out, _ = swept(*words, "hydra.sweeper.jobs=[map.parameters.a]")
    assert code == 0
    assert "sweep: 2 jobs, 2 cells, none failed" in out
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert ds["a"].values.tolist() == [1, 1.2]
        assert ds["x"].dims == ("a", "iteration")
        assert (ds["job_run_seconds"] > 0).all()
        # The second has the program of the first.
        assert ds["job_compile_seconds"].values[1] == 0
        assert ds["job_program_bytes"].attrs["units"] == "byte"


def test_a_plan_of_every_job(swept: Command, workdir: Path) -> None:
    code, out, err = swept("map=logistic,henon", "map.parameters.a=1,2,3", "dry_run=true")
    assert (code, err) == (0, "")
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert heads == [
        "job 0: map=logistic",
        "orbit: nothing computed",
        "job 1: map=henon",
        "orbit: nothing computed",
    ]
    assert out.count("cells      3\n") == 2
    assert list(workdir.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["map=logistic,cubik", "seed=-2", "grid={a: {num: 0}}"],
            ['map = "cubik": no such map', "seed = -2: expected", "grid.a"],
        ),
        (
            ["map=henon,cubic", "seed=1,2", "device.precision=half", "map.parameters.b=1"],
            ["map=cubic, seed=1 and 1 more: map.parameters.b", 'device.precision = "half"'],
        ),
        (["map=henon", "iterate.length=0,-1"], ["iterate.length=0: iterate.length", "=-1: iter"]),
        (["map=henon", "seed=1,1"], ["seed=1,1: one value is there twice."]),
        (["map=henon", "seed=range(0,20000)"], ["at most 10,000 jobs; these choices make 20,000."]),
        (
            ["map=quadratic_c", "seed=range(0,200)", "map.parameters.c=range(0,200)"],
            ["at most 10,000 jobs"],
        ),
        (["map=henon", "seed=1,2", "hydra.sweep.subdir=same"], ["hydra.sweep.subdir = same"]),
        (["map=henon", "seed=1,2", "figure=bifurcation"], ["figure"]),
        (["map=henon", "hydra.sweep.dir=file/deeper"], ["hydra.sweep.dir = file/deeper: Not"]),
        (["nap=a,b", "map=henon"], ["nap: no such key"]),
        (
            ["map=henon", "hydra.sweeper.max_batch_size=0", "hydra.sweeper.stop_on_error=maybe"],
            ["max_batch_size = 0: expected an integer >= 1", "= \"maybe\": expected true or false"],
        ),
    ],
)  # fmt: skip
def test_all_mistakes_are_told_before_anything_runs(
    swept: Command, workdir: Path, words: list[str], told: list[str]
) -> None:
    (workdir / "file").write_text("")
    code, out, err = swept(*words)
    assert (code, out) == (2, "")
    for text in told:
        assert text in err
    assert "Traceback" not in err
    assert [path.name for path in workdir.rglob("*")] == ["file"]


def test_mistakes_of_a_configs_params(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = workdir / "mine" / "experiment"
    folder.mkdir(parents=True)
    (folder / "wrong.yaml").write_text(
        "# @package _global_\nhydra: {mode: MULTIRUN, sweeper: {params: {map: 'henon,nothing'}}}\n"
    )
    assert main(["run", "--config-dir", "mine", "experiment=wrong"]) == 2
    assert 'map = "nothing": no such map' in capsys.readouterr().err


def test_a_job_that_fails_costs_no_other(swept: Command, workdir: Path) -> None:
    """Exit status 1; its place in the file says why."""
    (workdir / "out").mkdir()
    (workdir / "out" / "1").write_text("in the way")
    code, out, err = swept("map=henon", "seed=0,1,2")
    assert code == 1
    assert "sweep: 3 jobs, 3 cells, 1 failed" in out
    assert err == "job 1 (seed=1) failed: FileExistsError: [Errno 17] File exists: 'out/1'\n"
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert ds["status"].values.tolist() == [0, 7, 0]
        assert np.isnan(ds["x"].sel(seed=1)).all()
        assert not np.isnan(ds["x"].sel(seed=2)).any()


def test_a_failure_within_a_job(
    swept: Command, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake is told as it reads, a fault of ours by its name; the log has its traceback."""
    file, calls = execution.file, []

    def failing(*words: Any) -> Any:
        calls.append(words)
        if len(calls) == 1:
            raise ZeroDivisionError("ours")
        if len(calls) == 2:
            raise ArchiveError("the disk is full.")
        return file(*words)

    monkeypatch.setattr(execution, "file", failing)
    code, _, err = swept("map=henon", "seed=0,1,2")
    assert (code, err.splitlines()) == (
        1,
        [
            "job 0 (seed=0) failed: ZeroDivisionError: ours",
            "job 1 (seed=1) failed: the disk is full.",
        ],
    )
    assert "ZeroDivisionError: ours" in (workdir / "out" / "0" / "run.log").read_text()
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert ds["job_error"].values.tolist() == [
            "ZeroDivisionError: ours",
            "the disk is full.",
            "",
        ]


def test_a_key_makes_it_stop(swept: Command, workdir: Path) -> None:
    """And the same command goes on where it stopped, once the obstacle is away."""
    (workdir / "out").mkdir()
    (workdir / "out" / "1").write_text("in the way")
    words = ["map=henon", "seed=0,1,2", "hydra.sweeper.stop_on_error=true"]
    code, out, err = swept(*words)
    assert code == 1
    assert "3 jobs, 3 cells, 2 failed" in out
    assert "job 2 (seed=2) failed: not run: a job before it has failed" in err
    assert results(workdir / "out") == ["0/result.nc", "sweep.nc"]
    (workdir / "out" / "1").unlink()
    code, out, _ = swept(*words)
    assert code == 0
    assert out.count("holds the finished result of this document") == 1
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert ds["status"].values.tolist() == [0, 0, 0]


def test_many_failures_are_counted(
    swept: Command, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MOST_TOLD", 1)
    (workdir / "out").mkdir()
    for number in range(3):
        (workdir / "out" / str(number)).write_text("in the way")
    code, _, err = swept("map=henon", "seed=range(3)")
    assert code == 1
    assert len(err.splitlines()) == 2
    assert err.endswith("\nand 2 more\n")


def test_a_folder_of_another_sweep(swept: Command, workdir: Path) -> None:
    """Refused before anything runs, so that its sweep.nc stays as it is."""
    assert swept("map=henon", "seed=0,1")[0] == 0
    before = (workdir / "out" / "sweep.nc").read_bytes()
    code, _, err = swept("map=ikeda", "seed=1,0")
    assert code == 2
    assert "seed=1: out/0/result.nc: holds the result of another document" in err
    assert (workdir / "out" / "sweep.nc").read_bytes() == before


def test_folders_as_hydra_names_them(swept: Command, workdir: Path) -> None:
    exclude = "hydra.job.config.override_dirname.exclude_keys=[experiment,iterate.length,figure]"
    subdir = "hydra.sweep.subdir=${hydra.job.override_dirname}"
    assert swept("map=henon,ikeda", subdir, exclude)[0] == 0
    found = results(workdir / "out")
    assert found == ["map=henon/result.nc", "map=ikeda/result.nc", "sweep.nc"]


def test_experiments_share_a_folder(swept: Command, workdir: Path) -> None:
    """Named after all of them; its name may have any characters."""
    words = ["experiment=orbit,cobweb", "iterate.length=3", "figure=none"]
    code, out, _ = swept(*words, short=False)
    assert code == 0
    (folder,) = (workdir / "outputs").glob("*/*")
    assert folder.parent.name == "orbit_cobweb"
    assert results(folder) == ["0/result.nc", "1/result.nc", "sweep.nc"]
    assert f"{folder.relative_to(workdir)}/sweep.nc (" in out
    with xarray.open_dataset(folder / "sweep.nc") as ds:
        assert ds["experiment"].values.tolist() == ["orbit", "cobweb"]
    code, _, _ = swept(*words, 'hydra.sweep.dir="it\'s here, {a}"', short=False)
    assert code == 0
    assert results(workdir / "it's here, {a}") == ["0/result.nc", "1/result.nc", "sweep.nc"]


def test_an_interrupted_sweep(
    swept: Command, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is filed stays, and it says how to go on."""
    file, calls = execution.file, []

    def interrupted(*words: Any) -> Any:
        calls.append(words)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return file(*words)

    monkeypatch.setattr(execution, "file", interrupted)
    code, _, err = swept("map=henon", "seed=0,1,2")
    expected = "interrupted; to go on: the same command with hydra.sweep.dir=out\n"
    assert (code, err) == (130, expected)
    assert results(workdir / "out") == ["0/result.nc"]
    code, out, _ = swept("map=henon", "seed=0,1,2")
    assert code == 0
    assert out.count("nothing to do") == 1
    assert results(workdir / "out") == ["0/result.nc", "1/result.nc", "2/result.nc", "sweep.nc"]


def test_hydras_basic_sweeper(swept: Command, workdir: Path) -> None:
    """A job for each number too, and nothing joined."""
    code, _, _ = swept("map=henon", "map.parameters.a=1,1.1", "hydra/sweeper=basic")
    assert code == 0
    assert results(workdir / "out") == ["0/result.nc", "1/result.nc"]
    with xarray.open_dataset(workdir / "out" / "1" / "result.nc") as ds:
        assert dict(ds["x"].sizes) == {"iteration": 4}


def test_the_sweeper_is_known_to_hydra() -> None:
    """By a name that leads to it, for workers that read Hydra's state."""
    sweep.register()
    assert Plugins.instance().class_name_to_class["hydra_plugins.cobweb.Sweeper"] is sweep.Sweeper
    assert sys.modules["hydra_plugins.cobweb"].__dict__["Sweeper"] is sweep.Sweeper


@pytest.mark.parametrize(("launcher", "extra"), [("joblib", "joblib"), ("slurm", "slurm")])
def test_a_launcher_that_is_not_installed(
    swept: Command, workdir: Path, launcher: str, extra: str
) -> None:
    plugin = {"joblib": "joblib", "slurm": "submitit"}[launcher]
    if find_spec("hydra_plugins") and find_spec(f"hydra_plugins.hydra_{plugin}_launcher"):
        pytest.skip("it is installed here")
    code, _, err = swept("map=henon", "seed=0,1", f"hydra/launcher={launcher}")
    assert code == 2
    assert err == f"hydra/launcher: pip install 'cobweb-pipeline[{extra}]' brings {plugin}.\n"


def installed(launcher: str) -> None:
    """Skip where a plugin is missing."""
    pytest.importorskip(PLUGINS[launcher], reason=f"the plugin of {launcher} is not installed")


def environment() -> dict[str, str]:
    """Of a user's shell, without a display."""
    return {**os.environ, "JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg"}


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_launchers_of_other_processes(root: Path, workdir: Path, launcher: str) -> None:
    """Started from another folder; each job in a process that has not started JAX before."""
    installed(launcher)
    words = ["map=logistic,cubic", "map.parameters.a=3.2,3.5", f"hydra/launcher={launcher}"]
    done = subprocess.run(
        [sys.executable, str(root / "run.py"), "-m", *SHORT, *words],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "sweep: 2 jobs, 4 cells, none failed" in done.stdout
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert ds["map"].values.tolist() == ["logistic", "cubic"]
        assert (ds["status"] == 0).all()
        alone = api.run(*SHORT[:3], "map=cubic", "grid={a: [3.2, 3.5]}")
        assert np.array_equal(ds["x"].sel(map="cubic"), alone["x"])


KILLED = """
import os, sys
from pipeline import command, execution
from pipeline.__main__ import main
from pipeline.errors import ArchiveError

file = execution.file

def killed(experiment, *words):
    if experiment.seed == 1:
        os.kill(os.getpid(), 9)
    return file(experiment, *words)

execution.file = killed
"""


@pytest.mark.slow
def test_a_worker_that_is_killed_takes_no_job_along(root: Path, workdir: Path) -> None:
    """As the system does when memory ends: joblib gives all up, we run the others again."""
    installed("joblib")
    # Workers import sitecustomize, as every process of Python's.
    (workdir / "path").mkdir()
    (workdir / "path" / "sitecustomize.py").write_text(KILLED)
    paths = os.pathsep.join([str(workdir / "path"), str(root), os.environ.get("PYTHONPATH", "")])
    words = ["map=henon", "seed=0,1,2,3", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    done = subprocess.run(
        [sys.executable, str(root / "run.py"), "-m", *SHORT, *words],
        capture_output=True,
        text=True,
        env={**environment(), "PYTHONPATH": paths},
    )
    assert done.returncode == 1, done.stderr
    assert "4 jobs, 4 cells, 1 failed" in done.stdout
    with xarray.open_dataset(workdir / "out" / "sweep.nc") as ds:
        assert ds["status"].values.tolist() == [0, 7, 0, 0]
        assert "TerminatedWorkerError" in ds["job_error"].values[1]


def test_the_slurm_launcher_is_configured(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its keys are those of the plugin, which refuses others."""
    installed("submitit_local")
    words = ["run", "--cfg", "hydra", "-p", "hydra.launcher", "hydra/launcher=slurm"]
    assert main([*words, "hydra.launcher.partition=short"]) == 0
    found = yaml.safe_load(capsys.readouterr().out)
    assert found["_target_"].endswith(".SlurmLauncher")
    assert (found["partition"], found["cpus_per_task"], found["timeout_min"]) == ("short", 4, 60)
