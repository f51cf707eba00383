"""Histories of several solvers in one picture."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import CobwebError
from pipeline.figures import joint
from pipeline.figures.joint.strokes import strokes
from pipeline.status import CriticalKind, Status
from tests.figures.joint.sweeps import run

RUNS = [
    run("gradient", residual=[4.0, 3.0, 2.0, 1.0, 0.9], status=Status.iteration_limit),
    run("newton", residual=[4.0, 0.5, 1e-9]),
    run("chord", residual=[4.0, 0.0], kind=CriticalKind.saddle),
    run("halley", residual=[4.0, 1e30], status=Status.escaped),
    run("secant", error="the disk is full"),
]


def test_the_quickest_comes_first_and_failures_last():
    """And each says how it ended where that is not what is sought."""
    figure = joint.draw(RUNS, "convergence")
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [
        "chord: saddle",
        "newton",
        "halley: escaped",
        "gradient: iteration limit",
        "secant: failed",
        "tolerance",
    ]
    assert "failed: secant" in figure.get_suptitle()


def test_histories_against_steps_and_work():
    figure = joint.draw(RUNS, "convergence")
    steps, work = figure.axes
    assert (steps.get_xlabel(), work.get_xlabel()) == ("step $n$", "evaluations")
    newton = steps.lines[2]
    assert newton.get_xdata().tolist() == [0, 1, 2]
    assert newton.get_ydata().tolist() == [4.0, 0.5, 1e-9]
    # Two each in the datasets, the start included.
    assert work.lines[2].get_xdata().tolist() == [2, 4, 6]
    low, high = steps.get_ylim()
    # A residual of 0 stands at the lower edge; one that grows does not set the limits.
    assert steps.lines[0].get_ydata().tolist() == [4.0, low]
    assert 4 < high < 1e3
    assert [ax.get_xlabel() for ax in joint.draw(RUNS, "convergence", work="steps").axes] == [
        "step $n$"
    ]


def test_many_lines_can_be_told_apart():
    found = strokes(28)
    assert len({(s.colour, s.dashes) for s in found}) == 28
    assert len({(s.colour, s.dashes, s.marker) for s in strokes(100)}) == 100


def test_what_a_history_does_not_tell():
    uncounted = [joint.Run(r.labels, r.data.drop_vars("step_evaluations")) for r in RUNS[:2]]
    assert len(joint.draw(uncounted, "convergence").axes) == 1
    for runs, work, message in (
        (uncounted, "evaluations", "does not count evaluations; choose figure.work=steps"),
        (RUNS, "seconds", "a history has no times"),
        (RUNS * 6, "auto", "of 30 jobs their lines could not be told apart; at most 28"),
        ([run("newton"), run("chord")], "auto", "analysis=history of a solver in each job"),
    ):
        with pytest.raises(CobwebError, match=message):
            joint.draw(runs, "convergence", work=work)


def test_no_such_figure():
    with pytest.raises(CobwebError, match=r'figure.joint = "profil": no such figure \(known: none'):
        joint.check([], "profil")


@pytest.mark.parametrize("name", joint.KINDS)
def test_a_figure_for_print_has_a_caption(name):
    """Which says what is compared, not how the first of the jobs ended."""
    runs = [
        run(s, labels={"size": str(n), "solver": s}, residual=[1.0, 1e-9], evaluations=n)
        for n in (2, 4)
        for s in ("newton", "chord")
    ]
    caption = joint.draw(runs, name, style="paper").get_label()
    assert "(x - 1)**2" in caption
    assert "cells:" not in caption
    assert np.isfinite(joint.draw(runs, name, style="paper").get_size_inches()).all()
