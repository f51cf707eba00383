"""What the figure of manifolds puts on the page."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from tests.figures import datasets


def dataset(modulus: dict | None = None):
    """A saddle at 0, an unstable circle and a stable line through it, and room for one more."""
    t = np.linspace(0, 2 * np.pi, 100)
    x = np.full((3, 120), np.nan)
    y = x.copy()
    # Round often enough to be seen as one that stays.
    x[0, :100], y[0, :100] = 1 - np.cos(2 * t), np.sin(2 * t)
    x[1, :100], y[1, :100] = 0, np.linspace(0, 40, 100)
    document = {"map": {"initial": {"x": 0, "y": 0}, "modulus": modulus or {}}}
    dims = ("manifold",)
    return datasets.dataset(
        document,
        {"manifold": np.arange(3)},
        {
            "status": ((), np.int8(0)),
            "manifold_stable": (dims, np.array([0, 1, -1], np.int8)),
            "manifold_end": (dims, np.array([0, 0, -1], np.int8)),
            "manifold_points": (dims, np.array([100, 100, 0], np.int32)),
            "manifold_x": ((*dims, "manifold_point"), x),
            "manifold_y": ((*dims, "manifold_point"), y),
            "manifold_arclength": ((*dims, "manifold_point"), x),
        },
    )


@pytest.fixture
def ax():
    return Figure().subplots()


def curves(ax):
    """[[k, 2] of each piece] of the stable and of the unstable curves."""
    return [c.get_segments() for c in ax.collections]


def test_branches_and_their_saddle(ax):
    ds = dataset()
    assert figures.choose(ds) == "manifolds"
    figures.draw(ds, ax=ax)
    (stable,), (unstable,) = curves(ax)
    assert stable[-1].tolist() == [0, 40]
    assert unstable == pytest.approx(np.stack([ds.manifold_x[0], ds.manifold_y[0]], 1)[:100])
    (saddle,) = ax.lines
    assert np.nanmax(np.abs(saddle.get_xydata())) == 0
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["stable manifold", "unstable manifold", "saddle"]
    # What stays sets the limits, not what runs away.
    assert ax.get_ylim() == pytest.approx((-1.3, 1.3), abs=0.01)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")


def test_a_curve_is_cut_where_its_circle_is(ax):
    figures.draw(dataset({"y": 4}), ax=ax)
    stable = curves(ax)[0]
    assert len(stable) == 11
    assert ax.get_ylim() == (0, 4)
    for piece in stable[:-1]:
        # The points beside a piece take it beyond both edges.
        assert piece[-1, 1] >= 4
    assert all(piece[0, 1] < 0 for piece in stable[1:])


def test_an_orbit_is_behind(ax):
    ds = dataset()
    ds["x"], ds["y"] = ("iteration", [5.0, 6.0]), ("iteration", [7.0, 8.0])
    figures.draw(ds.assign_coords(iteration=[0, 1]), name="manifolds", ax=ax)
    assert ax.lines[0].get_xydata().tolist() == [[5, 7], [6, 8]]
    assert ax.get_xlim()[1] > 6


def test_what_runs_away_alone_is_shown_by_its_middle(ax):
    ds = dataset().isel(manifold=[1, 2])
    figures.draw(ds, name="manifolds", ax=ax)
    assert ax.get_ylim() == pytest.approx((0 - 5.4, 36 + 5.4))
    figures.draw(ds.isel(manifold=[1]), name="manifolds", ax=Figure().subplots())


def test_entries_of_a_vector(ax):
    ds = dataset()
    both = np.stack([ds.manifold_x, ds.manifold_y], axis=-1)
    ds = ds.drop_vars(["manifold_x", "manifold_y"])
    ds["manifold_x"] = (("manifold", "manifold_point", "x_dim"), both)
    figures.draw(ds, name="manifolds", ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_{0}$", "$x_{1}$")
    assert curves(ax)[0][0][-1].tolist() == [0, 40]


def test_what_has_no_manifolds_has_no_such_figure():
    with pytest.raises(CobwebError, match="it needs analysis=manifolds"):
        figures.draw(datasets.henon(100), name="manifolds")
