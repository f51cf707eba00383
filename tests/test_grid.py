"""Axes, their quantities and the cells of their product."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline import grid
from pipeline.grid import Axis, Quantity
from pipeline.state import Component

PARAMETERS = {
    "a": np.array(1.0),
    "c": np.array([1.0, 2.0]),
    "A": np.zeros((2, 3)),
    "w": np.array(1j),
    "W": np.zeros((2, 2), complex),
    "big": np.broadcast_to(0.0, (10**6, 10**6)),
}
COMPONENTS = {
    "x": Component(),
    "v": Component((3,)),
    "z": Component((), complex=True),
    "u": Component((2,), complex=True),
}


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("a", Quantity("a", "parameter", "a")),
        ("c_1", Quantity("c_1", "parameter", "c", (1,))),
        ("A_1_2", Quantity("A_1_2", "parameter", "A", (1, 2))),
        ("w_re", Quantity("w_re", "parameter", "w", (), "re")),
        ("W_1_0_im", Quantity("W_1_0_im", "parameter", "W", (1, 0), "im")),
        ("big_999999_0", Quantity("big_999999_0", "parameter", "big", (999999, 0))),
        ("x0", Quantity("x0", "initial", "x")),
        ("v0_2", Quantity("v0_2", "initial", "v", (2,))),
        ("z0_im", Quantity("z0_im", "initial", "z", (), "im")),
        ("u0_0_re", Quantity("u0_0_re", "initial", "u", (0,), "re")),
        *(
            (name, None)
            for name in ("b", "c", "c_2", "c_01", "c_-1", "A_1", "A_1_2_0", "w", "a_re", "x")
        ),
        *(
            (name, None)
            for name in ("v0", "v0_3", "z0", "u0_0", "x0_0", "", "c_", "c_1 ", "c_\u0661", "c_1\n")
        ),
    ],
)
def test_find(name, quantity):
    assert grid.find(name, PARAMETERS, COMPONENTS) == quantity


def test_entries_are_what_find_finds():
    for key, value in itertools.islice(PARAMETERS.items(), 5):
        listed = list(grid.entries("parameter", key, value.shape, np.iscomplexobj(value)))
        assert len(listed) == value.size * (1 + np.iscomplexobj(value))
        assert [grid.find(q.name, PARAMETERS, COMPONENTS) for q in listed] == listed
    for key, c in COMPONENTS.items():
        listed = list(grid.entries("initial", key, c.shape, c.complex))
        assert len(listed) == c.reals
        assert [grid.find(q.name, PARAMETERS, COMPONENTS) for q in listed] == listed


def test_start_axes():
    start, free = Quantity("x0", "initial", "x"), Quantity("r", "free", "r")
    parameter, setting = Quantity("a", "parameter", "a"), Quantity("solver.step", "setting", "step")
    assert Axis("p", (start, free), np.zeros((1, 2))).starts
    for other in (parameter, setting):
        assert not Axis("p", (start, other), np.zeros((1, 2))).starts


A = Axis("a", (Quantity("a", "parameter", "a"),), np.array([[1.0], [2.0], [3.0]]))
P = Axis(
    "p",
    (Quantity("x0", "initial", "x"), Quantity("c_0", "parameter", "c", (0,))),
    np.array([[10.0, 100.0], [20.0, 200.0]]),
)


def test_no_axes():
    assert (grid.shape(()), grid.cells(()), grid.columns((), np.arange(1))) == ((), 1, {})


def test_columns_are_in_the_order_of_the_product():
    """The last axis varies fastest, as in a NumPy array of the grid's shape."""
    both = (A, P)
    assert (grid.shape(both), grid.cells(both)) == ((3, 2), 6)
    columns = grid.columns(both, np.arange(6))
    expected = list(itertools.product(A.values.tolist(), P.values.tolist()))
    for cell, ((a,), (x0, c_0)) in enumerate(expected):
        assert (columns["a"][cell], columns["x0"][cell], columns["c_0"][cell]) == (a, x0, c_0)


@pytest.mark.parametrize(("first", "last"), [(0, 6), (0, 1), (2, 5), (5, 6), (3, 3)])
def test_columns_of_a_block(first, last):
    whole, block = grid.columns((A, P), np.arange(6)), grid.columns((A, P), np.arange(first, last))
    assert whole.keys() == block.keys()
    for name, values in block.items():
        np.testing.assert_array_equal(values, whole[name][first:last])


def test_columns_of_a_huge_grid():
    """Cells are numbered by 64 bits, and only those asked for are made."""
    axis = Axis("a", A.quantities, np.arange(10.0**6)[:, None])
    other = Axis("b", (Quantity("b", "parameter", "b"),), axis.values)
    columns = grid.columns((axis, other), np.array([10**12 - 1]))
    assert {name: values.tolist() for name, values in columns.items()} == {
        "a": [999999.0],
        "b": [999999.0],
    }


@pytest.mark.parametrize(
    ("array", "quantity", "expected"),
    [
        (1.0, Quantity("a", "parameter", "a"), 5.0),
        ([1.0, 2.0], Quantity("c_1", "parameter", "c", (1,)), [1, 5.0]),
        ([[1.0, 2.0]], Quantity("A_0_0", "parameter", "A", (0, 0)), [[5.0, 2.0]]),
        (1 + 2j, Quantity("w_re", "parameter", "w", (), "re"), 5 + 2j),
        (1 + 2j, Quantity("w_im", "parameter", "w", (), "im"), 1 + 5j),
        ([0j, 1 + 2j], Quantity("u_1_im", "parameter", "u", (1,), "im"), [0, 1 + 5j]),
    ],
)
def test_replace(array, quantity, expected):
    before = np.asarray(array)
    for found in (
        grid.replace(before, quantity, 5.0),
        jax.jit(lambda v: grid.replace(jnp.asarray(before), quantity, v))(5.0),
    ):
        np.testing.assert_array_equal(found, expected)
        assert jnp.iscomplexobj(found) == np.iscomplexobj(before)
    np.testing.assert_array_equal(before, np.asarray(array))
