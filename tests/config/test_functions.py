"""Python functions of a document: what they take, what they return, what is told of mistakes."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline import config, function
from pipeline.errors import ConfigError
from pipeline.experiment import Experiment
from pipeline.function import Place
from tests.config.cases import refused
from tests.functions import HENON, henon, misses, scaled, valley
from tests.runs import document, shipped

LINE = {"initial": {"x": 0.1}}
CORNER = {"initial": {"x": -1.2, "y": 1}}


def read(call: Any, map: Any = HENON, **sections: Any) -> Experiment:
    """The experiment of a function."""
    return config.read(document(map=map, **sections), function.handed(call))


def mistakes(call: Any, map: Any = HENON, **sections: Any) -> list[str]:
    """What is told of a function."""
    with pytest.raises(ConfigError) as caught:
        read(call, map, **sections)
    return list(caught.value.mistakes)


def test_a_function_is_a_map() -> None:
    """Its components are those of `initial`; the document says what it is made of."""
    found = read(henon)
    assert found.function is not None
    assert list(found.problem.components) == ["x", "y"]
    assert found.function.takes == ("x", "y", "a", "b")
    assert found.document["map"]["function"] == found.function.record
    assert found.problem.name == found.document["map"]["name"] == "henon"
    assert read(henon, {**HENON, "name": "mine"}).problem.name == "mine"


def test_the_program_tells_functions_apart() -> None:
    """By what they do, values around them included, and not by their text."""

    def program(call: Any, **sections: Any) -> str:
        found = read(call, LINE, **sections).function
        assert found is not None
        return found.program

    assert program(scaled(2.0)) == program(scaled(2.0)) != program(scaled(3.0))
    assert program(lambda x: 2.0 * x) == program(scaled(2.0))
    table = np.arange(3.0)
    before = program(lambda x: x + table[1] * table.sum())
    table[1] = 5
    assert program(lambda x: x + table[1] * table.sum()) != before
    assert program(scaled(2.0), device={"precision": "single"}) != program(scaled(2.0))


def test_what_it_need_not_take() -> None:
    """A component that its own next value forgets, n, an argument with a default."""
    found = read(lambda y, n, c=3: {"x": y, "y": c + n}, {"initial": {"x": 0, "y": 0}})
    assert found.function is not None
    assert found.function.takes == ("y", "n")
    assert found.problem.counts
    assert not read(henon).problem.counts


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (3, "map = 3: expected a Python function, such as def f(x, a): return 1 - a*x**2."),
        ([], 'map = "(list)": expected a Python function, such as def'),
        (
            lambda u, x, y, a, b: x,
            (
                "map=<lambda>: it takes u, which is no component and no parameter of the document "
                "(known: a, b, n, x, y)."
            ),
        ),
        (lambda *x: x, 'map=<lambda> = "*x": expected arguments by name, such as'),
        (lambda **x: x, 'map=<lambda> = "**x": expected arguments by name, such as'),
        (min, "map=min: its arguments are not to be had; wrap it, such as"),
        (
            lambda x, a, b: x,
            (
                'map=<lambda>: expected the next values by name, {"x": ..., "y": ...}, but it '
                "returns a number."
            ),
        ),
        (lambda x, a, b: None, "{...}, but it returns None."),
        (lambda x, a, b: (x, x), "but it returns a tuple."),
        (lambda a, b: {"x": 1}, "map=<lambda>: what it returns lacks the next value of y."),
        (
            lambda a, b: {"x": 1, "y": 1, "z": 1},
            'map=<lambda>: it returns "z", which is no component (known: x, y).',
        ),
        (
            lambda a, b: {"x": 1, "y": jnp.zeros(2)},
            "map=<lambda>: expected a number as the next y, but it is an array of shape [2].",
        ),
        (lambda a, b: {"x": 1, "y": "1"}, "expected a number as the next y, but it is a str."),
        (lambda a, b: {"x": 1, "y": None}, "expected a number as the next y, but it is None."),
        (
            lambda a, b: {"x": 1j, "y": 1},
            "map=<lambda>: the next x is complex; then map.initial.x is complex too",
        ),
        (
            lambda x, a, b: np.sin(x),
            (
                "map=<lambda>: it hands JAX's arrays to NumPy while JAX traces it; use jax.numpy "
                "in its place."
            ),
        ),
        (
            lambda x, a, b: math.sin(x),
            (
                "map=<lambda>: it asks for a number while JAX traces it; use jax.numpy, and its "
                "where for `if`."
            ),
        ),
        (lambda x, a, b: x if x > 0 else a, "map=<lambda>: it asks for a number while JAX traces"),
        (lambda a, b: a[0, 0], "map=<lambda>: it raises IndexError: "),
        (lambda a, b: 1 / 0, "map=<lambda>: it raises ZeroDivisionError: division by zero."),
    ],
)
def test_mistakes_of_a_function(call: Any, told: str) -> None:
    (found,) = mistakes(call)
    assert told.removeprefix("{...}") in found


@pytest.mark.parametrize(
    ("map", "told"),
    [
        (
            shipped("map", "henon"),
            (
                "map.equations: the Python function henon stands in the place of all formulas; "
                "expected none, as in map=custom."
            ),
        ),
        ({**HENON, "definitions": {"u": 1}}, "map.definitions: the Python function henon stands"),
        ({**HENON, "initial": {}}, "map.initial: expected a start for each component"),
        ({**HENON, "modulus": {"z": 1}}, "map.modulus.z: z has no initial value: no component."),
        (
            {**HENON, "parameters": {"a": 1, "b": 1, "c": 1}},
            (
                "map.parameters.c: the function henon does not take it (known: a, b); drop it with "
                "'~map.parameters.c'."
            ),
        ),
        ("not a map", 'map = "not a map": expected the name of a map'),
    ],
)
def test_mistakes_around_a_function(map: Any, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.read({**document(), "map": map}, function.handed(henon))
    assert caught.value.mistakes[0].startswith(told)


def test_an_objective_is_none() -> None:
    told = r"^objective: the Python function henon stands for the map; drop it with '~objective'\.$"
    with pytest.raises(ConfigError, match=told):
        config.read(document(objective="himmelblau", solver="newton"), function.handed(henon))


def sought(
    call: Any, place: Place = "objective", objective: Any = LINE, **sections: Any
) -> Experiment:
    """The experiment of a function in the place of an objective's formulas."""
    found = document(objective=objective, **{"solver": "newton", **sections})
    return config.read(found, function.handed(call, place=place))


