"""Cycles: counts and multipliers known on paper, a naive search, and what the search promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline import verification
from pipeline.__main__ import main
from pipeline.analyses.cycles import Searched
from pipeline.analyses.refine import Walk
from pipeline.analyses.shooting import shoot
from pipeline.errors import ConfigError

ROUNDING = 1e-12  # of sums of a few terms of order 1
PRINTED = 1e-9  # digits of the table
# A double root is known to the root of the precision.
DOUBLE = 1e-6
LOGISTIC = ["map=logistic", "map.initial.x=0.3"]


def found(*overrides):
    """The dataset of a search."""
    return pipeline.run("experiment=orbit", "analysis=[cycles]", "figure=none", *overrides)


def counted(ds):
    """Cycles of each period, from 1 to the longest sought."""
    periods = ds.cycle_period.values.ravel()
    return [int((periods == p).sum()) for p in range(1, ds.sizes["cycle_point"] + 1)]


def points(ds, period, component="x"):
    """[m, p] of one cell."""
    own = ds[f"cycle_{component}"].values[ds.cycle_period.values == period]
    return own[:, :period]


def test_prime_cycles_of_the_logistic_map_at_4():
    # Row 8: there are as many as binary necklaces.
    ds = found(*LOGISTIC, "map.parameters.a=4")
    assert counted(ds) == [2, 1, 2, 3, 6, 9, 18, 30]
    assert int(ds.cycle_count) == 71
    assert int(ds.cycle_search) == Searched.settled
    # In x = sin(t)^2 the map doubles t: every point is sin(pi k / (2^p -+ 1))^2.
    for period in range(1, 9):
        own = np.sort(points(ds, period).ravel())
        exact = np.concatenate(
            [np.sin(np.pi * np.arange(q) / q) ** 2 for q in (2**period - 1, 2**period + 1)]
        )
        assert np.abs(own[:, None] - exact).min(axis=1).max() < ROUNDING
        assert np.abs(ds.multiplier_re.values[ds.cycle_period.values == period, 0]) == (
            pytest.approx(2.0**period, rel=PRINTED) if period > 1 else pytest.approx([4, 2])
        )


@pytest.mark.slow
def test_prime_cycles_up_to_period_11():
    ds = found(*LOGISTIC, "map.parameters.a=4", "analysis.cycles={max_period: 11, max_cycles: 500}")
    assert counted(ds) == [2, 1, 2, 3, 6, 9, 18, 30, 56, 99, 186]


def test_cycles_of_the_henon_map():
    ds = found("map=henon")
    # Row 15.
    assert counted(ds) == [2, 1, 0, 1, 0, 2, 4, 7]
    # Row 12, row 13: fixed points and their multipliers.
    assert points(ds, 1).ravel() == pytest.approx([-1.131354477089505, 0.631354477089505])
    assert points(ds, 1, "y").ravel() == pytest.approx([-0.339406343126851, 0.189406343126851])
    assert ds.multiplier_re.values[:2] == pytest.approx(
        np.array([[3.259822098, -0.092029562], [-1.923738858, 0.155946322]]), abs=PRINTED
    )
    # Row 14: the point of period 2; the trace of its Jacobian is the sum of the multipliers.
    assert points(ds, 2).ravel()[1] == pytest.approx(0.975800051175056, abs=ROUNDING)
    assert points(ds, 2, "y").ravel()[1] == pytest.approx(-0.142740015352517, abs=ROUNDING)
    assert ds.multiplier_re.values[2].sum() == pytest.approx(-3.04)
    # The determinant is (-b)^p, which the small one of the multipliers must keep.
    product = ds.multiplier_re.values.prod(axis=1)[: int(ds.cycle_count)]
    assert product == pytest.approx((-0.3) ** ds.cycle_period.values[: int(ds.cycle_count)])
    assert (ds.multiplier_im.values[: int(ds.cycle_count)] == 0).all()


def test_fixed_points_of_powers_of_the_cat_map():
    # Row 20: 1, 5, 16, 45, 121.
    ds = found("map=arnold_cat", "analysis.cycles.max_period=5")
    prime = counted(ds)
    powers = [sum(p * prime[p - 1] for p in range(1, n + 1) if n % p == 0) for n in range(1, 6)]
    assert powers == [1, 5, 16, 45, 121]
    # The trace of the 5th power is that of exponents +-0.962423650.
    last = np.flatnonzero(ds.cycle_period.values == 5)
    assert ds.multiplier_re.values[last, 0] == pytest.approx(np.exp(5 * 0.962423650119))


def test_multipliers_of_the_first_periods():
    # Rows 5 and 6.
    ds = found(*LOGISTIC, "grid.a={values: [2.5, 3.2, 3.4]}", "analysis.cycles.max_period=2")
    a = ds.a.values
    one = ds.multiplier_re.values[:, :, 0]
    assert ds.cycle_x.values[:, 1, 0] == pytest.approx(1 - 1 / a)
    assert one[:, 0] == pytest.approx(a)
    assert one[:, 1] == pytest.approx(2 - a)
    assert ds.cycle_stable.values[:, :3].tolist() == [[0, 1, -1], [0, 0, 1], [0, 0, 1]]
    assert one[1:, 2] == pytest.approx(4 + 2 * a[1:] - a[1:] ** 2)


@pytest.mark.parametrize("a", [1.5, 2.9, 3.3, 3.5, 3.7, 3.83, 3.9, 4.0])
def test_against_the_roots_of_the_polynomial(a):
    """Up to period 4, g^p(x) - x has degree 16 and its real roots are numpy's."""
    ds = found(*LOGISTIC, f"map.parameters.a={a}", "analysis.cycles.max_period=4")
    known = np.zeros(0)
    for period in range(1, 5):
        g = identity = np.polynomial.Polynomial([0, 1])
        for _ in range(period):
            g = a * g * (1 - g)
        roots = (g - identity).roots()
        real = roots[np.abs(roots.imag) < 1e-7].real
        divisors = [points(ds, q).ravel() for q in range(1, period + 1) if period % q == 0]
        own = np.sort(np.concatenate(divisors))
        assert own == pytest.approx(np.sort(real), abs=1e-6)
        known = np.concatenate([known, own])


