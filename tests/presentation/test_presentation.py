"""Archives and sweeps as tables and pages, by command."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys

import netCDF4
import numpy as np

import pipeline
from pipeline import archive, presentation, report
from pipeline.__main__ import main
from pipeline.presentation import joined

WORDS = ("experiment=logistic_bifurcation", "figure=auto", "iterate.length=30")


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
            joined.Run({}, ds.load().assign_attrs(document=text))
        )
        assert picture
        assert picture.caption == "figure=bifurcation"
        assert remark == ""
        bare = ds[["status"]].isel(a=0, drop=True)
        assert presentation._picture(joined.Run({}, bare)) == (
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
