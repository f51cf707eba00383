"""Mistakes that a reader of the text finds, each with its caret."""

import re

import pytest

from pipeline.errors import ExpressionError
from pipeline.expressions import compile
from pipeline.expressions.source import read

NAMES = ("x", "y", "a")

# The caret's place is marked in the formula by a vertical bar.
MISTAKES = [
    ("|", "the formula is empty"),
    ("|  ", "the formula is empty"),
    ("|# only a remark", "the formula is empty"),
    ("2|x", "an operator is missing before x; a product is written 2*x"),
    ("2|(x)", r"a product is written 2*(...)"),
    ("(x)|y", "a product is written (...)*y"),
    ("(x)|(y)", "a product is written (...)*(...)"),
    ("x[0]|(y)", "a product is written [...]*(...)"),
    ("x |y", "a product is written x*y"),
    ("x |3", "a product is written x*3"),
    ("2|[x]", "a product is written 2*[...]"),
    ("|0x10", "numbers are written in decimal"),
    ("|010", "a number has no leading zeros: 10"),
    ("x + |" + "1" * 101, "a number has at most 100 characters"),
    ("x|^2", "powers are written **, not ^"),
    ("x|.y", "a formula has no attributes (x.y)"),
    ("x |= 3", "a comparison is written =="),
    ("sin(2|=3)", "a comparison is written =="),
    ("x |:= 3", "name a part of it under definitions"),
    ("x |if y else a", "a choice is written where(condition, a, b)"),
    ("sum(x |for x in y)", "a formula has no loops"),
    ("x |in y", "a formula has no loops"),
    ("x |is y", "a comparison is written =="),
    ("|True", "write 1 for true"),
    ("|False", "write 0 for false"),
    ("|None", "never None"),
    ("|lambda: 1", "`lambda` is a word of Python's"),
    ("|import os", "`import` has no place in a formula"),
    ("x |&& y", "`and` joins conditions, not &&"),
    ("x |& y", "`and` joins conditions, not &"),
    ("x |<< 3", "there are no shifts"),
    ("x |>> 3", "there are no shifts"),
    ("x |=> 3", "a comparison is written >=, not =>"),
    ("x |=< 3", "a comparison is written <=, not =<"),
    ("x |<> 3", "unequal is written !="),
    ("x |-> 3", "-> has no place"),
    ("x[|...]", "an index is an integer or a slice"),
    ("|~x", "`not` reverses a condition"),
    ("|!x", "`not` reverses a condition"),
    ("|'a'", "no text, only numbers"),
    ('|"a"', "no text, only numbers"),
    ("|{x}", "braces have no place"),
    ("x|;y", "one expression, without ;"),
    ("x + |\\\ny", "may simply go on in the next line"),
    ("x |? y : a", "a choice is written where"),
    ("|$x", "$ has no place in a formula"),
    ("|\u03c0*x", "this constant is written pi"),
    ("x|\u00b2", "powers are written **2"),
    ("2|\u00d7x", "a product is written *"),
    ("1 |\u2212 x", "minus is written with the keyboard's -"),
    ("x|\u00a0+ y", "non-breaking space"),
    ("|\uff58", "(U+FF58) has no place in a formula"),
    ("x|\u0000", "(U+0000) has no place"),
    ("x|\ud800", "(U+D800) has no place"),
    ("|\ufeffx", "(U+FEFF) has no place"),
    ("|(x + y", "this ( is never closed"),
    ("x|[0", "this [ is never closed"),
    ("x|)", "nothing opens this )"),
    ("(x|]", "( is closed by ), not by ]"),
    ("[x|)", "[ is closed by ], not by )"),
    ("x|, y", "an array is written [a, b]"),
    ("x|: y", "a colon has its place only in a slice"),
    ("(x|: y)", "a colon has its place only in a slice"),
    ("[x|: y]", "a colon has its place only in a slice"),
    ("x +|", "the formula ends where a value should follow"),
    ("x *| ", "the formula ends where a value should follow"),
    ("x + |* y", "a value is missing before *"),
    ("|* x", "a value is missing before *"),
    ("|== x", "a value is missing before =="),
    ("(|)", "a value is missing before )"),
    ("x[|]", "a value is missing before ]"),
    ("x[|, 0]", "a value is missing before ,"),
    ("x[0,|, 0]", "a value is missing before ,"),
    ("sin(|, x)", "a value is missing before ,"),
    ("sin(x + |)", "a value is missing before )"),
    ("sin(|*x)", "a list cannot be spread"),
    ("stack([|*x])", "a list cannot be spread"),
    ("sin(|**x)", "a list cannot be spread"),
    ("x |not y", "`not` stands before a condition"),
    ("2|and x", "put a space before `and`"),
    ("(" * 100 + "|(x" + ")" * 101, "more than 100 brackets inside one another"),
    ("x" + "+x" * 1000 + "|+x", "the formula has more than 1000 operators"),
    ("x +\n  y|^2", "powers are written **"),
    ("x + # a remark with ^ and (\n  y|^2", "powers are written **"),
]


@pytest.mark.parametrize(("marked", "reason"), MISTAKES)
def test_mistake_has_reason_and_caret(marked, reason):
    text = marked.replace("|", "", 1)
    with pytest.raises(ExpressionError, match=re.escape(reason)) as caught:
        compile(text, NAMES)
    assert caught.value.offset == marked.index("|")


def test_the_bar_itself_is_refused():
    with pytest.raises(ExpressionError, match=r"`or` joins conditions, not \|;") as caught:
        compile("x | y", NAMES)
    assert caught.value.offset == 2
    with pytest.raises(ExpressionError, match=r"`or` joins conditions, not \|\|") as caught:
        compile("x || y", NAMES)
    assert caught.value.offset == 2


def test_error_draws_the_line_at_fault():
    with pytest.raises(ExpressionError) as caught:
        compile("x +\n  y^2", NAMES)
    assert str(caught.value) == "powers are written **, not ^\n      y^2\n       ^"


def test_long_text_is_refused():
    assert compile("x" + " " * 9_999, NAMES).names == {"x"}
    with pytest.raises(ExpressionError, match="has 10001 characters; at most 10000"):
        compile("x" + " " * 10_000, NAMES)


def test_reading_keeps_every_place():
    text = "a*x # growth\n\t- y\r\n"
    line = read(text)
    assert len(line) == len(text)
    assert line == "a*x         " + "  " + "- y  "


@pytest.mark.parametrize(
    "text",
    ["  x + y  ", "\n x\n +\n y\n", "x + y # the sum", "(\nx + # first\ny # second\n)", "x\t+\ty"],
)
def test_white_space_and_remarks_change_nothing(text):
    assert float(compile(text, NAMES)({"x": 2.0, "y": 3.0})) == 5.0
