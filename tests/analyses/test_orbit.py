"""Which iterations an orbit keeps, and what they are called."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analyses import Iterate
from pipeline.analyses.orbit import kept
from pipeline.errors import ConfigError
from tests.runs import run

# x_n = n: what is kept shows where it comes from.
COUNTER = {"equations": {"x": "x + 1"}, "initial": {"x": 0}}


def test_the_iteration_counts_from_the_start() -> None:
    """With transient 1000 and length 1000 it runs 1001 ... 2000, x_0 being the start."""
    ds = run(map=COUNTER, transient=1000, length=1000)
    assert (ds["iteration"] == np.arange(1001, 2001)).all()
    assert (ds["x"] == ds["iteration"]).all()
    assert ds["iteration"].dtype == np.int64


@pytest.mark.parametrize(
    ("transient", "length", "every", "rows"),
    [
        (0, 5, 1, [0, 1, 2, 3, 4, 5]),
        (0, 10, 3, [0, 3, 6, 9]),
        (0, 3, 5, [0]),
        (7, 10, 3, [10, 13, 16]),
        (7, 9, 3, [10, 13, 16]),
        (7, 3, 3, [10]),
        (1, 1, 1, [2]),
    ],
)
def test_strides(transient: int, length: int, every: int, rows: list[int]) -> None:
    """Transient + every, + 2 every, ..., and x_0 where there is no transient."""
    ds = run(
        map=COUNTER,
        transient=transient,
        length=length,
        analysis={"orbit": {"every": every}, "final": {}},
        grid={"x0": [0, 100]},
    )
    assert ds["iteration"].values.tolist() == rows
    assert ds["x"].dims == ("x0", "iteration")
    assert (ds["x"] == ds["x0"] + ds["iteration"]).all()
    assert (ds["x_final"] == ds["x0"] + transient + length).all()


def test_nothing_kept_is_refused() -> None:
    message = "analysis.orbit.every = 3: expected <= 2; after the transient, nothing of"
    with pytest.raises(ConfigError, match=message):
        run(map=COUNTER, transient=7, length=2, analysis={"orbit": {"every": 3}})


@given(st.integers(0, 50), st.integers(1, 200), st.integers(1, 250))
def test_what_is_kept(transient: int, length: int, every: int) -> None:
    """Against the definition."""
    steps = range(1, transient + length + 1)
    wanted = [n for n in steps if n > transient and (n - transient) % every == 0]
    if transient == 0:
        wanted = [0, *wanted]
    assert list(kept(Iterate(transient, length), every)) == wanted


def test_complex_and_vector_components() -> None:
    """The names and dimensions of their results."""
    ds = run(
        map={
            "equations": {"z": "z*1j", "v": "roll(v, 1)"},
            "initial": {"z": "1+0j", "v": [1, 2, 3]},
        },
        length=4,
    )
    assert {n: ds[n].dims for n in ("z_re", "z_im", "v")} == {
        "z_re": ("iteration",),
        "z_im": ("iteration",),
        "v": ("iteration", "v_dim"),
    }
    assert (ds["z_re"].values + 1j * ds["z_im"].values).tolist() == [1, 1j, -1, -1j, 1]
    assert ds["v"].values.tolist() == [[1, 2, 3], [3, 1, 2], [2, 3, 1], [1, 2, 3], [3, 1, 2]]
    assert ds["z_re"].attrs["long_name"] == "real part of z"
    assert ds["z_im"].attrs["long_name"] == "imaginary part of z"
    assert "z" not in ds
