"""Notation: documents as YAML, read strictly into plain data of bounded size, and written for that.

What a value is follows the command line (and YAML 1.2): true and false are the only booleans, so
`on`, `yes` and the key `y` are texts, as 12:30 is; dates and octal numbers are refused. Keys are
texts, each once in its mapping. Tags and merge keys are refused; aliases are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

DEEPEST = 32
# Values of an archive's document, with aliases written out: a CSV column may be among them.
MOST = 2 * 10**6
# A list in these documents never needs a number of more digits than doubles and seeds have.
_DIGITS = 100
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": -float("inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TRAPS = {
    re.compile(r"[-+]?0[0-9_]+"): "to YAML a leading 0 means octal; write the number without it",
    re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"): "to YAML this is a date; quote a text",
    re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"): "to YAML a colon between digits "
    "means base 60; quote a text",
}


class Fault(Exception):
    """What stops the reading of a file; the mark says where."""

    def __init__(self, reason: str, mark: Any) -> None:
        super().__init__(reason)
        self.reason, self.mark = reason, mark


def read(text: str, most: int = MOST, trap: Callable[[int, str, str], None] | None = None) -> Any:
    """The one document of a text, None where there is none.

    Args:
        most: values, with aliases written out.
        trap: told of values that other readers of YAML take for something else:
            (line, value, reason).

    Raises:
        Fault: it is no YAML, or not plain data of bounded size.
    """
    try:
        return _Reader(most, trap).read(text)
    except yaml.MarkedYAMLError as error:
        reason, mark = error.problem or "this is not YAML", error.problem_mark
        if mark and text[mark.index : mark.index + 1] == "\t":
            reason = "YAML indents with spaces, not with tabs"
        elif error.context:
            reason += f" {error.context}"
        raise Fault(reason, mark) from None
    except yaml.YAMLError as error:
        reason = getattr(error, "reason", "this is not YAML")
        raise Fault(f"{reason}, at character {getattr(error, 'position', 0)}", None) from None


def printable(text: str) -> str:
    """A stranger's text on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)


class _Reader:
    """Builds plain data from the parser's events: no recursion, no constructors."""

    def __init__(self, most: int, trap: Callable[[int, str, str], None] | None) -> None:
        self.most, self.trap = most, trap
        self.count, self.anchors = 0, {}

    def read(self, text: str) -> Any:
        """The one document of the text, None where there is none."""
        events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        # Each open collection: (its data, the pending key of a mapping, its anchor, count before).
        stack: list[list[Any]] = []
        root: Any = None
        for event in events:
            match event:
                case yaml.DocumentStartEvent() if root is not None:
                    raise Fault("expected one document; this begins another", event.start_mark)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._check(event)
                    if len(stack) >= DEEPEST:
                        reason = f"expected at most {DEEPEST} levels, one within the other"
                        raise Fault(reason, event.start_mark)
                    opened: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                    stack.append([opened, None, event.anchor, self.count])
                    continue
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    value, _, anchor, before = stack.pop()
                    size = self.count - before
                case yaml.ScalarEvent():
                    self._check(event)
                    key = bool(stack) and isinstance(stack[-1][0], dict) and stack[-1][1] is None
                    value = event.value if key else self._scalar(event)
                    anchor, size = event.anchor, 1
                case yaml.AliasEvent():
                    if event.anchor not in self.anchors:
                        reason = f"nothing complete is called &{event.anchor} above"
                        raise Fault(reason, event.start_mark)
                    value, size = self.anchors[event.anchor]
                    anchor = None
                    self._grow(size, event)
                case _:
                    continue
            if anchor:
                self.anchors[anchor] = value, size
            if not stack:
                root = value
            else:
                _put(stack[-1], value, event)
        return root

    def _check(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise Fault(f"tags such as {tag} have no meaning here", event.start_mark)
        self._grow(1, event)

    def _grow(self, size: int, event: Any) -> None:
        self.count += size
        if self.count > self.most:
            reason = f"expected at most {self.most} values in a file"
            raise Fault(f"{reason}; a sample or a CSV file holds more", event.start_mark)

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if event.style or not event.implicit[0]:  # quoted, or tagged so
            return text
        if text in _WORDS:
            return _WORDS[text]
        for pattern, reason in _TRAPS.items():
            if pattern.fullmatch(text):
                if self.trap is not None:
                    self.trap(event.start_mark.line + 1, text, reason)
                return text
        if _INTEGER.fullmatch(text):
            if len(text) > _DIGITS:
                raise Fault(f"expected a number of at most {_DIGITS} digits", event.start_mark)
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text


def _put(parent: list[Any], value: Any, event: Any) -> None:
    """A value into the innermost open collection; of a mapping by turns key and value."""
    data, key = parent[0], parent[1]
    if isinstance(data, list):
        data.append(value)
    elif key is not None:
        data[key] = value
        parent[1] = None
    elif not isinstance(value, str) or isinstance(event, yaml.AliasEvent):
        raise Fault("expected a key that is a text", event.start_mark)
    elif value == "<<" and not event.style:
        raise Fault("merge keys (<<) are not read; write the keys out", event.start_mark)
    elif value in data:
        raise Fault(f"the key {value} is there twice", event.start_mark)
    else:
        parent[1] = value


class Dumper(yaml.SafeDumper):
    """Quotes the texts that are numbers or traps to our reader, though texts to PyYAML."""


for _pattern in (_FLOAT, *_TRAPS):
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    Dumper.add_implicit_resolver("tag:cobweb:number", _whole, list("-+.0123456789"))


def _lines(dumper: Any, text: str) -> Any:
    """A text of several lines as it reads, where YAML can have it so."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)


Dumper.add_representer(str, _lines)
