"""Execution: an experiment run into a folder, from where an earlier run of it was stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Any

from pipeline import (
    archive,
    blocks,
    dataset,
    device,
    engine,
    extension,
    figures,
    filing,
    job,
    notation,
    parts,
    preparation,
    presentation,
    provenance,
    reuse,
)
from pipeline.dataset import Block, Template
from pipeline.engine import Order, Tell, Wanted, alike
from pipeline.errors import CobwebError, ConfigError, Interrupted
from pipeline.experiment import Experiment
from pipeline.extension import Extension

RESULT = "result.nc"

# (blocks, how many) -> the same; or whatever else comes block by block.
Watch = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass
class Clock:
    """What things cost: no part of the content, but worth knowing of an archive.

    Attributes:
        compile_seconds: 0 where an earlier run of this process had the same program.
        program_bytes: of its memory, as XLA has laid it out.
    """

    compile_seconds: float = 0.0
    run_seconds: float = 0.0
    program_bytes: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Count what is done meanwhile as run."""
        begun = perf_counter()
        yield
        self.run_seconds += perf_counter() - begun

    def timed(self, coming: Iterable[Block]) -> Iterator[Block]:
        """The same blocks; the time that each takes to come is counted."""
        source = iter(coming)
        while True:
            with self.running():
                block = next(source, None)
            if block is None:
                return
            yield block

    def record(self, steps: int) -> dict[str, float]:
        """The attributes of an archive.

        Args:
            steps: of all cells together; fewer were done where cells ended early.
        """
        return {
            "timing_compile_seconds": self.compile_seconds,
            "timing_run_seconds": self.run_seconds,
            "timing_steps_per_second": steps / max(self.run_seconds, 1e-9),
            "program_bytes": self.program_bytes,
        }


@dataclass(frozen=True)
class Report:
    """What a run says when it is over.

    Attributes:
        counts: {variable of codes: {meaning: cells}}, of `status` and of the kinds of points.
        taken: the earlier archive, where nothing was computed.
    """

    experiment: Experiment
    plan: job.Plan
    clock: Clock
    counts: Mapping[str, Mapping[str, int]]
    files: tuple[Path, ...] = ()
    bytes: int = 0
    taken: Path | None = None


def file(
    experiment: Experiment,
    folder: Path,
    overrides: Iterable[str] = (),
    watch: Watch = lambda blocks, count: blocks,
    tell: Tell = lambda line: None,
) -> Report | None:
    """Run an experiment into a folder: result.nc, its figures and its report.

    Args:
        watch: wraps the blocks, of which there are so many, to show progress.
        tell: is told what a user wants to know on the way.

    Returns:
        None where the folder holds the finished result of the same document.

    Raises:
        CobwebError: it holds the result of another document, or it cannot be made.
        ConfigError: the disk has no room.
    """
    joined = experiment.engine.join
    path = folder / (RESULT if joined else blocks.INDEX)
    pieces = filing.parts_of(path) if joined else path.parent
    if path.exists():
        same(path, experiment)
        return None
    layout, plan = preparation.prepare(experiment)
    engine.check(experiment)
    _room(path, pieces, layout.bytes)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CobwebError(f"{folder}: cannot be made ({error.strerror}).") from None
    with filing.Filing(path) as result, _patient() as asked:
        if path.exists():  # finished by another run, while this one waited
            same(path, experiment)
            return None
        here = provenance.gather(
            experiment.document, list(overrides), plan.record, device.describe(experiment.device)
        )
        run = _Run(experiment, folder, layout, plan, here, asked, watch, tell)
        if not joined:
            return _kept(run, result)
        taken = None if result.texts is not None else reuse.taken(experiment, path, here, tell)
        done = None if taken else _joined(run, result)
    if done is None:
        spent = archive.costs(path)
        clock = Clock(spent["job_compile_seconds"], spent["job_run_seconds"])
        done = Report(experiment, plan, clock, reuse.counted(path, layout), taken=taken)
    page = [presentation.report(path)] if experiment.figure.report else []
    files = (path, *_drawn(path, experiment), *page)
    return dataclasses.replace(done, files=files, bytes=path.stat().st_size)


@dataclass(frozen=True, eq=False)
class _Run:
    """What a run into a folder is made of.

    Attributes:
        here: /provenance.
        asked: whether Ctrl-C has been.
    """

    experiment: Experiment
    folder: Path
    layout: Template
    plan: job.Plan
    here: Mapping[str, str]
    asked: Sequence[int]
    watch: Watch
    tell: Tell


