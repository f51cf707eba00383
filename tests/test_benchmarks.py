"""Each benchmark runs at a tiny size and prints its ratios; how large they are is nobody's test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks"
NOT_MEASURED = {"measure", "optimisers", "run"}
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_MEASURED)
# A tiny run of the others takes longer than all these together; they share their parts.
TRIED = ("archive", "batch", "escape", "essay", "final_state", "lyapunov")


@pytest.mark.slow
@pytest.mark.parametrize("script", TRIED)
def test_script_prints_its_ratios(script, workdir):
    done = subprocess.run(
        [sys.executable, FOLDER / f"{script}.py", "--small"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "jax" in done.stdout
    # Peers are no dependency: where none is installed the script says so.
    assert re.search(r"\d+(\.\d+)?x|is not installed: left out", done.stdout)
    assert not list(workdir.glob("*.nc"))


def test_page_has_every_script(root):
    """The scripts that `benchmarks/run.py` runs are all there are."""
    listed = re.search(r'SCRIPTS = """(.*?)"""', (FOLDER / "run.py").read_text("utf-8"), re.DOTALL)
    assert listed is not None
    assert sorted(listed[1].split()) == SCRIPTS
