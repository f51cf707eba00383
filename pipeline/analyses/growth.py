"""Growth: a branch of a manifold, followed point by point away from its saddle.

With t = begin * stretch^s and n turns, W(n, s) = G^n(parabola(t)) runs along the whole branch while
s goes from 0 to 1 again and again; a stable one has G^-1 in place of G. Each point comes from the
parabola by n turns, never from the point before, so that errors do not add up; how far s goes at a
time follows from the distance and the angle to the points before (Hobson 1993,
doi:10.1006/jcph.1993.1002). Preimages are Newton's, from those of the point before.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import refine
from pipeline.analyses.refine import Walk, walk
from pipeline.analyses.saddles import Branches, Kind, Parabolas
from pipeline.analyses.search import Bench
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.state import unflatten

# Points that are tried in one call.
CHUNK = 128
# Radians between neighbouring chords, but for those shorter than this part of the spacing.
TURN, SHORT = 0.2, 0.01
# Of a turn: shorter steps are those round a corner, or up to where the map folds or jumps.
CALM = 1e-3
# Newton's steps to a preimage. With three a branch takes twice the points: all preimages on the way
# move with the last one, some of them farther than it.
STEPS = 5
# The last of them is at most such a power of the precision, of a chord (1e-4 of it in double, 0.02
# in single): beside a fold of the map they converge slowly, and rounding moves them to and fro.
LAST = 0.25
# Units of the last place, over the size of the state, that a preimage may miss its image by.
MISSED = 64
# A turn that stretches more than the digits of a double has a multiplier that is 0 to rounding.
STEEPEST = 1e15
# Map steps from the parabola; preimages take room for this many times a power of 2.
FARTHEST, ROOM = 4096, 32


class End(IntEnum):
    """Why a branch ends.

    length: it is as long as was asked. full: it has as many points as there is room for. escaped:
    beyond the escape radius. settled: a whole turn has become too short to see, as it goes to an
    attractor. no_preimage: Newton's method finds none. unresolved: a jump of the map, or more than
    the precision can tell.
    """

    none = -1
    length = 0
    full = 1
    escaped = 2
    settled = 3
    no_preimage = 4
    unresolved = 5


class Origin(NamedTuple):
    """What a branch grows from, of `Branches` and `Parabolas`, and how far."""

    points: Any
    period: Any
    turns: Any
    tangent: Any
    bend: Any
    stretch: Any
    begin: Any
    spacing: Any
    length: Any


class Course(NamedTuple):
    """Where a branch is.

    Attributes:
        turn: [] n.
        phase: [] s.
        step: [] of s, that is tried next.
        point: [d] W, the way there followed round circles.
        heading: [d] the last chord, of length 1.
        speed: [] its length over its step.
        length: [] so far.
        end: [] a code of `End`, none while it goes on.
        chain: [room, d] the images of W as far as the parabola, then points of the cycle.
    """

    turn: Any
    phase: Any
    step: Any
    point: Any
    heading: Any
    speed: Any
    length: Any
    end: Any
    chain: Any


class Wanted(NamedTuple):
    """How far branches are followed: chords no longer than the spacing, so long and many."""

    spacing: float
    length: float
    points: int


class Path(NamedTuple):
    """A branch that has been followed.

    Attributes:
        points: [k, d] from the saddle on.
        length: [k] of the chords up to each.
        end: a code of `End`.
    """

    points: np.ndarray
    length: np.ndarray
    end: int


def programs(bench: Bench, problem: Map | Objective) -> dict[Kind, Callable[..., Any]]:
    """{kind: (cells, Origin, Course) -> (Course, points [CHUNK, d], lengths, whether kept)}."""

    def grow(pull: Callable[..., Any]) -> Callable[..., Any]:
        def run(iteration: Any, x0: Any, origin: Any, course: Any) -> Any:
            import jax

            step = walk(problem, iteration)

            def inside(u: Any) -> Any:
                import jax.numpy as jnp

                if not isinstance(problem, Map):
                    return jnp.all(jnp.isfinite(u))
                return problem.inside(unflatten(u, problem.components))

            def stride(course: Any, _: Any) -> Any:
                after, kept = _stride(step, pull, inside, origin, course)
                return after, (after.point, after.length, kept)

            after, (points, lengths, kept) = jax.lax.scan(stride, course, length=CHUNK)
            return after, points, lengths, kept

        return run

    return {
        Kind.unstable: bench.program("manifolds unstable", grow(_image)),
        Kind.stable: bench.program("manifolds stable", grow(_preimage)),
    }


def _stride(
    step: Walk, pull: Callable[..., Any], inside: Callable[..., Any], origin: Any, course: Any
) -> tuple[Any, Any]:
    """The course after one step that was tried, and whether it was made."""
    import jax
    import jax.numpy as jnp

    phase = course.phase + course.step
    up = phase >= 1
    turn = course.turn + up
    phase = jnp.where(up, phase - 1, phase)
    levels = turn * origin.turns
    t = origin.begin * origin.stretch**phase
    base = origin.points[0] + t * origin.tangent + t**2 * origin.bend
    there, chain, off, waits = pull(step, base, levels, course.chain)
    gap = step.change(there, course.point)
    far = jnp.sqrt(jnp.sum(gap**2))
    # Beside the saddle chords may be as short as rounding.
    least = jnp.finfo(far.dtype).eps ** LAST * far
    found = (off <= least) | (jnp.isfinite(off) & (course.length <= origin.spacing))
    (a, b), (c, d) = course.heading, gap
    angle = jnp.abs(jnp.arctan2(a * d - b * c, a * c + b * d))
    # Where the curve turns back within a step, the chord is short, but not so the way.
    short = jnp.maximum(far, course.speed * course.step) <= SHORT * origin.spacing
    going = (course.end == End.none) & ~waits
    fits = going & found & (far <= origin.spacing) & (short | (angle <= TURN))
    ratio = 0.9 * jnp.minimum(origin.spacing / far, jnp.where(short, jnp.inf, TURN / angle))
    ratio = jnp.where(found & jnp.isfinite(far), ratio, 0)
    changed = course.step * jnp.clip(ratio, 0.1, jnp.where(fits, 2, 0.5))
    length = course.length + far
    tiny = jnp.sqrt(jnp.finfo(far.dtype).eps)
    speed = far / course.step
    shrunk = (course.step >= CALM) & (speed < course.speed) & (speed <= tiny * length)
    nowhere = course.speed * changed <= tiny * jnp.minimum(origin.spacing, course.length)
    ends = [
        (fits & ~inside(there), End.escaped),
        (fits & (length >= origin.length), End.length),
        (fits & shrunk, End.settled),
        (~fits & nowhere, jnp.where(found, End.unresolved, End.no_preimage)),
    ]
    reasons = [jnp.full_like(course.end, code) for _, code in ends]
    end = jnp.select([condition for condition, _ in ends], reasons, course.end)
    made = Course(
        turn=turn,
        phase=phase,
        step=changed,
        point=course.point + gap,
        heading=jnp.where(far > 0, gap / far, course.heading),
        speed=speed,
        length=length,
        end=end,
        chain=chain,
    )
    tried = course._replace(step=changed, end=end)
    after = jax.tree.map(
        lambda made, tried, before: jnp.where(fits, made, jnp.where(going, tried, before)),
        made._replace(step=jnp.minimum(changed, 1)),
        tried,
        course,
    )
    return after, fits


def _image(step: Walk, base: Any, levels: Any, chain: Any) -> tuple[Any, Any, Any, Any]:
    """(g^levels(base), the chain, how far off it may be, whether it has to wait for room)."""
    import jax
    import jax.numpy as jnp

    there = jax.lax.fori_loop(0, levels, lambda _, u: step.advance(u), base)
    return there, chain, jnp.where(jnp.all(jnp.isfinite(there)), 0, jnp.inf), jnp.bool_(False)


def _preimage(step: Walk, base: Any, levels: Any, chain: Any) -> tuple[Any, Any, Any, Any]:
    """The same of g^-levels(base): each preimage from that of the point before, in the chain."""
    import jax
    import jax.numpy as jnp

    eps = jnp.finfo(base.dtype).eps

    def back(carry: Any, guess: Any) -> tuple[Any, Any]:
        (image, off), (level, near) = carry, guess
        z, matrix, shift = near, jnp.eye(near.size, dtype=near.dtype), near
        for _ in range(STEPS):
            value, matrix = step.advance(z), jax.jacfwd(step.advance)(z)
            shift = refine.solve(matrix, step.change(image, value))
            z = z + shift
        missed = jnp.max(jnp.abs(step.change(image, step.advance(z))))
        size = jnp.max(jnp.abs(image)) + jnp.max(jnp.abs(matrix)) * jnp.max(jnp.abs(z))
        last = jnp.where(missed <= MISSED * eps * size, jnp.max(jnp.abs(shift)), jnp.inf)
        used, lost = level < levels, jnp.isinf(off)
        carry = jnp.where(used, z, image), jnp.where(used & ~lost, last, off)
        return carry, jnp.where(used, z, near)

    rows = (jnp.arange(len(chain)), chain)
    (there, off), chain = jax.lax.scan(back, (base, jnp.zeros((), base.dtype)), rows, reverse=True)
    return there, chain, off, levels > len(chain)


def follow(
    run: dict[Kind, Callable[..., Any]],
    branches: Branches,
    begun: Parabolas,
    cells: np.ndarray,
    wanted: Wanted,
) -> list[Path]:
    """Each branch until it ends.

    Args:
        cells: [m] of the bench.
    """
    paths: dict[int, Path] = {}
    for kind, program in run.items():
        places = np.flatnonzero(branches.kind == kind)
        own, local = branches.taken(places), Parabolas(*(a[places] for a in begun))
        room = 1 if kind is Kind.unstable else ROOM
        origin, course = _origin(own, local, wanted), _begun(own, local, room)
        found = _followed(program, cells[places], origin, course, wanted.points)
        paths |= dict(zip(places.tolist(), found, strict=True))
    return [paths[k] for k in range(len(cells))]


def _followed(
    program: Callable[..., Any], cells: np.ndarray, origin: Origin, course: Course, most: int
) -> list[Path]:
    """The branches of one kind."""
    saddle = origin.points[:, 0]
    points = [[saddle[k], course.point[k].copy()] for k in range(len(cells))]
    lengths = [[0.0, float(course.length[k])] for k in range(len(cells))]
    while len(left := np.flatnonzero(course.end == End.none)):
        levels = origin.turns[left] * (course.turn[left] + 1)
        while 1 < course.chain.shape[1] < np.max(levels):
            course = course._replace(chain=_roomier(course.chain, origin))
        some, here = Origin(*(a[left] for a in origin)), Course(*(a[left] for a in course))
        grown, *found = program(cells[left], some, here)
        for old, new in zip(course, grown, strict=True):
            old[left] = new
        for row, there, far, kept in zip(left, *found, strict=True):
            points[row] += list(there[kept])
            lengths[row] += far[kept].tolist()
        full = np.array([len(lengths[row]) > most for row in left])
        deep = (course.end[left] == End.none) & (levels > FARTHEST)
        course.end[left[deep]] = End.unresolved
        course.end[left[full]] = End.full
    return [
        Path(np.array(p[:most], float), np.array(far[:most]), int(end))
        for p, far, end in zip(points, lengths, course.end, strict=True)
    ]


def _origin(own: Branches, local: Parabolas, wanted: Wanted) -> Origin:
    every = np.ones(len(own.cell))
    return Origin(
        own.points,
        own.period,
        own.turns.astype(np.int32),
        *local,
        spacing=wanted.spacing * every,
        length=wanted.length * every,
    )


def _begun(own: Branches, local: Parabolas, room: int) -> Course:
    """At the beginning of the parabola, which is the second point of each branch."""
    m, t = len(own.cell), local.begin[:, None]
    gap = t * local.tangent + t**2 * local.bend
    far = np.linalg.norm(gap, axis=1)
    flat = np.where(own.kind == Kind.stable, End.no_preimage, End.unresolved)
    return Course(
        turn=np.zeros(m, np.int32),
        phase=np.zeros(m),
        step=np.ones(m) / 2,
        point=own.points[:, 0] + gap,
        heading=local.tangent.copy(),
        speed=far * np.log(local.stretch),
        length=far,
        end=np.where(local.stretch > STEEPEST, flat, End.none).astype(np.int8),
        chain=_around(own, room),
    )


def _roomier(chain: np.ndarray, own: Origin) -> np.ndarray:
    """Twice as long, filled with the points of the cycle."""
    room = chain.shape[1]
    filled = _around(own, 2 * room)
    filled[:, :room] = chain
    return filled


def _around(own: Branches | Origin, room: int) -> np.ndarray:
    """[m, room, d] the points of each cycle, again and again."""
    places = (np.arange(room) % own.period[:, None])[..., None]
    return np.take_along_axis(own.points, places, axis=1)
