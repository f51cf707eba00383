"""The document as a whole: defaults, idempotence, and any mistake whatever told as one."""

from __future__ import annotations

import copy
import time

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import config
from pipeline.config.document import MOST_STEPS
from pipeline.config.mistakes import Mistakes
from pipeline.errors import ConfigError
from pipeline.experiment import Experiment
from pipeline.maps import Map
from tests.config.cases import LOGISTIC, QUADRATIC, VECTOR, changed, mistakes, read


def same(one: Experiment, other: Experiment) -> None:
    assert one.document == other.document
    assert (one.name, one.seed, one.dry_run) == (other.name, other.seed, other.dry_run)
    assert (one.solver, one.settings, one.iterate) == (other.solver, other.settings, other.iterate)
    assert (one.analyses, one.device, one.figure) == (other.analyses, other.device, other.figure)
    assert [(a.name, a.quantities, a.scale) for a in one.grid] == [
        (a.name, a.quantities, a.scale) for a in other.grid
    ]
    for a, b in zip(one.grid, other.grid, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
    assert type(one.problem) is type(other.problem)
    assert one.problem.components == other.problem.components
    assert one.problem.definitions == other.problem.definitions
    for part in ("parameters", "initial"):
        left, right = getattr(one.problem, part), getattr(other.problem, part)
        assert left.keys() == right.keys()
        for name, value in left.items():
            np.testing.assert_array_equal(value, right[name])


def again(experiment: Experiment) -> None:
    """Its document read again, as it is and by way of YAML, is the same experiment."""
    before = copy.deepcopy(experiment.document)
    same(experiment, config.read(experiment.document))
    assert experiment.document == before
    text = yaml.safe_dump(experiment.document, sort_keys=False, allow_unicode=True)
    same(experiment, config.read(yaml.safe_load(text)))


MAPS = [name for name in config.choices("map") if name != "custom"]
OBJECTIVES = [name for name in config.choices("objective") if name != "custom"]


@pytest.mark.parametrize("name", config.choices("experiment"))
def test_shipped_experiments(name):
    again(config.read(config.compose([f"experiment={name}"])))


@pytest.mark.parametrize("name", MAPS)
def test_shipped_maps(name):
    document = config.compose(["experiment=orbit", f"map={name}"])
    again(config.read(document))
    if config.read(document).problem.counts:
        return
    document |= {"solver": {"name": "newton"}, "analysis": {"history": {}}}
    again(config.read(document))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_shipped_objectives(name):
    document = config.compose(["experiment=minimise", f"objective={name}"])
    for solver in ("newton", "newton_cg", "gradient"):
        again(config.read({**document, "solver": {"name": solver}}))


NUMBERS = st.floats(-1e6, 1e6) | st.integers(-1000, 1000) | st.sampled_from(["pi", "1e-3", "1/3"])
AXES = st.one_of(
    st.builds(
        lambda a, b, n: {"start": a, "stop": b, "num": n}, NUMBERS, NUMBERS, st.integers(1, 9)
    ),
    st.builds(
        lambda a, n: {"start": a, "stop": a + n, "step": 1}, st.integers(-9, 9), st.integers(1, 9)
    ),
    st.builds(lambda v: {"values": v}, st.lists(NUMBERS, min_size=1, max_size=5)),
    st.builds(
        lambda k, n: {"sample": k, "num": n, "low": 0, "high": 1},
        st.sampled_from(["uniform", "sobol", "latin_hypercube"]),
        st.integers(1, 9),
    ),
    st.builds(lambda n: {"sample": "normal", "num": n, "mean": 0, "std": 1}, st.integers(1, 9)),
)


@settings(max_examples=50)
@given(
    AXES, AXES, NUMBERS, st.integers(0, 2**32 - 1), st.text(st.characters(categories=["L", "N"]))
)
def test_idempotent(first, second, number, seed, text):
    again(
        read(
            LOGISTIC,
            grid={"a": first, "p": {"of": "x0", **second}},
            map__parameters__a=number,
            map__reference=text,
            seed=seed,
        )
    )


def test_defaults():
    experiment = read(LOGISTIC)
    assert experiment.document["iterate"] == {
        "transient": 0,
        "length": 1000,
        "stop": "length",
        "tolerance": 1e-10,
        "follow": None,
        "kinds": True,
    }
    assert experiment.document["device"]["memory"] == 2**30
    assert experiment.document["figure"]["formats"] == ["png"]
    assert experiment.name == "custom"
    again(experiment)


def test_nothing_is_altered():
    document = changed(LOGISTIC, grid={"a": [1, 2]})
    before = copy.deepcopy(document)
    kept = config.read(document).document
    assert document == before
    document["grid"]["a"].append(3)
    assert kept["grid"]["a"] == {"values": [1, 2]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "seed = -1: expected an integer >= 0 and <= 4294967295."),
        ({"seed": 2**32}, "seed = 4294967296: expected an integer >= 0 and <= 4294967295."),
        ({"dry_run": 1}, "dry_run = 1: expected true or false."),
        ({"experiment": None}, "experiment = null: expected a text."),
        ({"gird": {}}, 'gird: no such key; did you mean "grid"?'),
        (
            {"iterate": 5},
            "expected keys and values (transient, length, stop, tolerance, follow, kinds).",
        ),
        ({"iterate": {"lenght": 5}}, 'iterate.lenght: no such key; did you mean "length"?'),
        (
            {"iterate": {"length": 0}},
            "iterate.length = 0: expected an integer >= 1 and <= 2147483647.",
        ),
        (
            {"iterate": {"length": MOST_STEPS, "transient": 1}},
            "iterate = 2147483648: expected transient + length <= 2147483647.",
        ),
        ({"solver": None}, "solver = null: expected the name of one (known: direct, relaxed,"),
        ({"solver": {}}, "solver = {}: expected the name of one (known: direct, relaxed,"),
        (
            {"solver": {"name": "newtn"}},
            'solver.name = "newtn": no such solver; did you mean "newton"?',
        ),
        ({"solver": {"name": []}}, "solver.name = []: no such solver"),
        (
            {"solver": {"name": "direct", "step": 1}},
            (
                "solver.step: a setting of gradient, gradient_armijo, momentum, nesterov, bfgs, "
                "dfp, lbfgs, nonlinear_cg, sgd, sign_sgd, signum, lion, ..., not of direct; choose "
                "a solver as a whole, with solver=direct."
            ),
        ),
        ({"solver": {"name": "direct", "q": 1}}, "solver.q: no such key (known: none)."),
        (
            {
                "solver": {"name": "newton"},
                "analysis": {"history": {}},
                "iterate": {"transient": 5},
            },
            "analysis.history: it begins with the start, so that nothing is dropped; expected",
        ),
        (
            {"solver": {"name": "newton"}, "map__equations": {"x": "a*x + n"}},
            'solver = "newton": a map whose formulas use n has no fixed points; iterate it with',
        ),
        (
            {"analysis": None},
            "analysis: expected at least one (known: autocorrelation, basin, ",
        ),
        (
            {"analysis": []},
            "analysis = []: expected analyses by name, such as {orbit: {every: 1}}",
        ),
        ({"analysis": {"orbt": {}}}, 'analysis.orbt: no such analysis; did you mean "orbit"?'),
        ({"analysis": {"orbit": 5}}, "analysis.orbit = 5: expected keys and values (every)."),
        (
            {"analysis": {"orbit": {"every": 0}}},
            "analysis.orbit.every = 0: expected an integer >= 1.",
        ),
        (
            {"device": {"platform": "cuda"}},
            'device.platform = "cuda": no such choice (known: auto,',
        ),
        ({"device": {"memory": "5XB"}}, 'device.memory = "5XB": expected a size such as 512MiB or'),
        (
            {"figure": {"formats": ["gif"]}},
            'figure.formats = ["gif"]: expected a list of png, svg,',
        ),
        (
            {"engine": {"name": "slurm"}},
            'engine.name = "slurm": no such choice (known: dask,',
        ),
        ({"map__reference": "\ud800"}, "map.reference = "),
    ],
)
def test_mistakes(changes, message):
    found = mistakes(LOGISTIC, **changes)
    assert len(found) == 1
    assert message in found[0]


