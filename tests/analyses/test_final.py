"""The final state: of every field and shape."""

from __future__ import annotations

import numpy as np

from pipeline.status import Status
from tests.runs import run


def test_the_final_state_of_each_component() -> None:
    """After transient + length steps; complex and vector components keep their names' endings."""
    ds = run(
        map={
            "equations": {"z": "2j*z", "v": "v + arange(size)", "x": "x + 1"},
            "initial": {"z": "1+0j", "v": [1, 1, 1], "x": 0},
        },
        grid={"x0": [0, 5]},
        analysis={"final": {}},
        transient=2,
        length=3,
    )
    assert set(ds.data_vars) == {"status", "z_final_re", "z_final_im", "v_final", "x_final"}
    assert (ds["z_final_re"].values + 1j * ds["z_final_im"].values).tolist() == [32j, 32j]
    assert ds["v_final"].dims == ("x0", "v_dim")
    assert ds["v_final"].values.tolist() == [[1, 6, 11]] * 2
    assert ds["x_final"].values.tolist() == [5, 10]
    assert ds["z_final_im"].attrs["long_name"] == "imaginary part of z after the last iteration"


def test_an_escaped_cell_ends_where_the_map_took_it() -> None:
    """Beyond all numbers in the end."""
    ds = run(
        map={"equations": {"x": "x**2"}, "initial": {"x": 0.5}},
        grid={"x0": [0.5, 1, 10]},
        analysis={"final": {}},
        length=12,
    )
    assert ds["status"].values.tolist() == [Status.bounded, Status.bounded, Status.escaped]
    assert ds["x_final"].values[1:].tolist() == [1, np.inf]
