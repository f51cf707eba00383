"""Basins on the page: planes, strips, bands and scattered starts."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from pipeline import figures
from pipeline.errors import CobwebError
from pipeline.figures.outcomes import ESCAPED, GREYS, UNRESOLVED
from tests.figures import datasets

ROOTS = np.exp(2j * np.pi * np.arange(3) / 3)


def dataset(
    document: dict[str, Any],
    coords: dict[str, Any],
    dims: tuple[str, ...],
    labels: np.ndarray,
    points: dict[str, np.ndarray],
    kinds: Any,
) -> xr.Dataset:
    """What the survey files; points are [(cells,) attractor, point]."""
    kinds = np.asarray(kinds)
    cells = dims[: kinds.ndim - 1]
    variables: dict[str, Any] = {
        "status": (dims, np.where(labels == -1, 2, 0).astype(np.int8)),
        "basin": (dims, labels.astype(np.int32)),
        "attractor_kind": ((*cells, "attractor"), kinds.astype(np.int8)),
        "attractor_period": ((*cells, "attractor"), np.where(kinds == 1, 1, 0)),
    }
    for name, values in points.items():
        variables[f"attractor_{name}"] = ((*cells, "attractor", "attractor_point"), values)
        final = re.sub("(_re|_im|)$", r"_final\1", name, count=1)
        variables[final] = (dims, np.zeros(labels.shape))
    return datasets.dataset(document, coords, variables)


def newton(count: int = 40, polar: bool = False) -> xr.Dataset:
    """The nearest of the cube roots of 1, which is not quite Newton's basin."""
    initial = "r*exp(1j*th)" if polar else "1+0j"
    document = {"map": {"equations": {"z": "z"}, "initial": {"z": initial}, "parameters": {}}}
    if polar:
        axes = {"r": np.linspace(0.1, 2, count), "th": np.linspace(0, 6, count)}
        z = axes["r"][:, None] * np.exp(1j * axes["th"])
    else:
        axes = dict.fromkeys(("z0_re", "z0_im"), np.linspace(-2, 2, count))
        z = axes["z0_re"][:, None] + 1j * axes["z0_im"]
    labels = np.argmin(np.abs(z[..., None] - ROOTS), axis=-1)
    points = {"z_re": ROOTS.real[:, None], "z_im": ROOTS.imag[:, None]}
    document["grid"] = {name: {} for name in axes}
    return dataset(document, axes, tuple(axes), labels, points, [1, 1, 1])


def seed(**changes: Any) -> xr.Dataset:
    """Row 10 in the REFERENCE: the basin of 3 is (-7, 7)."""
    x0 = np.linspace(-9, 9, 37)
    labels = np.where(np.abs(x0) < 7, 0, np.where(np.abs(x0) > 7, -1, -2))
    document = {
        "map": {
            "equations": {"x": "(x**2 + 21)/10"},
            "initial": {"x": 0},
            "parameters": {},
            **changes,
        },
        "grid": {"x0": {}},
    }
    return dataset(document, {"x0": x0}, ("x0",), labels, {"x": np.array([[3.0]])}, [1])


def swept() -> xr.Dataset:
    """A fixed point at a, another at -a that turns chaotic."""
    a, x0 = np.linspace(1, 2, 11), np.linspace(-3, 3, 30)
    labels = np.broadcast_to(x0 < 0, (11, 30)).astype(int)
    points = np.stack([a, -a], axis=1)[..., None] + np.zeros(2)
    points[:, 0, 1:] = np.nan
    points[:5, 1, 1:] = np.nan
    kinds = np.stack([np.full(11, 1), np.where(np.arange(11) < 5, 1, 4)], axis=1)
    document = {
        "map": {"equations": {"x": "x"}, "initial": {"x": 0}, "parameters": {"a": 1}},
        "grid": {"a": {}, "x0": {}},
    }
    return dataset(document, {"a": a, "x0": x0}, ("a", "x0"), labels, {"x": points}, kinds)


@pytest.fixture
def ax():
    return Figure().subplots()


def legend(ax) -> list[str]:
    return [t.get_text() for t in ax.get_legend().get_texts()]


def test_auto_draws_basins_where_there_are_any() -> None:
    assert figures.choose(newton(), "auto") == "basin"
    assert figures.choose(seed(), "auto") == "basin"


@pytest.mark.parametrize("style", ["screen", "paper"])
@pytest.mark.parametrize("made", [newton, seed, swept, lambda: newton(polar=True)])
def test_each_layout_in_each_style(made, style) -> None:
    figure = figures.draw(made(), style=style)
    figure.draw_without_rendering()
    assert all(axes.get_xlabel() for axes in figure.axes)


