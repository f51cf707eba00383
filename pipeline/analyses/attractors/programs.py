"""Programs of one row that explore where a state is going; the states are vectors, [d]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.analyses.analysis import Subject
from pipeline.analyses.refine import Walk, radius, refine, walk
from pipeline.maps import Map
from pipeline.solvers import Iteration
from pipeline.state import unflatten

# Steps before a representative is looked at, and steps of it that are recorded.
SETTLED, RECORDED = 1000, 4096
# Parts of a record, whose exponents scatter as the standard error says.
PARTS = 16
# Newton's method is tried for so many of the closest returns.
TRIED = 4
# Steps on which the volume is watched, and the dimension up to which.
WATCHED, DENSE = 64, 16


class Looked(NamedTuple):
    """A representative, after it has settled.

    Attributes:
        point: [d] where it is.
        alive: [] whether it has stayed within the escape radius.
        cycle: [longest period, d] the cycle that Newton's method found, from one of its points on
            and over again; NaN where there is none.
        period: [] of that cycle, 0 where there is none.
        radius: [] the largest modulus of its multipliers.
        apart: [5] how far the orbit is from the cycle, moving along both.
        kept: [] whether every step kept the volume.
    """

    point: Any
    alive: Any
    cycle: Any
    period: Any
    radius: Any
    apart: Any
    kept: Any


class Recorded(NamedTuple):
    """An orbit.

    Attributes:
        points: [n, d]
        alive: [] whether it has stayed within the escape radius.
        growth: [PARTS] mean logarithmic growth of a tangent vector, of equal parts.
    """

    points: Any
    alive: Any
    growth: Any


class Probed(NamedTuple):
    """A state some steps later.

    Attributes:
        point: [d]
        alive: [] whether it has stayed within the escape radius.
        stuck: [] whether it came back to where it was, but for rounding.
    """

    point: Any
    alive: Any
    stuck: Any


def inside(subject: Subject, u: Any) -> Any:
    """[] Whether a state is one that has not escaped."""
    import jax.numpy as jnp

    if isinstance(subject.problem, Map):
        return subject.problem.inside(unflatten(u, subject.problem.components))
    return jnp.all(jnp.isfinite(u))


def settle(subject: Subject) -> Callable[..., tuple[Any, Any]]:
    """(iteration, start, u, steps) -> (the state then, whether it has stayed inside)."""
    import jax

    def program(iteration: Iteration, _: Any, u: Any, steps: Any) -> tuple[Any, Any]:
        path = walk(subject.problem, iteration)

        def step(_: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
            v, alive = carry
            v = path.advance(v)
            return v, alive & inside(subject, v)

        return jax.lax.fori_loop(0, steps, step, (u, inside(subject, u)))

    return program


def probe(subject: Subject, period: int) -> Callable[..., Probed]:
    """(iteration, start, u, scale) -> `Probed`, as many steps later as the longest period."""
    import jax
    import jax.numpy as jnp

    def program(iteration: Iteration, _: Any, u: Any, scale: Any) -> Probed:
        path = walk(subject.problem, iteration)
        near = 16 * jnp.finfo(u.dtype).eps * scale

        def step(_: Any, carry: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
            v, alive, stuck = carry
            v = path.advance(v)
            back = jnp.max(jnp.abs(path.change(v, u))) <= near
            return v, alive & inside(subject, v), stuck | back

        begin = (u, inside(subject, u), jnp.zeros((), bool))
        return Probed(*jax.lax.fori_loop(0, period, step, begin))

    return program


def look(subject: Subject, period: int) -> Callable[..., Looked]:
    """(iteration, start, u, scale) -> `Looked`: settled, and a cycle nearby if there is one."""
    import jax
    import jax.numpy as jnp

    def program(iteration: Iteration, start: Any, u: Any, scale: Any) -> Looked:
        path = walk(subject.problem, iteration)
        v, alive = settle(subject)(iteration, start, u, SETTLED)
        _, gaps = _orbit(path, v, period)
        finite = jnp.where(jnp.isfinite(gaps), gaps, jnp.inf)
        closest = jax.lax.top_k(-finite, min(TRIED - 1, period))[1] + 1
        # Multiples of a period return as closely as rounding lets them.
        first = jnp.argmax(finite <= 32 * jnp.min(finite) + 1e-9 * scale) + 1
        tolerance = jnp.finfo(u.dtype).eps ** (2 / 3) * scale

        def attempt(q: Any) -> tuple[Any, Any, Any]:
            reach = 10 * jnp.min(finite) + 1e-2 * scale
            found = refine(path, v, jnp.where(alive, q, 0), reach=reach, tolerance=tolerance)
            return found.point, radius(found.matrix), found.good

        points, radii, good = jax.vmap(attempt)(jnp.append(closest, first).astype(jnp.int32))
        # The first is the shortest; a stable one is what the orbit is going to.
        best = jnp.argmax(good * 1 + (good & (radii < 1)) * 2)
        point = jnp.where(good[best], points[best], jnp.nan)
        orbit, home = _orbit(path, point, period)
        close = home <= jnp.sqrt(jnp.finfo(u.dtype).eps) * scale
        whole = jnp.where(jnp.any(close), jnp.argmax(close) + 1, 0)
        return Looked(
            point=v,
            alive=alive,
            cycle=orbit,
            period=jnp.where(good[best], whole, 0).astype(jnp.int32),
            radius=radii[best],
            apart=_apart(path, v, point),
            kept=_volume_kept(path, v),
        )

    return program


def record(subject: Subject, size: int) -> Callable[..., Recorded]:
    """(iteration, start, u) -> `Recorded`; of large states, fewer steps."""
    import jax
    import jax.numpy as jnp

    length = RECORDED if size <= DENSE else max(PARTS, RECORDED * DENSE // size)

    def program(iteration: Iteration, _: Any, u: Any) -> Recorded:
        path = walk(subject.problem, iteration)

        def step(carry: tuple[Any, Any, Any], _: Any) -> tuple[Any, tuple[Any, Any]]:
            v, tangent, alive = carry
            v, pushed = jax.jvp(path.advance, (v,), (tangent,))
            largest = jnp.max(jnp.abs(pushed))
            usable = (largest > 0) & jnp.isfinite(largest)
            norm = largest * jnp.sqrt(jnp.sum((pushed / jnp.where(usable, largest, 1)) ** 2))
            tangent = jnp.where(usable, pushed / jnp.where(usable, norm, 1), tangent)
            return (v, tangent, alive & inside(subject, v)), (v, jnp.log(norm))

        tangent = jnp.ones_like(u) / jnp.sqrt(jnp.asarray(u.size, u.dtype))
        begin = (u, tangent, inside(subject, u))
        (_, _, alive), (points, growth) = jax.lax.scan(step, begin, length=length)
        parts = growth[: length // PARTS * PARTS].reshape(PARTS, -1)
        return Recorded(points, alive, jnp.mean(parts, axis=1))

    return program


def _orbit(path: Walk, home: Any, period: int) -> tuple[Any, Any]:
    """([period, d] the next states, [period] how far from home they are, the largest entry)."""
    import jax
    import jax.numpy as jnp

    def step(v: Any, _: Any) -> tuple[Any, tuple[Any, Any]]:
        v = path.advance(v)
        return v, (v, jnp.max(jnp.abs(path.change(v, home))))

    return jax.lax.scan(step, home, length=period)[1]


def _apart(path: Walk, v: Any, point: Any) -> Any:
    """[5] the distance of two states that move on, at quarters of the way."""
    import jax
    import jax.numpy as jnp

    def step(pair: tuple[Any, Any], _: Any) -> tuple[Any, Any]:
        pair = path.advance(pair[0]), path.advance(pair[1])
        return pair, jnp.max(jnp.abs(path.change(*pair)))

    first = jnp.max(jnp.abs(path.change(v, point)))
    later = jax.lax.scan(step, (v, point), length=SETTLED)[1]
    return jnp.append(first, later[SETTLED // 4 - 1 :: SETTLED // 4])


def _volume_kept(path: Walk, v: Any) -> Any:
    """[] Whether |det J| = 1 at each of the next steps, to rounding."""
    import jax
    import jax.numpy as jnp

    if v.size > DENSE:
        return jnp.zeros((), bool)

    def step(v: Any, _: Any) -> tuple[Any, Any]:
        return path.advance(v), jnp.abs(jnp.linalg.det(jax.jacfwd(path.advance)(v)))

    change = jnp.abs(jax.lax.scan(step, v, length=WATCHED)[1] - 1)
    return jnp.all(change <= jnp.sqrt(jnp.finfo(v.dtype).eps))
