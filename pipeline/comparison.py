"""Comparison: what differs between two archives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import contents, provenance
from pipeline.contents import Contents
from pipeline.difference import Difference, changes
from pipeline.errors import ForeignError
from pipeline.notation import printable
from pipeline.sensitivity import ERRORS
from pipeline.verdict import told

Change = tuple[str, str, str]


@dataclass(frozen=True)
class Pair:
    """A variable that both archives have, with the same shape and type.

    Attributes:
        errors: whether all differences are within the stated errors; None where none are stated.
    """

    name: str
    difference: Difference
    errors: bool | None = None


@dataclass(frozen=True)
class Comparison:
    """What differs between two archives.

    Attributes:
        document, environment: (key, in the first, in the second).
        declared: (variable, as the first declares it, as the second does), "-" where it is absent.
        pairs: the variables whose values were compared.
    """

    paths: tuple[Path, Path]
    document: tuple[Change, ...]
    environment: tuple[Change, ...]
    declared: tuple[Change, ...]
    pairs: tuple[Pair, ...]
    rtol: float

    @property
    def differs(self) -> bool:
        """Whether the documents or the results do; where they were computed does not count."""
        values = any(pair.difference.differing for pair in self.pairs)
        return bool(self.document or self.declared or values)


def compare(first: str | Path, second: str | Path, rtol: float = 0.0) -> Comparison:
    """Compare two archives, a bounded piece at a time.

    Args:
        rtol: the relative distance up to which two numbers count as equal.

    Raises:
        ForeignError: one of them is no archive.
        DamageError: one of them cannot be read.
    """
    with contents.opened(first) as a, contents.opened(second) as b:
        _same_kind(a, b)
        documents = (_flat(found.document()) for found in (a, b) if "document" in found.texts)
        environments = (provenance.environment(found.texts) for found in (a, b))
        declared = [_declared(found) for found in (a, b)]
        both = [n for n in declared[0] if declared[0][n] == declared[1].get(n)]
        return Comparison(
            paths=(a.path, b.path),
            document=tuple(changes(*documents)) if "document" in a.texts else (),
            environment=tuple(changes(*environments)),
            declared=tuple(changes(*declared)),
            pairs=tuple(_pair(a, b, name, rtol) for name in both),
            rtol=rtol,
        )


def _same_kind(a: Contents, b: Contents) -> None:
    if ("document" in a.texts) != ("document" in b.texts):
        alone, joined = (a, b) if "document" in a.texts else (b, a)
        reason = f"it was joined from several archives, and {alone.path} was not"
        raise ForeignError(f"{joined.path}: {reason}; compare two of a kind.")


def _flat(node: Any, where: str = "") -> dict[str, str]:
    """{dotted key: its value as text}; lists are values."""
    if isinstance(node, dict) and node:
        found: dict[str, str] = {}
        for key, value in node.items():
            found |= _flat(value, f"{where}.{key}" if where else str(key))
        return found
    return {where: node if isinstance(node, str) else json.dumps(node)}


def _declared(found: Contents) -> dict[str, str]:
    """{variable: its type and sides}, of groups too."""
    declared = {}
    for name in found.names():
        variable = found.file[name]
        kind = "text" if variable.dtype is str else variable.dtype.newbyteorder("=").name
        sides = zip(variable.dimensions, variable.shape, strict=True)
        declared[name] = f"{kind} ({', '.join(f'{side} = {size:,}' for side, size in sides)})"
    return declared


def _pair(a: Contents, b: Contents, name: str, rtol: float) -> Pair:
    variable = a.file[name]
    found = Difference()
    if variable.dtype is str:
        for box in contents.pieces(variable.shape, contents.PIECE // 1000):
            ours, theirs = (np.asarray(c.file[name][box or ...], object) for c in (a, b))
            found.values += ours.size
            found.differing += int(np.count_nonzero(ours != theirs))
        return Pair(name, found)
    error = _error(a, b, name)
    within: bool | None = None if error is None else True
    for box in contents.pieces(variable.shape, variable.dtype.itemsize):
        ours, theirs = a.read(name, box), b.read(name, box)
        found.add(ours, theirs, within=rtol)
        if error is not None:
            both = np.hypot(a.read(error, box), b.read(error, box))
            with np.errstate(invalid="ignore"):
                near = (np.abs(ours - theirs) <= ERRORS * both) | (ours == theirs)
            within = bool(within and np.all(near | (np.isnan(ours) & np.isnan(theirs))))
    return Pair(name, found, within)


def _error(a: Contents, b: Contents, name: str) -> str | None:
    """The variable of the errors that both archives state of this one."""
    error = f"{name}_error"
    for found in (a, b):
        variable = found.file[name]
        listed = "ancillary_variables" in variable.ncattrs()
        stated = str(variable.getncattr("ancillary_variables")).split() if listed else []
        if error not in stated or error not in found.variables:
            return None
        other = found.variables[error]
        if other.shape != variable.shape or other.dtype.kind != "f":
            return None
    return error


def report(found: Comparison) -> str:
    """A comparison in words, for the terminal."""
    first, second = found.paths
    lines = [f"{first} -> {second}"]
    for title, rows in (
        ("document", found.document),
        ("environment", found.environment),
        ("variables", found.declared),
    ):
        if rows:
            lines += ["", title, *told(rows)]
    differing = [pair for pair in found.pairs if pair.difference.differing]
    if differing:
        lines += ["", "values", *map(_values, differing)]
    near = f" to {found.rtol:g}" if found.rtol else ""
    same = len(found.pairs) - len(differing)
    lines += ["", f"{same} of {len(found.pairs)} variables of the same shape are equal{near}."]
    if not found.differs:
        lines.append("The documents and the results are the same.")
    return "\n".join(lines)


def _values(pair: Pair) -> str:
    d = pair.difference
    text = f"  {printable(pair.name)}: {d.differing:,} of {d.values:,} differ"
    if d.absolute or d.ulps:
        ulps = f"{d.ulps:,}" if d.ulps < 1e6 else f"{d.ulps:.1e}"
        text += f", by at most {d.absolute:.3g} ({ulps} units in the last place)"
    if d.undefined:
        text += f", {d.undefined:,} of them NaN in one alone"
    if pair.errors is not None:
        beyond = "all within" if pair.errors else "some beyond"
        text += f"; {beyond} {ERRORS} of the errors that they state"
    return text
