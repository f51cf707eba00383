"""What every test gets: the CPU, no display, repeatable random examples, a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports JAX or matplotlib. `JAX_PLATFORMS=cuda pytest` still tests a GPU.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, so that a failure is the change's. No deadline: an example's first
# run compiles. `pytest --hypothesis-profile=explore` looks for new examples.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, current for the length of the test: what a run writes goes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
