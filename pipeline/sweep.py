"""The sweeper of `-m`: jobs from swept overrides, checked, launched, their results joined.

Hydra takes sweepers from the namespace package hydra_plugins alone, and an editable install can
hide a folder of that name; so the class says that it comes from there, and `register` enters it.
Worker processes find it in Hydra's state, since the task before that imports this module.
"""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper as Plugin
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from pipeline import api, collection, config, device
from pipeline.collection import Member
from pipeline.config import composition, jobs
from pipeline.config.jobs import Label, Swept
from pipeline.config.mistakes import Mistakes
from pipeline.errors import CobwebError, ConfigError, Interrupted
from pipeline.experiment import Experiment

RESULT = "sweep.nc"
MODULE = "hydra_plugins.cobweb"
# The launcher that gives up all jobs when a worker dies; those without a result are run once more.
ALONE = ".JoblibLauncher"


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


@dataclass(frozen=True)
class Outcome:
    """What a sweep says when it is over; without a path nothing was computed."""

    jobs: list[Planned]
    path: Path | None = None


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


class Sweeper(Plugin):
    """Hydra's sweeper; its arguments are the keys of conf/hydra/sweeper/axes.yaml."""

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        max_batch_size: int | None = None,
        stop_on_error: bool = False,
    ) -> None:
        self.params, self.most, self.stops = dict(params or {}), max_batch_size, stop_on_error

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """What Hydra hands over."""
        self.context, self.task, self.master = hydra_context, task_function, config
        self.loader: Any = hydra_context.config_loader

    def sweep(self, arguments: list[str]) -> Outcome:
        """Run the jobs of these overrides.

        Raises:
            ConfigError: with the mistakes of all jobs, before the first one runs.
        """
        texts = [f"{key}={value}" for key, value in self.params.items()] + arguments
        self._check()
        fixed, swept = read(self.loader, texts)
        self._name(swept)
        planned = self._checked(self._composed(fixed, swept))
        if any(p.experiment.dry_run for p in planned):
            return Outcome(planned)
        folder = Path(self.master.hydra.sweep.dir)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError([f"hydra.sweep.dir = {folder}: {error.strerror}."]) from None
        try:
            self._launch(planned, swept)
        except KeyboardInterrupt:
            again = f"to go on: the same command with hydra.sweep.dir={folder}"
            raise Interrupted(f"interrupted; {again}") from None
        keys = [s.key for s in swept if any(s.key in p.job.labels for p in planned)]
        collection.join(list(_members(planned, jobs.labels(keys))), folder / RESULT)
        return Outcome(planned, folder / RESULT)

    def _check(self) -> None:
        """The keys of the sweeper itself."""
        mistakes = Mistakes()
        if self.most is not None and (type(self.most) is not int or self.most < 1):
            mistakes.add("hydra.sweeper.max_batch_size", "expected an integer >= 1", self.most)
        if not isinstance(self.stops, bool):
            mistakes.add("hydra.sweeper.stop_on_error", "expected true or false", self.stops)
        if mistakes:
            raise ConfigError(mistakes)

    def _name(self, swept: Sequence[Swept]) -> None:
        """The folder of a sweep over experiments has the names of all, not the default's."""
        for s in swept:
            if s.key == "experiment":
                choices = self.master.hydra.runtime.choices
                choices.experiment = "_".join(str(label) for _, label in s.values)

    def _composed(self, fixed: Sequence[str], swept: Sequence[Swept]) -> list[Job]:
        """A job for each combination of what is no number of its document.

        Raises:
            ConfigError: with the mistakes of all.
        """
        choices = [s for s in swept if s.axis is None]
        numbers = [s for s in swept if s.axis is not None]
        found: list[Job] = []
        told = _Told()
        _limit(jobs.count(choices))
        for chosen in jobs.combinations(choices):
            job = self._job(told, len(found), fixed, chosen, numbers)
            if job is None:
                continue
            others = [s for s in numbers if s.key in job.labels]
            if not others:
                found.append(job)
                continue
            _limit(len(found) + jobs.count(others))
            for more in jobs.combinations(others):
                one = self._job(told, len(found), fixed, [*chosen, *more], numbers)
                found += [one] if one else []
        told.tell(len(found))
        return found

    def _job(
        self,
        told: _Told,
        number: int,
        fixed: Sequence[str],
        chosen: Sequence[tuple[Swept, str, Label]],
        numbers: Sequence[Swept],
    ) -> Job | None:
        """One job, with axes of the numbers that are none of its choices.

        Those that cannot be axes are among its labels all the same.
        """
        texts = [*fixed, *(f"{s.element}={text}" for s, text, _ in chosen)]
        labels = {s.key: label for s, _, label in chosen}
        # As they were typed: what ${...} in them stands for may differ from job to job.
        hydra: Any = OmegaConf.to_container(self.master.hydra.overrides.hydra)
        try:
            composed, document = composition.whole(
                self.loader, [*hydra, *texts], self.loader.repository.folder
            )
        except ConfigError as error:
            told.note(Job(labels, texts, Path(), {}), error)
            return None
        document, others = jobs.with_axes(document, [s for s in numbers if s.key not in labels])
        labels |= {s.key: "" for s in others}
        return Job(labels, texts, self._folder(composed, number), document)

    def _checked(self, found: Sequence[Job]) -> list[Planned]:
        """Every job as an experiment that can be run.

        Raises:
            ConfigError: with the mistakes of all.
        """
        if not self._here():
            # This process only looks: the workers will want the memory of the GPU.
            os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        for job in found:  # JAX starts with the first document that is read
            if (wanted := config.device_of(job.document)) is not None:
                device.start(wanted)
        planned: list[Planned] = []
        told, folders = _Told(), set[Path]()
        for job in found:
            folder = job.folder
            try:
                experiment = api.fitted(config.read(job.document), job.overrides)
                _, plan = api.prepare(experiment)
                if (folder / api.RESULT).exists():
                    api.same(folder / api.RESULT, experiment)
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

    def _folder(self, composed: DictConfig, number: int) -> Path:
        """Where a launcher will run the job of this number."""
        OmegaConf.copy_cache(from_config=self.master, to_config=composed)
        with open_dict(composed):
            composed.hydra.job.id = composed.hydra.job.num = number
        state, before = HydraConfig.instance(), HydraConfig.instance().cfg
        state.set_config(composed)
        try:
            subdir = str(OmegaConf.select(composed, "hydra.sweep.subdir"))
        finally:
            state.cfg = before
        return Path(self.master.hydra.sweep.dir, subdir)

    def _here(self) -> bool:
        """Whether the jobs run in this process, one after the other."""
        return str(self.master.hydra.launcher._target_).endswith(".BasicLauncher")

    def _launch(self, planned: Sequence[Planned], swept: Sequence[Swept]) -> None:
        """Run the jobs by the configured launcher, and note which failed."""
        task: Any = self.task
        task = functools.partial(task, axes=tuple(s for s in swept if s.axis is not None))
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self.context, task_function=task, config=self.master
        )
        # Processes of a cluster's scheduler find this package where this process has found it.
        root = str(Path(__file__).resolve().parents[1])
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if root not in paths:
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, *paths]))
        # Alone, a job in this process fails alone.
        size = self.most or (1 if self._here() else len(planned))
        for first in range(0, len(planned), size):
            batch = planned[first : first + size]
            for job, result in zip(batch, self._launched(launcher, batch, first), strict=True):
                _note(job, result)
            if self.stops and any(job.error for job in batch):
                for job in planned[first + size :]:
                    if not (job.folder / api.RESULT).exists():
                        job.error = "not run: a job before it has failed"
                return

    def _launched(self, launcher: Launcher, batch: Sequence[Planned], first: int) -> Sequence[Any]:
        """What a launcher returns of each job, or the error that it raised instead."""
        # One folder for all, whatever of a job's own choices hydra.sweep.dir refers to.
        folder = QuotedString(str(self.master.hydra.sweep.dir), Quote.single).with_quotes()
        overrides = [[*p.job.overrides, f"hydra.sweep.dir={folder}"] for p in batch]
        try:
            return launcher.launch(overrides, initial_job_idx=first)
        except Exception as error:  # noqa: BLE001  # a launcher may raise anything: jobs are kept
            if len(batch) == 1 or not str(self.master.hydra.launcher._target_).endswith(ALONE):
                return [error] * len(batch)
        results: list[Any] = []
        for number, planned in enumerate(batch, first):
            there = (planned.folder / api.RESULT).exists()
            results += [None] if there else self._launched(launcher, [planned], number)
        return results


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


