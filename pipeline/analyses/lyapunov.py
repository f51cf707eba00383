"""Lyapunov exponent: the mean logarithm of the derivative along the orbit, in nats per iteration.

The product of derivatives is kept as a mantissa in [1, 2) and an integer exponent, so that one
logarithm, at the end, serves for all steps: XLA's log costs as much as 20 steps of a simple map.
Between two calls of `settle` a few derivatives are multiplied; their product leaves the range of
doubles only where their geometric mean over 4 steps is beyond 1e77 or below 1e-77.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses.fold import Analysis, End, Fold, Seen, Subject
from pipeline.arrays import Dimension, Variable


class Kept(NamedTuple):
    """|product of derivatives| = mantissa * 2**exponent, over so many steps."""

    mantissa: Any
    exponent: Any
    steps: Any


def settle(kept: Kept) -> Kept:
    """Move the binary exponent of the mantissa into the exponent: integer operations alone.

    Zero, infinity and NaN stay in the mantissa for good.
    """
    import jax
    import jax.numpy as jnp

    p = kept.mantissa
    kind = jnp.int64 if p.dtype == jnp.float64 else jnp.int32
    stored, bias = (52, 1023) if p.dtype == jnp.float64 else (23, 127)
    bits = jax.lax.bitcast_convert_type(p, kind)
    one = kind(bias) << stored
    mantissa = jax.lax.bitcast_convert_type((bits & ((kind(1) << stored) - 1)) | one, p.dtype)
    normal = (p > 0) & (p < jnp.inf)
    exponent = kept.exponent + ((bits >> stored) - bias).astype(kept.exponent.dtype)
    return kept._replace(mantissa=jnp.where(normal, mantissa, p), exponent=exponent)


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`lyapunov`; -inf where a derivative was exactly 0, NaN of an escaped cell."""
    (name,) = subject.problem.components
    first = Dimension("exponent", 1, np.arange(1), "number of the exponent, the largest first")
    variable = Variable("lyapunov", (first,), "float", "Lyapunov exponent", "1")

    def init(seen: Seen) -> Kept:
        import jax.numpy as jnp

        one = jnp.ones_like(seen.state[name])
        wide = jnp.int64 if one.dtype == jnp.float64 else jnp.int32
        return Kept(one, jnp.zeros((), wide), jnp.int32(0))

    def update(kept: Kept, seen: Seen) -> Kept:
        import jax.numpy as jnp

        assert seen.push is not None
        derivative = seen.push({name: jnp.ones_like(seen.state[name])})[name]
        return kept._replace(mantissa=kept.mantissa * jnp.abs(derivative), steps=kept.steps + 1)

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        total = jnp.log(kept.mantissa) + math.log(2) * kept.exponent.astype(kept.mantissa.dtype)
        # An exponent of minus the bias has been counted for a zero at each step: it is -inf anyway.
        mean = jnp.where(kept.mantissa < jnp.inf, total / kept.steps, jnp.nan)
        return {"lyapunov": mean[None]}

    return Fold(
        finished=(variable,),
        init=init,
        update=update,
        finish=finish,
        settle=settle,
        tangent=True,
        transient=False,
    )


def refuse(subject: Subject) -> str | None:
    """The spectrum of larger states needs orthogonalisation."""
    components = list(subject.problem.components.values())
    if subject.solver.freezes:
        return "a solver's cells end where they converge; exponents are studied with solver=direct"
    if len(components) != 1 or components[0].reals != 1:
        return "it takes maps of one real component"
    return None


ANALYSIS = Analysis("lyapunov", build, refuse=refuse)
