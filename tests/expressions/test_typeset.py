"""Formulas as matplotlib's mathtext shows them; what it cannot parse would break a figure."""

import time

import pytest
from matplotlib.mathtext import MathTextParser

from pipeline.expressions import CONSTANTS, FUNCTIONS, compile

PARSER = MathTextParser("path")
NAMES = ("x", "y", "a", "b", "mu", "theta", "x_1", "x1", "rate", "A", "size", "_q", "k_eff")

SHOWN = {
    "x**2": "x^{2}",
    "a*x*(1-x)": r"a\,x\,(1-x)",
    "1 - a*x**2 + y": r"1-a\,x^{2}+y",
    "mu - x_1**2": r"\mu-x_{1}^{2}",
    "x/2": r"\frac{x}{2}",
    "(1 + x)/(1 - x)": r"\frac{1+x}{1-x}",
    "x/y/a": r"\frac{\frac{x}{y}}{a}",
    "(x/y)**2": r"\left(\frac{x}{y}\right)^{2}",
    "(x + y)**2": "(x+y)^{2}",
    "x**y**a": "x^{y^{a}}",
    "(x**y)**a": "(x^{y})^{a}",
    "x - (y - a)": "x-(y-a)",
    "x + (y - a)": "x+y-a",
    "x - -y": "x-(-y)",
    "x + -y": "x+(-y)",
    "-x*y": r"-x\,y",
    "x*-y": r"x\,(-y)",
    "-x**2": "-x^{2}",
    "(-x)**2": "(-x)^{2}",
    "-(x + y)": "-(x+y)",
    "2*3*x": r"2\times 3\,x",
    "x*2": r"x\times 2",
    "1e-3*x": r"10^{-3}\,x",
    "2.5e+3": r"2.5\times 10^{3}",
    "x*2.5e-3": r"x\,(2.5\times 10^{-3})",
    "1e3**2": "(10^{3})^{2}",
    "2j": "2i",
    "1j": "i",
    "1e-3j": "10^{-3}i",
    "1_000": "1000",
    "2*pi*x": r"2\,\pi\,x",
    "e**x": "e^{x}",
    "exp(-a*x**2)": r"e^{-a\,x^{2}}",
    "exp(x)**2": "(e^{x})^{2}",
    "sin(theta)": r"\sin(\theta)",
    "sin(x)**2": r"\sin^{2}(x)",
    "sin(x)**-1": r"(\sin(x))^{-1}",
    "sum(x)**2": r"(\mathrm{sum}(x))^{2}",
    "sin(x/2)": r"\sin\left(\frac{x}{2}\right)",
    "log2(x)": r"\log_{2}(x)",
    "sqrt(x + 1)": r"\sqrt{x+1}",
    "cbrt(x)": r"\sqrt[3]{x}",
    "abs(x)": "|x|",
    "norm(x)": r"\|x\|",
    "norm(A, axis=0)": r"\mathrm{norm}(A,\,\mathrm{axis}=0)",
    "floor(x)": r"\lfloor x\rfloor ",
    "x // 2": r"\lfloor \frac{x}{2}\rfloor ",
    "conj(x)": r"\overline{x}",
    "real(x)": r"\mathrm{Re}(x)",
    "x % 1": r"x\ \mathrm{mod}\ 1",
    "mod(x + y, 1)": r"(x+y)\ \mathrm{mod}\ 1",
    "(x % 1)*2": r"x\ \mathrm{mod}\ 1\times 2",
    "dot(x, y + 1)": r"x\cdot (y+1)",
    "A @ x": r"A\,x",
    "where(x > 0, x, -x)": r"\mathrm{where}(x>0,\,x,\,-x)",
    "0 <= x < 1": r"0\leq x<1",
    "x != y and not x == a": r"x\neq y\,\wedge\,\neg (x=a)",
    "(x or y) and a": r"(x\,\vee\,y)\,\wedge\,a",
    "x[0]": "x_{0}",
    "x_1[0]": "x_{1,0}",
    "x[1:]": "x_{1:}",
    "x[::-1]": "x_{::-1}",
    "A[0, 1]": "A_{0,1}",
    "A[0][1]": "A_{0,1}",
    "(x + y)[0]": "(x+y)_{0}",
    "x[0]**2": "x_{0}^{2}",
    "[x, 1]": r"[x,\,1]",
    "arctan2(y, x)": r"\mathrm{arctan2}(y,\,x)",
    "rate*x": r"\mathrm{rate}\,x",
}


@pytest.mark.parametrize("text", SHOWN)
def test_shown(text):
    assert compile(text, NAMES).mathtext() == SHOWN[text]


@pytest.mark.parametrize("text", SHOWN)
def test_shown_is_parsable(text):
    PARSER.parse(f"${SHOWN[text]}$")


def call(name):
    function = FUNCTIONS[name]
    given = ["x/2 + 1", "_q", "k_eff[0]"][: max(function.least, 1)]
    return (
        f"{name}([{given[0]}, y])"
        if name in ("stack", "concatenate")
        else f"{name}({', '.join(given)})"
    )


FRAMES = [
    *("{}", "{}**2", "2**{}", "({})**y", "-{}", "x - {}", "{}*x", "x*{}", "{}/x", "x/{}", "not {}"),
    *("({} < 1)*2", "[{}, {}]", "x % {}", "{} // x", "abs({})", "sqrt({})", "{} @ x", "exp({})"),
    *("[{}][0]", "x[0:1]*{}", "x < {} < 1 or y", "e**{}", "real({})**2"),
]


# One of each way to write a function everywhere; and each function somewhere.
KINDS = ["sin", "abs", "exp", "mod", "where", "stack"]
PLACES = [(name, frame) for name in KINDS for frame in FRAMES]
PLACES += [(name, frame) for name in (*FUNCTIONS, *CONSTANTS) for frame in ["x*{}**2"]]


@pytest.mark.parametrize(("name", "frame"), PLACES)
def test_every_combination_is_parsable(name, frame):
    inner = call(name) if name in FUNCTIONS else name
    shown = compile(frame.replace("{}", inner), NAMES).mathtext()
    PARSER.parse(f"${shown}$")


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("sqrt(", ")"),
        ("x/(", ")"),
        ("(1 + ", ")/x"),
        ("x**(", ")"),
        ("abs(", ")"),
        ("(", "+ 1)**2"),
        ("[", "]"),
        ("x[", "]"),
        ("where(x < 1, ", ", _q)"),
        ("-", ""),
        ("not ", ""),
        ("conj(", ")"),
        ("x // (", ")"),
    ],
)
@pytest.mark.parametrize("depth", [7, 8, 90])
def test_deep_formulas_are_parsable_and_quick(opening, closing, depth):
    inner = "0" if opening == "x[" else "x"
    text = opening * depth + inner + closing * depth
    shown = compile(text, NAMES).mathtext()
    start = time.process_time()
    PARSER.parse(f"${shown}$")
    assert time.process_time() - start < 10


def test_very_long_formulas_are_shown_as_written():
    text = "+".join(["x_1"] * 300)
    shown = compile(text + "  #  $\\{}^'~%&\u03b8 a remark", NAMES).mathtext()
    assert shown == r"\mathrm{" + r"x\_1+" * 50 + r"\ ...}"
    PARSER.parse(f"${shown}$")


def test_remarks_are_not_shown():
    shown = compile("-(" * 20 + "y # a remark\n % 2" + ")" * 20, NAMES).mathtext()
    assert shown.startswith(r"\mathrm{-(-(")
    assert r"(y\ \%\ 2)" in shown
