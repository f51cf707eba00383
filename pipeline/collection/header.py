"""What is in a result but for its values, and whether results fit into one array."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import archive
from pipeline.errors import ArchiveError

# An archive may come from a stranger: what no result of ours reaches.
MOST_VARIABLES, MOST_VALUES = 1000, 10**7


@dataclass(frozen=True, eq=False)
class Variable:
    """One variable of a member; a coordinate has its values."""

    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    attributes: Mapping[str, Any]
    values: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Header:
    """What is in a member but for its results."""

    attributes: Mapping[str, Any]
    variables: Mapping[str, Variable]


def read(path: Path) -> Header:
    """The variables of an archive with the values of its coordinates.

    Raises:
        ArchiveError: it is no result of one run, or it is damaged.
    """
    archive.provenance(path)  # which every archive of ours has
    with archive._opened(path) as file, archive.damage(path):
        if "status" not in file.variables or len(file.variables) > MOST_VARIABLES:
            raise ArchiveError(f"{path}: not the result of one run.")
        beside = {
            name
            for variable in file.variables.values()
            for name in str(getattr(variable, "coordinates", "")).split()
        }
        found = {}
        for name, variable in file.variables.items():
            if not isinstance(variable.dtype, np.dtype) or variable.dtype.kind not in "iuf":
                raise ArchiveError(f"{path}: {name} has no numbers; not the result of one run.")
            values = None
            if name in beside or variable.dimensions == (name,):
                if variable.size > MOST_VALUES:
                    raise ArchiveError(f"{path}: {name} is longer than any axis.")
                values = np.asarray(variable[...])
            attributes = {k: variable.getncattr(k) for k in variable.ncattrs()}
            attributes.pop("coordinates", None)
            found[name] = Variable(
                variable.dimensions, variable.shape, variable.dtype, attributes, values
            )
        return Header({k: file.getncattr(k) for k in file.ncattrs()}, found)


def equal(one: Header, other: Header) -> bool:
    """Whether two results fit into one array: coordinates may differ by single precision."""
    if list(one.variables) != list(other.variables):
        return False
    for a, b in zip(one.variables.values(), other.variables.values(), strict=True):
        if (a.dimensions, a.shape, a.dtype.kind) != (b.dimensions, b.shape, b.dtype.kind):
            return False
        if a.dtype.kind != "f" and a.dtype != b.dtype:
            return False
        if str(a.attributes.get("flag_meanings")) != str(b.attributes.get("flag_meanings")):
            return False
        if a.values is not None and b.values is not None:
            coarse = min(a.dtype, b.dtype, key=lambda dtype: dtype.itemsize)
            if not np.array_equal(a.values.astype(coarse), b.values.astype(coarse)):
                return False
    return True


def joined(headers: Sequence[Header]) -> Header | None:
    """The header of the joined variables: the widest types, and the attributes that all have."""
    if not headers:
        return None
    variables = {}
    for name in headers[0].variables:
        same = [header.variables[name] for header in headers]
        widest = max(same, key=lambda variable: variable.dtype.itemsize)
        attributes = common([variable.attributes for variable in same])
        variables[name] = dataclasses.replace(widest, attributes=attributes)
    return Header(common([header.attributes for header in headers]), variables)


def common(several: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The entries that are the same in all."""
    return {
        key: value
        for key, value in several[0].items()
        if all(key in other and np.array_equal(other[key], value) for other in several[1:])
    }
