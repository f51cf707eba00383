"""Names as letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from pipeline.expressions import symbol
from pipeline.expressions.symbol import GREEK, pieces, upright

PARSER = MathTextParser("path")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x", "x"),
        ("mu", r"\mu"),
        ("Omega", r"\Omega"),
        ("lambda_", r"\lambda"),
        ("x_1", "x_{1}"),
        ("x0", "x_{0}"),
        ("theta0", r"\theta_{0}"),
        ("A_0_1", "A_{0,1}"),
        ("rate", r"\mathrm{rate}"),
        ("x_final", r"x_{\mathrm{final}}"),
        ("k_theta", r"k_{\theta}"),
        ("x1_re", r"x_{1,\mathrm{re}}"),
        ("growth_rate", r"\mathrm{growth}_{\mathrm{rate}}"),
        ("log2x", r"\mathrm{log2x}"),
        ("a__b", "a_{b}"),
        ("_a", r"\mathrm{\_a}"),
        ("__", r"\mathrm{\_\_}"),
        ("", r"\mathrm{\ }"),
        ("a b", r"\mathrm{a\ b}"),
    ],
)
def test_symbol(name, shown):
    assert symbol(name) == shown
    PARSER.parse(f"${shown}$")


@pytest.mark.parametrize("name", sorted(GREEK))
def test_greek(name):
    assert symbol(name) == "\\" + name
    PARSER.parse(f"${symbol(name)}$")


@given(st.text(max_size=12) | st.text("_ax10 $\\{}^'\"%#&~\n\u03b8\ud800", max_size=12))
def test_any_text_is_shown(text):
    PARSER.parse(f"${symbol(text)}$")
    PARSER.parse(f"${upright(text)}$")


def test_pieces():
    assert pieces("x1_re") == ("x", ["1", r"\mathrm{re}"])