def test_single_precision_misses_none():
    ds = found(*LOGISTIC, "map.parameters.a=4", "device.precision=single")
    assert ds.cycle_x.dtype == np.float32
    assert counted(ds) == [2, 1, 2, 3, 6, 9, 18, 30]


@pytest.mark.slow
def test_few_starts_do_as_well_as_many():
    # A cycle of period 8 far from the attractor, which few starts reach, goes on from cell to cell.
    words = ["map=delayed_logistic", "grid.a={start: 1.6, stop: 2.0, num: 31}"]
    few, many = (found(*words, f"analysis.cycles.starts={n}") for n in (32, 256))
    assert (few.cycle_period.values == many.cycle_period.values).all()
    assert (few.cycle_count.values == 5).all()


def test_superstable_cycles():
    # Row 3.
    for a, period in ((1 + 5**0.5, 2), (3.49856169932770152, 4)):
        ds = found(*LOGISTIC, f"map.parameters.a={a!r}", "analysis.cycles.max_period=4")
        place = int(np.flatnonzero(ds.cycle_stable.values == 1)[0])
        assert int(ds.cycle_period[place]) == period
        assert float(ds.multiplier_re[place, 0]) == pytest.approx(0, abs=PRINTED)


def test_where_the_window_of_period_3_opens():
    # Row 4: there the two cycles of period 3 are one, whose multiplier is 1.
    ds = found(
        *LOGISTIC, f"map.parameters.a={1 + 8**0.5 + 1e-15!r}", "analysis.cycles.max_period=3"
    )
    assert counted(ds) == [2, 1, 1]
    assert points(ds, 3)[0] == pytest.approx([0.159928818, 0.514355277, 0.956317842], abs=DOUBLE)
    assert ds.cycle_stable.values[3] == 0
    beyond = found(*LOGISTIC, "map.parameters.a=3.8285", "analysis.cycles.max_period=3")
    assert counted(beyond) == [2, 1, 2]
    before = found(*LOGISTIC, "map.parameters.a=3.8284", "analysis.cycles.max_period=3")
    assert counted(before) == [2, 1, 0]


def test_a_flip_gives_birth_to_no_cycle_at_itself():
    # At a = 3 the multiplier is -1, and x = 2/3 a triple root of g^2(x) - x.
    ds = found(*LOGISTIC, "grid.a={values: [3, 3.0001]}", "analysis.cycles.max_period=4")
    assert ds.cycle_count.values.tolist() == [2, 3]
    assert ds.cycle_stable.values[:, :3].tolist() == [[0, 0, -1], [0, 0, 1]]
    assert float(ds.multiplier_re[0, 1, 0]) == pytest.approx(-1)


@pytest.mark.slow
def test_maps_with_kinks_and_cuts():
    # The tent map at 2 has the logistic map's cycles; so has the baker map, cut anywhere.
    assert counted(found("map=tent", "map.parameters.mu=2"))[:7] == [2, 1, 2, 3, 6, 9, 18]
    assert counted(found("map=baker", "analysis.cycles.max_period=6")) == [2, 1, 2, 3, 6, 9]
    assert counted(found("map=lozi", "analysis.cycles.max_period=2")) == [2, 1]


