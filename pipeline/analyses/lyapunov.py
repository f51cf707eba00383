"""Lyapunov exponent: the mean logarithm of the derivative along the orbit, in nats per iteration.

The product of derivatives is kept as a mantissa in [1, 2) and an integer exponent over as many
steps as the loop takes together, and one logarithm serves them all: XLA's log costs as much as
20 steps of a simple map. Up to 4 derivatives are multiplied between two calls of `settle`; their
product leaves the range of doubles only where their geometric mean is beyond 1e77 or below 1e-77.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses.fold import Analysis, End, Fold, Seen, Subject
from pipeline.arrays import Dimension, Variable


class Working(NamedTuple):
    """log|product of derivatives| = total + log(mantissa * 2**exponent)."""

    total: Any
    mantissa: Any
    exponent: Any


def _open(total: Any) -> Working:
    import jax.numpy as jnp

    wide = jnp.int64 if total.dtype == jnp.float64 else jnp.int32
    return Working(total, jnp.ones_like(total), jnp.zeros(total.shape, wide))


def settle(working: Working) -> Working:
    """Move the binary exponent of the mantissa into the exponent: integer operations alone.

    Zero, infinity and NaN stay in the mantissa.
    """
    import jax
    import jax.numpy as jnp

    p = working.mantissa
    kind = jnp.int64 if p.dtype == jnp.float64 else jnp.int32
    stored, bias = (52, 1023) if p.dtype == jnp.float64 else (23, 127)
    bits = jax.lax.bitcast_convert_type(p, kind)
    one = kind(bias) << stored
    mantissa = jax.lax.bitcast_convert_type((bits & ((kind(1) << stored) - 1)) | one, p.dtype)
    normal = (p > 0) & (p < jnp.inf)
    exponent = working.exponent + ((bits >> stored) - bias)
    return Working(working.total, jnp.where(normal, mantissa, p), exponent)


def _close(working: Working) -> Any:
    import jax.numpy as jnp

    # Of zeros minus the bias has been counted, which their logarithm, -inf, makes no less.
    exponent = working.exponent.astype(working.mantissa.dtype)
    return working.total + (jnp.log(working.mantissa) + math.log(2) * exponent)


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`lyapunov`; -inf where a derivative was exactly 0, NaN of an escaped cell."""
    (name,) = subject.problem.components
    first = Dimension("exponent", 1, np.arange(1), "number of the exponent, the largest first")
    variable = Variable("lyapunov", (first,), "float", "Lyapunov exponent", "1")

    def init(seen: Seen) -> Any:
        import jax.numpy as jnp

        return jnp.zeros_like(seen.state[name])

    def update(working: Working, seen: Seen) -> Working:
        import jax.numpy as jnp

        assert seen.push is not None
        derivative = seen.push({name: jnp.ones_like(seen.state[name])})[name]
        return working._replace(mantissa=working.mantissa * jnp.abs(derivative))

    def finish(total: Any, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        mean = jnp.where(total < jnp.inf, total / subject.iterate.length, jnp.nan)
        return {"lyapunov": mean[None]}

    return Fold(
        finished=(variable,),
        init=init,
        open=_open,
        update=update,
        settle=settle,
        close=_close,
        finish=finish,
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
