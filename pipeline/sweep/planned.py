"""The jobs of a sweep: composed and checked, all of them, before the first one runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict

from pipeline import config, device, engine, execution, preparation
from pipeline.config import composition, jobs
from pipeline.config.jobs import Label, Swept
from pipeline.errors import CobwebError, ConfigError
from pipeline.experiment import Experiment


@dataclass(frozen=True)
class Job:
    """One job of a sweep, composed.

    Attributes:
        labels: {key: its value} of what became a job.
        overrides: as Hydra's launcher takes them, without what became an axis.
        folder: where the launcher will run it.
        document: with the axes.
    """

    labels: Mapping[str, Label]
    overrides: list[str]
    folder: Path
    document: dict[str, Any]

    def __str__(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.labels.items()) or "the one job"


@dataclass
class Planned:
    """One job, checked; `error` says why it failed, once it has."""

    job: Job
    experiment: Experiment
    folder: Path
    cells: int
    error: str = ""


def read(loader: Any, texts: Sequence[str]) -> tuple[list[str], list[Swept]]:
    """The overrides of one value and those of several.

    Raises:
        ConfigError: with all their mistakes, and those of the first job's document beside them.
    """
    folder = loader.repository.folder
    mistakes, sound, unread = composition.examine(texts, folder, sweep=True)
    before = len(mistakes)
    parser = OverridesParser.create(config_loader=loader)
    fixed, swept = jobs.split(mistakes, parser.parse_overrides(sound))
    if not mistakes:
        return fixed, swept
    if len(mistakes) == before:
        first = [f"{s.element}={s.listed()[0][0]}" for s in swept]
        composed = composition.load(loader, [*fixed, *first], mistakes, unread)
        document = composition.plain(composed, composed.hydra.runtime.choices, mistakes)
        composition.check(document, mistakes, unread)
    raise ConfigError(list(dict.fromkeys(mistakes)))


def composed(
    loader: Any, master: DictConfig, fixed: Sequence[str], swept: Sequence[Swept]
) -> list[Job]:
    """A job for each combination of what is no number of its document.

    Args:
        master: Hydra's config of the sweep.

    Raises:
        ConfigError: with the mistakes of all.
    """
    choices = [s for s in swept if s.axis is None]
    numbers = [s for s in swept if s.axis is not None]
    found: list[Job] = []
    told = _Told()
    job_of = partial(_job, loader, master, told, fixed, numbers)
    _limit(jobs.count(choices))
    for chosen in jobs.combinations(choices):
        job = job_of(len(found), chosen)
        if job is None:
            continue
        others = [s for s in numbers if s.key in job.labels]
        if not others:
            found.append(job)
            continue
        _limit(len(found) + jobs.count(others))
        for more in jobs.combinations(others):
            one = job_of(len(found), [*chosen, *more])
            found += [one] if one else []
    told.tell(len(found))
    return found


def _job(
    loader: Any,
    master: DictConfig,
    told: _Told,
    fixed: Sequence[str],
    numbers: Sequence[Swept],
    number: int,
    chosen: Sequence[tuple[Swept, str, Label]],
) -> Job | None:
    """One job, with axes of the numbers that are none of its choices.

    Those that cannot be axes are among its labels all the same.
    """
    texts = [*fixed, *(f"{s.element}={text}" for s, text, _ in chosen)]
    labels = {s.key: label for s, _, label in chosen}
    # As they were typed: what ${...} in them stands for may differ from job to job.
    hydra: Any = OmegaConf.to_container(master.hydra.overrides.hydra)
    try:
        whole, document = composition.whole(loader, [*hydra, *texts], loader.repository.folder)
    except ConfigError as error:
        told.note(Job(labels, texts, Path(), {}), error)
        return None
    document, others = jobs.with_axes(document, [s for s in numbers if s.key not in labels])
    labels |= {s.key: "" for s in others}
    return Job(labels, texts, _folder(master, whole, number), document)


def checked(found: Sequence[Job]) -> list[Planned]:
    """Every job as an experiment that can be run.

    Raises:
        ConfigError: with the mistakes of all.
    """
    for job in found:  # JAX starts with the first document that is read
        if (wanted := config.device_of(job.document)) is not None:
            device.start(wanted)
    planned: list[Planned] = []
    told, folders = _Told(), set[Path]()
    for job in found:
        folder = job.folder
        try:
            experiment = preparation.fitted(config.read(job.document), job.overrides)
            _, plan = preparation.prepare(experiment)
            engine.check(experiment)
            if not experiment.engine.join:
                raise ConfigError(["engine.join = false: jobs of a sweep become one file."])
            if (folder / execution.RESULT).exists():
                execution.same(folder / execution.RESULT, experiment)
            if folder in folders:
                reason = "expected a folder for each job, as ${hydra.job.num} gives"
                raise ConfigError([f"hydra.sweep.subdir = {folder.name}: {reason}."])
        except CobwebError as error:
            told.note(job, error)
            continue
        folders.add(folder)
        planned.append(Planned(job, experiment, folder, plan.cells))
    told.tell(len(found))
    return planned


def _folder(master: DictConfig, composed: DictConfig, number: int) -> Path:
    """Where a launcher will run the job of this number."""
    OmegaConf.copy_cache(from_config=master, to_config=composed)
    with open_dict(composed):
        composed.hydra.job.id = composed.hydra.job.num = number
    state, before = HydraConfig.instance(), HydraConfig.instance().cfg
    state.set_config(composed)
    try:
        subdir = str(OmegaConf.select(composed, "hydra.sweep.subdir"))
    finally:
        state.cfg = before
    return Path(master.hydra.sweep.dir, subdir)


class _Told:
    """The mistakes of several jobs, each sentence told once."""

    def __init__(self) -> None:
        self.found: dict[str, list[Job]] = {}

    def note(self, job: Job, error: CobwebError) -> None:
        for text in error.mistakes if isinstance(error, ConfigError) else [str(error)]:
            self.found.setdefault(text, []).append(job)

    def tell(self, count: int) -> None:
        """Raise ConfigError where there are any.

        Args:
            count: of the jobs without one; a mistake of all jobs is told as that of a run is.
        """
        lines = []
        total = max([count, *map(len, self.found.values())])
        for text, those in self.found.items():
            if len(those) == total:
                lines.append(text)
            else:
                beside = f" and {len(those) - 1} more" if len(those) > 1 else ""
                lines.append(f"{those[0]}{beside}: {text}")
        if lines:
            raise ConfigError(lines)


def _limit(count: int) -> None:
    if count > jobs.MOST_JOBS:
        reason = f"expected at most {jobs.MOST_JOBS:,} jobs; these choices make {count:,}"
        raise ConfigError([f"-m: {reason}."])
