"""The collection: one file that joins the results of several jobs, labelled by what was swept.

Jobs of equal structure (the same variables over the same coordinates) are laid out along new
dimensions, one for each label; those of other structures have a group of the file each. A job that
failed is NaN, or -1 where there are integers, with status job_failed and its error as a text.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import math
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import archive, provenance
from pipeline.errors import ArchiveError, CobwebError
from pipeline.status import Status

Label = str | float
# Bytes of a variable that are read at once.
_PIECE = 2**26
# An archive may come from a stranger: what no result of ours reaches.
_MOST_VARIABLES, _MOST_VALUES = 1000, 10**7
# Characters of an error and of a label that are kept.
_LONGEST = 2000


@dataclass(frozen=True)
class Member:
    """One job of a collection.

    Attributes:
        labels: {what was swept: its value in this job}; the same keys in all jobs.
        path: its archive, None where it failed.
        error: why it failed.
    """

    labels: Mapping[str, Label]
    path: Path | None
    error: str = ""


@dataclass(frozen=True, eq=False)
class _Variable:
    """One variable of a member; a coordinate has its values."""

    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    attributes: Mapping[str, Any]
    values: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class _Header:
    """What is in a member but for its results."""

    attributes: Mapping[str, Any]
    variables: Mapping[str, _Variable]


def join(members: Sequence[Member], target: Path) -> None:
    """Join the results of jobs into one file, which appears under its name when it is whole.

    A member whose archive cannot be read counts as failed, with the reason as its error.

    Args:
        members: in the order in which their labels' values appear along the new dimensions.

    Raises:
        CobwebError: there are none, or two have the same labels, or others than the first.
        ArchiveError: the file cannot be written, or the disk has no room.
    """
    _check(members)
    headers: list[_Header | None] = []
    sound: list[Member] = []
    for member in members:
        header = None
        if member.path is not None:
            try:
                header = _header(member.path)
            except ArchiveError as error:
                member = _failed(member, error)
        headers.append(header)
        sound.append(member)
    parts = _parts(sound, headers)
    partial = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with archive._unwritable(target):
            _room(target, parts)
            damaged = _write(sound, headers, parts, partial, target)
            if damaged is None:
                archive._publish(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    if damaged is not None:  # found while its values were read: begin again without them
        number, error = damaged
        join([_failed(m, error) if k == number else m for k, m in enumerate(sound)], target)


def _failed(member: Member, error: Exception) -> Member:
    return dataclasses.replace(member, path=None, error=str(error))


def _check(members: Sequence[Member]) -> None:
    if not members:
        raise CobwebError("there are no results to join.")
    first = members[0].labels
    seen: dict[tuple[Label, ...], int] = {}
    for number, member in enumerate(members):
        if set(member.labels) != set(first):
            raise CobwebError(f"jobs 0 and {number} are not labelled by the same names.")
        values = tuple(member.labels[name] for name in first)
        if values in seen:
            shown = ", ".join(f"{k}={v}" for k, v in member.labels.items()) or "none"
            raise CobwebError(f"jobs {seen[values]} and {number} have the same labels: {shown}.")
        seen[values] = number


def _header(path: Path) -> _Header:
    """The variables of an archive with the values of its coordinates.

    Raises:
        ArchiveError: it is no result of one run, or it is damaged.
    """
    archive.provenance(path)  # which every archive of ours has
    with archive._opened(path) as file, archive.damage(path):
        if "status" not in file.variables or len(file.variables) > _MOST_VARIABLES:
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
                if variable.size > _MOST_VALUES:
                    raise ArchiveError(f"{path}: {name} is longer than any axis.")
                values = np.asarray(variable[...])
            attributes = {k: variable.getncattr(k) for k in variable.ncattrs()}
            attributes.pop("coordinates", None)
            found[name] = _Variable(
                variable.dimensions, variable.shape, variable.dtype, attributes, values
            )
        return _Header({k: file.getncattr(k) for k in file.ncattrs()}, found)


def _equal(one: _Header, other: _Header) -> bool:
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


@dataclass(frozen=True, eq=False)
class _Part:
    """Jobs whose results fit into one array: the whole file, or a group of it.

    Attributes:
        labels: {label: its values}; a label of one value is no dimension.
        jobs: {indices along the labels: number of the member}.
        header: of the joined variables, without the labels; None where all jobs failed.
    """

    name: str
    labels: Mapping[str, list[Label]]
    jobs: Mapping[tuple[int, ...], int]
    header: _Header | None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The labels that are dimensions."""
        return tuple(name for name, values in self.labels.items() if len(values) > 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """Their sizes."""
        return tuple(len(self.labels[name]) for name in self.dimensions)


def _parts(members: Sequence[Member], headers: Sequence[_Header | None]) -> list[_Part]:
    """The jobs by structure."""
    kinds: list[_Header] = []
    structure: list[int | None] = []
    for header in headers:
        if header is None:
            structure.append(None)
            continue
        same = next((k for k, kind in enumerate(kinds) if _equal(kind, header)), len(kinds))
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
    parts: list[_Part] = []
    for jobs in found.values():
        values = [list(dict.fromkeys(members[n].labels[name] for n in jobs)) for name in splitting]
        name = _group("_".join(_word(v) for v in itertools.chain(*values)))
        taken = {part.name for part in parts}
        while name in taken or name == "provenance":
            name += "_"
        parts.append(_part(name, jobs, members, headers))
    return parts


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


def _word(value: Label) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _group(text: str) -> str:
    """A group's name: what every reader of netCDF takes as a name and as a path."""
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:60] or "jobs"


