"""The archive: one netCDF file that appears whole or not at all, and how it is read back.

Floating-point results are written once, contiguous and uncompressed (zlib takes 20 MB/s for 15 % of
chaotic doubles); integers and labels are compressed and carry fletcher32. Every variable's content
has its SHA-256, taken of its type, shape and little-endian bytes in C order, so that it does not
depend on the library that wrote the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ArchiveError

if TYPE_CHECKING:
    import xarray

    from pipeline.dataset import Block, Entry, Template


class Lock:
    """A reentrant lock, the same one for the whole process, which datasets may be pickled with."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.acquire, self.release = self._lock.acquire, self._lock.release

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __reduce__(self) -> str:
        return "_LOCK"


# netcdf-c is not thread-safe: values that xarray reads later on take this lock too.
_LOCK = Lock()
# An archive may come from a stranger: texts beyond this are not read.
LONGEST_TEXT = 2**24


def write(
    template: Template,
    blocks: Iterable[Block],
    path: Path,
    provenance: Mapping[str, str],
    timing: Callable[[], Mapping[str, float]] = dict,
) -> None:
    """Write the file from blocks of cells, under a temporary name until it is whole.

    Args:
        blocks: (first cell, one past the last, {variable: [last - first, ...]}), in order.
        provenance: the texts of the group /provenance; the hashes are added.
        timing: asked when the last block is written: the attributes of that group.

    Raises:
        ArchiveError: the folder cannot be written to, or the disk is full.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with _unwritable(path):
            _fill(template, blocks, partial, provenance, timing)
            _publish(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    """What the system says of a file that cannot be written, as an error of ours."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith("NetCDF:"):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ArchiveError(f"{path}: cannot be written ({reason}); is the disk full?") from None


def _fill(
    template: Template,
    blocks: Iterable[Block],
    path: Path,
    provenance: Mapping[str, str],
    timing: Callable[[], Mapping[str, float]],
) -> None:
    import netCDF4

    with _LOCK:
        file = netCDF4.Dataset(path, "w", format="NETCDF4")
    try:
        with _LOCK:
            hashes = _declare(file, template)
        for first, last, results in blocks:
            with _LOCK:
                for entry in template.variables:
                    values = np.asarray(results[entry.name], entry.dtype)
                    hashes[entry.name].update(canonical(values))
                    own = values.shape[1:]
                    for box, piece in _boxes(template.grid, first, last):
                        shape = tuple(side.stop - side.start for side in box)
                        target = file.variables[entry.name]
                        target[box or ...] = values[piece].reshape(shape + own)
        texts = {name: digest.hexdigest() for name, digest in hashes.items()}
        with _LOCK:
            _describe(file, {**provenance, "sha256": json.dumps(texts, indent=1)})
            file.groups["provenance"].setncatts(dict(timing()))
    finally:
        with _LOCK:
            file.close()


def _declare(file: Any, template: Template) -> dict[str, Any]:
    """Create dimensions and variables, write the coordinates; return {variable: running hash}."""
    file.set_fill_off()
    file.setncatts(dict(template.attributes))
    for name, size in template.sizes.items():
        file.createDimension(name, size)
    hashes = {}
    for entry in (*template.coordinates, *template.variables):
        storage: dict[str, Any] = {"contiguous": True}
        if entry.shape and entry.dtype.kind == "i" and math.prod(entry.shape):
            storage = {"compression": "zlib", "complevel": 1, "shuffle": True, "fletcher32": True}
        variable = file.createVariable(
            entry.name, entry.dtype, entry.dimensions, fill_value=False, **storage
        )
        variable.set_auto_maskandscale(False)
        attributes = dict(entry.attributes)
        beside = [c.name for c in template.coordinates if (c.name,) != c.dimensions]
        if entry.values is None and beside:
            attributes["coordinates"] = " ".join(beside)
        variable.setncatts(attributes)
        hashes[entry.name] = _heading(entry)
        if entry.values is not None:
            variable[...] = entry.values
            hashes[entry.name].update(canonical(entry.values))
    return hashes


