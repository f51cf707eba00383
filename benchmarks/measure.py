"""What every benchmark shares: the machine, timing in turns, checks, and printed tables."""

from __future__ import annotations

import argparse
import datetime
import functools
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

# Idle OpenMP threads would spin into the next contender's time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import jax
import numpy as np

from pipeline import config, dataset, job, preparation
from pipeline.dataset import Template
from pipeline.experiment import Experiment

# For the peers, unless they are handed single numbers; Cobweb has its own way.
jax.config.update("jax_enable_x64", True)

PACKAGES = """
    jax jaxlib numpy scipy numba pynamicalsys optimistix lineax jaxopt xarray netCDF4 distributed
""".split()
# A contender that has taken so many seconds in all drops out of the rounds that are left.
PATIENCE = 40.0

Contender = Callable[[], Any]


@dataclass(frozen=True)
class Row:
    """Cobweb against one peer.

    Attributes:
        case: what was computed.
        ours, peer: who took part.
        ours_seconds, peer_seconds: of each round.
        target: the ratio aimed at.
    """

    case: str
    ours: str
    peer: str
    ours_seconds: list[float]
    peer_seconds: list[float]
    target: float | None = None

    @property
    def ratios(self) -> list[float]:
        """How many times as long as Cobweb the peer took, round by round."""
        return [p / o for p, o in zip(self.peer_seconds, self.ours_seconds, strict=False)]

    @property
    def ratio(self) -> float:
        """Their median."""
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if self.target is None:
            return ""
        return f"{self.target:g}: {'met' if self.ratio >= self.target else 'missed'}"


@dataclass(frozen=True)
class Table:
    """Numbers that are no ratios to a peer."""

    title: str
    head: list[str]
    rows: list[list[str]]


@dataclass
class Study:
    """What one script found."""

    question: str
    rows: list[Row] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


@dataclass(frozen=True)
class Prepared:
    """An experiment with its compiled program."""

    experiment: Experiment
    layout: Template
    plan: job.Plan
    call: Any
    compile_seconds: float

    def compute(self) -> dict[str, np.ndarray]:
        """{variable: array of the grid's shape}, from numbers to numbers."""
        return dataset.fill(self.layout, job.blocks(self.experiment, self.plan, self.call))

    def exhaust(self) -> None:
        """All blocks, none kept."""
        for _ in job.blocks(self.experiment, self.plan, self.call):
            pass


def read(*overrides: str) -> Experiment:
    """The experiment of a command line."""
    return config.read(config.compose([*overrides, "figure=none"]))


def prepare(*overrides: str) -> Prepared:
    """The experiment of a command line, compiled."""
    experiment = read(*overrides)
    layout, plan = preparation.prepare(experiment)
    call, seconds = job.compiled(experiment, plan)
    return Prepared(experiment, layout, plan, call, seconds)


def axis(name: str, start: float, stop: float, num: int) -> str:
    """The override that sweeps one quantity."""
    return f"grid.{name}={{start: {start}, stop: {stop}, num: {num}}}"


def timed(f: Contender) -> float:
    """The seconds that one call takes, its result on the host or at least complete."""
    begun = perf_counter()
    jax.block_until_ready(f())
    return perf_counter() - begun


def rounds(
    contenders: Mapping[Any, Contender], repeats: int, before: Contender = lambda: None
) -> dict[Any, list[float]]:
    """{contender: seconds of each round}; all take part in a round, one after another.

    Args:
        before: called before each of them, off the clock.
    """
    seconds: dict[Any, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, f in contenders.items():
            if sum(seconds[name]) < PATIENCE:
                before()
                seconds[name].append(timed(f))
    return seconds


def race(
    case: str,
    contenders: Mapping[str, Contender],
    *,
    repeats: int,
    targets: Mapping[str, float] | None = None,
    before: Contender = lambda: None,
) -> list[Row]:
    """Time the contenders in turns; the first one is Cobweb's, the others its peers."""
    seconds = rounds(contenders, repeats, before)
    ours, *peers = contenders
    targets = targets or {}
    return [Row(case, ours, p, seconds[ours], seconds[p], targets.get(p)) for p in peers]


def close(name: str, found: Any, expected: Any, tolerance: float) -> None:
    """Stop where a peer has computed something else.

    Args:
        tolerance: of the largest difference.
    """
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    worst = np.max(np.abs(found - expected))
    if not worst <= tolerance:
        sys.exit(f"{name}: differs from Cobweb by {worst:g}, beyond {tolerance:g}")


def has(package: str) -> bool:
    """Whether a peer is installed; said once where it is not."""
    if importlib.util.find_spec(package):
        return True
    print(f"{package} is not installed: left out (pip install -e '.[bench]')")
    return False


def compiler() -> str | None:
    """The C compiler; said where there is none."""
    found = shutil.which("gcc")
    if found is None:
        print("gcc is not installed: the C programs are left out")
    return found


def child(code: str, *arguments: str, **environment: str) -> str:
    """What a fresh Python prints last."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"a child process failed:\n{done.stderr}")
    return (done.stdout.strip().splitlines() or [""])[-1]


def load() -> float:
    """The machine's load over the last minute."""
    return os.getloadavg()[0]


@functools.cache
def machine() -> str:
    """Processor, memory and system."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} CPUs, {memory:.0f} GiB, {platform.system()}"


def versions() -> str:
    """Of Python and of every package that takes part."""
    found = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        if importlib.util.find_spec(name):
            found.append(f"{name} {metadata.version(name)}")
    return ", ".join(found)


def span(values: Sequence[float], shape: Callable[[float], str]) -> str:
    """The median, and the range in brackets."""
    return f"{shape(statistics.median(values))} ({shape(min(values))}-{shape(max(values))})"


def time(seconds: float) -> str:
    """In a unit that leaves three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def ratio(value: float) -> str:
    """With as many digits as it is worth."""
    return f"{value:.3g}x" if value < 100 else f"{value:.0f}x"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def described(study: Study) -> str:
    """The results as Markdown."""
    parts = []
    if study.rows:
        head = ["case", "Cobweb", "its time", "peer", "its time", "ratio", "target"]
        rows = [
            [
                *(r.case, r.ours, span(r.ours_seconds, time)),
                *(r.peer, span(r.peer_seconds, time), span(r.ratios, ratio), r.verdict),
            ]
            for r in study.rows
        ]
        parts.append(markdown(head, rows))
    parts += [f"{t.title}\n\n{markdown(t.head, t.rows)}" for t in study.tables]
    return "\n\n".join(parts)


def record(study: Study, load_before: float) -> dict[str, Any]:
    """Everything that was measured, and where."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "load": f"{load_before:.2f} before, {load():.2f} after",
        **asdict(study),
    }


def restore(data: Mapping[str, Any]) -> Study:
    """The study of a record."""
    rows = [Row(**row) for row in data["rows"]]
    return Study(data["question"], rows, [Table(**table) for table in data["tables"]])


def main(measured: Callable[[bool], Study]) -> None:
    """Run one script: print the machine, the versions and the results."""
    parser = argparse.ArgumentParser(description=sys.modules[measured.__module__].__doc__)
    parser.add_argument("--small", action="store_true", help="tiny sizes: tries the script")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    args = parser.parse_args()
    before = load()
    print(f"{machine()}; load {before:.2f}\n{versions()}\n", flush=True)
    study = measured(args.small)
    if args.small:
        print("Tiny sizes: these ratios say nothing but that the script works.")
    print(f"{study.question}\n\n{described(study)}")
    if args.json:
        args.json.write_text(json.dumps(record(study, before)), encoding="utf-8")
