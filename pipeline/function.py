"""A Python function in the place of formulas: handed over from Python, never named by text.

It is called for one cell, while JAX traces it: by keyword, with the components, the parameters and,
of a map, the number of steps n, as many of them as it takes. It returns what the formulas in whose
place it stands would give.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pipeline.errors import FunctionError
from pipeline.notation import printable

UNKNOWN = "(not to be had: it was not read from a file)"
# Characters of the source, and of the name, that an archive keeps.
LONGEST, LONGEST_NAME = 50_000, 80
# The arguments by which it is handed over.
Place = Literal["map", "objective", "residuals"]
PLACES: tuple[Place, ...] = get_args(Place)


@dataclass(frozen=True, eq=False)
class Function:
    """A function with what an archive tells of it.

    Attributes:
        call: whatever was handed over.
        source: for reading.
        takes: the names that it is called with.
        program: the beginning of a SHA-256 of what JAX made of it, values around it included.
        place: what it stands for. It returns {component: its next value} of a map (the value alone
            where there is one component), the number f, or a vector of residuals.
    """

    call: Any
    name: str
    source: str
    takes: tuple[str, ...] = ()
    program: str = ""
    place: Place = "map"

    @property
    def group(self) -> str:
        """The section of a document that it belongs to."""
        return group(self.place)

    @property
    def where(self) -> str:
        """How a mistake names it."""
        return f"{self.place}={self.name}"

    @property
    def record(self) -> dict[str, str]:
        """What a document says of it."""
        return {
            "name": self.name,
            "place": self.place,
            "program": self.program,
            "source": self.source,
        }

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """What it returns.

        Args:
            values: of all names that it may take.

        Raises:
            FunctionError: it fails, with what it says.
        """
        try:
            return self.call(**{name: values[name] for name in self.takes})
        except Exception as error:
            raise FunctionError(f"{self.where}: {reason(error)}.") from error


def handed(call: Any, shown: Callable[[str], str] = str, place: Place = "map") -> Function:
    """What was handed over, not yet checked, and its source where Python has it.

    Args:
        shown: what may be kept of a source.
    """
    name = printable(str(getattr(call, "__name__", None) or type(call).__name__))
    return Function(call, name[:LONGEST_NAME], _source(call, shown), place=place)


def group(place: Place) -> str:
    """The section of a document that functions of a place belong to."""
    return "map" if place == "map" else "objective"


def recorded_place(group: str, described: Any) -> Place:
    """The place of the function that a section of a document describes."""
    if group == "map":
        return "map"
    squared = isinstance(described, dict) and described.get("place") == "residuals"
    return "residuals" if squared else "objective"


def _source(call: Any, shown: Callable[[str], str]) -> str:
    try:
        text = textwrap.dedent(inspect.getsource(call))
    except (OSError, TypeError):  # Python's ways to say that it has none
        return UNKNOWN
    text = "".join(f"{printable(line)}\n" for line in shown(text).expandtabs().splitlines())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n[cut: {len(text)} characters]\n"


def reason(error: Exception) -> str:
    """Why a function fails, in one sentence."""
    from jax.errors import ConcretizationTypeError, JAXTypeError

    if isinstance(error, ConcretizationTypeError):
        return "it asks for a number while JAX traces it; use jax.numpy, and its where for `if`"
    if isinstance(error, JAXTypeError):
        return "it hands JAX's arrays to NumPy while JAX traces it; use jax.numpy in its place"
    said = (str(error).strip() or "without a word").splitlines()[0]
    return f"it raises {type(error).__name__}: {said.rstrip('.')}"
