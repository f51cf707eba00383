"""Alignment indices: exponential in chaos, powers and constants on tori."""

from __future__ import annotations

import numpy as np
import pytest

from tests.config.cases import LOGISTIC, mistakes
from tests.runs import run, shipped

# Powers hold to some times 1/n, and so few steps compile soon.
POWER = 0.15


def test_chaos_and_order() -> None:
    """Of the cat map exactly (3 + sqrt 5)/2 to the power -2n, but for a factor of both vectors;
    of a shear, where a vector turns into its direction as 1/n, n^-2."""
    cat = {"equations": {"x": "mod(2*x + y, 1)", "y": "mod(x + y, 1)"}, "parameters": {}}
    cat |= {"initial": {"x": 0.1, "y": 0.3}, "modulus": {"x": 1, "y": 1}}
    values = []
    for length in (8, 12):
        ds = run(map=cat, length=length, analysis={"gali": {"threshold": 1e-4}})
        values.append(float(ds.gali))
        assert float(ds.sali) <= float(ds.gali) * 1.01
    rate = np.log((3 + np.sqrt(5)) / 2)
    assert np.log(values[0] / values[1]) == pytest.approx(8 * rate, rel=1e-5)
    # The first n at which the index, here through its last value, is below the threshold.
    fell = 12 - np.floor(np.log(1e-4 / values[1]) / (2 * rate))
    assert int(ds.gali_iteration) == fell
    shear = {"equations": {"x": "mod(x + y, 1)", "y": "y"}, "parameters": {}}
    shear |= {"initial": {"x": 0.1, "y": 0.3}, "modulus": {"x": 1}}
    found = [float(run(map=shear, length=n, analysis={"gali": {}}).gali) for n in (1000, 2000)]
    assert found[0] / found[1] == pytest.approx(4, rel=1e-2)


def test_four_dimensions() -> None:
    """Two shears: on their tori of dimension 2 GALI_2 tends to a constant, GALI_3 falls as n^-2 and
    GALI_4 as n^-4 (Skokos, Bountis and Antonopoulos 2007); in the chaotic sea all vanish."""
    g = {**shipped("map", "froeschle", parameters={"b": 0}), "initial": START}
    for count in (2, 3, 4):
        one, two = (
            run(
                map=g,
                grid={"k": {"of": ["k1", "k2"], "values": [[0, 0], [6, 8]]}},
                length=length,
                analysis={"gali": {"vectors": count}},
            )
            for length in (30, 60)
        )
        assert ("sali" in one) == (count == 2)
        assert float(one.gali[0] / two.gali[0]) == pytest.approx(4 ** (count - 2), rel=POWER)
        assert float(two.gali[1]) < 1e-2 * float(two.gali[0])


START = {"theta1": 1.0, "p1": 0.1, "theta2": 2.0, "p2": 0.2}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"analysis": {"gali": {}}},
            (
                "analysis.gali: in a state of one real number all vectors are aligned; expected "
                "two or more."
            ),
        ),
        (
            {
                "analysis": {"gali": {"vectors": 3}},
                "map__equations": {"x": "a*x", "y": "x"},
                "map__initial": {"x": 0, "y": 1},
            },
            "analysis.gali.vectors = 3: expected <= 2, the real numbers of the state.",
        ),
        (
            {"analysis": {"gali": {}}, "iterate": {"stop": "converged"}},
            "analysis.gali: averages are over iterate.length steps; drop iterate.stop=converged.",
        ),
    ],
)
def test_mistakes(changes: dict, message: str) -> None:
    assert message in mistakes(LOGISTIC, **changes)
