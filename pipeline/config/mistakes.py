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
        self.append(f"{where}{value}: {expected}{'' if expected.endswith(('.', '^')) else '.'}")

    def formula(self, where: str, error: ExpressionError) -> None:
        """Note a formula that does not compile, with the picture of it."""
        reason, *picture = str(error).split("\n")
        self.append("\n".join([f"{where}: {reason.rstrip('.')}.", *picture]))

    def unknown(self, where: str, node: Mapping[Any, Any], known: Iterable[str]) -> None:
        """Note the keys of a node that are not known."""
        for key in node:
            if key not in (known := list(known)):
                path = f"{where}.{plain(key)}" if where else plain(key)
                self.add(path, "no such key" + suggest(key, known))


def plain(key: Any) -> str:
    """A key of a YAML mapping in a message."""
    return key if isinstance(key, str) else show(key)


def show(value: Any) -> str:
    """A value as YAML would have it, on one line and not too long."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = str(type(value).__name__)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def suggest(name: Any, known: Collection[str]) -> str:
    """The tail of a message about an unknown name: the nearest one, and those there are."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, 1)
    nearest = f'; did you mean "{near[0]}"?' if near else ""
    shown = ", ".join(names[:_MOST]) + (", ..." if len(names) > _MOST else "")
    return f"{nearest} (known: {shown or 'none'})"
