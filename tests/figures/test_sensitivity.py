"""The figure of derivatives."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.analyses.sensitivity import Sensitive
from pipeline.arrays import flags
from pipeline.errors import CobwebError
from tests.figures.datasets import LOGISTIC, dataset


@pytest.fixture
def slopes():
    """Two derivatives, one of them with a zero and beyond trust above 3.9."""
    a = np.linspace(3, 4, 21)
    code = np.where(a > 3.9, Sensitive.grown, Sensitive.known).astype(np.int8)
    ds = dataset(
        {"map": LOGISTIC, "grid": {"a": {"values": a.tolist()}}},
        {"a": a},
        {
            "x_final_by_a": (("a",), np.where(a > 3.9, -1e9, a - a[4])),
            "lyapunov_by_a": (("a",), -a),
            "sensitivity": (("a",), code),
            "status": (("a",), np.zeros(a.size, np.int8)),
        },
    )
    ds["sensitivity"].attrs.update(flags(Sensitive))
    return ds


def test_moduli_on_a_logarithmic_scale(slopes):
    ax = Figure().add_subplot()
    assert figures.choose(slopes) == "sensitivity"
    figures.draw(slopes, ax=ax)
    assert ax.get_yscale() == "log"
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == [
        r"$|\partial x / \partial a|$",
        r"$|\partial \lambda / \partial a|$",
        "grown",
    ]
    first, second = (line.get_ydata() for line in ax.get_lines())
    assert np.isnan(first[4])
    assert first[5] == pytest.approx(0.05)
    assert second == pytest.approx(slopes["a"].values)
    low, high = ax.get_ylim()
    assert low < 0.05
    assert high > 1e9


def test_needs_one_axis_and_derivatives(slopes):
    with pytest.raises(CobwebError, match="it needs exactly one axis"):
        figures.draw(slopes.isel(a=0, drop=True), name="sensitivity")
    with pytest.raises(CobwebError, match="it needs analysis=sensitivity"):
        figures.draw(slopes[["status"]], name="sensitivity")
