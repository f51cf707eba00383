"""What does each way to write an iteration cost? A loop in Python, compiled, rolled, mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import measure
import numpy as np

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


def ways(study: Iteration) -> dict[str, Callable[[], Any]]:
    """{name: () -> [n, c] the states kept, or [c] the last one}."""
    g, x0, p, transient, length = study.g, study.x0, study.p, study.transient, study.length

    def looped(x: Any, p: Any, xp: Any) -> Any:
        for _ in range(transient):
            x = g(x, p)
        rows = []
        for _ in range(length):
            x = g(x, p)
            rows.append(x)
        return xp.stack(rows) if length else x

    def rolled(x: Any, p: Any) -> Any:
        x = jax.lax.fori_loop(0, transient, lambda _, x: g(x, p), x)
        rows = jax.lax.scan(lambda x, _: (g(x, p),) * 2, x, length=length)[1]
        return rows if length else x

    def numpy() -> Any:
        # Starts that escape overflow, as they should.
        with np.errstate(over="ignore"):
            return looped(x0, p, np)

    unrolled = jax.jit(lambda x, p: looped(x, p, jnp))
    whole = jax.jit(rolled)
    mapped = jax.jit(jax.vmap(rolled, out_axes=-1))
    return {
        "NumPy loop": numpy,
        "jit of the Python loop": lambda: unrolled(x0, p),
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
            begun = perf_counter()
            other = np.asarray(jax.block_until_ready(f()))
            first = perf_counter() - begun
            check(name, study, found, other)
            compiling.append([name, measure.time(max(0.0, first - measure.timed(f)))])
            contenders[name] = f
        result.rows += measure.race(study.name, contenders, repeats=2 if small else 15)
        head = ["way", "the first call took longer by"]
        result.tables.append(measure.Table(f"Compile time: {study.name}", head, compiling))
    return result


if __name__ == "__main__":
    measure.main(main)
