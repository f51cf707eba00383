"""Datasets as the pipeline's dataset stage writes them, computed with numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
import yaml

from pipeline.status import Status

LONG_NAMES = {"iteration": "iteration", "step_number": "step", "status": "how the cell ended"}


def dataset(
    document: Mapping[str, Any] | None,
    coords: Mapping[str, Any],
    variables: Mapping[str, tuple[tuple[str, ...], Any]],
) -> xr.Dataset:
    """A dataset with long names, units and flags."""
    ds = xr.Dataset(
        {name: (dims, np.asarray(values)) for name, (dims, values) in variables.items()},
        coords={name: np.asarray(values) for name, values in coords.items()},
    )
    for name in ds.variables:
        ds[name].attrs = {"long_name": LONG_NAMES.get(str(name), str(name)), "units": "1"}
    for name in list(ds.data_vars):
        if str(name).endswith("_final"):
            ds[name].attrs["long_name"] = f"final {str(name)[:-6]}"
    if "status" in ds:
        ds["status"].attrs["flag_values"] = np.array([int(c) for c in Status], dtype=np.int8)
        ds["status"].attrs["flag_meanings"] = " ".join(c.name for c in Status)
    if document is not None:
        ds.attrs["document"] = yaml.safe_dump(dict(document), sort_keys=False)
    return ds


def iterate(
    g: Callable[..., Any], start: Any, length: int, transient: int = 0, radius: float = 1e6
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[..., length] states after a transient, the last state and the status."""
    x = np.array(start, dtype=float)
    kept = []
    with np.errstate(all="ignore"):
        for n in range(transient + length + 1):
            if n > transient or (transient == 0):
                kept.append(x)
            x = g(x)
        last = kept[-1]
    gone = ~(np.abs(last) < radius)
    return np.stack(kept, axis=-1), last, np.where(gone, 2, 0).astype(np.int8)


LOGISTIC = {
    "name": "logistic",
    "equations": {"x": "a*x*(1 - x)"},
    "parameters": {"a": 3.7},
    "initial": {"x": 0.1},
}


def logistic(
    num: int = 600, length: int = 1000, transient: int = 1000, stop: float = 4.0
) -> xr.Dataset:
    """x(a, iteration); cells beyond a = 4 escape."""
    a = np.linspace(3.4, stop, num)
    x, _, status = iterate(lambda x: a * x * (1 - x), np.full(num, 0.1), length, transient)
    document = {
        "map": LOGISTIC,
        "solver": {"name": "direct"},
        "grid": {"a": {"start": 3.4, "stop": stop, "num": num}},
        "iterate": {"transient": transient, "length": length},
        "analysis": {"orbit": {"every": 1}},
    }
    steps = np.arange(x.shape[1]) + (transient + 1 if transient else 0)
    return dataset(
        document,
        {"a": a, "iteration": steps},
        {"x": (("a", "iteration"), x), "status": (("a",), status)},
    )


def single(a: float = 3.7, length: int = 60, transient: int = 0, start: float = 0.1) -> xr.Dataset:
    """The orbit of one logistic map."""
    x, _, status = iterate(lambda x: a * x * (1 - x), start, length, transient)
    document = {
        "map": {**LOGISTIC, "parameters": {"a": a}},
        "solver": {"name": "direct"},
        "grid": {},
        "iterate": {"transient": transient, "length": length},
        "analysis": {"orbit": {"every": 1}},
    }
    steps = np.arange(x.size) + (transient + 1 if transient else 0)
    return dataset(
        document, {"iteration": steps}, {"x": (("iteration",), x), "status": ((), status)}
    )


def tent(length: int = 40) -> xr.Dataset:
    """The orbit of a tent map."""
    x, _, status = iterate(lambda x: 1.8 * np.minimum(x, 1 - x), 0.23, length)
    document = {
        "map": {
            "name": "tent",
            "equations": {"x": "mu*minimum(x, 1 - x)"},
            "parameters": {"mu": 1.8},
            "initial": {"x": 0.23},
        },
        "solver": {"name": "direct"},
    }
    return dataset(
        document,
        {"iteration": np.arange(x.size)},
        {"x": (("iteration",), x), "status": ((), status)},
    )


