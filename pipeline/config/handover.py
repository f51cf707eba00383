"""What Python hands over beside the overrides: functions, starts and parameters, as they are."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config.document import PROBLEMS
from pipeline.config.mistakes import Mistakes
from pipeline.config.overrides import section
from pipeline.function import Function

_FORMS = {
    "initial": 'expected the start of each component, such as {"x": [-1.2, 1.0]}',
    "parameters": 'expected the value of each parameter, such as {"a": 1.4}',
}


@dataclass(frozen=True)
class Handover:
    """The arguments of `pipeline.run` that no override can say.

    Attributes:
        functions: in the place of formulas; more than one is a mistake.
        initial: {component: its start}, or the start of the function's first argument.
        parameters: {name: its value}.
    """

    functions: tuple[Function, ...] = ()
    initial: Any = None
    parameters: Any = None

    @property
    def function(self) -> Function | None:
        """The one that stands in the place of the formulas."""
        return self.functions[0] if self.functions else None

    @property
    def surplus(self) -> str:
        """Why there may not be as many functions; empty where there may."""
        if len(self.functions) < 2:
            return ""
        given = " and ".join(function.where for function in self.functions)
        return f"{given}: expected one Python function."

    def overrides(self, given: Sequence[str]) -> tuple[str, ...]:
        """The overrides, with the empty template of a function where they choose none."""
        choices = [text.lstrip("+~").partition("=")[0] for text in given]
        if self.function is None or self.function.group in choices:
            return tuple(given)
        return (f"{self.function.group}=custom", *given)

    def put(
        self,
        mistakes: Mistakes,
        unread: set[str],
        document: Mapping[str, Any],
        overrides: Sequence[str],
    ) -> dict[str, Any]:
        """The document with the starts and the parameters in it.

        What an experiment studies gives way to the function; what the overrides say does not.
        """
        if self.surplus:
            mistakes.append(self.surplus)
            unread |= set(PROBLEMS)
        kept = {key for key in PROBLEMS if key not in unread}
        if self.function is not None:
            kept &= {self.function.group, *map(section, overrides)}
        found = {k: v for k, v in document.items() if k not in PROBLEMS or k in kept}
        group = self.function.group if self.function else next(filter(found.get, PROBLEMS), "")
        if not isinstance(found.get(group), dict):
            return found
        found[group] = dict(found[group])
        for key, value in (("initial", self.initial), ("parameters", self.parameters)):
            if value is None:
                continue
            values = self._named(key, value)
            if values is None:
                mistakes.add(key, _FORMS[key], value)
                unread.add(group)
            elif any(re.match(rf"[+~]*{group}\.{key}\b", text) for text in overrides):
                mistakes.add(key, f"an override gives {group}.{key} too; drop one of them")
                unread.add(group)
            else:
                others = found[group].get(key) if self.function is None else None
                found[group][key] = {**(others or {}), **values}
        return found

    def _named(self, key: str, value: Any) -> dict[str, Any] | None:
        """{name: plain data}; None where it has no names."""
        if isinstance(value, Mapping):
            return {name: _plain(each) for name, each in value.items()}
        if key != "initial" or self.function is None:
            return None
        try:
            arguments = [*inspect.signature(self.function.call).parameters]
        except (TypeError, ValueError):  # no function, or one written in C, which is told of it
            arguments = ["x"]
        return {arguments[0]: _plain(value)} if arguments else None


def _plain(value: Any) -> Any:
    """NumPy's and JAX's arrays as lists, complex numbers as texts, as a document has them."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value).strip("()") if isinstance(value, complex) else value
