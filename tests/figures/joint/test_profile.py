"""Performance profiles, of races written down by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import CobwebError
from pipeline.figures import joint
from pipeline.figures.joint import profile
from pipeline.status import CriticalKind, Status
from tests.figures.joint.sweeps import run

INF = np.inf
RACE = [
    # The first is twice as fast, the second solves more.
    run("newton", objective="bowl", evaluations=10, steps=2),
    run("chord", objective="bowl", evaluations=20, steps=1),
    # Another minimum, worse than the best; and a saddle, whose value counts for nothing.
    run("newton", objective="valley", value=1.0 + 2 * profile.WORSE),
    run("chord", objective="valley", value=1.0, evaluations=30),
    run("newton", objective="pass", kind=CriticalKind.saddle, value=-5.0),
    run("chord", objective="pass", value=1.0, evaluations=40),
    run("newton", objective="wall", status=Status.escaped),
    run("chord", objective="wall", error="the disk is full"),
]


def test_what_counts_as_solved():
    """Converged, to the kind that is sought, and as good as the best; a failure is a loss."""
    found = profile.race(RACE, "evaluations")
    assert found.solvers == ("newton", "chord")
    assert found.problems == ("bowl", "valley", "pass", "wall")
    assert found.work.tolist() == [[10, 20], [INF, 30], [INF, 40], [INF, INF]]
    assert found.ratios.tolist() == [[1, 2], [INF, 1], [INF, 1], [INF, INF]]
    assert profile.race(RACE, "steps").ratios[0].tolist() == [2, 1]


def test_a_value_as_good_as_the_best():
    """Within WORSE of the best, of its modulus where that exceeds 1; the greater where wanted."""
    assert profile.allowed(-1e3) == -1e3 + 1e3 * profile.WORSE
    assert profile.allowed(1e-3) == 1e-3 + profile.WORSE
    high, low = 2.0, 1.0
    there, kind = {"sense": "maximise", "objective": "hill"}, CriticalKind.maximum
    runs = [
        run("newton", value=high, kind=kind, **there),
        run("chord", value=low, kind=kind, **there),
    ]
    assert np.isfinite(profile.race(runs, "evaluations").work).tolist() == [[True, False]]


def test_seconds_where_a_sweep_has_them():
    costs = [{"job_run_seconds": 0.5}, {"job_run_seconds": 2.0}, {}]
    runs = [run(s, costs=c) for s, c in zip(("newton", "chord", "halley"), costs, strict=True)]
    assert profile.race(runs, "seconds").ratios.tolist() == [[1, 4, INF]]


def test_the_lines_of_a_profile():
    """A step for each problem, at its ratio; the legend counts the problems that are solved."""
    figure = joint.draw(RACE, "profile")
    (ax,) = figure.axes
    chord, newton = ax.lines
    assert chord.get_xdata()[:-1].tolist() == [1, 1, 1, 2]
    assert chord.get_ydata().tolist() == [0, 0.25, 0.5, 0.75, 0.75]
    assert newton.get_ydata().tolist() == [0, 0.25, 0.25]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["chord: 3", "newton: 1"]
    title = figure.get_suptitle()
    assert "4 problems" in title
    assert "solved by none: wall" in title
    assert "failed: wall, chord" in title


@pytest.mark.parametrize(
    ("runs", "work", "message"),
    [
        ([run("newton"), run("newton", objective="bowl")], "auto", "a sweep over solvers"),
        ([run("newton", error="no"), run("chord", error="no")], "auto", "all jobs have failed"),
        ([run("newton"), run("chord")], "hours", "expected one of auto, steps"),
    ],
)
def test_races_that_are_none(runs, work, message):
    with pytest.raises(CobwebError, match=message):
        joint.draw(runs, "profile", work=work)
    bare = [r.data.drop_vars("steps") for r in RACE[:2]]
    orbits = [joint.Run(r.labels, d) for r, d in zip(RACE[:2], bare, strict=True)]
    with pytest.raises(CobwebError, match="it needs solvers that seek something"):
        joint.check(orbits, "profile")
