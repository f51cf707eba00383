"""What each kind but the bifurcation diagram puts on the page."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import yaml
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from tests.figures import datasets


@pytest.fixture
def ax():
    return Figure().subplots()


def labels(ax) -> list[str]:
    """The legend's entries."""
    return [t.get_text() for t in ax.get_legend().get_texts()]


def test_a_cobweb_s_staircase_alternates_between_curve_and_diagonal(ax):
    figures.draw(datasets.tent(20), name="cobweb", ax=ax)
    curve, diagonal, stairs, start = ax.lines
    x, y = stairs.get_data()
    assert np.all(x[::2] == y[::2])
    assert y[1::2] == pytest.approx(1.8 * np.minimum(x[1::2], 1 - x[1::2]))
    assert (start.get_xdata()[0], start.get_ydata()[0]) == (0.23, 0.23)
    assert np.nanmax(curve.get_ydata()) == pytest.approx(0.9, abs=1e-3)
    assert np.all(diagonal.get_xdata() == diagonal.get_ydata())
    assert ax.get_aspect() == 1
    assert labels(ax) == ["$g(x)$", "diagonal", "orbit", "$x_{0}$"]


def test_a_cobweb_after_a_transient_marks_where_it_begins(ax):
    figures.draw(datasets.single(transient=100), name="cobweb", ax=ax)
    assert "$x_{101}$" in labels(ax)


def test_a_cobweb_of_an_axis_draws_the_first_cell_and_says_so():
    figure = figures.draw(datasets.logistic(5, 30, 0), name="cobweb")
    assert "$a = 3.4$" in figure.get_suptitle()


def test_a_map_with_jumps_is_drawn_without_strokes_across_them(ax):
    x = np.array([0.1, 0.2, 0.4, 0.8, 0.6, 0.2])
    document = {
        "map": {
            "equations": {"x": "mod(2*x, 1)"},
            "parameters": {},
            "initial": {"x": 0.1},
            "modulus": {"x": 1},
        }
    }
    ds = datasets.dataset(document, {"iteration": np.arange(6)}, {"x": (("iteration",), x)})
    figures.draw(ds, name="cobweb", ax=ax)
    y = ax.lines[0].get_ydata()
    assert np.isnan(y).sum() == 1


def test_a_cobweb_needs_every_step():
    ds = datasets.single().isel(iteration=slice(None, None, 2))
    with pytest.raises(CobwebError, match=r"orbit\.every=1"):
        figures.draw(ds, name="cobweb")


def test_the_seed_s_basin_is_shaded_from_minus_7_to_7(ax):
    figures.draw(datasets.seed_basin(), ax=ax)
    (shade,) = ax.patches
    # REFERENCE row 10: the basin of 3 is (-7, 7).
    assert shade.get_x() == pytest.approx(-7)
    assert shade.get_x() + shade.get_width() == pytest.approx(7)
    shown = labels(ax)
    assert "attracting fixed point $3$" in shown
    assert "repelling fixed point $7$" in shown
    assert "escaped" in shown
    low, high = ax.get_ylim()
    assert 2 < low < 3
    assert 7 < high < 9


def test_a_phase_portrait_has_a_colour_for_each_start(ax):
    figures.draw(datasets.standard(5, 100), ax=ax)
    assert len({line.get_color() for line in ax.lines}) == 5
    assert len(labels(ax)) == 5
    assert ax.get_xlim() == ax.get_ylim() == (0, 2 * np.pi)
    assert [t.get_text() for t in ax.get_xticklabels()][-1] == r"$2\pi$"


def test_many_starts_are_coloured_by_their_exponents():
    ds = datasets.standard(40, 1000)
    exponents = np.linspace(0, 0.2, 40)[:, None]
    ds["lyapunov"] = (("p0", "exponent"), exponents, {"long_name": "Lyapunov exponent"})
    panel, bar = figures.draw(ds).axes
    assert bar.get_ylabel() == "Lyapunov exponent"
    picture = panel.images[0].get_array()
    colours = np.unique(picture[picture[..., 3] > 0].round(3), axis=0)
    assert len(colours) > 10


def test_many_points_are_a_density(ax):
    figures.draw(datasets.henon(25_000), ax=ax)
    assert len(ax.images) == 1
    assert not ax.lines


def test_of_half_a_million_points_a_part_is_enlarged():
    whole, part = figures.draw(datasets.henon(500_000)).axes
    (frame,) = whole.patches
    left, right = part.get_xlim()
    assert (frame.get_x(), frame.get_width()) == pytest.approx((left, right - left))
    low, high = part.get_ylim()
    assert high - low == pytest.approx(0.12 * np.ptp(whole.get_ylim()))
    # Several leaves of the attractor cross the part.
    column = part.images[0].get_array()[:, 400, 3] > 0
    assert np.count_nonzero(np.diff(column.astype(int)) == 1) >= 4


def test_three_components_are_three_planes():
    x, y, z = np.random.default_rng(0).random((3, 50))
    ds = datasets.dataset(
        None,
        {"iteration": np.arange(50)},
        {n: (("iteration",), v) for n, v in zip("xyz", (x, y, z), strict=True)},
    )
    figure = figures.draw(ds)
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes] == [
        ("$x$", "$y$"),
        ("$x$", "$z$"),
        ("$y$", "$z$"),
    ]


