"""Pinning: each worker takes a GPU of its own, and as many threads as it was given.

Both must be said before JAX starts. A GPU is taken by a lock on a file, which the system lets go
when the process ends, however it ends: the worker that takes a lost one's place takes its GPU.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

# How XLA is told of its threads on a processor; the second name is that of older releases.
THREADS = ("PJRT_NPROC", "NPROC")
VISIBLE = "CUDA_VISIBLE_DEVICES"
# Locks that are held until this process ends.
_HELD: list[int] = []


def pin(threads: int) -> None:
    """Tell JAX, which has not started, what of this machine is this process's."""
    for name in THREADS:
        os.environ.setdefault(name, str(threads))
    gpus = _gpus()
    if len(gpus) > 1:
        os.environ[VISIBLE] = claimed(gpus, Path(tempfile.gettempdir()))


def _gpus() -> list[str]:
    """Those that this process may use, as CUDA names them."""
    chosen = os.environ.get(VISIBLE)
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip()]
    return sorted(p.name.removeprefix("nvidia") for p in Path("/dev").glob("nvidia[0-9]*"))


def claimed(names: list[str], folder: Path) -> str:
    """The first of these that no other process has taken; one of them where all are taken."""
    for name in names:
        path = folder / f"cobweb-{os.getuid()}-gpu-{name}.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        _HELD.append(handle)
        return name
    return names[os.getpid() % len(names)]
