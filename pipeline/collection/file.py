"""The file of a collection, written a piece of one member at a time."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import archive, provenance
from pipeline.collection.header import Header, Variable, common
from pipeline.collection.member import Member
from pipeline.collection.part import Part, word
from pipeline.errors import ArchiveError
from pipeline.status import Status

# Bytes of a variable that are read at once.
_PIECE = 2**26
# Characters of an error and of a label that are kept.
_LONGEST = 2000


def room(target: Path, parts: Sequence[Part]) -> None:
    """Whether the disk has room; raises ArchiveError."""
    size = 0
    for part in parts:
        for v in part.header.variables.values() if part.header else ():
            size += math.prod(v.shape) * v.dtype.itemsize * math.prod(part.shape)
    free = shutil.disk_usage(target.absolute().parent).free
    if size > free:
        need, have = (f"{n / 2**30:.2f} GiB" for n in (size, free))
        raise ArchiveError(f"{target}: needs {need}, and its disk has {have} free.")


def write(
    members: Sequence[Member],
    headers: Sequence[Header | None],
    parts: Sequence[Part],
    path: Path,
    target: Path,
) -> tuple[int, ArchiveError] | None:
    """Write the file; the number of a member that turns out to be damaged, and how, ends it."""
    import netCDF4

    hashes: dict[str, str] = {}
    with archive.LOCK:
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
            archive.describe(file, texts)
        finally:
            file.close()
    return None


def _attributes(members: Sequence[Member], headers: Sequence[Header | None]) -> dict[str, str]:
    given = [str(header.attributes.get("references", "none")) for header in headers if header]
    references = [text for text in dict.fromkeys(given) if text != "none"]
    version = provenance.version(provenance.DISTRIBUTION)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    over = f", by {', '.join(members[0].labels)}" if members[0].labels else ""
    return {
        "Conventions": "CF-1.13",
        "title": f"{len(members)} job{'s' * (len(members) > 1)}{over}",
        "source": f"Cobweb {version}",
        "history": f"{now} joined by Cobweb {version}",
        "references": "; ".join(references) or "none",
        "comment": "The jobs' own documents, overrides and hashes are in the group /provenance, "
        "by the number that the variable `job` has.",
    }


def _declare(group: Any, part: Part, members: Sequence[Member]) -> dict[str, Any]:
    """Create what a part has, write all but the results; {variable: running hash}."""
    scalars = [name for name in part.labels if name not in part.dimensions]
    for name in part.dimensions:
        group.createDimension(name, len(part.labels[name]))
    for name, values in part.labels.items():
        along = (name,) if name in part.dimensions else ()
        column = values if along else values[0]
        if all(isinstance(v, int | float) for v in values):
            number = np.int64 if all(isinstance(v, int) for v in values) else np.float64
            _put(
                group, name, along, np.asarray(column, number), {"long_name": f"{name} of the job"}
            )
        else:
            texts = np.asarray([word(v)[:_LONGEST] for v in values], object)
            _letters(group, name, along, texts if along else texts[0], f"{name} of the job")
    jobs = np.full(part.shape, -1, np.int32)
    errors = np.full(part.shape, "there is no such job", object)
    for place, number in part.jobs.items():
        jobs[place], errors[place] = number, members[number].error[:_LONGEST]
    beside = {"coordinates": " ".join(scalars)} if scalars else {}
    _put(group, "job", part.dimensions, jobs, {"long_name": "number of the job", **beside})
    _letters(group, "job_error", part.dimensions, errors, "why the job failed", beside)
    _costs(group, part, members, beside)
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


def _costs(group: Any, part: Part, members: Sequence[Member], beside: Mapping[str, str]) -> None:
    """What each job took, which no hash covers; NaN of those that failed."""
    found = {name: np.full(part.shape, np.nan) for name in archive.COSTS}
    for place, number in part.jobs.items():
        path = members[number].path
        for name, value in archive.costs(path).items() if path is not None else ():
            found[name][place] = value
    for name, cost in archive.COSTS.items():
        labels = {"long_name": f"{cost.long_name}, of the job", "units": cost.units, **beside}
        _put(group, name, part.dimensions, found[name], labels)


def _results(group: Any, part: Part, header: Header, scalars: Sequence[str]) -> dict[str, Any]:
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
        dimensions = (*part.dimensions, *v.dimensions)
        variable = group.createVariable(
            name, v.dtype, dimensions, fill_value=False, contiguous=True
        )
        variable.set_auto_maskandscale(False)
        beside = " ".join([*scalars, *inner])
        variable.setncatts({**v.attributes, **({"coordinates": beside} if beside else {})})
        digests[name] = _digest(name, v.dtype, shape)
    return digests


def _digest(name: str, dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    little = dtype.newbyteorder("<").str
    return hashlib.sha256(f"{name} {little} {list(shape)}\n".encode())


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
    group: Any, part: Part, place: tuple[int, ...], path: Path | None, digests: Mapping[str, Any]
) -> None:
    """The results of one job into its place, a piece at a time; those of none, what is missing.

    Raises:
        ArchiveError: they cannot be read, or are not those that were filed.
    """
    found = part.header.variables if part.header else {}
    results = {name: v for name, v in found.items() if v.values is None}
    if path is None:
        for name, v in results.items():
            for piece in _pieces(v.shape, v.dtype.itemsize):
                sides = [side.stop - side.start for side in piece]
                values = np.full(sides, _missing(name, v), v.dtype)
                group.variables[name][(*place, *piece) or ...] = values
                digests[name].update(archive.canonical(values))
        return
    filed = _filed(path)
    with archive._opened(path) as source:
        for name, v in results.items():
            there = source.variables[name]
            own = _digest(name, there.dtype, v.shape)
            for piece in _pieces(v.shape, v.dtype.itemsize):
                with archive.damage(path):
                    values = np.asarray(there[piece or ...])
                own.update(archive.canonical(values))
                values = values.astype(v.dtype)
                group.variables[name][(*place, *piece) or ...] = values
                digests[name].update(archive.canonical(values))
            if filed.get(name) != own.hexdigest():
                raise ArchiveError(f"{path}: damaged ({name} is not what was filed).")


def _filed(path: Path) -> dict[str, Any]:
    """{variable: its hash} as an archive has them."""
    try:
        found = json.loads(archive.provenance(path).get("sha256", ""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _pieces(shape: tuple[int, ...], itemsize: int) -> Iterator[tuple[slice, ...]]:
    """Boxes along the first side, each of about a piece's bytes."""
    if not shape:
        yield ()
        return
    rows = max(1, _PIECE // max(1, math.prod(shape[1:]) * itemsize))
    whole = tuple(slice(0, side) for side in shape[1:])
    for first in range(0, shape[0], rows):
        yield slice(first, min(first + rows, shape[0])), *whole


def _missing(name: str, variable: Variable) -> Any:
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
    shared = common(there) if there else {}
    shared.pop("sha256", None)
    found: dict[str, str] = {**shared, "jobs": str(len(members))}
    for number, (member, texts) in enumerate(zip(members, own, strict=True)):
        rest = {k: v for k, v in texts.items() if k not in shared}
        path = None if member.path is None else os.path.relpath(member.path, folder)
        about = {"labels": dict(member.labels), "path": path, "error": member.error}
        found[f"job_{number}"] = json.dumps({**about, **rest}, indent=1, ensure_ascii=False)
    return found
