"""Contents: an archive that is open, read a bounded piece at a time."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import archive, notation
from pipeline.errors import ForeignError

# Bytes that are read at once.
PIECE = 2**24


@dataclass(frozen=True, eq=False)
class Contents:
    """An open archive.

    Attributes:
        texts: of the group /provenance.
        file: of netCDF4, its values as they are stored.
    """

    path: Path
    texts: Mapping[str, str]
    file: Any

    @property
    def variables(self) -> Mapping[str, Any]:
        """Of the file's root."""
        return self.file.variables

    def attributes(self, owner: Any) -> dict[str, str]:
        """Of the file, a group or a variable, as texts to be shown."""
        with archive.damage(self.path):
            found = {name: owner.getncattr(name) for name in owner.ncattrs()}
        return {name: str(value) for name, value in found.items()}

    def names(self) -> Iterator[str]:
        """The paths of all variables but those of /provenance: x, group/x."""
        waiting = [("", self.file)]
        while waiting:
            where, group = waiting.pop()
            yield from (f"{where}{name}" for name in group.variables)
            inner = [g for g in group.groups if g != "provenance"]
            waiting += [(f"{where}{name}/", group.groups[name]) for name in reversed(inner)]

    @property
    def joined(self) -> bool:
        """Whether it was made of several archives, and has no document of its own to compute."""
        return "jobs" in self.texts or "document" not in self.texts

    def document(self) -> dict[str, Any]:
        """The document, plain data.

        Raises:
            ForeignError: it is none, or is too large or too deep.
        """
        try:
            found = notation.read(self.texts["document"])
        except notation.Fault as fault:
            place = f", line {fault.mark.line + 1}" if fault.mark else ""
            reason = notation.printable(fault.reason)
            raise ForeignError(f"{self.path}: its document{place}: {reason}.") from None
        if not isinstance(found, dict):
            raise ForeignError(f"{self.path}: its document has no keys and values.")
        return found

    def table(self, name: str) -> dict[str, Any]:
        """A text of JSON, such as `plan`.

        Raises:
            ForeignError: it is none, or no table of names.
        """
        try:
            found = json.loads(self.texts.get(name, "{}"))
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ForeignError(f"{self.path}: /provenance/{name} cannot be read.")
        return found

    def hashes(self) -> dict[str, str]:
        """{variable: its recorded SHA-256}."""
        found = self.table("sha256")
        if not all(isinstance(v, str) and re.fullmatch("[0-9a-f]{64}", v) for v in found.values()):
            raise ForeignError(f"{self.path}: /provenance/sha256 cannot be read.")
        return found

    def digest(self, name: str) -> str:
        """The SHA-256 of a variable's content, as it is read now.

        Args:
            name: its path in the file: x, group/x.
        """
        variable = self.file[name]
        shape, kind = variable.shape, variable.dtype
        little = kind.newbyteorder("<").str
        own = name.rpartition("/")[2]
        digest = hashlib.sha256(f"{own} {little} {list(shape)}\n".encode())
        for box in pieces(shape, kind.itemsize):
            digest.update(archive.canonical(self.read(name, box)))
        return digest.hexdigest()

    def read(self, name: str, box: tuple[slice, ...]) -> np.ndarray:
        """Some of the values of a variable.

        Raises:
            DamageError: they cannot be read.
        """
        with archive.damage(self.path):
            values = np.asarray(self.file[name][box or ...])
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def index(self, name: str, index: tuple[int | slice, ...]) -> np.ndarray:
        """Values of a variable by an index of its leading axes.

        Raises:
            DamageError: they cannot be read.
        """
        box = tuple(slice(i, i + 1) if isinstance(i, int) else i for i in index)
        values = self.read(name, box)
        kept = tuple(0 if isinstance(i, int) else slice(None) for i in index)
        return values[kept]

    def cells(self, name: str, grid: tuple[int, ...], first: int, last: int) -> np.ndarray:
        """[last - first, ...] The values of some cells of the flattened grid."""
        own = self.variables[name].shape[len(grid) :]
        boxes = archive.boxes(grid, first, last)
        parts = [self.read(name, box).reshape(-1, *own) for box, _ in boxes]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


@contextmanager
def opened(path: str | Path) -> Iterator[Contents]:
    """An archive, whatever it declares compared with its size first.

    Raises:
        ForeignError: the file is no archive.
        DamageError: it cannot be read.
    """
    path = Path(path)
    texts = archive.provenance(path)
    with archive._opened(path) as file:
        yield Contents(path, texts, file)


def pieces(shape: tuple[int, ...], width: int) -> Iterator[tuple[slice, ...]]:
    """Boxes that cover an array in the order of its values, each of bounded size."""
    count, step = math.prod(shape), max(1, PIECE // width)
    for first in range(0, count, step):
        for box, _ in archive.boxes(shape, first, min(first + step, count)):
            yield box
