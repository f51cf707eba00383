"""The command `run`: Hydra's command line, with our composition and our errors."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline import blocks, config, device, engine, execution, job, preparation, provenance
from pipeline.config import composition, jobs
from pipeline.config.jobs import Swept
from pipeline.config.mistakes import Mistakes
from pipeline.errors import ConfigError, JobsFailed
from pipeline.experiment import Experiment
from pipeline.figures.joint import NONE
from pipeline.objectives import Objective

if TYPE_CHECKING:
    from hydra._internal.hydra import Hydra
    from omegaconf import DictConfig

    from pipeline.sweep import Outcome

LOG = logging.getLogger("pipeline")
Item = TypeVar("Item")
# Failed jobs that the closing lines of a sweep tell.
MOST_TOLD = 10
# What helps where a search came to no end: {(variable, meaning): advice}.
ADVICE = {
    ("cycle_search", "full"): " (more cycles than analysis.cycles.max_cycles)",
    ("cycle_search", "unsettled"): " (still new ones: raise analysis.cycles.starts)",
    ("branch_search", "full"): " (more branches than analysis.continuation.max_branches)",
    ("bifurcation_search", "full"): " (more than analysis.bifurcations.max_bifurcations)",
    ("curve_search", "full"): " (more curves than analysis.bifurcation_curves.max_curves)",
    ("manifold_search", "full"): " (more branches than analysis.manifolds.max_manifolds)",
    ("manifold_search", "unsettled"): " (still new saddles: raise analysis.manifolds.starts)",
}

HELP = """\
Run an experiment:  python run.py [overrides]      (or: cobweb run [overrides])

  python run.py                                      the default experiment
  python run.py experiment=cobweb map=tent           another one, of another map
  python run.py grid.a.step=0.01 device=cpu          with other settings
  python run.py 'grid={x0: {values: [0.1, 0.5]}}'    with an axis more
  python run.py '~grid.a' figure=auto                with an axis less
  python run.py dry_run=true                         the plan, nothing computed
  python run.py --config-dir my_conf map=mine        with configs of your own
  python run.py -m map=logistic,cubic                one job for each choice
  python run.py -m 'map.parameters.a=range(3,4,.1)'  one axis for a swept number
  python run.py --cfg job                            the document, nothing computed

`python -m pipeline list` shows the experiments, maps, objectives, solvers, analyses and figures.
"""


def run(arguments: Sequence[str]) -> None:
    """Run what the command line asks for.

    Raises:
        CobwebError: for any mistake of the user's.
    """
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import get_args_parser
    from hydra.core.global_hydra import GlobalHydra

    if "--version" in arguments:
        print(f"Cobweb {provenance.version(provenance.DISTRIBUTION)}")
        return
    parser = get_args_parser()
    args = parser.parse_args(list(arguments))
    if args.config_path or args.config_name or args.experimental_rerun:
        raise ConfigError(["--config-dir is the way to bring configs of your own."])
    if args.help:
        print(HELP)
        return
    with composition.hydra_rules():
        loader = composition.Loader(composition.search_path(args.config_dir))
        hydra = Hydra("cobweb", loader)
        GlobalHydra.instance().initialize(hydra)
        try:
            if args.hydra_help:
                hydra.hydra_help(composition.NAME, args_parser=parser, args=args)
            elif args.cfg or args.info or args.shell_completion:
                _show(hydra, args)
            elif args.multirun:
                _sweep(hydra, args)
            else:
                _job(hydra, loader, args)
        finally:
            GlobalHydra.instance().clear()


@contextmanager
def _explained() -> Iterator[None]:
    """Hydra's own errors as ours."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError([composition.explain(error)]) from None


@contextmanager
def _made(folder: str) -> Iterator[None]:
    """A folder that Hydra cannot make, as an error of ours; the task keeps its own errors."""
    try:
        yield
    except OSError as error:
        raise ConfigError([f"hydra.run.dir = {folder}: {error.strerror}."]) from None


def _show(hydra: Hydra, args: Any) -> None:
    """Hydra's own views of a config."""
    with _explained():
        if args.cfg:
            loader = composition.Loader(hydra.config_loader.get_search_path())
            _, document = composition.whole(loader, args.overrides, args.config_dir)
            if args.cfg == "job" and not args.package:
                print(provenance.text(config.read(document).document), end="")
                return
            hydra.show_cfg(
                config_name=composition.NAME,
                overrides=args.overrides,
                cfg_type=args.cfg,
                package=args.package,
                resolve=args.resolve,
            )
        elif args.info:
            hydra.show_info(args.info, config_name=composition.NAME, overrides=args.overrides)
        else:
            hydra.shell_completion(config_name=composition.NAME, overrides=args.overrides)


