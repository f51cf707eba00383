"""A setting: one key of a document, the values that it takes and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "integer", "number", "boolean", "text", "choice", "choices", "bytes",
    "formula", "names", "integers", "ranges",
]  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What `config` checks a value against, and what the table of keys in the README says.

    Attributes:
        kind: the type of the value; `choices` is a list of some of `options`, `ranges` are [low,
            high] for all components or for each by its name.
        default: the value where the document has none.
        meaning: one line for the reader.
        low, high: the bounds, kept unless `above`, which excludes `low`.
        options: the values of a `choice`; words that a number may be replaced by.
        swept: a number that the compiled program takes as an argument, so an axis may sweep it.
    """

    kind: Kind
    default: Any
    meaning: str
    low: float | None = None
    high: float | None = None
    above: bool = False
    options: tuple[str, ...] = ()
    swept: bool = False

    @property
    def expected(self) -> str:
        """The end of an error's sentence: "an integer >= 1"."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.options)
        if self.kind == "choices":
            return "a list of " + ", ".join(self.options)
        noun = {
            "formula": "a formula",
            "names": "a list of names",
            "integers": "an integer, or a list of them,",
            "ranges": "[low, high] with low < high, or {name: [low, high], ...}",
            "integer": "an integer",
            "number": "a finite number",
            "boolean": "true or false",
            "text": "a text",
            "bytes": "a size such as 512MiB or 1GiB",
        }[self.kind]
        if self.low is not None and self.kind != "bytes":
            noun += f" {'>' if self.above else '>='} {self.low:.12g}"
        if self.high is not None:
            noun += f"{' and' if self.low is not None else ''} <= {self.high:.12g}"
        return " or ".join([noun, *self.options])


Settings = dict[str, Setting]