def test_a_plane_of_starts(ax) -> None:
    figures.draw(newton(), ax=ax)
    assert [text.split(" (")[0] for text in legend(ax)] == [
        "fixed point $1$",
        "fixed point $-0.5+0.866i$",
        "fixed point $-0.5-0.866i$",
    ]
    marks = np.array([complex(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines])
    assert marks == pytest.approx(ROOTS)
    (image,) = ax.images
    colours = {to_hex(c) for c in image.get_array().reshape(-1, 3)}
    assert len(colours) == 3


def test_polar_starts_are_drawn_where_they_are(ax) -> None:
    figures.draw(newton(polar=True), ax=ax)
    (mesh,) = ax.collections
    corners = mesh.get_coordinates()
    assert corners.shape == (41, 41, 2)
    radii = np.hypot(*np.moveaxis(corners, -1, 0))
    assert np.ptp(radii, axis=0).max() < 1e-12
    assert len(ax.lines) == 3


def test_a_strip_of_starts(ax) -> None:
    figures.draw(seed(), ax=ax)
    assert [text.split(" (")[0] for text in legend(ax)] == [
        "fixed point $3$",
        "escaped",
        "unresolved",
    ]
    (image,) = ax.images
    row = [to_hex(c) for c in image.get_array()[0]]
    assert row[0] == GREYS[ESCAPED].lower()
    assert row[4] == GREYS[UNRESOLVED].lower()
    assert ax.lines[0].get_xdata().tolist() == [3]


def test_starts_over_a_parameter(ax) -> None:
    """What changes its kind has a number in the legend; attractors are drawn over the parameter."""
    figures.draw(swept(), ax=ax)
    assert legend(ax) == ["fixed point (50 %)", "attractor 1 (50 %)"]
    assert ax.lines[0].get_xdata() == pytest.approx(np.linspace(1, 2, 11))
    assert ax.lines[0].get_ydata() == pytest.approx(np.linspace(1, 2, 11))
    assert len(ax.lines[1].get_xdata()) == 5 + 2 * 6


def test_paired_starts_are_scattered(ax) -> None:
    count = 50
    x, y = np.random.default_rng(0).random((2, count))
    document = {
        "map": {"equations": {"x": "x", "y": "y"}, "initial": {"x": 0, "y": 0}, "parameters": {}},
        "grid": {"s": {"of": ["x0", "y0"]}},
    }
    points = {"x": np.array([[0.5]]), "y": np.array([[0.25]])}
    ds = dataset(document, {"s": np.arange(count)}, ("s",), np.zeros(count), points, [1])
    ds = ds.assign_coords(x0=("s", x), y0=("s", y))
    figures.draw(ds, ax=ax)
    (dots,) = ax.collections
    assert np.array_equal(dots.get_offsets(), np.stack([x, y], axis=1))
    assert (ax.lines[0].get_xdata()[0], ax.lines[0].get_ydata()[0]) == (0.5, 0.25)


def test_a_point_on_a_circle_is_drawn_within_the_starts(ax) -> None:
    ds = seed(modulus={"x": 18})
    ds["attractor_x"] = ds["attractor_x"] + 36
    figures.draw(ds, ax=ax)
    assert ax.lines[0].get_xdata().tolist() == [3]


def test_many_attractors_do_not_fill_the_legend(ax) -> None:
    ds = newton()
    ds["basin"] = ds["basin"].copy(data=np.arange(1600).reshape(40, 40) % 12)
    ds = ds.drop_vars([name for name in ds.data_vars if str(name).startswith("attractor")])
    ds["attractor_kind"] = ("attractor", np.full(12, 4, np.int8))
    ds["attractor_period"] = ("attractor", np.zeros(12, int))
    figures.draw(ds, ax=ax)
    assert legend(ax)[-1] == "and 3 more"
    assert len(legend(ax)) == 10


def test_what_has_no_basins() -> None:
    with pytest.raises(CobwebError, match="it needs basins"):
        figures.draw(datasets.seed_basin(), name="basin")
    ds = swept().isel(x0=0, drop=True)
    document = yaml.safe_load(ds.attrs["document"])
    ds.attrs["document"] = yaml.safe_dump({**document, "grid": {"a": {}}})
    with pytest.raises(CobwebError, match="it needs an axis of starts"):
        figures.draw(ds, name="basin")
