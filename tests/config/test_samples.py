"""Random numbers that follow from the seed and a name."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.config import samples


def test_streams():
    """A stream for each seed and name, the same for ever: archives are computed again from them."""
    first = samples.generator(0, "a").random(3)
    np.testing.assert_array_equal(first, samples.generator(0, "a").random(3))
    assert not np.array_equal(first, samples.generator(1, "a").random(3))
    assert not np.array_equal(first, samples.generator(0, "b").random(3))
    assert samples.generator(0, "a").integers(2**32, size=2).tolist() == [3313250702, 2922032307]


def test_spread():
    found = samples.uniform(0, "a", (1000, 2), [0, 10], [1, 20])
    assert np.all((found >= [0, 10]) & (found < [1, 20]))
    found = samples.normal(0, "a", (4000, 2), [0, 10], [1, 0])
    # Five standard errors of a mean of 4000.
    assert abs(found[:, 0].mean()) < 5 / np.sqrt(4000)
    assert np.all(found[:, 1] == 10)


@pytest.mark.parametrize("kind", samples.SPACE_FILLING)
@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_space_filling(kind, count):
    found = samples.space_filling(kind, 0, "a", (count, 3), 0, [1, 2, 3])
    assert found.shape == (count, 3)
    assert np.all((found >= 0) & (found < [1, 2, 3]))


def test_sobol_extends():
    """A longer sequence begins with the shorter one, up to the next power of two and beyond."""
    short, long = (samples.space_filling("sobol", 0, "a", (n, 2), 0, 1) for n in (10, 100))
    np.testing.assert_array_equal(short, long[:10])
