"""One namespace for components, parameters, definitions, axes and results."""

from __future__ import annotations

import pytest

from tests.config.cases import LOGISTIC, QUADRATIC, changed, mistakes, read

ASCII = "a name has ASCII letters, digits and _ and begins with a letter."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("1a", ASCII),
        ("_a", ASCII),
        ("é", ASCII),
        ("a b", ASCII),
        ("a.b", ASCII),
        ("", ASCII),
        ("a\n", ASCII),
        ("1)", ASCII[:-1] + "; a formula with a comma wants quotes."),
        ("a" * 65, "a name has at most 64 characters."),
        ("n", "the name is taken: in formulas it is the number of steps done."),
        ("size", "the name is taken: in formulas it is the length of a vector component."),
        ("sin", "the name is taken by a function, a constant or a keyword of formulas."),
        ("lambda", "the name is taken by a function, a constant or a keyword of formulas."),
        ("iteration", "the name is taken by a result or a dimension of the dataset."),
        ("period", "the name is taken by a result or a dimension of the dataset."),
        ("status", "the name is taken by a result or a dimension of the dataset."),
        ("x", "the name is taken by the component of that name."),
        ("x0", "the name is taken by the initial value of x."),
        ("x_final", "the name is taken by the final state of x."),
        ("x_re", "the name is taken by the real part of x."),
        ("x_bin", "the name is taken by the bins of the density of x."),
        ("attractor_x", "the name is taken by the attractors of x."),
        ("cycle_x", "the name is taken by the cycles of x."),
        ("manifold_x", "the name is taken by the manifolds of x."),
        ("record_x", "the name is taken by the recorded states of x."),
        ("x_mean_error", "the name is taken by the error of the mean of x."),
        ("rotation_number", "the name is taken by a result or a dimension of the dataset."),
    ],
)
@pytest.mark.parametrize("part", ["parameters", "definitions"])
def test_taken(part, name, message):
    document = changed(LOGISTIC)
    document["map"].setdefault(part, {})[name] = 1
    found = mistakes(document)
    assert f"map.{part}.{name}: {message}" in found


def test_taken_by_one_another():
    assert mistakes(LOGISTIC, map__definitions={"a": "x"}) == [
        "map.parameters.a: the name is taken by the definition of that name."
    ]
    found = mistakes(
        LOGISTIC, map__equations={"x": "x", "x0": "x"}, map__initial={"x": 0.1, "x0": 0.1}
    )
    assert found == ["map.initial.x0: the name is taken by the initial value of x."]


@pytest.mark.parametrize(
    ("name", "result"),
    [("kind", "attractor_kind"), ("residual", "cycle_residual"), ("objective", "objective_final")],
)
def test_a_component_whose_results_have_names_already(name, result):
    found = mistakes(
        LOGISTIC, map__equations={name: name}, map__initial={name: 1}, map__parameters={}
    )
    assert len(found) == 1
    assert f"map.initial.{name}: {result}, " in found[0]
    assert found[0].endswith("would have the name of a result; give it another.")


def test_entries_are_names():
    found = mistakes(
        LOGISTIC,
        map__equations={"x": "A @ x + A_0_1 + x0_1"},
        map__parameters={"A": [[1, 2], [3, 4]], "A_0_1": 1, "x0_1": 2},
        map__initial={"x": [1, 2]},
    )
    assert found == [
        "map.parameters.A_0_1: the name is taken by an entry of A.",
        "map.parameters.x0_1: the name is taken by an entry of x.",
    ]
    assert mistakes(QUADRATIC, map__equations={"z": "z + c + c_re"}, map__parameters__c_re=1) == [
        "map.parameters.c_re: the name is taken by an entry of c."
    ]
    # No entry of this vector, so free.
    assert read(
        LOGISTIC,
        map__equations={"x": "x + x0_7"},
        map__parameters={"x0_7": 1},
        map__initial__x=[1, 2],
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x", "the name is taken by the component of that name; give the axis another."),
        ("x0", "the name is taken by the initial value of x; give the axis another."),
        ("x_final", "the name is taken by the final state of x; give the axis another."),
        ("d", "the name is taken by the definition of that name; give the axis another."),
        ("r", "the name is taken by a formula under initial; give the axis another."),
        ("b_1", "the name is taken by an entry of b; give the axis another."),
        ("n", "the name is taken: in formulas it is the number of steps done."),
        ("iteration", "the name is taken by a result or a dimension of the dataset."),
        ("a b", ASCII),
    ],
)
def test_axes(name, message):
    found = mistakes(
        LOGISTIC,
        map__equations={"x": "a*x + d", "y": "y + b[0]"},
        map__definitions={"d": "x"},
        map__parameters={"a": 1, "b": [1, 2]},
        map__initial={"x": 1, "y": "r"},
        grid={name: {"of": "a", "values": [1]}, "q": {"of": ["r"], "values": [1]}},
    )
    assert found == [f"grid.{name}: {message}"]


def test_free_names_are_checked():
    document = changed(LOGISTIC, map__initial={"x": "status"}, grid={"status": {"values": [1]}})
    assert any('no name called "status"' in line for line in mistakes(document))
