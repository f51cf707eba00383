"""Archives and sweeps for readers: their jobs, figures, tables and reports, by command."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline import archive, collection, presentation, report
from pipeline.__main__ import main
from pipeline.collection import Member
from pipeline.errors import ArchiveError, CobwebError

WORDS = ("experiment=logistic_bifurcation", "figure=auto", "iterate.length=30")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of three maps in folders of their names; sweep.nc and groups.nc, which join them."""
    base = tmp_path_factory.mktemp("presentation")
    for name in ("logistic", "cubic", "henon"):
        words = (*WORDS, f"map={name}", "~grid.a", "+grid.a={start: 1, stop: 1.4, num: 5}")
        pipeline.run(*words, "analysis=[orbit,final]", folder=base / name).close()
    members = [Member({"map": n}, base / n / "result.nc") for n in ("logistic", "cubic")]
    failed = Member({"map": "tent/<b>"}, None, "the tent has <i>no</i> a")
    collection.join([*members, failed], base / "sweep.nc")
    collection.join(
        [members[0], Member({"map": "henon"}, base / "henon" / "result.nc")], base / "groups.nc"
    )
    return base


@pytest.fixture
def elsewhere(folder: Path, tmp_path: Path) -> Path:
    """A copy of the sweep in a folder of its own."""
    shutil.copy(folder / "sweep.nc", tmp_path)
    return tmp_path


def jobs(path: Path) -> list[presentation.Job]:
    with presentation.parts(path) as found:
        return [
            presentation.Job(job.labels, job.data.load(), job.error)
            for job in presentation.jobs(path, found)
        ]


# Jobs


def test_a_run_is_its_own_job(folder):
    (job,) = jobs(folder / "logistic" / "result.nc")
    assert job.labels == {}
    with pipeline.open(folder / "logistic" / "result.nc") as ds:
        xr.testing.assert_identical(job.data, ds)


def test_the_jobs_of_a_sweep_are_the_runs_that_it_joins(folder):
    found = jobs(folder / "sweep.nc")
    assert [job.name for job in found] == ["map = logistic", "map = cubic", "map = tent/<b>"]
    assert [job.error for job in found] == ["", "", "the tent has <i>no</i> a"]
    for job in found[:2]:
        with pipeline.open(folder / job.labels["map"] / "result.nc") as ds:
            xr.testing.assert_equal(job.data, ds)
            assert job.data.attrs["document"] == ds.attrs["document"]


def test_the_jobs_of_groups_are_found(folder):
    found = jobs(folder / "groups.nc")
    assert [job.labels for job in found] == [{"map": "logistic"}, {"map": "henon"}]
    assert "y_final" in found[1].data
    assert "henon" in found[1].data.attrs["document"]


def test_jobs_of_strangers(folder, elsewhere, monkeypatch):
    """Provenance that is no JSON leaves the labels of the coordinates; jobs are bounded."""
    with netCDF4.Dataset(elsewhere / "sweep.nc", "a") as file:
        text = file["provenance"]["job_1"]
        text[:] = np.full(text.shape, b"[")
    assert [job.labels for job in jobs(elsewhere / "sweep.nc")][1] == {"map": "cubic"}
    monkeypatch.setattr(presentation, "MOST_JOBS", 2)
    with pytest.raises(ArchiveError, match="more jobs than a sweep has"):
        jobs(elsewhere / "sweep.nc")


def test_a_folder_stands_for_what_it_holds(folder):
    assert presentation.located(folder) == folder / "sweep.nc"
    assert presentation.located(folder / "henon") == folder / "henon" / "result.nc"
    assert presentation.located("none.nc") == Path("none.nc")
    with pytest.raises(CobwebError, match=r"a folder that has sweep\.nc, result\.nc"):
        presentation.located(folder.parent)


# Figures


