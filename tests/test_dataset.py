"""Datasets: names, dimensions, types and labels, known before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline import dataset
from pipeline.status import CriticalKind, FixedPointKind, Status
from tests.runs import compute, experiment, run

EVERYTHING: list[dict[str, Any]] = [
    {"map": "logistic", "grid": {"a": [3, 4]}},
    {
        "map": "henon",
        "grid": {"b": [0.1, 0.3, 0.2], "a": [1, 1.4]},
        "analysis": {"orbit": {"every": 3}, "final": {}},
        "transient": 4,
    },
    {
        "map": "quadratic_c",
        "grid": {"c_re": [0, 0.1], "z0_im": [0.2]},
        "analysis": {"final": {}, "orbit": {}},
        "device": {"precision": "single"},
    },
    {
        "map": "coupled_logistic",
        "grid": {"start": {"of": ["x0_3", "a"], "values": [[0.1, 3.5], [0.2, 3.6]]}},
    },
    {
        "objective": "seed_quadratic",
        "solver": "newton_cg",
        "grid": {
            "c_1": [7, 8],
            "A_0_1": [2, 1],
            "inner": {"of": "solver.inner_limit", "values": [1, 5, 9]},
        },
        "analysis": {"history": {}, "orbit": {}},
        "length": 5,
    },
    {"map": "henon", "solver": "newton", "analysis": {}, "length": 4},
]


@pytest.fixture(scope="module", params=range(len(EVERYTHING)))
def both(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    """(experiment, template, dataset) of one of these."""
    found = experiment(**EVERYTHING[request.param])
    return found, dataset.template(found), compute(found)


def test_the_template_is_what_comes_out(both: tuple[Any, Any, Any]) -> None:
    """Names, order, dimensions, shapes, types and sizes."""
    found, template, ds = both
    assert list(ds.data_vars) == [entry.name for entry in template.variables]
    for entry in (*template.variables, *template.coordinates):
        assert ds[entry.name].dims == entry.dimensions
        assert ds[entry.name].shape == entry.shape
        assert ds[entry.name].dtype == entry.dtype
    assert dict(ds.sizes) == dict(template.sizes)
    assert template.bytes == sum(ds[name].nbytes for name in ds.variables)
    cells = int(np.prod(template.grid))
    assert template.cell_bytes * cells == sum(ds[name].nbytes for name in ds.data_vars)
    assert template.grid == tuple(axis.size for axis in found.grid)


def test_dimensions_begin_with_the_grid(both: tuple[Any, Any, Any]) -> None:
    """In the order of the document."""
    found, _, ds = both
    grid = tuple(axis.name for axis in found.grid)
    assert next(iter(ds.data_vars)) == "status"
    for variable in ds.data_vars.values():
        assert variable.dims[: len(grid)] == grid
    assert ds["status"].dims == grid


def test_everything_is_labelled(both: tuple[Any, Any, Any]) -> None:
    """With strings; integers are plain ones, without a fill value that would make them floats."""
    _, _, ds = both
    for name, variable in ds.variables.items():
        assert isinstance(variable.attrs["long_name"], str), name
        assert variable.attrs["long_name"], name
        assert variable.attrs["units"] == "1", name
        assert not {"_FillValue", "missing_value"} & (variable.attrs.keys() | variable.encoding)
        assert variable.dtype.kind in "fi", name
    assert ds.attrs.keys() == {"Conventions", "title", "references", "comment"}
    assert ds.attrs["Conventions"] == "CF-1.13"


def test_flags_have_values_and_meanings(both: tuple[Any, Any, Any]) -> None:
    """As CF wants them: of the variable's own type, as many as there are words."""
    _, _, ds = both
    kinds = {"status": Status, "critical_kind": CriticalKind, "fixed_point_kind": FixedPointKind}
    for name, kind in kinds.items():
        if name in ds:
            attributes = ds[name].attrs
            assert attributes["flag_values"].dtype == ds[name].dtype == np.int8
            assert attributes["flag_values"].tolist() == [k.value for k in kind]
            assert attributes["flag_meanings"].split() == [k.name for k in kind]
            assert set(np.unique(ds[name])) <= {k.value for k in kind}