def test_components_out_of_alphabetical_order():
    # The standard map's theta and p: sin(theta) = 0 and p = 0.
    ds = found("map=standard", "analysis.cycles.max_period=1")
    assert ds.cycle_theta.values[:2, 0] == pytest.approx([0, np.pi])
    assert ds.cycle_p.values[:2, 0] == pytest.approx([0, 0])
    # An elliptic point's multipliers are on the unit circle: it does not attract.
    inner = ds.multiplier_re.values[1] + 1j * ds.multiplier_im.values[1]
    assert np.abs(inner) == pytest.approx(1)
    assert (ds.cycle_stable.values[:2] == 0).all()


def test_complex_components_are_two_reals():
    # z^2 - 1: fixed points (1 +- sqrt 5) / 2, and 0, -1, whose multiplier is 0.
    ds = found("map=quadratic_c", "map.parameters.c=-1+0j", "analysis.cycles.max_period=2")
    assert ds.cycle_z_re.values[:2, 0] == pytest.approx([(1 - 5**0.5) / 2, (1 + 5**0.5) / 2])
    assert points(ds, 2, "z_re")[0] == pytest.approx([-1, 0], abs=ROUNDING)
    assert points(ds, 2, "z_im")[0] == pytest.approx([0, 0], abs=ROUNDING)
    assert np.hypot(ds.multiplier_re, ds.multiplier_im).values[2] == pytest.approx([0, 0])
    assert int(ds.cycle_stable[2]) == 1


def test_a_vector_component_has_a_dimension():
    lattice = ["map=coupled_logistic", "map.initial.x.size=2"]
    ds = found(*lattice, "analysis.cycles.max_period=1")
    assert ds.cycle_x.dims == ("cycle", "cycle_point", "x_dim")
    # The synchronous fixed points are those of one logistic map.
    own = ds.cycle_x.values[: int(ds.cycle_count), 0]
    for value in (0.0, 1 - 1 / 3.9):
        assert np.abs(own - value).max(axis=1).min() < ROUNDING


def test_a_solver_is_a_map_too():
    # Row 41: Newton on x^3 - 2x + 2 has the cycle 0, 1, which is superstable, and one root.
    words = [
        "solver=newton", "map=custom", "map.equations={x: x**3 - x + 2}", "map.initial={x: 0.1}",
    ]  # fmt: skip
    ds = found(*words, "analysis.cycles.max_period=2")
    assert points(ds, 1).ravel() == pytest.approx([-1.7692923542386314])
    stable = ds.cycle_stable.values == 1
    assert ds.cycle_period.values[stable].tolist() == [1, 2]
    assert ds.cycle_x.values[stable][1, :2] == pytest.approx([0, 1], abs=ROUNDING)


@pytest.mark.slow
def test_a_long_cycle_is_one_in_each_link():
    for words in ([*LOGISTIC, "map.parameters.a=4"], ["map=henon"]):
        ds = found(*words, "analysis.cycles={min_period: 50, max_period: 50, max_cycles: 3}")
        assert (ds.cycle_period.values == 50).all()
        assert ds.cycle_residual.values.max() < 1e-10
        assert int(ds.cycle_search) == Searched.full
        x = ds.cycle_x.values[0]
        if "map=henon" in words:
            y = ds.cycle_y.values[0]
            assert np.abs(np.roll(x, -1) - (1 - 1.4 * x**2 + y)).max() < 1e-10
        else:
            assert np.abs(np.roll(x, -1) - 4 * x * (1 - x)).max() < 1e-10


def test_what_has_no_room_is_counted():
    ds = found(*LOGISTIC, "map.parameters.a=4", "analysis.cycles={max_period: 5, max_cycles: 4}")
    assert ds.cycle_period.values.tolist() == [1, 1, 2, 3]
    assert int(ds.cycle_count) == 14
    assert int(ds.cycle_search) == Searched.full


def test_padding():
    ds = found(*LOGISTIC, "map.parameters.a=2.5", "analysis.cycles={max_period: 3, max_cycles: 4}")
    assert ds.cycle_period.values.tolist() == [1, 1, 0, 0]
    assert ds.cycle_stable.values.tolist() == [0, 1, -1, -1]
    for name in ("cycle_x", "cycle_residual", "multiplier_re", "multiplier_im"):
        assert np.isnan(ds[name].values[2:]).all()
    assert np.isnan(ds.cycle_x.values[:2, 1:]).all()