def _joined(run: _Run, result: filing.Filing) -> Report:
    """Compute into one file."""
    experiment, layout, plan, here = run.experiment, run.layout, run.plan, run.here
    if result.texts is not None:
        plan = _continued(experiment, layout.cell_bytes, result.texts, here, result.partial)
    counts: dict[str, Counter[str]] = {}
    clock = Clock()
    with extension.opened(experiment, layout, plan, here, run.tell) as earlier:
        result.begin(_signed(layout), here)
        for results in result.earlier():
            dataset.count(counts, layout, results)
        order = _order(experiment, plan, filing.parts_of(result.path), earlier)
        with engine.opened(experiment, plan, order, result.done, run.tell) as source:
            # What is computed is computed ahead; files are read here: netcdf-c wants one thread.
            coming = _ahead(clock.timed(source.blocks))
            if earlier:
                coming = earlier.filled(coming, plan.block)
            for first, last, results in run.watch(coming, source.count):
                result.put(first, last, results)
                source.safe(result.done)
                dataset.count(counts, layout, results)
                if run.asked and last < plan.cells:
                    result.commit()
                    raise _interrupted(run, last)
            clock.compile_seconds, clock.program_bytes = source.cost()
    with clock.running():
        searched = job.searched(experiment, result.read)
        result.add(searched)
    dataset.count(counts, layout, searched)
    result.finish(clock.record(plan.cells * experiment.iterate.steps))
    shutil.rmtree(filing.parts_of(result.path), ignore_errors=True)
    return Report(experiment, plan, clock, counts)


def _kept(run: _Run, index: filing.Filing) -> Report:
    """Compute into the files that workers write, and index them."""
    experiment, layout, plan = run.experiment, run.layout, run.plan
    order = _order(experiment, plan, index.path.parent, None)
    for other, differing in order.others():
        reason = f"holds blocks of an unfinished run with another {differing}"
        advice = "go on as it was begun, choose another folder, or delete it"
        raise CobwebError(f"{other}: {reason}; {advice}.")
    counts: dict[str, Counter[str]] = {}
    clock, pieces = Clock(), []
    with engine.opened(experiment, plan, order, 0, run.tell) as source, clock.running():
        assert source.receipts is not None
        for receipt in run.watch(source.receipts, source.count):
            pieces.append((receipt.first, receipt.last, receipt.digest))
            for name, found in receipt.counts.items():
                counts.setdefault(name, Counter()).update(found)
            if run.asked and receipt.last < plan.cells:
                raise _interrupted(run, receipt.last)
        clock.compile_seconds, clock.program_bytes = source.cost()
    own, arrays, texts = blocks.indexed(_signed(layout), pieces, order.own.name)
    index.texts = None
    index.begin(own, {**run.here, **texts})
    index.put(0, len(pieces), arrays)
    parts.settle(order.own, pieces)
    index.finish(clock.record(plan.cells * experiment.iterate.steps))
    run.tell("blocks are kept as files: pipeline.open reads them as one; nothing is drawn")
    return Report(experiment, plan, clock, counts, (index.path,), layout.bytes)


def _interrupted(run: _Run, last: int) -> Interrupted:
    again = f"python -m pipeline resume {run.folder}"
    if not run.experiment.engine.join:
        again = f"the same command with hydra.run.dir={run.folder}"
    if run.experiment.function:
        again = "the same pipeline.run again"
    done = f"{last:,} of {run.plan.cells:,} cells are filed"
    return Interrupted(f"interrupted; {done}; to go on: {again}")


def _order(
    experiment: Experiment, plan: job.Plan, folder: Path, earlier: Extension | None
) -> Order:
    """What is to be computed, as workers are told it."""
    # What is only said of how it is computed and shown may change before it is gone on with.
    aside = ("figure", "engine", "dry_run")
    document = {k: v for k, v in experiment.document.items() if k not in aside}
    texts = {"document": provenance.text(document), "plan": json.dumps(plan.record)}
    wanted = earlier.wanted if earlier else Wanted.all(experiment.grid)
    return Order(folder.absolute(), texts | alike(experiment.device), wanted)


