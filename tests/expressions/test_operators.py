"""The operators on arrays: precedence, powers, derivatives, sizes, indices."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.errors import ExpressionError
from pipeline.expressions import compile

# Products in another order differ by a unit in the last place for each of them.
ROUNDING = 4e-15

X = np.array([0.3, -0.7, 0.2])
A = np.array([[1.0, 2.0, -1.0], [0.5, -3.0, 4.0]])
Z = np.array([0.3 + 0.4j, -0.7 - 0.1j])
VALUES = {"x": X, "A": A, "z": Z, "u": np.array(0.4), "k": np.array(3), "size": 3, "n": 7}

ARRAYS = {
    "1 - 2 - 3 * u": 1 - 2 - 3 * 0.4,
    "1 / 2 / u": 1 / 2 / 0.4,
    "2 ** u ** 2": 2 ** (0.4 * 0.4),
    "-u ** 2": -(0.4 * 0.4),
    "u ** -2": 1 / (0.4 * 0.4),
    "2 ** -u": 2**-0.4,
    "2 ** k": 8.0,
    "k ** -1": 1 / 3,
    "k ** 2": 9,
    "k / 2": 1.5,
    "k // 2": 1,
    "k * 2**40": 3 * 2**40,
    "x ** 0": np.ones(3),
    "x ** 1": X,
    "(2 + x) ** 0.5": np.sqrt(2 + X),
    "(2 + x) ** 2.5": (2 + X) ** 2.5,
    "(2 + x) ** u": (2 + X) ** 0.4,
    "(1 + x/100) ** (size * 1000)": (1 + X / 100) ** 3000.0,
    "u ** (1 > 0)": 0.4,
    "z ** 2": Z * Z,
    "z ** 0.5": np.sqrt(Z),
    "x // u": X // 0.4,
    "x % u": X % 0.4,
    "-x % 1": -X % 1,
    "+x": X,
    "--x": X,
    "A @ x": A @ X,
    "x @ x": X @ X,
    "A @ x @ [1, 2]": (A @ X) @ np.array([1, 2]),
    "2 - (x - 1) @ eye(3) @ (x - 1)": 2 - (X - 1) @ (X - 1),
    "0 < x < 0.25": np.array([False, False, True]),
    "x < 0.25 > u": np.array([False, False, False]),
    "1 < 2 < x + 2": X > 0,
    "x == 0.2": X == 0.2,
    "x != 0.2": X != 0.2,
    "z == z": np.array([True, True]),
    "x <= -0.7 or x >= 0.3": np.array([True, True, False]),
    "x > 0 and x < 0.25 and u": np.array([False, False, True]),
    "not x > 0": ~(X > 0),
    "not x": np.array([False, False, False]),
    "not not u and 1": np.array(True),
    "(x > 0) * x + (x <= 0)": np.where(X > 0, X, 1.0),
    "(x > 0) + (x > 0.25)": np.array([2.0, 0.0, 1.0]),
    "-(x > 0)": np.array([-1.0, 0.0, -1.0]),
    "(x > 0) ** 2": np.array([1.0, 0.0, 1.0]),
    "sin(x > 0)": np.sin([1.0, 0.0, 1.0]),
    "[x > 0, x]": np.stack([[1.0, 0.0, 1.0], X]),
    "(x > 0) > (x > 0.25)": np.array([False, False, True]),
    "x[0]": 0.3,
    "x[-1]": 0.2,
    "x[1:]": X[1:],
    "x[::2]": X[::2],
    "x[::-1]": X[::-1],
    "x[:size - 1]": X[:2],
    "x[size - 1]": 0.2,
    "x[(2 > 1)]": -0.7,
    "x[-100:100]": X,
    "x[5:]": np.zeros(0),
    "A[0, 1]": 2.0,
    "A[1]": A[1],
    "A[:, 1]": A[:, 1],
    "A[0][1:]": A[0][1:],
    "A[1, ::-1]": A[1, ::-1],
    "[x[1], x[0]]": X[[1, 0]],
    "[[0, 1], [1, 0]] @ x[:2]": X[[1, 0]],
    "where(n % 2 == 0, x, -x)": -X,
    "where(x > 0, 1, 0)": np.array([1, 0, 1]),
    "where(1, x, 0)": X,
    "where(0, 1, x)": X,
    "where(1, 2, x)": np.full(3, 2.0),
    "roll(x, 1) - 2*x + roll(x, -1)": np.roll(X, 1) - 2 * X + np.roll(X, -1),
    "1j * z": 1j * Z,
    "[1, 1j] * z": np.array([1, 1j]) * Z,
    "real(z * conj(z))": np.abs(Z) ** 2,
    "e ** (1j * pi * u)": np.exp(1j * np.pi * 0.4),
    "3": 3,
    "1 > 0": True,
}


@pytest.fixture(params=["numpy", "jax"])
def xp(request):
    """Both libraries, in double precision."""
    with jax.enable_x64(True):
        yield np if request.param == "numpy" else jnp


@pytest.mark.parametrize("text", ARRAYS)
def test_array_values(text, xp):
    result = compile(text, VALUES)(VALUES, xp)
    assert isinstance(result, np.ndarray if xp is np else jax.Array)
    assert result.shape == np.shape(ARRAYS[text])
    assert (result.dtype == bool) == (np.asarray(ARRAYS[text]).dtype == bool)
    np.testing.assert_allclose(result, ARRAYS[text], rtol=ROUNDING, atol=ROUNDING)


REFUSED = [
    ("x |+ [1, 2]", "these sizes do not fit: 3 and 2"),
    ("x |< [1, 2]", "these sizes do not fit: 3 and 2"),
    ("x |and [1, 2]", "these sizes do not fit: 3 and 2"),
    ("|where(x, A, [1, 2])", "these sizes do not fit: 3 and 2x3 and 2"),
    ("x |@ A", "these sizes do not fit: 3 @ 2x3"),
    ("u |@ x", "numbers are multiplied by *"),
    ("2 |@ x", "numbers are multiplied by *"),
    ("z |// 2", "// has no meaning for complex numbers"),
    ("2 |% z", "% has no meaning for complex numbers"),
    ("z |< 1", "complex numbers have no order; compare abs(z) or real(z)"),
    ("x ** |1025", "an integer exponent is at most 1024; write 1025.0"),
    ("x ** |-1025", "an integer exponent is at most 1024; write -1025.0"),
    ("x|[3]", "index 3 is beyond the end: there are 3 entries, 0 to 2"),
    ("x|[-4]", "index -4 is beyond the end"),
    ("zeros(0)|[0]", "index 0 is beyond the end: there are no entries"),
    ("x|[0, 0]", "2 indices for an array of 1 dimensions"),
    ("u|[0]", "this is a single number and has no entries"),
    ("n|[0]", "this is a single number and has no entries"),
    ("x[|0.5]", "0.5 is not a whole number known beforehand"),
    ("x[|u]", "this is not a whole number known beforehand"),
    ("x[|k]", "this is not a whole number known beforehand"),
    ("x[::|0]", "the step of a slice cannot be 0"),
    ("x[|0.5:]", "0.5 is not a whole number"),
]


@pytest.mark.parametrize(("marked", "reason"), REFUSED)
def test_refused(marked, reason, xp):
    with pytest.raises(ExpressionError, match=re.escape(reason)) as caught:
        compile(marked.replace("|", ""), VALUES)(VALUES, xp)
    assert caught.value.offset == marked.index("|")


@pytest.mark.parametrize(
    "text",
    [
        "ones((10**7, 1)) * ones((1, 11))",
        "ones((10**4, 1)) @ ones((1, 10**4 + 1))",
        "ones((10**4 + 1, 1)) == ones((1, 10**4))",
        "ones((10**4 + 1, 1)) and ones((1, 10**4))",
        "maximum(ones((10**4 + 1, 1)), ones((1, 10**4)))",
        "where(u > 0, ones((10**4 + 1, 1)), ones((1, 10**4)))",
        "[" + ", ".join(["ones(10**7)"] * 11) + "]",
        "".join("ones(10**7) + (" for _ in range(11)) + "1" + ")" * 11,
        "sum(zeros((0, 1, 10**5)) + zeros((1, 10**5, 1)), axis=0)",
    ],
)
def test_no_formula_makes_an_array_beyond_the_limit(text):
    f = compile(text, VALUES)
    for evaluate in (lambda: jax.eval_shape(lambda: f(VALUES)), lambda: f(VALUES, np)):
        with pytest.raises(ExpressionError, match="elements is too large"):
            evaluate()


def test_quantities_do_not_count_towards_the_limit():
    """Deep formulas of one long vector keep a reference to it, not copies."""
    x = jax.ShapeDtypeStruct((2 * 10**7,), jnp.float32)
    text = "x + (" * 90 + "x" + ")" * 90
    assert jax.eval_shape(lambda x: compile(text, ["x"])({"x": x}), x).shape == (2 * 10**7,)


@pytest.mark.parametrize("k", [-7, -2, -1, 0, 1, 2, 3, 5, 8, 13])
def test_integer_powers_are_products(k):
    f = compile(f"x**{k}", ["x"])
    jaxpr = jax.make_jaxpr(lambda x: f({"x": x}))(2.0)
    assert {eqn.primitive.name for eqn in jaxpr.eqns} <= {"mul", "div", "broadcast_in_dim"}
    with jax.enable_x64(True):
        for x in (-3.0, 0.5, 2.0):
            value, slope = jax.value_and_grad(lambda x: f({"x": x}))(x)
            assert float(value) == pytest.approx(x**k, rel=ROUNDING)
            assert float(slope) == pytest.approx(k * x ** (k - 1), rel=ROUNDING)


def test_powers_are_exact_where_products_are():
    """7**17 has 48 bits; the derivative of x**17 at -7 is 17 * 7**16."""
    with jax.enable_x64(True):
        f = compile("x**17", ["x"])
        assert float(f({"x": jnp.array(-7.0)})) == -(7**17)
        assert float(jax.grad(lambda x: f({"x": x}))(-7.0)) == 17 * 7**16
        assert float(f({"x": np.array(-7.0)}, np)) == -(7**17)


def test_derivatives_of_powers_at_zero():
    for text, slope in (("x**2", 0.0), ("x**1", 1.0), ("x**0", 0.0), ("x**3", 0.0)):
        f = compile(text, ["x"])
        assert float(jax.grad(lambda x, f=f: f({"x": x}))(0.0)) == slope


def test_jacobian_of_a_vector_formula():
    f = compile("[1 - a*x[0]**2 + x[1], b*x[0]]", ["x", "a", "b"])
    jacobian = jax.jacfwd(lambda x: f({"x": x, "a": 1.4, "b": 0.3}))(jnp.array([0.5, 0.1]))
    np.testing.assert_allclose(jacobian, [[-1.4, 1.0], [0.3, 0.0]], rtol=1e-6)


def test_jit_vmap_jvp_agree():
    f = compile("where(x > 0.5, a*x*(1 - x), x % 0.2) + size", ["x", "a", "size"])

    def g(x):
        return f({"x": x, "a": 3.5, "size": 2})

    x = jnp.linspace(0.0, 1.0, 7)
    np.testing.assert_allclose(jax.jit(g)(x), g(x), rtol=1e-6)
    np.testing.assert_array_equal(jax.vmap(g)(x), g(x))
    _, slopes = jax.jvp(g, (x,), (jnp.ones(7),))
    np.testing.assert_allclose(slopes, jnp.where(x > 0.5, 3.5 - 7 * x, 1.0), rtol=1e-5)


def test_precision_follows_the_quantities():
    text = (
        "[1, 0.5, u]*ones(3) + linspace(0, 1, 3) + (u != 0) + arange(3) + 2*u + roll([1, 2, 3], 1)"
    )
    f = compile(text, ["u"])
    for xp in (np, jnp):
        with jax.enable_x64(True):
            assert f({"u": xp.asarray(0.5, dtype="float32")}, xp).dtype == "float32"
            assert f({"u": xp.asarray(0.5, dtype="float64")}, xp).dtype == "float64"
            assert f({"u": xp.asarray(1, dtype="int32")}, xp).dtype == "float64"
            assert f({"u": xp.asarray(0.5, dtype="complex64")}, xp).dtype == "complex64"
    assert f({"u": jnp.asarray(0.5)}).dtype == "float32"


def test_numpy_evaluates_without_warnings():
    for text in ("1/(u - 0.4)", "log(-x)", "sqrt(x)", "exp(1e4*x)", "(x - 0.3)/(x - 0.3)", "x % 0"):
        compile(text, VALUES)(VALUES, np)


def test_integer_arrays_may_have_negative_exponents():
    f = compile("k**m", ["k", "m"])
    with jax.enable_x64(True):
        for xp in (np, jnp):
            assert float(f({"k": xp.asarray(-2), "m": xp.asarray(-3)}, xp)) == -0.125


def test_the_library_s_own_refusal_is_placed():
    with pytest.raises(ExpressionError, match="1000 out of bounds for int8") as caught:
        compile("2 * (k + 1000)", ["k"])({"k": np.int8(3) * np.ones(2, "int8")}, np)
    assert caught.value.offset == 7
