"""Jobs of a sweep: swept numbers become axes of a job, swept choices become jobs.

A number that the compiled program takes as an argument (a parameter, a start, a setting of the
solver that an axis may sweep) is put into the document's grid once that is composed: as text, its
values would take Hydra's parser minutes. What is a number follows from each job's own document.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hydra.core.override_parser.types import Override, QuotedString, RangeSweep

from pipeline import solvers
from pipeline.config import axes, names, values
from pipeline.config.document import PROBLEMS
from pipeline.config.mistakes import Mistakes
from pipeline.config.values import Unfit

Label = str | float
# Jobs of one sweep: about an hour of starting them.
MOST_JOBS = 10_000


@dataclass(frozen=True)
class Swept:
    """One override of several values.

    Attributes:
        key: what it sweeps: map, map.parameters.a, solver.step.
        text: as it was typed.
        element: the part before the equals sign, + included.
        axis: the description of an axis of these values, None where not all are real numbers.
        values: (as an override has it, as a label) of each; empty of a range, which has its axis.
    """

    key: str
    text: str
    element: str
    axis: Mapping[str, Any] | None
    values: tuple[tuple[str, Label], ...]

    def apart(self) -> Swept:
        """The same with a job for each number."""
        return replace(self, axis=None, values=tuple(self.listed()))

    def listed(self) -> list[tuple[str, Label]]:
        """The values, those of a range too."""
        if self.values:
            return list(self.values)
        assert self.axis is not None
        found, _ = axes.read(Mistakes(), "values", self.axis, (), 0)
        assert found is not None
        numbers = found.values[:, 0].tolist()
        whole = all(isinstance(self.axis[end], int) for end in ("start", "step"))
        return [(repr(v), v) for v in (map(int, numbers) if whole else numbers)]


def split(mistakes: Mistakes, overrides: Sequence[Override]) -> tuple[list[str], list[Swept]]:
    """The overrides of one value, and those of several; of two for one key the last counts."""
    last = {override.get_key_element(): override for override in overrides}
    fixed, swept = [], []
    for element, override in last.items():
        text = str(override.input_line)
        if not override.is_sweep_override():
            fixed.append(text)
        elif not override.is_discrete_sweep():
            mistakes.append(f"{text}: expected values, as in range(0,1,0.1) or 1,2,3.")
        elif override.is_delete():
            mistakes.append(f"{text}: expected '~{override.key_or_group}', without values.")
        else:
            found = _swept(mistakes, override, element, text)
            swept += [found] if found else []
    return fixed, swept


def _swept(mistakes: Mistakes, override: Override, element: str, text: str) -> Swept | None:
    key, given = override.key_or_group, override.value()
    if isinstance(given, RangeSweep):
        node = {"start": given.start, "stop": given.stop, "step": given.step}
        faults = Mistakes()
        axes.read(faults, "x", node, (), 0)
        mistakes += [f"{text}: {fault.removeprefix('grid.x: ')}" for fault in faults]
        return None if faults else Swept(key, text, element, node, ())
    choices = list(override.sweep_iterator())
    found = tuple((Override._get_value_element_as_str(c), _label(c)) for c in choices)
    if not found:
        mistakes.append(f"{text}: there are no such choices.")
        return None
    if len({label for _, label in found}) < len(found):
        mistakes.append(f"{text}: one value is there twice.")
        return None
    return Swept(key, text, element, _numbers(choices), found)


def _label(value: Any) -> Label:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    return value.text if isinstance(value, QuotedString) else _plain(value)


def _plain(value: Any) -> str:
    text = Override._get_value_element_as_str(value)
    return text.lower() if isinstance(value, bool) else text


def _numbers(choices: Sequence[Any]) -> dict[str, Any] | None:
    found = [c.text if isinstance(c, QuotedString) else c for c in choices]
    try:
        return {"values": [values.number(value) for value in found]}
    except Unfit:
        return None


def with_axes(
    document: dict[str, Any], swept: Sequence[Swept]
) -> tuple[dict[str, Any], list[Swept]]:
    """The document with an axis for each number that an axis may sweep, and what is left."""
    left = []
    for number in swept:
        found = axis(document, number)
        if found is None:
            left.append(number)
        else:
            document = found
    return document, left


def axis(document: Mapping[str, Any], swept: Swept) -> dict[str, Any] | None:
    """The document with one number swept by an axis; None where it is none that an axis sweeps.

    An axis of that quantity which is there already is replaced, in its place.
    """
    section, _, rest = swept.key.partition(".")
    path = rest.split(".") if rest else []
    if swept.axis is None or not path:
        return None
    if section == "grid" and len(path) == 1:
        return _placed(document, path[0], path[0], swept.axis)
    if section == "solver" and len(path) == 1:
        return _setting(document, path[0], swept.axis)
    if section in PROBLEMS and path[0] in ("parameters", "initial") and path[1:]:
        return _quantity(document, section, path[0], path[1:], swept.axis)
    return None


def _setting(
    document: Mapping[str, Any], key: str, node: Mapping[str, Any]
) -> dict[str, Any] | None:
    solver = document.get("solver")
    name = solver.get("name") if isinstance(solver, dict) else None
    known = solvers.TABLE[name].settings if name in solvers.TABLE else {}
    if key not in known or not known[key].swept:
        return None
    taken = {"n", "size", *(k for group in PROBLEMS for k in _names(document.get(group)))}
    own = f"solver_{key}" if key in taken or names.fault(key) else key
    return _placed(document, f"solver.{key}", own, node)


def _names(problem: Any) -> Iterator[str]:
    for part in ("equations", "definitions", "parameters", "initial"):
        node = problem.get(part) if isinstance(problem, dict) else None
        yield from node if isinstance(node, dict) else ()


def _quantity(
    document: Mapping[str, Any], section: str, part: str, path: list[str], node: Mapping[str, Any]
) -> dict[str, Any] | None:
    """A parameter (a), a start (x), or an entry of one: c_0, c.0, A.0.1, z_re."""
    problem = document.get(section)
    if not isinstance(problem, dict):
        return None
    given = problem.get(part)
    given = given if isinstance(given, dict) else {}
    name, zero = "_".join(path), "0" if part == "initial" else ""
    if name in given:
        return _placed(document, f"{name}{zero}", None, node) if _real(given[name]) else None
    for stem, value in given.items():
        tail = name.removeprefix(stem)
        if tail != name and re.fullmatch(r"(_\d+)*(_(re|im))?", tail) and not _real(value):
            return _placed(document, f"{stem}{zero}{tail}", None, node)
    if len(path) > 1:
        return None
    components = problem.get("equations")
    if part == "initial" and not (isinstance(components, dict) and name in components):
        return _placed(document, name, None, node)  # a name that only formulas of starts use
    first = node["start"] if "start" in node else node["values"][0]
    problem = {**problem, part: {**given, name: first}}
    return _placed({**document, section: problem}, f"{name}{zero}", None, node)


def _real(value: Any) -> bool:
    """Whether a value of a document is one real number, or a formula of a start."""
    if isinstance(value, str):
        try:
            return not isinstance(values.number(value, allow_complex=True), complex)
        except Unfit:
            return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def _placed(
    document: Mapping[str, Any], quantity: str, own: str | None, node: Mapping[str, Any]
) -> dict[str, Any]:
    """The document with an axis of a quantity in the place of one that sweeps it, or at the end."""
    grid = document.get("grid")
    grid = grid if isinstance(grid, dict) else {}
    there = {k: v.get("of", k) for k, v in grid.items() if isinstance(v, dict)}
    same = [k for k, of in there.items() if of in (quantity, [quantity])]
    name = next(iter(same), own or quantity)
    described = dict(node) if name == quantity else {"of": quantity, **node}
    return {**document, "grid": {**grid, name: described}}


def count(swept: Sequence[Swept]) -> int:
    """The number of jobs of these sweeps, one for each combination."""
    return math.prod(len(s.listed()) for s in swept)


def combinations(swept: Sequence[Swept]) -> Iterator[list[tuple[Swept, str, Label]]]:
    """Every combination of values, the last sweep fastest."""
    sides = [[(s, text, label) for text, label in s.listed()] for s in swept]
    return map(list, itertools.product(*sides))


def labels(keys: Sequence[str]) -> dict[str, str]:
    """{key: what its label is called}: the shortest end of the key that no other key has."""
    found = {}
    for key in keys:
        parts = re.split(r"[./@]", key)
        tails = ["_".join(parts[-n:]) for n in range(1, len(parts) + 1)]
        others = [re.split(r"[./@]", other) for other in keys if other != key]
        alone = (t for n, t in enumerate(tails, 1) if parts[-n:] not in [o[-n:] for o in others])
        found[key] = next(alone, tails[-1])
    return found