def _drawn(path: Path, experiment: Experiment) -> Iterator[Path]:
    """The figures of an archive, beside it."""
    wanted = experiment.figure
    if wanted.name == "none":
        return
    with archive.read(path) as ds:
        kind = figures.choose(ds, wanted.name)
        if kind != "none":
            figure = figures.draw(ds, name=kind, style=wanted.style)
            yield from figures.save(figure, path.parent, wanted.formats)


def unfinished(folder: Path) -> Path:
    """The file of a run that was stopped or killed.

    Raises:
        CobwebError: there is nothing to continue.
    """
    partial = filing.partial_of(folder / RESULT)
    if (folder / blocks.INDEX).parent.exists():
        reason = "the same command with hydra.run.dir goes on with kept blocks"
        raise CobwebError(f"{folder}: nothing to resume; {reason}.")
    if not partial.exists():
        whole = (folder / RESULT).exists()
        reason = "its result is whole" if whole else "no run was stopped here"
        raise CobwebError(f"{folder}: nothing to resume; {reason}.")
    return partial


def _continued(
    experiment: Experiment,
    cell_bytes: int,
    texts: Mapping[str, str],
    here: Mapping[str, str],
    path: Path,
) -> job.Plan:
    """The plan of a run that was stopped, to be continued by one of these texts.

    Raises:
        CobwebError: it was of another document, or its bits cannot be continued here.
    """
    aside = f"{path}: holds an unfinished result"
    if provenance.essence(provenance.document(texts)) != provenance.essence(
        provenance.document(here)
    ):
        reason = "of another document; choose another folder, or delete it"
        raise CobwebError(f"{aside} {reason}.")
    for name in provenance.BITS:
        if texts.get(name) != here[name]:
            there, now = (" ".join(t.get(name, "").split()) for t in (texts, here))
            reason = f"begun with {name} = {there}, where this is {now}; its bits would not fit"
            raise CobwebError(f"{aside} {reason}. Continue it there, or delete it.")
    try:
        record = json.loads(texts["plan"])
    except (KeyError, ValueError):
        record = None
    if not isinstance(record, dict):
        raise CobwebError(f"{aside} without a plan; delete it.")
    again, notes = job.replay(experiment, cell_bytes, record)
    if notes:
        raise CobwebError(f"{aside} that cannot be continued: {'; '.join(notes)}. Delete it.")
    return again


@contextlib.contextmanager
def _patient() -> Iterator[list[int]]:
    """What Ctrl-C has asked for: the first waits for the block in hand, the second does not."""
    asked: list[int] = []

    def noted(number: int, frame: FrameType | None) -> None:
        if asked or before is None:
            raise KeyboardInterrupt
        asked.append(number)

    before = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread() and callable(before)
    if ours:
        signal.signal(signal.SIGINT, noted)
    try:
        yield asked
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)


def _ahead(coming: Iterable[Block]) -> Iterator[Block]:
    """The same blocks, each computed while the one before it is used."""
    source, pool = iter(coming), ThreadPoolExecutor(1, "cobweb-job")
    try:
        after = pool.submit(next, source, None)
        while (block := after.result()) is not None:
            after = pool.submit(next, source, None)
            yield block
    finally:
        # Whoever breaks off does not wait for a block that may never come.
        pool.shutdown(wait=False, cancel_futures=True)


def _signed(layout: Template) -> Template:
    """The template with the attributes that say who wrote the file, and when."""
    version = provenance.version(provenance.DISTRIBUTION)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signed = {"source": f"Cobweb {version}", "history": f"{now} computed by Cobweb {version}"}
    return Template(
        layout.grid,
        layout.sizes,
        layout.coordinates,
        layout.variables,
        {**layout.attributes, **signed},
    )


def same(path: Path, experiment: Experiment) -> None:
    """A finished result is never written over.

    Raises:
        CobwebError: a file holds the result of another document.
    """
    there = provenance.document(archive.provenance(path))
    here = notation.read(provenance.text(experiment.document))
    if provenance.essence(there) != provenance.essence(here):
        raise CobwebError(f"{path}: holds the result of another document; choose another folder.")


def _room(path: Path, folder: Path, size: int) -> None:
    existing = next(parent for parent in path.absolute().parents if parent.exists())
    free = shutil.disk_usage(existing).free
    if size > free and (size := size - filing.held(path, folder)) > free:
        need, have = (f"{n / 2**30:.2f} GiB" for n in (size, free))
        raise ConfigError([f"grid: the result takes {need} and {existing} has {have} free."])