def test_each_job_of_a_sweep_is_drawn(elsewhere, capsys):
    assert main(["figure", str(elsewhere)]) == 0
    drawn = ["figure_logistic.png", "figure_cubic.png"]
    told = capsys.readouterr()
    assert told.out.splitlines() == [str(elsewhere / name) for name in drawn]
    assert told.err == (
        "map = tent/<b>: failed, so there is nothing to draw: the tent has <i>no</i> a\n"
    )
    alone = elsewhere / "alone.png"
    with pipeline.open(elsewhere / "sweep.nc") as ds:
        assert ds["map"].values.tolist() == ["logistic", "cubic", "tent/<b>"]
    main(["figure", str(elsewhere), "--where", "map=cubic", "-o", str(elsewhere / "alone")])
    assert (elsewhere / "alone_cubic.png").read_bytes() == (elsewhere / drawn[1]).read_bytes()
    assert not alone.exists()


def test_a_job_is_drawn_as_its_archive_is(folder, tmp_path):
    runs = list(presentation.draw(folder / "cubic" / "result.nc", tmp_path, formats=["svg"]))
    swept = presentation.draw(
        folder / "sweep.nc", tmp_path, formats=["svg"], where=["map=cubic"], style="screen"
    )
    ((one,), (two,)) = (files for files, _ in [*runs, *swept])
    assert (one.name, two.name) == ("figure.svg", "figure_cubic.svg")
    assert one.read_text() == two.read_text()


def test_groups_are_drawn_where_the_kind_fits(folder, tmp_path, capsys):
    words = ["--name", "phase_portrait", "-o", str(tmp_path)]
    assert main(["figure", str(folder / "groups.nc"), *words]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [str(tmp_path / "figure_henon.png")]
    assert told.err.startswith('map = logistic: figure.name = "phase_portrait": ')
    assert main(["figure", str(folder / "groups.nc"), "--name", "status_map"]) == 2
    assert [line[:14] for line in capsys.readouterr().err.splitlines()] == [
        "map = logistic",
        "map = henon: f",
    ]


def test_labels_of_strangers_are_no_paths(folder, tmp_path):
    path = folder / "henon" / "result.nc"
    members = [Member({"map": name}, path) for name in ("../../a b", "../..:a b", "." * 300)]
    collection.join(members, tmp_path / "sweep.nc")
    drawn = [files for files, _ in presentation.draw(tmp_path / "sweep.nc", formats=["svg"])]
    names = [files[0].relative_to(tmp_path).name for files in drawn]
    assert names[:2] == ["figure_.._.._a_b.svg", "figure_.._.._a_b_1.svg"]
    assert len(names[2]) < 60
    assert all(files[0].parent == tmp_path for files in drawn)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("map=tents", '"map=tents": one of logistic, cubic, tent/<b> (labels: map).'),
        ("size=3", '"size=3": no such label (labels: map).'),
        ("map", '"map": one of logistic, cubic, tent/<b> (labels: map).'),
    ],
)
def test_jobs_that_are_not_there(folder, capsys, where, message):
    assert main(["figure", str(folder), "--where", where]) == 2
    assert capsys.readouterr().err == f"figure: --where {message}\n"


def test_many_jobs_are_not_drawn_at_once(folder, monkeypatch):
    monkeypatch.setattr(presentation, "MOST_FIGURES", 2)
    with pytest.raises(CobwebError, match=r"3 jobs, and draws at most 2; .* map=logistic\."):
        list(presentation.draw(folder / "sweep.nc"))


# Tables


