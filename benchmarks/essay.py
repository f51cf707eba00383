"""What does each way to write an iteration cost? A loop in Python, compiled, rolled, mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import measure
import numpy as np

# An unrolled loop of twice as many steps, half of them kept, takes five times as long to compile:
# two thousand would take most of an hour, and more memory than most machines have.
UNROLLED = (12, 25, 50, 100)
# Orbits that are drawn to a stable cycle agree to rounding, chaotic ones by their mean.
ROUNDING, SAMPLING = 1e-9, 5


@dataclass(frozen=True)
class Iteration:
    """One study: a map of arrays, what it starts from, how many steps are dropped and kept."""

    name: str
    g: Callable[[Any, Any], Any]
    x0: np.ndarray
    p: np.ndarray
    transient: int
    length: int
    document: tuple[str, ...]


def bifurcation(small: bool) -> Iteration:
    """The logistic map's orbits for 600 parameters, 1000 of 2000 steps kept."""
    num, steps = (12, 20) if small else (600, 1000)
    a = 3.4 + 0.6 * np.arange(num) / num
    document = (
        *("experiment=logistic_bifurcation", f"grid.a.step={0.6 / num!r}"),
        *(f"iterate.transient={steps}", f"iterate.length={steps}"),
    )
    name = f"logistic bifurcation, {num} x {2 * steps}"
    g = lambda x, a: a * x - a * x**2  # noqa: E731
    return Iteration(name, g, np.full(num, 0.5), a, steps, steps, document)


def basin(small: bool) -> Iteration:
    """The last state of (x^2 + 21)/10 from 38 starts."""
    steps = 20 if small else 500
    x0 = np.arange(-9, 10, 0.5)
    document = ("experiment=quadratic_basin", f"iterate.length={steps}")
    g = lambda x, _: (x**2 + 21) / 10  # noqa: E731
    name = f"quadratic basin, {x0.size} x {steps}"
    return Iteration(name, g, x0, np.zeros(x0.size), steps, 0, document)


def looped(study: Iteration, x: Any, p: Any, xp: Any) -> Any:
    """The Python loop: [n, c] the states kept, or [c] the last one."""
    for _ in range(study.transient):
        x = study.g(x, p)
    rows = []
    for _ in range(study.length):
        x = study.g(x, p)
        rows.append(x)
    return xp.stack(rows) if study.length else x


def first(f: Callable[[], Any]) -> tuple[np.ndarray, float]:
    """What a function gives, and by how many seconds its first call took longer than its second."""
    begun = perf_counter()
    result = np.asarray(jax.block_until_ready(f()))
    return result, max(0.0, perf_counter() - begun - measure.timed(f))


def unrolled(study: Iteration) -> Callable[[], Any]:
    """The Python loop, compiled as it is."""
    whole = jax.jit(lambda x, p: looped(study, x, p, jnp))
    return lambda: whole(study.x0, study.p)


def ways(study: Iteration) -> dict[str, Callable[[], Any]]:
    """{name: () -> [n, c] the states kept, or [c] the last one}."""
    g, x0, p, transient, length = study.g, study.x0, study.p, study.transient, study.length

    def rolled(x: Any, p: Any) -> Any:
        x = jax.lax.fori_loop(0, transient, lambda _, x: g(x, p), x)
        rows = jax.lax.scan(lambda x, _: (g(x, p),) * 2, x, length=length)[1]
        return rows if length else x

    def numpy() -> Any:
        # Starts that escape overflow, as they should.
        with np.errstate(over="ignore"):
            return looped(study, x0, p, np)

    whole = jax.jit(rolled)
    mapped = jax.jit(jax.vmap(rolled, out_axes=-1))
    few = {} if length > max(UNROLLED) else {"jit of the Python loop": unrolled(study)}
    return {
        "NumPy loop": numpy,
        **few,
        "jit of a rolled loop": lambda: whole(x0, p),
        "jit of vmap of a rolled loop": lambda: mapped(x0, p),
    }


def check(name: str, study: Iteration, found: np.ndarray, other: np.ndarray) -> None:
    """Regular orbits point by point, all of them on average."""
    if study.length:
        regular = study.p < 3.5
        measure.close(name, other[:, regular], found[:, regular], ROUNDING)
        error = SAMPLING * found.std() / np.sqrt(study.p.size)
        measure.close(name, other.mean(), found.mean(), error)
    else:
        bounded = np.isfinite(found)
        if not (bounded == np.isfinite(other)).all():
            raise SystemExit(f"{name}: other starts escape")
        measure.close(name, other[bounded], found[bounded], ROUNDING)


def main(small: bool) -> measure.Study:
    result = measure.Study("The ways to write an iteration")
    for study in (bifurcation(small), basin(small)):
        ours = measure.prepare(*study.document)
        arrays = ours.compute()
        found = arrays["x"].T if study.length else arrays["x_final"]
        compiling = [["Cobweb", measure.time(ours.compile_seconds)]]
        contenders: dict[str, Callable[[], Any]] = {"compiled program": ours.compute}
        for name, f in ways(study).items():
            other, seconds = first(f)
            check(name, study, found, other)
            if name != "NumPy loop":
                compiling.append([name, measure.time(seconds)])
            contenders[name] = f
        result.rows += measure.race(study.name, contenders, repeats=2 if small else 15)
        head = ["way", "the first call took longer by"]
        result.tables.append(measure.Table(f"Compile time: {study.name}", head, compiling))
    long = bifurcation(small)
    lengths = UNROLLED[:2] if small else UNROLLED
    shorter = [replace(long, transient=n, length=n) for n in lengths]
    rows = [[f"{s.transient} + {s.length}", measure.time(first(unrolled(s))[1])] for s in shorter]
    title = "Compile time: jit of the Python loop, logistic map"
    result.tables.append(measure.Table(title, ["steps dropped + kept", "time"], rows))
    return result


if __name__ == "__main__":
    measure.main(main)
