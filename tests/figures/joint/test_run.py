"""What tells the runs of a sweep apart."""

from __future__ import annotations

import pytest

from pipeline.figures.joint.run import competing, endings, named, number, varying
from pipeline.status import CriticalKind, Status
from tests.figures.joint.sweeps import run


def test_solvers_compete_and_problems_do_not():
    """A label tells solvers apart if runs with equal solvers agree in it."""
    runs = [run(s, objective=o) for o in ("bowl", "valley") for s in ("newton", "chord")]
    assert varying(runs) == ["objective", "solver"]
    assert competing(runs) == ["solver"]
    assert competing([r for r in runs if r.labels["solver"] == "chord"]) == []
    # A job that failed has no document, and says nothing against it.
    assert competing([*runs, run("chord", objective="bowl", error="no")]) == ["solver"]


def test_names_for_readers():
    both = run("newton", labels={"solver": "newton_cg", "condition": "1e+06", "map": "$x"})
    assert named(both, ["solver", "condition"]) == "newton_cg, condition $10^{6}$"
    assert named(both, ["map"]) == r"\$x"
    assert (number("-2.5"), number("inf"), number("newton")) == (-2.5, None, None)


@pytest.mark.parametrize(
    ("status", "kind", "sense", "end"),
    [
        (Status.converged, CriticalKind.minimum, "minimise", ""),
        (Status.converged, CriticalKind.degenerate, "minimise", ""),
        (Status.converged, CriticalKind.none, "minimise", ""),
        (Status.converged, CriticalKind.saddle, "minimise", "saddle"),
        (Status.converged, CriticalKind.minimum, "maximise", "minimum"),
        (Status.converged, CriticalKind.maximum, "maximise", ""),
        (Status.iteration_limit, CriticalKind.none, "minimise", "iteration limit"),
    ],
)
def test_what_is_no_success(status, kind, sense, end):
    found, ends = endings(run("newton", status=status, kind=kind, sense=sense))
    assert found.tolist() == [status]
    assert ends == [end]