def _part(
    name: str,
    jobs: Sequence[int],
    members: Sequence[Member],
    headers: Sequence[_Header | None],
) -> _Part:
    labels = {
        label: list(dict.fromkeys(members[n].labels[label] for n in jobs))
        for label in members[0].labels
    }
    along = [label for label, values in labels.items() if len(values) > 1]
    placed = {tuple(labels[a].index(members[n].labels[a]) for a in along): n for n in jobs}
    joined = _joined([header for n in jobs if (header := headers[n]) is not None])
    own = {"job", "job_error"}
    if joined is not None:
        own |= {*joined.variables, *(d for v in joined.variables.values() for d in v.dimensions)}
    renamed = {}
    for label, values in labels.items():
        while label in own or label in renamed:
            label += "_choice"
        renamed[label] = values
    return _Part(name, renamed, placed, joined)


def _joined(headers: Sequence[_Header]) -> _Header | None:
    """The header of the joined variables: the widest types, and the attributes that all have."""
    if not headers:
        return None
    variables = {}
    for name in headers[0].variables:
        same = [header.variables[name] for header in headers]
        widest = max(same, key=lambda variable: variable.dtype.itemsize)
        attributes = _common([variable.attributes for variable in same])
        variables[name] = dataclasses.replace(widest, attributes=attributes)
    return _Header(_common([header.attributes for header in headers]), variables)


def _common(several: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        key: value
        for key, value in several[0].items()
        if all(key in other and np.array_equal(other[key], value) for other in several[1:])
    }


def _room(target: Path, parts: Sequence[_Part]) -> None:
    size = 0
    for part in parts:
        for v in part.header.variables.values() if part.header else ():
            size += math.prod(v.shape) * v.dtype.itemsize * math.prod(part.shape)
    free = shutil.disk_usage(target.absolute().parent).free
    if size > free:
        need, have = (f"{n / 2**30:.2f} GiB" for n in (size, free))
        raise ArchiveError(f"{target}: needs {need}, and its disk has {have} free.")


def _write(
    members: Sequence[Member],
    headers: Sequence[_Header | None],
    parts: Sequence[_Part],
    path: Path,
    target: Path,
) -> tuple[int, ArchiveError] | None:
    """Write the file; the number of a member that turns out to be damaged, and how, ends it."""
    import netCDF4

    hashes: dict[str, str] = {}
    with archive._LOCK:
        file = netCDF4.Dataset(path, "w", format="NETCDF4")
        try:
            file.set_fill_off()
            file.setncatts(_attributes(members, headers))
            for part in parts:
                group = file.createGroup(part.name) if part.name else file
                digests = _declare(group, part, members)
                for place in itertools.product(*map(range, part.shape)):
                    number = part.jobs.get(place)
                    source = None if number is None else members[number].path
                    try:
                        _copy(group, part, place, source, digests)
                    except ArchiveError as error:
                        assert number is not None
                        return number, error
                stem = f"{part.name}/" if part.name else ""
                hashes |= {f"{stem}{name}": d.hexdigest() for name, d in digests.items()}
            texts = {**_texts(members, target.parent), "sha256": json.dumps(hashes, indent=1)}
            archive._describe(file, texts)
        finally:
            file.close()
    return None


