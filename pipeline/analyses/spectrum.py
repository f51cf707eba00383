"""The power spectrum, by Welch's method: periodograms of segments that overlap, averaged.

Welch 1967, doi:10.1109/TAU.1967.1161901. Each segment loses its own mean and is weighted by a
window; of a real number the spectrum is one-sided, and its integral over the frequencies, from 0 to
half a cycle per iteration, is the variance.
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


def _window(name: str, count: int) -> np.ndarray:
    """[count] one period of it."""
    turn = 2 * np.pi * np.arange(count) / count
    return {
        "hann": 0.5 - 0.5 * np.cos(turn),
        "hamming": 0.54 - 0.46 * np.cos(turn),
        "blackman": 0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn),
        "none": np.ones(count),
    }[name]


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`<c>_spectrum` over `frequency`; NaN of an escaped cell."""
    count, size = subject.iterate.length, settings["segment"]
    step = max(1, size - int(settings["overlap"] * size))
    begins = np.arange(0, count - size + 1, step)
    values = np.arange(size // 2 + 1) / size
    frequencies = Dimension("frequency", len(values), values, "frequency in cycles per iteration")
    every = subject.problem.components
    variables = series.variables(every, frequencies, "_spectrum", "power spectrum")
    window = _window(settings["window"], size)
    # Those that stand for a frequency and its negative count twice.
    twice = np.where((values == 0) | (values == 0.5), 1.0, 2.0) / np.sum(window**2)
    chosen = series.reals(every)

    def averaged(x: Any) -> Any:
        """[count] -> [frequency]."""
        import jax
        import jax.numpy as jnp

        def periodogram(total: Any, begin: Any) -> tuple[Any, None]:
            piece = jax.lax.dynamic_slice_in_dim(x, begin, size)
            off = (piece - jnp.mean(piece)) * jnp.asarray(window, x.dtype)
            return total + jnp.abs(jnp.fft.rfft(off)) ** 2, None

        zero = jnp.zeros(len(values), x.dtype)
        total = jax.lax.scan(periodogram, zero, jnp.asarray(begins))[0]
        return total * jnp.asarray(twice / len(begins), x.dtype)

    def study(x: Any) -> dict[str, Any]:
        return series.by_component(every, [averaged(row) for row in x], "_spectrum")

    work = (count + 8 * size) * len(chosen)
    return series.fold(subject, series.Study("spectrum", chosen, count, variables, study, work))


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A segment fits the length."""
    if settings["segment"] > subject.iterate.length:
        yield "segment", f"expected <= iterate.length = {subject.iterate.length}"


ANALYSIS = Analysis(
    "spectrum",
    build,
    settings={
        "segment": Setting(
            "integer", 256, "states of one periodogram; frequencies are 1/segment apart", low=8,
            high=series.MOST,
        ),
        "overlap": Setting(
            "number", 0.5, "part of a segment that the next one shares", low=0, high=0.95
        ),
        "window": Setting(
            "choice", "hann", "weights of a segment",
            options=("hann", "hamming", "blackman", "none"),
        ),
    },
    refuse=series.refuse,
    faults=faults,
)  # fmt: skip
