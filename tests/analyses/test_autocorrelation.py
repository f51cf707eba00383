"""Autocorrelations that are known on paper."""

from __future__ import annotations

import numpy as np
import pytest

from tests.config.cases import LOGISTIC, mistakes
from tests.runs import run

# Of sums by Fourier transforms.
ROUNDING = 1e-12
LENGTH = 40_000
# Five standard errors of a correlation coefficient of white noise.
SAMPLING = 5 / np.sqrt(LENGTH)


def test_logistic() -> None:
    """Cycles repeat; at a = 4 states are uncorrelated, for T_m and T_n are orthogonal (row 9)."""
    ds = run(
        map="logistic",
        grid={"a": [3.2, 4.0], "x0": [0.1, 0.3]},
        transient=1000,
        length=LENGTH,
        analysis={"autocorrelation": {"max_lag": 9}},
    )
    found = ds.x_autocorrelation
    assert found.dims == ("a", "x0", "lag")
    assert found.lag.values.tolist() == list(range(10))
    np.testing.assert_allclose(found[0], np.tile((-1.0) ** np.arange(10), (2, 1)), atol=1e-9)
    np.testing.assert_allclose(found[1, :, 0], 1, rtol=ROUNDING)
    assert np.all(np.abs(found[1, :, 1:]) < SAMPLING)


def test_skew_tent() -> None:
    """x' = x/a below a and (1 - x)/(1 - a) above: (2a - 1)^k, from E[x | x'] on both branches."""
    ds = run(
        map="skew_tent",
        grid={"a": [0.15, 0.37, 0.8]},
        transient=100,
        length=LENGTH,
        analysis={"autocorrelation": {"max_lag": 5}},
    )
    expected = (2 * ds.a.values[:, None] - 1) ** np.arange(6)
    # Correlated states count for fewer.
    fewer = np.sqrt((1 + (2 * ds.a.values - 1) ** 2) / (1 - (2 * ds.a.values - 1) ** 2))
    assert np.all(np.abs(ds.x_autocorrelation.values - expected) < SAMPLING * fewer[:, None])


def test_of_vectors_and_complex_numbers() -> None:
    """As NumPy has it; of a constant there is none, of an escaped cell neither."""
    ds = run(
        map={
            "equations": {"v": "mod(v*(1 + n) + a, 1)", "z": "1j*z", "c": "c", "u": "u*2"},
            "parameters": {"a": 0.3},
            "initial": {"v": [0.1, 0.2], "z": "1+0j", "c": 0.1, "u": "w"},
        },
        grid={"w": [0.0, 1.0]},
        length=100,
        analysis={"autocorrelation": {"max_lag": 4}, "orbit": {}},
    )
    assert ds.v_autocorrelation.dims == ("w", "lag", "v_dim")
    for entry in range(2):
        x = ds.v.values[0, 1:, entry]
        x = x - x.mean()
        expected = [np.mean(x[: len(x) - k] * x[k:]) / np.mean(x * x) for k in range(5)]
        found = ds.v_autocorrelation.values[0, :, entry]
        np.testing.assert_allclose(found, expected, atol=ROUNDING)
    np.testing.assert_allclose(ds.z_autocorrelation_re[0], [1, 0, -1, 0, 1], atol=ROUNDING)
    np.testing.assert_allclose(ds.z_autocorrelation_im[0], [1, 0, -1, 0, 1], atol=ROUNDING)
    assert np.isnan(ds.c_autocorrelation[0]).all()
    assert ds.status.values.tolist() == [0, 2]
    assert np.isnan(ds.z_autocorrelation_re[1]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"analysis": {"autocorrelation": {"max_lag": 600}}},
            "analysis.autocorrelation.max_lag = 600: expected <= 500, half of iterate.length.",
        ),
        (
            {"analysis": {"autocorrelation": {}}, "iterate": {"stop": "converged"}},
            (
                "analysis.autocorrelation: averages are over iterate.length steps; "
                "drop iterate.stop=converged."
            ),
        ),
        (
            {"map__initial": {"x_autocorrelation": 1}},
            "map.initial.x_autocorrelation: x_autocorrelation has no equation",
        ),
    ],
)
def test_mistakes(changes: dict, message: str) -> None:
    assert any(told.startswith(message) for told in mistakes(LOGISTIC, **changes))