def seed_basin(step: float = 0.5, orbit: bool = False) -> xr.Dataset:
    """x' = (x² + 21)/10 from -9 to 10: the basin of 3 is (-7, 7)."""
    x0 = np.arange(-9, 10, step)
    x, last, status = iterate(lambda x: (x**2 + 21) / 10, x0, 500)
    document = {
        "map": {
            "name": "seed_quadratic_map",
            "equations": {"x": "(x**2 + 21)/10"},
            "parameters": {},
            "initial": {"x": 0},
        },
        "solver": {"name": "direct"},
        "grid": {"x0": {"start": -9, "stop": 10, "step": step}},
        "iterate": {"transient": 0, "length": 500},
        "analysis": {"final": {}},
    }
    variables = {"x_final": (("x0",), last), "status": (("x0",), status)}
    coords = {"x0": x0}
    if orbit:
        variables["x"] = (("x0", "iteration"), x)
        coords["iteration"] = np.arange(x.shape[1])
    ds = dataset(document, coords, variables)
    ds["x0"].attrs["long_name"] = "initial value of x"
    return ds


def henon(length: int = 100_000) -> xr.Dataset:
    """The Hénon attractor."""
    x, y = 0.1, 0.1
    xs, ys = np.empty(length), np.empty(length)
    for n in range(length + 100):
        x, y = 1 - 1.4 * x * x + y, 0.3 * x
        if n >= 100:
            xs[n - 100], ys[n - 100] = x, y
    document = {
        "map": {
            "name": "henon",
            "equations": {"x": "1 - a*x**2 + y", "y": "b*x"},
            "parameters": {"a": 1.4, "b": 0.3},
            "initial": {"x": 0.1, "y": 0.1},
        },
        "solver": {"name": "direct"},
        "iterate": {"transient": 100, "length": length},
    }
    return dataset(
        document,
        {"iteration": np.arange(101, 101 + length)},
        {
            "x": (("iteration",), xs),
            "y": (("iteration",), ys),
            "status": ((), np.int8(0)),
        },
    )


def standard(starts: int = 10, length: int = 1000) -> xr.Dataset:
    """Chirikov's standard map from several momenta: both components on a circle."""
    turn = 2 * np.pi
    p, theta = np.linspace(0.1, turn - 0.1, starts), np.full(starts, 3.0)
    ps, thetas = [], []
    for _ in range(length):
        p = np.mod(p + 0.9 * np.sin(theta), turn)
        theta = np.mod(theta + p, turn)
        ps.append(p)
        thetas.append(theta)
    document = {
        "map": {
            "name": "standard",
            "equations": {
                "theta": "mod(theta + p + K*sin(theta), 2*pi)",
                "p": "mod(p + K*sin(theta), 2*pi)",
            },
            "parameters": {"K": 0.9},
            "initial": {"theta": 3.0, "p": 0.1},
            "modulus": {"theta": "2*pi", "p": "2*pi"},
        },
        "solver": {"name": "direct"},
        "grid": {"p0": {"start": 0.1, "stop": 6.18, "num": starts}},
    }
    return dataset(
        document,
        {"p0": np.linspace(0.1, turn - 0.1, starts), "iteration": np.arange(1, length + 1)},
        {
            "theta": (("p0", "iteration"), np.stack(thetas, axis=-1)),
            "p": (("p0", "iteration"), np.stack(ps, axis=-1)),
            "status": (("p0",), np.zeros(starts, np.int8)),
        },
    )


def lattice(size: int = 100, length: int = 300) -> xr.Dataset:
    """Coupled logistic maps on a ring."""
    x = np.random.default_rng(0).uniform(size=size)
    rows = []
    for _ in range(length):
        y = 1 - 1.75 * x * x
        x = 0.7 * y + 0.15 * (np.roll(y, 1) + np.roll(y, -1))
        rows.append(x)
    document = {
        "map": {
            "name": "coupled_lattice",
            "equations": {
                "x": "(1 - eps)*(1 - a*x**2) + eps/2*(roll(1 - a*x**2, 1) + roll(1 - a*x**2, -1))"
            },
            "parameters": {"a": 1.75, "eps": 0.3},
            "initial": {"x": {"value": 0.1, "size": size}},
        },
        "solver": {"name": "direct"},
    }
    return dataset(
        document,
        {"iteration": np.arange(1, length + 1), "x_dim": np.arange(size)},
        {"x": (("iteration", "x_dim"), np.stack(rows)), "status": ((), np.int8(0))},
    )


