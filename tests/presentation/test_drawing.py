"""Figures of archives and of each job of a sweep."""

from __future__ import annotations

import pytest

import pipeline
from pipeline import collection, presentation
from pipeline.__main__ import main
from pipeline.collection import Member
from pipeline.errors import CobwebError
from pipeline.presentation import drawing


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
    alone = list(presentation.draw(folder / "cubic" / "result.nc", tmp_path, formats=["svg"]))
    swept = presentation.draw(
        folder / "sweep.nc", tmp_path, formats=["svg"], where=["map=cubic"], style="screen"
    )
    ((one,), (two,)) = (files for files, _ in [*alone, *swept])
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
    monkeypatch.setattr(drawing, "MOST_FIGURES", 2)
    with pytest.raises(CobwebError, match=r"3 jobs, and draws at most 2; .* map=logistic\."):
        list(presentation.draw(folder / "sweep.nc"))
