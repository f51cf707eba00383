"""The engine: what runs the blocks, this process or the workers of a cluster.

Whatever runs them, blocks come in the order of their cells and have the same bits: the kernel
follows from the document, never from the engine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pipeline import job
from pipeline.engine.order import Order, alike
from pipeline.engine.source import Source, Tell
from pipeline.engine.wanted import Wanted
from pipeline.errors import ConfigError
from pipeline.experiment import Experiment

__all__ = ["Order", "Source", "Tell", "Wanted", "alike", "check", "opened"]


def check(experiment: Experiment) -> None:
    """Whether the engine can run an experiment here.

    Raises:
        ConfigError: with the reason.
    """
    if experiment.engine.name != "dask":
        return
    if not experiment.engine.join:
        _check_kept(experiment)
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        reason = "it is not installed; pip install 'cobweb-pipeline[dask]', or engine=local"
        raise ConfigError([f"engine = dask: {reason}."])
    if experiment.function is not None:
        reason = f"the Python function {experiment.function.name} cannot be sent to workers"
        raise ConfigError([f"engine = dask: {reason}; write it as a formula, or engine=local."])


def _check_kept(experiment: Experiment) -> None:
    """Whether blocks may stay what they are.

    Raises:
        ConfigError: something needs them as one file.
    """
    reasons: list[str] = []
    if experiment.searches():
        reasons.append("an analysis that comes after the loop reads the whole result")
    reasons += [f"{k} takes over one file" for k in ("reuse", "extend") if getattr(experiment, k)]
    if experiment.figure.report:
        reasons.append("figure.report reads the whole result")
    if reasons:
        raise ConfigError([f"engine.join = false: {reason}." for reason in reasons])


@contextlib.contextmanager
def opened(
    experiment: Experiment, plan: job.Plan, order: Order, begin: int, tell: Tell
) -> Iterator[Source]:
    """The blocks from a cell on.

    Args:
        order: what is to be done, as workers are told it.
        tell: is told what a user wants to know on the way.
    """
    if experiment.engine.name == "local":
        yield _local(experiment, plan, order.wanted, begin)
        return
    from pipeline.engine import cluster

    with cluster.opened(experiment, plan, order, begin, tell) as source:
        yield source


def _local(experiment: Experiment, plan: job.Plan, wanted: Wanted, begin: int) -> Source:
    call, seconds = job.compiled(experiment, plan)

    def blocks() -> Iterator[tuple[int, int, dict]]:
        for first, last in wanted.pieces(begin, plan.block):
            places = wanted.places(first, last)
            yield first, last, job.rows(experiment, plan, call, places)

    count = -(-(plan.cells - begin) // plan.block)
    return Source(blocks(), count, lambda: (seconds, call.bytes))
