"""The rotation number: the mean advance of a component on a circle, in turns per iteration.

Where the equation is a remainder by the circle's length, mod(E, m), the advance is E - x: that of
the lift. Otherwise it is the change the short way round, at most half a turn.

Each half of the length is averaged with the weights exp(-1/(t(1 - t))), t from 0 to 1 along it:
averages of quasiperiodic orbits converge faster than any power of their length (Das, Saiki, Sander
and Yorke 2017, doi:10.1088/1361-6544/aa84c2). The rotation number is the mean of both, its error
half of their difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.analyses import average
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import End, Fold, Seen
from pipeline.arrays import Dimension, Variable
from pipeline.maps import Map
from pipeline.settings import Setting
from pipeline.status import Status


class Kept(NamedTuple):
    """Sums over both halves and, as the last, over the first less the second.

    Attributes:
        weight: [] of the weights.
        advance, contrast: [] or [d] of the weighted advances.
    """

    weight: Any
    advance: Any
    contrast: Any


def _component(subject: Subject, name: str | None) -> str:
    """The component asked for, the first with a modulus by default."""
    assert isinstance(subject.problem, Map)
    circles = subject.problem.modulus
    return name or next(each for each in subject.problem.components if each in circles)


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`rotation_number`, `rotation_number_error`; NaN of an escaped cell."""
    assert isinstance(subject.problem, Map)
    g, name = subject.problem, _component(subject, settings["component"])
    circle, component = g.modulus[name], g.components[name]
    lift = g.lift(name)
    first, half = subject.iterate.transient + 1, max(1, subject.iterate.length // 2)

    def advance(seen: Seen) -> Any:
        """[] or [d] how far the step has gone."""
        import jax.numpy as jnp

        assert seen.before is not None
        old = seen.before[name]
        if lift is None:
            return g.change(seen.state, seen.before)[name]
        new = lift(g.values(seen.before, dict(seen.parameters), seen.n - 1))
        new = jnp.broadcast_to(new, old.shape).astype(old.dtype)
        if g.noise:
            # Which has moved the state from there, and by less than half a turn.
            return new - old + g.change(seen.state, {**seen.state, name: new})[name]
        return new - old

    def init(seen: Seen) -> Kept:
        import jax.numpy as jnp

        zero = jnp.zeros_like(seen.state[name])
        return Kept(jnp.zeros((), zero.dtype), zero, zero)

    def update(kept: Kept, seen: Seen) -> Kept:
        import jax.numpy as jnp

        at = seen.n - first
        leading = at < half
        t = (jnp.where(leading, at, at - half) + 0.5).astype(kept.weight.dtype) / half
        # The last step of an odd length belongs to neither half.
        weight = jnp.where(at < 2 * half, jnp.exp(-1 / (t * (1 - t))), 0)
        moved = weight * advance(seen)
        contrast = kept.contrast + jnp.where(leading, moved, -moved)
        return Kept(kept.weight + weight, kept.advance + moved, contrast)

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        scale = 1 / (kept.weight * circle)
        halves = 2 * half <= subject.iterate.length
        error = jnp.abs(kept.contrast * scale) if halves else jnp.full_like(kept.contrast, jnp.nan)
        found = {"rotation_number": kept.advance * scale, "rotation_number_error": error}
        lost = end.status == Status.escaped
        return {name: jnp.where(lost, jnp.nan, value) for name, value in found.items()}

    own = tuple(Dimension(f"{name}_dim", n, None, f"entry of {name}") for n in component.shape)
    stated = {"ancillary_variables": "rotation_number_error"}
    meaning, error = f"rotation number of {name}", f"error of the rotation number of {name}"
    return Fold(
        finished=(
            Variable("rotation_number", own, "float", meaning, attributes=stated),
            Variable("rotation_number_error", own, "float", error),
        ),
        init=init,
        update=update,
        finish=finish,
        transient="none",
    )


def refuse(subject: Subject) -> str | None:
    """Only what goes round can be counted in turns."""
    if not isinstance(subject.problem, Map) or not subject.problem.modulus:
        return (
            "no component lives on a circle, so nothing rotates; map.modulus would say which does"
        )
    if subject.solver.freezes:
        return "turns are those of the map itself; expected solver=direct"
    return average.refuse(subject)


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The component has a modulus."""
    assert isinstance(subject.problem, Map)
    circles = list(subject.problem.modulus)
    if settings["component"] not in (None, *circles):
        yield "component", f"expected a component with a modulus ({', '.join(circles)})"


ANALYSIS = Analysis(
    "rotation",
    build,
    settings={
        "component": Setting("text", None, "that goes round; the first with a modulus by default")
    },
    refuse=refuse,
    faults=faults,
)