def test_no_such_platform(monkeypatch):
    monkeypatch.setattr("pipeline.device.known", lambda: ["cpu"])
    assert mistakes(LOGISTIC, device={"platform": "tpu"}) == [
        'device.platform = "tpu": JAX has none here; it has cpu.'
    ]


@pytest.mark.parametrize("document", [None, 5, "map", [LOGISTIC], {}])
def test_no_document(document):
    assert mistakes(document)


def test_all_at_once():
    found = mistakes(
        LOGISTIC,
        map__equations={"x": "a*q"},
        solver={"name": "direct", "q": 1},
        grid={"a": {"start": 0, "stop": 1, "num": -5}},
        iterate={"length": -1},
        analysis={"orbit": {"every": 0}},
        seed=-1,
    )
    assert [line.split(":")[0].split(" =")[0] for line in found] == [
        "seed",
        "iterate.length",
        "map.equations.x",
        "solver.q",
        "grid.a.num",
        "analysis.orbit.every",
    ]


def test_what_is_unread_is_not_told_of():
    """A section with a mistake of its own is left out, and so is what would follow from it."""
    for section in ("map", "solver", "grid", "iterate", "analysis", "device", "figure", "seed"):
        document = changed(LOGISTIC, **{section: object()})
        document.pop(section)
        told = Mistakes()
        assert config.document.check(document, told, {section}) is None or not told
        assert not told


