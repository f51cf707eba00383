"""Spectra that are known on paper, and SciPy's of the same orbit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from tests.config.cases import LOGISTIC, mistakes
from tests.runs import run

ROUNDING = 1e-12
LENGTH, SEGMENT = 20_000, 64


def test_logistic() -> None:
    """White at a = 4, of variance 1/8 (row 9); lines of cycles at multiples of 1/period."""
    ds = run(
        map="logistic",
        grid={"a": [3.2, 3.83, 4.0]},
        transient=1000,
        length=LENGTH,
        analysis={"spectrum": {"segment": SEGMENT, "window": "hann"}, "orbit": {}},
    )
    found = ds.x_spectrum
    np.testing.assert_allclose(found.frequency, np.arange(SEGMENT // 2 + 1) / SEGMENT, rtol=0)
    for k in range(3):
        _, expected = scipy.signal.welch(ds.x.values[k], nperseg=SEGMENT)
        np.testing.assert_allclose(found[k], expected, atol=ROUNDING * expected.max())
    # Half the difference of the two points, squared, in the line and, by the window, beside it.
    a = 3.2
    variance = ((a + 1) * (a - 3)) / (4 * a**2)
    assert float(found[0, -1]) / SEGMENT * 1.5 == pytest.approx(variance, rel=1e-9)
    assert int(np.argmax(found.values[1])) == round(SEGMENT / 3)


def test_white() -> None:
    ds = run(
        map="logistic",
        grid={"a": [4.0], "x0": [0.1, 0.3]},
        transient=100,
        length=LENGTH,
        analysis={"spectrum": {"segment": SEGMENT, "window": "none", "overlap": 0}},
    )
    # A periodogram scatters by its own size; the ends, and the segment's mean, are left out.
    off = 5 / np.sqrt(LENGTH / SEGMENT)
    assert np.all(np.abs(ds.x_spectrum.values[..., 1:-1] / 0.25 - 1) < off)
    assert np.all(np.abs(ds.x_spectrum[..., 1:].mean("frequency") / 0.25 - 1) < off / 4)


@pytest.mark.parametrize("window", ["hamming", "blackman"])
def test_windows(window: str) -> None:
    ds = run(
        map="henon",
        transient=100,
        length=500,
        analysis={"spectrum": {"segment": 101, "window": window, "overlap": 0.3}, "orbit": {}},
    )
    for name in ("x", "y"):
        _, expected = scipy.signal.welch(ds[name].values, window=window, nperseg=101, noverlap=30)
        np.testing.assert_allclose(ds[f"{name}_spectrum"], expected, atol=ROUNDING)


def test_mistakes() -> None:
    told = mistakes(LOGISTIC, analysis={"spectrum": {"segment": 2000, "window": "x"}})
    assert 'analysis.spectrum.window = "x": no such choice' in told[0]
    told = mistakes(LOGISTIC, analysis={"spectrum": {"segment": 2000}})
    assert told == ["analysis.spectrum.segment = 2000: expected <= iterate.length = 1000."]
