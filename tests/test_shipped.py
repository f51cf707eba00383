"""Each shipped experiment from end to end, and each shipped map in those that it fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

import pipeline
from pipeline import archive, figures
from pipeline.__main__ import main
from pipeline.presentation import joined
from pipeline.status import CriticalKind
from tests.runs import CONF

# What compares jobs has a figure of all of them alone.
JOINT = {
    "convergence": ("objective=beale", "solver=newton,gradient", "iterate.length=20"),
    "newton_scaling": ("objective.initial.x.size=2,5", "solver=newton,newton_cg"),
    "solver_race": ("objective=glob(bo*)", "solver=newton,gradient_armijo"),
}
EXPERIMENTS = sorted(
    path.stem for path in (CONF / "experiment").glob("*.yaml") if path.stem not in JOINT
)
MAPS = sorted(path.stem for path in (CONF / "map").glob("*.yaml") if path.stem != "custom")
# Smaller grids and shorter orbits than those shipped.
SHRUNK = {
    "cycles": ("grid.a.num=40", "iterate.length=50", "analysis.cycles.max_period=3"),
    "henon_manifolds": ("analysis.manifolds={length: 5, max_points: 500}",),
    "logistic_bifurcation": ("grid.a.step=0.02", "iterate.transient=100", "iterate.length=100"),
    "phase_portrait": ("iterate.length=2000",),
    "henon_attractor": ("iterate.length=30000",),
    "standard_portrait": ("grid.starts.num=50",),
    "coupled_logistic": ("iterate.transient=100", "iterate.length=100"),
    "logistic_lyapunov": ("grid.a.num=61",),
    "logistic_plane": ("grid.a.num=30", "grid.b.num=30"),
    "henon_plane": ("grid.a.num=30", "grid.b.num=30"),
    "mandelbrot": ("grid.c_re.num=60", "grid.c_im.num=50", "iterate.length=100"),
    "chaos_indicators": ("grid.p0.num=9", "iterate.length=400"),
    "noise_induced": ("grid.xi.num=20", "iterate.length=2000"),
    "julia": ("grid.z0_re.num=60", "grid.z0_im.num=50", "iterate.length=100"),
    "minimise": ("iterate.length=50",),
    "invariant_density": ("iterate.length=20000",),
    "arnold_tongues": ("grid.omega.num=21", "grid.k.num=11", "iterate.length=200"),
    "quadratic_basin": ("iterate.length=100",),
    "henon_basin": ("grid.x0.num=60", "grid.y0.num=60", "analysis.basin.points=200"),
    "solver_basins": ("grid.x0.num=40", "grid.y0.num=40"),
    "step_size_bifurcation": ("grid.h.num=61",),
    "logistic_cascade": (
        "grid.a.num=40",
        "iterate.length=50",
        "analysis.continuation={max_period: 8, max_branches: 8, max_points: 100}",
    ),
    "circle_tongues": ("analysis.continuation={max_period: 2, start_period: 2, start_values: 6}",),
    "henon_bifurcations": ("analysis.continuation={max_period: 2, start_period: 1}",),
    "newton_fractal": ("grid.z0_re.num=60", "grid.z0_im.num=60"),
}

# NaN where there is nothing to tell: too few steps, one exponent of several, no escape, fewer
# attractors than there is room for.
OPEN = ("convergence", "kaplan_yorke_dimension", "escape_smooth", "attractor_")


def components(name: str) -> int:
    """How many real numbers a map's state takes."""
    described = yaml.safe_load((CONF / "map" / f"{name}.yaml").read_text(encoding="utf-8"))
    values = described["initial"].values()
    vectors = [v["size"] for v in values if isinstance(v, dict)]
    is_complex = [v for v in values if isinstance(v, str) and "j" in v]
    return len(described["initial"]) + sum(vectors) + len(is_complex)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_from_end_to_end(name: str, tmp_path: Path) -> None:
    """Its archive and its figure; finite values where a cell is bounded."""
    words = (f"experiment={name}", *SHRUNK.get(name, ()))
    with pipeline.run(*words, folder=tmp_path) as ds:
        assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png", "result.nc"]
        for variable in ds.data_vars.values():
            own = {"step_number", "cycle", "manifold", "branch", "bifurcation", "cascade", "curve"}
            padded = own & {*variable.dims}
            if variable.dtype.kind == "f" and not padded:
                known = variable.where(ds["status"] <= 1, 0)
                if not variable.name.startswith(OPEN):
                    assert np.isfinite(known).all(), variable.name
    texts = archive.provenance(tmp_path / "result.nc")
    assert yaml.safe_load(texts["document"])["experiment"] == name
    assert (tmp_path / "figure.png").stat().st_size > 5000


