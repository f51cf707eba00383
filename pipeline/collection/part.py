"""Jobs by structure: which of them share one array, and where in it each lies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import archive
from pipeline.collection.header import Header, equal, joined
from pipeline.collection.member import Label, Member

# Characters of a group's name.
_LONGEST = 60


@dataclass(frozen=True, eq=False)
class Part:
    """Jobs whose results fit into one array: the whole file, or a group of it.

    Attributes:
        labels: {label: its values}; a label of one value is no dimension.
        jobs: {indices along the labels: number of the member}.
        header: of the joined variables, without the labels; None where all jobs failed.
    """

    name: str
    labels: Mapping[str, list[Label]]
    jobs: Mapping[tuple[int, ...], int]
    header: Header | None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The labels that are dimensions."""
        return tuple(name for name, values in self.labels.items() if len(values) > 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """Their sizes."""
        return tuple(len(self.labels[name]) for name in self.dimensions)


def parts(members: Sequence[Member], headers: Sequence[Header | None]) -> list[Part]:
    """The jobs by structure."""
    kinds: list[Header] = []
    structure: list[int | None] = []
    for header in headers:
        if header is None:
            structure.append(None)
            continue
        same = next((k for k, kind in enumerate(kinds) if equal(kind, header)), len(kinds))
        if same == len(kinds):
            kinds.append(header)
        structure.append(same)
    numbers = list(range(len(members)))
    if len(kinds) < 2:
        return [_part("", numbers, members, headers)]
    names = list(members[0].labels)
    splitting = [name for name in names if _splits(name, members, structure)]
    if any(len(k) > 1 for k in _kinds(splitting, members, structure).values()):
        splitting = names  # jobs that failed hide which labels tell the structures apart
    found: dict[Any, list[int]] = {}
    for number, member in enumerate(members):
        key = tuple(member.labels[name] for name in splitting)
        (kind,) = _kinds(splitting, members, structure)[key] or {None}
        # Where one label alone tells them apart, all its values of one structure share a group.
        alone = len(splitting) == 1 and kind is not None
        found.setdefault(kind if alone else key, []).append(number)
    result: list[Part] = []
    for jobs in found.values():
        values = {(label, members[n].labels[label]): None for label in splitting for n in jobs}
        name = "_".join(_name(label, value) for label, value in values)[:_LONGEST]
        taken = {part.name for part in result}
        while name in taken or name == "provenance":
            name += "_"
        result.append(_part(name, jobs, members, headers))
    return result


def _splits(name: str, members: Sequence[Member], structure: Sequence[int | None]) -> bool:
    """Whether two jobs that differ in this label alone have two structures."""
    others = [other for other in members[0].labels if other != name]
    return any(len(k) > 1 for k in _kinds(others, members, structure).values())


def _kinds(
    names: Sequence[str], members: Sequence[Member], structure: Sequence[int | None]
) -> dict[tuple[Label, ...], set[int]]:
    """{values of these labels: the structures of the jobs that have them}."""
    found: dict[tuple[Label, ...], set[int]] = {}
    for member, kind in zip(members, structure, strict=True):
        kinds = found.setdefault(tuple(member.labels[name] for name in names), set())
        if kind is not None:
            kinds.add(kind)
    return found


def word(value: Label) -> str:
    """A label as a text."""
    return value if isinstance(value, str) else f"{value:g}"


def _name(label: str, value: Label) -> str:
    """Of a group: what every reader of netCDF takes as a name and as a part of a path."""
    text = re.sub(r"[^\w.+-]+", "_", word(value), flags=re.ASCII).strip("_")
    return text if text[:1].isalpha() else f"{label}_{text}"


def _part(
    name: str,
    jobs: Sequence[int],
    members: Sequence[Member],
    headers: Sequence[Header | None],
) -> Part:
    labels = {
        label: list(dict.fromkeys(members[n].labels[label] for n in jobs))
        for label in members[0].labels
    }
    along = [label for label, values in labels.items() if len(values) > 1]
    placed = {tuple(labels[a].index(members[n].labels[a]) for a in along): n for n in jobs}
    header = joined([h for n in jobs if (h := headers[n]) is not None])
    own = {"job", "job_error", *archive.COSTS}
    if header is not None:
        own |= {*header.variables, *(d for v in header.variables.values() for d in v.dimensions)}
    renamed = {}
    for label, values in labels.items():
        while label in own or label in renamed:
            label += "_choice"
        renamed[label] = values
    return Part(name, renamed, placed, header)
