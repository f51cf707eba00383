"""The axes of a document's grid, read and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.config import samples, table, values
from pipeline.config.mistakes import Mistakes, plain, show
from pipeline.config.values import Unfit
from pipeline.grid import Axis, Quantity
from pipeline.settings import Setting

# Values of one axis: 800 MB of doubles. The product of axes may be as large as the disk allows.
MOST_VALUES = 10**8
# {form: (keys that it needs, keys that it may have)}
FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "num": (("start", "stop", "num"), ()),
    "step": (("start", "stop", "step"), ()),
    "values": (("values",), ("file", "column", "sha256")),
    "sample": (("sample", "num"), ("low", "high", "mean", "std")),
    "file": (("file", "column"), ()),
}
_ANYWHERE = ("of", "scale")
SAMPLES = {
    "uniform": ("low", "high"),
    "normal": ("mean", "std"),
    "sobol": ("low", "high"),
    "latin_hypercube": ("low", "high"),
}
_COUNT = Setting("integer", 1, "number of values", low=1, high=MOST_VALUES)
_KEYS = dict.fromkeys((*_ANYWHERE, *(k for form in FORMS.values() for keys in form for k in keys)))


def read(
    mistakes: Mistakes, name: str, node: Any, quantities: tuple[Quantity, ...], seed: int
) -> tuple[Axis | None, dict[str, Any]]:
    """One axis; None where it has mistakes.

    Args:
        quantities: what it sweeps; empty where that is not known, so that only its form is read.

    Returns:
        (the axis, its node as the archive keeps it).
    """
    before, where = len(mistakes), f"grid.{plain(name)}"
    if not isinstance(node, dict):
        mistakes.add(where, "expected a description such as {start: 0, stop: 1, num: 101}", node)
        return None, {}
    mistakes.unknown(where, node, _KEYS)
    scale = node.get("scale", "linear")
    if scale not in ("linear", "log"):
        mistakes.add(f"{where}.scale", "expected linear or log", scale)
    form = _form(mistakes, where, name, node)
    if form is None or len(mistakes) > before:
        return None, dict(node)
    width = max(1, len(quantities))
    resolved = dict(node)
    try:
        if form == "num":
            found = _spaced(mistakes, where, node, width, log=scale == "log")
        elif form == "step":
            found = _stepped(mistakes, where, node, log=scale == "log")
        elif form == "sample":
            found = _sampled(mistakes, where, name, node, width, seed)
        elif form == "file":
            found, resolved = table.read(where, node)
        else:
            found = _listed(mistakes, f"{where}.values", node["values"])
    except Unfit as error:
        mistakes.add(where, str(error))
        return None, resolved
    if len(mistakes) > before:
        return None, resolved
    found = found if found.ndim == 2 else found[:, None]
    if quantities and found.shape[1] != len(quantities):
        listed = ", ".join(q.name for q in quantities)
        mistakes.add(
            where,
            f"expected {width} numbers in each value, for {listed}; there are {found.shape[1]}",
        )
        return None, resolved
    if scale == "log" and not np.all(found > 0):
        mistakes.add(f"{where}.scale", "a logarithmic axis has positive values only", scale)
        return None, resolved
    return Axis(str(name), quantities, np.asarray(found, float), scale), resolved


def _form(mistakes: Mistakes, where: str, name: str, node: Mapping[str, Any]) -> str | None:
    """Which of the forms the keys make."""
    if "num" in node:
        values.take(mistakes, f"{where}.num", node["num"], _COUNT)
    given = [key for key in node if key not in _ANYWHERE]
    fitting = [f for f, (needs, may) in FORMS.items() if set(given) <= {*needs, *may}]
    whole = [f for f in fitting if set(FORMS[f][0]) <= set(given)]
    if whole:
        return whole[0]
    if len(fitting) == 1:
        for key in FORMS[fitting[0]][0]:
            if key not in node:
                mistakes.add(
                    f"{where}.{key}", f"expected a value, to go with {' and '.join(given)}"
                )
    elif fitting:
        forms = " or ".join(f"{{{', '.join(FORMS[f][0])}}}" for f in fitting)
        mistakes.add(where, f"expected {forms}", dict(node))
    else:
        # The key that came last is the one that was added to an axis that was there.
        wanted = [f for f, (needs, may) in FORMS.items() if given[-1] in (*needs, *may)]
        needs, may = FORMS[max(wanted, key=lambda f: len(set(FORMS[f][0]) & set(given)))]
        kept = [key for key in node if key in (*needs, *may, *_ANYWHERE)]
        inner = ", ".join(f"{key}: {show(node[key])}" for key in kept)
        inner += "".join(f", {key}: ..." for key in needs if key not in node)
        advice = f"'~grid.{name}' '+grid.{name}={{{inner}}}'"
        together = " and ".join(given)
        mistakes.add(where, f"{together} do not go together; to replace the axis, write {advice}")
    return None


def _ends(mistakes: Mistakes, where: str, node: Mapping[str, Any]) -> list[np.ndarray]:
    found = []
    for key in ("start", "stop"):
        try:
            found.append(values.array(node[key], dimensions=1))
        except Unfit as error:
            mistakes.add(f"{where}.{key}", str(error), node[key])
    return found


def _spaced(
    mistakes: Mistakes, where: str, node: Mapping[str, Any], width: int, *, log: bool
) -> np.ndarray:
    """{start, stop, num}: both ends kept."""
    ends = _ends(mistakes, where, node)
    num = values.integer(node["num"])
    if len(ends) < 2:
        return np.zeros(1)
    start, stop = (
        np.broadcast_to(end, (width,)) if end.shape in ((), (width,)) else None for end in ends
    )
    if start is None or stop is None:
        raise Unfit(f"expected start and stop with {width} number{'s' * (width > 1)} each")
    if log:
        if not (np.all(start > 0) and np.all(stop > 0)):
            raise Unfit("a logarithmic axis needs start > 0 and stop > 0")
        return np.geomspace(start, stop, num)
    return np.linspace(start, stop, num)


def _stepped(mistakes: Mistakes, where: str, node: Mapping[str, Any], *, log: bool) -> np.ndarray:
    """{start, stop, step}: half-open; 3.4 to 4.0 by 0.001 is 600 values."""
    if log:
        raise Unfit("a logarithmic axis is given by start, stop and num, not by a step")
    found = {}
    for key in ("start", "stop", "step"):
        try:
            found[key] = values.number(node[key])
        except Unfit as error:
            mistakes.add(f"{where}.{key}", str(error), node[key])
    if len(found) < 3:
        return np.zeros(1)
    start, stop, step = found["start"], found["stop"], found["step"]
    if step == 0:
        mistakes.add(f"{where}.step", "expected a number other than 0", node["step"])
        return np.zeros(1)
    quotient = (stop - start) / step
    if not math.isfinite(quotient) or quotient > MOST_VALUES:
        raise Unfit(f"expected at most {MOST_VALUES} values on one axis")
    count = math.ceil(quotient - 1e-9)
    if count < 1:
        raise Unfit(f"start {start:g}, stop {stop:g} and step {step:g} leave no value")
    return start + step * np.arange(count)


def _sampled(
    mistakes: Mistakes, where: str, name: str, node: Mapping[str, Any], width: int, seed: int
) -> np.ndarray:
    """{sample, num, low, high} or {sample: normal, num, mean, std}: random, from the seed."""
    kind = node["sample"]
    if not isinstance(kind, str) or kind not in SAMPLES:
        raise Unfit(f"expected sample: {' or '.join(SAMPLES)}")
    if "scale" in node:
        raise Unfit("scale has no meaning for samples; sweep the logarithm instead")
    num = values.integer(node["num"])
    spread = []
    for key in FORMS["sample"][1]:
        if key in node and key not in SAMPLES[kind]:
            mistakes.add(f"{where}.{key}", f"it has no meaning for sample: {kind}", node[key])
    for key in SAMPLES[kind]:
        if key not in node:
            mistakes.add(f"{where}.{key}", f"expected a number, since sample is {kind}")
            continue
        try:
            value = values.array(node[key], dimensions=1)
            spread.append(np.broadcast_to(value, (width,)))
        except (Unfit, ValueError) as error:
            reason = str(error) if isinstance(error, Unfit) else f"expected {width} numbers"
            mistakes.add(f"{where}.{key}", reason, node[key])
    if len(spread) < 2:
        return np.zeros(1)
    if kind != "normal" and not np.all(spread[0] <= spread[1]):
        raise Unfit("expected low <= high")
    if kind == "normal" and not np.all(spread[1] >= 0):
        raise Unfit("expected std >= 0")
    if num * width > MOST_VALUES:
        raise Unfit(f"expected at most {MOST_VALUES} numbers on one axis")
    if kind in samples.SPACE_FILLING:
        return samples.space_filling(kind, seed, name, (num, width), *spread)
    return getattr(samples, kind)(seed, name, (num, width), *spread)


def _listed(mistakes: Mistakes, where: str, node: Any) -> np.ndarray:
    """{values: [...]}: numbers, or a list of numbers for each value."""
    try:
        if not isinstance(node, list):
            raise Unfit("expected a list of numbers")
        return values.array(node, dimensions=2)
    except Unfit as error:
        mistakes.add(where, str(error), node)
        return np.zeros(1)
