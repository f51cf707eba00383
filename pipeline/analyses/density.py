"""The density: how often the orbit visits the bins of a range, over one or several quantities.

Counts are added one by one, at each step. Measured on a CPU (100 bins, 4096 cells of the logistic
map, in nanoseconds a step): the bin's index alone 1.5; a scatter at each step 3.4 to 4.1; one
scatter of several steps together 5 to 12, flat over all cells 2.8 to 8.7; a comparison with every
bin 11 to 35.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import average, components
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.components import Real
from pipeline.analyses.fold import End, Fold, Seen
from pipeline.arrays import Dimension, Variable
from pipeline.maps import Map
from pipeline.settings import Setting
from pipeline.status import Status

# Quantities of the joint density where the document chooses none, and at most.
USUAL, MOST = 2, 4
# Bins of one cell: 80 MB of densities.
MOST_BINS = 10**7


class Side(NamedTuple):
    """The bins along one quantity: those of equal width between two bounds."""

    real: Real
    low: float
    high: float
    bins: int

    @property
    def width(self) -> float:
        """Of one bin."""
        return (self.high - self.low) / self.bins

    def dimension(self) -> Dimension:
        """Its coordinate holds the centres."""
        centres = self.low + (np.arange(self.bins) + 0.5) * self.width
        return Dimension(
            f"{self.real.name}_bin",
            self.bins,
            centres,
            f"centre of the bin of {self.real.name}",
            attributes={"range": np.array([self.low, self.high])},
        )


def _chosen(subject: Subject, names: list[str] | None) -> list[Real]:
    """The quantities whose joint density is asked for; unknown names are left out."""
    every = {k: components.reals(k, c) for k, c in subject.problem.components.items()}
    known = every | {real.name: [real] for own in every.values() for real in own}
    if names is None:
        return [real for own in every.values() for real in own][:USUAL]
    found = [real for name in names for real in known.get(name, [])]
    return list(dict.fromkeys(found))


def _range(subject: Subject, real: Real, given: Any) -> list[float] | None:
    """[low, high] of one quantity: as given, or the whole circle; None where neither is."""
    if isinstance(given, list):
        return given
    for name in (real.name, real.component):
        if given and name in given:
            return given[name]
    problem = subject.problem
    circle = problem.modulus.get(real.component) if isinstance(problem, Map) else None
    return None if circle is None else [0.0, circle]


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names, numbers of bins and ranges belong to the components."""
    every = subject.problem.components
    known = {**every, **{real.name: 0 for k, c in every.items() for real in components.reals(k, c)}}
    listed = ", ".join(list(known)[:12])
    names, bins, given = settings["components"], settings["bins"], settings["range"]
    if unknown := [name for name in names or () if name not in known]:
        yield "components", f"there is no {unknown[0]} (known: {listed})"
        return
    chosen = _chosen(subject, names)
    if len(chosen) > MOST:
        yield "components", f"expected at most {MOST} numbers, such as [{chosen[0].name}]"
        return
    if isinstance(bins, list) and len(bins) != len(chosen):
        yield "bins", f"expected one number, or one for each of {_names(chosen)}"
    elif math.prod(_bins(bins, chosen)) > MOST_BINS:
        yield "bins", f"expected at most {MOST_BINS:,} bins together"
    if isinstance(given, dict) and (strange := [name for name in given if name not in known]):
        yield "range", f"there is no {strange[0]} (known: {listed})"
    lacking = [real for real in chosen if _range(subject, real, given) is None]
    if lacking:
        pairs = ", ".join(f"{real.name}: [0, 1]" for real in lacking)
        yield "range", f"expected the bounds of {_names(lacking)}, such as {{{pairs}}}"


def _names(chosen: list[Real]) -> str:
    return ", ".join(real.name for real in chosen)


def _bins(bins: Any, chosen: list[Real]) -> list[int]:
    return bins if isinstance(bins, list) else [bins] * len(chosen)


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`density`, whose integral over the range is 1, and `density_outside`, the share outside.

    Where all states are outside the density is 0; both are NaN of an escaped cell.
    """
    chosen = _chosen(subject, settings["components"])
    sides = []
    for real, bins in zip(chosen, _bins(settings["bins"], chosen), strict=True):
        bounds = _range(subject, real, settings["range"])
        assert bounds is not None
        sides.append(Side(real, bounds[0], bounds[1], bins))
    shape = tuple(side.bins for side in sides)
    count, volume = math.prod(shape), math.prod(side.width for side in sides)
    length = subject.iterate.length

    def place(state: dict[str, Any]) -> Any:
        """[] The bin of a state, one past the last where it is outside."""
        import jax.numpy as jnp

        at, inside = jnp.int32(0), jnp.bool_(True)
        for side in sides:
            x = side.real.of(state)
            inside &= (x >= side.low) & (x <= side.high)
            nth = jnp.floor((x - side.low) * (1 / side.width))
            # The upper bound belongs to the last bin.
            at = at * side.bins + jnp.clip(nth, 0, side.bins - 1).astype(jnp.int32)
        return jnp.where(inside, at, count)

    def init(seen: Seen) -> Any:
        import jax.numpy as jnp

        return jnp.zeros(count, jnp.int32)

    def update(counts: Any, seen: Seen) -> Any:
        return counts.at[place(seen.state)].add(1, mode="drop")

    def finish(counts: Any, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        kind = jnp.finfo(next(iter(end.seen.state.values())).dtype).dtype
        # Integers, so that the order in which they are added up does not matter.
        within = jnp.sum(counts)
        scale = 1 / (jnp.maximum(within, 1).astype(kind) * volume)
        found = {
            "density": counts.astype(kind).reshape(shape) * scale,
            "density_outside": (length - within).astype(kind) / length,
        }
        lost = end.status == Status.escaped
        return {name: jnp.where(lost, jnp.nan, value) for name, value in found.items()}

    text = f"density of {_names(chosen)}"
    return Fold(
        finished=(
            Variable("density", tuple(side.dimension() for side in sides), "float", text),
            Variable("density_outside", (), "float", "share of the states outside the range"),
        ),
        init=init,
        update=update,
        finish=finish,
        dynamics=True,
        transient="none",
    )


ANALYSIS = Analysis(
    "density",
    build,
    settings={
        "components": Setting(
            "names", None, "whose joint density: x, z_re, x_0, ...; the first two by default"
        ),
        "bins": Setting(
            "integers", 100, "of equal width, along all or along each", low=1, high=MOST_BINS
        ),
        "range": Setting("ranges", None, "where the bins are; a whole circle by default"),
    },
    refuse=average.refuse,
    faults=faults,
)
