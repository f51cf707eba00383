"""What Python hands over beside the overrides, put into the document."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from pipeline import config, function
from pipeline.config import Handover
from pipeline.errors import ConfigError
from pipeline.function import PLACES
from tests.functions import misses, valley

MINIMISE = "experiment=minimise"


def composed(*overrides: str, **arguments: Any) -> dict[str, Any]:
    """The document of the arguments of `pipeline.run`."""
    calls = [function.handed(arguments.pop(p), place=p) for p in PLACES if p in arguments]
    return config.compose(overrides, None, Handover(tuple(calls), **arguments))


def told(*overrides: str, **arguments: Any) -> list[str]:
    """The mistakes of composing it."""
    with pytest.raises(ConfigError) as caught:
        composed(*overrides, **arguments)
    return list(caught.value.mistakes)


def test_what_an_experiment_studies_gives_way() -> None:
    """Its objective to one of Python's, and to a map; what the overrides say of either stays."""
    found = composed(MINIMISE, objective=valley, initial={"x": 0, "y": 1})["objective"]
    assert found["initial"] == {"x": 0, "y": 1}
    assert not found["expression"]
    found = composed(MINIMISE, "objective.sense=maximise", residuals=misses)["objective"]
    assert (found["name"], found["sense"]) == ("custom", "maximise")
    found = composed(MINIMISE, map=np.cos, initial=0.5)
    assert "objective" not in found
    assert "map" not in composed("experiment=cobweb", objective=valley)
    found = composed(MINIMISE, "objective=wood", map=np.cos, initial={"x": 0.5})
    assert (found["objective"]["name"], found["map"]["name"]) == ("wood", "custom")
    found = composed(MINIMISE, "objective=himmelblau", objective=valley)
    assert found["objective"]["expression"]  # which is refused when it is read


@pytest.mark.parametrize(
    ("initial", "expected"),
    [
        (0.5, 0.5),
        ([-1.2, 1], [-1.2, 1]),
        (np.array([1, 2.5]), [1, 2.5]),
        (jnp.arange(2), [0, 1]),
        ([np.float32(0.5), np.int64(2)], [0.5, 2]),
        (np.array([1 + 2j, -1j]), ["1+2j", "-0-1j"]),
        ("2*pi", "2*pi"),
        ({"u": (1, 2), "v": "1/3"}, None),
    ],
)
def test_starts_as_they_are(initial: Any, expected: Any) -> None:
    """Plain data in the document; alone, that of the function's first argument."""
    found = composed(MINIMISE, objective=lambda u: u, initial=initial)["objective"]["initial"]
    assert found == ({"u": expected} if expected is not None else {"u": [1, 2], "v": "1/3"})


def test_without_a_function_they_go_over_what_is_there() -> None:
    found = composed(MINIMISE, initial={"x": 0.5}, parameters={"b": np.float64(10)})["objective"]
    assert found["initial"] == {"x": 0.5, "y": 1}
    assert found["parameters"] == {"a": 1, "b": 10}
    found = composed("experiment=orbit", "map=henon", initial={"x": 0.5})["map"]
    assert found["initial"] == {"x": 0.5, "y": 0.1}


def test_mistakes_of_what_was_handed_over() -> None:
    """With those of the overrides."""
    form = 'expected the start of each component, such as {"x": [-1.2, 1.0]}.'
    assert told(MINIMISE, "seed=-1", initial=0.5) == [
        f"initial = 0.5: {form}",
        "seed = -1: expected an integer >= 0 and <= 4294967295.",
    ]
    assert told(MINIMISE, objective=lambda: 1, initial=0.5) == [f"initial = 0.5: {form}"]
    assert told(MINIMISE, objective=valley, parameters=[1]) == [
        'parameters = [1]: expected the value of each parameter, such as {"a": 1.4}.'
    ]
    assert told(MINIMISE, "objective.initial.x=1", objective=valley, initial={"x": 0.5}) == [
        "initial: an override gives objective.initial too; drop one of them."
    ]
    assert told(MINIMISE, "solver=newtn", map=valley, residuals=misses)[1:] == [
        "map=valley and residuals=misses: expected one Python function."
    ]
    assert told(MINIMISE, "+fly=1", objective=3, initial=0.5)[1:] == [
        "objective = 3: expected a Python function, such as def f(x, a): return (x - a)**2."
    ]
