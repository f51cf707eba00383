"""Findings: the branches and bifurcations of a study, and which of those are one."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.analyses.branches.forms import Form
from pipeline.analyses.branches.locate import Spot
from pipeline.analyses.branches.programs import Frame
from pipeline.analyses.branches.seeds import same
from pipeline.analyses.branches.trace import Branch

# Two located bifurcations this close, in units of the range and the extents, are one.
NEAR = 1e-7


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
