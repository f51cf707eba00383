"""Preparation: what a run will file, whether that can be done, and what is drawn of it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline import dataset, device, figures, job, provenance
from pipeline.dataset import Template
from pipeline.errors import CobwebError
from pipeline.experiment import Experiment
from pipeline.figures import joint
from pipeline.figures.joint import Run

if TYPE_CHECKING:
    import xarray


def prepare(experiment: Experiment) -> tuple[Template, job.Plan]:
    """What a run will file, and in how many blocks; whatever cannot be done is refused here.

    Raises:
        ConfigError: not even one cell fits into the memory.
        CobwebError: the figure does not fit the dataset.
    """
    device.check(experiment.device)
    joint.check([], experiment.figure.joint, experiment.figure.work)
    layout = dataset.template(experiment)
    plan = job.plan(experiment, layout.cell_bytes)
    if experiment.figure.name != "none":
        _check_figure(experiment, layout)
    return layout, plan


def _check_figure(experiment: Experiment, layout: Template) -> None:
    figures.choose(_hollow(experiment, layout), experiment.figure.name)


def _hollow(experiment: Experiment, layout: Template) -> xarray.Dataset:
    """Arrays of one element each, seen as whole ones: figures are chosen by shapes alone."""
    empty = {e.name: np.broadcast_to(np.zeros((), e.dtype), e.shape) for e in layout.variables}
    text = provenance.text(experiment.document)
    return dataset.assemble(layout, empty).assign_attrs(document=text)


def check_joint(jobs: Iterable[tuple[Mapping[str, str], Experiment]]) -> None:
    """Refuse a joint figure that does not fit the results of these jobs.

    Args:
        jobs: the labels of each, and what it is.

    Raises:
        CobwebError: with the reason.
    """
    jobs = list(jobs)
    wanted = jobs[0][1].figure
    if wanted.joint != joint.NONE:
        runs = [Run(labels, _hollow(job, dataset.template(job))) for labels, job in jobs]
        joint.check(runs, wanted.joint, wanted.work)


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


def free_memory() -> int | None:
    """Bytes, None where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None
