"""Devices and precision, which belongs to the thread that asks for it."""

from __future__ import annotations

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline import device
from pipeline.device import Device


def test_the_types_of_a_precision() -> None:
    assert (Device().real, Device().complex) == ("float64", "complex128")
    single = Device(precision="single")
    assert (single.real, single.complex) == ("float32", "complex64")


@pytest.mark.parametrize("around", [True, False])
def test_precision_ends_with_its_context(around: bool) -> None:
    with jax.enable_x64(around):
        for name, real in (("double", np.float64), ("single", np.float32)):
            with device.precision(Device(precision=name)):  # type: ignore[arg-type]  # literals
                assert jnp.asarray(1.5).dtype == real
            assert jnp.asarray(1.5).dtype == (np.float64 if around else np.float32)


def test_precision_is_the_threads_own() -> None:
    """Another thread keeps its own while this one is in the context."""
    seen = []
    with device.precision(Device(precision="double")):
        other = threading.Thread(target=lambda: seen.append(jnp.asarray(1.5).dtype))
        other.start()
        other.join()
        assert jnp.asarray(1.5).dtype == np.float64
    assert seen == [np.float32]


def test_devices_that_are_here() -> None:
    assert device.known()[0] == "cpu"
    assert device.choose(Device(platform="cpu")).platform == "cpu"
    assert device.choose(Device()).platform == jax.devices()[0].platform


def test_devices_that_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX says so by an error, which is no failure of ours."""

    def none(platform: str | None = None) -> list[object]:
        if platform != "tpu":
            raise RuntimeError(f"Unknown backend {platform}")
        return [object()]

    monkeypatch.setattr(jax, "devices", none)
    assert device.known() == ["tpu"]
