"""The values of the axes of a document's grid, read and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from pipeline.config import samples, table, values
from pipeline.config.mistakes import Mistakes, show, suggest
from pipeline.config.values import Unfit
from pipeline.grid import Axis, Quantity
from pipeline.settings import Setting

# Numbers of one axis: 80 MB of doubles. The product of axes is bounded by the disk.
MOST_VALUES = 10**7
# {form: (keys that it needs, keys that it may have)}
FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "num": (("start", "stop", "num"), ()),
    "step": (("start", "stop", "step"), ()),
    "values": (("values",), ("file", "column", "sha256")),
    "sample": (("sample", "num"), ("low", "high", "mean", "std")),
    "file": (("file", "column"), ()),
}
SAMPLES = {
    "uniform": ("low", "high"),
    "normal": ("mean", "std"),
    "sobol": ("low", "high"),
    "latin_hypercube": ("low", "high"),
}
# Those whose values have nothing to do with one another.
INDEPENDENT = ("uniform", "normal")
_ANYWHERE = ("of", "scale")
_COUNT = Setting("integer", 1, "number of values", low=1, high=MOST_VALUES)
_KEYS = dict.fromkeys((*_ANYWHERE, *(k for form in FORMS.values() for keys in form for k in keys)))
# Of a step: formulas such as pi/100 are rounded; numbers as written are exact decimals.
_SLACK = Fraction(1, 10**9)


def read(
    mistakes: Mistakes, name: str, node: Any, quantities: tuple[Quantity, ...], seed: int
) -> tuple[Axis | None, dict[str, Any]]:
    """One axis; None where it has mistakes.

    Args:
        quantities: what it sweeps; empty where that is not known, so that only its form is read.

    Returns:
        (the axis, its node as the archive keeps it).
    """
    before, where = len(mistakes), f"grid.{name}"
    mistakes.unknown(where, node, _KEYS)
    scale = node.get("scale", "linear")
    if scale not in ("linear", "log"):
        mistakes.add(f"{where}.scale", "expected linear or log", scale)
    known = {key: value for key, value in node.items() if key in _KEYS}
    form = _form(mistakes, where, name, known) if len(known) == len(node) else None
    resolved = dict(node)
    if form is None:
        return None, resolved
    width = max(1, len(quantities))
    log = scale == "log"
    try:
        if form == "num":
            found = _spaced(mistakes, where, node, width, log=log)
        elif form == "step":
            found = _stepped(mistakes, where, node, log=log)
        elif form == "sample":
            found = _sampled(mistakes, where, name, node, width, seed)
        elif form == "file":
            found, resolved = table.read(where, node)
        else:
            found = _listed(mistakes, where, node)
    except Unfit as error:
        mistakes.add(where, str(error))
        return None, resolved
    if len(mistakes) > before or found is None:
        return None, resolved
    found = found if found.ndim == 2 else found[:, None]
    if quantities and found.shape[1] != len(quantities):
        listed, count = ", ".join(q.name for q in quantities), found.shape[1]
        reason = f"expected {_numbers(width)} in each value, for {listed}; there are {count}"
        mistakes.add(where, reason)
    elif not np.all(np.isfinite(found)):
        mistakes.add(where, "expected finite values; these reach beyond 1e308")
    elif log and not np.all(found > 0):
        mistakes.add(f"{where}.scale", "a logarithmic axis has positive values only", scale)
    else:
        random = node.get("sample") in INDEPENDENT
        return Axis(name, quantities, np.asarray(found, float), scale, random), resolved
    return None, resolved


def _numbers(count: int) -> str:
    return f"{count} number{'s' * (count > 1)}"


def _form(mistakes: Mistakes, where: str, name: str, node: Mapping[str, Any]) -> str | None:
    """Which of the forms the keys make."""
    given = [key for key in node if key not in _ANYWHERE]
    fitting = [f for f, (needs, may) in FORMS.items() if set(given) <= {*needs, *may}]
    whole = [f for f in fitting if set(FORMS[f][0]) <= set(given)]
    if whole:
        return whole[0]
    listed = " and ".join(filter(None, [", ".join(given[:-1]), *given[-1:]]))
    if len(fitting) == 1:
        for key in FORMS[fitting[0]][0]:
            if key not in node:
                mistakes.add(f"{where}.{key}", f"expected a value, to go with {listed}")
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
        mistakes.add(where, f"{listed} do not go together; to replace the axis, write {advice}")
    return None


def _count(mistakes: Mistakes, where: str, node: Mapping[str, Any], width: int) -> int:
    """num, 1 with a mistake noted."""
    found = values.take(mistakes, f"{where}.num", node["num"], _COUNT)
    if found * width > MOST_VALUES:
        raise Unfit(f"expected at most {MOST_VALUES} numbers on one axis")
    return found


def _ends(
    mistakes: Mistakes, where: str, node: Mapping[str, Any], keys: tuple[str, str], width: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """[width] each: two numbers, or lists of one for each quantity."""
    found = []
    for key in keys:
        try:
            end = values.array(node[key], dimensions=1)
            if end.shape not in ((), (width,)):
                raise Unfit(f"expected {_numbers(width)}")
            found.append(np.broadcast_to(end, (width,)))
        except Unfit as error:
            mistakes.add(f"{where}.{key}", str(error), node[key])
    return (found[0], found[1]) if len(found) == 2 else None


def _spaced(
    mistakes: Mistakes, where: str, node: Mapping[str, Any], width: int, *, log: bool
) -> np.ndarray | None:
    """{start, stop, num}: both ends kept."""
    num = _count(mistakes, where, node, width)
    ends = _ends(mistakes, where, node, ("start", "stop"), width)
    if ends is None:
        return None
    if log and not (np.all(ends[0] > 0) and np.all(ends[1] > 0)):
        raise Unfit("a logarithmic axis needs start > 0 and stop > 0")
    with np.errstate(over="ignore", invalid="ignore"):  # seen by the caller, as values
        return np.geomspace(*ends, num) if log else np.linspace(*ends, num)


def _stepped(
    mistakes: Mistakes, where: str, node: Mapping[str, Any], *, log: bool
) -> np.ndarray | None:
    """{start, stop, step}: half-open; 3.4 to 4.0 by 0.001 is 600 values."""
    if log:
        raise Unfit("a logarithmic axis is given by start, stop and num, not by a step")
    exact = []
    for key in ("start", "stop", "step"):
        try:
            exact.append(_exact(values.number(node[key])))
        except Unfit as error:
            mistakes.add(f"{where}.{key}", str(error), node[key])
    if len(exact) < 3:
        return None
    start, stop, step = exact
    if step == 0:
        mistakes.add(f"{where}.step", "expected a number other than 0", node["step"])
        return None
    quotient = (stop - start) / step
    if quotient > MOST_VALUES:
        raise Unfit(f"expected at most {MOST_VALUES} numbers on one axis")
    count = math.ceil(quotient - _SLACK)
    if count < 1:
        ends = f"start {float(start):g}, stop {float(stop):g} and step {float(step):g}"
        raise Unfit(f"{ends} leave no value")
    found = _multiples(start, step, count)
    if not np.all(found[1:] != found[:-1]):
        raise Unfit(f"step {float(step):g} is too small beside start {float(start):g}")
    return found


def _exact(value: Any) -> Fraction:
    """The decimal number that a double is written as: 0.1 is a tenth."""
    return Fraction(Decimal(repr(value)))


def _multiples(start: Fraction, step: Fraction, count: int) -> np.ndarray:
    """[count] start + k step: the doubles nearest to these decimals, where integers can tell."""
    unit = math.lcm(start.denominator, step.denominator)
    first, by = int(start * unit), int(step * unit)
    if max(abs(first) + abs(by) * count, unit) < 2**53:
        return (first + by * np.arange(count)) / unit
    with np.errstate(over="ignore", invalid="ignore"):  # seen by the caller, as values
        return float(start) + float(step) * np.arange(count)


def _sampled(
    mistakes: Mistakes, where: str, name: str, node: Mapping[str, Any], width: int, seed: int
) -> np.ndarray | None:
    """{sample, num, low, high} or {sample: normal, num, mean, std}: random, from the seed."""
    kind = node["sample"]
    if not isinstance(kind, str) or kind not in SAMPLES:
        mistakes.add(f"{where}.sample", f"no such sample{suggest(kind, SAMPLES)}", kind)
        return None
    if "scale" in node:
        reason = "scale has no meaning for samples; sweep the logarithm instead"
        mistakes.add(f"{where}.scale", reason, node["scale"])
    num = _count(mistakes, where, node, width)
    for key in FORMS["sample"][1]:
        if key in node and key not in SAMPLES[kind]:
            mistakes.add(f"{where}.{key}", f"it has no meaning for sample: {kind}", node[key])
        elif key not in node and key in SAMPLES[kind]:
            mistakes.add(f"{where}.{key}", f"expected a number, since sample is {kind}")
    if any(key not in node for key in SAMPLES[kind]):
        return None
    ends = _ends(mistakes, where, node, SAMPLES[kind], width)
    if ends is None:
        return None
    if kind != "normal" and not np.all(ends[0] <= ends[1]):
        raise Unfit("expected low <= high")
    if kind == "normal" and not np.all(ends[1] >= 0):
        raise Unfit("expected std >= 0")
    with np.errstate(over="ignore", invalid="ignore"):  # seen by the caller, as values
        if kind in samples.SPACE_FILLING:
            return samples.space_filling(kind, seed, name, (num, width), *ends)
        return getattr(samples, kind)(seed, name, (num, width), *ends)


def _listed(mistakes: Mistakes, where: str, node: Mapping[str, Any]) -> np.ndarray | None:
    """{values: [...]}: numbers, or a list of numbers for each value; from a file once read."""
    beside = FORMS["values"][1]
    if any(key in node for key in beside) and not all(key in node for key in beside):
        name = where.partition(".")[2]
        advice = f"'~grid.{name}' '+grid.{name}={{values: {show(node['values'])}}}'"
        mistakes.add(
            where, f"values and file do not go together; to replace the axis, write {advice}"
        )
        return None
    try:
        if not isinstance(node["values"], list):
            raise Unfit("expected a list of numbers")
        if len(node["values"]) > table.MOST:
            raise Unfit(f"expected at most {table.MOST} values in a list")
        return values.array(node["values"], dimensions=2)
    except Unfit as error:
        mistakes.add(f"{where}.values", str(error), node["values"])
        return None