def newton() -> xr.Dataset:
    """Newton's method on Rosenbrock's function from (-1.2, 1)."""
    x = np.array([-1.2, 1.0])
    path, values, norms, lengths = [], [], [], []
    for _ in range(8):
        u, v = x
        gradient = np.array([-400 * u * (v - u * u) - 2 * (1 - u), 200 * (v - u * u)])
        hessian = np.array([[1200 * u * u - 400 * v + 2, -400 * u], [-400 * u, 200.0]])
        path.append(x)
        values.append(100 * (v - u * u) ** 2 + (1 - u) ** 2)
        norms.append(np.linalg.norm(gradient))
        step = -np.linalg.solve(hessian, gradient)
        lengths.append(np.linalg.norm(step))
        x = x + step
    document = {
        "objective": {
            "name": "rosenbrock",
            "expression": "100*(y - x**2)**2 + (1 - x)**2",
            "sense": "minimise",
            "parameters": {},
            "initial": {"x": -1.2, "y": 1},
        },
        "solver": {"name": "newton", "absolute_tolerance": 1e-10, "relative_tolerance": 1e-8},
        "analysis": {"history": {}, "orbit": {"every": 1}},
    }
    pad = [np.nan] * 4
    orbit = np.array(path)
    return dataset(
        document,
        {"iteration": np.arange(12), "step_number": np.arange(12)},
        {
            "x": (("iteration",), np.concatenate([orbit[:, 0], pad])),
            "y": (("iteration",), np.concatenate([orbit[:, 1], pad])),
            "objective_value": (("step_number",), np.array(values + pad)),
            "residual_norm": (("step_number",), np.array(norms + pad)),
            "step_norm": (("step_number",), np.array(lengths + pad)),
            "x_final": ((), orbit[-1, 0]),
            "y_final": ((), orbit[-1, 1]),
            "objective_final": ((), values[-1]),
            "residual_norm_final": ((), norms[-1]),
            "steps": ((), np.int32(7)),
            "status": ((), np.int8(1)),
        },
    )


def ascent(steps: tuple[float, ...] = (0.05, 0.1, 0.12), length: int = 200) -> xr.Dataset:
    """Gradient ascent on the seed's concave quadratic, one cell for each step size."""
    a, c = np.array([[3.0, 2.0], [2.0, 7.0]]), np.array([3.0, 7.0])
    orbit = np.full((len(steps), length + 1, 2), np.nan)
    values = np.full((len(steps), length + 1), np.nan)
    norms = values.copy()
    for i, h in enumerate(steps):
        x = np.zeros(2)
        for n in range(length + 1):
            gradient = -2 * a @ (x - c)
            orbit[i, n], values[i, n] = x, 2 - (x - c) @ a @ (x - c)
            norms[i, n] = np.linalg.norm(gradient)
            if norms[i, n] <= 1e-8:
                break
            x = x + h * gradient
    document = {
        "objective": {
            "name": "seed_quadratic",
            "expression": "2 - (x - c) @ A @ (x - c)",
            "sense": "maximise",
            "parameters": {"c": [3, 7], "A": [[3, 2], [2, 7]]},
            "initial": {"x": [0, 0]},
        },
        "solver": {"name": "gradient", "step": 0.1, "absolute_tolerance": 1e-8},
        "grid": {"step": {"of": "solver.step", "values": list(steps)}},
        "analysis": {"history": {}, "orbit": {"every": 1}},
    }
    return dataset(
        document,
        {
            "step": np.array(steps),
            "iteration": np.arange(length + 1),
            "step_number": np.arange(length + 1),
            "x_dim": np.arange(2),
        },
        {
            "x": (("step", "iteration", "x_dim"), orbit),
            "objective_value": (("step", "step_number"), values),
            "residual_norm": (("step", "step_number"), norms),
            "status": (("step",), np.ones(len(steps), np.int8)),
        },
    )


def escape(size: int = 200, length: int = 60) -> xr.Dataset:
    """Starts of the Hénon map that stay within a radius, over the plane."""
    values = np.linspace(-2, 2, size)
    x, y = np.meshgrid(values, values, indexing="ij")
    first = np.full(x.shape, -1, dtype=np.int32)
    with np.errstate(all="ignore"):
        for n in range(length):
            away = ~(x * x + y * y < 1e6) & (first < 0)
            first[away] = n
            x, y = 1 - 1.4 * x * x + y, 0.3 * x
    document = {
        "map": {
            "name": "henon",
            "equations": {"x": "1 - a*x**2 + y", "y": "b*x"},
            "parameters": {"a": 1.4, "b": 0.3},
            "initial": {"x": 0.1, "y": 0.1},
        },
        "solver": {"name": "direct"},
        "grid": {n: {"start": -2, "stop": 2, "num": size} for n in ("x0", "y0")},
    }
    status = np.where(first >= 0, 2, 0).astype(np.int8)
    return dataset(
        document,
        {"x0": values, "y0": values},
        {"escape_iteration": (("x0", "y0"), first), "status": (("x0", "y0"), status)},
    )


