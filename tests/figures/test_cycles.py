"""What the figures of cycles put on the page."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from tests.figures import datasets


def dataset(num: int = 60):
    """Fixed points of the logistic map, 0 and 1 - 1/a, with room for one more."""
    a = np.linspace(2.5, 3.5, num)
    x = np.stack([0 * a, 1 - 1 / a, np.nan * a], axis=1)[:, :, None]
    multiplier = np.stack([a, 2 - a, np.nan * a], axis=1)[:, :, None]
    period = np.broadcast_to(np.array([1, 1, 0], np.int32), (num, 3))
    stable = np.where(np.abs(multiplier[:, :, 0]) < 1, 1, 0)
    stable[:, 2] = -1
    document = {"map": datasets.LOGISTIC, "grid": {"a": {"start": 2.5, "stop": 3.5, "num": num}}}
    dims = ("a", "cycle")
    return datasets.dataset(
        document,
        {"a": a, "cycle": np.arange(3)},
        {
            "status": (("a",), np.zeros(num, np.int8)),
            "cycle_period": (dims, period),
            "cycle_stable": (dims, stable.astype(np.int8)),
            "cycle_x": ((*dims, "cycle_point"), x),
            "multiplier_re": ((*dims, "multiplier"), multiplier),
            "multiplier_im": ((*dims, "multiplier"), 0 * multiplier),
        },
    )


@pytest.fixture
def ax():
    return Figure().subplots()


def lines(ax) -> list[LineCollection]:
    return [c for c in ax.collections if isinstance(c, LineCollection) and len(c.get_segments())]


def test_auto_draws_branches_solid_where_they_attract(ax):
    ds = dataset()
    assert figures.choose(ds) == "cycles"
    figures.draw(ds, ax=ax)
    unstable, stable = lines(ax)
    (branch,) = stable.get_segments()
    assert branch[:, 1] == pytest.approx(1 - 1 / branch[:, 0])
    assert branch[-1, 0] < 3
    # The branch of 0, and beyond its flip that of 1 - 1/a.
    assert sorted(len(s) for s in unstable.get_segments()) == [30, 60]
    dashes = [np.array(c.get_linestyle(), object)[0, 1] is not None for c in (unstable, stable)]
    assert dashes == [True, False]
    labels = [t.get_text() for t in ax.get_legend().get_texts()]
    assert labels == ["period 1", "stable", "not stable"]


def test_few_values_are_points(ax):
    figures.draw(dataset(5), ax=ax)
    assert not lines(ax)
    assert sum(np.isfinite(line.get_ydata()).sum() for line in ax.lines) == 10


def test_one_cell_of_one_component_is_a_column_over_the_period(ax):
    figures.draw(dataset().isel(a=0, drop=True), name="cycles", ax=ax)
    assert ax.get_xlabel() == "period"
    assert {float(x) for line in ax.lines for x in line.get_xdata()} == {1.0}


def test_two_components_are_a_plane(ax):
    ds = dataset().isel(a=0, drop=True)
    ds["cycle_y"] = ds.cycle_x + 1
    figures.draw(ds, name="cycles", ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")


def test_real_multipliers_over_an_axis(ax):
    figures.draw(dataset(), name="multipliers", ax=ax)
    (branch,) = lines(ax)[1].get_segments()
    assert branch[:, 1] == pytest.approx(2 - branch[:, 0])
    # Beyond 1 the scale is logarithmic.
    outer = max(lines(ax)[0].get_segments(), key=len)
    assert outer[:, 1] == pytest.approx(1 + np.log10(outer[:, 0]))


def test_multipliers_of_one_cell_in_the_complex_plane(ax):
    figures.draw(dataset().isel(a=0, drop=True), name="multipliers", ax=ax)
    assert ax.get_aspect() == 1
    shown = np.concatenate(
        [np.atleast_1d(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) < 9]
    )
    assert sorted(shown[np.isfinite(shown)]) == pytest.approx([-0.5, 1 + np.log10(2.5)])


def test_what_has_no_cycles_has_no_such_figure():
    for name in ("cycles", "multipliers"):
        with pytest.raises(CobwebError, match="it needs analysis=cycles"):
            figures.draw(datasets.henon(100), name=name)
