"""Lyapunov exponents: the mean logarithmic growth of tangent vectors, in nats per iteration.

One component: the product of derivatives. Two reals: one tangent vector for the first exponent, and
the Jacobian's determinant for the sum of both, so that nothing is orthogonalised. More: tangent
vectors kept orthonormal at each step by Gram and Schmidt's method (Benettin, Galgani, Giorgilli and
Strelcyn 1980, doi:10.1007/BF02128236).

Growth is kept as a mantissa in [1, 2) and an integer exponent over as many steps as the loop takes
together, and one logarithm serves them all: XLA's log costs as much as 20 steps of a simple map. Up
to 4 factors are multiplied between two calls of `settle`; their product leaves the range of doubles
only where their geometric mean is beyond 1e77 or below 1e-77.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import average, dynamics, tangents
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Again, End, Fold, Seen
from pipeline.arrays import Dimension, Variable
from pipeline.settings import Setting
from pipeline.state import State

# Factors of 0 beyond so many belong to no coincidence: the map is degenerate where the orbit goes.
DEGENERATE = 2
# A setting of a second look, which no document has.
CAREFUL = "careful"
# A spectrum of more takes a matrix too large for each cell.
MOST = 1000


class Growth(NamedTuple):
    """log(growth) = total + log(mantissa * 2**exponent), [] each."""

    total: Any
    mantissa: Any
    exponent: Any


class Zero(NamedTuple):
    """Factors of exactly 0, which a careful look leaves out.

    Attributes:
        count: [] how many.
        state: the state that followed the first of them.
        back: [] whether another was followed by the same: the orbit is a superstable cycle.
    """

    count: Any
    state: State
    back: Any


class Kept(NamedTuple):
    """Logarithms of growth (working: `Growth`), and the tangent vectors that are carried.

    `zeros` is for each growth, and empty where no careful look is taken.
    """

    growth: tuple[Any, ...]
    vectors: tuple[State, ...]
    zeros: tuple[Zero, ...] = ()


def _begun(total: Any) -> Growth:
    import jax.numpy as jnp

    wide = jnp.int64 if total.dtype == jnp.float64 else jnp.int32
    return Growth(total, jnp.ones_like(total), jnp.zeros(total.shape, wide))


def _settled(growth: Growth) -> Growth:
    """Move the binary exponent of the mantissa into the exponent: integer operations alone.

    Zero, infinity and NaN stay in the mantissa.
    """
    import jax
    import jax.numpy as jnp

    p = growth.mantissa
    kind = jnp.int64 if p.dtype == jnp.float64 else jnp.int32
    stored, bias = (52, 1023) if p.dtype == jnp.float64 else (23, 127)
    bits = jax.lax.bitcast_convert_type(p, kind)
    one = kind(bias) << stored
    mantissa = jax.lax.bitcast_convert_type((bits & ((kind(1) << stored) - 1)) | one, p.dtype)
    normal = (p > 0) & (p < jnp.inf)
    exponent = growth.exponent + ((bits >> stored) - bias)
    return Growth(growth.total, jnp.where(normal, mantissa, p), exponent)


def _summed(growth: Growth) -> Any:
    import jax.numpy as jnp

    # Of zeros minus the bias has been counted, which their logarithm, -inf, makes no less.
    exponent = growth.exponent.astype(growth.mantissa.dtype)
    return growth.total + (jnp.log(growth.mantissa) + math.log(2) * exponent)


def _grown(growth: Growth, factor: Any) -> Growth:
    return growth._replace(mantissa=growth.mantissa * factor)


def _pair(vector: State) -> tuple[Any, Any]:
    """The two reals of a vector in the plane."""
    import jax.numpy as jnp

    values = list(vector.values())
    if jnp.iscomplexobj(values[0]):
        return values[0].real, values[0].imag
    flat = [value.reshape(-1)[i] for value in values for i in range(value.size)]
    return flat[0], flat[1]


# The factors by which something has grown, and the tangent vectors afterwards.
Grown = tuple[tuple[Any, ...], tuple[State, ...]]


def _line(kept: Kept, push: Callable[[State], State], basis: list[State]) -> Grown:
    import jax.numpy as jnp

    (image,) = push(basis[0]).values()
    return (jnp.abs(image.reshape(())),), ()


def _plane(kept: Kept, push: Callable[[State], State], basis: list[State]) -> Grown:
    """The vector's growth, and the area's, which is that of both exponents."""
    import jax.numpy as jnp

    (a, c), (b, d) = (_pair(push(unit)) for unit in basis)
    vector, length = tangents.unit(push(kept.vectors[0]), kept.vectors[0])
    area = jnp.abs(a * d - b * c)
    return (length, area), (vector,)


def _space(kept: Kept, push: Callable[[State], State], basis: list[State]) -> Grown:
    vectors: list[State] = []
    lengths = []
    for vector in kept.vectors:
        left = push(vector)
        for before in vectors:
            left = tangents.less(left, before)
        unit, length = tangents.unit(left, vector)
        vectors.append(unit)
        lengths.append(length)
    return tuple(lengths), tuple(vectors)


def _noted(zero: Zero, factor: Any, state: State) -> Zero:
    """With a factor that may be 0, and the state that follows."""
    import jax
    import jax.numpy as jnp

    here = factor == 0
    first = here & (zero.count == 0)
    alike = jax.tree.map(lambda a, b: jnp.all(a == b), state, zero.state)
    back = zero.back | (here & ~first & jnp.all(jnp.stack(jax.tree.leaves(alike))))
    kept = jax.tree.map(lambda a, b: jnp.where(first, a, b), state, zero.state)
    return Zero(zero.count + here, kept, back)


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`lyapunov`, `lyapunov_error`, of two reals or more `kaplan_yorke_dimension`.

    Exponents descend; NaN of an escaped cell; -inf of a superstable cycle, and of a map that is
    flat or degenerate wherever the orbit goes. A factor of 0 is no proof of either, since an orbit
    may begin at a critical point: a second look, a careful one, leaves such factors out.
    """
    import functools

    size = sum(component.reals for component in subject.problem.components.values())
    size *= 2 if subject.solver.inertia else 1
    asked, window = settings["exponents"], settings["window"]
    careful = CAREFUL in settings
    count = size if asked == "all" else min(asked, size)
    length = subject.iterate.length
    numbers = Dimension("exponent", count, np.arange(count), "number of the exponent")
    dimensions = [numbers]
    if window:
        ends = subject.iterate.transient + window * np.arange(1, length // window + 1)
        dimensions.append(Dimension("window", len(ends), ends, "last iteration of the window"))
    beside = {} if window else {"ancillary_variables": "lyapunov_error"}
    error = Variable("lyapunov_error", (numbers,), "float", "standard error of the exponent", "1")
    finished = [
        Variable(
            "lyapunov", tuple(dimensions), "float", "Lyapunov exponent", "1", attributes=beside
        ),
        error,
    ]
    if size > 1:
        meaning = "Kaplan-Yorke dimension"
        finished.append(Variable("kaplan_yorke_dimension", (), "float", meaning, "1"))
    plane = size == 2 and count == 2
    advance = {1: _line}.get(size, _plane if plane else _space)

    def init(seen: Seen) -> Kept:
        import jax.numpy as jnp

        point = dict(seen.point)
        zero = jnp.zeros((), jnp.finfo(next(iter(point.values())).dtype).dtype)
        carried = 0 if size == 1 else 1 if plane else count
        vectors = tuple(tangents.basis(point, carried)) if carried else ()
        none = Zero(jnp.int32(0), point, jnp.bool_(False))
        return Kept((zero,) * count, vectors, (none,) * count if careful else ())

    def update(kept: Kept, seen: Seen) -> Kept:
        import jax.numpy as jnp

        assert seen.push is not None
        point = dict(seen.point)
        factors, vectors = advance(kept, seen.push, tangents.basis(point, 2 if plane else 1))
        if seen.transient:
            return kept._replace(vectors=vectors)
        zeros = kept.zeros
        if careful:
            noted = zip(zeros, factors, strict=True)
            zeros = tuple(_noted(zero, factor, point) for zero, factor in noted)
            factors = tuple(jnp.where(factor == 0, 1.0, factor) for factor in factors)
        growth = tuple(map(_grown, kept.growth, factors))
        return Kept(growth, vectors, zeros)

    def every(f: Callable[[Any], Any], kept: Kept) -> Kept:
        return kept._replace(growth=tuple(map(f, kept.growth)))

    def totals(kept: Kept) -> Any:
        """[exponent] logarithms of growth so far."""
        import jax.numpy as jnp

        growth = list(kept.growth)
        for k, zero in enumerate(kept.zeros):
            endless = zero.back | (zero.count > DEGENERATE)
            growth[k] = jnp.where(endless, -jnp.inf, growth[k])
        if plane:
            first, area = growth
            return jnp.stack([first, jnp.where(area == -jnp.inf, area, area - first)])
        return jnp.stack(growth)

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        def ordered(values: Any) -> Any:
            return -jnp.sort(-jnp.where(values < jnp.inf, values, jnp.nan), axis=0)

        mean = totals(kept) / length
        order = jnp.argsort(-mean)
        parts = jnp.diff(end.parts, axis=0) / max(end.span, 1)
        spread = average.standard_error(parts)
        found = ordered(mean)
        values = {
            "lyapunov": ordered(parts.T) if window else found,
            "lyapunov_error": spread[order],
        }
        return values | ({"kaplan_yorke_dimension": _dimension(found, size)} if size > 1 else {})

    return Fold(
        finished=tuple(finished),
        init=init,
        open=functools.partial(every, _begun),
        update=update,
        settle=functools.partial(every, _settled),
        close=functools.partial(every, _summed),
        finish=finish,
        part=totals,
        parts=average.PARTS,
        span=window or 0,
        dynamics=True,
        tangent=True,
        transient="last" if size > 1 else "none",
        again=() if careful else (second_look(subject, settings),),
    )


def leading(kept: Kept) -> Any:
    """[] the logarithm of growth of the leading exponent, so far."""
    import jax.numpy as jnp

    return jnp.where(kept.zeros[0].back, -jnp.inf, kept.growth[0]) if kept.zeros else kept.growth[0]


def second_look(subject: Subject, settings: Mapping[str, Any]) -> Again:
    """At the cells where a factor was 0."""

    def doubts(results: Mapping[str, np.ndarray]) -> np.ndarray:
        values = results["lyapunov"]
        return np.any(np.isneginf(values).reshape(len(values), -1), axis=1)

    return Again(doubts, "lyapunov", {**settings, CAREFUL: True}, subject.iterate)


def _dimension(exponents: Any, size: int) -> Any:
    """[] j + (sum of the first j) / |the next|, j the most whose sum is not negative.

    NaN where the exponents that were asked for do not tell. Kaplan and Yorke 1979,
    doi:10.1007/BFb0064319.
    """
    import jax.numpy as jnp

    count = len(exponents)
    sums = jnp.concatenate([jnp.zeros(1, exponents.dtype), jnp.cumsum(exponents)])
    # Sums first rise, then fall, so those that are not negative come first.
    j = jnp.sum(jnp.cumprod(sums >= 0)) - 1
    following = jnp.concatenate([exponents, jnp.full(1, jnp.nan, exponents.dtype)])[j]
    rest = 0.0 if count == size else jnp.nan
    part = jnp.where(j < count, sums[j] / jnp.abs(following), rest)
    known = ~jnp.any(jnp.isnan(exponents))
    return jnp.where(known, j + part, jnp.nan)


def refuse(subject: Subject) -> str | None:
    """Exponents are of what has derivatives: a map of the state, or of it and the last step."""
    return dynamics.refuse(subject.solver, inertia=True)


ANALYSIS = Analysis(
    "lyapunov",
    build,
    settings={
        "exponents": Setting(
            "integer", "all", "how many, the largest first", low=1, high=MOST, options=("all",)
        ),
        "window": Setting(
            "integer", None, "iterations of each finite-time exponent, along `window`", low=1
        ),
    },
    refuse=refuse,
)
