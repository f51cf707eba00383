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


class _Excess(Exception):
    """A document too large or too deep to look at the rest of it."""


def plain(mistakes: Mistakes, document: Any) -> dict[str, Any]:
    """A copy of a document in which nothing but plain data is left; arrays become lists.

    Whatever is not plain is noted and left out.
    """
    if not isinstance(document, dict):
        form = "such as {map: ..., grid: ...}"
        mistakes.add("document", f"expected keys and values, {form}", document)
        return {}
    try:
        return _Copy(mistakes).mapping("", document, 0)
    except _Excess as excess:
        mistakes.add(*excess.args)
        return {}


class _Copy:
    """Copies values, counting them."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.mistakes, self.count = mistakes, 0

    def value(self, where: str, value: Any, depth: int) -> Any:
        """The plain data of a value."""
        length = value.size if isinstance(value, np.ndarray) else 0
        length = len(value) if isinstance(value, list | tuple) else length
        self.count += 1
        if self.count + length > MOST:
            raise _Excess("document", f"expected at most {MOST} values")
        if depth > DEEPEST:
            raise _Excess(where, f"expected at most {DEEPEST} levels, one within the other")
        if isinstance(value, np.ndarray | np.generic):
            value = value.tolist()
        if value is None or type(value) in (bool, int, float):
            return value
        if isinstance(value, str):
            return _text(self.mistakes, where, value)
        if isinstance(value, dict):
            return self.mapping(where, value, depth)
        if isinstance(value, list | tuple):
            return [self.value(f"{where}[{k}]", v, depth + 1) for k, v in enumerate(value)]
        if isinstance(value, complex):
            self.mistakes.add(where, "expected a complex number as a text, such as 1+2j", value)
        else:
            kind = f"expected a number, a text, a list or a mapping, not {type(value).__name__}"
            self.mistakes.add(where, kind)
        return None

    def mapping(self, where: str, node: dict[Any, Any], depth: int) -> dict[str, Any]:
        """The entries whose keys are texts."""
        found = {}
        for key, value in node.items():
            if not isinstance(key, str):
                reason = _YAML_KEY if isinstance(key, bool) else "a key is a text; quote it"
                self.mistakes.add(".".join(filter(None, [where, _shown(key)])), reason)
                continue
            path = f"{where}.{key}" if where else key
            if _text(self.mistakes, path, key) is not None:
                found[str(key)] = self.value(path, value, depth + 1)
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
