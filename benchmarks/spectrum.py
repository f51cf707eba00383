"""How fast is a whole Lyapunov spectrum? The Hénon map over a plane of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import measure
import numpy as np

A, B, START = (1.0, 1.3), (0.2, 0.3), 0.1
PEER = "pynamicalsys"
TARGETS = {PEER: 20}
# Of so few steps sums agree pair by pair; later on average, to five standard errors.
SHORT, ROUNDING, SAMPLING = 8, 1e-9, 5


def obvious(transient: int, length: int) -> Callable[[Any, Any], Any]:
    """What a JAX user writes first: a small QR at each step."""

    def spectrum(a: Any, b: Any) -> Any:
        def g(u: Any) -> Any:
            return jnp.stack([1 - a * u[0] ** 2 + u[1], b * u[0]])

        def step(carry: Any, _: None) -> Any:
            u, basis, total = carry
            basis, r = jnp.linalg.qr(jax.jacfwd(g)(u) @ basis)
            return (g(u), basis, total + jnp.log(jnp.abs(jnp.diag(r)))), None

        begin = (jnp.full(2, START), jnp.eye(2), jnp.zeros(2))
        u, basis, _ = jax.lax.scan(step, begin, length=transient)[0]
        total = jax.lax.scan(step, (u, basis, jnp.zeros(2)), length=length)[0][2]
        return -jnp.sort(-total) / length

    return jax.jit(jax.vmap(spectrum))


def peer() -> Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]:
    """(a [c], b [c], transient, length) -> [c, 2] by a loop over calls of pynamicalsys."""
    from pynamicalsys import DiscreteDynamicalSystem

    system = DiscreteDynamicalSystem(model="henon map")

    def spectra(a: np.ndarray, b: np.ndarray, transient: int, length: int) -> np.ndarray:
        times = {"total_time": transient + length, "transient_time": transient or None}
        return np.array(
            [
                system.lyapunov([START, START], parameters=[p, q], **times)
                for p, q in zip(a, b, strict=True)
            ]
        )

    return spectra


def overrides(side: int, transient: int, length: int) -> list[str]:
    return [
        *("experiment=orbit", "map=henon", "analysis=[lyapunov]"),
        *(f"iterate.transient={transient}", f"iterate.length={length}"),
        *(measure.axis("a", *A, side), measure.axis("b", *B, side)),
    ]


def main(small: bool) -> measure.Study:
    side, transient, length, repeats = (4, 5, 64, 2) if small else (100, 100, 1000, 9)
    a, b = (v.ravel() for v in np.meshgrid(*(np.linspace(*s, side) for s in (A, B)), indexing="ij"))
    programs: dict[tuple[int, int], Callable[[Any, Any], Any]] = {}

    def scanned(a: np.ndarray, b: np.ndarray, transient: int, length: int) -> Any:
        key = transient, length
        return programs.setdefault(key, obvious(*key))(a, b)

    rivals: dict[str, Callable[..., Any]] = {"jit(vmap(scan)), qr at each step": scanned}
    if measure.has(PEER):
        rivals[PEER] = peer()
    ours = measure.prepare(*overrides(side, transient, length))
    few = measure.prepare(*overrides(side, 0, SHORT)).compute()["lyapunov"].reshape(-1, 2)
    many = ours.compute()["lyapunov"].reshape(-1, 2)
    error = SAMPLING * many[:, 0].std() * np.sqrt(2 / len(many))
    for name, f in rivals.items():
        # Peers begin with other tangent vectors: early on the sum alone agrees.
        measure.close(name, np.sum(f(a, b, 0, SHORT), 1), few.sum(1), ROUNDING)
        measure.close(name, np.mean(f(a, b, transient, length), 0), many.mean(0), error)
    runs = {name: lambda f=f: f(a, b, transient, length) for name, f in rivals.items()}
    rows = measure.race(
        f"{side} x {side} pairs x ({transient} + {length}) steps",
        {"compiled program": ours.compute, **runs},
        repeats=repeats,
        targets=TARGETS,
    )
    compiling = [[measure.time(ours.compile_seconds)]]
    return measure.Study(
        "Spectra of the Hénon map over two parameters",
        rows,
        [measure.Table("Compile time of the program", ["time"], compiling)],
    )


if __name__ == "__main__":
    measure.main(main)
