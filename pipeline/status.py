"""How a cell ended: the codes of the variable `status` and their meanings."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """One code per cell; the order is part of the archive's format."""

    bounded = 0
    converged = 1
    escaped = 2
    iteration_limit = 3
    stalled = 4
    line_search_failed = 5
    unbounded_objective = 6
    job_failed = 7


class CriticalKind(IntEnum):
    """What kind of stationary point an objective's solver converged to."""

    none = 0
    minimum = 1
    maximum = 2
    saddle = 3
    degenerate = 4


class FixedPointKind(IntEnum):
    """What kind of fixed point a map's solver converged to."""

    none = 0
    attracting = 1
    repelling = 2
    saddle = 3
    neutral = 4


class AttractorKind(IntEnum):
    """What kind of set an attractor is."""

    none = 0
    fixed_point = 1
    cycle = 2
    quasiperiodic = 3
    chaotic = 4
