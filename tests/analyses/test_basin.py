"""Basins: attractors and shares known on paper or computed by other means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline import execution, job, restoration, verification
from pipeline.errors import ConfigError
from pipeline.status import AttractorKind
from tests.runs import experiment, run

# Newton's method is refined to rounding.
ROUNDING = 1e-12
# A solver ends within its tolerance, and polishes what it found.
CONVERGED = 1e-8
CUBE_ROOTS: dict[str, Any] = {"equations": {"z": "z + z**3 - 1"}, "initial": {"z": "1+0j"}}
FRACTAL: dict[str, Any] = {
    "equations": {"z": "z - (z**3 - 1)/(3*z**2)"},
    "initial": {"z": "1+0j"},
}
MOUSE: dict[str, Any] = {
    "equations": {"x": "exp(-a*x**2) + b"},
    "parameters": {"a": 6.2, "b": -0.5},
    "initial": {"x": 0},
}


def square(count: int, names: tuple[str, str] = ("z0_re", "z0_im")) -> dict[str, Any]:
    """A grid of nodes of [-2, 2]^2, both ends kept."""
    return {name: {"start": -2, "stop": 2, "num": count} for name in names}


def basins(length: int = 1000, **parts: Any) -> xr.Dataset:
    """A run with the survey, its settings under `settings`."""
    settings = parts.pop("settings", {})
    return run(analysis={"basin": settings}, length=length, **parts)


def kinds(ds: xr.Dataset) -> list[list[str]]:
    """[cell] the kinds of the attractors that there are."""
    rows = np.atleast_2d(ds["attractor_kind"].values)
    return [[AttractorKind(k).name for k in row if k] for row in rows]


def test_the_seed_s_map() -> None:
    """Row 10: the basin of 3 is (-7, 7); 7 repels, so what stays there is on no attractor."""
    ds = basins(map="quadratic", grid={"x0": {"start": -9, "stop": 9, "num": 37}})
    x0 = ds["x0"].values
    expected = np.where(np.abs(x0) < 7, 0, np.where(np.abs(x0) > 7, -1, -2))
    assert ds["basin"].values.tolist() == expected.tolist()
    assert ds["basin"].dtype == np.int32
    assert kinds(ds) == [["fixed_point"]]
    assert ds["attractor_period"].values.tolist() == [1] + [0] * 15
    assert float(ds["attractor_x"][0, 0]) == pytest.approx(3, abs=ROUNDING)
    assert np.isnan(ds["attractor_x"].values[0, 1:]).all()
    assert float(ds["basin_fraction"][0]) == 27 / 37
    assert "basin_fraction_error" not in ds
    assert ds["attractor_kind"].attrs["flag_meanings"] == " ".join(k.name for k in AttractorKind)


@pytest.mark.parametrize("order", [slice(None, None, -1), np.random.default_rng(0).permutation(60)])
def test_the_order_of_the_starts_is_of_no_consequence(order: Any) -> None:
    """Two coexisting attractors, one of them chaotic; also after far too few steps of the loop."""
    starts = np.linspace(-1.5, 1.5, 60)
    cells = {"b": [-0.72, -0.71]}
    one = basins(40, map=MOUSE, grid={**cells, "x0": starts.tolist()})
    two = basins(40, map=MOUSE, grid={**cells, "x0": starts[order].tolist()})
    assert set(np.unique(one["basin"])) == {0, 1}
    for name in set(one.data_vars) - {"status", "x_final", "basin"}:
        assert np.array_equal(one[name].values, two[name].values, equal_nan=True), name
    assert np.array_equal(one["basin"].values[:, order], two["basin"].values)


def test_bands_of_one_attractor_and_cycles_belong_together() -> None:
    """Rows 4, 5, 6: a = 3.6 has two bands; at 4, 0 and 3/4 repel and what lands there stays."""
    a = [2.8, 3.2, 3.6, 3.83, 4.0]
    x0 = {"start": 0, "stop": 1, "num": 101}
    ds = basins(map="logistic", grid={"a": a, "x0": x0})
    expected = [["fixed_point"], ["cycle"], ["chaotic"], ["cycle"], ["chaotic"]]
    assert kinds(ds) == expected
    assert ds["attractor_period"].values[:, 0].tolist() == [1, 2, 0, 3, 0]
    assert ds["attractor_x"].values[0, 0, 0] == pytest.approx(1 - 1 / 2.8, abs=ROUNDING)
    # Row 4: the cycle's points at 1 + sqrt 8 are within 0.02 of those at 3.83.
    near = [0.1599, 0.5144, 0.9563]
    assert np.sort(ds["attractor_x"].values[3, 0, :3]) == pytest.approx(near, abs=0.02)
    labels = ds["basin"].values
    assert (labels[:, [0, 100]] == -2).all()
    assert (labels[:4, 1:100] == 0).all()
    # 1/4 goes to 3/4, and 1/2 to 1 and 0, in one step or two.
    assert np.flatnonzero(labels[4] == -2).tolist() == [0, 25, 50, 75, 100]


def test_an_attractor_keeps_its_index_along_a_parameter() -> None:
    """Two coexist up to b = -0.7, where one of them vanishes at a fold."""
    grid = {"b": {"start": -1, "stop": 0, "num": 21}, "x0": {"start": -1.5, "stop": 1.5, "num": 61}}
    ds = basins(map=MOUSE, grid=grid)
    there = ds["attractor_kind"].values[:, :2] > 0
    assert there[:, 0].tolist() == [True] * 6 + [False] * 15
    assert there[:, 1].all()
    assert not ds["attractor_kind"].values[:, 2:].any()
    # exp(0) - 1 = 0 is the other one's fixed point at b = -1.
    assert ds["attractor_x"].values[0, 1, 0] == pytest.approx(0, abs=ROUNDING)
    assert (np.diff(ds["attractor_x"].values[:6, 0, 0]) > 0).all()
    assert (ds["basin"] >= 0).all()


def test_the_bounded_starts_of_henon_s_map() -> None:
    """Row 18: all of them go to the one chaotic attractor."""
    ds = basins(map="henon", grid=square(400, ("x0", "y0")))
    assert float(ds["basin_fraction"][0]) == pytest.approx(0.4310, abs=5e-5)
    assert kinds(ds) == [["chaotic"]]
    assert not (ds["basin"] == -2).any()
    # The attractor is invariant: y' = 0.3 x.
    x, y = ds["attractor_x"].values[0], ds["attractor_y"].values[0]
    assert y[1:] == pytest.approx(0.3 * x[:-1], abs=ROUNDING)


def test_coexisting_attractors_of_henon_s_map() -> None:
    """At a = 1.07 a chaotic attractor and a 6-cycle share the bounded starts."""
    grid = {"a": [1.07, 1.08], **{k: {"start": -1, "stop": 1, "num": 30} for k in ("x0", "y0")}}
    ds = basins(map="henon", grid=grid)
    assert kinds(ds) == [["cycle", "chaotic"], ["chaotic", "chaotic"]]
    assert ds["attractor_period"].values[0, :2].tolist() == [6, 0]


def test_an_invariant_circle() -> None:
    """Row 22: the fixed point 1 - 1/a gives way to a circle at a = 2."""
    grid = {"a": [1.9, 2.1], "x0": {"start": 0.3, "stop": 0.7, "num": 20}}
    ds = basins(map="delayed_logistic", grid=grid)
    assert kinds(ds) == [["fixed_point"], ["quasiperiodic"]]
    assert ds["attractor_x"].values[0, 0, 0] == pytest.approx(1 - 1 / 1.9, abs=ROUNDING)


def test_attractors_on_a_circle_wrap() -> None:
    """theta' = theta - 0.3 sin(theta) mod 2 pi: 0 attracts from both sides of the seam."""
    pendulum = {
        "equations": {"t": "mod(t - 0.3*sin(t), 2*pi)"},
        "initial": {"t": 1},
        "modulus": {"t": "2*pi"},
    }
    ds = basins(map=pendulum, grid={"t0": {"start": 0.1, "stop": 6.2, "num": 40}})
    assert kinds(ds) == [["fixed_point"]]
    assert (ds["basin"] == 0).all()


