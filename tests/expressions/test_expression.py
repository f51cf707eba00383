"""Compiled formulas as values: names, equality, pickles, purity."""

import os
import pickle
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.errors import ExpressionError
from pipeline.expressions import RESERVED, Expression, compile, constant


def test_names_are_those_used():
    f = compile("a*x*(1 - x) + 0*pi", ["a", "x", "y"])
    assert isinstance(f, Expression)
    assert f.text == "a*x*(1 - x) + 0*pi"
    assert f.names == {"a", "x"}
    every = "where(a < b, [c, -d][0], sum(e1[f1:g], axis=h)) and not k"
    used = ["a", "b", "c", "d", "e1", "f1", "g", "h", "k"]
    assert compile(every, used).names == set(used)


def test_equal_text_and_names_make_equal_expressions():
    f, g = compile("x + 1", ["x"]), compile("x + 1", ["x", "y"])
    assert f == g
    assert hash(f) == hash(g)
    assert f != compile("x + 2", ["x"])
    assert len({f, g, compile("x+1", ["x"])}) == 2


def test_expressions_are_frozen():
    with pytest.raises(AttributeError):
        compile("x", ["x"]).text = "y"  # pyright: ignore[reportAttributeAccessIssue]


def test_pickle_keeps_the_function():
    f = compile("a*x*(1 - x)", ["a", "x", "y"])
    g = pickle.loads(pickle.dumps(f))
    assert g == f
    assert float(g({"a": 4.0, "x": 0.25})) == 0.75


def test_expressions_are_static_arguments_of_jit():
    step = jax.jit(lambda f, x: f({"x": x}), static_argnums=0)
    assert float(step(compile("2*x", ["x"]), 3.0)) == 6.0


def test_same_values_give_the_same_result():
    f = compile("sin(x)**3 + cumsum([x, 2*x, e])[2]", ["x"])
    x = np.array(0.3)
    values = {"x": x}
    first = f(values, np)
    assert f(values, np) == first
    assert values == {"x": x}
    assert x == 0.3


def test_arguments_are_not_written_to():
    x = np.arange(3.0)
    result = compile("x", ["x"])({"x": x}, np)
    roll = compile("roll(x, 1)", ["x"])({"x": x}, np)
    assert roll is not x
    assert (result == np.arange(3.0)).all()
    assert (x == np.arange(3.0)).all()


def test_values_may_be_numbers_lists_and_arrays_of_either_library():
    f = compile("x[0] + a", ["x", "a"])
    for x in ([3, 7], (3.0, 7.0), np.array([3, 7]), jnp.array([3, 7])):
        for a in (1, 1.0, True, np.float64(1), np.int32(1), jnp.array(1)):
            for xp in (np, jnp):
                assert float(f({"x": x, "a": a, "unused": None}, xp)) == 4.0


def test_integers_of_numpy_are_known_beforehand():
    assert compile("zeros(size)", ["size"])({"size": np.int64(3)}).shape == (3,)


@pytest.mark.parametrize("value", [None, "1", {}, np.array(["a"]), [[1], [1, 2]], object()])
@pytest.mark.parametrize("xp", [np, jnp])
def test_other_values_are_refused(value, xp):
    f = compile("1 + x", ["x"])
    with pytest.raises(ExpressionError, match="x is neither a number nor an array") as caught:
        f({"x": value}, xp)
    assert caught.value.offset == 4


def test_missing_values_are_refused():
    with pytest.raises(ExpressionError, match="no value is given for x") as caught:
        compile("1 + x", ["x"])({})
    assert caught.value.offset == 4


def test_values_beyond_integers_of_53_bits_become_floats():
    assert float(compile("x + 1", ["x"])({"x": 10**30}, np)) == 1e30
    with pytest.raises(ExpressionError, match="this number is too large"):
        compile("x + 1", ["x"])({"x": 10**400}, np)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_are_refused(name):
    with pytest.raises(ExpressionError, match="is a function, constant or word already"):
        compile("1", [name])


@pytest.mark.parametrize("name", ["", "2x", "x y", "x.y", "\u03b8", "x-y"])
def test_names_are_ascii_identifiers(name):
    with pytest.raises(ExpressionError, match="a name is made of the letters"):
        compile("1", [name])


def test_constant_of_a_condition_is_an_integer():
    assert constant("2 > 1") is not True
    assert constant("2 > 1") == 1


def test_large_integers_fit_single_precision():
    """JAX without double precision has no integers of more than 32 bits."""
    for text in ("2**40", "size*2**20", "x + 2**40", "x*0 + size*2**20"):
        f = compile(text, ["size", "x"])
        assert float(f({"size": 2**20, "x": jnp.float32(0)})) == 2.0**40


def test_a_chain_of_a_thousand_terms():
    f = compile("+".join(["x"] * 1001), ["x"])
    assert float(f({"x": 1.0})) == 1001.0
    assert pickle.loads(pickle.dumps(f)) == f


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("sin(", ")"), ("(1 + ", ")"), ("where(x > 0, ", ", x)"), ("-(", ")"), ("maximum(x, ", ")")],
)
def test_deep_formulas_trace(opening, closing):
    f = compile(opening * 95 + "x" + closing * 95, ["x"])
    jax.jit(jax.vmap(jax.grad(lambda x: f({"x": x}))))(jnp.ones(2)).block_until_ready()
    assert f.mathtext()


def test_importing_imports_neither_jax_nor_numpy():
    """Results open on machines without JAX, and formulas are checked without waiting for it."""
    code = (
        "import sys, pipeline.expressions as e; f = e.compile('sin(x)', ['x']); f.mathtext();"
        "e.constant('sqrt(2)'); print(sorted({'jax', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.stdout.strip() == "[]"
