"""Kept blocks: a result too big for one file, as the pieces that workers filed, and an index.

The index is an archive of the coordinates and the provenance. In the place of the values it says
which cells each piece has and what its bytes hash to; values are read from pieces when used.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import archive
from pipeline.dataset import Entry, Template
from pipeline.errors import DamageError, ForeignError

if TYPE_CHECKING:
    import xarray

# In the folder of a run; pieces lie in a folder beside it.
INDEX = Path("result.blocks", "index.nc")
# Begins with what no name of a document does.
PART, FIRST, LAST, DIGEST = "_part", "_part_first", "_part_last", "_part_sha256"
# Bytes of one chunk of Dask's, about.
CHUNK = 2**27


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
            (PART, "_byte")[: len(shape)],
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
    sizes = {**layout.sizes, PART: count, "_byte": 32}
    own = Template((count,), sizes, layout.coordinates, entries, layout.attributes)
    return own, arrays, texts


def read(index: Path) -> xarray.Dataset:
    """The dataset of kept blocks, its values read when they are used; chunked where Dask is there.

    Raises:
        ForeignError: it is no such index.
        DamageError: pieces are missing.
    """
    import xarray
    from xarray.core import indexing

    from pipeline.pieces import Pieces

    texts = archive.provenance(index)
    with archive.read(index) as there:
        coordinates = {name: c.load().variable for name, c in there.coords.items()}
        attributes = dict(there.attrs)
        try:
            firsts, lasts = (there[name].values for name in (FIRST, LAST))
            described = json.loads(texts["variables"])
            folder = index.parent / _plain(texts["pieces"])
            grid = tuple(described[0][2])
        except (KeyError, ValueError, IndexError):
            raise ForeignError(f"{index}: no index of blocks of Cobweb's.") from None
    cells = math.prod(grid)
    whole = len(firsts) and firsts[0] == 0 and lasts[-1] == cells
    if not whole or (firsts[1:] != lasts[:-1]).any() or (firsts >= lasts).any():
        raise DamageError(f"{index}: its pieces do not cover its {cells:,} cells.")
    variables = {}
    for name, dimensions, shape, kind, labels in described:
        values = Pieces(folder, name, tuple(shape), np.dtype(kind), grid, lasts)
        lazy = indexing.LazilyIndexedArray(values)
        variables[name] = xarray.Variable(dimensions, lazy, _labels(labels))
    dataset = xarray.Dataset(variables, coordinates, attributes)
    if grid and find_spec("dask"):
        widest = max(v.nbytes for v in dataset.data_vars.values())
        rows = max(1, grid[0] * CHUNK // max(1, widest))
        dataset = dataset.chunk({str(described[0][1][0]): rows})
    return dataset


def _told(labels: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON takes them: arrays as their type and values."""
    return {k: [v.dtype.str, v.tolist()] if hasattr(v, "dtype") else v for k, v in labels.items()}


def _labels(told: Mapping[str, Any]) -> dict[str, Any]:
    return {k: np.array(v[1], v[0]) if isinstance(v, list) else v for k, v in told.items()}


def _plain(name: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{16}", name):
        raise ValueError(name)
    return name
