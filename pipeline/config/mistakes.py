"""Mistakes: what is wrong with a document, collected so that all are told at once."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pipeline.errors import ExpressionError

_ABSENT = object()
# Longer values and lists of known names are cut in a message.
_LONGEST, _MOST = 60, 12


class Mistakes(list[str]):
    """Sentences of one shape: where, what was given, what would be right."""

    def add(self, where: str, expected: str, given: Any = _ABSENT) -> None:
        """Note one; `expected` goes on after a colon and needs no full stop."""
        value = "" if given is _ABSENT else f" = {show(given)}"
        place = where if len(where) <= 2 * _LONGEST else f"{where[: 2 * _LONGEST]}..."
        self.append(f"{place}{value}: {expected}{'' if expected.endswith('.') else '.'}")

    def formula(self, where: str, error: ExpressionError) -> None:
        """Note a formula that does not compile, with the picture of it."""
        reason, *picture = str(error).split("\n")
        shown = picture if error.text.strip() else []
        self.append("\n".join([f"{where}: {reason.rstrip('.')}.", *shown]))

    def unknown(self, where: str, node: Mapping[str, Any], known: Iterable[str]) -> None:
        """Note the keys of a node that are not known."""
        names = list(known)
        for key in node:
            if key not in names:
                self.add(f"{where}.{key}" if where else key, "no such key" + suggest(key, names))


def show(value: Any) -> str:
    """A value as YAML would have it, on one line and not too long."""
    try:
        text = json.dumps(_head(value), ensure_ascii=False, default=str)
    except ValueError:  # an integer of more digits than Python writes
        text = f"({type(value).__name__})"
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _head(value: Any, depth: int = 0) -> Any:
    """As much of a value as a message shows."""
    if depth > _MOST:
        return "..."
    if isinstance(value, dict):
        return {str(k)[:_LONGEST]: _head(v, depth + 1) for k, v in [*value.items()][:_LONGEST]}
    if isinstance(value, list | tuple):
        return [_head(v, depth + 1) for v in value[:_LONGEST]]
    return value[: 2 * _LONGEST] if isinstance(value, str) else value


def suggest(name: Any, known: Collection[str]) -> str:
    """The tail of a message about an unknown name: the nearest one, and those there are."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name)[:_LONGEST], names, 1)
    nearest = f'; did you mean "{near[0]}"?' if near else ""
    return f"{nearest} (known: {listed(names) or 'none'})"


def listed(names: Iterable[str]) -> str:
    """Names with commas, the first ones of many."""
    every = list(names)
    return ", ".join(every[:_MOST]) + (", ..." if len(every) > _MOST else "")
