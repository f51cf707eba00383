"""Noise: random numbers of a cell and a step, and what they make of maps known on paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from pipeline import dataset, job, noise, preparation
from pipeline.job.structure import structure
from pipeline.maps import Map
from tests.config.cases import LOGISTIC, mistakes
from tests.runs import experiment, run, shipped

# Standard errors that an estimate from some 10^5 steps may be off.
SAMPLING = 5
AUTOREGRESSIVE = {
    "name": "autoregressive",
    "equations": {"x": "a*x"},
    "parameters": {"a": 0.5, "sigma": 0.3},
    "initial": {"x": 0.5},
    "noise": {"x": "sigma"},
}


def described(**parts: Any) -> dict[str, Any]:
    return {**AUTOREGRESSIVE, **parts}


def test_threefry_gives_the_published_blocks() -> None:
    """Known answers of Random123 1.14, threefry2x32 with 20 rounds."""
    cases = [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ]
    for key, counter, words in cases:
        one, other = (tuple(np.array([w], np.uint32) for w in pair) for pair in (key, counter))
        found = noise.threefry((one[0], one[1]), (other[0], other[1]))
        assert [int(word[0]) for word in found] == list(words)


def test_keys_follow_from_seed_name_and_cell() -> None:
    cells = np.array([0, 1, 2**32, 2**32 + 1])
    found = [noise.keys(seed, name, cells) for seed in (0, 1) for name in ("x", "y")]
    assert len(np.unique(np.concatenate(found), axis=0)) == 16
    assert np.array_equal(noise.keys(0, "x", cells[1:2]), found[0][1:2])


def test_autoregression() -> None:
    """x' = a x + sigma xi: variance sigma^2/(1 - a^2), correlations a^k, exponent ln a."""
    a, sigma = np.array([0.2, 0.5, 0.8]), np.array([0.1, 0.4])
    ds = run(
        map=AUTOREGRESSIVE,
        grid={"a": {"values": a.tolist()}, "sigma": {"values": sigma.tolist()}},
        analysis={"statistics": {}, "lyapunov": {}, "autocorrelation": {"max_lag": 3}},
        transient=100,
        length=40_000,
    )
    expected = sigma[None, :] ** 2 / (1 - a[:, None] ** 2)
    # The squares of a Gaussian have twice the correlation time 1/(1 - a^2) - 1/2 steps.
    off = np.sqrt(2 * (1 + a**2) / (1 - a**2) / 40_000)[:, None]
    assert np.all(np.abs(ds.x_std.values**2 / expected - 1) < SAMPLING * off)
    powers = a[:, None, None] ** np.arange(4)
    # Bartlett's formula, whose largest value is that of long lags.
    spread = np.sqrt((1 + a**2) / (1 - a**2) / 40_000)[:, None, None]
    assert np.all(np.abs(ds.x_autocorrelation.values - powers) < SAMPLING * spread)
    assert np.all(np.abs(ds.x_mean.values) < SAMPLING * ds.x_mean_error.values)
    np.testing.assert_allclose(ds.lyapunov.values[..., 0], np.log(a)[:, None] + 0 * sigma)


def test_exponents_of_random_products() -> None:
    """x' = (a + s xi) x grows by E ln|a + s xi|, by quadrature, Gaussian and uniform."""
    a, s, length = np.array([0.3, 0.9]), 0.4, 40_000
    for kind, density in (("normal", stats.norm), ("uniform", stats.uniform(-1, 2))):
        ds = run(
            map=described(parameters={"a": 0.5, "s": s}, noise={"a": {kind: "s"}}),
            grid={"a": {"values": a.tolist()}},
            analysis={"lyapunov": {}},
            length=length,
        )
        for k, drift in enumerate(a):

            def integrand(z: float, power: int, drift: float = drift, d: Any = density) -> float:
                return np.log(abs(drift + s * z)) ** power * d.pdf(z)

            ends = (-9, 9) if kind == "normal" else (-1, 1)
            inside = [-drift / s] if abs(drift / s) < 1 or kind == "normal" else None
            mean, square = (
                integrate.quad(integrand, *ends, (p,), points=inside, limit=200)[0] for p in (1, 2)
            )
            off = SAMPLING * np.sqrt((square - mean**2) / length)
            assert float(ds.lyapunov[k, 0]) == pytest.approx(mean, abs=off)


def test_orbit_is_the_map_and_its_numbers() -> None:
    """Steps less the map's own are independent Gaussians; entries and cells have their own."""
    ds = run(
        map=described(
            equations={"x": "a*x", "v": "a*v", "z": "a*z"},
            initial={"x": 0, "v": [0, 0], "z": "0j"},
            noise={"x": "sigma", "v": "[sigma, 2*sigma]", "z": "sigma*(1 + n)"},
        ),
        grid={"a": [0.5, 0.25]},
        length=2000,
    )
    series = [ds.x.values, ds.v.values[..., 0], ds.v.values[..., 1], ds.z_re.values, ds.z_im.values]
    numbers = np.array([s[:, 1:] - ds.a.values[:, None] * s[:, :-1] for s in series])
    steps = np.arange(1, 2001)
    numbers /= (
        0.3 * np.array([np.ones(2000), np.ones(2000), 2 * np.ones(2000), steps, steps])[:, None]
    )
    flat = numbers.reshape(10, 2000)
    # The probability that a Gaussian sample of this size is farther off than this is 1e-4.
    assert stats.kstest(flat.ravel(), "norm").pvalue > 1e-4
    assert np.max(np.abs(np.corrcoef(flat) - np.eye(10))) < SAMPLING / np.sqrt(2000)
    assert abs(np.mean(flat[:, 1:] * flat[:, :-1])) < SAMPLING / np.sqrt(20_000)


