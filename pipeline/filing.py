"""Filing: a result is written in place, block by block, and what ends the run loses little of it.

The file grows under a temporary name beside the final one. All that describes it is written first,
and the room for every value is taken from the disk; afterwards values alone change, so that the
file can be read whatever moment the process is killed at. A journal says up to which cell the
values are safely on the disk, and what they are: a run begun again continues there. Journal and
file stand in the folder as .result.nc.journal and .result.nc.partial.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from pipeline import archive
from pipeline.errors import ArchiveError

if TYPE_CHECKING:
    from pipeline.dataset import Block, Template

# Seconds of work that a kill may lose, besides the block in hand.
COMMIT = 1.0
# Bytes read at once when the values of an earlier run are checked.
PIECE = 2**26
TIMING = (
    "timing_compile_seconds",
    "timing_run_seconds",
    "timing_steps_per_second",
    "program_bytes",
)


def partial_of(path: Path) -> Path:
    """Where a result lies until it is whole."""
    return path.with_name(f".{path.name}.partial")


def parts_of(path: Path) -> Path:
    """Where workers file their blocks until they are joined."""
    return path.with_name(f".{path.name}.blocks")


def journal_of(path: Path) -> Path:
    """What says how much of it is safe."""
    return path.with_name(f".{path.name}.journal")


def held(path: Path, folder: Path) -> int:
    """Bytes of the disk that an earlier run of a result has taken already.

    Args:
        folder: of what workers have filed.
    """
    size = 0
    for place in (partial_of(path), *folder.glob("*/*.zip")):
        with contextlib.suppress(FileNotFoundError):
            size += place.stat().st_blocks * 512
    return size


class Filing:
    """One result on its way to the disk; a context that leaves it whole, or ready to go on.

    Attributes:
        done: cells that are safe, the first ones.
        texts: /provenance of the file that is continued; None where none is.
    """

    def __init__(self, path: Path) -> None:
        """Take the folder for this run.

        Raises:
            ArchiveError: another run is filing there, or the folder cannot be written to.
        """
        self.path, self.partial, self.journal = path, partial_of(path), journal_of(path)
        self.done = 0
        self._file: Any = None
        self._begun = False
        with unwritable(path):
            self._log = self._locked()
        self.texts = self._earlier()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._file is not None:
                with contextlib.suppress(OSError, RuntimeError):
                    self.commit()
                with archive.LOCK, contextlib.suppress(RuntimeError):
                    self._file.close()
            if not self.done and (self.texts is None or self._begun):
                self.partial.unlink(missing_ok=True)
                self.journal.unlink(missing_ok=True)
        finally:
            os.close(self._log)

    def begin(self, template: Template, texts: Mapping[str, str]) -> None:
        """Lay the file out, or check what an earlier run has left of the same one.

        Raises:
            ArchiveError: the disk has no room.
        """
        self._template = template
        self._hashes = archive.headings(template)
        self._begun = True
        with unwritable(self.path):
            if self.texts is None or not self._continued():
                self.done = 0
                self._lay_out(texts)
            self._file = self._open("r+")
        self._at, self._committed = self.done, time.monotonic()

    def put(self, first: int, last: int, results: Mapping[str, np.ndarray]) -> None:
        """Write the values of some cells, which follow those before.

        Raises:
            ArchiveError: they cannot be written.
        """
        assert first == self._at, (first, self._at)
        with unwritable(self.path):
            with archive.LOCK:
                for entry in self._template.early:
                    values = np.asarray(results[entry.name], entry.dtype)
                    self._hashes[entry.name].update(archive.canonical(values))
                    target = self._file.variables[entry.name]
                    for box, piece in archive.boxes(self._template.grid, first, last):
                        shape = tuple(side.stop - side.start for side in box)
                        target[box or ...] = values[piece].reshape(shape + values.shape[1:])
            self._at = last
            if time.monotonic() - self._committed >= COMMIT:
                self.commit()

    def earlier(self) -> Iterator[dict[str, np.ndarray]]:
        """{variable: [cells]} the codes that an earlier run has filed, part by part."""
        coded = [e for e in self._template.early if "flag_meanings" in e.attributes]
        for first, last in _pieces(0, self.done, self._template.cell_bytes):
            found = {}
            with archive.LOCK:
                for entry in coded:
                    variable = self._file.variables[entry.name]
                    boxes = archive.boxes(self._template.grid, first, last)
                    parts = [np.asarray(variable[box or ...]).ravel() for box, _ in boxes]
                    found[entry.name] = np.concatenate(parts)
            yield found

    def read(self, name: str, index: tuple[int | slice, ...]) -> np.ndarray:
        """Values of a variable that blocks have brought, by an index of its leading axes."""
        with archive.LOCK:
            return np.asarray(self._file.variables[name][index or ...])

    def add(self, results: Mapping[str, np.ndarray]) -> None:
        """Write the variables that come as a whole, once, all blocks being there.

        Raises:
            ArchiveError: they cannot be written.
        """
        with unwritable(self.path):
            self.commit()
            with archive.LOCK:
                for entry in self._template.late:
                    values = np.asarray(results[entry.name], entry.dtype)
                    self._hashes[entry.name].update(archive.canonical(values))
                    self._file.variables[entry.name][...] = values
                self._file.sync()

    def commit(self) -> None:
        """Bring all that was written to the disk, then say so in the journal."""
        if self._at == self.done:
            return
        with archive.LOCK:
            self._file.sync()
        _fsync(self.partial)
        digests = {name: digest.hexdigest() for name, digest in self._hashes.items()}
        self._note({"cells": self._at, "sha256": digests})
        self.done, self._committed = self._at, time.monotonic()

    def finish(self, timing: Mapping[str, float]) -> None:
        """Give the whole file its name.

        Raises:
            ArchiveError: it cannot be written.
        """
        texts = {name: digest.hexdigest() for name, digest in self._hashes.items()}
        with unwritable(self.path):
            self.commit()
            with archive.LOCK:
                group = self._file.groups["provenance"]
                group.variables["sha256"][...] = archive.letters(_listed(texts))
                for name in TIMING:
                    group.setncattr(name, float(timing[name]))
                self._file.close()
            self._file = None
            publish(self.partial, self.path)
            self.journal.unlink(missing_ok=True)

    def _locked(self) -> int:
        """The journal, which no other process has; a new empty one where there was none."""
        while True:
            handle = os.open(self.journal, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                reason = "another run is filing its result here"
                raise ArchiveError(
                    f"{self.path.parent}: {reason}; wait, or choose another folder."
                ) from None
            # Whoever had it may have finished and taken the journal away.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.stat(self.journal), os.fstat(handle)):
                    return handle
            os.close(handle)

    def _earlier(self) -> dict[str, str] | None:
        """What an earlier run says of its file; None where nothing of it can be continued."""
        if not self._records() or not self.partial.exists():
            return None
        try:
            return archive.provenance(self.partial)
        except ArchiveError:
            return None

    def _records(self) -> list[dict[str, Any]]:
        """The lines of the journal, up to the first that was not written to its end."""
        records = []
        for line in self.journal.read_bytes().splitlines():
            mark, _, text = line.partition(b" ")
            if mark != _mark(text):
                break
            records.append(json.loads(text))
        return records

    def _note(self, record: Mapping[str, Any]) -> None:
        text = json.dumps(record).encode()
        os.write(self._log, _mark(text) + b" " + text + b"\n")
        os.fsync(self._log)

    def _lay_out(self, texts: Mapping[str, str]) -> None:
        """All of the file but its values, and the room for these."""
        os.ftruncate(self._log, 0)
        self.partial.unlink(missing_ok=True)
        with archive.LOCK, contextlib.closing(self._open("w")) as file:
            archive.declare(file, self._template)
            blank = _listed(dict.fromkeys(self._hashes, "0" * 64))
            archive.describe(file, {**texts, "sha256": blank})
            file.groups["provenance"].setncatts(dict.fromkeys(TIMING, 0.0))
        with open(self.partial, "r+b") as raw:
            size = os.fstat(raw.fileno()).st_size
            if size:
                os.posix_fallocate(raw.fileno(), 0, size)
            os.fsync(raw.fileno())
        self._note({"variables": self._shape()})
        _fsync(self.path.parent)

    def _shape(self) -> list[list[Any]]:
        return [[e.name, e.dtype.str, list(e.shape)] for e in self._template.variables]

    def _continued(self) -> bool:
        """Whether the file is laid out as it should be; what is safe of it is checked and kept."""
        head, *records = self._records()
        if head.get("variables") != self._shape():
            return False
        file = self._open("r")
        try:
            hashes = {name: digest.copy() for name, digest in self._hashes.items()}
            for record in records:
                last = record["cells"]
                for first, end in _pieces(self.done, last, self._template.cell_bytes):
                    self._read(file, hashes, first, end)
                if {n: d.hexdigest() for n, d in hashes.items()} != record["sha256"]:
                    break
                self.done = last
                self._hashes = {name: digest.copy() for name, digest in hashes.items()}
        finally:
            with archive.LOCK:
                file.close()
        return True

    def _read(self, file: Any, hashes: Mapping[str, Any], first: int, last: int) -> None:
        with archive.LOCK:
            for entry in self._template.early:
                variable = file.variables[entry.name]
                for box, _ in archive.boxes(self._template.grid, first, last):
                    values = np.asarray(variable[box or ...])
                    hashes[entry.name].update(archive.canonical(values))

    def _open(self, mode: Literal["r", "r+", "w"]) -> Any:
        import netCDF4

        with archive.LOCK:
            file = netCDF4.Dataset(self.partial, mode, format="NETCDF4")
            file.set_auto_maskandscale(False)
            file.set_auto_chartostring(False)
            return file


def write(
    template: Template,
    blocks: Iterable[Block],
    path: Path,
    texts: Mapping[str, str],
    timing: Mapping[str, float] = MappingProxyType(dict.fromkeys(TIMING, 0.0)),
) -> None:
    """File a result whose blocks are at hand, from its first cell on.

    Args:
        blocks: (first cell, one past the last, {variable: [last - first, ...]}), in order.
        texts: of the group /provenance; the hashes are added.

    Raises:
        ArchiveError: the folder cannot be written to, or the disk is full.
    """
    with Filing(path) as result:
        result.texts = None
        result.begin(template, texts)
        for first, last, results in blocks:
            result.put(first, last, results)
        result.finish(timing)


@contextlib.contextmanager
def unwritable(path: Path) -> Iterator[None]:
    """What the system says of a file that cannot be written, as an error of ours."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith("NetCDF:"):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ArchiveError(f"{path}: cannot be written ({reason}); is the disk full?") from None


def publish(partial: Path, path: Path) -> None:
    """Move a closed file to its final name so that it survives a power cut."""
    _fsync(partial)
    os.replace(partial, path)
    _fsync(path.parent)


def _pieces(first: int, last: int, cell_bytes: int) -> Iterator[tuple[int, int]]:
    step = max(1, PIECE // max(1, cell_bytes))
    for at in range(first, last, step):
        yield at, min(at + step, last)


def _mark(text: bytes) -> bytes:
    """What tells a line that was cut short, or never written, from a whole one."""
    return f"{zlib.crc32(text):08x}".encode()


def _listed(digests: Mapping[str, str]) -> str:
    return json.dumps(dict(digests), indent=1)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
