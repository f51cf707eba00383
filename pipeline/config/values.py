"""Values of a document: YAML's types read as numbers, arrays, sizes and choices, strictly."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.config.mistakes import Mistakes, suggest
from pipeline.errors import ExpressionError
from pipeline.expressions import constant
from pipeline.settings import Setting, Settings

_UNITS = {"": 1, "B": 1} | {
    f"{prefix}{unit}": base**power
    for unit, base in (("B", 1000), ("iB", 1024))
    for power, prefix in enumerate(("k", "M", "G", "T"), 1)
}
_MOST_BYTES = 2**60
_YAML_BOOLEAN = "(YAML reads on, off, yes and no as true and false; quote a text)"


class Unfit(ValueError):
    """A value that is not of the kind wanted; the message is the end of the error's sentence."""


def number(value: Any, *, allow_complex: bool = False) -> float | complex:
    """A finite number, or a formula without names such as 2*pi or 1e-3.

    Raises:
        Unfit: it is neither.
    """
    if isinstance(value, bool):
        raise Unfit(f"expected a number {_YAML_BOOLEAN}")
    if isinstance(value, str):
        try:
            value = constant(value)
        except ExpressionError as error:
            raise Unfit(f"expected a number or a formula without names; {error.reason}") from None
    if isinstance(value, complex) and not allow_complex:
        raise Unfit("expected a real number")
    if not isinstance(value, int | float | complex):
        raise Unfit("expected a number")
    try:
        finite = bool(np.isfinite(complex(value)))
    except OverflowError:
        finite = False
    if not finite:
        raise Unfit("expected a finite number")
    return value


def array(value: Any, *, allow_complex: bool = False, dimensions: int = 8) -> np.ndarray:
    """A number or nested lists of them, as float64 or complex128.

    Raises:
        Unfit: ragged, too deep, or not numbers.
    """
    if not isinstance(value, list):
        found = number(value, allow_complex=allow_complex)
        return np.asarray(found, complex if isinstance(found, complex) else float)
    if not value:
        raise Unfit("expected at least one number")
    if dimensions == 0:
        raise Unfit("expected fewer nested lists")
    if all(type(v) is float for v in value):  # a long column, without a call for each
        if not np.all(np.isfinite(found := np.asarray(value))):
            raise Unfit("expected finite numbers")
        return found
    rows = [array(v, allow_complex=allow_complex, dimensions=dimensions - 1) for v in value]
    if len({row.shape for row in rows}) != 1:
        raise Unfit("expected lists of one length")
    return np.stack(rows)


def integer(value: Any) -> int:
    """A whole number; 1e5 is one.

    Raises:
        Unfit: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit("expected an integer")
    found = number(value)
    if isinstance(found, complex) or found != math.floor(found):
        raise Unfit("expected an integer")
    if abs(found) >= 2**63:
        raise Unfit("expected an integer; this one has more than 64 bits")
    return int(found)


def memory(value: Any) -> int:
    """Bytes: a number, or one with a unit such as 512MiB.

    Raises:
        Unfit: it is neither.
    """
    match = re.fullmatch(r"\s*(\d{1,30}(?:\.\d+)?)\s*([kKMGT]?i?B?)\s*", str(value))
    unit = match[2].replace("K", "k") if match else ""
    unit = unit if unit.endswith("B") or not unit else f"{unit}B"
    if isinstance(value, bool) or match is None or unit not in _UNITS:
        raise Unfit("expected a size such as 512MiB or 1GiB")
    found = float(match[1]) * _UNITS[unit]
    if found > _MOST_BYTES:
        raise Unfit("expected a size of at most 2**60 bytes")
    return int(found)


def _read(value: Any, setting: Setting) -> Any:
    """One value of a setting; Unfit where it is not of its kind or out of its bounds."""
    if setting.kind == "boolean":
        if not isinstance(value, bool):
            raise Unfit("expected true or false")
        return value
    if setting.kind == "text":
        if not isinstance(value, str):
            raise Unfit("expected a text")
        return value
    if setting.kind == "choice":
        if value not in setting.options or not isinstance(value, str):
            raise Unfit(f"no such choice{suggest(value, setting.options)}")
        return value
    if setting.kind == "choices":
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or any(v not in setting.options for v in listed):
            raise Unfit(f"expected {setting.expected}")
        return list(dict.fromkeys(listed))
    if setting.kind == "formula":
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Unfit("expected a formula")
        return str(value)
    if setting.kind == "names":
        return _names(value, setting)
    if setting.kind == "integers":
        one = replace(setting, kind="integer")
        return [_read(v, one) for v in value] if isinstance(value, list) else _read(value, one)
    if setting.kind == "ranges":
        each = value if isinstance(value, dict) else {"": value}
        found = {name: _range(given, setting) for name, given in each.items()}
        return found if isinstance(value, dict) else found[""]
    if isinstance(value, str) and value in setting.options:
        return value
    reader = {"integer": integer, "number": number, "bytes": memory}[setting.kind]
    try:
        found = reader(value)
    except Unfit as error:
        aside = f" {_YAML_BOOLEAN}" if isinstance(value, bool) else ""
        detail = str(error).partition("; ")[2]
        raise Unfit(f"expected {setting.expected}{f'; {detail}' if detail else aside}") from None
    if not np.all(within(found, setting)):
        raise Unfit(f"expected {setting.expected}")
    return found


def _names(value: Any, setting: Setting) -> list[str]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed or any(not isinstance(v, str) for v in listed):
        raise Unfit(f"expected {setting.expected}")
    return list(dict.fromkeys(listed))


def _range(value: Any, setting: Setting) -> list[float]:
    try:
        found = array(value, dimensions=1)
    except Unfit:
        raise Unfit(f"expected {setting.expected}") from None
    if found.shape != (2,) or not found[0] < found[1]:
        raise Unfit(f"expected {setting.expected}")
    return found.tolist()


def within(found: Any, setting: Setting) -> Any:
    """Whether numbers are what the setting takes, elementwise."""
    low = -math.inf if setting.low is None else setting.low
    high = math.inf if setting.high is None else setting.high
    above = found > low if setting.above else found >= low
    whole = setting.kind != "integer" or found == np.floor(found)
    return above & (found <= high) & whole


def take(mistakes: Mistakes, where: str, value: Any, setting: Setting) -> Any:
    """The value, or the setting's default with a mistake noted."""
    if value is None and setting.default is None:
        return None
    try:
        return _read(value, setting)
    except Unfit as error:
        mistakes.add(where, str(error), value)
        return setting.default


def section(mistakes: Mistakes, where: str, node: Any, settings: Settings) -> dict[str, Any]:
    """The values of a section of a document, with defaults where it is silent."""
    if not isinstance(node, dict):
        mistakes.add(where, f"expected keys and values ({', '.join(settings) or 'none'})", node)
        node = {}
    mistakes.unknown(where, node, settings)
    return {
        key: take(mistakes, f"{where}.{key}", node.get(key, setting.default), setting)
        for key, setting in settings.items()
    }
