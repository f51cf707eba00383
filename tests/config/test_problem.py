"""Maps and objectives of a document: their parts, shapes and mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.expressions import Expression
from tests.config.cases import LOGISTIC, QUADRATIC, VECTOR, mistakes, read


def test_map():
    problem = read(
        LOGISTIC,
        map__modulus={"x": "2*pi"},
        map__definitions={"d": "x", "f": "d"},
        map__equations={"x": "a*f"},
    ).problem
    assert (problem.name, problem.reference, problem.escape_radius) == ("mine", "none", 1e6)
    assert problem.modulus == {"x": 2 * np.pi}
    assert list(problem.definitions) == ["d", "f"]


def test_components_in_the_order_of_the_equations():
    changes = {
        "map__equations": {"y": "y", "x": "a[0, 0]*x"},
        "map__initial": {"x": 1, "y": [1, 2]},
    }
    problem = read(LOGISTIC, **changes, map__parameters__a=[[1, 2], [3, 4]]).problem
    assert list(problem.components) == ["y", "x"]
    assert problem.components["y"].shape == (2,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"map": 5}, "map = 5: expected the name of a map, or a description of one."),
        (
            {"map": {}},
            "map.equations: expected a formula for each component, such as {x: a*x*(1 - x)}.",
        ),
        ({"map__equations": [1]}, "map.equations = [1]: expected names and their values, such as"),
        ({"map__equation": {}}, 'map.equation: no such key; did you mean "equations"?'),
        ({"map__name": 5}, "map.name = 5: expected a text."),
        ({"map__escape_radius": 0}, "map.escape_radius = 0: expected a finite number > 0"),
        ({"map__equations": {"x": 1, "y": "x"}}, "map.initial.y: expected the initial value of y."),
        (
            {"map__initial": {"x": 1, "y": 1}},
            "map.initial.y: y has no equation, so it is no component.",
        ),
        ({"map__modulus": {"y": 1}}, "map.modulus.y: y has no equation, so it is no component."),
        ({"map__modulus": {"x": -1}}, "map.modulus.x = -1: expected a finite number > 0."),
        ({"map__equations": {"x": None}}, "map.equations.x = null: expected a formula, such as"),
        ({"map__equations": {"x": True}}, "map.equations.x = true: expected a formula, such as"),
        ({"map__equations": {"x": [1]}}, "map.equations.x = [1]: expected a formula, such as"),
        ({"map__equations": {"x": ""}}, "map.equations.x: the formula is empty."),
        (
            {"map__equations": {"x": "a*y"}},
            'map.equations.x: no name called "y" (known: a, e, n, pi, x).\n    a*y\n      ^',
        ),
        ({"map__definitions": {"d": "f", "f": "x"}}, 'map.definitions.d: no name called "f"'),
        (
            {"map__parameters": {"a": 1, "b": 2}},
            "map.parameters.b: no formula uses it (known: a); drop it with '~map.parameters.b'.",
        ),
        ({"map__definitions": {"d": "x"}}, "map.definitions.d: no formula uses it; drop it with"),
        ({"map__parameters__a": [1, 2]}, "expected a number, but the formula gives shape [2]."),
        (
            {"map__initial__x": [1, 2, 3], "map__parameters__a": [1, 2]},
            "map.equations.x: these sizes",
        ),
        (
            {"map__parameters__a": "1j"},
            (
                'map.equations.x = "a*x*(1 - x)": expected real numbers, but the formula gives '
                "complex numbers; then map.initial.x is complex too, such as 0+0j."
            ),
        ),
        ({"map__definitions": {"d": "sin(a, x)"}}, "map.definitions.d: "),
        (
            {"objective": VECTOR["objective"]},
            "map, objective: expected one of the two; drop the other",
        ),
        (
            {"map": None},
            "map, objective: expected one, such as map=logistic or objective=rosenbrock.",
        ),
    ],
)
def test_mistaken_maps(changes, message):
    found = mistakes(LOGISTIC, **changes)
    assert len(found) == 1
    assert message in found[0]


def test_a_definition_that_does_not_fit():
    found = mistakes(
        LOGISTIC,
        map__equations={"x": "d*x"},
        map__definitions={"d": "a @ a"},
        map__parameters__a=[[1, 2, 3]],
    )
    assert found[0].startswith("map.definitions.d: ")


def test_a_complex_component_on_a_circle():
    assert mistakes(QUADRATIC, map__modulus={"z": 1}) == [
        "map.modulus.z: z is complex, and only a real component lives on a circle."
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"objective": "x"},
            'objective = "x": expected the name of an objective, or a description',
        ),
        ({"objective__expression": ""}, "objective.expression: expected the formula of f, such as"),
        (
            {"objective__expression": "A @ (x - c)"},
            "expected a number, but the formula gives shape [2].",
        ),
        ({"objective__expression": "n"}, 'objective.expression: no name called "n"'),
        ({"objective__expression": ["x"]}, 'objective.expression = ["x"]: expected a formula'),
        (
            {"objective__initial": {}},
            "objective.initial: expected a start for each component, such as",
        ),
        ({"objective__sense": "max"}, 'objective.sense = "max": no such choice (known: maximise,'),
        ({"objective__equations": {}}, "objective.equations: no such key"),
        ({"objective__parameters__A": [1, 2]}, "objective.expression: "),
        ({"solver__name": "direct"}, 'solver = "direct": it takes no objective; expected one of'),
    ],
)
def test_mistaken_objectives(changes, message):
    found = mistakes(VECTOR, **changes)
    assert message in found[0]


SQUARES = {
    "name": "mine",
    "residuals": ["a*(x - 1)", "[x*y, y - 2]"],
    "parameters": {"a": 10},
    "initial": {"x": 0, "y": 0},
}


@pytest.mark.parametrize(
    ("residuals", "values"),
    [
        (["a*(x - 1)", "[x*y, y - 2]"], [-10, 0, -2]),
        ("a*[x - 1, x*y, y - 2]", [-10, 0, -20]),
        (["a"], [10]),
    ],
)
def test_residuals(residuals, values):
    problem = read({"objective": {**SQUARES, "residuals": residuals}, "solver": {"name": "newton"}})
    objective = problem.problem
    assert objective.expression is None
    x, p = {"x": np.float64(0), "y": np.float64(0)}, dict(objective.parameters)
    assert objective.residual_vector(x, p, np).tolist() == values
    assert objective.value(x, p, np) == sum(v**2 for v in values)
    # The document says what was given, and no more.
    assert problem.document["objective"]["residuals"] == residuals
    assert "expression" not in problem.document["objective"]
    assert read(problem.document).document == problem.document


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_form_is_none(empty):
    squares = {**SQUARES, "expression": empty}
    assert read({"objective": squares, "solver": {"name": "newton"}}).problem.residuals
    found = read(VECTOR, objective__residuals=[])
    assert found.problem.residuals == ()
    assert "residuals" not in found.document["objective"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"expression": "x**2"},
            "objective.expression, residuals: expected one of the two; drop the other with '~obj",
        ),
        (
            {"residuals": []},
            "objective.expression: expected the formula of f, such as (x - 1)**2, or residuals",
        ),
        (
            {"sense": "maximise"},
            'objective.sense = "maximise": residuals make a sum of squares, which is minimised; ',
        ),
        ({"residuals": ["a*x", "q*y"]}, 'objective.residuals[1]: no name called "q"'),
        ({"residuals": "q*y"}, 'objective.residuals: no name called "q"'),
        ({"residuals": ["a*x", True]}, "objective.residuals[1] = true: expected a formula"),
        ({"residuals": {"r": "a*x"}}, 'objective.residuals = {"r": "a*x"}: expected a formula'),
        (
            {"residuals": "a*x*eye(2)"},
            'objective.residuals = "a*x*eye(2)": expected a number or a vector, but the formula',
        ),
        (
            {"residuals": ["a*x", "1j*y"]},
            'objective.residuals[1] = "1j*y": expected real numbers, but the formula gives complex',
        ),
        ({"residuals": ["x", "y"]}, "objective.parameters.a: no formula uses it"),
    ],
)
def test_mistaken_residuals(changes, message):
    found = mistakes({"objective": {**SQUARES, **changes}, "solver": {"name": "newton"}})
    assert len(found) == 1
    assert message in found[0]


def test_complex_objective():
    found = mistakes(VECTOR, objective__expression="1j*x[0]", objective__parameters={})
    assert found == [
        (
            'objective.expression = "1j*x[0]": '
            "expected real numbers, but the formula gives complex numbers."
        )
    ]


def test_start_by_a_formula():
    polar = {"map__initial": {"z": "r*exp(1j*th)"}}
    axes = {"r": {"values": [1, 2]}, "th": {"start": 0, "stop": "2*pi", "num": 5}}
    experiment = read(QUADRATIC, **polar, grid=axes)
    assert isinstance(experiment.problem.initial["z"], Expression)
    assert [axis.quantities[0].target for axis in experiment.grid] == ["free", "free"]
    assert all(axis.starts for axis in experiment.grid)
    # Both at once, paired.
    node = {"of": ["r", "th"], "sample": "uniform", "num": 4, "low": 0, "high": [2, "2*pi"]}
    (axis,) = read(QUADRATIC, **polar, grid={"start": node}).grid
    assert [q.name for q in axis.quantities] == ["r", "th"]


def test_a_start_by_a_swept_parameter():
    (axis,) = read(LOGISTIC, map__initial={"x": "a/4"}, grid={"a": [1, 2]}).grid
    assert axis.quantities[0].target == "parameter"


@pytest.mark.parametrize("formula", ["z", "z0_re", "c_re + n", "z_final"])
def test_a_start_cannot_use(formula):
    """What is not known before the first step, though an axis has such a name."""
    found = mistakes(
        QUADRATIC, map__initial={"z": f"0j + {formula}"}, grid={formula: {"values": [1]}}
    )
    assert any("map.initial.z: no name called" in line for line in found)


def test_a_start_does_not_use_entries():
    found = mistakes(QUADRATIC, map__initial={"z": "0j + c_re"}, grid={"c_re": {"values": [1]}})
    assert found == [
        'map.initial.z = "0j + c_re": c_re is an entry of c; a formula takes it from there.'
    ]


def test_a_start_whose_formula_does_not_fit():
    found = mistakes(
        LOGISTIC, map__initial={"x": "a @ b"}, map__parameters={"a": [1, 2], "b": [1, 2, 3]}
    )
    assert found[0].startswith("map.initial.x: these sizes do not fit")
