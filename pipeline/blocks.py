"""Kept blocks: a result too big for one file, as the pieces that workers filed, and an index.

The index is an archive of the coordinates and the provenance. In the place of the values it says
which cells each piece has and what its bytes hash to; values are read from pieces when used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline import archive, parts
from pipeline.contents import Contents
from pipeline.dataset import Entry, Template
from pipeline.errors import ForeignError
from pipeline.parts import BYTE, DIGEST, FIRST, LAST, PART

# In the folder of a run; pieces lie in a folder beside it.
INDEX = Path("result.blocks", "index.nc")


def index_of(path: str | Path) -> Path | None:
    """The index that is meant by a run's folder, that of its blocks or the index itself, if any."""
    path = Path(path)
    for candidate in (path / INDEX, path / INDEX.name, path):
        if candidate.name == INDEX.name and candidate.is_file():
            return candidate
    return None


def indexed(
    layout: Template, pieces: Sequence[tuple[int, int, str]], folder: str
) -> tuple[Template, dict[str, np.ndarray], dict[str, str]]:
    """What an index holds.

    Args:
        layout: of the result.
        pieces: (first cell, one past the last, SHA-256 of the file) of each, in order.
        folder: where they are, beside the index.

    Returns:
        (its own layout, {variable: values}, texts for its provenance).
    """
    count = len(pieces)
    kinds: dict[str, tuple[Any, tuple[int, ...], str]] = {
        FIRST: (np.int64, (count,), "first cell of the piece"),
        LAST: (np.int64, (count,), "one past the last cell of the piece"),
        DIGEST: (np.uint8, (count, 32), "SHA-256 of the file of the piece"),
    }
    entries = tuple(
        Entry(
            name,
            (PART, BYTE)[: len(shape)],
            shape,
            np.dtype(kind),
            {"long_name": meaning, "units": "1"},
        )
        for name, (kind, shape, meaning) in kinds.items()
    )
    arrays = {
        FIRST: np.array([first for first, _, _ in pieces], np.int64),
        LAST: np.array([last for _, last, _ in pieces], np.int64),
        DIGEST: np.array([list(bytes.fromhex(digest)) for _, _, digest in pieces], np.uint8),
    }
    described = [
        [e.name, list(e.dimensions), list(e.shape), e.dtype.str, _told(e.attributes)]
        for e in layout.early
    ]
    texts = {"variables": json.dumps(described), "pieces": folder}
    sizes = {**layout.sizes, PART: count, BYTE: 32}
    own = Template((count,), sizes, layout.coordinates, entries, layout.attributes)
    return own, arrays, texts


def _told(labels: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON takes them: arrays as their type and values."""
    return {k: [v.dtype.str, v.tolist()] if hasattr(v, "dtype") else v for k, v in labels.items()}


def damaged(index: Contents) -> Iterator[str]:
    """The pieces of an index that are missing or do not have their hash."""
    folder = index.path.parent / Path(index.texts["pieces"]).name
    missing = {FIRST, LAST, DIGEST} - set(index.variables)
    if missing:  # hashes may be recorded of none of them
        raise ForeignError(f"{index.path}: no index of blocks of Cobweb's.")
    firsts, lasts, digests = (index.read(name, ()).tolist() for name in (FIRST, LAST, DIGEST))
    for first, last, digest in zip(firsts, lasts, digests, strict=True):
        path = parts.path_of(folder, first, last)
        if not path.is_file():
            yield f"{path.name}: missing"
        elif parts.digest(path) != bytes(digest).hex():
            yield f"{path.name}: it does not have the hash that is recorded for it"


class Described(NamedTuple):
    """A variable whose values are in pieces, as a file would declare it."""

    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True, eq=False)
class Kept(Contents):
    """An open index, read as if it were the archive that it stands for.

    Attributes:
        arrays: {variable: its values}, read when they are indexed.
    """

    arrays: Mapping[str, Any]

    @property
    def variables(self) -> Mapping[str, Any]:
        """Those of the archive: the coordinates and what is in pieces."""
        own = {k: v for k, v in self.file.variables.items() if k not in (FIRST, LAST, DIGEST)}
        pieces = {
            name: Described(values.dims, values.shape, values.dtype)
            for name, values in self.arrays.items()
        }
        return {**own, **pieces}

    def read(self, name: str, box: tuple[slice, ...]) -> np.ndarray:
        """Some of the values of a variable."""
        if name not in self.arrays:
            return super().read(name, box)
        return self.arrays[name][(*box, ...)].values


def kept(index: Contents) -> Kept:
    """The archive that an open index stands for.

    Raises:
        ForeignError: it is no index of ours.
        DamageError: its pieces do not cover the cells.
    """
    found = archive.read(index.path)
    arrays = {str(name): values.variable for name, values in found.data_vars.items()}
    return Kept(index.path, index.texts, index.file, arrays)
