"""The kinds, chosen and drawn: what fits what, and what ends up on the page."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
import xarray as xr
import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from pipeline import figures
from pipeline.errors import CobwebError
from tests.figures import datasets

SMALL = {
    "bifurcation": lambda: datasets.logistic(60, 100, 200),
    "cobweb": datasets.single,
    "time_series": lambda: datasets.single(length=2000),
    "phase_portrait": lambda: datasets.henon(500),
    "space_time": lambda: datasets.lattice(20, 50),
    "final": datasets.seed_basin,
    "convergence": datasets.newton,
    "final_map": lambda: datasets.newton_fractal(40),
    "plane": lambda: datasets.settled(30),
    "scalar": lambda: datasets.exponents(60),
    "status_map": lambda: datasets.escape(30).drop_vars("escape_iteration"),
}


def words(figure: Figure) -> str:
    """Every text on a figure."""
    figure.draw_without_rendering()
    return "\n".join(t.get_text() for t in figure.findobj(Text) if t.get_text())


@pytest.mark.parametrize("kind", SMALL)
def test_auto_chooses_the_kind_that_the_dataset_is_made_for(kind):
    assert figures.choose(SMALL[kind](), "auto") == kind


@pytest.mark.parametrize("style", ["screen", "paper"])
@pytest.mark.parametrize("kind", SMALL)
def test_every_kind_draws_in_every_style(kind, style):
    figure = figures.draw(SMALL[kind](), style=style)
    assert figure.axes
    for ax in figure.axes:
        assert ax.get_xlabel() or ax.get_ylabel()
        assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("style", ["screen", "paper"])
def test_nothing_is_clipped_and_nothing_overlaps_the_title(kind, style):
    figure = figures.draw(SMALL[kind](), style=style)
    FigureCanvasAgg(figure).draw()
    page = figure.bbox.padded(1)
    outside = [a.get_window_extent() for a in (*figure.texts, *figure.legends)]
    panels = [box for box in (ax.get_tightbbox() for ax in figure.axes) if box is not None]
    for box in outside + panels:
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1
    for box in outside:
        assert box.count_overlaps([b for b in outside + panels if b is not box]) == 0


@pytest.mark.parametrize("kind", [*figures.KINDS, "auto", "none"])
def test_every_kind_is_a_choice_with_a_description(kind, root):
    text = (root / "conf" / "figure" / f"{kind}.yaml").read_text()
    assert text.startswith("# ")
    chosen = yaml.safe_load(text)
    assert chosen["name"] == kind
    own = {} if kind == "none" else {"style": "screen", "formats": ["png"]}
    assert chosen == {"name": kind, **own, "report": False}


@pytest.mark.parametrize("kind", figures.KINDS)
def test_a_kind_that_does_not_fit_says_why_and_what_fits(kind):
    ds = datasets.seed_basin() if kind != "final" else datasets.single()
    if kind == "scalar":
        ds = datasets.single()
    with pytest.raises(
        CobwebError, match=rf'"{kind}": .+; choose figure=auto, or one that fits: \w'
    ):
        figures.draw(ds, name=kind)


def test_an_unknown_kind_lists_the_kinds():
    with pytest.raises(CobwebError, match=r'"bifucation": no such figure .known: basin, conver'):
        figures.choose(datasets.single(), "bifucation")


def test_an_unknown_style_lists_the_styles():
    with pytest.raises(CobwebError, match=r'figure.style = "poster": .*known: screen, paper'):
        figures.draw(datasets.single(), style="poster")


def test_a_dataset_with_nothing_to_draw_says_so():
    empty = xr.Dataset({"status": ((), np.int8(0))})
    assert figures.choose(empty, "auto") == "none"
    with pytest.raises(CobwebError, match="nothing to draw"):
        figures.draw(empty)


def test_what_a_document_asks_for():
    wanted = {"name": "cobweb", "style": "paper", "formats": ["svg"]}
    together = {"joint": "profile", "work": "steps"}
    assert figures.asked({"figure": wanted | together}) == wanted | together
    nothing = {"name": "auto", "style": "screen", "formats": ["png"]}
    nothing |= {"joint": "none", "work": "auto"}
    assert figures.asked({}) == nothing
    assert figures.asked({"figure": {"name": "none", "joint": 3, "work": None}}) == nothing


@pytest.mark.parametrize("kind", SMALL)
def test_a_user_s_axes_are_drawn_into_and_nothing_else(kind):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    before = matplotlib.rcParams.copy()
    assert figures.draw(SMALL[kind](), ax=left) is figure
    assert figure.axes == [left, right]
    assert left.has_data()
    assert not right.has_data()
    assert left.get_xlabel()
    assert not figure.texts
    assert not figure.legends
    assert matplotlib.rcParams == before


@pytest.mark.parametrize("kind", SMALL)
def test_without_a_document_the_numbers_are_still_drawn(kind):
    ds = SMALL[kind]()
    del ds.attrs["document"]
    assert figures.draw(ds).axes


@pytest.mark.parametrize(
    "document",
    [
        "[",
        "- 1",
        "map: {equations: {x: import os}}",
        "map: {equations: {x: 'a*x*('}, parameters: {a: ~}}",
        "map: {equations: [x], parameters: 3, initial: x}",
        "objective: {}\nsolver: 3\ngrid: {x0: 2}",
        "map: {equations: {x: nope(x)}, name: 7, reference: [a]}",
        "map: {equations: {x: x + " + "1 + " * 3000 + "1}}",
        "map: {name: '$\\frac{', equations: {x: '$'}}",
        "&a [*a]",
    ],
)
@pytest.mark.parametrize("kind", ["cobweb", "convergence"])
def test_a_stranger_s_document_gives_a_plain_figure(document, kind):
    ds = SMALL[kind]()
    ds.attrs["document"] = document
    figures.draw(ds).draw_without_rendering()
    assert figures.draw(ds, style="paper").get_label()


def test_the_title_holds_the_equation_and_the_parameters():
    shown = words(figures.draw(datasets.henon(500)))
    assert r"x \mapsto 1-a" in shown
    assert "$a = 1.4$, $b = 0.3$" in shown


def test_a_swept_parameter_is_not_in_the_title():
    assert "a = " not in words(figures.draw(SMALL["bifurcation"]()))


def test_a_paper_has_no_title_but_a_caption():
    figure = figures.draw(SMALL["bifurcation"](), style="paper")
    assert figure.get_suptitle() == ""
    for line in ("x' = a*x*(1 - x)", "a: 60 values from 3.4 to 4", "transient 200, length 100"):
        assert line in str(figure.get_label())


def test_units_are_shown_unless_they_are_one():
    ds = datasets.single()
    ds["x"].attrs.update(long_name="population", units="kg")
    assert r"population $x$ (kg)" in words(figures.draw(ds, name="time_series"))


def test_threads_draw_at_the_same_time(tmp_path):
    def work(number: int) -> None:
        figure = figures.draw(SMALL["bifurcation"]())
        figures.save(figure, tmp_path / str(number), ("png", "svg"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len({(tmp_path / f"{i}.svg").read_bytes() for i in range(4)}) == 1


def test_a_kind_is_chosen_by_shapes_alone():
    ds = datasets.logistic(10, 10, 0)
    huge = np.broadcast_to(np.zeros(()), (10**6, 10**6))
    hollow = xr.Dataset(
        {"x": (("a", "iteration"), huge), "status": (("a",), np.zeros(10**6, np.int8))},
        coords={"a": np.linspace(3.4, 4, 10**6)},
        attrs=ds.attrs,
    )
    assert figures.choose(hollow, "auto") == "bifurcation"


def test_pyplot_and_jax_stay_out():
    code = (
        "import sys; from pipeline import figures;"
        "assert 'matplotlib' not in sys.modules;"
        "from tests.figures import datasets; figures.draw(datasets.single());"
        "assert 'matplotlib.pyplot' not in sys.modules; assert 'jax' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
