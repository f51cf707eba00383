"""The correlation dimension: how the number of pairs of near states grows with what near means.

The correlation sum C(r) is the part of the pairs of states, more than `theiler` steps apart, whose
distance in the maximum norm is below r; the dimension is the slope of log C over log r (Grassberger
and Procaccia 1983, doi:10.1016/0167-2789(83)90298-1; Theiler 1986, doi:10.1103/PhysRevA.34.2427).
Its standard error is that of a straight line, as if the sums at different radii were independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.analyses import series
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold
from pipeline.arrays import Dimension, Variable
from pipeline.settings import Setting

# States of one cell: the pairs of so many take some seconds.
MOST = 20_000


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`correlation_sum` over the radius, `correlation_dimension` and its error.

    NaN of an escaped cell, and where a radius of the range has no pairs: a cycle has none between
    its points.
    """
    chosen = series.reals(subject.problem.components)
    around, every = series.circles(subject, chosen), settings["every"]
    count = min(settings["points"], subject.iterate.length // every)
    low, high = settings["scaling"]
    radii = np.geomspace(low, high, settings["radii"])
    along = Dimension(
        "correlation_radius", len(radii), radii, "distance in fractions of the orbit's range"
    )
    offset = np.log(radii) - np.mean(np.log(radii))

    def study(x: Any) -> dict[str, Any]:
        import jax
        import jax.numpy as jnp

        edges = jnp.asarray(radii, x.dtype) * series.extent(x, around)
        places, doubled = jnp.arange(count), jnp.concatenate([x, x], 1)

        def counted(k: Any, totals: Any) -> Any:
            gap = series.apart(x, series.later(doubled, k), around)
            gap = jnp.where(places < count - k, gap, jnp.inf)
            return totals + jnp.stack([jnp.sum(gap < edge, dtype=jnp.int32) for edge in edges])

        zero = jnp.zeros(len(radii), jnp.int32)
        totals = jax.lax.fori_loop(1 + settings["theiler"], count, counted, zero)
        span = count - 1 - settings["theiler"]
        sums = totals.astype(x.dtype) / (span * (span + 1) / 2)
        heights, across = jnp.log(sums), jnp.asarray(offset, x.dtype)
        slope = jnp.sum(across * heights) / jnp.sum(across**2)
        left = heights - jnp.mean(heights) - slope * across
        error = jnp.sqrt(jnp.sum(left**2) / (len(radii) - 2) / jnp.sum(across**2))
        known = jnp.all(totals > 0)
        return {
            "correlation_sum": sums,
            "correlation_dimension": jnp.where(known, slope, jnp.nan),
            "correlation_dimension_error": jnp.where(known, error, jnp.nan),
        }

    stated = {"ancillary_variables": "correlation_dimension_error"}
    variables = (
        Variable("correlation_sum", (along,), "float", "correlation sum: part of the pairs"),
        Variable("correlation_dimension", (), "float", "correlation dimension", attributes=stated),
        Variable("correlation_dimension_error", (), "float", "standard error of its straight line"),
    )
    work = count * (4 * len(chosen) + len(radii))
    return series.fold(
        subject, series.Study("correlation_dimension", chosen, count, variables, study, work, every)
    )


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Some pairs are left, and the scaling range is one of distances."""
    low = settings["scaling"][0] if isinstance(settings["scaling"], list) else 0
    if low <= 0:
        yield "scaling", "expected [low, high] with 0 < low < high <= 1, such as [0.003, 0.1]"
    elif settings["scaling"][1] > 1:
        yield "scaling", "expected high <= 1: they are fractions of the orbit's range"
    least = settings["theiler"] + 3
    if settings["points"] < least:
        yield "points", f"expected >= {least}, so that pairs are left"
    yield from series.faults(subject, settings, least)


ANALYSIS = Analysis(
    "correlation_dimension",
    build,
    settings={
        "scaling": Setting(
            "ranges", [0.003, 0.1], "radii between which the slope is taken, in fractions of the "
            "orbit's range",
        ),
        "radii": Setting("integer", 16, "in that range", low=3, high=200),
        "theiler": Setting("integer", 10, "pairs so few steps apart are left out", low=0),
        "points": Setting("integer", 2000, "states that are compared, at most", low=4, high=MOST),
        "every": Setting("integer", 1, "take every so many iterations", low=1),
    },
    refuse=series.refuse,
    faults=faults,
)  # fmt: skip
