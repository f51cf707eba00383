"""The Python entry points: a dataset, an archive, a figure, a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import (
    archive,
    blocks,
    config,
    dataset,
    execution,
    figures,
    function,
    job,
    preparation,
    provenance,
    verification,
)
from pipeline.config import Handover
from pipeline.errors import CobwebError, ConfigError
from pipeline.experiment import Experiment
from pipeline.function import PLACES
from pipeline.verdict import Verdict

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The part of the free memory that a result held in memory may take.
SHARE = 0.8


def run(
    *overrides: str,
    map: Callable[..., Any] | None = None,
    objective: Callable[..., Any] | None = None,
    residuals: Callable[..., Any] | None = None,
    initial: Any = None,
    parameters: Mapping[str, Any] | None = None,
    config_dir: str | Path | None = None,
    folder: str | Path | None = None,
) -> xarray.Dataset:
    """Run one experiment.

    Args:
        overrides: as on the command line: "experiment=orbit", "map=henon", "grid.a.num=101".
        map: a function in the place of the map's formulas, of components and parameters by name:
            `def f(x, a): return 1 - a*x**2`; {component: its next value} where there are several.
        objective: a function in the place of the objective's formulas: `def f(x, a): return
            (x - a)**2`.
        residuals: the same of a vector, the objective being the sum of its squares.
        initial: {component: its start, a number or an array}, in the place of `map.initial` or
            `objective.initial`; or the start alone of the function's first argument.
        parameters: {name: its value}, likewise.
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
    handed = _handed((map, objective, residuals), initial, parameters)
    document = config.compose(overrides, config_dir, handed)
    experiment = config.read(document, handed.function)
    if experiment.dry_run:
        raise ConfigError(["dry_run = true: expected false; the plan is the command line's."])
    if folder is not None:
        experiment = preparation.fitted(experiment, overrides)
        execution.file(experiment, Path(folder), overrides)
        kept = Path(folder) / blocks.INDEX
        return open(kept if not experiment.engine.join else Path(folder) / execution.RESULT)
    _need_no_folder(experiment)
    layout, plan = preparation.prepare(preparation.with_figure(experiment, "none"))
    free = preparation.free_memory()
    if free is not None and layout.bytes > SHARE * free:
        need, have = (f"{size / 2**30:.2f} GiB" for size in (layout.bytes, free))
        reason = (
            f"the result takes {need} and {have} of memory are free; give a folder to write it to"
        )
        raise ConfigError([f"grid: {reason}."])
    call, _ = job.compiled(experiment, plan)
    arrays = dataset.fill(layout, job.blocks(experiment, plan, call))
    arrays |= job.searched(experiment, lambda name, index: arrays[name][index])
    whole = dataset.assemble(layout, arrays)
    return whole.assign_attrs(document=provenance.text(experiment.document))


def _need_no_folder(experiment: Experiment) -> None:
    """Refuse what only a run into a folder can do."""
    reasons = {
        "engine": (experiment.engine.name, "workers file their blocks in a folder that all share"),
        "reuse": (experiment.reuse, "it takes over a file"),
        "extend": (experiment.extend, "it goes on from a file"),
    }
    asked = {k: given for k, given in reasons.items() if given[0] not in (None, "local")}
    mistakes = [f"{k} = {value}: {why}; give a folder." for k, (value, why) in asked.items()]
    if mistakes:
        raise ConfigError(mistakes)


def open(path: str | Path) -> xarray.Dataset:
    """The dataset of an archive, or of blocks that were kept; read when it is used.

    Its attribute `document` is the document as YAML. Of kept blocks the run's folder is enough;
    their values are arrays of Dask's where that is installed.
    """
    index = blocks.index_of(path)
    return archive.read(index or path)


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


def verify(
    path: str | Path,
    *,
    map: Callable[..., Any] | None = None,
    objective: Callable[..., Any] | None = None,
    residuals: Callable[..., Any] | None = None,
    quick: bool = False,
    sample: float = 1.0,
) -> Verdict:
    """Compute an archive again and compare, as `python -m pipeline verify` does.

    Args:
        map, objective, residuals: the function that it was made with, if it was made with one.
        quick: compare hashes alone.
        sample: the part of the blocks that are computed, at least one.

    Returns:
        The verdict: its `outcome`, its `reasons`, its `notes`; printed, it is told in words.

    Raises:
        ForeignError: no archive, one that this version cannot read, or one of another map.
        ConfigError: this machine cannot compute it.
    """
    if not 0 <= sample <= 1:
        raise ConfigError([f"sample = {sample}: expected a number from 0 to 1."])
    handed = _handed((map, objective, residuals))
    if handed.surplus:
        raise ConfigError([handed.surplus])
    return verification.verify(path, quick=quick, sample=sample, given=handed.function)


def _handed(functions: Sequence[Any], initial: Any = None, parameters: Any = None) -> Handover:
    """What came from outside, the sources without what nobody else should read.

    Args:
        functions: of each place, None where there is none.
    """

    def shown(text: str) -> str:
        return provenance.masked(text, key=False)

    given = [
        function.handed(call, shown, place)
        for place, call in zip(PLACES, functions, strict=True)
        if call is not None
    ]
    return Handover(tuple(given), initial, parameters)