@pytest.mark.parametrize("name", JOINT)
def test_a_study_with_one_figure_of_all_jobs(
    name: str, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside sweep.nc, and none of each job; drawn again it is the same."""
    words = [f"experiment={name}", *JOINT[name], "hydra.sweep.dir=out"]
    assert main(["run", *words]) == 0
    assert "none failed" in capsys.readouterr().out
    figures_there = [path.relative_to(workdir / "out") for path in workdir.rglob("*.png")]
    assert figures_there == [Path("figure.png")]
    before = (workdir / "out" / "figure.png").read_bytes()
    assert main(["figure", "out"]) == 0
    assert capsys.readouterr().out == "out/figure.png\n"
    assert (workdir / "out" / "figure.png").read_bytes() == before
    with joined.parts("out/sweep.nc") as found:
        runs = [
            joined.Run(r.labels, r.data.load(), "", r.costs)
            for r in joined.runs("out/sweep.nc", found)
        ]
    if name == "newton_scaling":
        assert len(runs) == 8
        # Numbers are arguments: the second condition has the program of the first.
        for run in runs:
            assert (run.costs["job_compile_seconds"] > 0) == (run.labels["condition"] == "10")
            assert run.costs["job_run_seconds"] > 0
            assert run.costs["job_program_bytes"] > 0
            assert int(run.data["critical_kind"]) == CriticalKind.none
            if run.labels["solver"] == "newton":
                # The start, and one step: its matrix and its end.
                assert int(run.data["evaluations"]) == 2 + int(run.labels["size"])
    if name == "solver_race":
        assert [run.labels["objective"] for run in runs] == ["booth", "booth", "box_3d", "box_3d"]


@pytest.mark.parametrize("name", MAPS)
def test_a_map_in_the_experiments_that_it_fits(name: str) -> None:
    """Its orbit, its cobweb diagram or its portrait are figures of the dataset that comes out."""
    ds = pipeline.run("experiment=orbit", f"map={name}", "iterate.length=30", "figure=none")
    assert int(ds["status"]) == 0
    size = components(name)
    fits = {"time_series": size < 10, "cobweb": size == 1, "phase_portrait": size in (2, 3)}
    for kind in [kind for kind, good in fits.items() if good] or ["space_time"]:
        assert figures.choose(ds, kind) == kind
    own = [v for k, v in ds.data_vars.items() if k != "status"]
    assert all(np.isfinite(v).all() for v in own)
    assert all((v.isel(iteration=0) != v.isel(iteration=-1)).any() for v in own)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "name"),
    [
        ("cobweb", "tent"),
        ("cobweb", "gauss"),
        ("phase_portrait", "ikeda"),
        ("phase_portrait", "standard"),
        ("orbit", "quadratic_c"),
    ],
)
def test_figures_of_maps(experiment: str, name: str, tmp_path: Path) -> None:
    words = (f"experiment={experiment}", f"map={name}", "iterate.length=200")
    pipeline.run(*words, folder=tmp_path).close()
    assert (tmp_path / "figure.png").stat().st_size > 5000