def _job(hydra: Hydra, loader: composition.Loader, args: Any) -> None:
    """One run, into the folder that `hydra.run.dir` names."""
    from hydra._internal.callbacks import Callbacks
    from hydra.core.utils import run_job
    from hydra.types import HydraContext, RunMode

    try:
        whole, document = composition.whole(loader, args.overrides, args.config_dir)
    except ConfigError:
        # A study's document may lack what it sweeps.
        if hydra.get_mode(composition.NAME, args.overrides) != RunMode.MULTIRUN:
            raise
        _sweep(hydra, args)
        return
    if whole.hydra.mode == RunMode.MULTIRUN:
        _sweep(hydra, args)
        return
    experiment = _read(document, args.overrides)
    # Nothing is made on the disk for a run that cannot be done.
    preparation.prepare(experiment)
    engine.check(experiment)
    if experiment.dry_run:
        print(plan(experiment))
        return
    if experiment.figure.joint != NONE:
        print(f"figure.joint = {experiment.figure.joint}: of a sweep (-m); this is one run.")
    whole.hydra.mode = RunMode.RUN
    ended: list[Exception] = []

    def task(_: DictConfig) -> None:
        try:
            _file(experiment, args.overrides)
        except Exception as error:  # noqa: BLE001  # Hydra would print it: it is raised again below
            ended.append(error)

    with _explained(), _made(whole.hydra.run.dir):
        run_job(
            hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks(whole)),
            task_function=task,
            config=whole,
            job_dir_key="hydra.run.dir",
            job_subdir_key=None,
        )
    if ended:
        raise ended[0]


def _read(document: dict[str, Any], overrides: Sequence[str]) -> Experiment:
    """The experiment, with JAX told beforehand what it reads at its start."""
    wanted = config.device_of(document)
    if wanted is not None:
        device.start(wanted)
    experiment = config.read(document)
    fitting = preparation.fitted(experiment, overrides)
    if fitting is not experiment:
        name = experiment.figure.name
        print(f"The experiment's figure, {name}, does not fit this result: figure=auto instead.")
    return fitting


def _sweep(hydra: Hydra, args: Any) -> None:
    """A job for each combination of choices, by the configured sweeper and launcher."""
    from pipeline import sweep

    sweep.read(hydra.config_loader, args.overrides)
    sweep.register()
    with _explained():
        outcome = hydra.multirun(
            config_name=composition.NAME,
            task_function=_swept,
            overrides=[*args.overrides, "hydra.mode=MULTIRUN"],
        )
    if isinstance(outcome, sweep.Outcome):  # Hydra's basic sweeper says nothing
        _close(outcome)


