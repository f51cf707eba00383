"""How long do Newton's steps without a matrix take? Single problems of up to 4096 unknowns."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from typing import Any

import measure
import numpy as np
import optimisers

SIZES = (16, 64, 256, 1024, 4096)
# Of the chained Rosenbrock function, besides: where fewest Hessian products are aimed at.
COUNTED = (100, 1000)
CONDITIONS = (10, 100, 10**4, 10**6)
# Unknowns beyond which a solver with a matrix is left out: its time grows with their third power.
DENSE = {"Cobweb newton": 1024, "optimistix Newton, LU": 1024, "optimistix BFGS": 256}
# The cases whose ratios are shown; the tables have all.
SHOWN, SHOWN_KAPPA = 1024, ("10000", "441", "")
OURS = ("newton_cg", "newton")
FIRST = "Cobweb newton_cg"
# In the place of a time.
MISSED = "no"


@dataclass(frozen=True)
class Case:
    """One problem.

    Attributes:
        kappa: the condition number of its Hessian, where it is known.
    """

    family: str
    size: int
    kappa: str
    overrides: tuple[str, ...]

    @property
    def name(self) -> str:
        """As the tables call it."""
        return f"{self.family}, n = {self.size}" + (f", κ = {self.kappa}" if self.kappa else "")


def cases(sizes: tuple[int, ...]) -> list[list[Case]]:
    """The problems, those together that differ in numbers alone."""
    groups = []
    for n in sizes:
        size = f"objective.initial.x.size={n}"
        quadratic = "objective=quadratic_spd", size
        groups.append(
            [
                Case("quadratic", n, str(k), (*quadratic, f"objective.parameters.condition={k}"))
                for k in CONDITIONS
            ]
        )
        # The mesh decides.
        kappa = f"{1 / np.tan(np.pi / 2 / (np.sqrt(n) + 1)) ** 2:.3g}"
        groups.append([Case("Poisson", n, kappa, ("objective=poisson", size))])
        groups.append([Case("Rosenbrock", n, "", ("objective=rosenbrock_chained", size))])
    for n in COUNTED:
        size = f"objective.initial.x.size={n}"
        groups.append([Case("Rosenbrock", n, "", ("objective=rosenbrock_chained", size))])
    return groups


def cobweb(solver: str, case: Case) -> optimisers.Peer:
    """Cobweb's own solver, its history being recorded."""
    with optimisers.compilations() as programs:
        prepared = measure.prepare(
            *(
                "experiment=minimise",
                *case.overrides,
                f"solver={solver}",
                "analysis=[history,final]",
            ),
            *("solver.absolute_tolerance=0", f"solver.relative_tolerance={optimisers.REACHED}"),
            *(f"iterate.length={max(200, 2 * case.size)}", "device.memory=8GiB"),
        )

    def solve(x0: Any, numbers: Any) -> np.ndarray:
        found = prepared.compute()
        if solver == "newton_cg":
            peer.products = int(np.maximum(found["hessian_products"], 0).sum())
        return found["x_final"]

    memory = max(map(optimisers.needed, programs), default=None)
    peer = optimisers.Peer(solve, prepared.compile_seconds, memory)
    return peer


def others(case: Case) -> dict[str, optimisers.Peer]:
    """The peers' solvers of a case and of all that differ from it in numbers alone."""
    family, x0, numbers = optimisers.problem("experiment=minimise", *case.overrides)
    found = {
        f"SciPy {method}": optimisers.scipy_minimise(method, family, x0, numbers)
        for method in optimisers.SCIPY
    }
    for name, solve in optimisers.rivals(family).items():
        if fits(name, case):
            found[name] = optimisers.compiled(solve, x0, numbers)
    return found


def fits(name: str, case: Case) -> bool:
    return case.size <= DENSE.get(name, case.size)


def solved(
    case: Case, peers: dict[str, optimisers.Peer], repeats: int
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """({solver: seconds of each round}, {solver: its Hessian products}) of those that get there."""
    family, x0, numbers = optimisers.problem("experiment=minimise", *case.overrides)
    begun, runs, products = float(family.value(x0, numbers)), {}, {}
    least = None
    for name, peer in peers.items():
        x = peer.solve(x0, numbers)
        end = float(family.value(x, numbers))
        least = end if least is None else least
        if family.there(x, x0, numbers) and abs(end - least) <= optimisers.SAME * (begun - least):
            runs[name] = lambda peer=peer: peer.solve(x0, numbers)
            if peer.products is not None:
                products[name] = str(peer.products)
    if FIRST not in runs:
        raise SystemExit(f"{case.name}: {FIRST} has not come to the residual")
    return measure.rounds(runs, repeats), products


def main(small: bool) -> measure.Study:
    repeats, shown = (1, 4) if small else (5, SHOWN)
    study = measure.Study("Newton's method without a matrix: single problems")
    times, counts, compiling, memory = [], [], [], []
    for group in cases((4,))[:1] if small else cases(SIZES):
        peers = others(group[0])
        for case in group:
            ours = [name for name in OURS if fits(f"Cobweb {name}", case)]
            own = {f"Cobweb {name}": cobweb(name, case) for name in ours}
            every = {**own, **peers}
            if case is group[0]:
                where = f"{case.family}, n = {case.size}"
                compiling.append((where, {k: measure.time(v.seconds) for k, v in every.items()}))
                needs = {k: f"{v.memory / 2**20:.3g}" for k, v in every.items() if v.memory}
                memory.append((where, needs))
            print(case.name, file=sys.stderr)
            seconds, products = solved(case, every, repeats)
            median = {k: measure.time(statistics.median(v)) for k, v in seconds.items()}
            times.append((case.name, {name: median.get(name, MISSED) for name in every}))
            counts.append((case.name, products))
            if case.size == shown and case.kappa in SHOWN_KAPPA:
                study.rows += [
                    measure.Row(case.name, FIRST, name, seconds[FIRST], values)
                    for name, values in seconds.items()
                    if name != FIRST
                ]
    title = (
        f"Time to a gradient of {optimisers.REACHED:g} of the first; {MISSED}: it ends elsewhere"
    )
    study.tables += [
        table(title, times),
        table("Hessian products", counts),
        table("Compile time", compiling),
        table("MiB of the largest compiled program, by XLA", memory),
    ]
    return study


def table(title: str, rows: list[tuple[str, dict[str, str]]]) -> measure.Table:
    """A column for each solver that takes part in any row."""
    names = list(dict.fromkeys(name for _, cells in rows for name in cells))
    body = [[case, *(cells.get(name, "") for name in names)] for case, cells in rows]
    return measure.Table(title, ["problem", *names], body)


if __name__ == "__main__":
    measure.main(main)