def test_a_chaotic_transient_is_no_attractor() -> None:
    """In narrow windows orbits wander for long before they settle, some starts not at all soon."""
    grid = {"b": [-0.4475, -0.3075, -0.3], "x0": {"start": -1.5, "stop": 1.5, "num": 300}}
    ds = basins(500, map=MOUSE, grid=grid)
    assert kinds(ds) == [["cycle"], ["chaotic"], ["cycle"]]
    assert (ds["basin"] == 0).all()
    # The last cycle attracts slowly: its multiplier is close to 1.
    assert int(ds["attractor_period"][2, 0]) == 32


@pytest.mark.parametrize("solver", ["newton", "direct"])
def test_newton_s_fractal(solver: str) -> None:
    """Rows 24 and 54, on nodes: two of the roots are mirror images."""
    ds = basins(
        100, map=CUBE_ROOTS if solver == "newton" else FRACTAL, solver=solver, grid=square(250)
    )
    roots = ds["attractor_z_re"].values[:3, 0] + 1j * ds["attractor_z_im"].values[:3, 0]
    assert roots == pytest.approx([np.exp(-2j * np.pi / 3), np.exp(2j * np.pi / 3), 1], abs=1e-8)
    counts = [int((ds["basin"] == k).sum()) for k in range(3)]
    assert counts[0] == counts[1] < counts[2]
    assert sum(counts) == 250**2


