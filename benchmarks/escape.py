"""How fast is an escape-time picture? The Mandelbrot set, where cells leave one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import measure
import numpy as np

RADIUS = 2.0
WINDOW = {"c_re": (-2.0, 1.0), "c_im": (-1.0, 1.0)}
TARGETS = {"jit(vmap(while_loop))": 12, "numba prange": 1.3}
# Contracting a*b + c moves the last bit, and with it the count of points next to the boundary.
DIFFERENT = 0.002


def obvious(steps: int) -> Callable[[Any], Any]:
    """What a JAX user writes first: each point to its own end, in real arithmetic."""

    def count(c: Any) -> Any:
        def inside(carry: Any) -> Any:
            n, z = carry
            return (n < steps) & (z.real**2 + z.imag**2 <= RADIUS**2)

        n, z = jax.lax.while_loop(
            inside, lambda carry: (carry[0] + 1, carry[1] ** 2 + c), (0, jnp.zeros_like(c))
        )
        return jnp.where(z.real**2 + z.imag**2 <= RADIUS**2, -1, n)

    return jax.jit(jax.vmap(count))


def compiled_loop(steps: int) -> Callable[[np.ndarray], np.ndarray]:
    """What a numba user writes; rows are handed out as cores become free."""
    import numba

    @numba.njit(parallel=True, fastmath=True)
    def counts(c: np.ndarray, out: np.ndarray) -> None:
        for i in numba.prange(c.size):
            a, b = c[i].real, c[i].imag
            x, y, n = 0.0, 0.0, 0
            while n < steps and x * x + y * y <= RADIUS * RADIUS:
                x, y = x * x - y * y + a, 2 * x * y + b
                n += 1
            out[i] = -1 if x * x + y * y <= RADIUS * RADIUS else n

    def run(c: np.ndarray) -> np.ndarray:
        out = np.empty(c.size, np.int32)
        with_chunks = numba.set_parallel_chunksize(4096)
        counts(c, out)
        numba.set_parallel_chunksize(with_chunks)
        return out

    return run


def main(small: bool) -> measure.Study:
    width, height, steps, repeats = (24, 16, 100, 2) if small else (1200, 800, 2000, 5)
    ours = measure.prepare(
        *("experiment=orbit", "map=quadratic_c", "analysis=[escape]", "iterate.transient=0"),
        *(f"iterate.length={steps}", f"map.escape_radius={RADIUS}"),
        measure.axis("c_re", *WINDOW["c_re"], width),
        measure.axis("c_im", *WINDOW["c_im"], height),
    )
    re, im = np.linspace(*WINDOW["c_re"], width), np.linspace(*WINDOW["c_im"], height)
    c = (re[:, None] + 1j * im).ravel()
    rivals: dict[str, Callable[[Any], Any]] = {"jit(vmap(while_loop))": obvious(steps)}
    if measure.has("numba"):
        rivals["numba prange"] = compiled_loop(steps)
    found, agreement = ours.compute()["escape_iteration"].ravel(), []
    for name, f in rivals.items():
        different = np.mean(np.asarray(f(c)) != found)
        agreement.append([name, f"{different:.4%}"])
        if different > DIFFERENT:
            sys.exit(f"{name}: {different:.2%} of the counts differ from Cobweb's")
    runs = {name: lambda f=f: f(c) for name, f in rivals.items()}
    rows = measure.race(
        f"{width} x {height} points to {steps} steps",
        {"compiled programs": ours.compute, **runs},
        repeats=repeats,
        targets=TARGETS,
    )
    return measure.Study(
        "Escape times of the Mandelbrot set: what is leaving early worth?",
        rows,
        [
            measure.Table("Counts that differ from Cobweb's", ["peer", "share"], agreement),
            measure.Table("Compile time", ["time"], [[measure.time(ours.compile_seconds)]]),
        ],
    )


if __name__ == "__main__":
    measure.main(main)
