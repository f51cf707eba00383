"""Parameters and initial values of a document: numbers, arrays, formulas, or generated."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from pipeline.config import samples, values
from pipeline.config.mistakes import Mistakes, show
from pipeline.config.values import Unfit
from pipeline.errors import ExpressionError
from pipeline.expressions import Expression, compile

# Entries of one parameter or of one component: 256 MB of doubles, a matrix in 5000 dimensions.
MOST_ENTRIES = 2**25
# NumPy's arrays have more, a formula's never.
MOST_DIMENSIONS = 8
_SPREAD = {"uniform": ("low", "high"), "normal": ("mean", "std")}
_DEFAULTS = {"low": 0.0, "high": 1.0, "mean": 0.0, "std": 1.0}
_NOTHING = np.zeros(())


def parameter(
    mistakes: Mistakes, where: str, name: str, value: Any, seed: int, length: int | None
) -> np.ndarray:
    """The value of one parameter, float64 or complex128.

    Args:
        length: `size` in the formulas of a shape; None where no component is a vector.
    """
    try:
        if isinstance(value, dict):
            return _generated(mistakes, where, name, value, seed, "shape", length)
        return values.array(value, allow_complex=True)
    except Unfit as error:
        mistakes.add(where, str(error), value)
    return _NOTHING


def initial_value(
    mistakes: Mistakes, where: str, name: str, value: Any, seed: int, known: Collection[str]
) -> np.ndarray | Expression:
    """The initial value of one component: [] or [size], or a formula of the known names."""
    try:
        if isinstance(value, dict) and "sample" in value and "value" in value:
            kept = f"{{value: {show(value['value'])}, size: {show(value.get('size', '...'))}}}"
            part = where.rpartition(".")[0]
            advice = f"to replace what was there, write '~{where}' '+{part}.{name}={kept}'"
            raise Unfit(f"value and sample do not go together; {advice}")
        if isinstance(value, dict) and "sample" in value:
            return _generated(mistakes, where, name, value, seed, "size", None)
        if isinstance(value, dict):
            return _repeated(mistakes, where, value)
        if isinstance(value, str):
            formula = compile(value, known)
            return formula if formula.names else _constant(formula)
        return values.array(value, allow_complex=True, dimensions=1)
    except Unfit as error:
        mistakes.add(where, str(error), value)
    except ExpressionError as error:
        mistakes.formula(where, error)
    return _NOTHING


def _constant(formula: Expression) -> np.ndarray:
    """The value of a formula without names, such as 2*pi or linspace(0, 1, 11)."""
    found = formula({}, np)
    if not np.all(np.isfinite(found)):
        raise Unfit("expected finite numbers")
    return np.asarray(found, complex if np.iscomplexobj(found) else float)


def _repeated(mistakes: Mistakes, where: str, node: dict[str, Any]) -> np.ndarray:
    """{value: [-1.2, 1], size: 1000}: the value again and again, up to the size."""
    mistakes.unknown(where, node, ("value", "size"))
    if "value" not in node or "size" not in node:
        raise Unfit("expected a number, a list, a formula, {value, size} or {sample, size}")
    (count,) = _shape([node["size"]], None)
    pattern = values.array(node["value"], allow_complex=True, dimensions=1)
    return np.resize(pattern, count)


def _generated(
    mistakes: Mistakes,
    where: str,
    name: str,
    node: dict[str, Any],
    seed: int,
    shape_key: str,
    length: int | None,
) -> np.ndarray:
    """{sample: normal, shape: [100, 5]} of a parameter, {sample: uniform, size: 64} of a start."""
    sample = node.get("sample")
    if not isinstance(sample, str) or sample not in _SPREAD:
        form = f"{{sample: {' or '.join(_SPREAD)}, {shape_key}: ...}}"
        raise Unfit(f"expected a number, a list or {form}")
    spread = _SPREAD[sample]
    mistakes.unknown(where, node, ("sample", shape_key, *spread))
    if shape_key == "size" and isinstance(node.get("size"), list | None):
        raise Unfit("expected size: the number of entries")
    wanted = node.get(shape_key, [])
    shape = _shape(wanted if isinstance(wanted, list) else [wanted], length)
    first, second = (_real(node.get(key, _DEFAULTS[key])) for key in spread)
    if sample == "uniform" and first > second:
        raise Unfit("expected low <= high")
    if sample == "normal" and second < 0:
        raise Unfit("expected std >= 0")
    return getattr(samples, sample)(seed, name, shape, first, second)


def _real(value: Any) -> float:
    found = values.number(value)
    assert not isinstance(found, complex)
    return float(found)


def _shape(sizes: list[Any], length: int | None) -> tuple[int, ...]:
    found = []
    if len(sizes) > MOST_DIMENSIONS:
        raise Unfit(f"expected at most {MOST_DIMENSIONS} dimensions")
    for entry in sizes:
        try:
            if isinstance(entry, str):
                known = {} if length is None else {"size": length}
                entry = np.asarray(compile(entry, known)(known, np)).item()
            side = values.integer(entry)
        except (ExpressionError, Unfit, ValueError):
            advice = "" if length else "; `size` is the length of a vector component"
            raise Unfit(f"expected sizes that are integers >= 1{advice}") from None
        if side < 1:
            raise Unfit("expected sizes that are integers >= 1")
        found.append(side)
    if math.prod(found) > MOST_ENTRIES:
        raise Unfit(f"expected at most {MOST_ENTRIES} entries")
    return tuple(found)