def test_a_complex_component_is_drawn_in_its_plane(ax):
    z = np.exp(1j * np.arange(50))
    ds = datasets.dataset(
        None,
        {"iteration": np.arange(50)},
        {"z_re": (("iteration",), z.real), "z_im": (("iteration",), z.imag)},
    )
    assert figures.choose(ds, "auto") == "phase_portrait"
    figures.draw(ds, ax=ax)
    assert r"\mathrm{Re}\,z" in ax.get_xlabel()
    assert r"\mathrm{Im}\,z" in ax.get_ylabel()


def test_escaped_orbits_do_not_set_the_limits_of_a_time_series(ax):
    figures.draw(datasets.seed_basin(3.0, orbit=True), name="time_series", ax=ax)
    low, high = ax.get_ylim()
    assert -8 < low < -6
    assert 6 < high < 8
    assert labels(ax).count("escaped") == 1


def test_what_has_settled_is_not_drawn_on(ax):
    figures.draw(datasets.seed_basin(3.0, orbit=True), name="time_series", ax=ax)
    assert ax.get_xlim()[1] < 50


def test_many_cells_are_a_band(ax):
    figures.draw(datasets.seed_basin(0.25, orbit=True), name="time_series", ax=ax)
    assert labels(ax) == ["median", "25 to 75 % of cells", "5 to 95 % of cells"]


def test_every_component_has_a_panel():
    figure = figures.draw(datasets.henon(50), name="time_series")
    assert [ax.get_ylabel() for ax in figure.axes] == ["$x$", "$y$"]


def test_a_lattice_is_an_image_over_index_and_iteration(ax):
    figures.draw(datasets.lattice(20, 100), ax=ax)
    (image,) = ax.images
    assert image.get_array().shape[1] == 20
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("index", "iteration $n$")


def test_convergence_is_semilogarithmic_with_the_tolerance_and_the_path():
    figure = figures.draw(datasets.newton())
    history, plane = figure.axes
    assert history.get_yscale() == "log"
    residual = history.lines[0].get_ydata()
    # REFERENCE row 45: from (-1.2, 1); |gradient| there is 232.8677.
    assert residual[0] == pytest.approx(232.8677, rel=1e-6)
    (band,) = history.patches
    assert band.get_y() == pytest.approx(1e-10 + 1e-8 * residual[0])
    assert plane.lines[0].get_xdata()[0] == -1.2
    assert (plane.get_xlabel(), plane.get_ylabel()) == ("$x$", "$y$")
    assert len(plane.collections) >= 2


def test_a_line_for_each_cell(ax):
    figures.draw(datasets.ascent(), ax=ax)
    shown = labels(ax)
    assert [text for text in shown if "step" in text] == [
        r"$\mathrm{step} = 0.05$",
        r"$\mathrm{step} = 0.1$",
        r"$\mathrm{step} = 0.12$",
    ]
    assert len(ax.lines) == 6


def test_newton_s_basins_are_coloured_by_root(ax):
    figures.draw(datasets.newton_fractal(101), ax=ax)
    shown = labels(ax)
    # The roots of z³ - 1; the origin (a node of an odd grid) is undefined.
    assert shown[0].startswith("$-0.5-0.866i$")
    assert shown[1].startswith("$-0.5+0.866i$")
    assert shown[2].startswith("$1$")
    assert shown[3].startswith("none of these")


def test_a_status_map_counts_what_it_shows(ax):
    ds = datasets.escape(50)
    figures.draw(ds, name="status_map", ax=ax)
    share = 100 * float((ds["status"] == 2).mean())
    assert f"escaped ({share:.3g} %)" in labels(ax)
    assert ax.get_aspect() == "auto"


def test_never_escaping_is_black(ax):
    figures.draw(datasets.escape(50), ax=ax)
    assert labels(ax) == ["never"]


def test_a_scalar_over_one_axis_is_a_line(ax):
    figures.draw(datasets.exponents(100), ax=ax)
    assert ax.lines[0].get_xdata().size == 100
    # Superstable cycles reach towards minus infinity: the limits do not follow.
    assert ax.get_ylim()[0] > -3


def test_exponents_below_the_scale_are_marked_and_counted_for(ax):
    ds = datasets.exponents(100)
    ds["lyapunov"][30] = -np.inf
    figures.draw(ds, ax=ax)
    (marks,) = [line for line in ax.lines if line.get_marker() == "v"]
    assert ds["a"].values[30] in marks.get_xdata()
    assert labels(ax) == [r"below the scale, down to $-\infty$"]


@pytest.mark.parametrize("error", [0.001, 0.2])
def test_a_standard_error_is_a_band_where_it_can_be_seen(error, ax):
    ds = datasets.exponents(100)
    ds["lyapunov_error"] = xr.full_like(ds["lyapunov"], error)
    figures.draw(ds, ax=ax)
    assert ("standard error" in labels(ax)) == (error > 0.1)


def test_a_paired_axis_is_drawn_over_its_count():
    ds = datasets.logistic(50, 30, 10)
    document = yaml.safe_load(ds.attrs["document"])
    document["grid"] = {"pair": {"of": ["a", "x0"]}}
    ds = ds.rename(a="pair").assign_coords(pair=np.arange(50), a=("pair", ds["a"].values))
    ds.attrs["document"] = yaml.safe_dump(document)
    figure = figures.draw(ds)
    assert figure.axes[0].get_xlim() == pytest.approx((-0.5, 49.5))
