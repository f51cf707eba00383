"""The 0-1 test for chaos: a series of numbers drives a walk in the plane, bounded or like Brown's.

Gottwald and Melbourne 2009, doi:10.1137/080718851. With an angle c, the walk is p_n + i q_n, the
sum of phi_j exp(i j c); its mean square displacement over n steps, less the oscillation that the
mean of phi drives, (E phi)^2 (1 - cos nc)/(1 - cos c), is D(n). K(c) is the correlation of D with n
up to a tenth of the length, and K the median over angles: near 1 in chaos, near 0 on cycles and
tori. phi is a component; of one on a circle it is the cosine of its angle, which has no jump.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.analyses import series
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold
from pipeline.arrays import Variable
from pipeline.settings import Setting

# Displacements are taken over at most so much of the length: the means need the rest.
PART = 10
# Fewer states tell nothing.
LEAST = 100


def angles(count: int) -> np.ndarray:
    """[count] between pi/5 and 4 pi/5, away from resonances at 0 and pi, by the golden ratio.

    Not drawn at random: their median hardly depends on which they are, and is the same each time.
    """
    golden = (math.sqrt(5) - 1) / 2
    return math.pi / 5 * (1 + 3 * ((np.arange(count) + 0.5) * golden % 1))


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`zero_one`; NaN of an escaped cell, 0 of a constant series."""
    real = series.chosen(subject, settings["component"])
    assert real is not None
    (around,), every = series.circles(subject, [real]).tolist(), settings["every"]
    count = min(settings["points"], subject.iterate.length // every)
    most = count // PART
    # The steps from which displacements begin: the same for all of them.
    begins = count - most
    padded = 1 << (count + begins - 1).bit_length()
    turns = angles(settings["angles"])

    def correlation(phi: Any, c: Any) -> Any:
        """[] K(c) of a series, [count]."""
        import jax.numpy as jnp

        steps = jnp.arange(1, count + 1)
        walk = jnp.cumsum(phi * jnp.exp(1j * c * steps))
        # Displacements keep under a shift, and their sums more digits about the middle.
        walk = walk - jnp.mean(walk)
        square = jnp.abs(walk) ** 2
        ahead = jnp.cumsum(jnp.concatenate([jnp.zeros(1, square.dtype), square]))
        n = jnp.arange(1, most + 1)
        moved = ahead[begins + n] - ahead[n]
        first = jnp.fft.fft(walk[:begins], padded)
        products = jnp.fft.ifft(jnp.conj(first) * jnp.fft.fft(walk, padded))[1 : most + 1]
        displacement = (moved + ahead[begins] - 2 * products.real) / begins
        driven = jnp.mean(phi) ** 2 * (1 - jnp.cos(n * c)) / (1 - jnp.cos(c))
        return _correlation(n.astype(phi.dtype), displacement - driven)

    def study(x: Any) -> dict[str, Any]:
        import jax
        import jax.numpy as jnp

        phi = jnp.cos(2 * math.pi / around * x[0]) if around else x[0]
        found = jax.lax.map(lambda c: correlation(phi, c), jnp.asarray(turns, phi.dtype))
        steady = jnp.max(phi) - jnp.min(phi) <= 8 * jnp.finfo(phi.dtype).eps * jnp.max(jnp.abs(phi))
        return {"zero_one": jnp.where(steady, 0.0, jnp.median(found))}

    variable = Variable("zero_one", (), "float", f"0-1 test of {real.name}: 1 chaotic, 0 regular")
    return series.fold(
        subject,
        series.Study("zero_one", [real], count, (variable,), study, 10 * padded, every),
    )


def _correlation(a: Any, b: Any) -> Any:
    """[] of two series, [n]."""
    import jax.numpy as jnp

    a, b = a - jnp.mean(a), b - jnp.mean(b)
    scale = jnp.sqrt(jnp.sum(a * a) * jnp.sum(b * b))
    return jnp.sum(a * b) / jnp.where(scale > 0, scale, 1)


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """One real number of the state, and enough of them."""
    yield from series.faults(subject, settings, LEAST)


ANALYSIS = Analysis(
    "zero_one",
    build,
    settings={
        "component": Setting("text", None, "whose series is tested; the first by default"),
        "angles": Setting("integer", 100, "of which the median is taken", low=1, high=10_000),
        "points": Setting(
            "integer", 5000, "states of the series, at most", low=LEAST, high=series.MOST
        ),
        "every": Setting("integer", 1, "take every so many iterations", low=1),
    },
    refuse=series.refuse,
    faults=faults,
)
