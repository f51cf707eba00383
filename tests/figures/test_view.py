"""How a dataset's dimensions and variables are sorted."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from pipeline.errors import CobwebError
from pipeline.figures import view
from tests.figures import datasets


def test_starts_and_parameters():
    document = {
        "map": {
            "equations": {"z": "z**2 + c"},
            "parameters": {"c": 1},
            "initial": {"z": "r*exp(1j*th)"},
            "modulus": {},
        },
        "grid": {
            "c_re": {},
            "r": {},
            "z0_im": {},
            "h": {"of": "solver.step"},
            "q": {"of": ["c", "r"]},
        },
    }
    sizes = {"c_re": 2, "r": 3, "z0_im": 4, "h": 2, "q": 2}
    status = (tuple(sizes), np.zeros(tuple(sizes.values()), np.int8))
    final = (tuple(sizes), np.zeros(tuple(sizes.values())))
    ds = datasets.dataset(
        document, {}, {"z_final_re": final, "z_final_im": final, "status": status}
    )
    seen = view.read(ds)
    assert [a.name for a in seen.axes] == ["c_re", "r", "z0_im", "h", "q"]
    assert [a.name for a in seen.starts] == ["r", "z0_im"]
    assert [s.name for s in seen.series] == ["z_re", "z_im"]
    assert all(s.complex for s in seen.series)
    assert seen.cells == 96


@pytest.mark.parametrize(("given", "circle"), [("2*pi", 2 * np.pi), (1, 1.0), ("1e0", 1.0)])
def test_a_modulus_may_be_a_constant_formula(given, circle):
    ds = datasets.single()
    text = f"map: {{equations: {{x: x}}, modulus: {{x: {given}}}}}"
    (series,) = view.read(ds.assign_attrs(document=text)).series
    assert series.modulus == pytest.approx(circle)


@pytest.mark.parametrize("given", ["nonsense", "[1]", "~", "true", "-1", "0"])
def test_a_modulus_that_is_none_is_left_out(given):
    ds = datasets.single()
    text = f"map: {{equations: {{x: x}}, modulus: {{x: {given}}}}}"
    (series,) = view.read(ds.assign_attrs(document=text)).series
    assert series.modulus is None


def test_without_a_document_names_tell():
    ds = datasets.seed_basin(orbit=True)
    del ds.attrs["document"]
    seen = view.read(ds)
    assert [a.name for a in seen.axes] == ["x0"]
    assert [a.name for a in seen.starts] == ["x0"]
    assert [s.name for s in seen.series] == ["x"]


def test_a_document_too_long_for_a_figure_is_not_read():
    ds = datasets.single().assign_attrs(document="#" * (view.LONGEST_DOCUMENT + 1))
    assert view.read(ds).document == {}


def test_lost_cells_are_those_that_escaped_or_failed():
    ds = datasets.dataset(
        None, {"a": np.arange(8.0)}, {"status": (("a",), np.arange(8, dtype=np.int8))}
    )
    gone = view.lost(view.read(ds)).values
    assert np.flatnonzero(gone).tolist() == [2, 6, 7]
    assert view.first(view.read(ds)) == {"a": 0}
    assert view.first(view.read(ds.isel(a=slice(2, None)))) == {"a": 1}


def test_at_most_so_many_indices_with_both_ends():
    assert view.evenly(3, 8).tolist() == [0, 1, 2]
    assert view.evenly(100, 3).tolist() in ([0, 49, 99], [0, 50, 99])


def test_several_jobs_are_not_one_picture():
    """Told apart by texts or by the numbers of jobs; each alone is drawn."""
    one = datasets.single().drop_attrs(deep=False)
    texts = xr.concat([one, one], "map", join="override").assign_coords(map=["tent", "henon"])
    with pytest.raises(CobwebError, match=r"several jobs, .* by map; .* ds\.sel\(map='tent'\)"):
        view.read(texts)
    numbers = xr.concat([one, one], "size", join="override").assign_coords(size=[10, 20])
    numbers["job"] = ("size", np.int32([0, 1]))
    with pytest.raises(CobwebError, match=r"told apart by size; .* ds\.sel\(size=10\)"):
        view.read(numbers)
    assert view.read(texts.sel(map="henon")).axes == ()
    assert view.read(numbers.sel(size=20)).axes == ()