def _attributes(members: Sequence[Member], headers: Sequence[_Header | None]) -> dict[str, str]:
    given = [str(header.attributes.get("references", "none")) for header in headers if header]
    references = [text for text in dict.fromkeys(given) if text != "none"]
    version = provenance.version(provenance.DISTRIBUTION)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    over = ", ".join(members[0].labels) or "nothing"
    return {
        "Conventions": "CF-1.13",
        "title": f"{len(members)} job{'s' * (len(members) > 1)}, by {over}",
        "source": f"Cobweb {version}",
        "history": f"{now} joined by Cobweb {version}",
        "references": "; ".join(references) or "none",
        "comment": "The jobs' own documents, overrides and hashes are in the group /provenance, "
        "by the number that the variable `job` has.",
    }


def _declare(group: Any, part: _Part, members: Sequence[Member]) -> dict[str, Any]:
    """Create what a part has, write all but the results; {variable: running hash}."""
    scalars = [name for name in part.labels if name not in part.dimensions]
    for name in part.dimensions:
        group.createDimension(name, len(part.labels[name]))
    for name, values in part.labels.items():
        along = (name,) if name in part.dimensions else ()
        column = values if along else values[0]
        if all(isinstance(v, int | float) for v in values):
            number = np.int64 if all(isinstance(v, int) for v in values) else np.float64
            _put(group, name, along, np.asarray(column, number), {"long_name": f"swept {name}"})
        else:
            texts = np.asarray([_word(v)[:_LONGEST] for v in values], object)
            _letters(group, name, along, texts if along else texts[0], f"swept {name}")
    jobs = np.full(part.shape, -1, np.int32)
    errors = np.full(part.shape, "there is no such job", object)
    for place, number in part.jobs.items():
        jobs[place], errors[place] = number, members[number].error[:_LONGEST]
    beside = {"coordinates": " ".join(scalars)} if scalars else {}
    _put(group, "job", part.dimensions, jobs, {"long_name": "number of the job", **beside})
    _letters(group, "job_error", part.dimensions, errors, "why the job failed", beside)
    if part.header is None:
        failed = np.full(part.shape, Status.job_failed, np.int8)
        labels = {
            "long_name": "how the cell ended",
            "flag_values": np.array([s.value for s in Status], np.int8),
            "flag_meanings": " ".join(s.name for s in Status),
            **beside,
        }
        _put(group, "status", part.dimensions, failed, labels)
        return {}
    return _results(group, part, part.header, scalars)


def _results(group: Any, part: _Part, header: _Header, scalars: Sequence[str]) -> dict[str, Any]:
    found = header.variables
    sizes = {d: s for v in found.values() for d, s in zip(v.dimensions, v.shape, strict=True)}
    for name, size in sizes.items():
        group.createDimension(name, size)
    inner = [n for n, v in found.items() if v.values is not None and v.dimensions != (n,)]
    digests = {}
    for name, v in found.items():
        if v.values is not None:
            _put(group, name, v.dimensions, v.values, v.attributes)
            continue
        shape = (*part.shape, *v.shape)
        storage: dict[str, Any] = {"contiguous": True}
        if shape and v.dtype.kind != "f" and math.prod(shape):
            chunks = (*(1 for _ in part.shape), *_chunk(v.shape, v.dtype.itemsize))
            storage = {"compression": "zlib", "complevel": 1, "shuffle": True, "fletcher32": True}
            storage["chunksizes"] = chunks
        dimensions = (*part.dimensions, *v.dimensions)
        variable = group.createVariable(name, v.dtype, dimensions, fill_value=False, **storage)
        variable.set_auto_maskandscale(False)
        beside = " ".join([*scalars, *inner])
        variable.setncatts({**v.attributes, **({"coordinates": beside} if beside else {})})
        digests[name] = _digest(name, v.dtype, shape)
    return digests


