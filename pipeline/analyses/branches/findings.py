"""Findings: the branches and bifurcations of a study, and which of those are one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.analyses.branches.forms import Form
from pipeline.analyses.branches.locate import Spot
from pipeline.analyses.branches.programs import Frame
from pipeline.analyses.branches.seeds import same
from pipeline.analyses.branches.trace import Branch

# Two located bifurcations this close, in units of the range and the extents, are one.
NEAR = 1e-7
# A chord leaves its curve by so much of its own length where neighbours turn by 14 degrees.
SAGITTA = 0.05


@dataclass
class Findings:
    """What a study has come to; numbers are places in these lists.

    Attributes:
        more: {cell: branches that there was no room for}.
    """

    frame: Frame
    branches: list[Branch]
    spots: list[Spot]
    forms: list[Form]
    more: dict[int, int]


def alike(frame: Frame, a: Spot, b: Spot) -> bool:
    """Whether two are the same bifurcation of the same cycle."""
    there = a.kind == b.kind and a.cell == b.cell and a.period == b.period
    return (
        there
        and abs(a.level - b.level) <= NEAR
        and same(frame, a.cell, a.points, b.points, within=100 * NEAR)
    )


def passes(path: np.ndarray, here: np.ndarray, around: np.ndarray) -> bool:
    """Whether a line of points goes through another point.

    Args:
        path, here: [n, k], [k]
        around: [k] the lengths of circles, 0 where there is none.
    """
    gaps = here - path[:-1]
    length = np.where(around > 0, around, 1)
    gaps = np.where(around > 0, gaps - length * np.round(gaps / length), gaps)
    chords = np.diff(path, axis=0)
    square = np.sum(chords**2, axis=1)
    part = np.clip(np.sum(chords * gaps, axis=1) / np.where(square > 0, square, 1), 0, 1)
    apart = np.linalg.norm(gaps - part[:, None] * chords, axis=1)
    return bool((apart <= SAGITTA * np.sqrt(square)).any())