# Whatever a document may hold by mistake or malice.
HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [2**31, 2**63, 10**12, -(10**18), 10**400, 1e308, -1e-308, 1e400, float("nan")]
    ),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "x",
            "a",
            "2**2**2**2**9",
            "zeros(10**9)",
            "x" * 10**5,
            "\0",
            "${seed}",
            "???",
            "~",
            "[x",
            "1j",
        ]
    ),
    st.just([0.5] * 1000),
    st.just({"value": 1, "size": 10**12}),
    st.just({"sample": "normal", "shape": [10**6, 10**6]}),
    st.just({"sample": "sobol", "num": 10**12, "low": 0, "high": 1}),
    st.just({"start": 0, "stop": 1, "num": 10**12}),
    st.just({"start": 0, "stop": 1e300, "step": 1e-300}),
    st.lists(st.integers() | st.text(max_size=3) | st.lists(st.floats()), max_size=3),
    st.dictionaries(st.text(max_size=5) | st.integers() | st.none() | st.booleans(), st.integers()),
    st.sampled_from([b"x", object(), {1}, 1j, yaml.safe_load("2001-01-01"), ((),), np.eye(2)]),
)
FULL = [
    read(
        LOGISTIC, grid={"a": {"start": 3, "stop": 4, "num": 5}, "x0": {"values": [0.1, 0.2]}}
    ).document,
    read(QUADRATIC, grid={"p": {"of": ["c_re", "c_im"], "values": [[0, 1]]}}).document,
    read(
        VECTOR,
        grid={
            "c_0": {"sample": "normal", "num": 3, "mean": 0, "std": 1},
            "s": {"of": "solver.step", "start": 0.1, "stop": 1, "num": 2, "scale": "log"},
        },
    ).document,
]


@st.composite
def mutated(draw):
    """A valid document of which a few places are deleted, replaced, renamed or put elsewhere."""
    document = copy.deepcopy(draw(st.sampled_from(FULL)))
    for _ in range(draw(st.integers(1, 3))):
        node, parents = document, []
        while isinstance(node, dict | list) and len(node) and (not parents or draw(st.booleans())):
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            parents.append((node, draw(st.sampled_from(keys))))
            node = node[parents[-1][1]]
        parent, key = parents[-1]
        match draw(st.sampled_from(["replace", "delete", "rename", "nest"])):
            case "replace":
                parent[key] = draw(HOSTILE)
            case "delete":
                del parent[key]
            case "rename" if isinstance(parent, dict):
                parent[draw(st.text(max_size=8) | st.integers())] = parent.pop(key)
            case _:
                for _ in range(draw(st.sampled_from([1, 50, 3000]))):
                    parent[key] = draw(st.sampled_from([[parent[key]], {"x": parent[key]}]))
    return document


@settings(max_examples=150)
@given(mutated())
def test_whatever_the_document(document):
    begun = time.process_time()
    told: tuple[str, ...] = ()
    try:
        experiment = config.read(document)
    except ConfigError as error:
        told = error.mistakes or ("nothing",)
    else:
        again(experiment)
        assert isinstance(experiment.problem, Map) or experiment.problem.group == "objective"
    for line in told:
        assert ": " in line
        assert len(line) < 2000
    # A second is a hundred times what these take; only a hang or a huge array takes more.
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    "grid",
    [
        {"a": {"start": 0, "stop": 1, "num": 10**12}},
        {"a": {"start": 0, "stop": 1e12, "step": 1}},
        {"a": {"sample": "sobol", "num": 10**12, "low": 0, "high": 1}},
        {"a": {"values": np.broadcast_to(0.0, 10**10)}},
        {"a": {"values": [0.0] * 10**7}},
    ],
)
def test_huge_axes_are_refused_at_once(grid):
    document = {**LOGISTIC, "grid": grid}
    begun = time.process_time()
    with pytest.raises(ConfigError, match="expected"):
        config.read(document)
    assert time.process_time() - begun < 20


def test_the_theory_of_a_figure():
    document = config.compose(["experiment=invariant_density"])
    assert config.read(document).figure.theory == "1/(pi*sqrt(x*(1 - x)))"
    wrong = {**document, "figure": {"theory": "1/(pi*sqrt(u))"}}
    with pytest.raises(ConfigError, match=r'figure.theory: no name called "u"'):
        config.read(wrong)
    without = config.compose(["experiment=cobweb", "figure.theory='1/x'"])
    with pytest.raises(ConfigError, match=r"figure.theory = .*: there is no density"):
        config.read(without)