@pytest.mark.slow
def test_results_are_the_cell_s_own():
    """The same cell alone, among others, and from another number of starts."""
    alone = found(*LOGISTIC, "grid.a={values: [3.9]}", "analysis.cycles.max_period=6")
    among = found(*LOGISTIC, "grid.a={values: [3.1, 3.9, 3.6]}", "analysis.cycles.max_period=6")
    more = found(*LOGISTIC, "grid.a={values: [3.9]}", "analysis.cycles={max_period: 6, starts: 50}")
    seed = found(*LOGISTIC, "grid.a={values: [3.9]}", "analysis.cycles.max_period=6", "seed=7")
    for other in (among.isel(a=[1]), more, seed):
        assert (other.cycle_period.values == alone.cycle_period.values).all()
        np.testing.assert_allclose(other.cycle_x.values, alone.cycle_x.values, atol=1e-11)
    again = found(*LOGISTIC, "grid.a={values: [3.9]}", "analysis.cycles.max_period=6")
    assert again.identical(alone)


@pytest.mark.slow
@given(a=st.floats(0.5, 1.4), b=st.floats(-0.4, 0.4))
@settings(max_examples=5)
def test_every_cycle_is_one_and_prime(a, b):
    words = ["map=henon", f"map.parameters={{a: {a!r}, b: {b!r}}}"]
    ds = found(*words, "analysis.cycles.max_period=6")
    for k in range(int(ds.cycle_count)):
        period = int(ds.cycle_period[k])
        x, y = ds.cycle_x.values[k, :period], ds.cycle_y.values[k, :period]
        gaps = np.roll(x, -1) - (1 - a * x**2 + y), np.roll(y, -1) - b * x
        assert np.abs(gaps).max() < ROUNDING * max(1, np.abs(x).max())
        assert np.abs(gaps).max() == pytest.approx(float(ds.cycle_residual[k]), abs=ROUNDING)
        distances = np.abs(x[:, None] - x) + np.abs(y[:, None] - y)
        assert (distances + np.eye(period)).min() > 1e-9
        assert x[0] == x.min()


def test_an_archive_is_resumed_and_verified(tmp_path, monkeypatch):
    words = [
        "experiment=cycles", "figure=none", "grid.a.num=5", "iterate.length=20",
        "iterate.transient=20", "analysis.cycles.max_period=4",
    ]  # fmt: skip
    pipeline.run(*words, folder=tmp_path / "whole").close()
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.job.searched", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(*words, folder=tmp_path / "stopped")
    assert main(["resume", str(tmp_path / "stopped")]) == 0
    with (
        pipeline.open(tmp_path / "whole" / "result.nc") as whole,
        pipeline.open(tmp_path / "stopped" / "result.nc") as resumed,
    ):
        assert resumed.drop_attrs().identical(whole.drop_attrs())
    assert verification.verify(tmp_path / "stopped" / "result.nc").outcome == "identical"


def test_the_command_tells_how_the_search_ended(tmp_path, capsys):
    words = ["experiment=orbit", "map=logistic", "analysis=[cycles]", "figure=none"]
    room = "analysis.cycles={max_period: 4, max_cycles: 2}"
    assert main(["run", *words, room, f"hydra.run.dir={tmp_path}"]) == 0
    told = capsys.readouterr().out
    assert "cycle_search: 1 full (more cycles than analysis.cycles.max_cycles)" in told


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["map.equations={x: 'a*x*(1 - x) + 0*n'}"], "a map whose formulas use n has no cycles"),
        (["solver=newton_cg"], "a step of newton_cg is no smooth map of the state alone"),
        (["map=coupled_logistic"], "the state has 64 real numbers; expected at most 12"),
        (["analysis.cycles={min_period: 9}"], "expected <= max_period = 8"),
        (["analysis.cycles={region: {z: [0, 1]}}"], r"there is no z \(known: x\)"),
        (["analysis.cycles={region: [1, 0]}"], r"expected \[low, high\] with low < high"),
    ],
)
def test_what_is_refused(words, reason):
    with pytest.raises(ConfigError, match=reason):
        found("map=logistic", *words)


def test_a_region_is_where_starts_lie():
    # x + sin(x) has a fixed point at each multiple of pi: the default box holds only the first.
    words = ["map=custom", "map.equations={x: 'x + sin(x)'}", "map.initial={x: 0.1}"]
    ds = found(*words, "analysis.cycles={max_period: 1, region: {x: [62, 63.5]}}")
    assert np.nanmin(np.abs(ds.cycle_x.values[:, 0] - 20 * np.pi)) < ROUNDING * 100


def test_rounding_excuses_no_gap_far_out():
    # Where the Ricker map's Jacobian is 1e18, or overflows, Newton's step is tiny, the gap is not.
    import jax.numpy as jnp

    walk = Walk(lambda u: u * jnp.exp(3 * (1 - u)), lambda new, old: new - old)
    one, none = jnp.ones(1), jnp.zeros(1)
    for x, good in ((-300.0, False), (-12.0, False), (0.99, True)):
        points = jnp.array([[x]])
        shot = shoot(walk, points, jnp.bool_(False), jnp.int32(1), one, none)
        assert bool(shot.good) == good
