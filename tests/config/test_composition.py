"""Composition: Hydra's rules without its global state."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.version import VersionBase, getbase
from omegaconf.basecontainer import BaseContainer

from pipeline import config
from pipeline.config import composition
from pipeline.errors import ConfigError
from tests.config.cases import refused

MINE = "equations: {x: a*x}\nparameters: {a: 1}\ninitial: {x: 0.1}\n"
EXPERIMENT = (
    "# @package _global_\ndefaults:\n  - override /map: logistic\n  - override /analysis: [orbit]\n"
)


def test_document():
    document = config.compose(["map=henon", "seed=3", "~grid.a"])
    assert document["experiment"] == "logistic_bifurcation"
    assert document["map"]["name"] == "henon"
    assert (document["seed"], document["grid"]) == (3, {})
    assert not {"hydra", "objective"} & document.keys()


def test_a_name_from_the_file(tmp_path):
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "mine.yaml").write_text(MINE)
    assert config.compose(["map=mine"], tmp_path)["map"]["name"] == "mine"
    document = config.compose(["~experiment", "map={equations: {x: x}}"])
    assert (document["experiment"], document["map"]["name"]) == ("custom", "custom")


def test_choices(tmp_path):
    (tmp_path / "map" / "more").mkdir(parents=True)
    for name in ("mine.yaml", "more/other.yaml", "no.yml"):
        (tmp_path / "map" / name).write_text(MINE)
    found = config.choices("map", tmp_path)
    assert {"henon", "mine", "more/other"} <= set(found)
    assert "no" not in found
    assert config.read(config.compose(["experiment=orbit", "map=more/other"], tmp_path)).grid == ()


def test_no_folder(tmp_path):
    with pytest.raises(ConfigError, match=r"--config-dir = .*none: no such folder."):
        config.compose([], tmp_path / "none")


def test_leaves_no_trace(workdir):
    resolvers = set(BaseContainer._resolvers)
    before = (getbase(), GlobalHydra.instance().hydra, HydraConfig.initialized(), os.environ.copy())
    config.compose(["map=henon"])
    refused(["map=nothing"])
    refused(["~grid.b"])
    after = (getbase(), GlobalHydra.instance().hydra, HydraConfig.initialized(), os.environ.copy())
    assert before == after
    assert resolvers == set(BaseContainer._resolvers)
    assert os.getcwd() == str(workdir)
    assert list(workdir.iterdir()) == []


def test_within_a_program_that_uses_hydra(tmp_path):
    """Beside the compose API of a program with rules of its own."""
    (tmp_path / "config.yaml").write_text("mine: 1\n")
    base = VersionBase.instance().getbase()
    try:
        with initialize_config_dir(str(tmp_path), version_base="1.2"):
            theirs = getbase()
            assert config.compose(["map=henon"])["map"]["name"] == "henon"
            assert getbase() == theirs
            assert hydra_compose("config").mine == 1
    finally:
        VersionBase.instance().version_base = base
    assert not GlobalHydra.instance().is_initialized()


PROGRAM = """
import os
import hydra
from hydra.core.hydra_config import HydraConfig
from pipeline import config

@hydra.main(version_base="1.2", config_path=".", config_name="theirs")
def main(cfg):
    document = config.compose(["map=henon", "~grid.a"])
    config.read(document)
    assert cfg.mine == 1 and HydraConfig.get().job.name == "program"
    try:
        config.compose(["seed=${hydra:job.num}"])
    except config.composition.ConfigError as error:
        print(error)
    print(document["map"]["name"], os.getcwd())

