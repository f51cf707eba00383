"""What the figure of curves of bifurcations puts on the page."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from tests.figures import datasets


def dataset():
    """Folds of period 1 through a cusp, a flip of period 2, and room for another curve."""
    x = np.linspace(-1, 1, 21)
    none = np.full_like(x, np.nan)
    line = ("curve", "curve_point")
    ds = datasets.dataset(
        {"map": datasets.LOGISTIC},
        {"curve": np.arange(3)},
        {
            "status": ((), np.int8(0)),
            "curve_type": (("curve",), np.array([0, 1, -1], np.int8)),
            "curve_period": (("curve",), np.array([1, 2, 0], np.int32)),
            "curve_points": (("curve",), np.array([21, 21, 0], np.int32)),
            "curve_parameter": (line, np.stack([x**3, x, none])),
            "curve_second": (line, np.stack([x**2, x + 2, none])),
            "curve_coefficient": (line, np.stack([x + 0.01, 1 / (x - 0.01), none])),
        },
    )
    ds["curve_parameter"].attrs["quantity"] = "a"
    ds["curve_second"].attrs["quantity"] = "solver.step"
    meanings = "none fold flip neimark_sacker branch_point"
    flags = np.arange(-1, 4, dtype=np.int8)
    ds["curve_type"].attrs |= {"flag_values": flags, "flag_meanings": meanings}
    return ds


def test_lines_and_the_cusp():
    ax = Figure().subplots()
    assert figures.choose(dataset()) == "bifurcation_curves"
    figures.draw(dataset(), ax=ax)
    # Where the flip's coefficient goes through infinity there is no mark.
    fold, cusp, flip = ax.lines
    assert fold.get_linestyle() == "-"
    assert flip.get_linestyle() == "--"
    assert fold.get_color() != flip.get_color()
    assert np.hypot(*cusp.get_xydata()[0]) < 0.02
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["period 1", "period 2", "fold", "flip", "cusp"]
    assert ax.get_ylabel() == "solver step"


def test_the_page():
    figure = figures.draw(dataset())
    assert figure.axes[0].get_xlabel() == "parameter $a$"


def test_no_curves_are_told():
    (ax,) = figures.draw(dataset().isel(curve=[2])).axes
    assert [text.get_text() for text in ax.texts] == ["no curves"]
    assert not ax.get_xticks().size


def test_what_it_needs():
    with pytest.raises(CobwebError, match="it needs analysis=bifurcation_curves"):
        figures.draw(dataset().drop_vars("curve_second"), name="bifurcation_curves")
