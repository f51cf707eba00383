"""Shares: how much of the starts each basin takes, and how mixed the basins are."""

from __future__ import annotations

import numpy as np

from pipeline.analyses.attractors.known import UNRESOLVED


def fractions(labels: np.ndarray, most: int) -> np.ndarray:
    """[most] the part of all starts, [...], in each basin."""
    counts = np.bincount(labels[labels >= 0].ravel(), minlength=most)
    return counts[:most] / labels.size


def errors(labels: np.ndarray, most: int, random: tuple[int, ...]) -> np.ndarray:
    """[most] the standard errors of the fractions.

    Args:
        labels: over the start axes.
        random: which of them are random. The values of one are independent, so the mean over all
            others has a standard error; those of several are added up, which counts what they
            share twice.
    """
    found = np.full(most, np.nan)
    for k in range(most):
        inside, variance = (labels == k).astype(float), 0.0
        for axis in random:
            count = labels.shape[axis]
            if count < 2:
                break
            means = inside.mean(axis=tuple(a for a in range(labels.ndim) if a != axis))
            variance += float(means.var(ddof=1)) / count
        else:
            found[k] = variance**0.5
    return found


def entropies(labels: np.ndarray, side: int) -> tuple[float, float]:
    """(basin entropy, boundary basin entropy), in nats.

    The mean of -sum p log p over disjoint boxes of the starts, and over those of them with several
    basins in them; NaN where there are none. Escaping counts as a basin, unresolved starts do not
    count. Starts behind the last whole box are left out. Daza, Wagemakers, Georgeot, Guéry-Odelin
    and Sanjuán 2016, doi:10.1038/srep31416, equations 3 and 5.

    Args:
        labels: over the start axes.
        side: starts along a side of a box, along a shorter axis all of them.
    """
    sides = [min(side, n) for n in labels.shape]
    counts = [n // s for n, s in zip(labels.shape, sides, strict=True)]
    whole = labels[tuple(slice(n * s) for n, s in zip(counts, sides, strict=True))]
    boxes = whole.reshape([k for pair in zip(counts, sides, strict=True) for k in pair])
    inner = tuple(range(1, 2 * labels.ndim, 2))
    known = np.sum(boxes != UNRESOLVED, axis=inner)
    entropy, several = np.zeros(counts), np.zeros(counts, int)
    for basin in np.unique(whole[whole != UNRESOLVED]):
        part = np.sum(boxes == basin, axis=inner) / np.maximum(known, 1)
        entropy -= part * np.log(np.where(part > 0, part, 1))
        several += part > 0
    own, mixed = entropy[known > 0], entropy[several > 1]
    return (
        float(own.mean()) if own.size else np.nan,
        float(mixed.mean()) if mixed.size else np.nan,
    )
