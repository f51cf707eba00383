"""Periods: the smallest period of the orbit's attractor, or what it is if it has none.

Recurrences only suggest a period: at a tangent bifurcation an orbit repeats itself within 1e-6 for
ten thousand steps, and is chaotic. It is accepted when Newton's method confirms a stable cycle of
that period near the orbit, which the orbit does not leave. Where there is none, the leading
exponent and its scatter tell chaos from a torus; what they do not tell stays unresolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import dynamics, lyapunov
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Again, End, Fold, Seen, Sequel
from pipeline.analyses.refine import Walk, radius, refine, walk
from pipeline.arrays import Variable, flags
from pipeline.maps import Map
from pipeline.settings import Setting
from pipeline.solvers import Iteration
from pipeline.state import flatten
from pipeline.status import Status


class Regime(IntEnum):
    """What the orbit has settled on; the order is part of the archive's format."""

    periodic = 0
    quasiperiodic = 1
    chaotic = 2
    unresolved = 3
    escaped = 4


# A return this close, in fractions of the orbit's range, suggests a period.
NEAR = 0.05
# Each further one must be so much closer than all before it; so many are tried.
CLOSER, TRIES = 2, 6
# A multiplier's modulus must be below 1 by this, and so many units of rounding are forgiven.
MARGIN, ROUNDING = 1e-9, 64
# An exponent is positive where it exceeds 0 by this many standard errors.
SIGMAS = 3
# On a torus the sum of logarithms of growth stays bounded, and so does its scatter; chaos lets the
# scatter grow as the root of the steps, so that it takes this many to tell them apart.
BOUNDED, TELLING = 20.0, 10_000
# A cycle of more reals takes matrices too large for each cell.
MOST = 64


class Kept(NamedTuple):
    """What the exponents keep, and where the orbit began."""

    exponents: Any
    start: Any


class Look(NamedTuple):
    """What a stretch of the orbit shows.

    Attributes:
        end: [d] the state after it.
        near: [] the farthest that a return may be off.
        tolerance: [] of a residual.
    """

    end: Any
    near: Any
    tolerance: Any


def build(subject: Subject, settings: Mapping[str, Any], exponents: Fold | None = None) -> Fold:
    """`period`, 0 where there is none, and `regime`.

    Args:
        exponents: the fold that computes them; its results are this fold's too. One that computes
            the leading exponent for this alone if None.
    """
    problem, most = subject.problem, settings["max_period"]
    length, steps = subject.iterate.length, subject.iterate.steps
    alone = {"exponents": 1, "window": None, lyapunov.CAREFUL: True}
    inner = exponents or lyapunov.build(subject, alone)
    reals = sum(component.reals for component in problem.components.values())
    turning = reals > 1 or (isinstance(problem, Map) and bool(problem.modulus))

    def init(seen: Seen) -> Kept:
        return Kept(inner.init(seen), flatten(seen.state))

    def passed(move: str) -> Any:
        f = getattr(inner, move)
        return lambda kept: kept._replace(exponents=f(kept.exponents))

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        found = inner.finish(kept.exponents, end)
        steady = walk(problem, end.iteration)
        u = flatten(end.seen.state)
        escaped = end.status == Status.escaped
        look = _look(steady, u, kept.start, most, settings["tolerance"])
        candidates = jnp.where(escaped, 0, _candidates(steady, u, look, most))
        growth = lyapunov.leading(kept.exponents)
        scatter = found["lyapunov_error"][0] * length
        chaotic = (growth > SIGMAS * scatter) & (growth > BOUNDED)
        torus = (jnp.abs(growth) <= BOUNDED) & (scatter <= BOUNDED)
        torus &= turning and length >= TELLING
        # Chaos and slow turns may be passing: of few steps no more can be said.
        if steps < settings["transient"]:
            chaotic = torus = jnp.bool_(False)
        regime = jnp.where(chaotic, Regime.chaotic, Regime.unresolved)
        regime = jnp.where(torus, Regime.quasiperiodic, regime)
        regime = jnp.where(escaped, Regime.escaped, regime).astype(jnp.int8)
        results = found if exponents else {}
        taken = (u, candidates, regime, look.end, look.near, look.tolerance)
        results |= dict(zip(TAKES, taken, strict=True))
        return results | {"period": jnp.int32(0), "regime": regime}

    def find(iteration: Iteration, taken: Mapping[str, Any]) -> dict[str, Any]:
        import jax.numpy as jnp

        u, candidates, regime, *look = (taken[name] for name in TAKES)
        period = _first(walk(problem, iteration), u, candidates, Look(*look), most)
        regime = jnp.where(period > 0, Regime.periodic, regime).astype(jnp.int8)
        return {"period": period, "regime": regime}

    return replace(
        inner,
        finished=(*(inner.finished if exponents else ()), *VARIABLES),
        init=init,
        open=passed("open"),
        update=lambda kept, seen: kept._replace(exponents=inner.update(kept.exponents, seen)),
        settle=passed("settle"),
        close=passed("close"),
        part=lambda kept: inner.part(kept.exponents),
        finish=finish,
        sequels=(Sequel(TAKES, _cost, find, ("period", "regime")),),
        again=(*(inner.again if exponents else ()), *_again(subject, settings, steps)),
    )


# What the loop leaves for the search: the state, periods to try, the regime if there is none, and
# the fields of `Look`.
TAKES = tuple(f"period ({what})" for what in "state tries regime end near tolerance".split())
VARIABLES = (
    Variable("period", (), "int32", "smallest period of the attractor, 0 where there is none"),
    Variable("regime", (), "int8", "what the orbit has settled on", attributes=flags(Regime)),
)


