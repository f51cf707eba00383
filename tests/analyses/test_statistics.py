import math

import numpy as np
import pytest

from pipeline import config, run
from pipeline.errors import ConfigError

STATISTICS = ["experiment=orbit", "analysis=[statistics]", "figure=none"]
# Sums in another order.
ROUNDING = 1e-13
# Five standard errors of a mean over 10^6 chaotic steps.
SAMPLING = 3e-3


def together(*overrides):
    """The statistics with the orbit that they are of."""
    return run("experiment=orbit", "analysis=[orbit, statistics]", "figure=none", *overrides)


def check(ds, name, axis=-1, rtol=ROUNDING):
    orbit = ds[name].values
    part = name[-3:] if name.endswith(("_re", "_im")) else ""
    base = name.removesuffix(part)
    for suffix, f in (("mean", np.mean), ("std", np.std), ("min", np.min), ("max", np.max)):
        found = ds[f"{base}_{suffix}{part}"].values
        np.testing.assert_allclose(found, f(orbit, axis=axis), rtol=rtol, err_msg=suffix)


def test_of_the_orbit_beside_them():
    ds = together(
        "iterate.transient=100", "iterate.length=1003", "grid={a: {start: 3.5, stop: 4, num: 7}}"
    )
    check(ds, "x")
    henon = together("map=henon", "iterate.transient=10", "iterate.length=777")
    check(henon, "x")
    check(henon, "y")


def test_of_complex_and_vector_components():
    ds = together("map=quadratic_c", "map.parameters.c=-0.3+0.5j", "iterate.transient=3")
    check(ds, "z_re")
    check(ds, "z_im")
    assert ds.z_mean_re.attrs["ancillary_variables"] == "z_mean_re_error"
    lattice = together("map=coupled_logistic", "iterate.transient=5", "iterate.length=300")
    assert lattice.x_mean.dims == ("x_dim",)
    check(lattice, "x", axis=0)


def test_invariant_density_at_4():
    # Row 9: mean 1/2, variance 1/8.
    ds = run(*STATISTICS, "map.parameters.a=4", "map.initial.x=0.1", "iterate.length=1000000")
    assert float(ds.x_mean) == pytest.approx(0.5, abs=SAMPLING)
    assert float(ds.x_std) ** 2 == pytest.approx(0.125, abs=SAMPLING)
    # Successive states are uncorrelated, so the error is that of independent draws.
    assert float(ds.x_mean_error) == pytest.approx(math.sqrt(0.125 / 1e6), rel=0.5)
    assert abs(float(ds.x_mean) - 0.5) < 5 * float(ds.x_mean_error)


@pytest.mark.parametrize(
    ("precision", "size", "rtol"), [("double", 1e8, 1e-7), ("single", 1e3, 1e-3)]
)
def test_small_fluctuations_about_a_large_mean(precision, size, rtol):
    # u is the logistic map, x is it shifted; the last digits of x are all that rtol leaves.
    ds = together(
        "map=custom",
        "map.equations={u: '4*u*(1 - u)', x: 'shift + u'}",
        f"map.parameters={{shift: {size}}}",
        "map.initial={u: 0.1, x: 0}",
        "map.escape_radius=1e12",
        "iterate.transient=100",
        "iterate.length=20000",
        f"device.precision={precision}",
    )
    orbit = ds.x.values.astype(float)
    assert float(ds.x_mean) == pytest.approx(orbit.mean(), rel=float(np.finfo(ds.x.dtype).eps))
    assert float(ds.x_std) == pytest.approx(orbit.std(), rel=rtol)


def test_a_start_far_away_costs_no_digits():
    ds = together(
        "map=custom",
        "map.equations={x: 'where(abs(x) > 100, 0.1, 4*x*(1 - x))'}",
        "map.parameters={}",
        "map.initial={x: 1e8}",
        "map.escape_radius=1e12",
        "iterate.length=5000",
    )
    # The start is no state of the length; the orbit beside it has it as x_0.
    kept = ds.x.values[1:]
    assert float(ds.x_mean) == pytest.approx(kept.mean(), rel=ROUNDING)
    assert float(ds.x_std) == pytest.approx(kept.std(), rel=ROUNDING)


def test_of_a_constant():
    ds = run(*STATISTICS, "map.parameters.a=2", "map.initial.x=0.5", "iterate.length=100")
    assert [float(ds[f"x_{k}"]) for k in ("mean", "std", "min", "max")] == [0.5, 0, 0.5, 0.5]


def test_an_escaped_cell_has_none():
    ds = run(
        *STATISTICS, "grid={a: {values: [3.9, 4.5]}}", "map.initial.x=0.3", "iterate.length=1000"
    )
    for name in ("x_mean", "x_mean_error", "x_std", "x_min", "x_max"):
        assert np.isnan(ds[name].values).tolist() == [False, True], name


def test_a_short_length_has_no_error():
    assert math.isnan(float(run(*STATISTICS, "iterate.length=20").x_mean_error))


def test_windows_of_another_analysis_leave_the_error_its_parts():
    asked = ["experiment=orbit", "figure=none", "map.initial.x=0.1", "iterate.length=32000"]
    alone = run(*asked, "analysis=[statistics]")
    beside = run(*asked, "analysis=[statistics, lyapunov]", "analysis.lyapunov.window=5")
    assert float(beside.x_mean_error) == pytest.approx(float(alone.x_mean_error), rel=0.5)


def test_not_of_what_ends_early():
    asked = config.compose(["experiment=quadratic_basin", "solver=secant", "analysis=[statistics]"])
    with pytest.raises(ConfigError, match=r"analysis.statistics: a step of secant is no map"):
        config.read(asked)
    asked = config.compose([*STATISTICS, "iterate.stop=converged"])
    with pytest.raises(ConfigError, match=r"averages are over iterate.length steps"):
        config.read(asked)
