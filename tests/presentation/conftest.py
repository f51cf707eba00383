"""A sweep, a collection in groups, and the runs that they join."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import pipeline
from pipeline import collection
from pipeline.collection import Member

WORDS = ("experiment=logistic_bifurcation", "figure=auto", "iterate.length=30")


@pytest.fixture(scope="session")
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
