"""The expansion entropy: how fast a map expands what stays in a region, whether or not it attracts.

Hunt and Ott 2015, doi:10.1063/1.4922973. Of starts spread evenly over the region S, those count
whose first n iterates are in S as well; G is the product of the singular values above 1 of the
Jacobian of n steps, and E_n the mean of G over all starts, 0 for those that have left. The entropy
is the slope of ln E_n over n. Transient chaos counts; a stable cycle in S does not hide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.analyses import dynamics, series
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.components import Real
from pipeline.analyses.search import Bench, Search
from pipeline.arrays import Dimension, Variable
from pipeline.maps import Map
from pipeline.settings import Setting
from pipeline.state import flatten, unflatten

# Starts are in so many groups, whose slopes scatter as the standard error says.
GROUPS = 16
# A Jacobian of more reals takes too large a matrix for each start.
MOST_REALS = 12


def _sides(subject: Subject, asked: Any) -> list[tuple[Real, tuple[float, float] | None]]:
    """The bounds of each real number: as given, or the whole circle; None where neither is."""
    found: list[tuple[Real, tuple[float, float] | None]] = []
    chosen = series.reals(subject.problem.components)
    for real, length in zip(chosen, series.circles(subject, chosen).tolist(), strict=True):
        side = asked if isinstance(asked, list) else None
        for name in (real.name, real.component):
            if isinstance(asked, Mapping) and name in asked:
                side = asked[name]
        bounds = (0.0, length) if side is None and length else side
        found.append((real, None if bounds is None else (bounds[0], bounds[1])))
    return found


def build(subject: Subject, settings: Mapping[str, Any]) -> Search:
    """`expansion_entropy`, its error, and `log_expansion`, ln E_n, over `expansion_step`.

    -inf and NaN where no start is left.
    """
    every, steps = subject.problem.components, settings["steps"]
    sides = np.array([side for _, side in _sides(subject, settings["region"])], float)
    low, high = sides[:, 0], sides[:, 1]
    around = series.circles(subject, series.reals(every))
    # Where all of a circle is the region, nothing leaves it.
    bounded = ~((around > 0) & (high - low >= around))
    each = max(1, settings["starts"] // GROUPS)

    def expand(iteration: Any, x0: Any, u: Any) -> Any:
        """[steps] the logarithm of G at one start, -inf once it has left."""
        import jax
        import jax.numpy as jnp

        def advance(u: Any) -> Any:
            carry = iteration.step(iteration.init(unflatten(u, every)), 0)
            return flatten(iteration.state(carry))

        def step(carry: Any, _: None) -> Any:
            u, matrix, inside = carry
            matrix = jax.jacfwd(advance)(u) @ matrix
            u = advance(u)
            within = (u >= low.astype(u.dtype)) & (u <= high.astype(u.dtype))
            inside &= jnp.all(jnp.where(bounded, within, jnp.isfinite(u)))
            grown = jnp.where(inside, _expansion(matrix), -jnp.inf)
            return (u, matrix, inside), grown

        begun = (u, jnp.eye(u.size, dtype=u.dtype), jnp.bool_(True))
        return jax.lax.scan(step, begun, length=steps)[1]

    def find(bench: Bench) -> dict[str, np.ndarray]:
        run = bench.program("expansion", expand)
        draws = np.random.default_rng([bench.seed, *b"expansion_entropy"])
        starts = low + (high - low) * draws.random((GROUPS * each, len(low)))
        found = []
        for cell in range(bench.cells):
            logs = np.asarray(run(np.full(len(starts), cell), starts)).astype(float)
            found.append(_results(logs.reshape(GROUPS, each, steps)))
        return {name: np.stack([one[name] for one in found]) for name in found[0]}

    along = Dimension("expansion_step", steps, np.arange(1, steps + 1), "steps of the map")
    stated = {"ancillary_variables": "expansion_entropy_error"}
    meanings = (
        ("expansion_entropy", (), "expansion entropy", stated),
        ("expansion_entropy_error", (), "standard error of the expansion entropy", {}),
        ("log_expansion", (along,), "logarithm of the mean expansion", {}),
    )
    variables = tuple(
        Variable(name, own, "float", meaning, attributes=attributes, axes="parameters")
        for name, own, meaning, attributes in meanings
    )
    return Search(variables, find)


def _expansion(matrix: Any) -> Any:
    """[] The logarithm of the product of the singular values above 1."""
    import jax.numpy as jnp

    if len(matrix) == 1:
        return jnp.log(jnp.maximum(jnp.abs(matrix[0, 0]), 1))
    if len(matrix) == 2:
        (a, b), (c, d) = matrix
        turned, kept = jnp.hypot(a + d, c - b), jnp.hypot(a - d, b + c)
        values = jnp.stack([turned + kept, jnp.abs(turned - kept)]) / 2
    else:
        values = jnp.linalg.svd(matrix, compute_uv=False)
    return jnp.sum(jnp.log(jnp.maximum(values, 1)))


def _results(logs: np.ndarray) -> dict[str, np.ndarray]:
    """Of one cell, from the logarithms of G, [groups, starts, steps]."""
    heights = _mean(_mean(logs, 1), 0)
    slopes = _slope(_mean(logs, 1))
    return {
        "expansion_entropy": _slope(heights),
        "expansion_entropy_error": np.std(slopes, ddof=1) / np.sqrt(GROUPS),
        "log_expansion": heights,
    }


def _mean(logs: np.ndarray, axis: int) -> np.ndarray:
    """The logarithm of the mean of what has these logarithms."""
    top = np.max(logs, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.mean(np.exp(logs - top), axis=axis)) + np.squeeze(top, axis)


def _slope(heights: np.ndarray) -> Any:
    """[...] over the second half of the steps, [..., steps]; NaN where none is left in the end."""
    steps = heights.shape[-1]
    later = np.arange(steps // 2, steps)
    across = later - later.mean()
    known = np.asarray(np.isfinite(heights[..., later]).all(axis=-1))
    values = np.where(known[..., None], heights[..., later], np.nan)
    return values @ across / np.sum(across**2)


def refuse(subject: Subject) -> str | None:
    """Only a map of its state, with derivatives, the same at each step, expands a region."""
    problem = subject.problem
    if subject.solver.freezes:
        return "it is of the map itself; expected solver=direct"
    if isinstance(problem, Map) and problem.counts:
        return "a map whose formulas use n is another one at each step"
    if why_not := dynamics.noisy(problem, "expansion of its own"):
        return why_not
    size = sum(component.reals for component in problem.components.values())
    if size > MOST_REALS:
        return f"the state has {size} real numbers; expected at most {MOST_REALS}"
    return None


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The region has bounds for all of the state."""
    sides = _sides(subject, settings["region"])
    known = {n for real, _ in sides for n in (real.component, real.name)}
    asked = settings["region"]
    if isinstance(asked, Mapping) and (strange := [name for name in asked if name not in known]):
        listed = ", ".join(sorted(known)[:12])
        yield "region", f"there is no {strange[0]} (known: {listed})"
    elif lacking := [real.name for real, side in sides if side is None]:
        pairs = ", ".join(f"{name}: [0, 1]" for name in lacking)
        yield "region", f"expected the bounds of {', '.join(lacking)}, such as {{{pairs}}}"


ANALYSIS = Analysis(
    "expansion_entropy",
    build,
    settings={
        "region": Setting("ranges", None, "where orbits are to stay; whole circles by default"),
        "starts": Setting(
            "integer", 20_000, "spread over the region at random", low=GROUPS, high=10**7
        ),
        "steps": Setting(
            "integer", 20, "of each; the slope is that of the second half", low=4, high=200
        ),
    },
    refuse=refuse,
    faults=faults,
)
