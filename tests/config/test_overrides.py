"""Overrides: every mistake in one sentence, all of them at once."""

from __future__ import annotations

import pytest
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf.errors import MissingMandatoryValue

from pipeline import config
from pipeline.config.overrides import examine, explain, section
from tests.config.cases import refused


@pytest.mark.parametrize(
    ("overrides", "messages"),
    [
        (
            ["map=logstic"],
            [
                (
                    'map = "logstic": no such map; did you mean "logistic"? (known: arnold_cat, '
                    "baker, beta_shift, bogdanov, bouncing_ball, burgers, burning_ship, "
                    "chebyshev, chialvo, circle, clifford, continued_fraction, ...)."
                )
            ],
        ),
        (["map=5"], ["map = 5: no such map (known:"]),
        (["map="], ['map = "": no such map']),
        (["map=null"], ["map = null: to choose none, write '~map'."]),
        (
            ["map=[henon,logistic]"],
            ['map = ["henon", "logistic"]: expected one; for one job each write -m map='],
        ),
        (["experiment=[orbit,cobweb]"], ['experiment = ["orbit", "cobweb"]: expected one;']),
        (["+map=henon"], ["+map=henon: expected map=henon; a choice is made without +."]),
        (["++map=henon"], ["++map=henon: expected map=henon; a choice is made without +."]),
        (["~map=henon"], ["~map=henon: expected '~map', without a value."]),
        (["~analysis=orbit"], ["~analysis=orbit: expected '~analysis.orbit', without a value."]),
        (["analysis=[orbit,orbt]"], ['analysis = "orbt": no such analysis; did you mean "orbit"?']),
        (["map@foo=henon"], ["map@foo: expected map=... or map.key=..."]),
        (["map/foo=henon"], ["map/foo: expected map=... or map.key=..."]),
        (["map.foo@x=3"], ["map.foo@x: expected map=... or map.key=..."]),
        (["foo=1"], ["foo: no such key (known: analysis, device, dry_run, engine,"]),
        (["+foo.b=1"], ["foo.b: no such key"]),
        (["~sed"], ['sed: no such key; did you mean "seed"?']),
        (["=5"], ["=5: no such key (known"]),
        (["a"], ["a: expected an override such as a.b=1."]),
        ([""], [": expected an override such as a.b=1."]),
        (
            ["grid.a.step=1,2"],
            [
                (
                    "grid.a.step=1,2: expected one value; for a list write grid.a.step=[...], for "
                    "a sweep add -m."
                )
            ],
        ),
        (["map=henon,logistic"], ["map=henon,logistic: expected one value;"]),
        (["seed=range(3)"], ["seed=range(3): expected one value;"]),
        (
            ["map.equations.x=a*(x"],
            [
                (
                    "map.equations.x=a*(x: Hydra cannot read this value; quote the value once "
                    "more: \"map.equations.x='a*(x'\"."
                )
            ],
        ),
        (
            ["map.equations={x: x > 0}"],
            ["Hydra cannot read this value; quote the texts in it, as in {x: '1 - a*x**2'}."],
        ),
        (
            ["map.equations.x='x' 'y'"],
            ["write it in the other quotes: 'map.equations.x=\"...\"'."],
        ),
        (["seed=" + "(" * 300], ["seed: expected at most 32 brackets, one within the other."]),
        (
            ["seed=" + "1" * 30_000],
            ["seed: expected at most 20000 characters; use a file for more."],
        ),
        (["seed=(" + "1 " * 1000], ["...: Hydra cannot read this value; quote it."]),
        (["~grid.b"], ["~grid.b: there is no grid.b to delete (known: a)."]),
        (["~grid.a.sto"], ['there is no grid.a.sto to delete; did you mean "stop"?']),
        (["~seed=4"], ["~seed=4: seed has another value; expected '~seed'."]),
        (["+seed=4"], ["+seed=4: seed has a value already; write seed=4 to change it."]),
        (["seed.foo=3"], ["seed.foo=3: seed is a value; it has no keys of its own."]),
        (["grid=[1,2]"], ["grid = [1, 2]: expected keys and values."]),
        (["figure.formats={a: 1}"], ['figure.formats = {"a": 1}: expected a list.']),
        (
            ["grid.a=[1,2]"],
            ["grid.a: to replace the axis, write '~grid.a' '+grid.a={values: [1, 2]}'."],
        ),
        (["hydra.searchpath=[x]"], ["hydra.searchpath: --config-dir is the way to bring configs"]),
        (["hydra.moda=RUN"], ["Could not override 'hydra.moda'"]),
        (["hydra.mode=FOO"], ["Invalid value 'FOO', expected one of [RUN, MULTIRUN]."]),
        (["hydra/launcher=none_such"], ["Could not find 'hydra/launcher/none_such'"]),
        (["seed=${seed}"], ["seed: Recursive interpolation detected."]),
        (["seed=${nothing}"], ["seed: Interpolation key 'nothing' not found."]),
        (["grid.b=${grid}"], ["grid.b: Interpolation to parent node detected."]),
        (
            ["map.parameters.a=${oc.env:HOME}"],
            [
                (
                    'map.parameters.a = "${oc.env:HOME}": a document refers to nothing but its own '
                    "values, as in ${seed}; give the value."
                )
            ],
        ),
        (["seed=${now:%Y}"], ["a document refers to nothing but its own values"]),
        (["map.parameters.a=???"], ["map.parameters.a: expected a value; ??? stands for one"]),
        (
            [f"+map.parameters.b{k}=${{seed}}" for k in range(20)],
            ["${...} = 20: expected at most 16 references in a document."],
        ),
    ],
)
def test_refused(overrides, messages):
    found = refused(overrides)
    assert len(found) == len(messages)
    for line, message in zip(found, messages, strict=True):
        assert message in line


