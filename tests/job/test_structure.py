"""The structure of a program: numbers leave it alone, everything else changes it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import config, function
from pipeline.job.structure import structure
from tests.functions import scaled
from tests.runs import document

MAP = document(
    map={
        "equations": {"x": "a*x + y[0]", "y": "b*y + d"},
        "definitions": {"d": "c*x"},
        "parameters": {"a": 0.5, "b": 0.1, "c": 0.3},
        "initial": {"x": 1, "y": [1, 2]},
        "modulus": {"x": 1},
    },
    grid={"a": [0.1, 0.2], "pair": {"of": ["c", "x0"], "values": [[1, 2], [3, 4]]}},
    analysis={"orbit": {"every": 2}},
    length=10,
    transient=4,
)
SOLVER = document(
    objective={
        "expression": "a*(x - c)**2 + y**2",
        "parameters": {"a": 2, "c": 1},
        "initial": {"x": 0, "y": "a + c"},
    },
    solver={"name": "newton"},
    grid={"h": {"of": "solver.absolute_tolerance", "values": [1e-8, 1e-6]}},
    analysis={"history": {}},
)

# (document, path, new value): a program that takes these as arguments.
NUMBERS: list[tuple[Any, str, Any]] = [
    (MAP, "map.parameters.a", 0.7),
    (MAP, "map.parameters.b", 3),
    (MAP, "map.initial.x", -2.5),
    (MAP, "map.initial.y", [7, 8]),
    (MAP, "map.name", "another"),
    (MAP, "map.reference", "another"),
    (MAP, "grid.a", [0.3, 0.4]),
    (MAP, "grid.a", [0.3, 0.4, 0.5, 0.6]),
    (MAP, "grid.a", {"start": 1, "stop": 2, "num": 2, "scale": "log"}),
    (MAP, "grid.pair.values", [[5, 6], [7, 8]]),
    (MAP, "seed", 3),
    (MAP, "device.memory", "1MiB"),
    (MAP, "figure.style", "paper"),
    (MAP, "dry_run", True),
    (MAP, "experiment", "another"),
    (SOLVER, "solver.absolute_tolerance", 1e-3),
    (SOLVER, "solver.relative_tolerance", 0),
    (SOLVER, "objective.parameters.c", 5),
    (SOLVER, "objective.initial.x", 5),
]
# A program is another one for these.
CHOICES: list[tuple[Any, str, Any]] = [
    (MAP, "map.equations.x", "a*x - y[0]"),
    (MAP, "map.equations.x", "a*x + y[1]"),
    (MAP, "map.definitions.d", "2*c*x"),
    (MAP, "map.parameters.b", [0.1, 0.2]),
    (MAP, "map.initial.y", [1, 2, 3]),
    (MAP, "map.initial.x", "a + 1"),
    (MAP, "map.initial.x", "a + 2"),
    (MAP, "map.modulus", {}),
    (MAP, "map.modulus.x", 2),
    (MAP, "map.escape_radius", 10),
    (MAP, "iterate.length", 12),
    (MAP, "iterate.transient", 5),
    (MAP, "analysis.orbit.every", 1),
    (MAP, "analysis", {"final": {}}),
    (MAP, "analysis", {"orbit": {"every": 2}, "final": {}}),
    (MAP, "device.precision", "single"),
    (MAP, "device.platform", "cpu"),
    (MAP, "grid", {}),
    (MAP, "grid", {"a": [0.1, 0.2]}),
    (MAP, "grid.pair.of", ["c", "y0_0"]),
    (MAP, "grid.pair.of", ["x0", "c"]),
    (MAP, "solver", {"name": "newton"}),
    (SOLVER, "objective.sense", "maximise"),
    (SOLVER, "objective.expression", "a*(x - c)**2 + 2*y**2"),
    (SOLVER, "objective.initial.x", "1+0j"),
    (SOLVER, "objective.initial.y", "a - c"),
    (SOLVER, "objective.initial.y", 3),
    (SOLVER, "solver", {"name": "newton", "linear_solver": "inverse"}),
    (SOLVER, "solver", {"name": "newton_cg"}),
    (SOLVER, "grid.h.of", "solver.relative_tolerance"),
    (SOLVER, "analysis", {}),
]

SQUARES = document(
    objective={"residuals": ["a*x", "y - 1"], "parameters": {"a": 2}, "initial": {"x": 1, "y": 0}},
    solver={"name": "newton"},
)
NUMBERS += [(SQUARES, "objective.parameters.a", 3)]
CHOICES += [
    (SQUARES, "objective.residuals", ["a*x", "y - 2"]),
    (SQUARES, "objective.residuals", "[a*x, y - 1]"),
]


def changed(original: Any, path: str, value: Any) -> Any:
    """A copy of a document with one value changed."""
    result = copy.deepcopy(original)
    *folders, key = path.split(".")
    node = result
    for folder in folders:
        node = node.setdefault(folder, {})
    node[key] = value
    if path == "solver" and "map" in result:
        result["iterate"]["transient"] = 0  # a solver has none
    return result


def of(described: Any) -> str:
    """The structure of a document."""
    return structure(config.read(described))


def complex_start(described: Any) -> Any:
    """An objective of a complex start needs a real value."""
    if described.get("objective", {}).get("initial", {}).get("x") == "1+0j":
        described["objective"]["expression"] = "a*abs(x - c)**2 + y**2"
    return described


@pytest.mark.parametrize(("original", "path", "value"), NUMBERS)
def test_a_number_leaves_the_structure(original: Any, path: str, value: Any) -> None:
    assert of(changed(original, path, value)) == of(original)


@pytest.mark.parametrize(("original", "path", "value"), CHOICES)
def test_a_choice_changes_the_structure(original: Any, path: str, value: Any) -> None:
    assert of(complex_start(changed(original, path, value))) != of(original)


def test_all_choices_differ_from_one_another() -> None:
    for group in (MAP, SOLVER, SQUARES):
        every = [complex_start(changed(o, path, v)) for o, path, v in CHOICES if o is group]
        assert len({of(each) for each in every}) == len(every)


@given(st.lists(st.sampled_from([n for n in NUMBERS if n[0] is MAP]), max_size=8, unique_by=id))
def test_any_numbers_together_leave_it(changes: list[Any]) -> None:
    described = MAP
    for _, path, value in changes:
        described = changed(described, path, value)
    assert of(described) == of(MAP)


@given(
    st.lists(st.sampled_from([n for n in NUMBERS if n[0] is MAP]), max_size=4, unique_by=id),
    st.sampled_from(
        [c for c in CHOICES if c[0] is MAP and not c[1].startswith(("grid", "solver"))]
    ),
)
def test_a_choice_shows_among_any_numbers(numbers: list[Any], choice: Any) -> None:
    described = MAP
    clash = choice[1].rsplit(".", 1)[0] if choice[1].count(".") > 1 else choice[1]
    for _, path, value in numbers:
        if not path.startswith(clash):
            described = changed(described, path, value)
    assert of(changed(described, *choice[1:])) != of(described)


def test_the_order_of_components_is_structure() -> None:
    """It is the order of the flattened state and of the variables."""
    one = document(map={"equations": {"x": "x", "y": "y"}, "initial": {"x": 1, "y": 1}})
    other = document(map={"equations": {"y": "y", "x": "x"}, "initial": {"y": 1, "x": 1}})
    assert of(one) != of(other)


def test_the_field_of_a_parameter_is_structure() -> None:
    """A complex parameter is another argument than a real one."""
    described = document(map={"equations": {"z": "c*z"}, "initial": {"z": "1+0j"}})
    real, imaginary = (changed(described, "map.parameters", {"c": c}) for c in (2.0, "2j"))
    assert of(real) != of(imaginary)


def test_functions_count_by_identity_and_by_what_they_do() -> None:
    """Two of the same text are two; one that reads another value now is another."""
    factors = [2.0]

    def f(x: Any) -> Any:
        return factors[0] * x

    def made(call: Any) -> str:
        return structure(config.read(document(map={"initial": {"x": 1}}), function.handed(call)))

    assert made(f) == made(f)
    assert made(scaled(2.0)) != made(f)
    before = made(f)
    factors[0] = 3.0
    assert made(f) != before


def test_a_function_counts_by_its_place() -> None:
    """The same function as f and as its one residual."""
    described = document(objective={"initial": {"x": 1}}, solver="newton")
    f = scaled(2.0)
    one, other = (
        structure(config.read(described, function.handed(f, place=place)))
        for place in ("objective", "residuals")
    )
    assert one != other
