"""Line searches: how far to go along a direction in which the merit falls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.settings import Setting, Settings
from pipeline.solvers.descent import STANDSTILL, Move, norm
from pipeline.solvers.target import Target

# Of a merit, this many units in the last place are rounding.
ROUNDING = 4
# Evaluations of an exact search: half of them make a trial 4^50 times longer, or a bracket vanish.
MOST = 100
# Where the merit does not curve upwards, the first trial moves by this share of 1 + |u|; then it
# grows by this factor.
FIRST, GROWTH = 0.01, 4.0

# The rule of `backtrack`.
ARMIJO: Settings = {
    "contraction": Setting(
        "number", 0.5, "factor of the next length", low=0, high=0.99, above=True, swept=True
    ),
    "decrease": Setting(
        "number",
        1e-4,
        "share of the slope's decrease that suffices",
        low=0,
        high=0.5,
        above=True,
        swept=True,
    ),
    "backtrack_limit": Setting(
        "integer", 60, "contractions at most, in one step", low=0, swept=True
    ),
}

# Whether, and by which rule, a step is shortened or lengthened that Newton's method proposes.
AHEAD: Settings = {
    "line_search": Setting(
        "choice", "wolfe", "how far a step goes; none takes it whole", options=("wolfe", "none")
    ),
    "decrease": ARMIJO["decrease"],
    "slope": Setting(
        "number", 0.1, "share of the slope that may be left", low=0, high=1, above=True, swept=True
    ),
}
AHEAD_TELLS = (
    Variable("step_length", (), "float", "length of this step over the direction"),
    Variable("line_trials", (), "int32", "lengths tried in this step"),
)

Line = Callable[[Any], tuple[Any, Any]]


class Search(NamedTuple):
    """What was found.

    Attributes:
        length: [] t, 0 where nothing was found.
        trials: [] lengths that were tried, int32.
        found: [] whether the merit may be called less there.
    """

    length: Any
    trials: Any
    found: Any


class Bracket(NamedTuple):
    """Of an exact search, all []: the merit falls at `low` and not at `high`; t is tried next."""

    t: Any
    low: Any
    high: Any
    trials: Any
    found: Any


class Secant(NamedTuple):
    """Of a search for the Wolfe conditions, all []: a bracket with the slopes at its ends."""

    t: Any
    low: Any
    high: Any
    low_tilt: Any
    high_tilt: Any
    trials: Any
    found: Any


def line(target: Target, u: Any, direction: Any) -> Line:
    """t -> (the merit at u + t * direction, its derivative by t)."""

    def along(t: Any) -> tuple[Any, Any]:
        point = u + t * direction
        residual = target.residual(point)
        return target.merit(point, residual), target.merit_gradient(point, residual) @ direction

    return along


def known(target: Target, u: Any, residual: Any, direction: Any) -> tuple[Any, Any]:
    """The merit at u and its derivative along the direction, where the residual is known."""
    return target.merit(u, residual), target.merit_gradient(u, residual) @ direction


def move(search: Search, direction: Any, told: dict[str, Any], *, trial: int, first: int) -> Move:
    """The step that a search has come to, with what it tells.

    Args:
        trial: evaluations that one trial takes.
        first: those before the trials.
    """
    import jax.numpy as jnp

    # Not 0 times a direction that overflows.
    change = jnp.where(search.found, search.length * direction, 0.0)
    evaluations = 1 + first + trial * search.trials
    return Move(change, told, failed=~search.found, evaluations=evaluations)


def ahead(
    target: Target,
    u: Any,
    residual: Any,
    direction: Any,
    told: dict[str, Any],
    settings: Mapping[str, Any],
) -> Move:
    """The step along a direction that is as long as the merit asks.

    Args:
        told: what there is to record of the direction.
        settings: those of `AHEAD`.
    """
    import jax.numpy as jnp

    if settings["line_search"] == "none":
        whole = {"step_length": jnp.ones((), u.dtype), "line_trials": jnp.int32(0)}
        return Move(direction, told | whole)
    search = wolfe(
        line(target, u, direction),
        known(target, u, residual, direction),
        decrease=settings["decrease"],
        slope=settings["slope"],
        least=shortest(u, direction),
    )
    searched = {"step_length": search.length, "line_trials": search.trials}
    return move(search, direction, told | searched, trial=1 + target.slope, first=0)


def shortest(u: Any, direction: Any) -> Any:
    """[] The length below which a step is none."""
    import jax.numpy as jnp

    size = norm(direction)
    return STANDSTILL * jnp.finfo(u.dtype).eps * norm(u) / jnp.where(size > 0, size, 1.0)


def armijo(
    target: Target, u: Any, residual: Any, direction: Any, first: Any, settings: Mapping[str, Any]
) -> Search:
    """Backtracking from a point whose residual is known.

    Args:
        first: [] the first trial.
        settings: those of `ARMIJO`.
    """
    import jax.numpy as jnp

    return backtrack(
        line(target, u, direction),
        known(target, u, residual, direction),
        jnp.asarray(first).astype(u.dtype),
        least=shortest(u, direction),
        contraction=settings["contraction"],
        decrease=settings["decrease"],
        limit=settings["backtrack_limit"],
    )


def backtrack(
    along: Line,
    begin: tuple[Any, Any],
    first: Any,
    *,
    least: Any,
    contraction: Any,
    decrease: Any,
    limit: Any,
) -> Search:
    """Armijo's rule: the first of first, first * contraction, ... whose decrease suffices.

    That is phi(t) <= phi(0) + decrease * t * phi'(0). Where the values differ by no more than their
    rounding, the slopes decide: phi'(t) <= (2 * decrease - 1) phi'(0), the same condition on a
    quadratic (Hager and Zhang 2005, doi:10.1137/030601880, equation 4.1).

    Args:
        begin: the merit and its derivative at 0.
        least: a length; no shorter one is tried.
        limit: of the contractions.
    """
    import jax
    import jax.numpy as jnp

    value, slope = begin
    slack = ROUNDING * jnp.finfo(value.dtype).eps * jnp.abs(value)

    def suffices(t: Any) -> Any:
        new, tilt = along(t)
        level = (new <= value + slack) & (tilt <= (2 * decrease - 1) * slope)
        fallen = (new <= value + decrease * t * slope) & (new < value - slack)
        return fallen | level

    def shorter(s: Search) -> Search:
        t = s.length * contraction
        return Search(t, s.trials + 1, suffices(t))

    def going(s: Search) -> Any:
        return ~s.found & (s.trials <= limit) & (s.length * contraction >= least)

    end = jax.lax.while_loop(going, shorter, Search(first, jnp.int32(1), suffices(first)))
    return end._replace(length=jnp.where(end.found, end.length, 0.0))


def wolfe(along: Line, begin: tuple[Any, Any], *, decrease: Any, slope: Any, least: Any) -> Search:
    """The strong Wolfe conditions: backtrack's decrease, and |phi'(t)| <= slope |phi'(0)|.

    The first trial is 1. A bracket grows until the conditions fail beyond it, and shrinks by the
    secant of the slopes, or by halves (after Nocedal and Wright, algorithms 3.5 and 3.6). Where no
    trial meets both, the best one that meets the first.

    Args:
        begin: the merit and its derivative at 0.
        least: a length; no shorter one is tried.
    """
    import jax
    import jax.numpy as jnp

    value, tilt = begin
    eps = jnp.finfo(value.dtype).eps
    slack = ROUNDING * eps * jnp.abs(value)
    zero = jnp.zeros_like(value)

    def going(b: Secant) -> Any:
        wide = (b.high - b.low > ROUNDING * eps * b.high) & (b.high > least)
        return ~b.found & (b.trials < MOST) & (wide | ~jnp.isfinite(b.high))

    def closer(b: Secant) -> Secant:
        new, bend = along(b.t)
        fine = jnp.isfinite(bend) & (new <= value + decrease * b.t * tilt + slack)
        found = fine & (jnp.abs(bend) <= slope * jnp.abs(tilt))
        falls = fine & (bend < 0)
        low, low_tilt = jnp.where(falls, b.t, b.low), jnp.where(falls, bend, b.low_tilt)
        high = jnp.where(falls, b.high, b.t)
        # A slope beyond what is too high tells nothing where it still falls.
        rises = jnp.where(bend > 0, bend, jnp.inf)
        high_tilt = jnp.where(falls, b.high_tilt, rises)
        span = jnp.where(jnp.isfinite(high), high - low, 0.0)
        part = jnp.where(jnp.isfinite(high_tilt), low_tilt / (low_tilt - high_tilt), 0.5)
        inner = low + jnp.clip(part, 0.1, 0.9) * span
        t = jnp.where(jnp.isfinite(high), inner, GROWTH * b.t)
        return Secant(jnp.where(found, b.t, t), low, high, low_tilt, high_tilt, b.trials + 1, found)

    first = Secant(zero + 1, zero, zero + jnp.inf, tilt, zero + jnp.inf, jnp.int32(0), ~(tilt < 0))
    end = jax.lax.while_loop(going, closer, first)
    met = end.found & (tilt < 0)
    return Search(jnp.where(met, end.t, end.low), end.trials, met | (end.low > 0))


def exact(along: Line, u: Any, direction: Any) -> Search:
    """The first minimum: a zero of phi' by Newton's method, kept within a bracket.

    On a quadratic the first trial, -phi'(0) / phi''(0), is the minimum. A line without one ends at
    the longest trial, where the merit is far below.
    """
    import jax
    import jax.numpy as jnp

    zero, least = jnp.zeros((), u.dtype), shortest(u, direction)
    eps = jnp.finfo(u.dtype).eps

    def look(t: Any) -> tuple[Any, Any, Any]:
        (value, slope), (_, curvature) = jax.jvp(along, (t,), (jnp.ones_like(t),))
        return value, slope, curvature

    value, slope, curvature = look(zero)
    slack = ROUNDING * eps * jnp.abs(value)
    first = FIRST * (1 + norm(u)) / jnp.where(slope < 0, norm(direction), 1.0)
    first = jnp.where(curvature > 0, -slope / jnp.where(curvature > 0, curvature, 1.0), first)

    def going(b: Bracket) -> Any:
        wide = b.high - b.low > ROUNDING * eps * b.high
        apart = (wide & (b.high > least)) | ~jnp.isfinite(b.high)
        return ~b.found & (b.trials < MOST) & apart

    def closer(b: Bracket) -> Bracket:
        new, tilt, bend = look(b.t)
        fine = jnp.isfinite(new) & jnp.isfinite(tilt) & (new <= value + slack)
        found = fine & (jnp.abs(tilt) <= jnp.sqrt(eps) * jnp.abs(slope))
        falls = fine & (tilt < 0)
        low, high = jnp.where(falls, b.t, b.low), jnp.where(falls, b.high, b.t)
        t = b.t - tilt / jnp.where(bend > 0, bend, jnp.nan)
        bisected = jnp.where(jnp.isfinite(high), (low + high) / 2, GROWTH * b.t)
        t = jnp.where(fine & (t > low) & (t < high), t, bisected)
        return Bracket(jnp.where(found, b.t, t), low, high, b.trials + 1, found)

    begin = Bracket(first, zero, zero + jnp.inf, jnp.int32(0), slope == 0)
    end = jax.lax.while_loop(going, closer, begin)
    length = jnp.where(end.found & (slope < 0), end.t, end.low)
    return Search(length, end.trials, end.found | (end.low > 0))
