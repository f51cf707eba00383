"""Devices: which ones a job runs on, how precisely, and what JAX is told at its start."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import ConfigError

PLATFORMS = ("auto", "cpu", "gpu", "tpu")
# Without the instructions that contract a*b + c, the compiler cannot: results no longer depend on
# the shape of a loop, and agree with NumPy's for + - * /. It costs a factor of 1.6 to 2.7.
STRICT = "--xla_cpu_max_isa=AVX"
# The part of the free memory that a process may take that reads what strangers wrote.
CONFINED = 0.9


@dataclass(frozen=True)
class Device:
    """The devices that a document asks for.

    Attributes:
        memory: bytes that the arrays of one block may take.
        arithmetic: whether the compiler may contract multiplications and additions.
        compile_cache: whether compiled programs are kept for other runs.
    """

    platform: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    precision: Literal["single", "double"] = "double"
    memory: int = 2**30
    arithmetic: Literal["fast", "strict"] = "fast"
    compile_cache: bool = True

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


def devices(device: Device) -> list[Any]:
    """The JAX devices that share a block: those of the platform in this process."""
    import jax

    return jax.local_devices(backend=None if device.platform == "auto" else device.platform)


def describe(device: Device) -> str:
    """The devices in words, for an archive."""
    found = devices(device)
    return f"{found[0].platform}: {len(found)} x {found[0].device_kind}"


def kind(device: Device) -> str:
    """The kind of the devices, whatever their number."""
    found = devices(device)[0]
    return f"{found.platform}: {found.device_kind}"


def start(device: Device) -> None:
    """Tell JAX what it reads once, at its start; for a process that is ours, the command line's."""
    if device.arithmetic == "strict" and STRICT not in (flags := os.environ.get("XLA_FLAGS", "")):
        os.environ["XLA_FLAGS"] = f"{flags} {STRICT}".strip()
    if device.compile_cache:
        import jax

        jax.config.update("jax_compilation_cache_dir", str(_cache_folder()))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


@contextmanager
def confined() -> Iterator[None]:
    """Keep a process of ours within the memory that is free, on Linux.

    What a stranger's archive asks for is an error here then, and no trouble to other programs.
    """
    try:
        import resource

        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        before = resource.getrlimit(resource.RLIMIT_DATA)
        held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        yield
        return
    most = held + int(CONFINED * free)
    if before[1] != resource.RLIM_INFINITY:
        most = min(most, before[1])
    resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _cache_folder() -> Path:
    """Where the system keeps what can be made again."""
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "cobweb" / "jax"


def check(device: Device) -> None:
    """Whether the arithmetic is what the document asks for.

    Raises:
        ConfigError: the compiler contracts although it must not.
    """
    if device.arithmetic == "fast":
        return
    import jax
    import numpy as np

    with entered(device):
        half = 2.0**-27 if device.precision == "double" else 2.0**-12
        x = np.full(64, 1 + half, device.real)
        # The square is not a number of this precision: rounded first, the difference vanishes.
        contracted = np.asarray(jax.jit(lambda x, y: x * x - y)(x, (x * x).astype(device.real)))
    if contracted.any():
        reason = f"JAX has started without it; begin the process with XLA_FLAGS={STRICT}"
        raise ConfigError([f"device.arithmetic = strict: {reason} (on x86-64 processors)."])


@contextmanager
def entered(device: Device) -> Iterator[None]:
    """Compute on the device and in its precision, in this thread."""
    import jax

    with precision(device), jax.default_device(devices(device)[0]):
        yield


def precision(device: Device) -> AbstractContextManager[Any]:
    """JAX's context for the precision, of this thread alone, whatever the program around it has."""
    import jax

    return jax.enable_x64(device.precision == "double")
