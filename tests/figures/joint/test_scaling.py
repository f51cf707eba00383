"""Costs against the size of a problem, by power laws that cross where they should."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import CobwebError
from pipeline.figures import joint
from pipeline.figures.joint import scaling
from pipeline.status import Status
from tests.figures.joint.sweeps import run

# Of straight lines in logarithms.
ROUNDING = 1e-12
SIZES = (10, 40, 160, 640)


def swept(condition: float) -> list[joint.Run]:
    """Cubic against quadratic time, equal at size 100; the second program is one for both."""
    runs = []
    for size in SIZES:
        for solver, seconds in (("newton", 1e-6 * size**3), ("newton_cg", 1e-4 * size**2)):
            labels = {"size": str(size), "condition": f"{condition:g}", "solver": solver}
            compiling = 0.0 if condition > 10 else 1.5
            costs = {"job_run_seconds": seconds, "job_compile_seconds": compiling}
            lost = condition > 10 and size > 500 and solver == "newton_cg"
            status = Status.iteration_limit if lost else Status.converged
            costs["job_program_bytes"] = 2.0**20 * size
            given = {"parameters": {"condition": condition, "b": 2}}
            runs.append(run(solver, labels=labels, costs=costs, status=status, **given))
    return runs


def test_where_two_solvers_take_as_long():
    sizes = np.array(SIZES, float)
    curves = [
        scaling.Curve(sizes, {"seconds": scale * sizes**power}, sizes > 0)
        for scale, power in ((1e-6, 3), (1e-4, 2))
    ]
    size, seconds = scaling.crossing(*curves)
    assert size == pytest.approx(100, rel=ROUNDING)
    assert seconds == pytest.approx(1, rel=ROUNDING)
    assert scaling.crossing(curves[0], curves[0]) is None


def test_a_panel_for_each_quantity_and_problem():
    figure = joint.draw([*swept(10), *swept(1e6)], "scaling")
    panels = np.array(figure.axes).reshape(4, 2)
    assert [row[0].get_ylabel() for row in panels] == [
        "run (s)",
        "compile (s)",
        "evaluations",
        "memory (MiB)",
    ]
    assert [ax.get_title(loc="left") for ax in panels[0]] == [
        "condition $10$",
        "condition $10^{6}$",
    ]
    assert panels[-1][0].get_xlabel() == "size"
    dense = panels[0][0].lines[0]
    assert dense.get_xdata().tolist() == list(SIZES)
    assert dense.get_ydata() == pytest.approx([1e-6 * size**3 for size in SIZES])
    assert [text.get_text() for text in panels[0][0].texts] == ["100"]
    # The program of the first condition is that of the second.
    assert panels[1][1].lines[0].get_ydata().tolist() == [1.5] * 4
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["newton", "newton_cg", "as fast as newton", "not solved"]
    # What differs is no part of the title.
    assert figure.get_suptitle().endswith("(x-1)^{2}$\n$b = 2$")


def test_one_quantity_alone_and_unknown_ones():
    figure = joint.draw(swept(10), "scaling", work="steps")
    assert [ax.get_ylabel() for ax in figure.axes] == ["steps"]
    untimed = [joint.Run(r.labels, r.data) for r in swept(10)]
    assert [ax.get_ylabel() for ax in joint.draw(untimed, "scaling").axes] == ["evaluations"]


def test_sweeps_that_do_not_fit():
    with pytest.raises(CobwebError, match=r"a sweep over sizes, such as objective\.initial"):
        joint.check([run("newton"), run("chord")], "scaling")
    with pytest.raises(CobwebError, match="of what is asked for nothing is known"):
        joint.draw([joint.Run(r.labels, r.data) for r in swept(10)], "scaling", work="seconds")


def test_one_solver_alone_has_its_name():
    alone = [one for one in swept(10) if one.labels["solver"] == "newton_cg"]
    (legend,) = joint.draw(alone, "scaling").legends
    assert [text.get_text() for text in legend.get_texts()] == ["newton_cg"]