def _swept(job: DictConfig, axes: Sequence[Swept] = ()) -> None:
    """One job of a sweep.

    Args:
        axes: the swept numbers; those that are no axes here are among the job's overrides.
    """
    from hydra.core.hydra_config import HydraConfig

    settings = HydraConfig.get()
    overrides = list(settings.overrides.task)
    mistakes = Mistakes()
    document = composition.plain(job, settings.runtime.choices, mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    chosen = {text.partition("=")[0] for text in overrides}
    own = [swept for swept in axes if swept.element not in chosen]
    document, _ = jobs.with_axes(document, own)
    experiment = _read(document, overrides)
    if experiment.dry_run:
        print(plan(experiment))
        return
    try:
        _file(experiment, [*overrides, *(swept.text for swept in own)])
    except Exception:
        LOG.exception("the job failed")
        raise


def _close(outcome: Outcome) -> None:
    """The closing lines of a sweep.

    Raises:
        JobsFailed: some have.
    """
    if outcome.path is None:
        for number, planned in enumerate(outcome.jobs):
            print(f"job {number}: {planned.job}\n{plan(planned.experiment)}")
        return
    failed = [(n, planned) for n, planned in enumerate(outcome.jobs) if planned.error]
    count, cells = len(outcome.jobs), sum(planned.cells for planned in outcome.jobs)
    size = outcome.path.stat().st_size
    print(
        f"sweep: {count:,} job{'s' * (count > 1)}, {cells:,} cell{'s' * (cells > 1)}, "
        f"{f'{len(failed):,} failed' if failed else 'none failed'}"
    )
    shown = ", ".join([str(_relative(outcome.path)), *(path.name for path in outcome.files)])
    print(f"{shown} ({_bytes(size)})")
    if outcome.remark:
        print(outcome.remark)
    if failed:
        lines = [f"job {n} ({planned.job}) failed: {planned.error}" for n, planned in failed]
        more = [f"and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else []
        raise JobsFailed("\n".join([*lines[:MOST_TOLD], *more]))


def _file(experiment: Experiment, overrides: Sequence[str]) -> None:
    from hydra.core.hydra_config import HydraConfig

    folder = Path(HydraConfig.get().runtime.output_dir)
    shown = _relative(folder)
    LOG.info("experiment %s into %s", experiment.name, folder)
    report = execution.file(experiment, folder, overrides, progress, say)
    if report is None:
        path = shown / (execution.RESULT if experiment.engine.join else blocks.INDEX)
        say(f"{path} holds the finished result of this document; nothing to do.")
        say(f"To draw it: python -m pipeline figure {path}")
        return
    for line in summary(report):
        say(line)


def resume(folder: str) -> None:
    """Continue a run that was stopped or killed.

    Raises:
        CobwebError: there is nothing to continue.
    """
    from pipeline import restoration

    for line in summary(restoration.resume(Path(folder), device.start, progress, say)):
        print(line)


def say(line: str) -> None:
    """To the terminal and the log."""
    print(line)
    LOG.info("%s", line)


def summary(report: execution.Report) -> list[str]:
    """The closing lines of a run."""
    experiment, plan = report.experiment, report.plan
    steps, problem = experiment.iterate.steps, experiment.problem
    head = f"{experiment.name}: {problem.group} {problem.name}, solver {experiment.solver.name}"
    most = "at most" if experiment.solver.freezes else f"({plan.cells * steps:,} in all)"
    work = f"{plan.cells:,} cell{'s' * (plan.cells > 1)}, {steps:,} steps {most}"
    time = (
        f"compiled in {report.clock.compile_seconds:.2f} s, ran in {report.clock.run_seconds:.2f} s"
    )
    shown = ", ".join([str(_relative(report.files[0])), *(path.name for path in report.files[1:])])
    if report.taken:
        time = f"nothing computed: {_relative(report.taken)} holds this result and is taken over"
    return [head, f"{work}; {time}", _ends(report), f"{shown} ({_bytes(report.bytes)})"]


def _ends(report: execution.Report) -> str:
    """How the cells ended; what converged to something else than was sought is counted apart."""
    counts = dict(report.counts)
    ends = {name: f"{count:,} {name}" for name, count in counts.pop("status").items()}
    problem = report.experiment.problem
    sought = problem.sense.replace("ise", "um") if isinstance(problem, Objective) else None
    for kinds in (found for name, found in counts.items() if name.endswith("_kind")):
        shown = {kind: f"{count:,} {kind}" for kind, count in kinds.items() if kind != "none"}
        wanted = [text for kind, text in shown.items() if not sought or kind == sought]
        unwanted = [text for kind, text in shown.items() if sought and kind != sought]
        aside = [f"not sought: {', '.join(unwanted)}"] if unwanted else []
        if shown:
            ends["converged"] += f" ({'; '.join([', '.join(wanted), *aside] if wanted else aside)})"
    return "; ".join([f"status: {', '.join(ends.values())}", *_codes(counts)])


def _codes(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Of what else has a code for each cell, how many have which, and what helps."""
    for name, found in counts.items():
        if not name.endswith("_kind"):
            told = [f"{n:,} {code}{ADVICE.get((name, code), '')}" for code, n in found.items()]
            yield f"{name}: {', '.join(told)}"


def plan(experiment: Experiment) -> str:
    """What a run would do."""
    layout, blocks = preparation.prepare(experiment)
    cost = job.estimate(experiment, blocks)
    programs = "4" if job.leaves_early(experiment) else "1"
    if blocks.kernel.guarded:
        programs += " (1 more if cells escape)"
    if any(fold.again or fold.sequels for fold in experiment.folds()):
        programs += ", others where cells call for a second look"
    if experiment.searches():
        programs += ", others after the loop"
    shape = f" = {' x '.join(map(str, layout.grid))}" if len(layout.grid) > 1 else ""
    kernel = ", ".join(f"{key} {value}" for key, value in blocks.record["kernel"].items())
    rows = {
        "cells": f"{blocks.cells:,}{shape}",
        "steps": f"{experiment.iterate.steps:,} each",
        "blocks": f"{blocks.blocks:,} of {blocks.block:,} cells",
        "devices": device.describe(experiment.device),
        "programs": f"to compile: {programs}",
        "kernel": kernel,
        "memory": f"{_bytes(blocks.block_bytes)} a block, of {_bytes(experiment.device.memory)}",
        "disk": _bytes(layout.bytes),
        "XLA": f"estimates {cost['flops']:.3g} operations, {cost['bytes']:.3g} bytes moved",
        "variables": ", ".join(entry.name for entry in layout.variables),
    }
    width = max(map(len, rows))
    return "\n".join(
        [f"{experiment.name}: nothing computed", *(f"  {k:<{width}}  {v}" for k, v in rows.items())]
    )


def progress(blocks: Iterable[Item], count: int) -> Iterator[Item]:
    """The blocks, with a bar on a terminal where there are several."""
    if count == 1 or not sys.stderr.isatty():
        yield from blocks
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(blocks, "blocks", total=count, console=console, transient=True)


def _relative(path: Path) -> Path:
    """As seen from here where that is shorter."""
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path


def _bytes(size: int) -> str:
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 2**power:
            return f"{size / 2**power:.1f} {unit}"
    return f"{size} B"
