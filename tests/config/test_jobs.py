"""Which swept values become axes, and which become jobs."""

from __future__ import annotations

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline import config
from pipeline.config import composition, jobs
from pipeline.config.jobs import Swept
from pipeline.config.mistakes import Mistakes
from tests.config.cases import LOGISTIC, QUADRATIC, VECTOR, changed


def split(*texts):
    """(mistakes, fixed, swept) of overrides."""
    mistakes = Mistakes()
    loader = composition.Loader(composition.search_path())
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(texts))
    return mistakes, *jobs.split(mistakes, parsed)


def swept(text) -> Swept:
    """The one sweep of an override."""
    mistakes, fixed, found = split(text)
    assert (mistakes, fixed, len(found)) == ([], [], 1)
    return found[0]


def placed(document, *texts):
    """(the grid of a document with these sweeps, the keys that are no axes of it)."""
    found, left = jobs.with_axes(document, [swept(text) for text in texts])
    return found.get("grid", {}), [s.key for s in left]


def test_a_range_is_half_open():
    """Hydra's own has 601 values, the last of them 4."""
    found = swept("map.parameters.a=range(3.4,4,0.001)")
    assert found.axis == {"start": 3.4, "stop": 4, "step": 0.001}
    values = [value for _, value in found.listed()]
    assert (len(values), values[0], values[2], values[-1]) == (600, 3.4, 3.402, 3.999)


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("seed=range(3)", [("0", 0), ("1", 1), ("2", 2)]),
        ("seed=range(0.5,1.5,0.5)", [("0.5", 0.5), ("1.0", 1.0)]),
        ("seed=range(5,0,-2)", [("5", 5), ("3", 3), ("1", 1)]),
        ("map=logistic,cubic", [("logistic", "logistic"), ("cubic", "cubic")]),
        ("map=choice(henon)", [("henon", "henon")]),
        ("analysis=[orbit],[final]", [("[orbit]", "[orbit]"), ("[final]", "[final]")]),
        ("seed=1,2.5", [("1", 1), ("2.5", 2.5)]),
        ("dry_run=true,false", [("True", "true"), ("False", "false")]),
        ("map.equations.x='a*x','b, c'", [("'a*x'", "a*x"), ("'b, c'", "b, c")]),
        ("map=glob(coup*)", [("coupled_logistic", "coupled_logistic")]),
    ],
)
def test_the_values_of_a_sweep(text, listed):
    """As an override has each, and as the label of its job."""
    assert swept(text).listed() == listed


def test_one_value_is_no_sweep():
    assert split("map=henon", "seed=1", "~grid.a")[1:] == (["map=henon", "seed=1", "~grid.a"], [])


def test_the_last_of_two_for_one_key_counts():
    mistakes, fixed, found = split("seed=1,2", "map=henon", "seed=3")
    assert (mistakes, fixed, found) == ([], ["seed=3", "map=henon"], [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed=interval(0,1)", "expected values, as in range(0,1,0.1) or 1,2,3."),
        ("~map=a,b", "expected '~map', without values."),
        ("map=henon,henon", "one value is there twice."),
        ("map=glob(nothing*)", "there are no such choices."),
        ("seed=range(1,1)", "start 1, stop 1 and step 1 leave no value."),
        ("map.parameters.a=range(0,1e9,1e-9)", "expected at most 10000000 numbers on one axis."),
    ],
)
def test_what_is_no_sweep(text, told):
    mistakes, _, found = split(text)
    assert (mistakes, found) == ([f"{text}: {told}"], [])


