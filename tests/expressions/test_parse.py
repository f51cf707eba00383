"""The white list itself, and what Python's parser alone can tell."""

import re
import warnings

import pytest

from pipeline.errors import ExpressionError
from pipeline.expressions import compile, parse, source, tree

NAMES = ("x", "y", "a")


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("x + y*a", ["+", ["*"]]),
        ("(x + y)*a", ["+", "*"]),
        ("x - y - a", ["-", "-"]),
        ("x**y**a", ["**", ["**"]]),
        ("-x**2", ["-", ["**"]]),
        ("2**-x", ["**", ["-"]]),
        ("not x == y", ["not", ["=="]]),
        ("x and y or a", ["or", ["and"]]),
        ("x < y + 1", ["<", ["+"]]),
        ("x @ y * a", ["@", "*"]),
        ("-x*y", ["*"]),
    ],
)
def test_precedence(text, symbols):
    def shown(node):
        match node:
            case tree.Series() | tree.Comparison():
                below = [shown(link.operand) for link in node.links]
                return [link.symbol for link in node.links] + [b for b in below if b]
            case tree.Unary():
                return [node.symbol, *[b for b in [shown(node.operand)] if b]]
            case tree.Logic():
                return [node.symbol, *[b for b in map(shown, node.operands) if b]]
        return None

    assert shown(parse.parse(text, NAMES)) == symbols


REFUSED = [
    ("|(x, y)", "an array is written with square brackets, [a, b]"),
    ("x[|(0, 1), 2]", "an array is written with square brackets"),
    ("x + |z", 'no name called "z" (known: a, e, pi, x, y)'),
    ("x + |X", 'no name called "X"; did you mean "x"? (known: a, e, pi, x, y)'),
    ("x + |Pi", "this constant is written pi"),
    ("1__0", "this is not a formula"),
    ("sum(axis=0, x)", "this is not a formula: positional argument follows keyword argument"),
    ("sum(x, axis=0, |axis=0)", "axis= is given twice"),
    ("x[1:2:3:4]", "this is not a formula"),
    ("sum(|(x, y))", "an array is written with square brackets"),
]


@pytest.mark.parametrize(("marked", "reason"), REFUSED)
def test_refused(marked, reason):
    with pytest.raises(ExpressionError, match=re.escape(reason)) as caught:
        compile(marked.replace("|", ""), NAMES)
    if "|" in marked:
        assert caught.value.offset == marked.index("|")


@pytest.mark.parametrize(
    "text", ["-" * 110 + "x", "**".join(["x"] * 110), "not " * 110 + "x", "x" + "[0]" * 110]
)
def test_nesting_is_bounded(text):
    with pytest.raises(ExpressionError, match="the formula is nested more than 100 deep"):
        compile(text, NAMES)


@pytest.mark.parametrize("failure", [MemoryError, RecursionError])
def test_a_full_stack_of_the_parser_is_an_error_of_the_formula(failure, monkeypatch):
    def full(*_, **__):
        raise failure

    monkeypatch.setattr(parse.ast, "parse", full)
    with pytest.raises(ExpressionError, match="the formula is too deeply nested"):
        compile("x", NAMES)


# What the reader of the text has refused already must not get past the white list either.
UNREAD = [
    ("x.y", "this has no place in a formula"),
    ("x.__class__.__mro__", "this has no place in a formula"),
    ("lambda: 1", "this has no place in a formula"),
    ("[x for x in y]", "this has no place in a formula"),
    ("{x for x in y}", "this has no place in a formula"),
    ("{x: y}", "this has no place in a formula"),
    ("{x}", "this has no place in a formula"),
    ("(x for x in y)", "this has no place in a formula"),
    ("x if y else a", "this has no place in a formula"),
    ("(x := 3)", "this has no place in a formula"),
    ("f'{x}'", "this has no place in a formula"),
    ("[*x]", "this has no place in a formula"),
    ("~x", "this has no place in a formula"),
    ("...", "only numbers, names and functions"),
    ("'a'", "only numbers, names and functions"),
    ("b'a'", "only numbers, names and functions"),
    ("None", "only numbers, names and functions"),
    ("True", "only numbers, names and functions"),
    ("x ^ y", "this operator has no place in a formula"),
    ("x | y", "this operator has no place in a formula"),
    ("1 << 10", "this operator has no place in a formula"),
    ("x is y", "this comparison has no place in a formula"),
    ("x in y", "this comparison has no place in a formula"),
    ("[]", "an array has at least one entry"),
    ("stack([])", "stack takes a list"),
    ("zeros(())", "one to eight dimensions"),
    ("sin(*x)", "a list cannot be spread"),
    ("stack([*x])", "a list cannot be spread"),
    ("sum(x, **y)", "sum takes only axis= by name"),
    ("2(x)", "only functions of the table can be called"),
    ("'a'()", "only functions of the table can be called"),
    ("x[0](y)", "only functions of the table can be called"),
    ("__import__('os')", 'no function called "__import__"'),
    ("eval('1')", 'no function called "eval"'),
]


@pytest.mark.parametrize(("text", "reason"), UNREAD)
def test_the_white_list_alone_refuses(text, reason, monkeypatch):
    monkeypatch.setattr(source, "read", lambda text: text)
    with pytest.raises(ExpressionError, match=re.escape(reason)):
        compile(text, NAMES)


def test_the_parser_s_warnings_do_not_leak(monkeypatch):
    monkeypatch.setattr(source, "read", lambda text: text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in ("1 is 2", "'a'()", "'\\d'", "1 if 1else 2", "[1](2)"):
            with pytest.raises(ExpressionError):
                compile(text, NAMES)


def test_offsets_survive_leading_blanks_and_lines():
    with pytest.raises(ExpressionError) as caught:
        compile("\n  \n   x +\n   sn(y)", NAMES)
    assert caught.value.offset == "\n  \n   x +\n   sn(y)".index("sn")


def test_operators_know_their_own_place():
    node = parse.parse("((x)) + ( (y) )*(a)", NAMES)
    assert isinstance(node, tree.Series)
    assert node.links[0].offset == 6
    inner = node.links[0].operand
    assert isinstance(inner, tree.Series)
    assert inner.links[0].offset == 15