def test_a_function_is_an_objective() -> None:
    """One of residuals is another document than one of the same function as f."""
    for place, call in (("objective", valley), ("residuals", misses)):
        found = sought(call, place, CORNER)
        assert found.function is not None
        assert found.function.takes == ("x", "y")
        assert found.document["objective"]["function"]["place"] == place
        assert list(found.problem.components) == ["x", "y"]
        assert found.problem.name == call.__name__
        with pytest.raises(ConfigError) as caught:
            config.read(found.document)
        assert caught.value.mistakes == (
            (
                "objective.function: the objective is a Python function, and no document names "
                f"code; hand it over from Python: pipeline.run(..., {place}=f)."
            ),
        )


@pytest.mark.parametrize(
    ("place", "call", "told"),
    [
        (
            "objective",
            3,
            "objective = 3: expected a Python function, such as def f(x, a): return (x - a)**2.",
        ),
        ("residuals", min, "residuals=min: its arguments are not to be had; wrap it, such as def"),
        ("objective", lambda x, n: x, "objective=<lambda>: it takes n, which is no component and"),
        (
            "objective",
            lambda x: None,
            "objective=<lambda>: expected a number, but it returns None.",
        ),
        ("objective", lambda x: {"x": x}, "expected a number, but it returns a dict."),
        (
            "objective",
            lambda x: [x, x],
            (
                "objective=<lambda>: expected a number, but it returns an array of shape [2]; a "
                "vector of residuals is handed over as residuals=f."
            ),
        ),
        ("objective", lambda x: 1j * x, "expected real numbers, but it returns complex ones."),
        (
            "residuals",
            lambda x: jnp.zeros((2, 2)),
            "residuals=<lambda>: expected a vector, but it returns an array of shape [2, 2].",
        ),
        ("residuals", lambda x: ["1"], "residuals=<lambda>: expected a vector, but it returns a l"),
        (
            "objective",
            lambda x: math.sin(x),
            "objective=<lambda>: it asks for a number while JAX traces it; use jax.numpy",
        ),
        (
            "objective",
            lambda x: jax.lax.while_loop(lambda v: v < 9, lambda v: v + x**2, x),
            (
                "objective=<lambda>: it has no first or second derivatives: it raises ValueError: "
                "Reverse-mode differentiation does not work for lax.while_loop"
            ),
        ),
    ],
)
def test_mistakes_of_an_objective_function(place: Place, call: Any, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sought(call, place)
    assert len(caught.value.mistakes) == 1
    assert told in caught.value.mistakes[0]


@pytest.mark.parametrize(
    ("place", "objective", "told"),
    [
        (
            "objective",
            {**CORNER, "expression": "x", "definitions": {"u": "x"}},
            [
                f"objective.{part}: the Python function valley stands in the place of all "
                "formulas; expected none, as in objective=custom."
                for part in ("definitions", "expression")
            ],
        ),
        ("objective", {}, ["objective.initial: expected a start for each component, such as"]),
        (
            "objective",
            {**CORNER, "parameters": {"c": 1}},
            ["objective.parameters.c: the function valley does not take it; drop it with"],
        ),
        (
            "residuals",
            {**CORNER, "sense": "maximise"},
            ['objective.sense = "maximise": residuals make a sum of squares, which is minimised'],
        ),
    ],
)
def test_mistakes_around_an_objective_function(
    place: Place, objective: Any, told: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        sought(valley, place, objective)
    assert len(caught.value.mistakes) == len(told)
    for found, expected in zip(caught.value.mistakes, told, strict=True):
        assert found.startswith(expected)


def test_a_map_is_none() -> None:
    told = r"^map: the Python function valley stands for the objective; drop it with '~map'\.$"
    with pytest.raises(ConfigError, match=told):
        config.read(document(map="henon"), function.handed(valley, place="objective"))


def test_all_mistakes_at_once() -> None:
    found = mistakes(lambda a, b: {"x": "1", "z": 1}, analysis={"fly": {}}, seed=-1)
    assert len(found) == 5


def test_a_document_brings_no_function(workdir: Any) -> None:
    """Neither one that is read from an archive nor the command line nor a file."""
    reason = (
        "map.function: the map is a Python function, and no document names code; hand it over from "
        "Python: pipeline.run(..., map=f)."
    )
    with pytest.raises(ConfigError) as caught:
        config.read(read(henon).document)
    assert caught.value.mistakes == (reason,)
    words = ["experiment=orbit", "map=custom", "map.initial={x: 0}"]
    assert refused([*words, "map.function={name: os.system, source: 'import os'}"]) == [reason]
    (workdir / "map").mkdir()
    (workdir / "map" / "mine.yaml").write_text("initial: {x: 0}\nfunction: {name: f}\n")
    assert refused(["experiment=orbit", "map=mine"], workdir) == [reason]


def test_a_document_of_a_function_is_read_with_it() -> None:
    """What it says of the function gives way to the one that is there."""
    described = read(henon).document
    again = config.read(described, function.handed(lambda x, y, a, b: {"x": a * y, "y": b * x}))
    assert again.document["map"]["function"]["name"] == "<lambda>"
    assert again.document["map"]["function"]["program"] != described["map"]["function"]["program"]


@pytest.mark.parametrize(
    ("solver", "analysis", "told"),
    [("newton", {}, "a map whose formulas use n has no fixed points"), ("direct", {}, "analysis")],
)
def test_a_function_that_counts(solver: str, analysis: Any, told: str) -> None:
    found = mistakes(lambda x, n: x + n, LINE, solver=solver, analysis=analysis)
    assert any(told in line for line in found)
