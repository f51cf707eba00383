"""What the figure of continued branches puts on the page."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from tests.figures import datasets

MEANINGS = {"flag_values": np.arange(-1, 4, dtype=np.int8)}


def dataset():
    """The fixed points of the logistic map from 2.5 to 3.5, and the flip at 3."""
    a = np.concatenate([np.linspace(2.5, 3, 6), np.linspace(3.1, 3.5, 5)])
    one = {
        "branch_parameter": np.stack([a, np.nan * a]),
        "branch_stable": np.stack([np.where(a < 3, 1, 0), -1 + 0 * a]).astype(np.int8),
        "branch_x": np.stack([1 - 1 / a, np.nan * a])[:, :, None],
    }
    line = ("branch", "point")
    flip = ("bifurcation",)
    row = ("cascade", "doubling")
    ds = datasets.dataset(
        {"map": datasets.LOGISTIC},
        {"branch": np.arange(2), "bifurcation": np.arange(1), "cascade": np.arange(1)},
        {
            "status": ((), np.int8(0)),
            "branch_period": (("branch",), np.array([1, 0], np.int32)),
            "branch_points": (("branch",), np.array([a.size, 0], np.int32)),
            "branch_parameter": (line, one["branch_parameter"]),
            "branch_stable": (line, one["branch_stable"]),
            "branch_x": ((*line, "branch_cycle_point"), one["branch_x"]),
            "bifurcation_type": (flip, np.array([1], np.int8)),
            "bifurcation_period": (flip, np.array([1], np.int32)),
            "bifurcation_parameter": (flip, np.array([3.0])),
            "bifurcation_x": ((*flip, "branch_cycle_point"), np.array([[2 / 3]])),
            "cascade_period": (row, np.array([[1, 2, 4, 0]], np.int32)),
            "cascade_parameter": (row, np.array([[3, 3.4495, 3.5441, np.nan]])),
            "cascade_delta": (row, np.array([[np.nan, 4.7514, np.nan, np.nan]])),
            "cascade_alpha": (row, np.full((1, 4), np.nan)),
        },
    )
    ds["branch_parameter"].attrs["quantity"] = "a"
    meanings = "none fold flip neimark_sacker branch_point"
    ds["bifurcation_type"].attrs |= {**MEANINGS, "flag_meanings": meanings}
    return ds


def test_lines_are_solid_up_to_the_flip():
    ax = Figure().subplots()
    assert figures.choose(dataset()) == "continuation"
    figures.draw(dataset(), ax=ax)
    unstable, stable = (
        c.get_segments()[0] for c in ax.collections if isinstance(c, LineCollection)
    )
    assert (stable[0, 0], stable[-1, 0]) == (2.5, 3)
    assert (unstable[0, 0], unstable[-1, 0]) == (3, 3.5)
    assert stable[:, 1] == pytest.approx(1 - 1 / stable[:, 0])
    (mark,) = ax.lines
    assert (mark.get_xdata().item(), mark.get_ydata().item()) == (3, 2 / 3)
    labels = [t.get_text() for t in ax.get_legend().get_texts()]
    assert labels == ["period 1", "stable", "not stable", "flip"]
    assert ax.get_xlabel() == "parameter $a$"


def test_a_cascade_is_listed():
    figure = figures.draw(dataset())
    words = [text.get_text() for text in figure.axes[1].texts]
    assert words[4:8] == ["1", "3", "", ""]
    assert words[8:12] == ["2", "3.4495", "4.751400", ""]
    assert len(words) == 16


def test_the_parameter_that_is_followed_has_no_value_in_the_title():
    figure = figures.draw(dataset())
    assert "a =" not in figure.get_suptitle()


def test_the_ordinate_leaves_out_what_goes_to_infinity():
    ds = dataset()
    ds["branch_x"][0, -1, 0] = 1e6
    ax = Figure().subplots()
    figures.draw(ds, ax=ax)
    assert ax.get_ylim()[1] < 2


def test_what_has_no_branches_has_no_such_figure():
    with pytest.raises(CobwebError, match="it needs analysis=continuation"):
        figures.draw(datasets.henon(100), name="continuation")
