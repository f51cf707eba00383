"""The order of things: document -> experiment -> template -> blocks -> archive -> figure."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
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
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import (
    archive,
    config,
    dataset,
    device,
    figures,
    filing,
    job,
    notation,
    presentation,
    provenance,
)
from pipeline.dataset import Block, Template
from pipeline.errors import CobwebError, ConfigError, Interrupted
from pipeline.experiment import Experiment

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOG = logging.getLogger("pipeline")
RESULT = "result.nc"
RESUME = "python -m pipeline resume"
# The part of the free memory that a result held in memory may take.
SHARE = 0.8

Watch = Callable[[Iterable[Block], int], Iterable[Block]]


@dataclass
class Clock:
    """How long things took: no part of the content, but worth knowing of an archive."""

    compile_seconds: float
    run_seconds: float = 0.0

    def timed(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The same blocks; the time that each takes to come is counted."""
        source = iter(blocks)
        while True:
            begun = perf_counter()
            block = next(source, None)
            self.run_seconds += perf_counter() - begun
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


def run(
    *overrides: str,
    config_dir: str | Path | None = None,
    folder: str | Path | None = None,
) -> xarray.Dataset:
    """Run one experiment.

    Args:
        overrides: as on the command line: "experiment=orbit", "map=henon", "grid.a.num=101".
        config_dir: a folder of your own maps, objectives and experiments.
        folder: where result.nc and the figure go; nothing is written without it.

    Returns:
        The labelled dataset; of an archive, read when it is used.

    Raises:
        ConfigError: with every mistake of the document.
    """
    strange = [o for o in overrides if o.lstrip("+~").startswith("hydra.")]
    if strange:
        raise ConfigError([f"{o}: Hydra has no part here; use folder=..." for o in strange])
    experiment = config.read(config.compose(overrides, config_dir))
    if experiment.dry_run:
        raise ConfigError(["dry_run = true: expected false; the plan is the command line's."])
    if folder is not None:
        experiment = fitted(experiment, overrides)
        file(experiment, Path(folder), overrides)
        return open(Path(folder) / RESULT)
    layout, plan = prepare(with_figure(experiment, "none"))
    free = free_memory()
    if free is not None and layout.bytes > SHARE * free:
        need, have = (f"{size / 2**30:.2f} GiB" for size in (layout.bytes, free))
        reason = (
            f"the result takes {need} and {have} of memory are free; give a folder to write it to"
        )
        raise ConfigError([f"grid: {reason}."])
    call, _ = job.compiled(experiment, plan)
    arrays = dataset.fill(layout, job.blocks(experiment, plan, call))
    whole = dataset.assemble(layout, arrays)
    return whole.assign_attrs(document=provenance.text(experiment.document))


def open(path: str | Path) -> xarray.Dataset:
    """The dataset of an archive; its attribute `document` is the document as YAML."""
    return archive.read(path)


def plot(
    ds: xarray.Dataset, name: str = "auto", *, style: str = "screen", ax: Axes | None = None
) -> Figure:
    """A figure of a dataset that `run` or `open` gave.

    Args:
        name: the kind, as in conf/figure; chosen from the dataset by default.
        ax: axes of your own to draw into.

    Raises:
        CobwebError: it is no dataset, or nothing of it can be drawn so.
    """
    if not hasattr(ds, "data_vars"):
        raise CobwebError(f"plot: expected a dataset, not a {type(ds).__name__}.")
    return figures.draw(ds, name=name, style=style, ax=ax)


def prepare(experiment: Experiment) -> tuple[Template, job.Plan]:
    """What a run will file, and in how many blocks; whatever cannot be done is refused here.

    Raises:
        ConfigError: not even one cell fits into the memory.
        CobwebError: the figure does not fit the dataset.
    """
    device.check(experiment.device)
    layout = dataset.template(experiment)
    plan = job.plan(experiment, layout.cell_bytes)
    if experiment.figure.name != "none":
        _check_figure(experiment, layout)
    return layout, plan


def _check_figure(experiment: Experiment, layout: Template) -> None:
    # Arrays of one element each, seen as whole ones: the figure is chosen by shapes alone.
    empty = {e.name: np.broadcast_to(np.zeros((), e.dtype), e.shape) for e in layout.variables}
    text = provenance.text(experiment.document)
    hollow = dataset.assemble(layout, empty).assign_attrs(document=text)
    figures.choose(hollow, experiment.figure.name)


def with_figure(experiment: Experiment, name: str) -> Experiment:
    """The same with another kind of figure, in its document too."""
    figure = dataclasses.replace(experiment.figure, name=name)
    wanted = {**experiment.document["figure"], "name": name}
    document = {**experiment.document, "figure": wanted}
    return dataclasses.replace(experiment, figure=figure, document=document)


def fitted(experiment: Experiment, overrides: Iterable[str]) -> Experiment:
    """An experiment's own figure gives way to one that fits; one that was asked for does not."""
    asked = any(o.lstrip("+").startswith(("figure=", "figure.name=")) for o in overrides)
    if asked or experiment.figure.name in ("auto", "none"):
        return experiment
    try:
        _check_figure(experiment, dataset.template(experiment))
    except CobwebError:
        return with_figure(experiment, "auto")
    return experiment


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
    layout, plan = prepare(experiment)
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
        clock = Clock(compile_seconds)
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
                raise Interrupted(f"interrupted; {done}; to go on: {RESUME} {folder}")
        result.finish(clock.record(plan.cells * experiment.iterate.steps))
    page = [presentation.report(path)] if experiment.figure.report else []
    files = (path, *_drawn(path, experiment), *page)
    return Report(experiment, plan, clock, counts, files, path.stat().st_size)


def _drawn(path: Path, experiment: Experiment) -> Iterator[Path]:
    """The figures of an archive, beside it."""
    wanted = experiment.figure
    if wanted.name == "none":
        return
    with open(path) as ds:
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
    """Add the cells of each code."""
    for entry in layout.variables:
        if "flag_meanings" in entry.attributes:
            meanings = entry.attributes["flag_meanings"].split()
            codes = np.bincount(results[entry.name], minlength=len(meanings)).tolist()
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


def free_memory() -> int | None:
    """Bytes, None where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None
