"""Figures of what has a dimension of its own, and of indicators of chaos."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from tests.figures.datasets import LOGISTIC, dataset

A = np.linspace(3.5, 4, 11)


@pytest.fixture
def ax():
    return Figure().subplots()


def along(name, dimension, coordinate, values, **axes):
    """A dataset of one variable over axes and one dimension of its own."""
    document = {
        "map": LOGISTIC,
        "grid": {k: {"values": list(map(float, v))} for k, v in axes.items()},
    }
    shape = tuple(len(v) for v in axes.values())
    found = {
        name: ((*axes, dimension), np.broadcast_to(values, (*shape, len(coordinate))).copy()),
        "status": (tuple(axes), np.zeros(shape, np.int8)),
    }
    return dataset(document, {**axes, dimension: coordinate}, found)


def indicators(**extra):
    """Exponents, tests and alignment along a."""
    document = {"map": LOGISTIC, "grid": {"a": {"values": A.tolist()}}}
    chaos = A > 3.7
    found = {
        "lyapunov": (("a", "exponent"), np.where(chaos, 0.4, -0.2)[:, None]),
        "zero_one": (("a",), chaos.astype(float)),
        "gali": (("a",), np.where(chaos, 0.0, 0.5)),
        "status": (("a",), np.zeros(len(A), np.int8)),
    }
    return dataset(document, {"a": A, "exponent": [0]}, {**found, **extra})


def test_an_autocorrelation_is_a_line_about_zero(ax):
    values = 0.5 ** np.arange(6)
    ds = along("x_autocorrelation", "lag", np.arange(6), values)
    assert figures.choose(ds) == "profile"
    figures.draw(ds, ax=ax)
    line, zero = ax.lines
    assert line.get_ydata() == pytest.approx(values)
    assert list(zero.get_ydata()) == [0, 0]
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlim()) == ("linear", "linear", (0, 5))


def test_a_spectrum_is_logarithmic_down_to_rounding(ax):
    values = np.array([1e-20, 1.0, 0.25])
    figures.draw(along("x_spectrum", "frequency", [0, 0.25, 0.5], values, a=[3.5, 4.0]), ax=ax)
    assert ax.get_yscale() == "log"
    assert [list(np.isnan(line.get_ydata())) for line in ax.lines] == [[True, False, False]] * 2
    told = [t.get_text() for t in ax.get_legend().get_texts()]
    assert told == ["$a = 3.5$", "$a = 4$"]


def test_many_cells_are_an_image(ax):
    ds = along("x_spectrum", "frequency", [0, 0.25, 0.5], [0.1, 1.0, 0.25], a=A)
    figures.draw(ds, name="profile", ax=ax)
    (mesh,) = ax.collections
    assert mesh.get_array().shape == (3, 11)
    assert not ax.lines


def test_sums_have_their_slope_in_the_title():
    radii = np.geomspace(0.01, 0.1, 5)
    ds = along("correlation_sum", "correlation_radius", radii, radii**1.21)
    ds["correlation_dimension"], ds["correlation_dimension_error"] = 1.21, 0.01
    figure = figures.draw(ds)
    assert r"slope $1.21 \pm 0.01$" in figure.get_suptitle()
    assert (figure.axes[0].get_xscale(), figure.axes[0].get_yscale()) == ("log", "log")


def test_too_many_cells_of_two_axes_have_no_profile():
    ds = along("log_expansion", "expansion_step", [1, 2], [1.0, 2.0], a=A, b=A)
    with pytest.raises(CobwebError, match="it needs one axis, or at most 8 cells"):
        figures.choose(ds, "profile")
    with pytest.raises(CobwebError, match="it needs analysis=autocorrelation, spectrum, "):
        figures.choose(indicators(), "profile")


def test_indicators_are_one_above_the_other():
    assert figures.choose(indicators()) == "indicators"
    figure = figures.draw(indicators())
    panels = figure.axes
    assert [p.get_ylabel() for p in panels] == ["lyapunov", "0-1 test, $K$", "GALI"]
    assert [p.get_yscale() for p in panels] == ["linear", "linear", "log"]
    # What has fallen to nothing is at the foot of the scale.
    low, _ = panels[2].get_ylim()
    assert np.min(panels[2].lines[0].get_ydata()) == low > 0
    assert [bool(p.get_xlabel()) for p in panels] == [False, False, True]


def test_one_indicator_is_no_comparison():
    ds = indicators().drop_vars(["zero_one", "gali"])
    with pytest.raises(CobwebError, match="it needs two of lyapunov, zero_one, gali"):
        figures.choose(ds, "indicators")
    # Beside exponents alone, what an orbit or an exponent has is drawn as ever.
    assert figures.choose(ds) == "scalar"
    both = ds.assign(sali=("a", A), gali=("a", A)).drop_vars("lyapunov")
    assert figures.choose(both) == "scalar"
