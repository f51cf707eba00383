"""Devices and precision, which belongs to the thread that asks for it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

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
    assert device.devices(Device(platform="cpu"))[0].platform == "cpu"
    assert device.devices(Device()) == jax.local_devices()
    assert device.describe(Device(platform="cpu")) == f"cpu: {len(jax.devices('cpu'))} x cpu"


def test_devices_that_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX says so by an error, which is no failure of ours."""

    def none(platform: str | None = None) -> list[object]:
        if platform != "tpu":
            raise RuntimeError(f"Unknown backend {platform}")
        return [object()]

    monkeypatch.setattr(jax, "devices", none)
    assert device.known() == ["tpu"]


STRICT = """
import dataclasses
import numpy as np
from pipeline import config, dataset, device, job
from pipeline.job.kernel import Kernel

described = config.read(config.compose([
    "experiment=orbit", "map=henon", "analysis=[final]", "figure=none", "iterate.length=2000",
    "grid={x0: {start: -0.3, stop: 0.3, num: 200}}", "device.arithmetic=ARITHMETIC",
]))
device.check(described.device)
layout = dataset.template(described)
ends = []
for kernel in (Kernel(), Kernel(unroll=4, guarded=True), Kernel(unroll=7, paired=True)):
    plan = dataclasses.replace(job.plan(described, layout.cell_bytes), kernel=kernel)
    call, _ = job.compiled(described, plan)
    ends.append(dataset.fill(layout, job.blocks(described, plan, call))["x_final"])
x, y = np.linspace(-0.3, 0.3, 200), np.full(200, 0.1)
for _ in range(2000):
    x, y = 1 - 1.4 * x**2 + y, 0.3 * x
print(*(np.mean(end != ends[0]) for end in ends), np.mean(ends[0] != x))
"""


def _kernels(arithmetic: str, flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", STRICT.replace("ARITHMETIC", arithmetic)],
        env=os.environ | {"XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the switch is one of x86-64's")
def test_strict_arithmetic_makes_kernels_agree() -> None:
    """With one another and with NumPy, bit for bit, after 2000 chaotic steps."""
    done = _kernels("strict", device.STRICT)
    assert done.stdout.split() == ["0.0"] * 4, done.stderr


def test_contraction_is_found_out() -> None:
    """A processor that contracts gives other bits for other kernels, and is refused for strict."""
    fast = _kernels("fast", "")
    if set(fast.stdout.split()) == {"0.0"}:
        pytest.skip("this processor does not contract")
    assert max(map(float, fast.stdout.split())) > 0.9
    refused = _kernels("strict", "")
    assert refused.returncode
    assert "device.arithmetic = strict: JAX has started without it" in refused.stderr


def test_what_jax_is_told_at_its_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: dict[str, object] = {}
    monkeypatch.setattr(jax.config, "update", told.__setitem__)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=x")
    device.start(Device(arithmetic="strict", compile_cache=False))
    assert os.environ["XLA_FLAGS"] == f"--xla_dump_to=x {device.STRICT}"
    assert not told
    device.start(Device())
    if sys.platform == "linux":
        assert told["jax_compilation_cache_dir"] == str(tmp_path / "cobweb" / "jax")
    assert told["jax_persistent_cache_min_compile_time_secs"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_confined_process() -> None:
    """May take what is free, not more, and is its own master again afterwards."""
    code = (
        "import numpy as np, resource\n"
        "from pipeline import device\n"
        "before = resource.getrlimit(resource.RLIMIT_DATA)\n"
        "device.CONFINED = 0.01\n"
        "with device.confined():\n"
        "    assert resource.getrlimit(resource.RLIMIT_DATA)[0] < 2**40\n"
        "    np.ones(10)\n"
        "    try:\n"
        "        np.ones(2**32)\n"
        "    except MemoryError:\n"
        "        print('refused')\n"
        "assert resource.getrlimit(resource.RLIMIT_DATA) == before\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (2**32, 2**32))\n"
        "device.CONFINED = 10**6\n"
        "with device.confined():\n"
        "    assert resource.getrlimit(resource.RLIMIT_DATA) == (2**32, 2**32)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "refused\n", "")


def test_where_memory_cannot_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is limited."""

    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(device.os, "sysconf", unknown)
    with device.confined():
        assert device.PLATFORMS
