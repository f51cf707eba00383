"""Averages over the length: their standard errors, and which iterations have none."""

from __future__ import annotations

from typing import Any

from pipeline.analyses import dynamics
from pipeline.analyses.analysis import Subject

# Equal parts of the length, whose averages scatter as the standard error says.
PARTS = 32


def standard_error(parts: Any) -> Any:
    """[...] the standard error of the mean of [n, ...] parts; NaN of fewer than two.

    Summed up one after another: the order of a reduction depends on how many cells there are.
    """
    import jax
    import jax.numpy as jnp

    def added(total: Any, part: Any) -> tuple[Any, None]:
        return total + part, None

    count, zero = len(parts), jnp.zeros(parts.shape[1:], parts.dtype)
    if count < 2:
        return zero + jnp.nan
    mean = jax.lax.scan(added, zero, parts)[0] / count
    squares = jax.lax.scan(added, zero, (parts - mean) ** 2)[0]
    return jnp.sqrt(squares / (count - 1) / count)


def refuse(subject: Subject) -> str | None:
    """An average is over a length that all cells share, of a map that goes on for ever."""
    if why_not := dynamics.refuse(subject.solver, smooth=False, inertia=True):
        return why_not
    if subject.iterate.stop == "converged":
        return "averages are over iterate.length steps; drop iterate.stop=converged"
    return None
