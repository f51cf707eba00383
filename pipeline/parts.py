"""Parts: the blocks of one task, in a file that is whole or not there.

A part is a zip of arrays of NumPy's, stored as they are: its name says which cells it has, its
checksums (CRC-32) that it is as it was written. Workers write parts side by side, which no file
of netCDF allows; only the driver writes the result.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import struct
import uuid
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from pipeline.errors import DamageError

# What an index has of parts that are kept; no name of a document begins so.
PART, BYTE = "_part", "_byte"
FIRST, LAST, DIGEST = "_part_first", "_part_last", "_part_sha256"
# What Python says of zips and arrays that are none, or of another kind than those written here.
FAULTS = (
    *(zipfile.BadZipFile, ValueError, EOFError, KeyError, MemoryError),
    *(NotImplementedError, RuntimeError, OverflowError, SyntaxError, struct.error),
)
NAMED = re.compile(r"(\d{15,19})-(\d{15,19})\.zip")


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def path_of(folder: Path, first: int, last: int) -> Path:
    """Where the part of some cells is."""
    return folder / f"{first:015d}-{last:015d}.zip"


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """File a part under its name, whole.

    Raises:
        OSError: it cannot be written.
    """
    # Two workers may write the same one, where the first is thought to be lost.
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with open(partial, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as whole:
                for name, values in arrays.items():
                    with whole.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, np.asarray(values), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read(
    path: Path, names: Collection[str] | None = None, most: int = 2**62
) -> dict[str, np.ndarray]:
    """{variable: its rows} of a part.

    Args:
        names: of the variables that are wanted, all if None.
        most: bytes that one of them may take.

    Raises:
        FileNotFoundError: there is none.
        DamageError: it is not as it was written, or has no such variable.
    """
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as whole:
            wanted = whole.namelist() if names is None else [f"{name}.npy" for name in names]
            for name in wanted:
                member = whole.getinfo(name)
                # What is packed, or overlaps, could unpack to more than any memory holds.
                if member.compress_type or member.file_size > min(most, size):
                    raise DamageError(f"{path}: damaged (its {name} is too large).")
            return {name.removesuffix(".npy"): _array(whole, name) for name in wanted}
    except FAULTS as error:
        raise DamageError(f"{path}: damaged ({error}).") from None
    except OSError as error:
        if error.errno == errno.EINVAL:  # a place before the file's beginning
            raise DamageError(f"{path}: damaged ({error}).") from None
        raise


def _array(whole: zipfile.ZipFile, name: str) -> np.ndarray:
    with whole.open(name) as member:
        values = np.lib.format.read_array(member, allow_pickle=False)
        member.read(1)  # the end, where the checksum is compared
        return values


def there(folder: Path) -> tuple[tuple[int, int], ...]:
    """(first cell, one past the last) of the parts in a folder, in order, none over another."""
    kept: list[tuple[int, int]] = []
    for first, last in _named(folder):
        if last > first and (not kept or first >= kept[-1][1]):
            kept.append((first, last))
    return tuple(kept)


def _named(folder: Path) -> list[tuple[int, int]]:
    found = (NAMED.fullmatch(name) for name in os.listdir(folder))
    return sorted((int(match[1]), int(match[2])) for match in found if match)


def remove(folder: Path, upto: int) -> None:
    """Let go the parts before a cell."""
    for first, last in _named(folder):
        if last <= upto:
            with contextlib.suppress(FileNotFoundError):
                path_of(folder, first, last).unlink()


def settle(folder: Path, kept: Collection[tuple[int, int, str]]) -> None:
    """Bring the names of what is kept to the disk, and let go what killed workers have left.

    Args:
        kept: (first cell, one past the last, ...) of each part.
    """
    names = {path_of(folder, first, last).name for first, last, _ in kept}
    for name in os.listdir(folder):
        if ".zip" in name and name not in names:
            with contextlib.suppress(FileNotFoundError):
                (folder / name).unlink()
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
