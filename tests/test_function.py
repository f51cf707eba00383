"""A Python function that was handed over: what is kept of it, and how it is called."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import xarray

from pipeline import config, function
from pipeline.errors import FunctionError
from pipeline.function import Function
from pipeline.job import kernel
from pipeline.objectives import Objective
from tests.functions import HENON, henon, misses, scaled, valley
from tests.runs import compute, document, experiment, shipped


def test_what_is_kept_of_a_function() -> None:
    found = function.handed(henon)
    assert (found.call, found.name) == (henon, "henon")
    assert found.source.startswith("def henon(x: Any,")
    assert found.source.endswith('"y": b * x}\n')
    assert found.record == {
        "name": "henon",
        "place": "map",
        "program": "",
        "source": found.source,
    }


def test_an_inner_function_is_not_indented() -> None:
    assert function.handed(scaled(2)).source.startswith("def line(x: Any)")


@pytest.mark.parametrize(
    ("call", "name"),
    [(functools.partial(henon, a=1), "partial"), (max, "max"), (3, "int"), (np.sin, "sin")],
)
def test_a_source_that_is_not_to_be_had(call: object, name: str) -> None:
    found = function.handed(call)
    assert (found.name, found.source) == (name, function.UNKNOWN)


def test_a_source_is_filtered_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not be shown goes, what a terminal obeys too, and of a long one the end."""
    monkeypatch.setattr(function, "LONGEST", 40)
    found = function.handed(henon, lambda text: text.replace("henon", "\x1b\tsecret"))
    assert found.source.startswith("def ?")
    assert "secret(" in found.source
    assert "\n[cut: " in found.source


def test_it_gets_the_names_that_it_takes() -> None:
    found = Function(lambda **given: given, "f", "", takes=("x", "n"))
    assert found({"x": 1, "y": 2, "n": 3}) == {"x": 1, "n": 3}


def test_it_fails_with_one_sentence() -> None:
    found = Function(lambda: [].pop(), "f", "")
    with pytest.raises(FunctionError, match=r"^map=f: it raises IndexError: pop from empty"):
        found({})
    silent = Function(lambda: next(iter([])), "f", "")
    with pytest.raises(FunctionError, match=r"it raises StopIteration: without a word\.$"):
        silent({})


LATTICE = {"sample": "uniform", "low": 0, "high": 1, "size": 8}
STANDARD = {"start": 0.5, "stop": 1.5, "num": 3}


def coupled(x: Any, a: Any, epsilon: Any) -> Any:
    """Kaneko's lattice, as its formulas have it."""
    local = a * x - a * x**2
    return (1 - epsilon) * local + epsilon / 2 * (jnp.roll(local, 1) + jnp.roll(local, -1))


def kicked(theta: Any, p: Any, k: Any) -> dict[str, Any]:
    """The standard map."""
    kick = k * jnp.sin(theta)
    turn = 2 * jnp.pi
    return {"theta": jnp.mod(theta + p + kick, turn), "p": jnp.mod(p + kick, turn)}


# (map, function, sections): fewer steps than make another kernel of plain arithmetic.
FUNCTIONS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "parameters and starts": (
        "henon",
        henon,
        {"grid": {"a": [1.2, 1.4], "x0": [0.0, 0.1, 0.2]}, "length": 20},
    ),
    "exponents": (
        "henon",
        henon,
        {
            "analysis": {"lyapunov": {}, "final": {}},
            "length": 50,
            "device": {"precision": "single"},
        },
    ),
    "a vector": (
        shipped("map", "coupled_logistic", initial={"x": LATTICE}),
        coupled,
        {"grid": {"x0_3": [0.2, 0.4]}, "length": 100},
    ),
    "a complex state": (
        "quadratic_c",
        lambda z, c: z * z + c,
        {
            "grid": {"c_re": [-1.0, 0.3], "c_im": [0.0, 0.5]},
            "analysis": {"escape": {}},
            "length": 40,
        },
    ),
    "a circle": ("standard", kicked, {"grid": {"k": STANDARD}, "length": 100}),
    "the step number": (
        {"equations": {"x": "x/2 + n"}, "initial": {"x": 1}},
        lambda x, n: x / 2 + n,
        {"length": 10, "transient": 3},
    ),
    "fixed points": (
        "quadratic",
        lambda x, c, d: (x**2 + c) / d,
        {"solver": "newton", "grid": {"x0": [-3.0, 0.0, 6.0]}, "length": 30},
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gives_what_its_formulas_give(name: str) -> None:
    """The same operations in the same loop: every bit."""
    described, call, sections = FUNCTIONS[name]
    formulas = document(map=described, **sections)
    formulas["map"] = {**formulas["map"], "name": "g"}
    bare = {k: v for k, v in formulas["map"].items() if k not in ("equations", "definitions")}
    found = config.read({**formulas, "map": bare}, function.handed(call))
    xarray.testing.assert_equal(compute(found), compute(config.read(formulas)))


# The digits to which the values are known.
PRINTED = 1e-6
# Exact identities: some ten operations; Newton's second step multiplies their error by 300.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def newton() -> dict[str, xarray.Dataset]:
    """Newton's method on Rosenbrock's function, by its formula and by functions."""
    start = {"initial": {"x": -1.2, "y": 1}}
    sections = {"solver": "newton", "analysis": {"history": {}}, "length": 10}
    found = {"formula": compute(experiment(objective="rosenbrock", **sections))}
    for place, call in (("objective", valley), ("residuals", misses)):
        given = function.handed(call, place=place)
        read = config.read(document(objective=start, **sections), given)
        found[place] = compute(read)
    return found


@pytest.mark.parametrize("place", ["objective", "residuals"])
def test_an_objective_gives_what_its_formula_gives(
    newton: dict[str, xarray.Dataset], place: str
) -> None:
    values = newton[place]["objective_value"].values
    assert values[:5] == pytest.approx(
        [24.2, 4.731884, 1411.845, 0.0559655, 0.3131891], rel=PRINTED
    )
    assert values[5] == pytest.approx(1.85e-11, rel=0.01)
    expected = newton["formula"]
    assert values[:5] == pytest.approx(expected["objective_value"].values[:5], rel=ROUNDING)
    for name in ("x_final", "y_final", "steps", "critical_kind"):
        assert newton[place][name] == pytest.approx(expected[name].item(), rel=ROUNDING)


def test_residuals_of_a_function() -> None:
    """The vector that a solver of least squares asks for; a function of f has none."""
    objective = {"initial": {"x": -1.2, "y": 1}}
    sections = document(objective=objective, solver="newton")
    point = {"x": -1.2, "y": 1.0}
    found = config.read(sections, function.handed(misses, place="residuals")).problem
    assert isinstance(found, Objective)
    assert found.squares
    assert found.residual_vector(point, {}, np) == pytest.approx([-4.4, 2.2])
    assert found.value(point, {}, np) == pytest.approx(24.2)
    whole = config.read(sections, function.handed(valley, place="objective")).problem
    assert isinstance(whole, Objective)
    assert not whole.squares
    with pytest.raises(ValueError, match="valley is no sum of squares and has no residuals"):
        whole.residual_vector(point, {}, np)


def test_a_function_costs_as_much_as_a_sine() -> None:
    """Nothing is known of it; the kernel is that of a formula with one."""
    found = config.read(document(map=HENON, length=1000), function.handed(henon))
    assert found.problem.costly
    assert kernel.choose(found, "cpu").unroll == 1
    assert not experiment(map="henon").problem.costly
    assert kernel.choose(experiment(map="henon", length=1000), "cpu").unroll > 1
