import math

import numpy as np
import pytest

from pipeline import config, run
from pipeline.errors import ConfigError

DENSITY = ["experiment=orbit", "analysis=[density]", "figure=none"]
UNIT = "analysis.density.range=[0,1]"
# Sums of some hundred rounded densities.
ROUNDING = 1e-12
# Of the share of 10^6 correlated states in a bin, relatively.
SAMPLING = 0.1


def test_is_the_histogram_of_the_orbit_beside_it():
    ds = run(
        "experiment=orbit", "analysis=[orbit, density]", "figure=none", "iterate.transient=50",
        "iterate.length=5000", "grid={a: {start: 3.6, stop: 4, num: 5}}", "map.initial.x=0.1",
        "analysis.density.range=[0.2, 0.9]", "analysis.density.bins=37",
    )  # fmt: skip
    for i in range(5):
        expected, edges = np.histogram(ds.x.values[i], 37, (0.2, 0.9))
        inside = expected.sum()
        np.testing.assert_allclose(
            ds.density.values[i], expected / inside / np.diff(edges), rtol=ROUNDING
        )
        assert float(ds.density_outside[i]) == pytest.approx(1 - inside / 5000, abs=ROUNDING)
    np.testing.assert_allclose(ds.x_bin, (edges[1:] + edges[:-1]) / 2, rtol=ROUNDING)
    np.testing.assert_array_equal(ds.x_bin.attrs["range"], [0.2, 0.9])


def test_of_two_components_is_joint():
    ds = run(
        "experiment=orbit", "analysis=[orbit, density]", "figure=none", "map=henon",
        "iterate.transient=50", "iterate.length=3000", "analysis.density.bins=[20, 10]",
        "analysis.density.range={y: [-0.4, 0.4], x: [-1, 1]}",
    )  # fmt: skip
    assert ds.density.dims == ("x_bin", "y_bin")
    expected, *_ = np.histogram2d(
        ds.x.values, ds.y.values, [20, 10], [(-1, 1), (-0.4, 0.4)], density=True
    )
    np.testing.assert_allclose(ds.density, expected, rtol=ROUNDING)
    assert float(ds.density.sum()) * 0.1 * 0.08 == pytest.approx(1, rel=ROUNDING)


def test_invariant_density_at_4():
    # Row 9: the share below x is 2/pi arcsin(sqrt(x)).
    ds = run(
        *DENSITY, UNIT, "map.parameters.a=4", "map.initial.x=0.1", "iterate.length=1000000",
        "analysis.density.bins=20",
    )  # fmt: skip
    edges = np.linspace(0, 1, 21)
    expected = np.diff(2 / math.pi * np.arcsin(np.sqrt(edges))) * 20
    np.testing.assert_allclose(ds.density, expected, rtol=SAMPLING)


def test_gauss_measure_of_continued_fractions():
    # The share below x is log2(1 + x).
    ds = run(
        *DENSITY, "map=continued_fraction", "iterate.length=200000", UNIT,
        "analysis.density.bins=10", "grid={x0: {sample: uniform, num: 8, low: 0, high: 1}}",
    )  # fmt: skip
    expected = np.diff(np.log2(1 + np.linspace(0, 1, 11))) * 10
    np.testing.assert_allclose(ds.density.mean("x0"), expected, rtol=SAMPLING)


def test_a_circle_is_its_own_range():
    ds = run(*DENSITY, "map=standard", "iterate.length=1000", "analysis.density.bins=8")
    assert ds.density.dims == ("theta_bin", "p_bin")
    np.testing.assert_allclose(ds.theta_bin.attrs["range"], [0, 2 * math.pi])
    assert float(ds.density_outside) == 0


def test_parts_and_entries():
    ds = run(
        *DENSITY, "map=quadratic_c", "map.parameters.c=-0.3+0.5j", "analysis.density.bins=6",
        "analysis.density.range={z: [-2, 2]}",
    )  # fmt: skip
    assert ds.density.dims == ("z_re_bin", "z_im_bin")
    ds = run(
        *DENSITY, "map=coupled_logistic", UNIT, "analysis.density.components=[x_3]",
        "iterate.length=100",
    )  # fmt: skip
    assert ds.density.dims == ("x_3_bin",)
    assert float(ds.density.sum()) / 100 == pytest.approx(1, rel=ROUNDING)


def test_single_precision():
    ds = run(*DENSITY, UNIT, "device.precision=single", "map.initial.x=0.1")
    assert ds.density.dtype == np.float32
    assert float(ds.density.sum()) / 100 == pytest.approx(1, rel=1e-5)


def test_nothing_inside_and_escaped():
    ds = run(
        *DENSITY, "analysis.density.range=[2, 3]", "grid={a: {values: [3.9, 4.5]}}",
        "map.initial.x=0.3",
    )  # fmt: skip
    assert (ds.density.values[0] == 0).all()
    assert float(ds.density_outside[0]) == 1
    assert np.isnan(ds.density.values[1]).all()
    assert math.isnan(float(ds.density_outside[1]))


def test_the_upper_bound_is_inside():
    # The orbit is 1, 0, 1, 0, ...
    ds = run(
        *DENSITY, UNIT, "map=custom", "map.equations={x: 1 - x}", "map.parameters={}",
        "map.initial={x: 0}", "iterate.length=10", "analysis.density.bins=2",
    )  # fmt: skip
    assert ds.density.values.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "density.range = null: expected the bounds of x, such as {x: [0, 1]}."),
        (["map=henon", "range={x: [0, 1]}"], "expected the bounds of y, such as {y: [0, 1]}."),
        (["range=[1, 0]"], "expected [low, high] with low < high, or {name: [low, high], ...}."),
        (["range={x: 3}"], "expected [low, high] with low < high, or {name: [low, high], ...}."),
        (["range={u: [0, 1], x: [0, 1]}"], "there is no u (known: x)."),
        (["components=[u]"], 'components = ["u"]: there is no u (known: x).'),
        (["components=[]"], "components = []: expected a list of names."),
        (["range=[0, 1]", "bins=0"], "bins = 0: expected an integer >= 1"),
        (["range=[0, 1]", "bins=[2, 2]"], "expected one number, or one for each of x."),
        (["range=[0, 1]", "map=henon", "bins=10000"], "at most 10,000,000 bins together."),
        (
            ["range=[0, 1]", "map=coupled_logistic", "components=[x]"],
            "expected at most 4 numbers, such as [x_0].",
        ),
    ],
)  # fmt: skip
def test_mistakes(overrides, message):
    own = [o if o.startswith("map=") else f"analysis.density.{o}" for o in overrides]
    with pytest.raises(ConfigError) as caught:
        config.read(config.compose([*DENSITY, *own]))
    assert message in str(caught.value)