def exponents(num: int = 500) -> xr.Dataset:
    """The logistic map's Lyapunov exponent over a."""
    a = np.linspace(3.4, 4.0, num)
    x, total = np.full(num, 0.1), np.zeros(num)
    for n in range(1500):
        if n >= 500:
            total += np.log(np.maximum(np.abs(a * (1 - 2 * x)), 1e-300))
        x = a * x * (1 - x)
    document = {
        "map": LOGISTIC,
        "solver": {"name": "direct"},
        "grid": {"a": {"start": 3.4, "stop": 4.0, "num": num}},
    }
    ds = dataset(
        document,
        {"a": a, "exponent": np.arange(1)},
        {
            "lyapunov": (("a", "exponent"), total[:, None] / 1000),
            "status": (("a",), np.zeros(num, np.int8)),
        },
    )
    ds["lyapunov"].attrs = {"long_name": "Lyapunov exponent", "units": "nat/iteration"}
    return ds


REGIMES = ("periodic", "quasiperiodic", "chaotic", "unresolved", "escaped")


def settled(size: int = 60) -> xr.Dataset:
    """The logistic map's exponent, period and regime over the parameter and the start."""
    a, x0 = np.linspace(2.9, 4.2, size), np.linspace(0.05, 0.95, size)
    p = a[:, None] * np.ones(size)
    x, total = x0 + np.zeros_like(p), np.zeros_like(p)
    with np.errstate(all="ignore"):
        for n in range(800):
            total += np.log(np.abs(p * (1 - 2 * x))) if n >= 400 else 0.0
            x = p * x * (1 - x)
        later, period = x, np.zeros(x.shape, np.int32)
        for n in range(1, 33):
            later = p * later * (1 - later)
            period[(period == 0) & (np.abs(later - x) < 1e-6)] = n
    gone = ~np.isfinite(x)
    regime = np.where(gone, 4, np.where(period > 0, 0, np.where(total > 0, 2, 3)))
    document = {
        "map": LOGISTIC,
        "solver": {"name": "direct"},
        "grid": {
            "a": {"start": 2.9, "stop": 4.2, "num": size},
            "x0": {"start": 0.05, "stop": 0.95, "num": size},
        },
    }
    grid = ("a", "x0")
    ds = dataset(
        document,
        {"a": a, "x0": x0, "exponent": np.arange(1)},
        {
            "lyapunov": ((*grid, "exponent"), (total / 400)[..., None]),
            "period": (grid, np.where(gone, 0, period)),
            "regime": (grid, regime.astype(np.int8)),
            "status": (grid, np.where(gone, 2, 0).astype(np.int8)),
        },
    )
    ds["lyapunov"].attrs = {"long_name": "Lyapunov exponent", "units": "1"}
    ds["regime"].attrs["flag_values"] = np.arange(len(REGIMES), dtype=np.int8)
    ds["regime"].attrs["flag_meanings"] = " ".join(REGIMES)
    return ds


def newton_fractal(size: int = 300) -> xr.Dataset:
    """Newton's method on z³ - 1, as a solver with its final states and steps."""
    values = np.linspace(-2, 2, size)
    z = values[:, None] + 1j * values[None, :]
    steps = np.zeros(z.shape, np.int32)
    with np.errstate(all="ignore"):
        for _ in range(60):
            moving = np.abs(z**3 - 1) > 1e-10
            steps += moving
            z = np.where(moving, z - (z**3 - 1) / (3 * z**2), z)
    done = np.abs(z**3 - 1) <= 1e-10
    document = {
        "map": {
            "name": "cubic_root",
            "equations": {"z": "z + z**3 - 1"},
            "parameters": {},
            "initial": {"z": "1"},
        },
        "solver": {"name": "newton", "absolute_tolerance": 1e-10},
        "grid": {n: {"start": -2, "stop": 2, "num": size} for n in ("z0_re", "z0_im")},
    }
    grid = ("z0_re", "z0_im")
    return dataset(
        document,
        {"z0_re": values, "z0_im": values},
        {
            "z_final_re": (grid, z.real),
            "z_final_im": (grid, z.imag),
            "residual_norm_final": (grid, np.abs(z**3 - 1)),
            "steps": (grid, steps),
            "status": (grid, np.where(done, 1, 3).astype(np.int8)),
        },
    )
