"""How fast is a Lyapunov exponent? Logistic map, on the grid of final_state.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import measure
import numpy as np

# Not 0.5 itself, where the derivative of the first step is 0.
START = 0.4
LOW, HIGH = 3.4, 4.0
TARGETS = {"numba, a log at each step": 15, "jit(vmap(scan)), a log at each step": 15}
# Of so few steps exponents agree cell by cell; later on average, to five standard errors.
SHORT, ROUNDING, SAMPLING = 8, 1e-9, 5
# Cells so near to a superstable cycle that the least exponent is a matter of rounding.
SUPERSTABLE = -5.0


def obvious(steps: int) -> Callable[[Any], Any]:
    """What a JAX user writes first."""

    def exponent(a: Any) -> Any:
        g = lambda x: a * x - a * x**2  # noqa: E731

        def step(carry: Any, _: None) -> tuple[Any, None]:
            x, total = carry
            return (g(x), total + jnp.log(jnp.abs(jax.grad(g)(x)))), None

        return jax.lax.scan(step, (jnp.float64(START), 0.0), length=steps)[0][1] / steps

    return jax.jit(jax.vmap(exponent))


def compiled_loop() -> Callable[[np.ndarray, int], np.ndarray]:
    """What a numba user writes."""
    import numba

    @numba.njit(parallel=True, fastmath=True)
    def exponents(a: np.ndarray, steps: int, out: np.ndarray) -> None:
        for c in numba.prange(a.size):
            p, x, total = a[c], START, 0.0
            for _ in range(steps):
                total += np.log(abs(p - 2 * p * x))
                x = p * x - p * x * x
            out[c] = total / steps

    def run(a: np.ndarray, steps: int) -> np.ndarray:
        out = np.empty_like(a)
        exponents(a, steps, out)
        return out

    return run


def overrides(cells: int, steps: int) -> list[str]:
    return [
        *("experiment=orbit", "map=logistic", "analysis=[lyapunov]", "iterate.transient=0"),
        *(f"iterate.length={steps}", f"map.initial.x={START}"),
        measure.axis("a", LOW, HIGH, cells),
    ]


def check(name: str, f: Callable[[np.ndarray, int], Any], a: np.ndarray, steps: int) -> None:
    """Few steps cell by cell, many on average over the cells that are not superstable."""
    found = {
        n: measure.prepare(*overrides(a.size, n)).compute()["lyapunov"][..., 0]
        for n in (SHORT, steps)
    }
    measure.close(name, f(a, SHORT), found[SHORT], ROUNDING)
    other = np.asarray(f(a, steps))
    plain = (found[steps] > SUPERSTABLE) & (other > SUPERSTABLE)
    error = SAMPLING * found[steps][plain].std() * np.sqrt(2 / plain.sum())
    measure.close(name, other[plain].mean(), found[steps][plain].mean(), error)


def main(small: bool) -> measure.Study:
    cells, steps, repeats = (256, 100, 2) if small else (131072, 1000, 9)
    a = np.linspace(LOW, HIGH, cells)
    programs: dict[int, Callable[[Any], Any]] = {}

    def scanned(a: np.ndarray, steps: int) -> Any:
        return programs.setdefault(steps, obvious(steps))(a)

    rivals: dict[str, Callable[[np.ndarray, int], Any]] = {
        "jit(vmap(scan)), a log at each step": scanned
    }
    if measure.has("numba"):
        rivals["numba, a log at each step"] = compiled_loop()
    ours = measure.prepare(*overrides(cells, steps))
    for name, f in rivals.items():
        check(name, f, a, steps)
    runs = {name: lambda f=f: f(a, steps) for name, f in rivals.items()}
    rows = measure.race(
        f"{cells} cells x {steps} steps",
        {"compiled program": ours.compute, **runs},
        repeats=repeats,
        targets=TARGETS,
    )
    compiling = [[measure.time(ours.compile_seconds)]]
    return measure.Study(
        "Lyapunov exponents of the logistic map: what does the logarithm cost?",
        rows,
        [measure.Table("Compile time of the program", ["time"], compiling)],
    )


if __name__ == "__main__":
    measure.main(main)
