"""Data: a document as plain data (mappings, lists, texts, numbers), of bounded size."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.config.mistakes import Mistakes

# Values of a whole document: those of a CSV column are among them. A million take two seconds.
MOST = 2 * 10**6
# Sections, their entries and the nested lists of an array: nothing sensible is deeper.
DEEPEST = 32
LONGEST = 100_000
_YAML_KEY = "YAML reads the keys on, off, yes and no as true and false; quote it"


def plain(mistakes: Mistakes, document: Any) -> dict[str, Any]:
    """A copy of a document in which nothing but plain data is left; arrays become lists.

    Whatever is not plain is noted and left out.
    """
    left = [MOST]

    def copy(where: str, value: Any, depth: int) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            if value.size > left[0]:
                left[0] = -1
                return None
            value = value.tolist()
        left[0] -= 1
        if left[0] < 0 or depth > DEEPEST:
            if depth > DEEPEST:
                mistakes.add(where, f"expected at most {DEEPEST} levels, one within the other")
            return None
        if value is None or type(value) in (bool, int, float):
            return value
        if isinstance(value, str):
            return _text(mistakes, where, value)
        if isinstance(value, dict):
            return _mapping(where, value, depth)
        if isinstance(value, list | tuple):
            if len(value) > left[0]:
                left[0] = -1
                return None
            return [copy(f"{where}[{k}]", v, depth + 1) for k, v in enumerate(value)]
        if isinstance(value, complex):
            mistakes.add(where, "expected a complex number as a text, such as 1+2j", value)
        else:
            kind = type(value).__name__
            mistakes.add(where, f"expected a number, a text, a list or a mapping, not a {kind}")
        return None

    def _mapping(where: str, node: dict[Any, Any], depth: int) -> dict[str, Any]:
        found = {}
        for key, value in node.items():
            if not isinstance(key, str):
                reason = _YAML_KEY if isinstance(key, bool) else "a key is a text; quote it"
                mistakes.add(".".join(filter(None, [where, _shown(key)])), reason)
                continue
            path = f"{where}.{key}" if where else key
            if _text(mistakes, path[:LONGEST], key) is not None:
                found[str(key)] = copy(path, value, depth + 1)
        return found

    if not isinstance(document, dict):
        mistakes.add(
            "document", "expected keys and values, such as {map: ..., grid: ...}", document
        )
        return {}
    found = _mapping("", document, 0)
    if left[0] < 0:
        mistakes.add("document", f"expected at most {MOST} values")
    return found


def _shown(key: Any) -> str:
    return str(key) if isinstance(key, int | float) and abs(key) < 1e15 else type(key).__name__


def _text(mistakes: Mistakes, where: str, value: str) -> str | None:
    """The text, where it can be written to a file and shown on a terminal."""
    if len(value) > LONGEST:
        mistakes.add(where, f"expected a text of at most {LONGEST} characters", value)
    elif not value.isprintable() and not value.translate(_SPACES).isprintable():
        mistakes.add(where, "expected a text of printable characters", value)
    else:
        return str(value)
    return None


_SPACES = {ord(c): " " for c in "\n\t\r\u00a0\u3000\u00ad\u200b\u2009\u202f"}
