"""Labels, titles and captions."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import figures
from pipeline.figures import style, title, view, words
from tests.figures import datasets


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (0.5, "0.5"),
        (1e-8, "10^{-8}"),
        (2.5e12, r"2.5\times 10^{12}"),
        (1 - 2j, "1-2i"),
        (-0.5 + 0.8660254j, "-0.5+0.866i"),
        (-1j, "-i"),
        (2j, "2i"),
        (1 + 1j, "1+i"),
        (np.inf, r"\infty"),
        (np.nan, r"\mathrm{nan}"),
    ],
)
def test_numbers_as_mathtext(x, shown):
    assert words.value(x) == shown


@pytest.mark.parametrize(
    ("name", "attributes", "shown"),
    [
        ("x", {"long_name": "x", "units": "1"}, "$x$"),
        ("x", {}, "$x$"),
        ("x", {"long_name": "population x"}, "population $x$"),
        ("x", {"long_name": "population", "units": "kg"}, "population $x$ (kg)"),
        ("x", {"long_name": "x after the last iteration"}, "$x$ after the last iteration"),
        ("x", {"long_name": "size of a population"}, "size of a population $x$"),
        ("x", {"long_name": r"50 $ of \frac"}, r"50 \$ of \frac $x$"),
    ],
)
def test_labels(name, attributes, shown):
    ds = datasets.single()
    ds[name].attrs = attributes
    assert words.label(view.read(ds), name) == shown


def test_a_setting_swept_by_an_axis_of_another_name() -> None:
    ds = datasets.exponents(5).rename(a="h")
    ds["h"].attrs["long_name"] = "setting step of the solver"
    axes = [view.Axis(name, ds["h"].values, False, False, ("solver.step",)) for name in ("h", "s")]
    seen = [view.View(ds.rename(h=axis.name), {}, (axis,), ()) for axis in axes]
    assert words.label(seen[0], "h") == r"setting $\mathrm{step}$ of the solver, $h$"
    assert words.label(seen[1], "s").endswith("of the solver, $s$")


def test_parameters_are_shortened_where_there_are_many():
    ds = datasets.single()
    seen = view.read(ds)
    many = {f"p{i}": i for i in range(20)}
    seen = view.View(ds, {"map": {"parameters": many}}, seen.axes, seen.series)
    shown = words.settings(seen)
    assert shown.endswith("… (14 more)")
    assert "$p_{0} = 0$" in shown


def test_a_constant_formula_is_shown_in_units_of_pi():
    ds = datasets.single()
    seen = view.View(ds, {"map": {"parameters": {"b": "2*pi", "c": [1, 2], "d": {}}}}, (), ())
    assert words.settings(seen) == r"$b = 2\pi$, $c = (1, 2)$"


def test_long_equations_are_broken_and_fit():
    ds = datasets.single()
    terms = " + ".join(f"a*x**{i}" for i in range(2, 30))
    document = {"map": {"equations": {"x": terms}, "parameters": {"a": 1}, "initial": {"x": 0}}}
    seen = view.View(ds, document, (), view.read(ds).series)
    page = style.sheet(style.look("screen"))
    title.write(page, seen)
    shown = page.figure.texts[0]
    assert shown.get_text().count("\n") >= 2
    assert shown.get_window_extent().width <= page.figure.bbox.width


def test_a_hopeless_equation_gives_way_to_the_name():
    ds = datasets.single()
    document = {
        "map": {
            "name": "huge_map",
            "equations": {"x": "x" + "*x" * 250},
            "parameters": {},
            "initial": {"x": 0},
        }
    }
    page = style.sheet(style.look("screen"))
    title.write(page, view.View(ds, document, (), view.read(ds).series))
    assert page.figure.texts[0].get_text() == "huge map"


@pytest.mark.parametrize(
    ("residuals", "lines", "squared"),
    [
        ("a*x - y", [r"$r = a\,x-y$"], "a*x - y"),
        (["x - 1", "a*y"], [r"$r_{1} = x-1$", r"$r_{2} = a\,y$"], "x - 1; a*y"),
    ],
)
def test_a_sum_of_squares_shows_what_is_squared(residuals, lines, squared):
    described = {"residuals": residuals, "parameters": {"a": 1}, "initial": {"x": 0, "y": 0}}
    seen = view.View(datasets.single(), {"objective": described}, (), ())
    first, *rest = words.equation(seen)
    assert first == r"$\mathrm{min}\ f(x, y) = \Vert r \Vert^2$"
    assert rest == lines
    assert f"minimise: the sum of the squares of {squared}" in words.caption(seen)


def test_noise_is_told():
    noise = {"x": {"uniform": "2*a"}, "a": 0.01, "y": "import"}
    described = {"equations": {"x": "a*x"}, "parameters": {"a": 1}, "noise": noise}
    seen = view.View(datasets.single(), {"map": described}, (), ())
    assert words.noise(seen) == [
        r"uniform noise of $2\,a$ in $x$",
        "normal noise of $0.01$ in $a$",
        "normal noise of import in $y$",
    ]
    assert "\nuniform noise of 2*a in x\n" in words.caption(seen)


def test_a_caption_counts_how_the_cells_ended():
    ds = datasets.seed_basin()
    text = str(figures.draw(ds, style="paper").get_label())
    assert "cells: 29 bounded, 9 escaped" in text
    assert "x0: 38 values from -9 to 9.5" in text


def test_a_long_label_is_broken_to_the_panel_s_height():
    ds = datasets.henon(50)
    ds["y"].attrs["long_name"] = "a rather long name of the second component of the state " * 2
    figure = figures.draw(ds, name="time_series")
    figure.draw_without_rendering()
    panel = figure.axes[1]
    assert panel.yaxis.label.get_window_extent().height <= 1.4 * panel.bbox.height


@pytest.mark.parametrize(("name", "shown"), [("f", "f"), ("mine", "mine: the function f")])
def test_a_function_is_named_where_equations_would_be(name, shown):
    ds = datasets.single()
    described = {"name": name, "function": {"name": "f", "source": "def f(x): ..."}}
    seen = view.View(ds, {"map": {**described, "initial": {"x": 0}}}, (), view.read(ds).series)
    page = style.sheet(style.look("screen"))
    title.write(page, seen)
    assert page.figure.texts[0].get_text() == shown
    assert words.caption(seen).startswith(f"{shown}\nby a Python function\n")
    for place, told in (("objective", ""), ("residuals", "the sum of the squares of ")):
        described["function"]["place"] = place
        objective = {**described, "sense": "minimise"}
        seen = view.View(ds, {"objective": objective}, (), view.read(ds).series)
        assert f"\nminimise: {told}a Python function\n" in words.caption(seen)