@pytest.mark.slow
def test_basin_entropies_of_newton_s_fractal() -> None:
    """Row 54."""
    ds = basins(100, map=FRACTAL, grid=square(1000))
    assert float(ds["basin_entropy"]) == pytest.approx(0.0707, abs=5e-5)
    assert float(ds["boundary_basin_entropy"]) == pytest.approx(0.678, abs=5e-4)


@pytest.mark.slow
def test_shares_of_newton_s_fractal() -> None:
    """Row 24: the origin, where the derivative vanishes, is undefined."""
    ds = basins(100, map=FRACTAL, grid=square(1001))
    counts = [int((ds["basin"] == k).sum()) for k in (-2, -1, 0, 1, 2)]
    assert counts == [0, 1, 324273, 324273, 353454]


@pytest.mark.slow
def test_newton_s_fractal_on_a_polar_grid() -> None:
    """Row 23: a third of the starts for each root."""
    polar = {**FRACTAL, "initial": {"z": "r*exp(1j*th)"}}
    r = {"start": 2 / 300, "stop": 2, "num": 300}
    th = {"values": (2 * np.pi * (np.arange(900) + 0.5) / 900).tolist()}
    ds = basins(100, map=polar, grid={"r": r, "th": th})
    assert [int((ds["basin"] == k).sum()) for k in range(3)] == [90000] * 3


def test_newton_s_cycle_is_an_attractor_of_the_solver() -> None:
    """Row 41: x^3 - 2x + 2 from [-2, 2] ends at the root or in the cycle 0, 1."""
    cubic = {"equations": {"x": "x + x**3 - 2*x + 2"}, "initial": {"x": 0}}
    count = 20000
    x0 = {"start": -2, "stop": 2, "num": count}
    ds = basins(200, map=cubic, solver="newton", grid={"x0": x0})
    assert kinds(ds) == [["fixed_point", "cycle"]]
    assert ds["attractor_period"].values[:2].tolist() == [1, 2]
    assert float(ds["attractor_x"][0, 0]) == pytest.approx(-1.7692923542386314, abs=CONVERGED)
    assert ds["attractor_x"].values[1, :2].tolist() == pytest.approx([0, 1], abs=CONVERGED)
    # Four standard errors of independent starts.
    assert float(ds["basin_fraction"][1]) == pytest.approx(0.2410, abs=4 * (0.18 / count) ** 0.5)


def test_minima_that_descent_leads_to() -> None:
    """Row 42; a start that has not converged yet is unresolved."""
    grid = {name: {"start": -5, "stop": 5, "num": 30} for name in ("x0", "y0")}
    ds = basins(2000, objective="himmelblau", solver="gradient", grid=grid)
    found = np.stack([ds["attractor_x"].values[:4, 0], ds["attractor_y"].values[:4, 0]], axis=1)
    minima = [
        (-3.779310253, -3.283185991),
        (-2.805118087, 3.131312518),
        (3, 2),
        (3.584428340, -1.848126527),
    ]
    assert found == pytest.approx(np.array(minima), abs=CONVERGED)
    ended = ds["status"].values
    assert ((ds["basin"].values >= 0) == (ended == 1)).all()
    short = basins(20, objective="himmelblau", solver="gradient", grid=grid)
    assert ((short["basin"].values == -2) == (short["status"].values == 3)).all()