def test_only_the_cell_matters() -> None:
    """Whatever the blocks, and wherever a run goes on; another seed has other numbers."""
    found = experiment(map=AUTOREGRESSIVE, grid={"a": {"start": 0, "stop": 0.9, "num": 200}})
    layout, plan = preparation.prepare(found)
    call, _ = job.compiled(found, plan)
    whole = dataset.fill(layout, job.blocks(found, plan, call))["x"]
    assert len(np.unique(whole[:, 1:] - found.grid[0].values * whole[:, :-1])) == 2000
    _, last, rest = job.block(found, plan, call, 117)
    assert last == 200
    assert rest["x"].tobytes() == whole[117:].tobytes()
    other = run(map=AUTOREGRESSIVE, grid={"a": [0.9]}, seed=1)
    assert not np.isin(other.x.values[0, 1:], whole[-1]).any()


def test_noise_makes_order() -> None:
    """Proven, for small and large noise: Galatolo, Monge and Nisoli 2020."""
    ds = run(
        map=shipped("map", "matsumoto_tsuda", noise={"x": {"uniform": "xi"}}, parameters={"xi": 1}),
        grid={"xi": [1e-5, 5e-3]},
        analysis={"lyapunov": {}},
        transient=100,
        length=4000,
    )
    values, errors = ds.lyapunov.values[:, 0], ds.lyapunov_error.values[:, 0]
    assert values[0] > SAMPLING * errors[0]
    assert values[1] < -SAMPLING * errors[1]


def test_a_circle_stays_one() -> None:
    """The remainder is taken after the noise; turns count what it did, and average to omega."""
    ds = run(
        map={
            "equations": {"theta": "mod(theta + omega, 1)"},
            "parameters": {"omega": 0.9},
            "initial": {"theta": 0.2},
            "modulus": {"theta": 1},
            "noise": {"theta": 0.05},
        },
        analysis={"orbit": {}, "rotation": {}},
        length=4000,
    )
    assert 0 <= float(ds.theta.min()) < float(ds.theta.max()) < 1
    # Weights of a bump spread the mean over about half of the steps.
    assert float(ds.rotation_number) == pytest.approx(0.9, abs=SAMPLING * 0.05 / np.sqrt(2000))
    assert abs(float(ds.rotation_number) - 0.9) > 1e-9


def test_a_function_is_disturbed_too() -> None:
    from pipeline import run as run_function

    def halved(x: Any, a: Any) -> Any:
        return a * x

    ds = run_function(
        "experiment=orbit",
        "map.noise={x: 0.1}",
        "iterate.length=500",
        "figure=none",
        map=halved,
        parameters={"a": 0.5},
        initial=0.0,
    )
    assert float((ds.x[1:].values - 0.5 * ds.x[:-1].values).std()) == pytest.approx(0.1, rel=0.2)


def test_without_noise_nothing_changes() -> None:
    still = {k: v for k, v in described(parameters={"a": 0.5}).items() if k != "noise"}
    plain, empty = experiment(map=still), experiment(map={**still, "noise": {}})
    assert plain.document == empty.document
    assert "noise" not in empty.document["map"]
    assert (
        structure(plain)
        == structure(empty)
        != structure(experiment(map={**still, "noise": {"x": 0.1}}))
    )
    assert isinstance(empty.problem, Map)
    assert not empty.problem.costly


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"map__noise": {"y": 0.1}},
            "map.noise.y: no component and no parameter of that name (known: a, x).",
        ),
        ({"map__noise": {"x": "q"}}, 'map.noise.x: no name called "q"'),
        ({"map__noise": {"x": [1]}}, "map.noise.x = [1]: expected a formula, such as"),
        (
            {"map__noise": {"x": {"cauchy": 1}}},
            (
                'map.noise.x = {"cauchy": 1}: expected a formula, {normal: 0.01}, by its standard '
                "deviation, or {uniform: 0.01}, up to it."
            ),
        ),
        (
            {"map__noise": {"x": "[a, a]"}},
            'map.noise.x = "[a, a]": expected a number, but the formula gives shape [2].',
        ),
        (
            {"map__noise": {"x": "1j*a"}},
            'map.noise.x = "1j*a": expected real numbers, but the formula gives complex numbers.',
        ),
        (
            {"map__noise": {"x": 0.1}, "solver": {"name": "newton"}},
            (
                'solver = "newton": a map with noise has no fixed points; iterate it with '
                "solver=direct, or drop map.noise."
            ),
        ),
        (
            {"map__noise": {"x": 0.1}, "iterate": {"stop": "converged"}},
            (
                'iterate.stop = "converged": a map with noise has no fixed points to converge to; '
                "expected length."
            ),
        ),
        (
            {"map__noise": {"x": 0.1}, "analysis": {"period": {}}},
            "analysis.period: a map with noise has no cycles; drop map.noise.",
        ),
        (
            {"map__noise": {"x": 0.1}, "analysis": {"cycles": {}}},
            "analysis.cycles: a map with noise has no cycles; drop map.noise.",
        ),
        (
            {
                "map__noise": {"x": 0.1},
                "analysis": {"basin": {}},
                "grid": {"x0": {"start": 0, "stop": 1, "num": 3}},
            },
            (
                "analysis.basin: a map with noise has no attractors that a start goes to; "
                "drop map.noise."
            ),
        ),
    ],
)
def test_mistakes(changes: dict[str, Any], message: str) -> None:
    assert any(told.startswith(message) for told in mistakes(LOGISTIC, **changes))