def _describe(file: Any, texts: Mapping[str, str]) -> None:
    group = file.createGroup("provenance")
    for name, text in texts.items():
        # Characters, not strings of netCDF: netcdf-c 4.10 crashes at the third opening of a file
        # that has chunks, where strings were read from the second beside the first.
        letters = np.frombuffer(text.encode(errors="replace") or b"\0", "S1")
        length = f"{name}_length"
        group.createDimension(length, letters.size)
        variable = group.createVariable(name, "S1", (length,), fill_value=False)
        labels = {"_Encoding": "utf-8", "long_name": name.replace("_", " "), "units": "1"}
        variable.setncatts(labels)
        variable[...] = letters


def _publish(partial: Path, path: Path) -> None:
    """Move a closed file to its final name so that it survives a power cut."""
    for target in (partial, path.parent):
        if target is not partial:
            os.replace(partial, path)
        handle = os.open(target, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _boxes(
    shape: tuple[int, ...], first: int, last: int
) -> Iterator[tuple[tuple[slice, ...], slice]]:
    """Split cells first ... last - 1 of a flattened grid into boxes, the largest there are.

    Yields:
        (the box: one slice for each axis, the slice of the block that fills it).
    """
    if not shape:
        yield (), slice(0, 1)
        return
    inner, at = math.prod(shape[1:]), first
    while at < last:
        row, offset = divmod(at, inner)
        rows = (last - at) // inner
        if offset == 0 and rows:
            end = at + rows * inner
            whole = tuple(slice(0, side) for side in shape[1:])
            yield (slice(row, row + rows), *whole), slice(at - first, end - first)
        else:
            end = min(last, (row + 1) * inner)
            for box, piece in _boxes(shape[1:], offset, offset + end - at):
                moved = slice(piece.start + at - first, piece.stop + at - first)
                yield (slice(row, row + 1), *box), moved
        at = end


def _heading(entry: Entry) -> Any:
    little = entry.dtype.newbyteorder("<").str
    return hashlib.sha256(f"{entry.name} {little} {list(entry.shape)}\n".encode())


def canonical(values: np.ndarray) -> memoryview:
    """The bytes that are hashed: little-endian, C order."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).data


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import netCDF4

    if not path.is_file():
        raise ArchiveError(f"{path}: no such file.")
    with _LOCK:
        try:
            file = netCDF4.Dataset(path)
        except OSError as error:
            raise ArchiveError(f"{path}: not a netCDF file, or damaged ({error}).") from None
        try:
            file.set_auto_maskandscale(False)
            file.set_auto_chartostring(False)
            yield file
        finally:
            file.close()


@contextlib.contextmanager
def damage(path: str | Path) -> Iterator[None]:
    """What netCDF says of values that it cannot read, as an error of ours."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("NetCDF:"):
            raise
        raise ArchiveError(f"{path}: damaged ({error}).") from None


def provenance(path: str | Path) -> dict[str, str]:
    """The texts of the group /provenance of a file.

    Raises:
        ArchiveError: the file is not one of ours, or a text in it is absurdly long.
    """
    path = Path(path)
    with _opened(path) as file:
        if "provenance" not in file.groups:
            raise ArchiveError(f"{path}: no group /provenance, so it is no archive of Cobweb's.")
        texts = {}
        for name, variable in file.groups["provenance"].variables.items():
            if variable.dtype != "S1" or len(variable.shape) != 1:
                raise ArchiveError(f"{path}: /provenance/{name} is not a text.")
            if variable.size > LONGEST_TEXT:
                raise ArchiveError(f"{path}: /provenance/{name} is longer than an archive's text.")
            with damage(path):
                letters = variable[...].tobytes()
            texts[name] = letters.rstrip(b"\0").decode(errors="replace")
        return texts


def read(path: str | Path) -> xarray.Dataset:
    """The dataset of an archive, its values read when they are used.

    The attribute `document` holds the document as YAML, so that it can be drawn.
    """
    import xarray

    document = provenance(path).get("document", "")
    with _LOCK, damage(path):
        dataset = xarray.open_dataset(path, engine="netcdf4", lock=_LOCK)
    signed = dataset.assign_attrs(document=document)
    signed.set_close(dataset.close)  # which a copy does not have
    return signed
