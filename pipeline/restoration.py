"""Restoration: the experiment of an archive's document, within what this machine has.

A document may come from a stranger. It is read as data, compared with what the file holds before
anything is made of it, and no file that it names is opened.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import config, contents, device, execution, preparation, sensitivity
from pipeline.contents import Contents
from pipeline.device import Device
from pipeline.engine import Tell
from pipeline.errors import ConfigError, ForeignError
from pipeline.experiment import Experiment
from pipeline.function import Function, recorded_place
from pipeline.notation import printable

# The part of the free memory that the blocks compared at once may take: the archive's, ours, and
# those of the probes.
SHARE = 0.8 / (3 + len(sensitivity.PROBES))
# Characters of all formulas of a document: the whole collection of ours has fewer.
FORMULAS = 100_000
# Axes of an archive: arrays have no more dimensions.
AXES = 60
# Dimensions along which an orbit or a solver goes on.
STEPS = ("iteration", "step_number")


def read(
    found: Contents, begin: Callable[[Device], None], given: Function | None = None
) -> Experiment:
    """The experiment of an archive's document, with the devices and the memory of this machine.

    Args:
        given: the Python function that it was made with.

    Raises:
        ForeignError: it asks for what the file does not hold, or this version cannot read it.
    """
    document = found.document()
    _plausible(found, document)
    wanted = config.device_of(document)
    if wanted is not None:
        begin(wanted)
        if wanted.platform not in ("auto", *device.known()):
            document["device"] = {**document["device"], "platform": "auto"}
    try:
        experiment = config.read(document, given)
    except ConfigError as error:
        reason = "this version cannot read its document"
        reason += " with that function" if given else ""
        told = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise ForeignError(f"{found.path}: {reason}:\n{told}") from None
    free = preparation.free_memory()
    memory = experiment.device.memory
    if free is not None:
        memory = min(memory, max(1, int(SHARE * free)))
    return dataclasses.replace(
        experiment, device=dataclasses.replace(experiment.device, memory=memory)
    )


def resume(
    folder: Path,
    begin: Callable[[Device], None] = lambda wanted: None,
    watch: execution.Watch = lambda blocks, count: blocks,
    tell: Tell = lambda line: None,
) -> execution.Report:
    """Continue a run that was stopped or killed, from what it has filed.

    Args:
        begin: told what the document wants of JAX, before JAX starts.
        tell: told what a user wants to know on the way.

    Raises:
        CobwebError: there is nothing to continue, or not here.
    """
    with contents.opened(execution.unfinished(folder)) as found:
        function(found, None, "go on from Python: pipeline.run(..., {}=f, folder=...)")
        experiment = read(found, begin)
        try:
            overrides = json.loads(found.texts["overrides"])
        except (KeyError, ValueError):
            overrides = []
    words = [word for word in overrides if isinstance(word, str)]
    report = execution.file(experiment, folder, words, watch, tell)
    assert report is not None
    return report


def function(found: Contents, given: Function | None, advice: str) -> Mapping[str, Any] | None:
    """What an archive says of the Python function that it was made with; None where of none.

    Its text is for reading: nothing runs but what is handed over.

    Args:
        given: what was handed over.
        advice: what to do where that is missing, with {} for the argument that takes it.

    Raises:
        ForeignError: a function is missing, is there beside formulas, or stands for another thing.
    """
    sections = {group: found.document().get(group) for group in ("map", "objective")}
    made = {
        k: v["function"] for k, v in sections.items() if isinstance(v, dict) and "function" in v
    }
    if not made:
        if given is not None:
            reason = f"made by formulas; leave out the function {given.name}"
            raise ForeignError(f"{found.path}: {reason}.")
        return None
    group, described = next(iter(made.items()))
    recorded = described if isinstance(described, dict) else {}
    place = recorded_place(group, recorded)
    name = printable(str(recorded.get("name", "")))[:60]
    if given is None:
        advice = advice.format(place)
        raise ForeignError(f"{found.path}: made with a Python function, {name}; {advice}.")
    if given.place != place:
        reason = (
            f"made with {place}={name}; hand the function over as {place}, not as {given.place}"
        )
        raise ForeignError(f"{found.path}: {reason}.")
    return recorded


def changed(recorded: Mapping[str, Any] | None, experiment: Experiment) -> Iterator[str]:
    """How the function that was handed over differs from the recorded one, as a sentence."""
    here = experiment.function
    if recorded is None or here is None:
        return
    if recorded.get("source") != here.source:
        yield f"the source of {here.name} is not the recorded one"
    elif recorded.get("program") != here.program:
        yield f"{here.name} is another to JAX: a value that it reads, or JAX itself, has changed"


def _plausible(found: Contents, document: Mapping[str, Any]) -> None:
    """Refuse a document that costs more to read than the file holds, or that names a file."""

    def refuse(where: str, reason: str) -> None:
        raise ForeignError(f"{found.path}: its document, {printable(where)[:60]}: {reason}.")

    sizes = {name: dimension.size for name, dimension in found.file.dimensions.items()}
    grid = document.get("grid")
    axes = grid.items() if isinstance(grid, dict) else ()
    if len(axes) > AXES:
        refuse("grid", f"more than {AXES} axes")
    for name, node in axes:
        if not isinstance(node, dict):
            continue
        if "file" in node and "values" not in node:
            refuse(f"grid.{name}", "it names a file, whose values an archive has to bring along")
        wanted = _count(node)
        if wanted is not None and abs(wanted - sizes.get(name, 0)) > 1:
            refuse(f"grid.{name}", f"{wanted:.12g} values, and the file has {sizes.get(name, 0):,}")
    iterate, chosen = document.get("iterate"), document.get("analysis")
    length = iterate.get("length", 0) if isinstance(iterate, dict) else 0
    orbit = chosen.get("orbit") if isinstance(chosen, dict) else None
    every = orbit.get("every", 1) if isinstance(orbit, dict) else 1
    for name, recorded, stride in (("orbit", STEPS[0], every), ("history", STEPS[1], 1)):
        if not isinstance(chosen, dict) or name not in chosen:
            continue
        if not (isinstance(length, int) and isinstance(stride, int) and stride > 0):
            continue
        if length // stride > sizes.get(recorded, 0):
            kept = sizes.get(recorded, 0)
            refuse("iterate.length", f"{length // stride:,} rows, and the file has {kept:,}")
    if _letters(document.get("map")) + _letters(document.get("objective")) > FORMULAS:
        refuse("map, objective", f"more than {FORMULAS:,} characters of formulas")


def _count(node: Mapping[str, Any]) -> float | None:
    """The values of an axis that are written as numbers; None where they are not."""
    if "num" in node:
        return node["num"] if isinstance(node["num"], int) else None
    ends = [node.get(key) for key in ("start", "stop", "step")]
    if all(isinstance(end, int | float) for end in ends) and ends[2]:
        start, stop, step = (float(end) for end in ends)  # type: ignore[arg-type]  # checked above
        return float(np.ceil((stop - start) / step - 1e-9))
    return None


def _letters(node: Any) -> int:
    """Characters of all texts."""
    if isinstance(node, dict):
        return sum(map(_letters, node.values()))
    if isinstance(node, list):
        return sum(map(_letters, node))
    return len(node) if isinstance(node, str) else 0
