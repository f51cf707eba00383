"""Advancing: pseudo-arclength continuation of many branches, a Newton iteration of each at a time.

A branch predicts along its tangent, corrects at right angles to it, and takes the point or a
smaller step; no branch waits for another. Keller 1977; Allgower and Georg 1990, chapters 4 and 6.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from pipeline.analyses.branches.bordered import Chain, chain, shifts, tidy
from pipeline.analyses.branches.family import Family, cycles

# Newton's iterations of a point, before the step is halved.
MOST = 8
# Iterations of one call; then branches that have ended make room.
TURNS = 48
# Cosine of the angle between neighbouring tangents: a smaller one halves the step, a larger one
# lets it grow.
BENT, STRAIGHT = 0.985, 0.9965
# Changes of the characteristic numbers from point to point, likewise.
LEAP, CREEP = 0.4, 0.15
GROWTH = 1.6
# Extents from the origin at which a branch has left.
FAR = 1e3
LOW, HIGH = 1, 2


class End(IntEnum):
    """Why a branch ends.

    low, high: at that end of the parameter's range. closed: it came back to where it began. halved:
    at a flip, where both halves of the cycle are one of half its period. escaped: its states left.
    step_too_small: Newton's method failed. full: there is room for no more points.
    """

    none = -1
    low = 0
    high = 1
    closed = 2
    halved = 3
    escaped = 4
    step_too_small = 5
    full = 6


class Lane(NamedTuple):
    """A branch on its way; a direction is that of all points, of length 1 in the first of them.

    Attributes:
        points, level: [P, d], [] the point of the branch that it stands on.
        along, rate: [P, d], [] the direction there.
        numbers: [3] characteristic numbers there.
        trial, trial_level: where Newton's method is.
        count: its iterations.
        last: [] the length of its last step.
        step: [] along the direction.
        landing: 0, or the end of the range at which it is to land.
        begin, begin_level, begin_along, begin_rate: where it began.
        taken: points so far.
        end: a code of `End`.
    """

    points: Any
    level: Any
    along: Any
    rate: Any
    numbers: Any
    trial: Any
    trial_level: Any
    count: Any
    last: Any
    step: Any
    landing: Any
    begin: Any
    begin_level: Any
    begin_along: Any
    begin_rate: Any
    taken: Any
    end: Any


class Point(NamedTuple):
    """What a turn brings: a point where it was taken."""

    taken: Any
    points: Any
    level: Any
    rate: Any


def start(
    maps: Family, points: Any, level: Any, along: Any, rate: Any, period: Any, step: Any
) -> Lane:
    """A branch at a cycle.

    Args:
        along, rate: the direction; where it is all 0 in the points, that in which the parameter
            has the sign of the rate.
    """
    import jax.numpy as jnp

    found = chain(cycles(maps), points, level[None], period)
    border = jnp.zeros((1, points.shape[1] + 1), points.dtype).at[0, -1].set(1)
    dz, dq = shifts(found, border, jnp.array([[0, 1]], points.dtype))
    own, level_rate = dz[..., 1], dq[0, 1]
    given = jnp.any(along != 0)
    along = jnp.where(given, along, jnp.sign(rate) * own)
    rate = jnp.where(given, rate, jnp.sign(rate) * level_rate)
    size = _length(along[0], rate)
    along, rate = along / size, rate / size
    lane = Lane(
        points, level, along, rate, characteristic(found), points, level, jnp.int32(0),
        jnp.array(jnp.inf, points.dtype), step, jnp.int8(0), points, level, along, rate,
        jnp.int32(0), jnp.int8(End.none),
    )  # fmt: skip
    return _predict(lane)


def advance(maps: Family, lane: Lane, period: Any, least: Any, most: Any) -> tuple[Lane, Point]:
    """Many turns.

    Args:
        least, most: of the step.

    Returns:
        (the branch then, [turns] what they brought).
    """
    import jax

    def turn(lane: Lane, _: None) -> tuple[Lane, Point]:
        return _turn(maps, lane, period, least, most)

    return jax.lax.scan(turn, lane, length=TURNS)


def _turn(maps: Family, lane: Lane, period: Any, least: Any, most: Any) -> tuple[Lane, Point]:
    import jax
    import jax.numpy as jnp

    eps = jnp.finfo(lane.points.dtype).eps
    going, landing = lane.end == End.none, lane.landing > 0
    bound = jnp.where(lane.landing == HIGH, 1.0, 0.0).astype(lane.level.dtype)
    found = chain(cycles(maps), lane.trial, lane.trial_level[None], period)
    zero = jnp.zeros_like(lane.along[0])
    across = jnp.where(landing, zero, lane.along[0]), jnp.where(landing, 1, lane.rate)
    moved = across[0] @ (lane.trial[0] - lane.points[0])
    moved += across[1] * (lane.trial_level - lane.level)
    lacking = jnp.where(landing, bound - lane.trial_level, lane.step - moved)
    border = jnp.concatenate([across[0], across[1][None]])[None]
    dz, dq = shifts(found, border, jnp.stack([lacking, jnp.ones_like(lacking)])[None])
    length = jnp.maximum(jnp.max(jnp.abs(dz[..., 0])), jnp.abs(dq[0, 0]))
    points, level = tidy(lane.trial + dz[..., 0]), lane.trial_level + dq[0, 0]
    level = jnp.where(landing, bound, level)
    along, rate = dz[..., 1], dq[0, 1]
    size = _length(along[0], rate)
    along, rate = along / size, rate / size
    cosine = along[0] @ lane.along[0] + rate * lane.rate
    # At an end of the range a branch may have turned back.
    sign = jnp.where(cosine < 0, -1, 1)
    along, rate, cosine = sign * along, sign * rate, sign * cosine
    numbers = characteristic(found)
    scale = 1 + jnp.maximum(jnp.max(jnp.abs(numbers)), jnp.max(jnp.abs(lane.numbers)))
    leap = jnp.max(jnp.abs(numbers - lane.numbers)) / scale
    # At a double point that is an end of the range Newton's method halves its steps.
    closes = landing & (jnp.max(jnp.abs(found.gaps)) <= 64 * eps) & (lane.count > 0)
    there = (length <= jnp.sqrt(eps)) | closes
    lost = ~jnp.isfinite(length) | (lane.count + 1 >= MOST)
    lost |= (lane.count > 1) & (length > 2 * lane.last)
    bent = there & ((cosine < BENT) | (leap > LEAP) | ~jnp.isfinite(leap)) & ~closes
    back = going & (lost & ~there | bent)
    beyond = (level < 0) | (level > 1)
    lands = going & there & ~bent & ~landing & beyond
    takes = going & there & ~bent & (landing | ~beyond)

    # Landing begins where the chord crosses the end.
    side = jnp.where(level > 1, HIGH, LOW).astype(jnp.int8)
    part = (jnp.where(level > 1, 1, 0) - lane.level) / (level - lane.level)
    near = lane.points + part * (points - lane.points)
    half = lane.points[period // 2] - lane.points[0], points[period // 2] - points[0]
    crossed = (half[0] @ half[1] < 0) & (period % 2 == 0)
    gap = points - lane.begin
    ahead = _project(gap[0], level - lane.begin_level, lane)
    behind = _project(lane.points[0] - lane.begin[0], lane.level - lane.begin_level, lane)
    chord = jnp.maximum(jnp.max(jnp.abs(points - lane.points)), jnp.abs(level - lane.level))
    apart = jnp.maximum(jnp.max(jnp.abs(gap)), jnp.abs(level - lane.begin_level))
    alike = along[0] @ lane.begin_along[0] + rate * lane.begin_rate > 0.5
    closed = (lane.taken > 2) & (behind < 0) & (ahead >= 0) & (apart <= 2 * chord) & alike
    left = ~jax.vmap(maps.inside)(points).all() | (jnp.max(jnp.abs(points)) > FAR)
    easy = (lane.count <= 3) & (cosine > STRAIGHT) & (leap < CREEP)
    # Far out, as where a branch goes to infinity, steps are a part of the way there.
    most = most * jnp.maximum(1, jnp.max(jnp.abs(points[0])))
    step = jnp.where(takes & easy, jnp.minimum(GROWTH * lane.step, most), lane.step)
    step = jnp.where(back, lane.step / 2, step)
    end = jnp.where(landing, jnp.where(lane.landing == HIGH, End.high, End.low), End.none)
    for code, happens in ((End.closed, closed), (End.halved, crossed), (End.escaped, left)):
        end = jnp.where(happens, code, end)
    end = jnp.where(takes, end, jnp.where(back & (step < least), End.step_too_small, lane.end))

    def taken(new: Any, old: Any) -> Any:
        return jnp.where(takes, new, old)

    stood = lane._replace(
        points=taken(points, lane.points),
        level=taken(level, lane.level),
        along=taken(along, lane.along),
        rate=taken(rate, lane.rate),
        numbers=taken(numbers, lane.numbers),
        step=step,
        landing=jnp.where(lands, side, jnp.where(back | takes, 0, lane.landing)).astype(jnp.int8),
        taken=lane.taken + takes,
        end=end.astype(jnp.int8),
    )
    fresh = _predict(stood)
    again = back | takes
    trial = jnp.where(again, fresh.trial, jnp.where(lands, near, points))
    over = jnp.where(lane.landing == HIGH, 1.0, 0.0)
    level_now = jnp.where(landing, over, level)
    ends = jnp.where(side == HIGH, 1.0, 0.0)
    trial_level = jnp.where(again, fresh.trial_level, jnp.where(lands, ends, level_now))
    stays = ~going
    lane_now = stood._replace(
        trial=jnp.where(stays, lane.trial, trial),
        trial_level=jnp.where(stays, lane.trial_level, trial_level).astype(lane.level.dtype),
        count=jnp.where(again | lands, 0, lane.count + 1),
        last=jnp.where(again | lands, jnp.inf, length).astype(lane.last.dtype),
    )
    return lane_now, Point(takes, points, level, rate)


def _predict(lane: Lane) -> Lane:
    return lane._replace(
        trial=lane.points + lane.step * lane.along,
        trial_level=lane.level + lane.step * lane.rate,
    )


def _length(u: Any, rate: Any) -> Any:
    import jax.numpy as jnp

    return jnp.sqrt(u @ u + rate**2)


def _project(u: Any, level: Any, lane: Lane) -> Any:
    return u @ lane.begin_along[0] + level * lane.begin_rate


def characteristic(found: Chain) -> Any:
    """[3] det(M - 1), det(M + 1) and det(M), M being the Jacobian of the whole cycle."""
    import jax.numpy as jnp

    matrix = product(found.jacobians)
    eye = jnp.eye(len(matrix), dtype=matrix.dtype)
    return jnp.stack([_determinant(matrix - eye), _determinant(matrix + eye), _determinant(matrix)])


def product(jacobians: Any) -> Any:
    """[d, d] of [P, d, d], the last on the left."""
    import jax
    import jax.numpy as jnp

    eye = jnp.eye(jacobians.shape[1], dtype=jacobians.dtype)
    return jax.lax.scan(lambda m, j: (j @ m, None), eye, jacobians)[0]


def _determinant(matrix: Any) -> Any:
    import jax.numpy as jnp

    if len(matrix) == 1:
        return matrix[0, 0]
    if len(matrix) == 2:
        return matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
    return jnp.linalg.det(matrix)