@pytest.mark.parametrize(
    ("document", "text", "axis"),
    [
        (LOGISTIC, "map.parameters.a=3,3.5", {"a": {"values": [3, 3.5]}}),
        (LOGISTIC, "map.parameters.a=pi,'2*pi'", {"a": {"values": [np.pi, 2 * np.pi]}}),
        (LOGISTIC, "+map.parameters.a=3,4", {"a": {"values": [3, 4]}}),
        (LOGISTIC, "map.initial.x=0.1,0.2", {"x0": {"values": [0.1, 0.2]}}),
        (LOGISTIC, "grid.a=3,4", {"a": {"values": [3, 4]}}),
        (QUADRATIC, "map.parameters.c_re=0,1", {"c_re": {"values": [0, 1]}}),
        (QUADRATIC, "map.initial.z_im=0,1", {"z0_im": {"values": [0, 1]}}),
        (VECTOR, "objective.parameters.c_0=1,2", {"c_0": {"values": [1, 2]}}),
        (VECTOR, "objective.parameters.A.0.1=1,2", {"A_0_1": {"values": [1, 2]}}),
        (VECTOR, "objective.initial.x.1=1,2", {"x0_1": {"values": [1, 2]}}),
        (VECTOR, "solver.step=0.1,0.2", {"step": {"of": "solver.step", "values": [0.1, 0.2]}}),
    ],
)  # fmt: skip
def test_numbers_are_axes(document, text, axis):
    """Named as a document names them; the document they give is a sound one."""
    assert placed(document, text) == (axis, [])
    found, _ = jobs.with_axes(document, [swept(text)])
    experiment = config.read(found)
    assert [a.name for a in experiment.grid] == list(axis)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (LOGISTIC, "map=logistic,cubic"),
        (LOGISTIC, "map.parameters={a: 3},{a: 4}"),
        (LOGISTIC, "map.parameters.a=3,[1,2]"),
        (LOGISTIC, "map.parameters.a=true,false"),
        (LOGISTIC, "map.escape_radius=10,100"),
        (LOGISTIC, "iterate.length=10,20"),
        (LOGISTIC, "seed=0,1"),
        (LOGISTIC, "solver.step=0.1,0.2"),
        (LOGISTIC, "objective.parameters.a=1,2"),
        (QUADRATIC, "map.parameters.c=1,2"),
        (QUADRATIC, "map.parameters.c=1j,2j"),
        (QUADRATIC, "map.initial.z=1,2"),
        (VECTOR, "objective.parameters.c=1,2"),
        (VECTOR, "objective.initial.x=0,1"),
        (VECTOR, "solver.linear_solver=lu,cg"),
    ],
)
def test_all_else_is_a_job_each(document, text):
    assert placed(document, text) == ({}, [text.partition("=")[0]])


def test_axes_stand_where_they_were_or_as_typed():
    grid = {"a": {"start": 0, "stop": 1, "num": 3}, "other": {"of": ["x0"], "values": [0.5]}}
    document = changed(LOGISTIC, grid=grid, map__parameters__b=1)
    sweeps = ["map.parameters.b=1,2", "map.initial.x=0.1,0.2", "map.parameters.a=range(3,4,0.5)"]
    found, left = placed(document, *sweeps)
    assert left == []
    assert list(found.items()) == [
        ("a", {"start": 3, "stop": 4, "step": 0.5}),
        ("other", {"of": "x0", "values": [0.1, 0.2]}),
        ("b", {"values": [1, 2]}),
    ]
    assert document["grid"] == grid  # the one that was given is left as it was


def test_what_a_document_lacks_is_added():
    """A parameter without a default, as of a map of one's own, and a start that formulas use."""
    bare = changed(LOGISTIC, map__parameters={}, map__initial={})
    found, left = jobs.with_axes(
        bare, [swept(f"map.{k}=1,2") for k in ("parameters.a", "initial.x")]
    )
    assert left == []
    assert found["map"]["parameters"] == {"a": 1}
    assert found["map"]["initial"] == {"x": 1}
    assert list(found["grid"]) == ["a", "x0"]
    polar = changed(LOGISTIC, map__initial__x="r*cos(0.5)")
    found, _ = jobs.with_axes(polar, [swept("map.initial.r=1,2")])
    assert [axis.quantities[0].target for axis in config.read(found).grid] == ["free"]


def test_a_settings_axis_gives_way_to_a_name_that_is_taken():
    document = changed(
        LOGISTIC, solver={"name": "gradient"}, analysis={}, map__parameters__step=1,
        map__equations__x="a*x*(step - x)",
    )  # fmt: skip
    found, _ = jobs.with_axes(document, [swept("solver.step=0.1,0.2")])
    assert [axis.name for axis in config.read(found).grid] == ["solver_step"]


def test_combinations():
    """The last sweep fastest; their number without making them."""
    found = [swept("map=henon,ikeda"), swept("seed=range(3)")]
    assert jobs.count(found) == 6
    labels = [[label for _, _, label in one] for one in jobs.combinations(found)]
    assert labels == [[m, s] for m in ("henon", "ikeda") for s in range(3)]
    assert list(jobs.combinations([])) == [[]]


def test_labels_are_the_shortest_ends_that_differ():
    keys = ["map", "device.precision", "grid.a.num", "grid.b.num", "iterate.length"]
    assert list(jobs.labels(keys).values()) == ["map", "precision", "a_num", "b_num", "length"]
