"""Bounds: what a file may declare, looked at before anything of it is read.

A file may come from a stranger, and a few bytes can declare more than any machine holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pipeline.errors import DamageError, ForeignError

# The first bytes of HDF5; other formats that netCDF reads are nothing of ours.
SIGNATURE = b"\x89HDF\r\n\x1a\n"
GROUPS, DEPTH, VARIABLES, ATTRIBUTES = 1000, 8, 100_000, 1000
# Bytes of one compressed chunk: it is unpacked as a whole.
CHUNK = 2**28
# What deflate makes of a byte, at most: 258 bytes for two bits.
DEFLATE = 1032
# Of a text that is kept elsewhere in the file, its address.
ADDRESS = 16


def begin(path: Any) -> int:
    """The size of a file that begins as HDF5 does.

    Raises:
        ForeignError: it does not.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(SIGNATURE))
    except OSError as error:
        raise ForeignError(f"{path}: cannot be read ({error.strerror}).") from None
    if head != SIGNATURE:
        raise ForeignError(f"{path}: not a netCDF file, or damaged (it does not begin as one).")
    return path.stat().st_size


def check(path: Any, file: Any, size: int) -> None:
    """Compare what an open netCDF file declares with its size.

    Raises:
        ForeignError: more groups, variables, attributes than any archive has, or other types.
        DamageError: more values than the file can hold.
    """
    variables, stored, packed = 0, 0, 0
    for count, (depth, group) in enumerate(_groups(file)):
        if count >= GROUPS or depth > DEPTH:
            raise ForeignError(f"{path}: more groups, or deeper ones, than an archive has.")
        variables += len(group.variables)
        if variables > VARIABLES:
            raise ForeignError(f"{path}: more variables than an archive has.")
        _few(path, group)
        for name, variable in group.variables.items():
            _few(path, variable)
            width = _width(path, name, variable)
            length = math.prod(variable.shape) * width
            if variable.chunking() in ("contiguous", None):
                stored += length
                continue
            if math.prod(variable.chunking()) * width > CHUNK:
                raise ForeignError(f"{path}: {_shown(name)} has chunks larger than an archive's.")
            packed += length
    if stored > size or packed > DEFLATE * size:
        claim = stored + packed
        raise DamageError(f"{path}: it declares {claim:,} bytes of values and has {size:,}.")


def _groups(file: Any) -> Iterator[tuple[int, Any]]:
    """Yield (depth, group), the file's root first."""
    open_ones = [(0, file)]
    while open_ones:
        depth, group = open_ones.pop()
        yield depth, group
        open_ones += [(depth + 1, inner) for inner in group.groups.values()]


def _few(path: Any, owner: Any) -> None:
    if len(owner.ncattrs()) > ATTRIBUTES:
        raise ForeignError(f"{path}: more attributes than an archive has.")


def _width(path: Any, name: str, variable: Any) -> int:
    """Bytes of one value in the file."""
    if variable.dtype is str:
        return ADDRESS
    # Of lists and enumerations, dtype is that of their values.
    plain = isinstance(variable.datatype, np.dtype)
    if not plain or variable.dtype.kind not in ("i", "u", "f", "S"):
        raise ForeignError(f"{path}: {_shown(name)} is of a type that no archive has.")
    return variable.dtype.itemsize


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:100])