def test_attractors_beyond_the_room_there_is() -> None:
    """sin x has a root at every multiple of pi: the largest basins are kept."""
    sine = {"equations": {"x": "x + sin(x)"}, "initial": {"x": 0}}
    grid = {"x0": {"start": -11, "stop": 11, "num": 500}}
    ds = basins(100, map=sine, solver="newton", grid=grid, settings={"max_attractors": 3})
    found = ds["attractor_x"].values[:, 0] / np.pi
    assert found == pytest.approx(np.round(found), abs=CONVERGED)
    fractions = ds["basin_fraction"].values
    rest = float((ds["basin"] == -2).mean())
    assert fractions.sum() + rest == pytest.approx(1)
    assert rest > 0


def test_random_starts_have_standard_errors() -> None:
    """Of n independent starts, sqrt(f (1 - f) / (n - 1))."""
    x0 = {"sample": "uniform", "num": 400, "low": -10, "high": 10}
    ds = basins(map="quadratic", grid={"x0": x0})
    f = float(ds["basin_fraction"][0])
    assert f == pytest.approx(0.7, abs=4 * (0.21 / 400) ** 0.5)
    assert float(ds["basin_fraction_error"][0]) == pytest.approx((f * (1 - f) / 399) ** 0.5)
    assert ds["basin_fraction"].attrs["ancillary_variables"] == "basin_fraction_error"


def test_paired_starts_have_no_boxes() -> None:
    """What is swept together has no neighbours, and so no entropy."""
    s = {"of": ["x0", "y0"], "values": [[0, 0], [0.1, 0.1], [5, 5]]}
    ds = basins(map="henon", grid={"s": s})
    assert ds["basin"].values.tolist() == [0, 0, -1]
    assert "basin_entropy" not in ds


def test_where_volumes_are_kept_in_some_cells_alone() -> None:
    """Hénon's map with b = 1 keeps areas: there nothing attracts."""
    starts = {k: {"start": -0.1, "stop": 0.1, "num": 6} for k in ("x0", "y0")}
    ds = basins(map="henon", grid={"b": [0.3, 1.0], **starts}, length=50)
    assert (ds["basin"].sel(b=0.3) == 0).all()
    assert (ds["basin"].sel(b=1.0) < 0).all()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"map": "henon"}, r"it needs starts to tell apart: add an axis such as grid\.x0="),
        ({"map": FRACTAL}, r".*such as grid\.z0_re="),
        ({"map": "henon", "grid": {"a": [1, 1.4]}}, "it needs starts"),
        (
            {"map": {"equations": {"x": "x/(n + 2)"}, "initial": {"x": 1}}, "grid": {"x0": [1, 2]}},
            "a formula uses n",
        ),
        (
            {
                "map": "logistic",
                "grid": {"a": [3, 3.1], "x0": [0.1, 0.2]},
                "iterate": {"transient": 0, "length": 10, "follow": "a"},
            },
            r"with iterate\.follow a cell begins",
        ),
        ({"map": "standard", "grid": {"p0": [1, 2]}}, r"the map keeps volumes \(\|det J\| = 1"),
        ({"map": "arnold_cat", "grid": {"x0": [0.1, 0.2]}}, ".*keeps volumes"),
    ],
)
def test_what_has_no_basins_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=rf"analysis\.basin: {reason}"):
        experiment(analysis={"basin": {}}, **given)


def test_resumed_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A survey follows from what is filed of the loop."""
    words = ("experiment=quadratic_basin", "analysis=basin", "figure=none", "grid.x0.step=0.05")
    pipeline.run(*words, folder=tmp_path / "whole").close()

    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "searched", stopped)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(*words, folder=tmp_path / "part")
    monkeypatch.undo()
    assert restoration.resume(tmp_path / "part") is not None
    archives = [tmp_path / name / execution.RESULT for name in ("whole", "part")]
    whole, part = map(pipeline.open, archives)
    with whole, part:
        assert whole.drop_attrs().identical(part.drop_attrs())
    assert verification.verify(archives[1]).outcome == "identical"