def _digest(name: str, dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    little = dtype.newbyteorder("<").str
    return hashlib.sha256(f"{name} {little} {list(shape)}\n".encode())


def _chunk(shape: tuple[int, ...], itemsize: int) -> list[int]:
    """A chunk of about a megabyte: whole inner sides, and a part of one."""
    left, sides = 2**20 // itemsize, []
    for side in reversed(shape):
        sides.insert(0, max(1, min(side, left)))
        left //= sides[0]
    return sides


def _put(
    group: Any, name: str, dimensions: Sequence[str], values: np.ndarray, labels: Mapping[str, Any]
) -> None:
    variable = group.createVariable(
        name, values.dtype, dimensions, fill_value=False, contiguous=True
    )
    variable.set_auto_maskandscale(False)
    variable.setncatts({"units": "1", **labels})
    variable[...] = values


def _letters(
    group: Any,
    name: str,
    dimensions: Sequence[str],
    texts: Any,
    long_name: str,
    labels: Mapping[str, Any] | None = None,
) -> None:
    """Texts as characters, as in an archive; every reader of CF joins them."""
    coded = np.char.encode(np.asarray(texts, str), "utf-8", "replace")
    length = max(1, coded.dtype.itemsize)
    inner = f"{name}_length"
    group.createDimension(inner, length)
    variable = group.createVariable(name, "S1", (*dimensions, inner), fill_value=False)
    variable.set_auto_maskandscale(False)
    attributes = {"_Encoding": "utf-8", "long_name": long_name, "units": "1"}
    variable.setncatts({**attributes, **(labels or {})})
    padded = np.asarray(coded, f"S{length}")
    variable[...] = np.frombuffer(padded.tobytes(), "S1").reshape((*padded.shape, length))


def _copy(
    group: Any, part: _Part, place: tuple[int, ...], path: Path | None, digests: Mapping[str, Any]
) -> None:
    """The results of one job into its place, a piece at a time; those of none, what is missing."""
    if part.header is None:
        return
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(archive._opened(path)) if path else None
        for name, v in part.header.variables.items():
            if v.values is not None:
                continue
            missing = _missing(name, v)
            for piece in _pieces(v.shape, v.dtype.itemsize):
                if source is None:
                    shape = [s.stop - s.start for s in piece]
                    values = np.full(shape, missing, v.dtype)
                else:
                    assert path is not None
                    with archive.damage(path):
                        values = np.asarray(source.variables[name][piece or ...], v.dtype)
                group.variables[name][(*place, *piece) or ...] = values
                digests[name].update(archive.canonical(values))


def _pieces(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[slice, ...]]:
    """Boxes along the first side, each of about a piece's bytes."""
    if not shape:
        yield ()
        return
    rows = max(1, _PIECE // max(1, math.prod(shape[1:]) * itemsize))
    whole = tuple(slice(0, side) for side in shape[1:])
    for first in range(0, shape[0], rows):
        yield slice(first, min(first + rows, shape[0])), *whole


def _missing(name: str, variable: _Variable) -> Any:
    """What stands for the result of a job that failed."""
    if variable.dtype.kind == "f":
        return np.nan
    if name == "status":
        return Status.job_failed
    meanings = str(variable.attributes.get("flag_meanings", "")).split()
    if "none" in meanings:
        return np.atleast_1d(variable.attributes["flag_values"])[meanings.index("none")]
    return -1 if variable.dtype.kind == "i" else 0


def _texts(members: Sequence[Member], folder: Path) -> dict[str, str]:
    """Of /provenance: once what all archives say, and for each job the rest with its labels."""
    own = [archive.provenance(m.path) if m.path is not None else {} for m in members]
    there = [texts for texts in own if texts]
    common = _common(there) if there else {}
    common.pop("sha256", None)
    found: dict[str, str] = {**common, "jobs": str(len(members))}
    for number, (member, texts) in enumerate(zip(members, own, strict=True)):
        rest = {k: v for k, v in texts.items() if k not in common}
        path = None if member.path is None else os.path.relpath(member.path, folder)
        about = {"labels": dict(member.labels), "path": path, "error": member.error}
        found[f"job_{number}"] = json.dumps({**about, **rest}, indent=1, ensure_ascii=False)
    return found