def _note(planned: Planned, result: Any) -> None:
    """What became of a job: its folder and, where it failed, the reason."""
    if isinstance(result, JobReturn):
        if result.hydra_cfg is not None:
            planned.folder = Path(result.hydra_cfg.hydra.runtime.output_dir)
        # Not `return_value`: of a failed job it prints, and raises.
        failed = result.status != JobStatus.COMPLETED
        result = result._return_value if failed else None
    if isinstance(result, CobwebError):
        planned.error = str(result)
    elif result is not None and not (planned.folder / api.RESULT).exists():
        planned.error = _brief(result)


def _brief(error: BaseException) -> str:
    """An error that is none of ours on one line; of a traceback in its text, the end."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    ends = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Interrupt)\b", line)]
    return f"{type(error).__name__}: {(ends[-1:] or lines[:1] or [''])[0]}"


def _members(planned: Sequence[Planned], names: Mapping[str, str]) -> Iterator[Member]:
    for job in planned:
        labels = {name: job.job.labels.get(key, "axis") for key, name in names.items()}
        yield Member(labels, None if job.error else job.folder / api.RESULT, job.error)


def _enter() -> None:
    """Let the class be found under the name that Hydra wants."""
    package, _, name = MODULE.partition(".")
    try:
        parent = importlib.import_module(package)
    except ImportError:  # no plugin is installed
        parent = sys.modules[package] = ModuleType(package)
        parent.__path__ = []
    here = sys.modules[__name__]
    sys.modules[MODULE] = here
    setattr(parent, name, here)
    Sweeper.__module__ = MODULE


def register() -> None:
    """Enter the sweeper among Hydra's plugins."""
    Plugins.instance().register(Sweeper)


_enter()