def test_the_names_of_each_kind_of_component() -> None:
    names = [set(dataset.template(experiment(**each)).sizes) for each in EVERYTHING]
    assert names == [
        {"a", "iteration"},
        {"b", "a", "iteration"},
        {"c_re", "z0_im", "iteration"},
        {"start", "iteration", "x_dim"},
        {"c_1", "A_0_1", "inner", "step_number", "iteration", "x_dim"},
        set(),
    ]
    variables = [
        [e.name for e in dataset.template(experiment(**e_)).variables] for e_ in EVERYTHING
    ]
    assert variables[0] == ["status", "x"]
    assert variables[1] == ["status", "x", "y", "x_final", "y_final"]
    assert variables[2] == ["status", "z_final_re", "z_final_im", "z_re", "z_im"]
    assert variables[4] == [
        "status",
        "objective_value",
        "residual_norm",
        "step_norm",
        "step_evaluations",
        "forcing",
        "inner_steps",
        "hessian_products",
        "step_length",
        "line_trials",
        "x",
        "x_final",
        "objective_final",
        "residual_norm_final",
        "steps",
        "evaluations",
        "convergence_order",
        "convergence_rate",
        "critical_kind",
    ]
    assert variables[5] == [
        "status",
        "x_final",
        "y_final",
        "residual_norm_final",
        "steps",
        "evaluations",
        "convergence_order",
        "convergence_rate",
        "fixed_point_kind",
    ]


def test_an_axis_of_pairs_has_a_number_and_its_values_beside() -> None:
    ds = run(**EVERYTHING[3])
    assert ds["start"].values.tolist() == [0, 1]
    assert ds["start"].dtype == np.int64
    assert ds["x0_3"].dims == ds["a"].dims == ("start",)
    assert ds["x0_3"].values.tolist() == [0.1, 0.2]
    assert ds["a"].values.tolist() == [3.5, 3.6]
    assert {"x0_3", "a", "start"} <= set(ds.coords)
    assert ds["x0_3"].attrs["long_name"] == "initial value of x[3]"
    assert (ds["x"].isel(iteration=0, x_dim=3) == ds["x0_3"]).all()
    # An index is fine for the others of the vector.
    assert ds["x"].isel(iteration=0, x_dim=2).values.tolist() == [float(ds["x"][0, 0, 2])] * 2


def test_axes_say_what_they_sweep() -> None:
    ds = run(**EVERYTHING[4])
    labels = {name: ds[name].attrs for name in ("c_1", "A_0_1", "inner")}
    assert labels["c_1"]["long_name"] == "parameter c[1]"
    assert labels["A_0_1"]["long_name"] == "parameter A[0][1]"
    assert labels["inner"]["long_name"] == "setting inner_limit of the solver"
    assert [labels[name]["quantity"] for name in labels] == ["c_1", "A_0_1", "solver.inner_limit"]
    assert labels["c_1"]["axis_scale"] == "linear"
    logarithmic = run(map="logistic", grid={"a": {"start": 1, "stop": 4, "num": 3, "scale": "log"}})
    assert logarithmic["a"].attrs["axis_scale"] == "log"
    assert logarithmic["a"].values == pytest.approx([1, 2, 4])
    pairs = run(
        objective="rosenbrock",
        solver="newton",
        grid={"t": {"of": ["solver.absolute_tolerance", "x0"], "values": [[1, 0], [2, 1]]}},
    )
    assert set(pairs.coords) == {"t", "solver_absolute_tolerance", "x0"}


def test_single_precision_coordinates_are_as_rounded() -> None:
    """What the program saw, not what the document says."""
    grid = {"a": {"start": 3.4, "stop": 4, "num": 7}, "x0": [0.1]}
    ds = run(map="logistic", grid=grid, device={"precision": "single"}, length=1)
    assert ds["a"].dtype == ds["x"].dtype == np.float32
    assert (ds["a"].values == np.linspace(3.4, 4, 7).astype(np.float32)).all()
    assert (ds["x"].isel(iteration=0) == np.float32(0.1)).all()


def test_sentinels_survive_a_float() -> None:
    """Counts that are none are -1, in an integer type, read back as such by xarray."""
    ds = run(**EVERYTHING[4])
    assert ds["inner_steps"].dtype == np.int32
    assert int(ds["inner_steps"].min()) == -1


def test_the_title_and_the_references() -> None:
    ds = run(map="henon")
    assert ds.attrs["title"] == "custom: the map henon, solver direct"
    assert "Hénon 1976" in ds.attrs["references"]
    bare = run(map={"equations": {"x": "x"}, "initial": {"x": 1}})
    assert bare.attrs["references"] == "none"


def test_blocks_of_any_size_fill_it() -> None:
    """In the order of the cells, C order of the grid."""
    template = dataset.template(
        experiment(map="henon", grid={"a": [1, 2, 3], "x0": [0, 1]}, length=2)
    )
    cells = np.arange(6)
    whole = {
        entry.name: np.broadcast_to(
            cells.reshape(6, *[1] * (len(entry.shape) - 2)), (6, *entry.shape[2:])
        )
        for entry in template.variables
    }
    blocks = [(k, k + 2, {n: v[k : k + 2] for n, v in whole.items()}) for k in (0, 2, 4)]
    filled = dataset.fill(template, blocks)
    assert filled["status"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert (filled["x"] == filled["status"][..., None]).all()
    assert filled["status"].dtype == np.int8
