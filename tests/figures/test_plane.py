"""Planes: the colours of a quantity over two axes, and of how the cells settled."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from pipeline.figures import regime
from tests.figures import datasets
from tests.figures.test_kinds import labels


@pytest.fixture
def ax():
    return Figure().subplots()


def complex_plane(size: int = 80):
    """How soon 0 escapes under z^2 + c, smoothed: over the two parts of a parameter."""
    re, im = np.linspace(-2, 0.5, size), np.linspace(-1.2, 1.2, size)
    c = re[:, None] + 1j * im
    z, smooth = np.zeros_like(c), np.full(c.shape, np.nan)
    with np.errstate(all="ignore"):
        for n in range(200):
            away = np.isnan(smooth) & (np.abs(z) > 1000)
            smooth[away] = n + 1 - np.log2(np.log(np.abs(z[away])) / np.log(1000))
            z = z**2 + c
    document = {
        "map": {
            "equations": {"z": "z**2 + c"},
            "parameters": {"c": 0},
            "initial": {"z": 0},
        },
        "grid": {"c_re": {"num": size}, "c_im": {"num": size}},
    }
    grid = ("c_re", "c_im")
    ds = datasets.dataset(
        document,
        {"c_re": re, "c_im": im},
        {
            "escape_iteration": (grid, np.nan_to_num(smooth, nan=-1).astype(np.int32)),
            "escape_smooth": (grid, smooth),
            "status": (grid, np.where(np.isnan(smooth), 0, 2).astype(np.int8)),
        },
    )
    ds["escape_smooth"].attrs["long_name"] = "smoothed count of iterations"
    return ds


def test_exponents_have_the_periods_beneath():
    figure = figures.draw(datasets.settled())
    above, beneath, bar = figure.axes
    assert bar.get_ylabel() == "Lyapunov exponent"
    assert (above.get_xlabel(), beneath.get_xlabel()) == ("", "$a$")
    assert above.get_xlim() == beneath.get_xlim()
    (legend,) = figure.legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown[:2] == ["period 1", "period 2"]
    assert shown[-1] == "escaped"
    assert "chaotic" in shown
    assert len(shown) == len(set(shown))


def test_each_period_and_regime_has_its_colour(ax):
    ds = datasets.settled().drop_vars("lyapunov")
    figures.draw(ds, ax=ax)
    picture = ax.images[0].get_array()
    expected = {"period 1": regime.PERIODS[0], "chaotic": regime.OTHERS["chaotic"]}
    masks = {
        "period 1": (ds["period"] == 1).values,
        "chaotic": (ds["regime"] == datasets.REGIMES.index("chaotic")).values,
    }
    for name, colour in expected.items():
        assert masks[name].any()
        assert np.allclose(picture[masks[name].T], to_rgb(colour))


def test_colours_of_periods_and_regimes_are_distinct():
    every = [*regime.PERIODS, regime.LONGER]
    assert len(set(every)) == len(every)
    assert not set(every) & set(regime.OTHERS.values())


def test_periods_alone_and_regimes_alone(ax):
    ds = datasets.settled()
    figures.draw(ds.drop_vars(["lyapunov", "regime"]), ax=ax)
    shown = labels(ax)
    assert shown[0] == "period 1"
    assert shown[-1] == "none found"
    figures.draw(ds.drop_vars(["lyapunov", "period", "status"]), ax=ax)
    assert labels(ax) == ["periodic", "chaotic", "unresolved", "escaped"]


def test_zero_is_in_the_middle_of_an_exponent_s_colours(ax):
    figures.draw(datasets.settled(), ax=ax)
    norm = ax.images[0].norm
    assert norm(0.0) == pytest.approx(0.5)
    assert norm(norm.vmin) == 0
    assert norm(norm.vmax) == 1
    assert "escaped" in labels(ax)


def test_a_superstable_cycle_is_the_coldest_not_a_gap(ax):
    ds = datasets.settled(20)
    ds["lyapunov"][0, 0] = -np.inf
    figures.draw(ds, ax=ax)
    (image,) = ax.images
    assert not np.ma.getmaskarray(image.get_array())[0, 0]
    assert image.get_array()[0, 0] < image.norm.vmin
    assert image.cmap.colorbar_extend == "min"


def test_a_complex_parameter_has_one_scale_and_black_where_it_never_escapes():
    figure = figures.draw(complex_plane())
    panel, bar = figure.axes
    assert panel.get_aspect() == 1
    assert bar.get_ylabel() == "smoothed count of iterations"
    (image,) = panel.images
    inside = np.ma.getmaskarray(image.get_array())
    # c = 0 stays, c = 0.5 + 1.2i leaves.
    assert inside[40, 64]
    assert not inside[-1, -1]
    assert np.allclose(image.cmap.get_bad()[:3], 0)


def test_the_scale_of_escapes_is_logarithmic_with_plain_numbers():
    figure = figures.draw(complex_plane())
    figure.draw_without_rendering()
    bar = figure.axes[1]
    assert bar.get_yscale() == "log"
    assert "10" in [tick.get_text() for tick in bar.get_yticklabels()]


def test_a_plane_needs_two_axes_and_a_line_one():
    with pytest.raises(CobwebError, match=r'"plane": it needs two axes; .* scalar'):
        figures.draw(datasets.exponents(20), name="plane")
    with pytest.raises(CobwebError, match=r'"scalar": .* one axis alone; .* plane'):
        figures.draw(datasets.settled(10), name="scalar")
    bare = datasets.settled(10)[["lyapunov"]].expand_dims(window=9)
    with pytest.raises(CobwebError, match=r'"plane": it needs a number for each cell'):
        figures.draw(bare, name="plane")


def test_a_further_axis_is_held_in_its_middle():
    ds = datasets.settled(20).expand_dims(b=np.array([0.1, 0.2, 0.3]))
    document = yaml.safe_load(ds.attrs["document"])
    ds.attrs["document"] = yaml.safe_dump(document | {"grid": {**document["grid"], "b": {}}})
    assert "$b = 0.2$" in figures.draw(ds, name="plane").get_suptitle()


def test_a_basin_s_legend_names_the_attractors(ax):
    ds = datasets.escape(30)
    basin = ds["status"].astype(np.int32).where(ds["status"] == 0, -1)
    ds = ds.drop_vars("escape_iteration").assign(
        basin=basin, attractor_period=("attractor", np.array([7, 0]))
    )
    ds["basin"].attrs = {"long_name": "index of the attractor", "units": "1"}
    figures.draw(ds, name="plane", ax=ax)
    assert [text.split(" (")[0] for text in labels(ax)] == ["escaped", "attractor 0, period 7"]