def test_all_at_once():
    """Of Hydra's making and of ours: each once, with none that follows from another."""
    found = refused(
        [
            "map=logstic",
            "~grid.b",
            "grid=[1]",
            "foo=1",
            "iterate.length=-5",
            "seed=x",
            "solver=newtn",
        ]
    )
    assert [line.split(":")[0] for line in found] == [
        'map = "logstic"',
        "foo",
        'solver = "newtn"',
        "~grid.b",
        "grid = [1]",
        'seed = "x"',
        "iterate.length = -5",
    ]


def test_no_mistakes_that_follow_from_others():
    assert len(refused(["map=custom", "map.equations={x: x > 0}", "map.initial.x=1"])) == 1
    assert len(refused(["experiment=cobwb", "map=custom"])) == 1
    assert len(refused(["~grid.a", "solver=newtn", "solver.step=3"])) == 1


@pytest.mark.parametrize(
    ("overrides", "sizes"),
    [
        ([], {"a": 600}),
        (["~grid.a"], {}),
        (["~grid"], {}),
        (["grid.a.step=0.01"], {"a": 60}),
        (["grid.b={of: x0, values: [1, 2]}"], {"a": 600, "b": 2}),
        (["grid={x0: {values: [1]}}"], {"a": 600, "x0": 1}),
        (["~grid.a", "+grid.a={values: [3, 4]}"], {"a": 2}),
        (["grid.x0=[1,2,3]"], {"a": 600, "x0": 3}),
        (["grid.x0={values: [1,2,3]}", "grid.x0.values=[1]"], {"a": 600, "x0": 1}),
        (["grid.x0=${grid.a}"], {"a": 600, "x0": 600}),
        (["map.parameters.a=${seed}"], {"a": 600}),
        (["~device", "~engine", "~figure", "~seed", "~iterate"], {"a": 600}),
        (["~solver", "solver={name: direct}"], {"a": 600}),
        (["map=henon", "map=logistic"], {"a": 600}),
        (["hydra.run.dir=${now:%Y}"], {"a": 600}),
        (
            [
                "~map",
                "~grid",
                "~analysis",
                "objective=rosenbrock",
                "solver=newton",
                "iterate.transient=0",
            ],
            {},
        ),
    ],
)
def test_accepted(overrides, sizes):
    grid = config.read(config.compose(overrides)).grid
    assert {axis.name: axis.size for axis in grid} == sizes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("map=henon,nope", 'map = "nope": no such map (known'),
        ("map=choice(nope,henon)", 'map = "nope": no such map (known'),
        ("map='nope',henon", 'map = "nope": no such map (known'),
        ("analysis=[orbit,nope],final", 'analysis = "nope": no such analysis (known'),
        ("map=[henon,logistic],cubic", 'map = ["henon", "logistic"]: no such map (known'),
        ("seed=range(0,1000000000)", "seed=range(0,1000000000): expected at most 10000000 values."),
        ("sed=1,2", 'sed: no such key; did you mean "seed"?'),
    ],
)
def test_sweeps(text, message):
    mistakes, sound, unread = examine([text], None, sweep=True)
    assert len(mistakes) == 1
    assert message in mistakes[0]
    assert (sound, unread) == ([], {section(text)})


def test_sound_sweeps():
    texts = ["map=henon,logistic", "map=glob(h*)", "seed=range(3)", "analysis=[orbit,final],final"]
    texts += ["map.parameters.a=1,2", "hydra.job.chdir=true,false"]
    assert examine(texts, None, sweep=True) == ([], texts, set())


def test_explain():
    """What Hydra says of a job of a sweep, without the types and paths of its own."""
    error = ConfigCompositionException("Error merging override seed=x\n    full_key: seed\n")
    error.__cause__ = ValueError("no integer.")
    assert explain(error) == "Error merging override seed=x : no integer."
    assert explain(MissingMandatoryValue()) == "MissingMandatoryValue."


@pytest.mark.parametrize(
    ("launcher", "told"),
    [
        ("joblib", "pip install 'cobweb-pipeline[joblib]' brings joblib."),
        ("submitit_slurm", "pip install 'cobweb-pipeline[slurm]' brings submitit."),
    ],
)
def test_a_launcher_that_is_not_installed(launcher, told):
    error = HydraException(f"Could not load 'hydra/launcher/{launcher}'.\nAvailable options: basic")
    assert explain(error) == f"hydra/launcher: {told}"
