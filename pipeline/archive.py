"""The archive: the layout of one netCDF file, and how it is read back.

Results lie contiguous and uncompressed, each value at its place from the start (zlib takes 20 MB/s
for 15 % of chaotic doubles); coordinates are compressed and carry fletcher32. Every variable's
content has its SHA-256, taken of its type, shape and little-endian bytes in C order, so that it
does not depend on the library that wrote the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline import bounds
from pipeline.errors import DamageError, ForeignError

if TYPE_CHECKING:
    import xarray

    from pipeline.dataset import Template


class Cost(NamedTuple):
    """A number that an archive has of its run: the attribute, and how a sweep describes it."""

    attribute: str
    units: str
    long_name: str


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
        return "LOCK"


# netcdf-c is not thread-safe: values that xarray reads later on take this lock too.
LOCK = Lock()
# An archive may come from a stranger: texts beyond this, one or all, are not read.
LONGEST_TEXT, LONGEST_TEXTS = 2**24, 2**26
# What a run cost, by attributes of /provenance, and the variables that a sweep makes of them. They
# are no content: nothing hashes or compares them.
COSTS: Mapping[str, Cost] = {
    "job_compile_seconds": Cost("timing_compile_seconds", "s", "time that compiling took"),
    "job_run_seconds": Cost("timing_run_seconds", "s", "time that running took"),
    "job_program_bytes": Cost("program_bytes", "byte", "memory of the compiled program"),
}
# Nothing in an archive is scaled, and no number is a date, whatever a stranger's attributes say.
AS_STORED: Any = {"mask_and_scale": False, "decode_times": False}


def headings(template: Template) -> dict[str, Any]:
    """{variable: the hash that its values are added to}; coordinates are complete."""
    hashes = {}
    for entry in (*template.coordinates, *template.variables):
        little = entry.dtype.newbyteorder("<").str
        hashes[entry.name] = hashlib.sha256(f"{entry.name} {little} {list(entry.shape)}\n".encode())
        if entry.values is not None:
            hashes[entry.name].update(canonical(entry.values))
    return hashes


def declare(file: Any, template: Template) -> None:
    """Create dimensions and variables, write the coordinates, give every result its place."""
    file.set_fill_off()
    file.setncatts(dict(template.attributes))
    for name, size in template.sizes.items():
        file.createDimension(name, size)
    beside = [c.name for c in template.coordinates if (c.name,) != c.dimensions]
    for entry in (*template.coordinates, *template.variables):
        storage: dict[str, Any] = {"contiguous": True}
        if entry.values is not None and entry.values.size and entry.shape:
            storage = {"compression": "zlib", "complevel": 1, "shuffle": True, "fletcher32": True}
        variable = file.createVariable(
            entry.name, entry.dtype, entry.dimensions, fill_value=False, **storage
        )
        variable.set_auto_maskandscale(False)
        attributes = dict(entry.attributes)
        if entry.values is None and beside:
            attributes["coordinates"] = " ".join(beside)
        variable.setncatts(attributes)
        if entry.values is not None:
            variable[...] = entry.values
        elif math.prod(entry.shape):
            # HDF5 finds a place for the values when the first of them comes.
            variable[(-1,) * len(entry.shape) or ...] = 0


def describe(file: Any, texts: Mapping[str, str]) -> None:
    """Write the texts into the group /provenance."""
    group = file.createGroup("provenance")
    for name, text in texts.items():
        # Characters, not strings of netCDF: netcdf-c 4.10 crashes at the third opening of a file
        # that has chunks, where strings were read from the second beside the first.
        content, length = letters(text), f"{name}_length"
        group.createDimension(length, content.size)
        variable = group.createVariable(name, "S1", (length,), fill_value=False)
        labels = {"_Encoding": "utf-8", "long_name": name.replace("_", " "), "units": "1"}
        variable.setncatts(labels)
        variable[...] = content


def letters(text: str) -> np.ndarray:
    """[n] A text as the characters that a file holds."""
    return np.frombuffer(text.encode(errors="replace") or b"\0", "S1")


def boxes(
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
            for box, piece in boxes(shape[1:], offset, offset + end - at):
                moved = slice(piece.start + at - first, piece.stop + at - first)
                yield (slice(row, row + 1), *box), moved
        at = end


def canonical(values: np.ndarray) -> memoryview:
    """The bytes that are hashed: little-endian, C order."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).data


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A file for reading, its values as they are stored; what it declares is looked at first.

    Raises:
        ForeignError: there is none, or it is no archive.
        DamageError: it cannot be read, or declares more than it can hold.
    """
    import netCDF4

    if not path.is_file():
        raise ForeignError(f"{path}: no such file.")
    size = bounds.begin(path)
    with LOCK:
        # netCDF4 leaves out, with a warning, what has a type that it does not know; links that lead
        # out of the file, and groups that are too deep, end in errors of Python.
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("error", "WARNING: ", UserWarning)
                file = netCDF4.Dataset(path)
        except (OSError, RuntimeError, AttributeError, UserWarning) as error:
            raise DamageError(f"{path}: not a netCDF file, or damaged ({error}).") from None
        try:
            with damage(path):
                bounds.check(path, file, size)
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
        raise DamageError(f"{path}: damaged ({error}).") from None


def provenance(path: str | Path) -> dict[str, str]:
    """The texts of the group /provenance of a file.

    Raises:
        ArchiveError: the file is not one of ours, or a text in it is absurdly long.
    """
    path = Path(path)
    with _opened(path) as file:
        if "provenance" not in file.groups:
            raise ForeignError(f"{path}: no group /provenance, so it is no archive of Cobweb's.")
        texts, total = {}, 0
        for name, variable in file.groups["provenance"].variables.items():
            if variable.dtype != "S1" or len(variable.shape) != 1:
                raise ForeignError(f"{path}: /provenance/{name} is not a text.")
            total += variable.size
            if variable.size > LONGEST_TEXT or total > LONGEST_TEXTS:
                raise ForeignError(f"{path}: /provenance/{name} is longer than an archive's text.")
            with damage(path):
                letters = variable[...].tobytes()
            texts[name] = letters.rstrip(b"\0").decode(errors="replace")
        return texts


def attributes(path: str | Path, group: str = "") -> dict[str, Any]:
    """The attributes of a file (title, history, references, ...) or of a group in it."""
    with _opened(Path(path)) as file, damage(path):
        there = file.groups[group] if group else file
        return {name: there.getncattr(name) for name in there.ncattrs()}


def costs(path: str | Path) -> dict[str, float]:
    """{variable of `COSTS`: its value} of an archive; NaN of what it does not say."""
    found = attributes(path, "provenance")
    there = {name: found.get(cost.attribute, math.nan) for name, cost in COSTS.items()}
    known = {name: isinstance(value, float | np.floating) for name, value in there.items()}
    return {name: float(value) if known[name] else math.nan for name, value in there.items()}


def groups(path: str | Path) -> list[str]:
    """The groups that hold results: those of a sweep whose jobs differ in structure."""
    with _opened(Path(path)) as file:
        return [name for name in file.groups if name != "provenance"]


def read(path: str | Path, group: str = "") -> xarray.Dataset:
    """The dataset of an archive, or of a group in it, its values read when they are used.

    The attribute `document` holds the document as YAML, so that it can be drawn. Of an index of
    kept blocks the dataset is what it stands for.
    """
    import xarray

    texts = provenance(path)
    with LOCK, damage(path):
        dataset = found = xarray.open_dataset(
            path, engine="netcdf4", group=group or None, lock=LOCK, **AS_STORED
        )
    if "pieces" in texts:
        from pipeline import pieces

        found = pieces.joined(dataset, texts, Path(path))
    signed = found.assign_attrs(document=texts.get("document", ""))
    signed.set_close(dataset.close)  # which a copy does not have
    return signed