def _again(subject: Subject, settings: Mapping[str, Any], steps: int) -> tuple[Again, ...]:
    """Longer looks at what is unresolved."""

    def doubts(results: Mapping[str, np.ndarray]) -> np.ndarray:
        return results["regime"] == Regime.unresolved

    length = max(subject.iterate.length, TELLING)
    alone = {**settings, "extended": 0}
    longer = sorted({settings["transient"], settings["extended"]}) if settings["extended"] else ()
    looks = [replace(subject.iterate, transient=most, length=length) for most in longer]
    return tuple(Again(doubts, "period", alone, it) for it in looks if it.steps > steps)


def _cost(taken: Mapping[str, np.ndarray]) -> np.ndarray:
    """Turns of the map, at least."""
    return taken[TAKES[1]].sum(axis=1)


def _first(steady: Walk, u: Any, candidates: Any, look: Look, most: int) -> Any:
    """[] int32 the first of some periods that is confirmed, 0 if none is."""
    import jax
    import jax.numpy as jnp

    def going(carry: tuple[Any, Any]) -> Any:
        k, found = carry
        left = jnp.append(candidates, jnp.int32(0))[k]
        return (found == 0) & (left > 0)

    def tried(carry: tuple[Any, Any]) -> tuple[Any, Any]:
        k, _ = carry
        # Cells that are done wait for the others, and take no time.
        p = jnp.where(going(carry), candidates[jnp.minimum(k, TRIES - 1)], 0)
        return k + 1, _confirmed(steady, u, p, look, most)

    return jax.lax.while_loop(going, tried, (jnp.int32(0), jnp.int32(0)))[1]


def _look(steady: Walk, u: Any, start: Any, most: int, tolerance: float) -> Look:
    import jax
    import jax.numpy as jnp

    def seen(_: Any, carry: Any) -> Any:
        v, low, high = carry
        v = steady.advance(v)
        change = steady.change(v, u)
        return v, jnp.minimum(low, change), jnp.maximum(high, change)

    zero = jnp.zeros_like(u)
    end, low, high = jax.lax.fori_loop(0, most, seen, (u, zero, zero))
    extent = jnp.max(high - low)
    whole = jnp.maximum(extent, jnp.max(jnp.abs(steady.change(start, u))))
    rounding = ROUNDING * jnp.finfo(u.dtype).eps * (jnp.max(jnp.abs(u)) + whole)
    allowed = jnp.maximum(tolerance * extent, rounding)
    near = jnp.maximum(jnp.maximum(NEAR * extent, tolerance * whole), allowed)
    return Look(end, near, allowed)


def _candidates(steady: Walk, u: Any, look: Look, most: int) -> Any:
    """[TRIES] int32 the periods after which the orbit comes back closer than ever before, or 0."""
    import jax
    import jax.numpy as jnp

    def seen(q: Any, carry: Any) -> Any:
        v, best, found, count = carry
        v = steady.advance(v)
        apart = jnp.max(jnp.abs(steady.change(v, u)))
        good = (apart <= look.near) & (apart <= best / CLOSER) & (best > look.tolerance)
        found = jnp.where(good & (jnp.arange(TRIES) == count), q + 1, found)
        return v, jnp.minimum(best, apart), found, count + good

    infinite, none = jnp.array(jnp.inf, u.dtype), jnp.zeros(TRIES, jnp.int32)
    return jax.lax.fori_loop(0, most, seen, (u, infinite, none, jnp.int32(0)))[2]


def _confirmed(steady: Walk, u: Any, p: Any, look: Look, most: int) -> Any:
    """[] int32 the smallest period of a stable cycle of p points that the orbit stays at, or 0."""
    import jax
    import jax.numpy as jnp

    cycle = refine(steady, u, p, reach=look.near, tolerance=look.tolerance, stable=True)
    stable = cycle.good & (cycle.shift <= look.tolerance) & (radius(cycle.matrix) < 1 - MARGIN)

    def turned(q: Any, carry: Any) -> Any:
        v, smallest = carry
        v = steady.advance(v)
        back = jnp.max(jnp.abs(steady.change(v, cycle.point))) <= look.tolerance
        return v, jnp.where(back & (smallest == 0), q + 1, smallest)

    turns = jnp.where(stable, most, 0)
    end, smallest = jax.lax.fori_loop(0, turns, turned, (cycle.point, jnp.int32(0)))
    before = jnp.max(jnp.abs(steady.change(u, cycle.point)))
    after = jnp.max(jnp.abs(steady.change(look.end, end)))
    stays = after <= before + look.tolerance
    return jnp.where(stable & stays, smallest, 0)


def refuse(subject: Subject) -> str | None:
    """Cycles are of maps of the state with derivatives, which do not count their steps."""
    if why_not := dynamics.refuse(subject.solver):
        return why_not
    if isinstance(subject.problem, Map) and subject.problem.counts:
        return "a map whose formulas use n has no cycles; make n a component of its own"
    if why_not := dynamics.noisy(subject.problem, "cycles"):
        return why_not
    reals = sum(component.reals for component in subject.problem.components.values())
    if reals > MOST:
        return f"expected a state of at most {MOST} reals, and this has {reals}"
    return None


ANALYSIS = Analysis(
    "period",
    build,
    settings={
        "max_period": Setting("integer", 128, "the longest that is looked for", low=1, high=10_000),
        "tolerance": Setting(
            "number", 1e-8, "of a cycle, in fractions of the orbit's range", low=0, above=True
        ),
        "transient": Setting(
            "integer",
            10_000,
            "iterations before an orbit is called chaotic or quasiperiodic",
            low=0,
            high=10**9,
        ),
        "extended": Setting(
            "integer",
            100_000,
            "transient of a second look at what is unresolved; 0 for none",
            low=0,
            high=10**9,
        ),
    },
    refuse=refuse,
)
