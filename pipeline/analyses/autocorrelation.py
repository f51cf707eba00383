"""The autocorrelation: how alike the states are that lie so many iterations apart.

Of each real number of the state: the mean of (x_n - m)(x_{n+k} - m) over all pairs of the length,
divided by the variance, m being the mean of all. Sums of products are taken by a Fourier transform
that is padded, so that nothing comes round the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.analyses import series
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold
from pipeline.arrays import Dimension
from pipeline.settings import Setting


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`<c>_autocorrelation` over `lag`, 1 at lag 0; NaN of a constant series or an escaped cell."""
    most, count = settings["max_lag"], subject.iterate.length
    lags = Dimension("lag", most + 1, np.arange(most + 1), "lag in iterations")
    every = subject.problem.components
    variables = series.variables(every, lags, "_autocorrelation", "autocorrelation")
    chosen = series.reals(every)
    padded = 1 << (count + most - 1).bit_length()

    def correlated(x: Any) -> Any:
        """[count] -> [lag]."""
        import jax.numpy as jnp

        off = x - jnp.mean(x)
        products = jnp.fft.irfft(jnp.abs(jnp.fft.rfft(off, padded)) ** 2, padded)[: most + 1]
        means = products / (count - jnp.arange(most + 1))
        steady = jnp.max(x) - jnp.min(x) <= 8 * jnp.finfo(x.dtype).eps * jnp.max(jnp.abs(x))
        return jnp.where(steady, jnp.nan, means / means[0])

    def study(x: Any) -> dict[str, Any]:
        return series.by_component(every, [correlated(row) for row in x], "_autocorrelation")

    return series.fold(
        subject,
        series.Study("autocorrelation", chosen, count, variables, study, 8 * padded * len(chosen)),
    )


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A lag leaves some pairs."""
    most = subject.iterate.length // 2
    if settings["max_lag"] > most:
        yield "max_lag", f"expected <= {most}, half of iterate.length"


ANALYSIS = Analysis(
    "autocorrelation",
    build,
    settings={
        "max_lag": Setting("integer", 50, "the longest that is taken", low=1, high=series.MOST)
    },
    refuse=series.refuse,
    faults=faults,
)
