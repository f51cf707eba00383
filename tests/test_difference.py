"""Differences of two computations, counted and measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.difference import Difference, changes, distance

WIDTHS = {"f8": 64, "f4": 32}


def compared(a, b, **how):
    found = Difference()
    found.add(np.asarray(a), np.asarray(b), **how)
    return found


@pytest.mark.parametrize("kind", WIDTHS)
def test_the_distance_counts_numbers_between(kind):
    """Neighbours are one apart, on either side of 0 and of a power of two."""
    real = np.dtype(kind).type
    values = np.array([-2, -1, -0.0, 0.0, 5e-324, 1, 2, 1e30], kind)
    up = np.nextafter(values, real(np.inf))
    assert distance(values, up).tolist() == [1] * len(values)
    assert distance(np.array([0.0], kind), np.array([-0.0], kind)).tolist() == [0]
    tiny = np.nextafter(real(0), real(1))
    assert distance(np.array([tiny], kind), np.array([-tiny], kind)).tolist() == [2]


def test_the_distance_takes_all_bits():
    """From the least number to the greatest: more than a signed integer holds."""
    largest = np.array([np.finfo("f8").max])
    assert int(distance(largest, -largest)[0]) == 2 * int(largest.view("i8")[0])
    assert int(distance(np.array([-(2**62)]), np.array([2**62]))[0]) == 2**63


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_the_distance_is_symmetric_and_0_for_equals_alone(a, b):
    there, back = (int(distance(np.array([x]), np.array([y]))[0]) for x, y in ((a, b), (b, a)))
    assert there == back
    assert (there == 0) == (a == b)


def test_what_is_counted():
    """Values, those that differ, the farthest in units and in distance, the first iteration."""
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    b = a.copy()
    b[1, 1] = np.nextafter(5.0, 6)
    b[0, 2] = 3.5
    found = compared(a, b, axis=1)
    assert (found.values, found.differing, found.first, found.bits) == (6, 2, 1, True)
    assert found.absolute == 0.5
    assert found.ulps == 2**51 / 2
    found.add(a[:, ::-1], b[:, ::-1], axis=1)
    assert (found.values, found.differing, found.first) == (12, 4, 0)


def test_nan_equals_nan():
    """But of other bits, and beside a number it is counted apart."""
    a, b = np.array([np.nan, 1.0, np.nan]), np.array([np.nan, np.nan, np.nan])
    found = compared(a, b)
    assert (found.differing, found.undefined, found.ulps) == (1, 1, 0)
    odd = np.array([np.nan])
    odd.view("i8")[0] ^= 1
    found = compared(odd, np.array([np.nan]))
    assert (found.bits, found.differing) == (True, 0)


def test_zeros_of_two_signs_differ():
    found = compared([0.0], [-0.0])
    assert (found.bits, found.differing, found.ulps) == (True, 1, 0)


def test_infinities():
    found = compared([np.inf, np.inf, -np.inf], [np.inf, 1e308, np.inf])
    assert found.differing == 2
    assert found.absolute == np.inf


def test_what_is_near_enough():
    """A relative distance up to which numbers are equal; a code has none."""
    a, b = np.array([1.0, 100.0, np.inf]), np.array([1.05, 101.0, np.inf])
    assert compared(a, b, within=0.02).differing == 1
    assert compared(a, b, within=0.1).differing == 0
    assert compared([1, 2], [1, 3], within=1.0).differing == 1


def test_integers():
    found = compared(np.array([1, 2, 3], "i4"), np.array([1, 2, 7], "i4"))
    assert (found.differing, found.ulps, found.absolute) == (1, 4, 4.0)


def test_changes_of_tables():
    old, new = {"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"}
    assert list(changes(old, new)) == [("a", "1", "-"), ("c", "3", "4"), ("d", "-", "5")]
