"""Gathering: archives below a folder in one file, labelled by how their documents differ."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import archive, collection, notation
from pipeline.collection import Member
from pipeline.config import jobs
from pipeline.config.jobs import Label
from pipeline.errors import ArchiveError, CobwebError

COLLECTION = "collection.nc"
# A folder of more is more likely the wrong one.
MOST_ARCHIVES = 10_000
# Documents come with archives from strangers: what no document of ours reaches.
LONGEST_DOCUMENT = 4_000_000
MOST_KEYS, DEEPEST = 100_000, 20
LONGEST_LABEL = 80
# What tells results apart before anything else, as a reader would name it.
CHOICES: dict[str, str] = {
    "map.name": "map",
    "objective.name": "objective",
    "solver.name": "solver",
    "analysis": "analysis",
    "device.precision": "precision",
}
# How a result is computed and shown, not what it is; the experiment's name is what else differs.
ASIDE = ("figure.", "engine.", "dry_run", "device.memory", "device.compile_cache", "experiment")
NONE = "none"
# Combinations of labels for each archive: the file has room for all of them.
SPARSEST = 10


@dataclass(frozen=True)
class Gathered:
    """What was joined.

    Attributes:
        members: archives in it.
        labels: {label: its values in order}.
        left: why other files are not in it.
    """

    path: Path
    members: int
    labels: Mapping[str, tuple[Label, ...]]
    left: tuple[str, ...]


def collect(folder: Path, target: Path | None = None) -> Gathered:
    """Join the archives below a folder.

    Args:
        target: the file; collection.nc in the folder by default. An earlier collection is replaced.

    Raises:
        CobwebError: no such folder, nothing to join in it, or a target that is something else.
    """
    target = target or folder / COLLECTION
    _check(folder, target)
    documents: dict[Path, dict[str, Label]] = {}
    left: list[str] = []
    joined: list[str] = []
    for path in _archives(folder, target):
        try:
            texts = archive.provenance(path)
        except ArchiveError as error:
            left.append(str(error))
            continue
        if "pieces" in texts:
            left.append(f"{path}: an index of kept blocks, which are too much for one file.")
            continue
        if "jobs" in texts:
            joined.append(f"{path}: joins runs itself; collect the folder of their archives.")
            continue
        documents[path] = _flat(_document(texts.get("document", "")))
    if not documents:
        raise CobwebError("\n".join([*left, *joined, f"{folder}: no archive of a run below it."]))
    labels = _labels(folder, documents)
    members = [Member(labels[path], path) for path in _ordered(labels)]
    collection.join(members, target)
    names = members[0].labels
    values = {name: tuple(dict.fromkeys(m.labels[name] for m in members)) for name in names}
    return Gathered(target, len(documents), values, tuple(left))


def _check(folder: Path, target: Path) -> None:
    if not folder.is_dir():
        raise CobwebError(f"{folder}: no such folder.")
    if not target.parent.is_dir():
        raise CobwebError(f"{target.parent}: no such folder.")
    if target.exists():
        try:
            ours = "jobs" in archive.provenance(target)
        except ArchiveError:
            ours = False
        if not ours:
            raise CobwebError(f"{target}: is there already and joins no runs; choose another file.")


def _archives(folder: Path, target: Path) -> Iterator[Path]:
    """Files of netCDF below a folder, in the order of their paths; hidden ones are unfinished."""
    found = 0
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root) / name
            if name.startswith(".") or path.suffix != ".nc" or path.absolute() == target.absolute():
                continue
            found += 1
            if found > MOST_ARCHIVES:
                raise CobwebError(f"{folder}: more than {MOST_ARCHIVES:,} archives below it.")
            yield path


def _document(text: str) -> Any:
    """Plain data, {} where there is none."""
    if len(text) > LONGEST_DOCUMENT:
        return {}
    try:
        return notation.read(text)
    except notation.Fault:
        return {}


def _flat(document: Any) -> dict[str, Label]:
    """{dotted key: number or text} of what a document says of its result."""
    found: dict[str, Label] = {}

    def add(key: str, value: Any, depth: int) -> None:
        if len(found) > MOST_KEYS or depth > DEEPEST or key.startswith(ASIDE):
            return
        if key == "analysis" and isinstance(value, dict):
            found[key] = " ".join(map(str, value)) or NONE
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                add(f"{key}.{name}" if key else str(name), inner, depth + 1)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[key] = value
        elif key != "analysis":
            # Bounded by MOST_KEYS alone, aliases could make a small text an endless one.
            found[key] = value if isinstance(value, str) else _short(value)

    add("", document if isinstance(document, dict) else {}, 0)
    return found


def _short(value: Any) -> str:
    """A list, a truth or nothing, as text of bounded length."""
    pieces, size = [], 0
    try:
        for piece in json.JSONEncoder(default=str).iterencode(value):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_LABEL:
                break
    except (ValueError, RecursionError):
        pieces.append("...")
    return "".join(pieces)


def _labels(folder: Path, documents: Mapping[Path, Mapping[str, Label]]) -> dict[Path, dict]:
    """{archive: its labels}: as few keys as tell the archives apart, choices first.

    A key is taken where archives that agree in all keys before it differ. Archives of equal
    documents are told apart by their folders, and so are all where few combinations of the labels
    would be there.
    """
    every = list(dict.fromkeys(key for flat in documents.values() for key in flat))
    classes: list[list[Path]] = [list(documents)]
    taken: list[str] = []
    for key in [*(key for key in CHOICES if key in every), *(k for k in every if k not in CHOICES)]:
        finer = [part for one in classes for part in _split(one, key, documents)]
        if len(finer) > len(classes):
            taken.append(key)
            classes = finer
    shown = {key: CHOICES.get(key, key) for key in taken}
    short = jobs.labels(list(shown.values()))
    names = {key: short[text] for key, text in shown.items()}
    found = {
        path: {names[key]: _cut(flat.get(key, NONE)) for key in taken}
        for path, flat in documents.items()
    }
    sizes = [len({each[name] for each in found.values()}) for name in names.values()]
    if math.prod(sizes) > SPARSEST * len(found):
        found = {path: {} for path in documents}
    if len({tuple(each.items()) for each in found.values()}) < len(found):
        name = "folder" if "folder" not in names.values() else "folder_path"
        places = {path: path.relative_to(folder) for path in documents}
        whole = len({place.parent for place in places.values()}) < len(places)
        for path, place in places.items():
            found[path][name] = str(place if whole else place.parent)
    return found


def _ordered(labels: Mapping[Path, Mapping[str, Label]]) -> list[Path]:
    """The archives so that numbers along a label rise; texts keep the order of the paths."""

    def place(path: Path) -> list[float]:
        columns = ((name, [each[name] for each in labels.values()]) for name in labels[path])
        return [
            float(labels[path][name]) if _numeric(column) else column.index(labels[path][name])
            for name, column in columns
        ]

    return sorted(labels, key=place)


def _numeric(column: Sequence[Label]) -> bool:
    return not any(isinstance(value, str) for value in column)


def _split(
    paths: Sequence[Path], key: str, documents: Mapping[Path, Mapping[str, Label]]
) -> list[list[Path]]:
    """The archives by their value of a key."""
    parts: dict[tuple[bool, Label], list[Path]] = {}
    for path in paths:
        value = documents[path].get(key, NONE)
        parts.setdefault((isinstance(value, str), value), []).append(path)
    return list(parts.values())


def _cut(value: Label) -> Label:
    """A label of bounded length, with nothing in it that a terminal would obey."""
    if not isinstance(value, str):
        return float(value)
    return "".join(c if c.isprintable() else "?" for c in value[:LONGEST_LABEL])
