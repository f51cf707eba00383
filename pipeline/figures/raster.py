"""Densities: how often orbits visit the cells of a raster, and the tones that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points looked at together: the histogram's temporaries stay within tens of megabytes.
CHUNK = 2_000_000


@dataclass(frozen=True)
class Columns:
    """Raster columns over an axis: consecutive values share one, so that none is empty.

    Attributes:
        of: int[c] the column of each value of the axis.
        edges: [columns + 1] borders, increasing.
        members: int[columns] values in each; 0 for a gap that is left blank.
    """

    of: np.ndarray
    edges: np.ndarray
    members: np.ndarray


def columns(values: np.ndarray, *, log: bool, most: int) -> Columns:
    """At most so many columns with equally many values each, as narrow as their neighbours.

    Grouping by count rather than by position keeps the share of values per column even
    (no moiré) when the axis has a few more values than the picture has pixels.
    """
    scaled = np.log(values) if log else np.asarray(values, dtype=float)
    distinct, inverse = np.unique(scaled, return_inverse=True)
    size = -(-distinct.size // most)
    group = np.arange(distinct.size) // size
    first = distinct[::size]
    last = distinct[
        np.minimum(np.arange(size - 1, distinct.size + size - 1, size), distinct.size - 1)
    ]
    gaps = first[1:] - last[:-1]
    usual = float(np.median(gaps)) if gaps.size else 1.0
    # A column reaches half-way to its neighbour, but not across a hole in the axis: no further
    # than twice the smaller of the gaps around it.
    left = np.concatenate([gaps[:1], gaps]) if gaps.size else np.array([usual])
    right = np.concatenate([gaps, gaps[-1:]]) if gaps.size else np.array([usual])
    small = np.minimum(left, right)
    lower = first - np.minimum(left, 2 * small) / 2
    upper = last + np.minimum(right, 2 * small) / 2
    edges, slots, members = [lower[0]], [], []
    counts = np.bincount(group)
    for i in range(first.size):
        if i and lower[i] - edges[-1] > 1e-6 * usual:
            edges.append(lower[i])
            members.append(0)
        slots.append(len(members))
        edges.append(upper[i] if i + 1 == first.size or upper[i] < lower[i + 1] else lower[i + 1])
        members.append(int(counts[i]))
    borders = np.exp(np.array(edges)) if log else np.array(edges)
    return Columns(np.array(slots)[group][inverse], borders, np.array(members))


def count(
    blocks: Iterable[tuple[np.ndarray, np.ndarray]],
    *,
    width: int,
    height: int,
    low: float,
    high: float,
) -> np.ndarray:
    """int[height, width] points in each cell of the raster.

    Args:
        blocks: pairs of columns int[c] and values [c, n]; what lies outside low … high, or
            is not finite, is left out.
    """
    counts = np.zeros(width * height, dtype=np.int64)
    scale = height / (high - low)
    for column, values in blocks:
        with np.errstate(invalid="ignore", over="ignore"):
            row = (values.astype(float, copy=False) - low) * scale
            inside = (row >= 0) & (values <= high)
        place = np.minimum(row[inside].astype(np.int64), height - 1) * width
        place += np.broadcast_to(column[:, None], values.shape)[inside]
        counts += np.bincount(place, minlength=width * height)
    return counts.reshape(height, width)


def plane(
    x: np.ndarray,
    y: np.ndarray,
    box: tuple[float, float, float, float],
    width: int,
    height: int,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """[height, width] points (x, y) in each cell of a box (x low, x high, y low, y high).

    Args:
        weights: of the points; without them a point counts as one.
    """
    counts = np.zeros(width * height, dtype=np.int64 if weights is None else float)
    left, right, low, high = box
    x, y = x.ravel(), y.ravel()
    heavy = None if weights is None else weights.ravel()
    for begin in range(0, x.size, CHUNK):
        piece = slice(begin, begin + CHUNK)
        u, v = x[piece].astype(float), y[piece].astype(float)
        inside = (u >= left) & (u <= right) & (v >= low) & (v <= high)
        across = ((u[inside] - left) * (width / (right - left))).astype(np.int64)
        up = ((v[inside] - low) * (height / (high - low))).astype(np.int64)
        place = np.minimum(up, height - 1) * width + np.minimum(across, width - 1)
        each = None if heavy is None else heavy[piece][inside]
        counts += np.bincount(place, each, minlength=width * height)
    return counts.reshape(height, width)


def tones(
    counts: np.ndarray,
    uniform: np.ndarray | float,
    *,
    faintest: float = 0.12,
    thicken: bool = False,
) -> np.ndarray:
    """[height, width] between 0 (no point) and 1, logarithmic in the density.

    Args:
        uniform: what every cell of a column would hold if its points were spread evenly: the
            unit of density, so that a column looks the same however many points it has.
        faintest: tone of a single point.
        thicken: widen single rows of dense points.
    """
    density = counts / np.maximum(uniform, 1e-300)
    seen = density[counts > 0]
    if not seen.size:
        return np.zeros(counts.shape)
    # Caustics are some ten times denser than their surroundings: the scale ends there, and the
    # few points of a periodic window are at its end.
    top = max(float(np.quantile(seen, 0.98)), 8 * float(np.median(seen)))
    soft = 0.5 * float(np.median(seen))
    tone = np.log1p(density / soft) / np.log1p(top / soft)
    tone = np.where(counts > 0, np.clip(tone, faintest, 1.0), 0.0)
    return _thickened(tone) if thicken else tone


def _thickened(tone: np.ndarray) -> np.ndarray:
    """Lines of dense points that stand alone, one row wider on both sides.

    A cycle's points fill one row of their column: a steep branch would be dotted.
    """
    blank = np.pad(tone == 0, ((1, 1), (0, 0)), constant_values=True)
    alone = (tone >= 0.8) & blank[:-2] & blank[2:]
    near = np.pad(np.where(alone, 0.6, 0.0), ((1, 1), (0, 0)))
    return np.where(tone == 0, np.maximum(near[:-2], near[2:]), tone)


def paint(
    ax: Axes,
    xs: np.ndarray,
    ys: np.ndarray,
    tone: np.ndarray,
    *,
    log: bool = False,
    colours: np.ndarray | None = None,
) -> None:
    """Lay tones into axes, transparent where there is no point.

    Args:
        colours: [height, width, rgba] instead of those of the tones.
    """
    picture = style.ink()(tone) if colours is None else colours.copy()
    picture[..., 3] = np.clip(4 * tone, 0, 1)
    steps = np.diff(xs)
    if not log and np.ptp(steps) <= 1e-3 * steps.mean():
        extent = (xs[0], xs[-1], ys[0], ys[-1])
        ax.imshow(picture, origin="lower", extent=extent, aspect="auto", zorder=1.5)
    else:
        ax.pcolormesh(xs, ys, picture, rasterized=True, zorder=1.5)


def limits(low: np.ndarray, high: np.ndarray, *, margin: float = 0.03) -> tuple[float, float]:
    """Limits that hold the cells' extents, but for a few that dwarf all others.

    Args:
        low: [c] smallest value of each cell; NaN is ignored.
        high: [c] largest.
    """
    low, high = low[np.isfinite(low)], high[np.isfinite(high)]
    if not low.size or not high.size:
        return 0.0, 1.0
    bottom, top = float(low.min()), float(high.max())
    # A cell on its way out at the last step has not escaped yet: 1 % such may not set the scale.
    calm = float(np.quantile(low, 0.01)), float(np.quantile(high, 0.99))
    if top - bottom > 5 * (calm[1] - calm[0]) > 0:
        bottom, top = calm
    if top - bottom <= 1e-12 * max(abs(top), abs(bottom), 1e-300):
        half = 0.5 * abs(top) or 0.5
        return bottom - half, top + half
    pad = margin * (top - bottom)
    return bottom - pad, top + pad


def margins(values: np.ndarray, *, log: bool = False) -> np.ndarray:
    """[2] borders around the values of an axis, also around a single one."""
    scaled = np.log(values) if log else np.asarray(values, dtype=float)
    scaled = scaled[np.isfinite(scaled)]
    low, high = (scaled.min(), scaled.max()) if scaled.size else (0.0, 1.0)
    pad = 0.05 * (high - low) or 0.1 * abs(high) or 0.5
    borders = np.array([low - pad, high + pad])
    return np.exp(borders) if log else borders


def shade(ax: Axes, values: np.ndarray, marked: np.ndarray, *, log: bool = False) -> None:
    """Grey bands behind the marked values of an axis, half-way to their neighbours."""
    order = np.argsort(values, kind="stable")
    scaled = np.log(values[order]) if log else values[order].astype(float)
    on = marked[order]
    middle = (scaled[1:] + scaled[:-1]) / 2
    pad = np.diff(scaled)[[0, -1]] / 2 if scaled.size > 1 else np.array([0.5, 0.5])
    edges = np.concatenate([[scaled[0] - pad[0]], middle, [scaled[-1] + pad[1]]])
    edges = np.exp(edges) if log else edges
    change = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    for begin, end in zip(change[::2], change[1::2], strict=True):
        left, right = float(edges[begin]), float(edges[end])
        ax.axvspan(left, right, facecolor=style.SHADE, edgecolor="none", zorder=0.5)
