"""Names, colours and marks of what starts come to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.figures import outcomes, view
from pipeline.figures.outcomes import Outcome
from pipeline.status import CriticalKind, Status
from tests.figures import datasets

KIND, END = CriticalKind, Status
# Of ten starts: where they end, how, and at what.
BASIN = (0, 0, 0, 1, 2, 2, 3, -1, -2, -2)
ENDS = (*[END.converged] * 7, END.escaped, END.iteration_limit, END.converged)
KINDS = (
    KIND.saddle,
    *[KIND.minimum] * 3,
    KIND.saddle,
    KIND.saddle,
    KIND.maximum,
    0,
    0,
    KIND.minimum,
)
# Most starts of the first basin tell of a minimum.
PLACES = ((1.0, 0.0), (-2.0, 3.5), (0.0, -1.0), (0.25, 0.0))


def solved(**changes: Any) -> xr.Dataset:
    """What a solver with ten starts leaves."""
    document = {
        "objective": {"expression": "x*y", "initial": {"x": 0, "y": 0}, "parameters": {}},
        "solver": {"name": "newton"},
        "grid": {"x0": {}},
    }
    document["objective"] |= changes.pop("objective", {})
    places = np.array(PLACES)[:, None]
    variables: dict[str, Any] = {
        "status": (("x0",), np.array(changes.pop("ends", ENDS), np.int8)),
        "basin": (("x0",), np.array(BASIN, np.int32)),
        "critical_kind": (("x0",), np.array(KINDS, np.int8)),
        "attractor_kind": (("attractor",), np.ones(4, np.int8)),
        "attractor_period": (("attractor",), np.ones(4, np.int32)),
        "attractor_x": (("attractor", "attractor_point"), places[..., 0]),
        "attractor_y": (("attractor", "attractor_point"), places[..., 1]),
        "x_final": (("x0",), np.zeros(10)),
        "y_final": (("x0",), np.zeros(10)),
    }
    return datasets.dataset(document, {"x0": np.arange(10.0)}, variables | changes)


def read(ds: xr.Dataset) -> dict[int, Outcome]:
    seen = view.read(ds)
    return outcomes.read(seen, outcomes.labelled(seen, ds))


def test_kinds_of_stationary_points_are_named_and_marked() -> None:
    found = read(solved())
    assert [(o.name, o.marker, o.share) for o in found.values()] == [
        (r"minimum $(1,\ 0)$", "o", 0.3),
        (r"minimum $({-}2,\ 3.5)$", "o", 0.1),
        (r"saddle $(0,\ {-}1)$", "X", 0.2),
        (r"maximum $(0.25,\ 0)$", "^", 0.1),
        ("escaped", "", 0.1),
        ("not converged", "", 0.1),
        ("other points", "", 0.1),
    ]
    assert len({o.colour for o in found.values()}) == 7
    # What was not sought is fainter.
    light = [sum(o.colour) for o in found.values()]
    assert max(light[:2]) < min(light[2:4])


def test_what_is_sought_comes_first() -> None:
    found = read(solved(objective={"sense": "maximise"}))
    assert list(found) == [3, 0, 1, 2, -1, -2, -3]
    assert sum(found[3].colour) < min(sum(found[k].colour) for k in (0, 1, 2))


def test_an_objective_without_a_bound() -> None:
    ends = [END.unbounded_objective if e == END.escaped else e for e in ENDS]
    assert read(solved(ends=ends))[-1].name == "unbounded"


def test_a_degenerate_point_and_one_of_many_dimensions() -> None:
    kinds = np.where(np.array(KINDS) == KIND.maximum, KIND.degenerate, KINDS).astype(np.int8)
    assert read(solved(critical_kind=(("x0",), kinds)))[3].name == r"degenerate point $(0.25,\ 0)$"
    many = np.zeros((4, 1, 4))
    dims = ("attractor", "attractor_point", "x_dim")
    ds = solved().drop_vars("x_final").assign(attractor_x=(dims, many))
    ds["x_final"] = (("x0", "x_dim"), np.zeros((10, 4)))
    assert read(ds)[0].name == "minimum"
    few = ds.isel(x_dim=slice(2))
    assert read(few)[0].name == r"minimum $(0,\ 0,\ 0)$"


def test_a_map_s_own_iteration_has_no_solver_s_ends() -> None:
    """Row 10 in the REFERENCE: what stays on the repelling 7 is unresolved, though it may stop."""
    ds = datasets.seed_basin()
    x0 = ds["x0"].values
    labels = np.where(np.abs(x0) < 7, 0, np.where(np.abs(x0) > 7, -1, -2))
    ds["basin"] = ("x0", labels)
    ds["attractor_kind"], ds["attractor_period"] = ("attractor", [1]), ("attractor", [1])
    ds["attractor_x"] = (("attractor", "attractor_point"), [[3.0]])
    found = read(ds)
    assert [o.name for o in found.values()] == ["fixed point $3$", "escaped", "unresolved"]


@pytest.mark.parametrize("style", ["screen", "paper"])
def test_marks_are_in_the_legend(style: str) -> None:
    figure = figures.draw(solved(), name="basin", style=style)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown[0] == r"minimum $(1,\ 0)$ (30 %)"
    marks = [line.get_marker() for line in legend.findobj(lambda a: hasattr(a, "get_marker"))]
    assert marks == ["o", "o", "X", "^"]


def test_final_states_over_their_basins() -> None:
    """Row 11: Newton's method finds 7, which repels; its basin begins at 5."""
    x0 = np.linspace(-9, 10, 153)
    labels = np.where(x0 < 5, 0, np.where(x0 > 5, 1, -1))
    document = {
        "map": {"equations": {"x": "(x**2 + 21)/10"}, "initial": {"x": 0}, "parameters": {}},
        "solver": {"name": "newton"},
        "grid": {"x0": {}},
    }
    variables = {
        "status": (("x0",), np.where(labels < 0, 2, 1).astype(np.int8)),
        "basin": (("x0",), labels),
        "x_final": (("x0",), np.choose(labels, [3.0, 7.0, np.nan], mode="wrap")),
        "attractor_kind": (("attractor",), np.ones(2, int)),
        "attractor_period": (("attractor",), np.ones(2, int)),
        "attractor_x": (("attractor", "attractor_point"), np.array([[3.0], [7.0]])),
    }
    ax = Figure().subplots()
    figures.draw(datasets.dataset(document, {"x0": x0}, variables), name="final", ax=ax)
    (mesh,) = ax.collections
    painted = mesh.get_array().reshape(153, 3)
    changes = np.flatnonzero(np.any(np.diff(painted, axis=0), axis=1))
    assert x0[changes].tolist() == [4.875, 5]
    assert [text.get_text().split(" (")[0] for text in ax.get_legend().get_texts()] == [
        "final state",
        "basin of the fixed point $3$",
        "basin of the fixed point $7$",
        "escaped",
        "attracting fixed point $3$",
        "repelling fixed point $7$",
    ]
