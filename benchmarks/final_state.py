"""How fast are many orbits iterated? Logistic map, the state after the last step."""

from __future__ import annotations

import ctypes
import functools
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import measure
import numpy as np

import pipeline

START = 0.5
LOW, HIGH = 3.4, 4.0
TARGETS = {
    "jit(vmap(scan))": 3,
    "C, plain": 2,
    "numba prange fastmath": 20,
    "C, vectorised by hand": 0.85,
}
# The peers of a whole run, which composes and checks the document as well.
WHOLE = ["jit(vmap(scan))", "numba prange fastmath"]
# Plain C as its author compiles it; OpenMP shares the cells among the cores.
FLAGS = "-O3 -march=native -ffast-math -fopenmp -shared -fPIC".split()
# Orbits of so few steps agree point by point, whatever the arithmetic; later only on average.
SHORT, ROUNDING = 8, {np.float64: 1e-10, np.float32: 1e-2}
# Five standard errors of the mean over the cells.
SAMPLING = 5


def loop(a: np.ndarray, steps: int) -> np.ndarray:
    """A loop over NumPy arrays."""
    x = np.full_like(a, START)
    for _ in range(steps):
        x = a * x - a * x**2
    return x


def obvious(steps: int) -> Callable[[Any], Any]:
    """What a JAX user writes first."""

    def orbit(a: Any) -> Any:
        step = lambda x, _: (a * x - a * x**2, None)  # noqa: E731
        return jax.lax.scan(step, jnp.full_like(a, START), length=steps)[0]

    return jax.jit(jax.vmap(orbit))


def unrolled(steps: int, block: int = 32768) -> Callable[[Any], Any]:
    """Unrolled by 8, over blocks that fit the cache: what a loop costs that checks nothing."""

    def orbits(a: Any) -> Any:
        step = lambda x, _: (a * x - a * x**2, None)  # noqa: E731
        return jax.lax.scan(step, jnp.full_like(a, START), length=steps, unroll=8)[0]

    compiled = jax.jit(orbits)
    return lambda a: jnp.concatenate(
        [compiled(a[first : first + block]) for first in range(0, len(a), block)]
    )


def compiled_loop() -> Callable[[np.ndarray, int], np.ndarray]:
    """What a numba user writes."""
    import numba

    @numba.njit(parallel=True, fastmath=True)
    def final(a: np.ndarray, start: Any, steps: int, out: np.ndarray) -> None:
        for c in numba.prange(a.size):
            p, x = a[c], start
            for _ in range(steps):
                x = p * x - p * x * x
            out[c] = x

    def run(a: np.ndarray, steps: int) -> np.ndarray:
        out = np.empty_like(a)
        final(a, a.dtype.type(START), steps, out)
        return out

    return run


@contextmanager
def library() -> Iterator[ctypes.CDLL | None]:
    """The C programs, compiled into a folder that is gone afterwards."""
    gcc = measure.compiler()
    if gcc is None:
        yield None
        return
    source = Path(__file__).with_name("logistic.c")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "logistic.so"
        subprocess.run([gcc, *FLAGS, "-o", target, source], check=True)
        yield ctypes.CDLL(str(target))


def foreign(lib: ctypes.CDLL, name: str, dtype: type) -> Callable[[np.ndarray, int], np.ndarray]:
    """One of its functions."""
    real = ctypes.c_double if dtype is np.float64 else ctypes.c_float
    width = "double" if dtype is np.float64 else "single"
    f, pointer = getattr(lib, f"{name}_{width}"), ctypes.POINTER(real)
    f.argtypes = [pointer, real, pointer, ctypes.c_long, ctypes.c_long]
    f.restype = None

    def run(a: np.ndarray, steps: int) -> np.ndarray:
        out = np.empty_like(a)
        f(a.ctypes.data_as(pointer), START, out.ctypes.data_as(pointer), a.size, steps)
        return out

    return run


def overrides(cells: int, steps: int, dtype: type) -> list[str]:
    precision = "double" if dtype is np.float64 else "single"
    return [
        *("experiment=orbit", "map=logistic", "analysis=[final]", "iterate.transient=0"),
        *(f"iterate.length={steps}", f"device.precision={precision}", f"map.initial.x={START}"),
        measure.axis("a", LOW, HIGH, cells),
    ]


def peers(lib: ctypes.CDLL | None, dtype: type) -> dict[str, Callable[[np.ndarray, int], Any]]:
    """{name: (values of a, steps) -> final states}."""

    def scanned(make: Callable[[int], Callable[[Any], Any]]) -> Callable[[np.ndarray, int], Any]:
        programs = functools.cache(make)
        return lambda a, steps: programs(steps)(a)

    found: dict[str, Callable[[np.ndarray, int], Any]] = {
        "jit(vmap(scan))": scanned(obvious),
        "jit(scan), unrolled, no status": scanned(unrolled),
    }
    if lib is not None:
        found["C, plain"] = foreign(lib, "plain", dtype)
        found["C, in blocks of cells"] = foreign(lib, "blocked", dtype)
        found["C, vectorised by hand"] = foreign(lib, "hand", dtype)
        found["C, by hand and factored"] = foreign(lib, "factored", dtype)
    if measure.has("numba"):
        found["numba prange fastmath"] = compiled_loop()
    return found | {"NumPy loop": loop}


def check(name: str, f: Callable[[np.ndarray, int], Any], dtype: type, cells: int, steps: int):
    """Short orbits point by point, long ones on average."""
    for length, tolerance in ((SHORT, ROUNDING[dtype]), (steps, None)):
        found = measure.prepare(*overrides(cells, length, dtype)).compute()["x_final"]
        other = np.asarray(f(np.linspace(LOW, HIGH, cells).astype(dtype), length))
        if tolerance is None:
            error = SAMPLING * found.std() * np.sqrt(2 / cells)
            measure.close(name, other.mean(), found.mean(), error)
        else:
            measure.close(name, other, found, tolerance)


def main(small: bool) -> measure.Study:
    cells, steps, repeats = (256, 100, 2) if small else (131072, 1000, 15)
    study = measure.Study("Final states of the logistic map: how fast are many orbits iterated?")
    compiling = []
    with library() as lib:
        for dtype in (np.float64, np.float32):
            a = np.linspace(LOW, HIGH, cells).astype(dtype)
            rivals = peers(lib, dtype)
            document = overrides(cells, steps, dtype)
            ours = measure.prepare(*document)
            for name, f in rivals.items():
                check(name, f, dtype, cells, steps)
            compiling.append([a.dtype.name, measure.time(ours.compile_seconds)])
            runs = {name: lambda f=f, a=a: f(a, steps) for name, f in rivals.items()}
            case = f"{cells} cells x {steps} steps, {a.dtype.name}"
            contenders = {"compiled program": ours.compute, **runs}
            study.rows += measure.race(case, contenders, repeats=repeats, targets=TARGETS)
            whole = {"pipeline.run": lambda d=document: pipeline.run(*d, "figure=none")}
            rest = {name: runs[name] for name in WHOLE if name in runs}
            study.rows += measure.race(case, {**whole, **rest}, repeats=min(5, repeats))
    study.tables.append(measure.Table("Compile time of the program", ["type", "time"], compiling))
    return study


if __name__ == "__main__":
    measure.main(main)
