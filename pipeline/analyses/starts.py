"""Starts of a search for cycles: where they lie, and which of them a round takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses.catalogue import Cycles
from pipeline.analyses.refine import Walk

# Steps of the orbit whose box is searched.
STEPS = 512
# An orbit that leaves is not followed beyond this many times its start.
FAR = 10.0
# Steps from a point of the box to its start: half of them none, others towards where orbits go.
AHEAD = np.array([0, 1, 0, 2, 0, 5, 0, 16])
# Starts beside cycles whose period divides the one sought: at these parts of the extent, and less.
BESIDE = (1e-5, 1e-1)


class Rows(NamedTuple):
    """Starts of many cells.

    Attributes:
        cell: [r].
        u: [r, d].
        matrix: [r] the number of one of `seek.matrices`.
        ahead: [r] steps from u before the search begins.
    """

    cell: np.ndarray
    u: np.ndarray
    matrix: np.ndarray
    ahead: np.ndarray


class Box(NamedTuple):
    """[cells, d] low and high; whether each side is as it was asked for, [d]."""

    low: np.ndarray
    high: np.ndarray
    fixed: np.ndarray

    @property
    def extent(self) -> np.ndarray:
        """[cells, d] The widths, or the size of what lies there where that is more.

        An orbit that begins near a fixed point says little of how far cycles lie apart.
        """
        size = np.maximum(np.abs(self.low), np.abs(self.high))
        unit = np.maximum(self.high - self.low, size)
        largest = np.max(unit, axis=1, keepdims=True)
        unit = np.where(unit > 1e-9 * largest, unit, largest)
        return np.where(unit > 0, unit, 1.0)

    def around(self, cycles: list[Cycles]) -> Box:
        """The box that holds the cycles, too."""
        low, high = self.low.copy(), self.high.copy()
        for found in cycles:
            np.minimum.at(low, found.cell, np.min(found.points, axis=1))
            np.maximum.at(high, found.cell, np.max(found.points, axis=1))
        low, high = (np.where(self.fixed, a, b) for a, b in ((self.low, low), (self.high, high)))
        return Box(low, high, self.fixed)

    def widened(self, *, far: bool) -> Box:
        """By a tenth of the widths on both sides, or by the extent."""
        pad = np.where(self.fixed, 0, self.extent if far else 0.1 * (self.high - self.low))
        return Box(self.low - pad, self.high + pad, self.fixed)


def reach(walk: Walk, inside: Any, u: Any) -> tuple[Any, Any]:
    """([d], [d]) The least and the greatest entries of the orbit of u, while it stays."""
    import jax
    import jax.numpy as jnp

    far = FAR * (1 + jnp.max(jnp.abs(u)))

    def step(_: Any, carry: Any) -> Any:
        v, near, whole, stays = carry
        v = walk.advance(v)
        stays &= inside(v)
        held = stays & (jnp.max(jnp.abs(v)) <= far)
        low, high = (jnp.minimum(near[0], v), jnp.maximum(near[1], v))
        near = jnp.where(held, low, near[0]), jnp.where(held, high, near[1])
        low, high = (jnp.minimum(whole[0], v), jnp.maximum(whole[1], v))
        whole = jnp.where(stays, low, whole[0]), jnp.where(stays, high, whole[1])
        return v, near, whole, stays

    begin = (u, (u, u), (u, u), inside(u))
    _, near, whole, stays = jax.lax.fori_loop(0, STEPS, step, begin)
    return jnp.where(stays, whole[0], near[0]), jnp.where(stays, whole[1], near[1])


def recur(walk: Walk, u: Any, period: Any, extent: Any) -> Any:
    """[d] The point of the orbit of u that comes nearest to itself after a period."""
    import jax
    import jax.numpy as jnp

    def step(_: Any, carry: Any) -> Any:
        tail, head, best, least = carry
        gap = jnp.max(jnp.abs(walk.change(head, tail) / extent))
        closer = gap < least
        best, least = jnp.where(closer, tail, best), jnp.where(closer, gap, least)
        return walk.advance(tail), walk.advance(head), best, least

    head = jax.lax.fori_loop(0, period, lambda _, v: walk.advance(v), u)
    infinite = jnp.array(jnp.inf, u.dtype)
    return jax.lax.fori_loop(0, STEPS, step, (u, head, u, infinite))[2]


def within(
    box: Box, cells: np.ndarray, counts: np.ndarray, taken: np.ndarray, seed: int, kinds: int
) -> Rows:
    """Starts all over the box, the next of an even sequence.

    Args:
        cells: [k] those that get starts.
        counts: [k] how many each.
        taken: [k] how many each has had.
        kinds: of matrices.
    """
    cell = np.repeat(cells, counts)
    number = np.arange(len(cell)) - np.repeat(np.cumsum(counts) - counts - taken, counts)
    share = _even(int(number.max(initial=-1)) + 1, box.low.shape[1], seed)[number]
    u = box.low[cell] + share * (box.high - box.low)[cell]
    return Rows(cell, u, number % kinds, AHEAD[number // kinds % len(AHEAD)])


def beside(
    known: list[Cycles], period: int, extent: np.ndarray, most: int, seed: int, kinds: int
) -> Rows:
    """Starts from the cycles of smaller periods, the longest first, with every matrix."""
    size = extent.shape[1]
    cell, u, aside = np.zeros(0, int), np.zeros((0, size)), np.zeros(0, bool)
    for cycles in reversed(known):
        length = cycles.points.shape[1]
        own = np.repeat(cycles.cell, length)
        cell = np.concatenate([cell, own])
        u = np.concatenate([u, cycles.points.reshape(len(own), size)])
        aside = np.concatenate([aside, np.full(len(own), period % length == 0)])
    order = np.argsort(cell, kind="stable")
    rank = np.arange(len(cell)) - np.searchsorted(cell[order], cell[order])
    order, rank = order[rank < most], rank[rank < most]
    cell, u, aside = cell[order], u[order], aside[order]
    share = _even(most, size + 1, seed)[rank]
    low, high = np.log(BESIDE)
    step = np.exp(low + share[:, :1] * (high - low)) * np.where(share[:, 1:] < 0.5, -1, 1)
    u = np.where(aside[:, None], u + step * extent[cell], u)
    matrix = np.tile(np.arange(kinds), len(cell))
    return Rows(np.repeat(cell, kinds), np.repeat(u, kinds, axis=0), matrix, np.zeros_like(matrix))


def neighbours(cells: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """[k, 2] The pairs of cells, numbered from 0, that lie side by side along an axis.

    Args:
        cells: increasing, of a grid of that shape.
    """
    pairs = [np.zeros((0, 2), int)]
    places = np.array(np.unravel_index(cells, shape)) if shape else np.zeros((0, len(cells)), int)
    for axis, size in enumerate(shape):
        own = np.flatnonzero(places[axis] + 1 < size)
        step = int(np.prod(shape[axis + 1 :]))
        other = np.searchsorted(cells, cells[own] + step)
        held = other < len(cells)
        held[held] = cells[other[held]] == cells[own[held]] + step
        both = np.stack([own[held], other[held]], axis=1)
        pairs += [both, both[:, ::-1]]
    return np.concatenate(pairs)


def beyond(cell: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """([r], [r]) The neighbours of some cells, [m], and whose neighbours they are, of 0 to m-1."""
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    first, last = (np.searchsorted(pairs[:, 0], cell, side=s) for s in ("left", "right"))
    place = np.repeat(np.arange(len(cell)), last - first)
    within = np.arange(len(place)) - np.repeat(
        np.cumsum(last - first) - (last - first), last - first
    )
    return pairs[first[place] + within, 1], place


def _even(count: int, size: int, seed: int) -> np.ndarray:
    """[count, d] Points of the unit cube that fill it evenly however many they are.

    Multiples of the powers of 1/φ, where φ^(d+1) = φ + 1 (Roberts 2018, The unreasonable
    effectiveness of quasirandom sequences), from a start that follows from the seed.
    """
    root = 2.0
    for _ in range(64):
        root = (1 + root) ** (1 / (size + 1))
    steps = root ** -np.arange(1.0, size + 1)
    shift = np.random.default_rng([seed, size]).uniform(size=size)
    return (shift + np.arange(count)[:, None] * steps) % 1
