"""Samples: random numbers that follow from the seed and the name of what they are for."""

from __future__ import annotations

import numpy as np

SPACE_FILLING = ("sobol", "latin_hypercube")


def generator(seed: int, name: str) -> np.random.Generator:
    """A stream of its own for each name, so that adding one leaves the others as they were."""
    return np.random.default_rng([seed, *name.encode()])


def uniform(seed: int, name: str, shape: tuple[int, ...], low: object, high: object) -> np.ndarray:
    """Between low and high, numbers or arrays that broadcast to the shape."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    return low + (high - low) * generator(seed, name).random(shape)


def normal(seed: int, name: str, shape: tuple[int, ...], mean: object, std: object) -> np.ndarray:
    """Of a mean and a standard deviation, numbers or arrays that broadcast to the shape."""
    draws = generator(seed, name).standard_normal(shape)
    return np.asarray(mean, float) + np.asarray(std, float) * draws


def space_filling(
    kind: str, seed: int, name: str, shape: tuple[int, int], low: object, high: object
) -> np.ndarray:
    """[n, k] points of a scrambled Sobol sequence or of a Latin hypercube (scipy.stats.qmc)."""
    from scipy.stats import qmc

    count, dimension = shape
    rng = generator(seed, name)
    if kind == "sobol":
        # The first of the next power of two: what `random` gives, without its warning.
        exponent = max(count - 1, 0).bit_length()
        points = qmc.Sobol(dimension, rng=rng).random_base2(exponent)[:count]
    else:
        points = qmc.LatinHypercube(dimension, rng=rng).random(count)
    low, high = np.asarray(low, float), np.asarray(high, float)
    return low + (high - low) * points
