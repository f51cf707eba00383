"""Execution: an experiment run into a folder, from where an earlier run of it was stopped."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Any

import numpy as np

from pipeline import (
    archive,
    device,
    figures,
    filing,
    job,
    notation,
    preparation,
    presentation,
    provenance,
)
from pipeline.dataset import Block, Template
from pipeline.errors import CobwebError, ConfigError, Interrupted
from pipeline.experiment import Experiment

RESULT = "result.nc"

Watch = Callable[[Iterable[Block], int], Iterable[Block]]


@dataclass
class Clock:
    """What things cost: no part of the content, but worth knowing of an archive.

    Attributes:
        compile_seconds: 0 where an earlier run of this process had the same program.
        program_bytes: of its memory, as XLA has laid it out.
    """

    compile_seconds: float
    run_seconds: float = 0.0
    program_bytes: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Count what is done meanwhile as run."""
        begun = perf_counter()
        yield
        self.run_seconds += perf_counter() - begun

    def timed(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The same blocks; the time that each takes to come is counted."""
        source = iter(blocks)
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
    """

    experiment: Experiment
    plan: job.Plan
    clock: Clock
    counts: Mapping[str, Mapping[str, int]]
    files: tuple[Path, ...] = ()
    bytes: int = 0


def file(
    experiment: Experiment,
    folder: Path,
    overrides: Iterable[str] = (),
    watch: Watch = lambda blocks, count: blocks,
) -> Report | None:
    """Run an experiment into a folder: result.nc, its figures and its report.

    Args:
        watch: wraps the blocks, of which there are so many, to show progress.

    Returns:
        None where the folder holds the finished result of the same document.

    Raises:
        CobwebError: it holds the result of another document, or it cannot be made.
        ConfigError: the disk has no room.
    """
    path = folder / RESULT
    if path.exists():
        same(path, experiment)
        return None
    layout, plan = preparation.prepare(experiment)
    _room(folder, layout.bytes)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CobwebError(f"{folder}: cannot be made ({error.strerror}).") from None
    counts: dict[str, Counter[str]] = {}
    with filing.Filing(path) as result, _patient() as asked:
        if path.exists():  # finished by another run, while this one waited
            same(path, experiment)
            return None
        here = provenance.gather(
            experiment.document, list(overrides), plan.record, device.describe(experiment.device)
        )
        if result.texts is not None:
            plan = _continued(experiment, layout.cell_bytes, result.texts, here, result.partial)
        call, compile_seconds = job.compiled(experiment, plan)
        clock = Clock(compile_seconds, program_bytes=call.bytes)
        result.begin(_signed(layout), here)
        for results in result.earlier():
            _count(counts, layout, results)
        source = _ahead(clock.timed(job.blocks(experiment, plan, call, result.done)))
        left = -(-(plan.cells - result.done) // plan.block)
        for first, last, results in watch(source, left):
            result.put(first, last, results)
            _count(counts, layout, results)
            if asked and last < plan.cells:
                result.commit()
                done = f"{last:,} of {plan.cells:,} cells are filed"
                by_text = f"python -m pipeline resume {folder}"
                again = "the same pipeline.run again" if experiment.function else by_text
                raise Interrupted(f"interrupted; {done}; to go on: {again}")
        with clock.running():
            searched = job.searched(experiment, result.read)
            result.add(searched)
        _count(counts, layout, searched)
        result.finish(clock.record(plan.cells * experiment.iterate.steps))
    page = [presentation.report(path)] if experiment.figure.report else []
    files = (path, *_drawn(path, experiment), *page)
    return Report(experiment, plan, clock, counts, files, path.stat().st_size)


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
    if not partial.exists():
        whole = (folder / RESULT).exists()
        reason = "its result is whole" if whole else "no run was stopped here"
        raise CobwebError(f"{folder}: nothing to resume; {reason}.")
    return partial


def _document(texts: Mapping[str, str]) -> Any:
    """The document that an archive holds, {} where it cannot be read."""
    try:
        return notation.read(texts.get("document", "")) or {}
    except notation.Fault:
        return {}


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
    if _essence(_document(texts)) != _essence(_document(here)):
        reason = "of another document; choose another folder, or delete it"
        raise CobwebError(f"{aside} {reason}.")
    for name in ("packages", "machine", "device", "xla_flags"):
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


def _ahead(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same blocks, each computed while the one before it is used."""
    source = iter(blocks)
    with ThreadPoolExecutor(1, "cobweb-job") as pool:
        coming = pool.submit(next, source, None)
        while (block := coming.result()) is not None:
            coming = pool.submit(next, source, None)
            yield block


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


def _count(
    counts: dict[str, Counter[str]], layout: Template, results: Mapping[str, np.ndarray]
) -> None:
    """Add the cells of each code, of what has one code for each cell."""
    axes = set(list(layout.sizes)[: len(layout.grid)])
    for entry in layout.variables:
        if "flag_meanings" in entry.attributes and entry.name in results:
            if not set(entry.dimensions) <= axes:
                continue
            meanings = entry.attributes["flag_meanings"].split()
            codes = np.bincount(np.ravel(results[entry.name]), minlength=len(meanings)).tolist()
            found = {m: n for m, n in zip(meanings, codes, strict=True) if n}
            counts.setdefault(entry.name, Counter()).update(found)


def same(path: Path, experiment: Experiment) -> None:
    """A finished result is never written over.

    Raises:
        CobwebError: a file holds the result of another document.
    """
    there = _document(archive.provenance(path))
    here = notation.read(provenance.text(experiment.document))
    if _essence(there) != _essence(here):
        raise CobwebError(f"{path}: holds the result of another document; choose another folder.")


def _essence(document: Any) -> str:
    """What a document says of the result; "" of what is none."""
    if not isinstance(document, dict):
        return ""
    # The order counts: that of the grid is the order of the dimensions.
    kept = {k: v for k, v in document.items() if k not in ("figure", "dry_run", "engine")}
    if isinstance(device := kept.get("device"), dict):
        changing = {k: v for k, v in device.items() if k not in ("memory", "compile_cache")}
        kept["device"] = changing
    return provenance.text(kept)


def _room(folder: Path, size: int) -> None:
    existing = next(
        path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
    )
    free = shutil.disk_usage(existing).free
    if size > free:
        need, have = (f"{n / 2**30:.2f} GiB" for n in (size, free))
        raise ConfigError([f"grid: the result takes {need} and {existing} has {have} free."])
