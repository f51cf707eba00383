"""States: real vectors and back, starts, definitions."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.expressions import compile
from pipeline.state import Component, define, fit, flatten, size, start, unflatten

COMPONENTS = {
    "x": Component(),
    "z": Component(complex=True),
    "v": Component((3,)),
    "w": Component((2,), complex=True),
}


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def test_the_order_of_a_flattened_state() -> None:
    """Components in order; complex ones as real, then imaginary parts."""
    state = {
        "x": jnp.array(1.0),
        "z": jnp.array(2 + 3j),
        "v": jnp.array([4.0, 5, 6]),
        "w": jnp.array([7 + 9j, 8 + 10j]),
    }
    vector = flatten(state)
    assert vector.tolist() == list(range(1, 11))
    assert vector.dtype == np.float64
    assert sum(c.reals for c in COMPONENTS.values()) == 10


# XLA takes subnormal numbers for 0.
reals = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)


@settings(max_examples=25)
@given(st.lists(reals, min_size=10, max_size=10))
def test_unflatten_undoes_flatten(values: list[float]) -> None:
    """Every number, its type and shape."""
    vector = jnp.array(values)
    state = unflatten(vector, COMPONENTS)
    assert {k: (v.shape, jnp.iscomplexobj(v)) for k, v in state.items()} == {
        k: (c.shape, c.complex) for k, c in COMPONENTS.items()
    }
    assert flatten(state).tolist() == values


def test_the_size_of_the_vectors() -> None:
    """Where they agree."""
    assert size(COMPONENTS) is None
    assert size({"x": Component(), "v": Component((3,))}) == 3
    assert size({"x": Component()}) is None
    assert size({"u": Component((3,)), "v": Component((3,))}) == 3


def test_definitions_may_use_those_before_them() -> None:
    values = {"x": jnp.array(2.0)}
    defined = define({"s": compile("x**2", ["x"]), "t": compile("s + x", ["s", "x"])}, values)
    assert {name: float(value) for name, value in defined.items()} == {"x": 2, "s": 4, "t": 6}
    assert values.keys() == {"x"}


def test_a_start_of_numbers_and_formulas() -> None:
    """In the precision's types; numbers fill vectors; the parameters are there."""
    initial = {
        "x": compile("r*cos(th)", ["r", "th"]),
        "z": compile("r*exp(1j*th)", ["r", "th"]),
        "v": np.array([1, 2, 3]),
        "w": 0.5,
    }
    values = {"r": jnp.float32(2), "th": jnp.float32(0)}
    for dtype, other in ((np.float32, np.complex64), (np.float64, np.complex128)):
        x0 = start(initial, COMPONENTS, values, dtype)
        assert list(x0) == list(COMPONENTS)
        assert {name: x0[name].dtype for name in x0} == {
            "x": dtype,
            "z": other,
            "v": dtype,
            "w": other,
        }
        assert x0["x"] == 2
        assert x0["z"] == 2 + 0j
        assert x0["v"].tolist() == [1, 2, 3]
        assert x0["w"].tolist() == [0.5, 0.5]


def test_a_formulas_value_fits_its_component() -> None:
    like = jnp.zeros(3, np.float32)
    value = fit(jnp.float64(1.5), like, jnp)
    assert value.tolist() == [1.5] * 3
    assert value.dtype == np.float32
