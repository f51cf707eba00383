"""Figures that compare the runs of a sweep. A new kind is a module and an entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import CobwebError
from pipeline.figures import style as styles
from pipeline.figures.joint import convergence, profile, scaling
from pipeline.figures.joint.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["KINDS", "NONE", "Run", "check", "draw"]

NONE = "none"
WORKS = ("auto", "steps", "evaluations", "seconds")


@dataclass(frozen=True)
class Kind:
    """One kind of joint figure.

    Attributes:
        draw: (runs, look, work) -> the figure of runs that fit, some of which may have failed.
        fits: (runs, work) -> empty, or why they do not fit.
        meaning: what it shows, for listings.
    """

    draw: Callable[[Sequence[Run], styles.Look, str], Figure]
    fits: Callable[[Sequence[Run], str], str]
    meaning: str


KINDS: Mapping[str, Kind] = {
    "convergence": Kind(
        convergence.draw,
        convergence.fits,
        "residuals of all jobs in one picture, against steps and evaluations",
    ),
    "profile": Kind(
        profile.draw,
        profile.fits,
        "share of the problems that each solver solves, against the work over the least",
    ),
    "scaling": Kind(
        scaling.draw,
        scaling.fits,
        "time, compiling, evaluations and memory against the size of the problem",
    ),
}


def check(runs: Sequence[Run], name: str, work: str = "auto") -> None:
    """Refuse a kind that there is not, or that does not fit.

    Args:
        runs: none where only the name is known.

    Raises:
        CobwebError: with the reason; work that is none.
    """
    if name not in (NONE, *KINDS):
        known = ", ".join((NONE, *KINDS))
        raise CobwebError(f'figure.joint = "{name}": no such figure (known: {known}).')
    if work not in WORKS:
        raise CobwebError(f'figure.work = "{work}": expected one of {", ".join(WORKS)}.')
    if name == NONE or not runs:
        return
    if all(run.error for run in runs):
        raise CobwebError(f'figure.joint = "{name}": all jobs have failed.')
    if reason := KINDS[name].fits(runs, work):
        raise CobwebError(f'figure.joint = "{name}": {reason}.')


def draw(runs: Sequence[Run], name: str, *, style: str = "screen", work: str = "auto") -> Figure:
    """Draw the runs of a sweep together.

    Args:
        work: what is counted: steps, evaluations, seconds; or auto, as the kind has it.

    Raises:
        CobwebError: no such kind or style, or the kind does not fit.
    """
    look = styles.look(style)
    check(runs, name, work)
    with styles.LOCK:
        return KINDS[name].draw(runs, look, work)
