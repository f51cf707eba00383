"""Devices: which one a job runs on and how precisely it computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

PLATFORMS = ("auto", "cpu", "gpu", "tpu")


@dataclass(frozen=True)
class Device:
    """The device that a document asks for.

    Attributes:
        memory: bytes that the arrays of one block may take.
    """

    platform: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    precision: Literal["single", "double"] = "double"
    memory: int = 2**30

    @property
    def real(self) -> str:
        """The NumPy type of real numbers."""
        return "float64" if self.precision == "double" else "float32"

    @property
    def complex(self) -> str:
        """The NumPy type of complex numbers."""
        return "complex128" if self.precision == "double" else "complex64"


def known() -> list[str]:
    """The platforms that JAX has devices for here."""
    import jax

    found = []
    for platform in PLATFORMS[1:]:
        try:
            jax.devices(platform)
        except RuntimeError:  # JAX's way to say that it has none
            continue
        found.append(platform)
    return found


def choose(device: Device) -> Any:
    """The JAX device that a job computes on: the first of its platform."""
    import jax

    return jax.devices(None if device.platform == "auto" else device.platform)[0]


@contextmanager
def entered(device: Device) -> Iterator[None]:
    """Compute on the device and in its precision, in this thread."""
    import jax

    with precision(device), jax.default_device(choose(device)):
        yield


def precision(device: Device) -> AbstractContextManager[Any]:
    """JAX's context for the precision, of this thread alone, whatever the program around it has."""
    import jax

    return jax.enable_x64(device.precision == "double")
