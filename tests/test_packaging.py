"""What is installed, with which versions, and which rules the package keeps."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import tomllib
import venv
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

STAGES = {
    "config",
    "job",
    "dataset",
    "archive",
    "figures",
    "provenance",
    "table",
    "report",
}


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def dependencies(project):
    """All that a developer installs."""
    table = project["project"]
    return [
        Requirement(text) for text in table["dependencies"] + table["optional-dependencies"]["dev"]
    ]


@pytest.fixture(scope="module")
def contracts(project):
    return {contract["name"]: contract for contract in project["tool"]["importlinter"]["contracts"]}


def copy_of(root: Path, folder: Path) -> Path:
    """What a build reads, away from the tree, where building leaves files."""
    for name in ("pipeline", "conf", "tests"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, folder)
    return folder


def run(*command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, **options)


def files(folder: Path) -> set[str]:
    """Paths below a folder, beginning with its name, but for what Python leaves there."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder.parent).as_posix() for path in found}


# Versions


def test_dependencies_are_bounded(dependencies):
    for requirement in dependencies:
        operators = {part.operator for part in requirement.specifier}
        assert ">=" in operators, requirement
        assert not operators & {"==", "==="}, requirement


def test_constraints_fit(root, dependencies):
    """Each dependency is pinned for this Python, once, to a version that users may get too."""
    lines = (root / "constraints.txt").read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    versions = {canonicalize_name(pin.name): str(pin.specifier) for pin in here}
    assert len(versions) == len(here)
    for requirement in dependencies:
        version = versions[canonicalize_name(requirement.name)].removeprefix("==")
        assert requirement.specifier.contains(version), requirement
    assert not any(pin.url for pin in pins)


def test_no_python_that_hydra_fails_on(project):
    python = Requirement(f"python{project['project']['requires-python']}").specifier
    assert [minor for minor in range(9, 17) if f"3.{minor}.1" in python] == [11, 12, 13]


# Commands


def test_script_is_the_module(project):
    module, function = project["project"]["scripts"]["cobweb"].split(":")
    assert module == "pipeline.__main__"
    assert callable(getattr(import_module(module), function))


def test_ci_runs_what_the_readme_says(root):
    """The README's first two commands that install are CI's, word for word."""
    script = (root / ".ci" / "run").read_text("utf-8")
    readme = (root / "README.md").read_text("utf-8")
    commands = re.findall(r"^ *(pip install -e .*)$", readme, re.MULTILINE)[:2]
    assert len(commands) == 2
    for command in commands:
        assert re.search(rf"^{re.escape(command)}( \| tee .*)?$", script, re.MULTILINE), command


# Layers


def test_layers_hold_the_stages_apart(contracts):
    layers = contracts["Layers"]
    rows = [set(re.findall(r"\w+", row)) for row in layers["layers"] if ":" not in row]
    assert STAGES in rows
    assert layers["exhaustive"]


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("errors", "import pipeline.api", "Layers BROKEN"),
        ("dataset", "import pipeline.archive", "Layers BROKEN"),
        ("unheard_of", "", "Layers BROKEN"),
        ("archive", "import jax", "Results open without JAX BROKEN"),
        ("maps", "import omegaconf", "Only the shell knows Hydra BROKEN"),
    ],
)
def test_layers_are_checked(root, contracts, workdir, module, line, broken):
    """A breach is found in a package with the modules that the contracts name, and nothing else."""
    sources = {
        name for contract in contracts.values() for name in contract.get("source_modules", [])
    }
    names = {name.removeprefix("pipeline.") for name in sources}
    names |= {name for row in contracts["Layers"]["layers"] for name in re.findall(r"\w+", row)}
    (workdir / "pipeline").mkdir()
    for name in ["__init__", *names]:
        (workdir / "pipeline" / f"{name}.py").touch()
    shutil.copy(root / "pyproject.toml", workdir)
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]

    sound = run(*lint, "--no-cache", cwd=workdir)
    assert sound.returncode == 0, sound.stdout
    (workdir / "pipeline" / f"{module}.py").write_text(line + "\n", "utf-8")
    breached = run(*lint, "--no-cache", cwd=workdir)
    assert breached.returncode == 1
    assert broken in breached.stdout


def test_results_open_without_jax():
    """With JAX made impossible to import, all that reads an archive or draws it is still there."""
    lines = "import sys; sys.modules['jax'] = None; import pipeline.archive, pipeline.dataset, "
    opened = run(
        sys.executable, "-c", lines + "pipeline.figures, pipeline.inspection, pipeline.presentation"
    )
    assert opened.returncode == 0, opened.stderr


def test_libraries_of_solvers_are_imported_where_they_are_chosen():
    lines = """
        import sys, pipeline
        def loaded():
            return sorted({"optax", "optimistix", "equinox"} & {*sys.modules})
        small = "experiment=minimise", "objective=booth", "iterate.length=3", "figure=none"
        pipeline.run(*small, "solver=gradient")
        print(loaded())
        pipeline.run(*small, "solver=adam")
        print(loaded())
    """
    done = run(sys.executable, "-c", textwrap.dedent(lines))
    assert done.stdout.splitlines() == ["[]", "['optax']"], done.stderr


# The wheel


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    """Built from a copy, with the backend that is installed: nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_of(root, tmp_path_factory.mktemp("source"))
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
    built = run(sys.executable, "-m", "pip", "wheel", *options, source)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_holds_the_package_and_the_choices(root, wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        text = archive.read(metadata).decode()
    assert held == files(root / "pipeline") | files(root / "conf")
    assert "License-Expression: Apache-2.0" in text


def test_installed_command_finds_the_choices(root, wheel, workdir):
    """In a virtual environment that sees the installed dependencies, but not the repository."""
    venv.create("venv", with_pip=False)
    place = run("venv/bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    site = Path(place.stdout.strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    options = ("--no-deps", "--no-index", "--target", site)
    installed = run(sys.executable, "-m", "pip", "install", *options, wheel)
    assert installed.returncode == 0, installed.stderr
    listed = run("venv/bin/python", "-P", "-m", "pipeline", "list")
    assert listed.returncode == 0, listed.stderr
    for path in (root / "conf" / "map").glob("*.yaml"):
        assert path.stem in listed.stdout
