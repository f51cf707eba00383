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
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper as Plugin
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from pipeline import collection, execution, preparation, presentation
from pipeline.collection import Member
from pipeline.config import jobs
from pipeline.config.jobs import Swept
from pipeline.config.mistakes import Mistakes
from pipeline.errors import CobwebError, ConfigError, Interrupted
from pipeline.figures.joint import NONE
from pipeline.sweep.planned import Planned, checked, composed, read

__all__ = ["Outcome", "Sweeper", "read", "register"]

RESULT = "sweep.nc"
MODULE = "hydra_plugins.cobweb"
# The launcher that gives up all jobs when a worker dies; those without a result are run once more.
ALONE = ".JoblibLauncher"


@dataclass(frozen=True)
class Outcome:
    """What a sweep says when it is over; without a path nothing was computed.

    Attributes:
        path: of the joined results.
        files: what was made of them.
        remark: why the joint figure could not be drawn.
    """

    jobs: list[Planned]
    path: Path | None = None
    files: tuple[Path, ...] = ()
    remark: str = ""


class Sweeper(Plugin):
    """Hydra's sweeper; its arguments are the keys of conf/hydra/sweeper/axes.yaml."""

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        jobs: Sequence[str] = (),
        max_batch_size: int | None = None,
        stop_on_error: bool = False,
    ) -> None:
        self.params, self.apart = dict(params or {}), jobs
        self.most, self.stops = max_batch_size, stop_on_error

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
        swept = [s.apart() if s.key in self.apart else s for s in swept]
        self._name(swept)
        if not self._here():
            # This process only looks: the workers will want the memory of the GPU.
            os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        planned = checked(composed(self.loader, self.master, fixed, swept))
        preparation.check_joint((_words(p), p.experiment) for p in planned)
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
        files, remark = _drawn(folder, planned[0].experiment.figure.joint)
        if any(p.experiment.figure.report for p in planned):
            files += [presentation.report(folder / RESULT)]
        return Outcome(planned, folder / RESULT, tuple(files), remark)

    def _check(self) -> None:
        """The keys of the sweeper itself."""
        mistakes = Mistakes()
        if self.most is not None and (type(self.most) is not int or self.most < 1):
            mistakes.add("hydra.sweeper.max_batch_size", "expected an integer >= 1", self.most)
        if not isinstance(self.stops, bool):
            mistakes.add("hydra.sweeper.stop_on_error", "expected true or false", self.stops)
        keys = self.apart
        listed = isinstance(keys, Sequence) and not isinstance(keys, str)
        if not listed or not all(isinstance(key, str) for key in keys):
            reason = "expected a list of keys, such as [map.parameters.a]"
            mistakes.add("hydra.sweeper.jobs", reason, keys)
        if mistakes:
            raise ConfigError(mistakes)

    def _name(self, swept: Sequence[Swept]) -> None:
        """The folder of a sweep over experiments has the names of all, not the default's."""
        for s in swept:
            if s.key == "experiment":
                choices = self.master.hydra.runtime.choices
                choices.experiment = "_".join(str(label) for _, label in s.values)

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
        root = str(Path(__file__).resolve().parents[2])
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
                    if not (job.folder / execution.RESULT).exists():
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
            there = (planned.folder / execution.RESULT).exists()
            results += [None] if there else self._launched(launcher, [planned], number)
        return results


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
    elif result is not None and not (planned.folder / execution.RESULT).exists():
        planned.error = _brief(result)


def _brief(error: BaseException) -> str:
    """An error that is none of ours on one line; of a traceback in its text, the end."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    ends = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Interrupt)\b", line)]
    return f"{type(error).__name__}: {(ends[-1:] or lines[:1] or [''])[0]}"


def _members(planned: Sequence[Planned], names: Mapping[str, str]) -> Iterator[Member]:
    for job in planned:
        labels = {name: job.job.labels.get(key, "axis") for key, name in names.items()}
        yield Member(labels, None if job.error else job.folder / execution.RESULT, job.error)


def _drawn(folder: Path, kind: str) -> tuple[list[Path], str]:
    """The joint figure's files, or why there are none though one was asked for."""
    if kind == NONE:
        return [], ""
    try:
        ((files, _),) = presentation.draw(folder / RESULT, folder / "figure", joint=kind)
    except CobwebError as error:
        return [], str(error)
    return files, ""


def _words(planned: Planned) -> dict[str, str]:
    """The labels of a job as a reader of the joined file sees them."""
    names = jobs.labels(list(planned.job.labels))
    return {names[key]: str(label) for key, label in planned.job.labels.items()}


def _enter() -> None:
    """Let the class be found under the name that Hydra wants."""
    package, _, name = MODULE.partition(".")
    try:
        parent = importlib.import_module(package)
    except ImportError:  # no plugin is installed
        parent = module_from_spec(ModuleSpec(package, None, is_package=True))
        sys.modules[package] = parent
    here = sys.modules[__name__]
    sys.modules[MODULE] = here
    setattr(parent, name, here)
    Sweeper.__module__ = MODULE


def register() -> None:
    """Enter the sweeper among Hydra's plugins."""
    Plugins.instance().register(Sweeper)


_enter()