def test_a_table_of_a_run_and_of_a_sweep(folder, capsys):
    assert main(["table", str(folder / "logistic")]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["a", "status", "x_final"]
    assert rows[-1] == "5 rows"
    assert main(["table", str(folder), "--variables", "status", "--where", "a=1.1"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["map", "a", "status"]
    assert rows[2:] == [
        ["logistic", "1.1", "bounded"],
        ["cubic", "1.1", "bounded"],
        ["tent/<b>", "1.1", "job_failed"],
        ["3", "rows"],
    ]


def test_a_table_has_the_errors_of_jobs_that_failed(folder, capsys):
    main(["table", str(folder)])
    assert "the tent has <i>no</i> a" in capsys.readouterr().out
    main(["table", str(folder / "groups.nc")])
    assert "job_error" not in capsys.readouterr().out


def test_conditions_leave_groups_out(folder, capsys):
    assert main(["table", str(folder / "groups.nc"), "--where", "map=henon"]) == 0
    out = capsys.readouterr().out
    assert "y_final" in out
    assert "logistic" not in out
    assert main(["table", str(folder / "groups.nc"), "--where", "map=tent"]) == 0
    assert capsys.readouterr().out.endswith("0 rows\n")


def test_csv_into_a_file_and_a_pipe(folder, tmp_path, capsys):
    target = tmp_path / "results.csv"
    path = folder / "groups.nc"
    assert main(["table", str(path), "--csv", str(target)]) == 0
    assert capsys.readouterr().out == f"{target}: 10 rows\n"
    assert main(["table", str(path), "--csv", "-"]) == 0
    assert capsys.readouterr().out == target.read_text()
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["map"] for row in rows] == ["logistic"] * 5 + ["henon"] * 5
    with pipeline.open(folder / "henon" / "result.nc") as ds:
        np.testing.assert_array_equal([float(r["y_final"]) for r in rows[5:]], ds["y_final"])
    assert {row["y_final"] for row in rows[:5]} == {""}


def test_tables_that_cannot_be_written(folder, tmp_path, capsys):
    there = tmp_path / "results.csv"
    there.write_text("mine")
    words = ["--csv", str(there), "--where", "a=x"]
    assert main(["table", str(folder), *words]) == 2
    assert there.read_text() == "mine"
    assert main(["table", str(folder), "--csv", str(tmp_path / "none" / "a.csv")]) == 2
    assert capsys.readouterr().err.endswith(
        "a.csv: cannot be written (No such file or directory).\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]


def test_a_reader_that_leaves_early_is_no_error(folder):
    """`table ... --csv - | head -1` with more than a pipe holds."""
    command = [sys.executable, "-m", "pipeline", "table", str(folder), "--csv", "-"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ), text=True
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0


# Reports


def test_the_report_of_a_run(folder, tmp_path, capsys):
    path = folder / "logistic"
    assert main(["report", str(path)]) == 0
    assert capsys.readouterr().out == f"{path / 'report.html'}\n"
    text = (path / "report.html").read_text("utf-8")
    assert text.count('src="data:image/png;base64,') == 1
    assert "figure=bifurcation" in text
    assert "equations: {x: a*x - a*x**2}" in text
    assert "timing run seconds" in text
    assert main(["report", str(path), "-o", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text("utf-8") == text
    assert main(["report", str(path), "-o", str(tmp_path / "none" / "page.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_report_of_a_sweep(folder, tmp_path, monkeypatch):
    target = presentation.report(folder / "sweep.nc", tmp_path / "page.html")
    text = target.read_text("utf-8")
    assert text.count("<section") == 3
    assert text.count("<img") == 2
    assert "failed: the tent has &lt;i&gt;no&lt;/i&gt; a" in text
    monkeypatch.setattr(presentation, "MOST_PICTURES", 1)
    text = presentation.report(folder / "sweep.nc", target).read_text("utf-8")
    assert text.count("<img") == 1
    assert text.count(presentation.FIRST_ONLY) == 1


def test_the_documents_figure_gives_way_in_a_report(folder, monkeypatch):
    """To another that fits, or to a sentence."""
    with pipeline.open(folder / "henon" / "result.nc") as ds:
        text = ds.attrs["document"].replace("name: auto", "name: cobweb")
        picture, remark = presentation._picture(
            presentation.Job({}, ds.load().assign_attrs(document=text))
        )
        assert picture
        assert picture.caption == "figure=bifurcation"
        assert remark == ""
        bare = ds[["status"]].isel(a=0, drop=True)
        assert presentation._picture(presentation.Job({}, bare)) == (
            None,
            "Nothing here can be drawn.",
        )


def test_a_run_writes_its_report_when_asked(tmp_path):
    words = (*WORDS, "~grid.a", "+grid.a={start: 3, stop: 4, num: 3}")
    pipeline.run(*words, "figure=none", "figure.report=true", folder=tmp_path / "a").close()
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["report.html", "result.nc"]
    assert "<img" in (tmp_path / "a" / "report.html").read_text("utf-8")
    pipeline.run(*words, folder=tmp_path / "b").close()
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == ["figure.png", "result.nc"]


def test_a_sweep_writes_its_report_when_asked(workdir, capsys):
    """The experiment's own figure still gives way to one that fits."""
    words = ["map=logistic,cubic", "analysis=[final]", "figure.report=true", "iterate.length=9"]
    words += ["grid.a.step=0.1", "hydra.sweep.dir=swept"]
    assert main(["run", "-m", *words]) == 0
    pages = sorted(path.relative_to(workdir / "swept") for path in workdir.rglob("report.html"))
    assert [path.parent.name for path in pages] == ["0", "1", ""]
    assert "figure=auto instead" in capsys.readouterr().out
    text = (workdir / "swept" / "report.html").read_text("utf-8")
    assert text.count("<section") == text.count("<img") == 2
    assert "map = cubic" in text


def test_an_archive_of_a_stranger(folder, tmp_path, capsys):
    """Its texts are shown as texts, by all that shows them."""
    path = tmp_path / "result.nc"
    shutil.copy(folder / "logistic" / "result.nc", path)
    bad = "<script>alert(1)</script>\x1b[2J[red]$\\frac{"
    with netCDF4.Dataset(path, "a") as file:
        file.setncatts({"title": bad, "history": bad, "references": bad})
        file.createVariable("x<script>", "f8", ("a",))[:] = 1
        for name in ("x_final", "status", "a"):
            file[name].setncatts({"long_name": bad, "units": bad})
        file["status"].setncatts({"flag_meanings": "<script> \x1b[2J", "flag_values": bad})
    assert main(["report", str(path)]) == 0
    assert main(["table", str(path)]) == 0
    assert main(["figure", str(path), "--name", "final"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "x<script>" in out
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_files_that_are_no_archive(tmp_path, capsys):
    (tmp_path / "text.nc").write_text("text")
    for command in ("table", "report", "figure"):
        assert main([command, str(tmp_path / "text.nc")]) == 2
        assert "text.nc: not a netCDF file, or damaged" in capsys.readouterr().err
        assert main([command, str(tmp_path)]) == 2
        assert "expected a file, or a folder that has sweep.nc" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_attributes_and_groups_of_a_file(folder):
    assert archive.attributes(folder / "sweep.nc")["title"] == "3 jobs, by map"
    assert archive.groups(folder / "sweep.nc") == []
    assert archive.groups(folder / "groups.nc") == ["logistic", "henon"]
    timing = archive.attributes(folder / "henon" / "result.nc", "provenance")
    assert timing["timing_run_seconds"] > 0
    with archive.read(folder / "groups.nc", "henon") as ds:
        assert "y_final" in ds


def test_a_large_sweep_is_reported_in_part(folder, tmp_path, monkeypatch):
    """Of the jobs beyond what the page names nothing is drawn."""
    drawn = []
    monkeypatch.setattr(report, "MOST_JOBS", 1)
    monkeypatch.setattr(presentation, "_picture", lambda job: drawn.append(job) or (None, ""))
    text = presentation.report(folder / "groups.nc", tmp_path / "page.html").read_text("utf-8")
    assert len(drawn) == 1
    assert "1 more jobs are in the archive." in text
