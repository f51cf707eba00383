"""Difference: how two computations of one variable differ, gathered piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass
class Difference:
    """What two arrays of the same shape and type have apart; NaN equals NaN.

    Attributes:
        values: how many were compared.
        differing: how many of them differ.
        bits: whether any bit differs, those of two NaNs included.
        ulps: the largest distance in units in the last place: in the numbers that the type has
            between the two.
        absolute: the largest distance.
        undefined: how many are NaN in one of the two alone.
        first: the first index along the axis of the iterations at which any differs.
    """

    values: int = 0
    differing: int = 0
    bits: bool = False
    ulps: int = 0
    absolute: float = 0.0
    undefined: int = 0
    first: int | None = None

    def add(
        self, a: np.ndarray, b: np.ndarray, axis: int | None = None, within: float = 0.0
    ) -> None:
        """Compare two more pieces.

        Args:
            axis: of the iterations, None where there is none.
            within: the relative distance up to which two numbers count as equal.
        """
        self.values += a.size
        if a.tobytes() == b.tobytes():
            return
        self.bits = True
        apart = a != b
        if a.dtype.kind == "f":
            # Of two zeros with different signs, the bits differ and the numbers do not.
            apart = (apart | (np.signbit(a) != np.signbit(b))) & ~(np.isnan(a) & np.isnan(b))
            if within:
                with np.errstate(invalid="ignore", over="ignore"):
                    apart &= ~(np.abs(a - b) <= within * np.maximum(np.abs(a), np.abs(b)))
        if not apart.any():
            return
        self.differing += int(np.count_nonzero(apart))
        if axis is not None:
            others = tuple(k for k in range(apart.ndim) if k != axis)
            first = int(np.argmax(apart.any(axis=others)))
            self.first = first if self.first is None else min(self.first, first)
        self._measure(a[apart], b[apart])

    def _measure(self, a: np.ndarray, b: np.ndarray) -> None:
        if a.dtype.kind == "f":
            both = ~(np.isnan(a) | np.isnan(b))
            self.undefined += int(np.count_nonzero(~both))
            a, b = a[both], b[both]
        if not a.size:
            return
        self.ulps = max(self.ulps, int(distance(a, b).max()))
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(a.astype(float) - b.astype(float))
        self.absolute = max(self.absolute, float(np.nanmax(apart, initial=0.0)))


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The numbers that the type has between a and b, uint64; none of them may be NaN."""
    a, b = _ordinal(a), _ordinal(b)
    # Of the larger less the smaller, without a sign: the difference may take all 64 bits.
    return np.maximum(a, b).astype(np.uint64) - np.minimum(a, b).astype(np.uint64)


def _ordinal(values: np.ndarray) -> np.ndarray:
    """Integers, int64, in the order of the numbers and one apart where these are neighbours."""
    if values.dtype.kind != "f":
        return values.astype(np.int64)
    width = np.dtype(f"i{values.dtype.itemsize}")
    bits = np.ascontiguousarray(values, values.dtype.newbyteorder("=")).view(width)
    return np.where(bits < 0, np.iinfo(width).min - bits, bits).astype(np.int64)


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield (key, old value, new value) of what is not the same; "-" where there is none."""
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key, "-"), new.get(key, "-")
        if before != after:
            yield key, before, after
