"""What every test gets: the CPU, no display, repeatable random examples, a folder of its own."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

# Before anything imports JAX or matplotlib. `JAX_PLATFORMS=cuda pytest` still tests a GPU.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
# Programs compiled by one test serve the others, and the commands that tests start; the user's own
# cache is left alone. One folder for all workers of a run.
if "COBWEB_TEST_CACHE" not in os.environ:
    os.environ["COBWEB_TEST_CACHE"] = tempfile.mkdtemp(prefix="cobweb-test-")
os.environ["XDG_CACHE_HOME"] = os.environ["COBWEB_TEST_CACHE"]
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(Path(os.environ["XDG_CACHE_HOME"], "cobweb", "jax"))
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "0"

import absl.logging
import pytest
from hypothesis import HealthCheck, settings

# optax brings absl, whose handler closes its stream when Hydra sets up logging, unless that is the
# process's own: pytest's would be lost to all tests that follow.
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__

# The same examples in every run, so that a failure is the change's. No deadline: an example's first
# run compiles. `pytest --hypothesis-profile=explore` looks for new examples.
settings.register_profile(
    "repeatable",
    derandomize=True,
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run and its figure."""
    import pipeline
    from tests.runs import SMALL

    path = tmp_path_factory.mktemp("run") / "deep" / "er"
    pipeline.run(*SMALL, "figure.formats=[png,svg]", folder=path).close()
    return path


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, current for the length of the test: what a run writes goes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
