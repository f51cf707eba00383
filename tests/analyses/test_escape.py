import math

import numpy as np
import pytest

from pipeline import config, run
from pipeline.errors import ConfigError

MANDELBROT = ["experiment=orbit", "map=quadratic_c", "analysis=[escape]", "figure=none"]
# Sampling error of an area from a grid of this pitch, about its perimeter's share.
AREA = 0.02


def test_counts_are_those_of_a_naive_loop():
    ds = run(
        *MANDELBROT,
        "iterate.length=300",
        "grid={c_re: {start: -2.2, stop: 0.8, num: 61}, c_im: {start: -1.2, stop: 1.2, num: 41}}",
    )
    for i, re in enumerate(ds.c_re.values):
        for j, im in enumerate(ds.c_im.values):
            z, n = 0j, 0
            while abs(z) <= 2 and n < 300:
                z, n = z * z + complex(re, im), n + 1
            expected = n if abs(z) > 2 else -1
            # A norm within rounding of the radius may fall on either side.
            if abs(abs(z) - 2) > 1e-9:
                assert ds.escape_iteration.values[i, j] == expected
    assert ((ds.status == 2) == (ds.escape_iteration >= 0)).all()


def test_area_of_the_mandelbrot_set():
    # Row 25: 1.5065918849; 300 steps leave a little more than the set.
    ds = run(
        *MANDELBROT,
        "iterate.length=300",
        "grid={c_re: {start: -2, stop: 0.5, num: 501}, c_im: {start: 0, stop: 1.2, num: 241}}",
    )
    inside = (ds.escape_iteration < 0).values
    area = 2 * inside.mean() * 2.5 * 1.2
    assert area == pytest.approx(1.5065918849, rel=AREA)


def test_start_beyond_the_radius_escapes_at_0():
    ds = run(
        "experiment=quadratic_basin", "analysis=[escape]", "map.escape_radius=8.2", "figure=none"
    )
    beyond = np.abs(ds.x0.values) > 8.2
    assert (ds.escape_iteration.values[beyond] == 0).all()
    assert (ds.escape_iteration.values[np.abs(ds.x0.values) < 7] == -1).all()


def test_radius_of_the_analysis_leaves_the_status_to_the_map():
    asked = ["experiment=quadratic_basin", "figure=none"]
    small = run(*asked, "analysis=[escape]", "analysis.escape.radius=10")
    large = run(*asked, "analysis=[escape]")
    gone = large.escape_iteration.values > 0
    assert (small.escape_iteration.values[gone] < large.escape_iteration.values[gone]).all()
    both = run(*asked, "analysis=[final, escape]", "analysis.escape.radius=10")
    for other in (small, large):
        assert (other.status.values == both.status.values).all()
    assert (small.escape_iteration.values == both.escape_iteration.values).all()


def test_smooth_count_is_continuous_where_the_count_jumps():
    ds = run(
        *MANDELBROT,
        "analysis.escape.smooth=true",
        "map.parameters.c=0.3+0j",
        "map.escape_radius=1e6",
        "grid={c_re: {start: 0.26, stop: 0.5, num: 4001}}",
        "iterate.length=500",
    )
    count, smooth = ds.escape_iteration.values, ds.escape_smooth.values
    assert len(np.unique(count)) > 5
    assert np.abs(np.diff(smooth)).max() < 0.1
    # It stays within one of the count it refines.
    assert (np.abs(smooth - count) <= 1 + 1e-9).all()


def test_smooth_count_of_a_cell_that_stays_is_nan():
    ds = run(*MANDELBROT, "analysis.escape.smooth=true", "iterate.length=50")
    assert int(ds.escape_iteration) == -1 or math.isfinite(float(ds.escape_smooth))
    inside = run(
        *MANDELBROT, "analysis.escape.smooth=true", "map.parameters.c=0", "iterate.length=50"
    )
    assert int(inside.escape_iteration) == -1
    assert math.isnan(float(inside.escape_smooth))


def test_a_solver_has_no_escape():
    asked = config.compose(["experiment=quadratic_basin", "solver=newton", "analysis=[escape]"])
    with pytest.raises(ConfigError, match=r"analysis.escape: a solver's status says"):
        config.read(asked)
