"""Jobs: compiled once, numbers as arguments, any split into blocks, any thread."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
import pytest
import xarray

from pipeline import config, dataset, function, job, preparation
from pipeline.experiment import Experiment
from pipeline.job import calls, early, loop
from pipeline.job.lane import Moves, moves
from tests.functions import scaled
from tests.runs import compute, document, experiment, run, shipped

LATTICE = shipped(
    "map", "coupled_logistic", initial={"x": {"sample": "uniform", "low": 0, "high": 1, "size": 8}}
)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No program of another test's."""
    monkeypatch.setattr(job, "_PROGRAMS", type(job._PROGRAMS)())
    return None


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch, fresh: None) -> list[Experiment]:
    """The experiments whose programs are traced, one entry for each time."""
    seen: list[Experiment] = []

    def counting(found: Experiment, *shape: Any) -> Callable[..., Any]:
        function = loop.program(found, *shape)

        def traced(*arguments: Any) -> Any:
            seen.append(found)
            return function(*arguments)

        return traced

    def built(found: Experiment) -> Moves:
        seen.append(found)
        return moves(found)

    monkeypatch.setattr(calls, "program", counting)
    # Where cells leave early, once for all three programs.
    monkeypatch.setattr(early, "moves", built)
    return seen


def split(found: Experiment, block: int) -> dict[str, np.ndarray]:
    """The results in blocks of so many cells."""
    layout = dataset.template(found)
    plan = dataclasses.replace(job.plan(found, layout.cell_bytes), block=block)
    call, _ = job.compiled(found, plan)
    return dataset.fill(layout, job.blocks(found, plan, call))


def seconds(found: Experiment) -> float:
    """What compiling it takes, or nothing if its program is there."""
    return job.compiled(found, preparation.prepare(found)[1])[1]


def same(one: xarray.Dataset, other: xarray.Dataset) -> bool:
    """Whether every bit agrees."""
    return one.identical(other) and all(
        one[name].dtype == other[name].dtype for name in one.variables
    )


def test_each_job_is_traced_once(traces: list[Experiment]) -> None:
    """Whatever the number of blocks; and a run with other numbers not at all."""
    found = experiment(map="logistic", grid={"a": {"start": 3, "stop": 4, "num": 50}}, length=20)
    split(found, 7)
    assert len(traces) == 1
    split(found, 7)
    other = experiment(map="logistic", grid={"a": {"start": 2, "stop": 3, "num": 21}}, length=20)
    split(other, 7)
    assert len(traces) == 1
    split(found, 8)
    assert len(traces) == 2


