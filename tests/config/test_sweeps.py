"""What axes sweep."""

from __future__ import annotations

import numpy as np
import pytest

from tests.config.cases import LOGISTIC, QUADRATIC, VECTOR, mistakes, read

ONE = {"values": [1]}


@pytest.mark.parametrize(
    ("document", "name", "node", "target", "index", "part"),
    [
        (LOGISTIC, "a", ONE, "parameter", (), ""),
        (LOGISTIC, "x0", ONE, "initial", (), ""),
        (LOGISTIC, "p", {"of": "a", **ONE}, "parameter", (), ""),
        (LOGISTIC, "x0", {"of": ["x0"], **ONE}, "initial", (), ""),
        (QUADRATIC, "c_re", ONE, "parameter", (), "re"),
        (QUADRATIC, "z0_im", ONE, "initial", (), "im"),
        (VECTOR, "c_0", ONE, "parameter", (0,), ""),
        (VECTOR, "A_0_1", ONE, "parameter", (0, 1), ""),
        (VECTOR, "x0_1", ONE, "initial", (1,), ""),
        (VECTOR, "step", {"of": "solver.step", **ONE}, "setting", (), ""),
    ],
)
def test_quantities(document, name, node, target, index, part):
    (axis,) = read(document, grid={name: node}).grid
    (quantity,) = axis.quantities
    assert axis.name == name
    assert (quantity.target, quantity.index, quantity.part) == (target, index, part)
    assert axis.starts == (target == "initial")


def test_mixed_pairs_are_parameter_axes():
    (axis,) = read(LOGISTIC, grid={"p": {"of": ["a", "x0"], "values": [[3, 0.5]]}}).grid
    assert [q.name for q in axis.quantities] == ["a", "x0"]
    assert not axis.starts


def test_the_order_of_the_document():
    assert [axis.name for axis in read(LOGISTIC, grid={"x0": ONE, "a": ONE}).grid] == ["x0", "a"]
    assert [axis.name for axis in read(LOGISTIC, grid={"a": ONE, "x0": ONE}).grid] == ["a", "x0"]
    assert read(LOGISTIC, grid=None).grid == ()


@pytest.mark.parametrize(
    ("document", "grid", "message"),
    [
        (LOGISTIC, [1], "grid = [1]: expected axes by name, such as {a: {start: 0, stop: 1, num"),
        (LOGISTIC, {"a": None}, "grid.a = null: expected an axis; drop one with '~grid.a'."),
        (
            LOGISTIC,
            {"a": 5},
            "grid.a = 5: expected an axis, such as {start: 0, stop: 1, num: 101}.",
        ),
        (LOGISTIC, {"b": ONE}, "grid.b: no quantity has the name b (known: a, x0)."),
        (LOGISTIC, {"x": ONE}, 'grid.x: no quantity has the name x; did you mean "x0"?'),
        (
            LOGISTIC,
            {"q": {"of": "b", **ONE}},
            "grid.q.of: no quantity has the name b (known: a, x0).",
        ),
        (
            LOGISTIC,
            {"q": {"of": [], **ONE}},
            "grid.q.of = []: expected the name of a quantity, or a",
        ),
        (LOGISTIC, {"q": {"of": 5, **ONE}}, "grid.q.of = 5: expected the name of a quantity, or a"),
        (LOGISTIC, {"q": {"of": None, **ONE}}, "grid.q.of = null: expected the name of a quantity"),
        (
            LOGISTIC,
            {"q": {"of": ["a", {}], **ONE}},
            "grid.q.of = {}: expected the name of a quantity",
        ),
        (LOGISTIC, {"a": ONE, "b": {"of": "a", **ONE}}, "grid.b: a is swept by grid.a already."),
        (
            LOGISTIC,
            {"b": {"of": ["x0", "x0"], "values": [[1, 2]]}},
            "grid.b: x0 is there twice.",
        ),
        (QUADRATIC, {"c": ONE}, "grid.c: c is not one real number; sweep c_re, c_im."),
        (QUADRATIC, {"z0": ONE}, "grid.z0: z0 is not one real number; sweep z0_re, z0_im."),
        (VECTOR, {"A": ONE}, "grid.A: A is not one real number; sweep A_0_0, A_0_1, A_1_0, ..."),
        (VECTOR, {"A_0": ONE}, "grid.A_0: A_0 is not one real number; sweep A_0_0, A_0_1."),
        (VECTOR, {"A_2_0": ONE}, "A has no entry A_2_0; its first are A_0_0, A_0_1"),
        (VECTOR, {"A_00_1": ONE}, "A has no entry A_00_1; its first are A_0_0"),
        (
            VECTOR,
            {"step": ONE},
            "grid.step: a setting is swept by grid.step={of: solver.step, ...}.",
        ),
        (VECTOR, {"solver": ONE}, "a setting is swept by an axis such as grid.s={of: solver.step"),
        (
            VECTOR,
            {"s": {"of": "solver.linear_solver", **ONE}},
            "no quantity has the name solver.linear_solver",
        ),
        (
            VECTOR,
            {"s": {"of": "solver.step", "values": [1, 0]}},
            "grid.s: solver.step takes a finite number > 0",
        ),
    ],
)
def test_mistakes(document, grid, message):
    found = mistakes(document, grid=grid)
    assert len(found) == 1
    assert message in found[0]


def test_settings_that_are_integers():
    axis = {"of": "solver.inner_limit", "values": [1, 2.5]}
    (found,) = mistakes(VECTOR, solver={"name": "newton_cg"}, grid={"s": axis})
    assert "solver.inner_limit takes an integer >= 1" in found
    assert found.endswith("one value is 2.5.")


def test_too_many_cells():
    axis = {"start": 0, "stop": 1, "num": 10**7}
    assert mistakes(LOGISTIC, grid={"a": axis, "x0": axis}) == [
        "grid: expected at most 2**40 cells; there are 10000000 x 10000000."
    ]


def test_a_start_that_would_be_hidden():
    found = mistakes(
        QUADRATIC,
        map__initial={"z": "r*exp(1j*th)"},
        grid={"r": ONE, "th": ONE, "z0_re": ONE},
    )
    assert found == [
        "grid.z0_re: the start of z is a formula of r, th; sweep either z0_re or these."
    ]


def test_a_start_in_place_of_its_formula():
    """Of parameters alone, the formula is only the default."""
    (axis,) = read(LOGISTIC, map__initial={"x": "a/4"}, grid={"x0": {"values": [0.1, 0.2]}}).grid
    np.testing.assert_array_equal(axis.values[:, 0], [0.1, 0.2])


def test_form_and_name_are_told_together():
    assert mistakes(LOGISTIC, grid={"b": {"start": 0, "stop": 1}}) == [
        "grid.b: no quantity has the name b (known: a, x0).",
        'grid.b = {"start": 0, "stop": 1}: expected {start, stop, num} or {start, stop, step}.',
    ]


def test_an_entry_beyond_the_vector():
    (found,) = mistakes(VECTOR, grid={"x0_99": {"values": [0.1]}})
    assert found.startswith("grid.x0_99: x0 has no entry x0_99; its first are x0_0, x0_1")