main()
"""


def test_within_hydra_main(tmp_path):
    (tmp_path / "theirs.yaml").write_text("mine: 1\nhydra: {run: {dir: out}}\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    message, last = done.stdout.splitlines()
    assert "a document refers to nothing but its own values" in message
    assert last == f"henon {tmp_path}"


def test_threads():
    """Many at once, mistaken ones among them, each with its own answer."""
    names = ["henon", "logistic", "cubic", "ricker", "nothing", "gauss"] * 3
    start = threading.Barrier(6)

    def one(name):
        start.wait()
        try:
            return config.compose([f"map={name}", "~grid.a"])["map"]["name"]
        except ConfigError as error:
            return str(error)[:16]

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(one, names))
    assert found == [name if name != "nothing" else 'map = "nothing":' for name in names]


@pytest.fixture
def told(tmp_path):
    """What is told of a folder of these files."""

    def read(files, overrides):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return refused(overrides, tmp_path)

    return read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "defaults: []\n",
            "experiment/mine.yaml: the first line of an experiment is # @package _global_.",
        ),
        ("# @package map\nseed: 1\n", "the first line of an experiment is # @package _global_."),
        (
            EXPERIMENT.replace("logistic", "logstic"),
            'override /map = "logstic": no such map; did you',
        ),
        (
            EXPERIMENT.replace("/map", "/mapp"),
            '"override /mapp": no such group; did you mean "map"?',
        ),
        (EXPERIMENT.replace("/map", "map"), 'expected override /map: "logistic".'),
        (EXPERIMENT.replace("override /map", "map"), 'expected override /map: "logistic".'),
        (EXPERIMENT.replace("logistic", "[logistic, henon]"), "expected one choice."),
        ("# @package _global_\ndefaults: {map: logistic}\n", "mine.yaml: defaults = "),
        (
            "# @package _global_\ndefaults: [5]\n",
            "expected the name of another experiment, or a choice",
        ),
        (
            "# @package _global_\ndefaults: [{}]\n",
            "expected the name of another experiment, or a choice",
        ),
        (
            "# @package _global_\ndefaults: [{a: 1, b: 2}]\n",
            "expected the name of another experiment",
        ),
        ("# @package _global_\ndefaults: [mine]\n", "a file does not begin with itself."),
        ("# @package _global_\ndefaults: [none_such]\n", '"none_such": no such experiment'),
        (
            EXPERIMENT + "grid: [a]\n",
            'experiment/mine.yaml: grid = ["a"]: expected keys and values.',
        ),
        (
            EXPERIMENT + "map: henon\n",
            'experiment/mine.yaml: map = "henon": expected keys and values.',
        ),
        (EXPERIMENT + "gird: {}\n", 'gird: no such key; did you mean "grid"?'),
        (EXPERIMENT + "grid:\n  a:\n", "grid.a = null: expected an axis; drop one with '~grid.a'."),
        (EXPERIMENT + "seed: ${oc.env:HOME}\n", "a document refers to nothing but its own values"),
        (EXPERIMENT + "hydra: {moda: RUN}\n", "Key 'moda' not in 'HydraConf'."),
        (
            EXPERIMENT + "map: {parameters: [1]}\n",
            "a list stands where another file has keys and values.",
        ),
        ("", "experiment/mine.yaml: expected keys and values; the file is empty."),
    ],
)
def test_experiments(told, text, message):
    found = told({"experiment/mine.yaml": text}, ["experiment=mine"])
    assert len(found) == 1
    assert message in found[0]


def test_files_that_begin_with_one_another(told):
    head = "# @package _global_\n"
    files = {
        "experiment/mine.yaml": f"{head}defaults: [other]\n",
        "experiment/other.yaml": f"{head}defaults: [mine]\n",
    }
    assert told(files, ["experiment=mine"]) == [
        "defaults or ${...}: these refer to one another in a circle."
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "# @package foo\n" + MINE,
            "map/mine.yaml: only an experiment begins with a line # @package.",
        ),
        (
            "defaults: [henn]\n" + MINE,
            'map/mine.yaml: defaults = "henn": no such map; did you mean "henon"?',
        ),
        ("defaults: [{override /solver: newton}]\n", "expected the name of another map."),
        (MINE + "name: 010\n", "map/mine.yaml, line 4: 010: to YAML a leading 0 means octal"),
        ("", "map/mine.yaml: expected keys and values; the file is empty."),
    ],
)
def test_maps(told, text, message):
    found = told({"map/mine.yaml": text}, ["experiment=orbit", "map=mine"])
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize("path", ["map/mine.yml", "mine.yaml", "mine.yml"])
def test_files_in_the_wrong_place(told, path):
    (found,) = told({path: MINE}, ["experiment=orbit", "map=mine"])
    assert found.endswith(f"; there is {path}, which belongs into map/mine.yaml.")


def test_files_with_the_names_of_ours(told):
    found = told({"map/henon.yaml": MINE, "config.yaml": ""}, [])
    assert [line.split("/", 2)[-1].split(": ")[1] for line in found] == [
        "the name is taken by one that comes with Cobweb; give the file another."
    ] * 2


def test_mistakes_of_several_files_and_of_overrides(told):
    files = {
        "experiment/mine.yaml": EXPERIMENT + "iterate: {length: 010}\n",
        "map/mine.yaml": MINE + "name: 12:30\n",
    }
    found = told(files, ["experiment=mine", "map=mine", "foo=1"])
    assert [line.split(":")[0] for line in found] == [
        "foo",
        "experiment/mine.yaml, line 5",
        "map/mine.yaml, line 4",
    ]


def test_files_of_the_user(tmp_path):
    (tmp_path / "map").mkdir()
    (tmp_path / "experiment").mkdir()
    (tmp_path / "map" / "mine.yaml").write_text("defaults: [henon, _self_]\nparameters: {a: 1.2}\n")
    text = EXPERIMENT.replace("logistic", "mine") + "grid: {b: {values: [0.2, 0.3]}}\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text, encoding="utf-8-sig")
    experiment = config.read(config.compose(["experiment=mine"], tmp_path))
    assert (experiment.name, experiment.problem.name) == ("mine", "henon")
    assert experiment.problem.parameters["a"] == 1.2
    assert [axis.size for axis in experiment.grid] == [2]


def test_hydra_section(tmp_path):
    (tmp_path / "experiment").mkdir()
    text = EXPERIMENT + "hydra: {mode: MULTIRUN, sweeper: {params: {map: 'logistic,cubic'}}}\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    loader = composition.Loader(composition.search_path(tmp_path))
    with composition.hydra_rules():
        whole, document = composition.whole(loader, ["experiment=mine"], tmp_path)
    assert whole.hydra.mode.name == "MULTIRUN"
    assert "hydra" not in document


def test_defaults_of_hydra_and_of_nothing(tmp_path):
    (tmp_path / "experiment").mkdir()
    text = f"{EXPERIMENT}  - override /objective: null\n  - override /hydra/launcher: basic\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    assert config.compose(["experiment=mine"], tmp_path)["map"]["name"] == "logistic"
