"""Expansion entropies that are known on paper (Hunt and Ott 2015)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.config.cases import LOGISTIC, mistakes
from tests.runs import run

ROUNDING = 1e-9
# Standard errors, and the steps of a finite number.
SAMPLING, FINITE = 5, 0.01
FEW = {"starts": 4000}


def entropy(map: Any, settings: dict[str, Any], **parts: Any) -> Any:
    return run(map=map, length=1, analysis={"expansion_entropy": {**FEW, **settings}}, **parts)


def test_uniform_expansion() -> None:
    """ln 2 of doubling, ln((3 + sqrt 5)/2) of the cat, and the sum where both are side by side."""
    doubling = {
        "equations": {"x": "mod(2*x, 1)"},
        "parameters": {},
        "initial": {"x": 0.1},
        "modulus": {"x": 1},
    }
    ds = entropy(doubling, {})
    assert float(ds.expansion_entropy) == pytest.approx(math.log(2), abs=ROUNDING)
    np.testing.assert_allclose(ds.log_expansion, math.log(2) * ds.expansion_step, atol=ROUNDING)
    assert float(ds.expansion_entropy_error) < ROUNDING
    cat = entropy("arnold_cat", {})
    golden = math.log((3 + math.sqrt(5)) / 2)
    assert float(cat.expansion_entropy) == pytest.approx(golden, abs=ROUNDING)
    # Three reals: by singular values of matrices, of which two are above 1.
    space = {
        "equations": {"x": "mod(2*x + y, 1)", "y": "mod(x + y, 1)", "z": "mod(2*z, 1)"},
        "parameters": {},
        "initial": {"x": 0.1, "y": 0.2, "z": 0.3},
        "modulus": {"x": 1, "y": 1, "z": 1},
    }
    ds = entropy(space, {"starts": 64, "steps": 10})
    assert float(ds.expansion_entropy) == pytest.approx(golden + math.log(2), abs=ROUNDING)


def test_transient_chaos_counts() -> None:
    """In the window of period 3 the topological entropy is the logarithm of the golden mean; at 4
    it is ln 2; a stable fixed point alone has none."""
    ds = entropy("logistic", {"region": [0, 1], "starts": 40_000}, grid={"a": [2.5, 3.83, 4.0]})
    assert ds.expansion_entropy.dims == ("a",)
    expected = [0, math.log((1 + math.sqrt(5)) / 2), math.log(2)]
    off = np.abs(ds.expansion_entropy.values - expected)
    assert np.all(off < SAMPLING * ds.expansion_entropy_error.values + FINITE)


def test_what_leaves_does_not_count() -> None:
    """Of x' = 5x on [-1, 1] a fifth stays at each step, and is stretched by 5: no entropy. Of a
    map that nothing survives there is nothing to tell."""
    linear = {"equations": {"x": "a*x"}, "parameters": {"a": 5}, "initial": {"x": 0.1}}
    ds = entropy(
        linear, {"region": {"x": [-1, 1]}, "steps": 4, "starts": 40_000}, grid={"a": [5.0, 1e9]}
    )
    error = SAMPLING * float(ds.expansion_entropy_error[0])
    assert abs(float(ds.expansion_entropy[0])) < error
    assert np.isnan(ds.expansion_entropy[1])
    assert np.isneginf(ds.log_expansion[1]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {},
            (
                "analysis.expansion_entropy.region = null: expected the bounds of x, such as "
                "{x: [0, 1]}."
            ),
        ),
        (
            {"analysis": {"expansion_entropy": {"region": {"y": [0, 1]}}}},
            'analysis.expansion_entropy.region = {"y": [0.0, 1.0]}: there is no y (known: x).',
        ),
        (
            {"map__equations": {"x": "a*x + n"}},
            "analysis.expansion_entropy: a map whose formulas use n is another one at each step.",
        ),
        (
            {"map__noise": {"x": 0.1}},
            (
                "analysis.expansion_entropy: a map with noise has no expansion of its own; "
                "drop map.noise."
            ),
        ),
        (
            {"solver": {"name": "newton"}},
            "analysis.expansion_entropy: it is of the map itself; expected solver=direct.",
        ),
        (
            {"map__initial": {"x": [0] * 13}},
            "analysis.expansion_entropy: the state has 13 real numbers; expected at most 12.",
        ),
    ],
)
def test_mistakes(changes: dict[str, Any], message: str) -> None:
    told = mistakes(LOGISTIC, **{"analysis": {"expansion_entropy": {}}, **changes})
    assert message in told
