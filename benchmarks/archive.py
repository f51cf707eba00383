"""How fast does a result become a file, and how much memory does a large one take?"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import measure
import numpy as np
import xarray

import pipeline

LOW, HIGH, START = 3.4, 4.0, 0.5
# The other one should be hidden behind it.
SLOWER, TARGET = "the slower of computing and raw writing", 0.77
# A result of three times as much, and the bytes that its process may take, Python and JAX included.
MEMORY, MOST = "512MiB", 1.5e9
# Bytes handed to the system at once.
CHUNK = 2**24

RUN = """
import resource, sys
import pipeline
pipeline.run(*sys.argv[2:], folder=sys.argv[1]).close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def overrides(cells: int, length: int) -> list[str]:
    return [
        *("experiment=orbit", "map=logistic", "figure=none", f"map.initial.x={START}"),
        *("iterate.transient=1000", f"iterate.length={length}"),
        measure.axis("a", LOW, HIGH, cells),
    ]


def by_hand(cells: int, length: int, path: Path) -> Callable[[], None]:
    """What a user writes: compute everything, label it, save it."""

    @jax.jit
    def orbits(a: Any) -> Any:
        step = lambda x, _: (a * x - a * x**2,) * 2  # noqa: E731
        start = jax.lax.scan(step, jnp.full_like(a, START), length=1000)[0]
        return jax.lax.scan(step, start, length=length)[1].T

    def run() -> None:
        a = np.linspace(LOW, HIGH, cells)
        values = np.asarray(orbits(a))
        labels = {"a": a, "iteration": np.arange(1001, 1001 + length)}
        xarray.Dataset({"x": (("a", "iteration"), values)}, labels).to_netcdf(path)
        synchronise(path)

    return run


def synchronise(path: Path) -> None:
    """Wait until the file is on the disk, as an archive is when a run is over."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def written(path: Path, size: int) -> None:
    """So many bytes of noise, one after another, as fast as the disk takes them."""
    noise = np.random.default_rng(0).bytes(CHUNK)
    with path.open("wb") as file:
        for done in range(0, size, CHUNK):
            file.write(noise[: size - done])
    synchronise(path)


def main(small: bool) -> measure.Study:
    cells, length, repeats = (64, 50, 1) if small else (131072, 2000, 3)
    size = cells * length * 8
    case, document = f"{size / 1e9:.3g} GB of doubles", overrides(cells, length)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        path = folder / "file"

        def empty() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

        # First: on Linux a process inherits the peak of the one that it was started by.
        peak, kept = memory(overrides(cells, 3 * length), folder)
        empty()
        ours, saved = measure.prepare(*document), by_hand(cells, length, path)
        saved()  # compiles
        check(path, document, folder)
        contenders = {
            "pipeline.run into a folder": lambda: pipeline.run(*document, folder=folder).close(),
            "computing alone": ours.exhaust,
            "raw writing alone": lambda: written(path, size),
            "compute all, then to_netcdf": saved,
        }
        rows = measure.race(case, contenders, repeats=repeats, before=empty)
    alone = zip(rows[0].peer_seconds, rows[1].peer_seconds, strict=True)
    slower = [max(pair) for pair in alone]
    rows.append(measure.Row(case, rows[0].ours, SLOWER, rows[0].ours_seconds, slower, TARGET))
    verdict = "met" if peak < MOST else "missed"
    table = measure.Table(
        "Memory of a large archive",
        ["file", "device.memory", "peak of the process", "target"],
        [[f"{kept / 1e9:.2f} GB", MEMORY, f"{peak / 1e9:.2f} GB", f"{MOST / 1e9} GB: {verdict}"]],
    )
    return measure.Study("Archives: how long from the start to the closed file?", rows, [table])


def memory(document: list[str], folder: Path) -> tuple[int, int]:
    """The bytes that a process takes at its peak, and those of the file that it writes."""
    peak = int(measure.child(RUN, str(folder), *document, f"device.memory={MEMORY}")) * 1024
    return peak, (folder / "result.nc").stat().st_size


def check(path: Path, document: list[str], folder: Path) -> None:
    """Both files have the same shape, and the same mean as far as chaos lets it be known."""
    with pipeline.run(*document, folder=folder) as ours, xarray.open_dataset(path) as other:
        if ours["x"].shape != other["x"].shape:
            raise SystemExit(f"shapes {ours['x'].shape} and {other['x'].shape}")
        found, expected = (np.asarray(ds["x"][::97, -50:]) for ds in (ours, other))
    measure.close("to_netcdf", expected.mean(), found.mean(), 5 * found.std() / np.sqrt(len(found)))


if __name__ == "__main__":
    measure.main(main)
