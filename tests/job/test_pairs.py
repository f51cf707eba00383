"""Pairs: what is packed comes back, bit for bit."""

import numpy as np
import pytest

from pipeline import device
from pipeline.device import Device
from pipeline.job.pairs import pack, unpack


def tree(real: type, cells: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    wide = np.int64 if real is np.float64 else np.int32
    values = {name: rng.normal(size=cells).astype(real) for name in "abc"}
    values["a"][:4] = [np.nan, -0.0, np.inf, np.finfo(real).tiny]
    return values | {
        "z": (rng.normal(size=cells) + 1j * rng.normal(size=cells)).astype(
            np.complex128 if real is np.float64 else np.complex64
        ),
        "count": np.array([0, 1, -1, np.iinfo(wide).max, np.iinfo(wide).min], wide),
        "narrow": np.array([0, 7, -7, 2**24, -(2**24)], np.int32),
        "status": np.array([0, 1, 2, 7, 3], np.int8),
        "stayed": np.array([True, False, True, True, False]),
        "again": np.array([False, False, True, False, True]),
        "matrix": rng.normal(size=(cells, 3)).astype(real),
    }


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_what_is_packed_comes_back(real: type) -> None:
    import jax

    given = tree(real)
    with device.entered(Device()):
        found = jax.jit(lambda t: unpack(pack(t), t))(given)
        found = {name: np.asarray(value) for name, value in found.items()}
    assert list(found) == sorted(given)
    for name, value in given.items():
        assert found[name].dtype == value.dtype, name
        assert found[name].tobytes() == value.tobytes(), name


def test_two_reals_make_one_array() -> None:
    import jax

    given = {name: value for name, value in tree(np.float64).items() if name in "abz"}
    with device.entered(Device()):
        shapes = jax.eval_shape(pack, given)
    assert [shape.dtype for shape in shapes] == [np.complex128, np.complex128]
