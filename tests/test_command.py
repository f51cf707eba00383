"""The commands, in this process; a few as a user starts them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray
import yaml

from pipeline import command, execution, preparation
from pipeline.__main__ import main
from tests.runs import experiment

ORBIT = ["experiment=orbit", "map=henon", "iterate.length=10", "figure=none"]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cobweb(workdir: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in an empty folder: (exit status, what it says, what it complains)."""

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def files(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_run_files_its_result_and_says_so(cobweb: Command, workdir: Path) -> None:
    """The closing lines: what, how much and how long, how it ended, where it is."""
    code, out, err = cobweb("run", *ORBIT, "grid={a: [1.2, 1.4, 9]}")
    assert (code, err) == (0, "")
    what, work, ends, where = out.splitlines()
    assert what == "orbit: map henon, solver direct"
    pattern = r"3 cells, 10 steps \(30 in all\); compiled in \d+\.\d\d s, ran in \d+\.\d\d s"
    assert re.fullmatch(pattern, work)
    assert ends == "status: 2 bounded, 1 escaped"
    folder = re.fullmatch(
        r"(outputs/orbit/\d{4}-\d\d-\d\d_[\d-]+)/result\.nc \(\d+\.\d KiB\)", where
    )
    assert folder is not None
    assert files(workdir) == [f"{folder[1]}/result.nc", f"{folder[1]}/run.log"]
    log = (workdir / folder[1] / "run.log").read_text()
    assert what in log
    assert work in log
    with xarray.open_dataset(workdir / folder[1] / "result.nc") as ds:
        assert ds["status"].values.tolist() == [0, 0, 2]


def test_a_figure_of_the_experiments_gives_way(cobweb: Command, workdir: Path) -> None:
    """One that was asked for does not."""
    words = ["run", "experiment=orbit", "analysis=[final]", "hydra.run.dir=here"]
    code, out, _ = cobweb(*words)
    assert code == 0
    assert out.startswith("The experiment's figure, time_series, does not fit this result: figure")
    assert files(workdir) == ["here/result.nc", "here/run.log"]
    code, out, err = cobweb(*words[:-1], "hydra.run.dir=there", "figure=time_series")
    assert (code, out) == (2, "")
    assert "it needs analysis=orbit; choose figure=auto" in err


def test_a_second_run_into_a_folder(cobweb: Command, workdir: Path) -> None:
    """Of the same document there is nothing to do; of another it is refused with status 2."""
    into = "hydra.run.dir=here"
    assert cobweb("run", *ORBIT, into)[0] == 0
    before = (workdir / "here" / "result.nc").stat().st_mtime_ns
    said = "here/result.nc holds the finished result of this document; nothing to do.\n"
    said += "To draw it: python -m pipeline figure here/result.nc\n"
    assert cobweb("run", *ORBIT, into) == (0, said, "")
    code, out, err = cobweb("run", *ORBIT, into, "map.parameters.a=1.3")
    assert (code, out) == (2, "")
    assert err.endswith("result.nc: holds the result of another document; choose another folder.\n")
    assert (workdir / "here" / "result.nc").stat().st_mtime_ns == before


def test_a_plan_computes_nothing(cobweb: Command, workdir: Path) -> None:
    words = ["run", "dry_run=true", "experiment=orbit", "map=henon", "device.memory=1MiB"]
    code, out, err = cobweb(*words, "grid={a: {start: 1, stop: 1.4, num: 1000}}")
    assert (code, err) == (0, "")
    head, *rows = out.splitlines()
    assert head == "orbit: nothing computed"
    plan = {row.split()[0]: row.split(maxsplit=1)[1] for row in rows}
    assert plan["cells"] == "1,000"
    assert plan["steps"] == "100 each"
    assert re.fullmatch(r"\d+ of \d+ cells", plan["blocks"])
    assert plan["programs"] == "to compile: 1"
    assert plan["kernel"].startswith("unroll ")
    assert plan["memory"].endswith("KiB a block, of 1.0 MiB")
    # Three multiplications and three additions or more, at each of 100 steps of 1000 cells.
    assert float(plan["XLA"].split()[1]) > 6e5
    # x and y at 101 iterations, the status, and both coordinates: 1000 (2 101 8 + 1 + 8) + 808.
    assert plan["disk"] == "1.6 MiB"
    assert plan["variables"] == "status, x, y"
    assert files(workdir) == []


def test_the_plan_counts_what_comes_after_the_loop(workdir, capsys):
    grid = "grid={x0: [0.1, 0.2]}"
    words = ["run", "dry_run=true", "experiment=orbit", "map=henon", grid, "figure=none"]
    assert main([*words, "analysis=[period,basin]"]) == 0
    out = capsys.readouterr().out
    assert "others where cells call for a second look, others after the loop" in out
    assert main([*words, "analysis=[lyapunov,statistics,escape]"]) == 0
    assert "second look" in capsys.readouterr().out
    assert main([*words, "analysis=[final]"]) == 0
    assert "others" not in capsys.readouterr().out


def test_all_mistakes_are_told_at_once(cobweb: Command, workdir: Path) -> None:
    code, out, err = cobweb("run", "map=logstic", "grid.a.num=-5", "iterate.length=0")
    assert (code, out) == (2, "")
    assert 'map = "logstic": no such map; did you mean "logistic"?' in err
    assert "iterate.length" in err
    assert "Traceback" not in err
    assert files(workdir) == []


def test_the_document_is_shown(cobweb: Command, workdir: Path) -> None:
    """--cfg job, its parts, and Hydra's other views."""
    code, out, _ = cobweb("run", "--cfg", "job", "experiment=orbit", "map=henon")
    assert code == 0
    shown = yaml.safe_load(out)
    assert shown["map"]["parameters"] == {"a": 1.4, "b": 0.3}
    assert shown["solver"] == {"name": "direct"}
    assert cobweb("run", "--cfg", "job", "-p", "map.parameters", *ORBIT)[1].splitlines()[-2:] == [
        "a: 1.4",
        "b: 0.3",
    ]
    code, _, err = cobweb("run", "--cfg", "job", "map=nothing")
    assert code == 2
    assert 'map = "nothing": no such map' in err
    assert "Defaults List" in cobweb("run", "--info", "defaults", *ORBIT)[1]
    assert files(workdir) == []


def test_help(cobweb: Command, workdir: Path) -> None:
    code, out, _ = cobweb("run", "--help")
    assert code == 0
    assert out.startswith("Run an experiment:  python run.py [overrides]")
    assert "Hydra" in cobweb("run", "--hydra-help")[1]
    for words in ([], ["--help"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == (0 if words else 2)
    assert files(workdir) == []


def test_every_command_of_the_help_works(cobweb: Command) -> None:
    """As a plan, so that nothing is computed."""
    lines = [line.strip() for line in command.HELP.splitlines()]
    commands = [re.split(r"\s{2,}", line)[0] for line in lines if line.startswith("python run.py ")]
    assert len(commands) >= 8
    for text in commands:
        overrides = shlex.split(text)[2:]
        if {"-m", "--config-dir", "--cfg"} & set(overrides) or not overrides:
            continue
        code, _, err = cobweb("run", *overrides, "dry_run=true")
        assert code == 0, (overrides, err)


def test_a_folder_that_cannot_be_made(cobweb: Command, workdir: Path) -> None:
    (workdir / "file").write_text("")
    code, _, err = cobweb("run", *ORBIT, "hydra.run.dir=file/deeper")
    assert (code, err) == (2, "hydra.run.dir = file/deeper: Not a directory.\n")


def test_a_sweep_is_a_job_for_each_choice(cobweb: Command, workdir: Path) -> None:
    """A folder for each, named by its number, and a file of all."""
    words = ["run", "-m", "experiment=orbit", "map=logistic,cubic", "iterate.length=5"]
    code, out, _ = cobweb(*words, "figure=none", "hydra.sweep.dir=swept")
    assert code == 0
    assert out.count("status: 1 bounded") == 2
    for number, name in enumerate(("logistic", "cubic")):
        with xarray.open_dataset(workdir / "swept" / str(number) / "result.nc") as ds:
            assert f"the map {name}" in ds.attrs["title"]
    found = {name for name in files(workdir / "swept") if name.endswith(".nc")}
    assert found == {"0/result.nc", "1/result.nc", "sweep.nc"}


def test_a_sweep_by_mistake(cobweb: Command, workdir: Path) -> None:
    code, _, err = cobweb("run", "experiment=orbit", "map=logistic,cubic")
    assert code == 2
    assert "for a sweep add -m" in err
    assert cobweb("run", "-m", "experiment=orbit", "map=logistic,cubik")[0] != 0
    assert not [name for name in files(workdir) if name.endswith(".nc")]


def test_configs_of_ones_own(cobweb: Command, workdir: Path) -> None:
    (workdir / "mine" / "map").mkdir(parents=True)
    (workdir / "mine" / "map" / "halved.yaml").write_text(
        "# Halves\nname: halved\nequations: {x: x/2}\ninitial: {x: 8}\n"
    )
    words = ["--config-dir", "mine", "experiment=orbit", "map=halved", "figure=none"]
    code, _, err = cobweb("run", *words, "iterate.length=3", "hydra.run.dir=out")
    assert (code, err) == (0, "")
    with xarray.open_dataset(workdir / "out" / "result.nc") as ds:
        assert ds["x"].values.tolist() == [8, 4, 2, 1]
    assert re.search(r"^  halved +Halves$", cobweb("list", "map", "-cd", "mine")[1], re.MULTILINE)
    code, _, err = cobweb("run", "--config-dir", "absent", *ORBIT)
    assert (code, err) == (2, "--config-dir = absent: no such folder.\n")
    code, _, err = cobweb("run", "--config-name", "other", *ORBIT)
    assert code == 2
    assert "--config-dir is the way to bring configs of your own" in err


def test_an_interrupted_run_says_what_is_left(
    cobweb: Command, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(command, "progress", interrupted)
    code, out, err = cobweb("run", *ORBIT, "hydra.run.dir=out")
    assert (code, out) == (130, "")
    assert err == "interrupted; nothing was left half written\n"
    assert files(workdir) == ["out/run.log"]


def test_other_errors_keep_their_traceback(
    cobweb: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is not a mistake of the user's."""

    def faulty(*_: Any) -> Any:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(execution, "file", faulty)
    with pytest.raises(ZeroDivisionError, match="ours"):
        cobweb("run", *ORBIT)


def report(counts: dict[str, dict[str, int]], **parts: Any) -> execution.Report:
    """A report of an experiment that was not run."""
    found = experiment(**parts)
    clock = execution.Clock(0.5, 1.25)
    return execution.Report(
        found, preparation.prepare(found)[1], clock, counts, (Path("a/result.nc"),), 2000
    )


def test_the_closing_line_counts_what_was_not_sought_apart() -> None:
    """Of a minimisation that found a saddle; a map's kinds are all sought."""
    kinds = {"none": 1, "minimum": 5, "saddle": 2, "maximum": 1}
    counts = {"status": {"converged": 8, "escaped": 1}, "critical_kind": kinds}
    lines = command.summary(report(counts, objective="rosenbrock", solver="newton"))
    assert lines[0] == "custom: objective rosenbrock, solver newton"
    assert lines[1] == "1 cell, 10 steps at most; compiled in 0.50 s, ran in 1.25 s"
    expected = "8 converged (5 minimum; not sought: 2 saddle, 1 maximum), 1 escaped"
    assert lines[2] == f"status: {expected}"
    assert lines[3] == "a/result.nc (2.0 KiB)"
    only = {"status": {"converged": 3}, "critical_kind": {"saddle": 3}}
    lines = command.summary(report(only, objective="seed_quadratic", solver="newton"))
    assert lines[2] == "status: 3 converged (not sought: 3 saddle)"
    fixed = {"status": {"converged": 3}, "fixed_point_kind": {"attracting": 1, "repelling": 2}}
    lines = command.summary(report(fixed, map="quadratic", solver="newton"))
    assert lines[2] == "status: 3 converged (1 attracting, 2 repelling)"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 * 2**19, "1.5 MiB"), (2**31, "2.0 GiB")],
)
def test_sizes(size: int, text: str) -> None:
    assert command._bytes(size) == text


def test_progress_is_for_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quiet otherwise, and where there is but one block."""
    assert list(command.progress(iter("abc"), 3)) == ["a", "b", "c"]  # type: ignore[arg-type]  # any items
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert list(command.progress(iter("a"), 1)) == ["a"]  # type: ignore[arg-type]  # any items
    assert capsys.readouterr().err == ""
    assert list(command.progress(iter("abc"), 3)) == ["a", "b", "c"]  # type: ignore[arg-type]  # any items


def environment() -> dict[str, str]:
    """Of a user's shell, without a display."""
    return {**os.environ, "JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg"}


def test_run_py_from_anywhere(root: Path, workdir: Path) -> None:
    """As a user starts it, from another folder; it says its four lines and nothing else."""
    words = [sys.executable, str(root / "run.py"), "experiment=cobweb", "hydra.run.dir=out"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 4
    assert files(workdir) == ["out/figure.png", "out/result.nc", "out/run.log"]


def test_python_m_pipeline(root: Path, workdir: Path) -> None:
    """A mistake is a sentence, status 2 and no traceback; a reader that leaves is none."""
    words = [sys.executable, "-m", "pipeline", "info", "absent.nc"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "absent.nc: no such file.\n")
    listing = f"{sys.executable} -m pipeline list | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", listing],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=root,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "experiment=\n")


@pytest.mark.slow
def interrupted(root: Path, workdir: Path, *more: str) -> tuple[int, str, str]:
    """Status, output and errors of a run that Ctrl-C ends once it is filing."""
    # Whoever started the tests in the background has had them ignore it, and their children too.
    heed = "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, sys.argv[1:])"
    words = [
        *[sys.executable, "-c", f"import os, signal, sys; {heed}"],
        *[sys.executable, str(root / "run.py"), "experiment=orbit", "figure=none"],
        *["iterate.transient=1000000", "iterate.length=100", "hydra.run.dir=out"],
        "grid={a: {start: 3, stop: 4, num: 20000}}",
        *more,
    ]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as run:
        begun, journal = time.monotonic(), workdir / "out" / ".result.nc.journal"
        # Its first line is written when all is laid out.
        while time.monotonic() < begun + 60 and not (journal.exists() and journal.read_bytes()):
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    return run.returncode, out, err


def test_control_c_while_it_computes(root: Path, workdir: Path, cobweb: Command) -> None:
    """The block in hand is finished, and the run can be gone on with."""
    code, out, err = interrupted(root, workdir)
    assert (code, out) == (130, "")
    said = re.fullmatch(
        r"interrupted; ([\d,]+) of 20,000 cells are filed; to go on: "
        r"python -m pipeline resume (\S+)\n",
        err,
    )
    assert said is not None
    assert Path(said[2]).resolve() == (workdir / "out").resolve()
    assert files(workdir) == ["out/.result.nc.journal", "out/.result.nc.partial", "out/run.log"]


def test_the_version_is_ours(cobweb: Command) -> None:
    code, out, _ = cobweb("run", "--version")
    assert code == 0
    assert re.fullmatch(r"Cobweb (\d+\.\d+\.\d+.*|.*source tree.*)\n", out)