def test_nothing_is_compiled_beside_the_program(
    fresh: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Small computations outside it would cost a compilation each, and one for each block size."""
    found = experiment(
        map="quadratic_c", grid={"c_re": {"start": -1, "stop": 1, "num": 13}, "c_im": [0, 1]}
    )
    with caplog.at_level(logging.WARNING), jax.log_compiles():
        split(found, 4)
    names = [r.getMessage().split()[1] for r in caplog.records if "Compiling" in r.getMessage()]
    assert len(names) == 1


def test_other_numbers_of_a_map_recompile_nothing(traces: list[Experiment]) -> None:
    """And no number of the first run is in the results of the second."""

    def described(a: float, b: float, x: float, y: float, values: list[float]) -> Experiment:
        g = shipped("map", "henon", parameters={"a": a, "b": b}, initial={"x": x, "y": "b*s"})
        assert g["initial"]["x"] == x
        return experiment(map=g, grid={"a": values, "s": [y, 2 * y]}, length=30, transient=5)

    first = described(1.4, 0.3, 0.1, 0.2, [1.2, 1.3])
    second = described(0.9, 0.25, -0.3, 0.4, [0.2, 0.7])
    assert seconds(first) > 0
    compute(first)
    assert seconds(second) == 0
    reused = compute(second)
    assert len(traces) == 1
    job._PROGRAMS.clear()
    assert same(reused, compute(second))
    assert len(traces) == 2
    x, y = -0.3, 0.25 * 0.8
    for _ in range(6):
        x, y = 1 - 0.7 * x**2 + y, 0.25 * x
    assert float(reused["x"].sel(a=0.7, s=0.8, iteration=6)) == pytest.approx(x, rel=1e-13)
    assert float(reused["y"].sel(a=0.7, s=0.8, iteration=6)) == pytest.approx(y, rel=1e-13)


def test_other_numbers_of_a_solver_recompile_nothing(traces: list[Experiment]) -> None:
    """Settings, arrays and starts too."""

    def described(c: list[float], step: float, tolerance: float, start: list[float]) -> Experiment:
        f = shipped("objective", "seed_quadratic", parameters={"c": c}, initial={"x": start})
        f["parameters"]["A"] = [[c[0], 1], [1, 5]]
        return experiment(
            objective=f,
            solver={"name": "gradient", "step": step, "relative_tolerance": tolerance},
            grid={"x0_1": [start[0], start[1]]},
            analysis={"history": {}},
            length=40,
        )

    first, second = described([3, 7], 0.1, 0, [0, 0]), described([4, -2], 0.02, 0.1, [9, 1])
    compute(first)
    assert seconds(second) == 0
    reused = compute(second)
    assert len(traces) == 1
    job._PROGRAMS.clear()
    assert same(reused, compute(second))
    # By hand: the first step from (9, 9).
    u, c, matrix = np.array([9.0, 9.0]), np.array([4, -2]), np.array([[4, 1], [1, 5]])
    gradient = -2 * matrix @ (u - c)
    history = reused.sel(x0_1=9)
    assert float(history["residual_norm"][0]) == pytest.approx(np.linalg.norm(gradient))
    u = u + 0.02 * gradient
    value = 2 - (u - c) @ matrix @ (u - c)
    assert float(history["objective_value"][1]) == pytest.approx(value)


@pytest.mark.parametrize(
    "described",
    [
        {"map": "logistic", "grid": {"a": {"start": 3.5, "stop": 4, "num": 100}}},
        {"map": "henon", "grid": {"a": {"start": 1, "stop": 1.4, "num": 50}, "x0": [0, 0.1]}},
        {"map": LATTICE, "grid": {"epsilon": {"start": 0, "stop": 0.5, "num": 100}}},
    ],
    ids=["logistic", "henon", "lattice"],
)
def test_any_split_gives_the_same_bits(described: Any) -> None:
    """Blocks of 33 and 7 cells, the last ones padded, after 300 chaotic steps."""
    found = experiment(length=100, transient=200, **described)
    whole = split(found, 100)
    assert len(np.unique(whole["x"])) > 1000
    for block in (33, 7):
        pieces = split(found, block)
        assert pieces.keys() == whole.keys()
        assert all((pieces[name] == whole[name]).all() for name in whole)


def test_blocks_cover_the_cells_in_order() -> None:
    """The last one has only the cells that are left."""
    found = experiment(map="logistic", grid={"a": {"start": 1, "stop": 4, "num": 10}})
    layout = dataset.template(found)
    plan = dataclasses.replace(job.plan(found, layout.cell_bytes), block=4)
    call, _ = job.compiled(found, plan)
    blocks = list(job.blocks(found, plan, call))
    assert [(first, last) for first, last, _ in blocks] == [(0, 4), (4, 8), (8, 10)]
    for first, last, results in blocks:
        for array in results.values():
            assert type(array) is np.ndarray
            assert len(array) == last - first
    ends = np.concatenate([results["x"][:, 1] for *_, results in blocks])
    assert ends == pytest.approx(np.linspace(1, 4, 10) / 4, rel=1e-15)


def test_no_axes_are_one_cell() -> None:
    ds = run(map="henon", length=3)
    assert ds["x"].dims == ("iteration",)
    assert ds["status"].dims == ()
    assert int(ds["status"]) == 0
    x, y = 0.1, 0.1
    orbit = [x]
    for _ in range(3):
        x, y = 1 - 1.4 * x**2 + y, 0.3 * x
        orbit.append(x)
    assert ds["x"].values == pytest.approx(orbit, rel=1e-14)


@pytest.mark.parametrize("around", [True, False])
def test_precision_is_the_documents_own(around: bool) -> None:
    """The program around may have chosen another; it still has it afterwards."""
    grid = {"a": [3.9, 3.7], "x0": [0.1, 0.3]}
    for precision, real in (("single", np.float32), ("double", np.float64)):
        with jax.enable_x64(around):
            ds = run(map="logistic", grid=grid, length=9, device={"precision": precision})
            assert jax.numpy.asarray(1.5).dtype == (np.float64 if around else np.float32)
        assert {ds[name].dtype for name in ("a", "x0", "x")} == {np.dtype(real)}
        a, x = (
            values.astype(real) for values in np.meshgrid([3.9, 3.7], [0.1, 0.3], indexing="ij")
        )
        for _ in range(4):
            x = a * x - a * x**2
        # One rounding in the last place, grown by slopes below 4.
        assert ds["x"].sel(iteration=4).values == pytest.approx(
            x, abs=300 * float(np.finfo(real).eps)
        )
        if precision == "single":
            assert (ds["a"] == np.float32([3.9, 3.7])).all()


def test_single_precision_is_single_everywhere() -> None:
    """Every floating-point result of a solver on vectors, complex numbers and maps."""
    single = {"precision": "single"}
    every = [
        run(
            objective="seed_quadratic",
            solver="newton_cg",
            analysis={"orbit": {}, "history": {}},
            device=single,
        ),
        run(
            map="quadratic_c",
            grid={"c_re": [0.1]},
            analysis={"orbit": {}, "final": {}},
            device=single,
        ),
    ]
    for ds in every:
        kinds = {ds[name].dtype for name in ds.variables if ds[name].dtype.kind == "f"}
        assert kinds == {np.dtype(np.float32)}
    assert float(every[0]["objective_final"]) == pytest.approx(2, abs=1e-4)


def test_threads_do_not_disturb_one_another(fresh: None) -> None:
    """Eight runs of four structures and both precisions at once, against one after the other."""
    found = [
        experiment(
            map=name,
            grid={"x0": {"start": 0.1, "stop": 0.2, "num": 5 + k}},
            length=200,
            device={"precision": precision},
        )
        for k, name in enumerate(["logistic", "henon", "gauss", "sine"])
        for precision in ("single", "double")
    ]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(compute, found))
    for one, ds in zip(found, together, strict=True):
        assert ds["x"].dtype == one.device.real
        assert same(ds, compute(one))
    job._PROGRAMS.clear()
    assert same(compute(found[3]), together[3])


def test_the_program_used_longest_ago_is_dropped(
    monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    monkeypatch.setattr(job, "_MOST_PROGRAMS", 2)
    one, two, three = (experiment(map="logistic", length=n) for n in (1, 2, 3))
    for found in (one, two):
        assert seconds(found) > 0
    assert seconds(one) == 0
    assert seconds(three) > 0
    assert seconds(one) == 0
    assert seconds(two) > 0


def test_programs_of_functions(fresh: None) -> None:
    """Compiled once for each; one that is gone cannot lend its place to the next."""

    def found(call: Any) -> Experiment:
        return config.read(document(map={"initial": {"x": 1}}, length=3), function.handed(call))

    kept = scaled(2.0)
    assert seconds(found(kept)) > 0
    assert seconds(found(kept)) == 0
    for factor in range(20):
        assert compute(found(scaled(float(factor))))["x"].values.tolist() == [
            float(factor) ** n for n in range(4)
        ]
