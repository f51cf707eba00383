"""Recurrence: how often an orbit comes near to where it was, and how long it stays near then.

Two states are recurrent where they are no farther apart than a radius, in the maximum norm. The
rate is the part of all pairs that are; the determinism is the part of the recurrent pairs whose
successors or predecessors are recurrent too, `line` in a row or more: a diagonal line of the
recurrence plot (Marwan, Romano, Thiel and Kurths 2007, doi:10.1016/j.physrep.2006.11.001).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.analyses import series
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold
from pipeline.arrays import Variable
from pipeline.settings import Setting

# States of one cell: the pairs of so many take a second.
MOST = 10_000


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`recurrence_rate`, `determinism`: NaN where nothing recurs, and of an escaped cell."""
    chosen = series.reals(subject.problem.components)
    around, line = series.circles(subject, chosen), settings["line"]
    every = settings["every"]
    count = min(settings["points"], subject.iterate.length // every)

    def study(x: Any) -> dict[str, Any]:
        import jax
        import jax.numpy as jnp

        near = settings["radius"] * series.extent(x, around)
        places, doubled = jnp.arange(count), jnp.concatenate([x, x], 1)

        def diagonal(k: Any, sums: tuple[Any, Any]) -> tuple[Any, Any]:
            """Pairs k steps apart: those that recur, and those of them in a line."""
            gap = series.apart(x, series.later(doubled, k), around)
            recurrent = (gap <= near) & (places < count - k)
            begun, lined = recurrent, jnp.zeros(count, bool)
            for j in range(1, line):
                begun = begun & jnp.roll(recurrent, -j) & (places < count - j)
            for j in range(line):
                lined = lined | jnp.roll(begun, j) & (places >= j)
            return sums[0] + jnp.sum(recurrent, dtype=jnp.int32), sums[1] + jnp.sum(
                lined, dtype=jnp.int32
            )

        zero = jnp.zeros((), jnp.int32)
        pairs, lined = jax.lax.fori_loop(1 + settings["theiler"], count, diagonal, (zero, zero))
        span = count - 1 - settings["theiler"]
        return {
            "recurrence_rate": pairs.astype(x.dtype) / (span * (span + 1) / 2),
            "determinism": lined.astype(x.dtype) / jnp.where(pairs > 0, pairs, jnp.nan),
        }

    variables = (
        Variable("recurrence_rate", (), "float", "part of the pairs of states that are near"),
        Variable("determinism", (), "float", "part of these pairs that are in diagonal lines"),
    )
    work = count * (4 * len(chosen) + 8)
    return series.fold(
        subject, series.Study("recurrence", chosen, count, variables, study, work, every)
    )


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Some pairs are left."""
    least = settings["theiler"] + settings["line"] + 2
    if settings["points"] < least:
        yield "points", f"expected >= {least}, so that pairs are left"
    yield from series.faults(subject, settings, least)


ANALYSIS = Analysis(
    "recurrence",
    build,
    settings={
        "radius": Setting(
            "number", 0.05, "of near states, in fractions of the orbit's range", low=0, high=1,
            above=True,
        ),
        "line": Setting("integer", 2, "states of the shortest diagonal line", low=2, high=100),
        "theiler": Setting("integer", 0, "pairs so few steps apart are left out", low=0),
        "points": Setting("integer", 1000, "states that are compared, at most", low=4, high=MOST),
        "every": Setting("integer", 1, "take every so many iterations", low=1),
    },
    refuse=series.refuse,
    faults=faults,
)  # fmt: skip
