"""Statistics: the mean, standard deviation, minimum and maximum of each component over the length.

Means and variances are running ones of the distance from the first state that counts, so neither a
large mean nor a long orbit costs digits: the steps of one loop body are summed about the mean so
far and joined to it (Chan, Golub and LeVeque 1983, doi:10.2307/2683386), with one division a body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from pipeline.analyses import average, components
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import End, Fold, Seen
from pipeline.status import Status


class Moments(NamedTuple):
    """Of one real quantity, [...] each.

    Attributes:
        origin: its first value; mean and variance are those of the distance from it.
        first, second: working, the sums of the distance from that mean, and of its square.
    """

    origin: Any
    mean: Any
    variance: Any
    low: Any
    high: Any
    first: Any = ()
    second: Any = ()


class Kept(NamedTuple):
    """The states seen, (working) those that are not in the means yet, {quantity: moments}."""

    count: Any
    fresh: Any
    moments: dict[str, Moments]


def _init(seen: Seen) -> Kept:
    import jax.numpy as jnp

    def none(value: Any) -> Moments:
        zero, endless = jnp.zeros_like(value), jnp.full_like(value, jnp.inf)
        return Moments(zero, zero, zero, endless, -endless)

    values = components.values(seen.state)
    return Kept(jnp.int32(0), (), {name: none(value) for name, value in values.items()})


def _open(kept: Kept) -> Kept:
    import jax.numpy as jnp

    def opened(m: Moments) -> Moments:
        return m._replace(first=jnp.zeros_like(m.mean), second=jnp.zeros_like(m.mean))

    return Kept(kept.count, jnp.int32(0), {k: opened(m) for k, m in kept.moments.items()})


def _update(kept: Kept, seen: Seen) -> Kept:
    import jax.numpy as jnp

    begun = kept.count + kept.fresh > 0

    def seeing(m: Moments, x: Any) -> Moments:
        origin = jnp.where(begun, m.origin, x)
        off = (x - origin) - m.mean
        low, high = jnp.minimum(m.low, x), jnp.maximum(m.high, x)
        return Moments(origin, m.mean, m.variance, low, high, m.first + off, m.second + off * off)

    values = components.values(seen.state)
    found = {name: seeing(kept.moments[name], value) for name, value in values.items()}
    return Kept(kept.count, kept.fresh + 1, found)


def _close(kept: Kept) -> Kept:
    count = kept.count + kept.fresh

    def closed(m: Moments) -> Moments:
        kind = m.mean.dtype
        inverse = 1 / count.astype(kind)
        moved = m.first * inverse
        gained = m.second - kept.fresh.astype(kind) * m.variance - m.first * moved
        variance = m.variance + gained * inverse
        return Moments(m.origin, m.mean + moved, variance, m.low, m.high)

    return Kept(count, (), {name: closed(m) for name, m in kept.moments.items()})


def _part(kept: Kept) -> dict[str, Any]:
    """The sums so far of the distances from the first values."""
    return {name: kept.count.astype(m.mean.dtype) * m.mean for name, m in kept.moments.items()}


def _error(sums: Any, span: int) -> Any:
    """The standard error of the mean, from the sums between parts.

    Another analysis may ask for more and shorter parts, whose averages are less independent.
    """
    import jax.numpy as jnp

    each = max(1, (len(sums) - 1) // average.PARTS)
    return average.standard_error(jnp.diff(sums[::each], axis=0) / max(each * span, 1))


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`<c>_mean`, `<c>_mean_error`, `<c>_std`, `<c>_min`, `<c>_max`; NaN of an escaped cell.

    The standard deviation is that of the states seen: their number is the divisor. A component with
    a modulus is taken as the number that stands for it, which depends on where its circle is cut.
    """
    meanings = {
        "mean": "mean of",
        "std": "standard deviation of",
        "min": "minimum of",
        "max": "maximum of",
    }
    finished = []
    for suffix, meaning in meanings.items():
        for variable in components.variables(
            subject.problem.components, (), suffix=f"_{suffix}", meaning=""
        ):
            named = replace(variable, long_name=f"{meaning} {variable.long_name}")
            if suffix != "mean":
                finished.append(named)
                continue
            name, text = f"{named.name}_error", f"standard error of the {named.long_name}"
            finished.append(replace(named, attributes={"ancillary_variables": name}))
            finished.append(replace(named, name=name, long_name=text))

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        found = {}
        named = [components.values(end.seen.state, suffix=f"_{suffix}") for suffix in meanings]
        for quantity, mean, std, low, high in zip(
            components.values(end.seen.state), *named, strict=True
        ):
            m = kept.moments[quantity]
            found[mean] = m.origin + m.mean
            found[f"{mean}_error"] = _error(end.parts[quantity], end.span)
            # Of a constant, rounding may leave a little less than nothing.
            found[std] = jnp.sqrt(jnp.maximum(m.variance, 0))
            found[low], found[high] = m.low, m.high
        lost = end.status == Status.escaped
        return {name: jnp.where(lost, jnp.nan, value) for name, value in found.items()}

    return Fold(
        finished=tuple(finished),
        init=_init,
        open=_open,
        update=_update,
        close=_close,
        finish=finish,
        part=_part,
        parts=average.PARTS,
        dynamics=True,
        transient="none",
    )


ANALYSIS = Analysis("statistics", build, refuse=average.refuse)
