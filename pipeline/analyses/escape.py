"""The escape: the first iteration at which the orbit lies beyond the radius."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import End, Fold, Seen
from pipeline.arrays import Variable
from pipeline.maps import Map
from pipeline.settings import Setting
from pipeline.status import Status

NEVER = -1


class Kept(NamedTuple):
    """Whether the orbit has stayed, the last iteration at which it had, the square of its norm.

    Once it has left, the square stays that of the first state beyond.
    """

    stayed: Any
    iterations: Any
    square: Any


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`escape_iteration`, and `escape_smooth` on request; a cell is done when it has escaped.

    The smooth count n + 1 - log(log|x_n| / log radius) / log degree is continuous in the start for
    maps that grow as |x|^degree (Peitgen and Richter, The Beauty of Fractals, 1986).
    """
    assert isinstance(subject.problem, Map)
    g, smooth = subject.problem, settings["smooth"]
    if settings["radius"] is not None:
        g = dataclasses.replace(g, escape_radius=settings["radius"])
    finished = [Variable("escape_iteration", (), "int32", "first iteration beyond the radius")]
    if smooth:
        finished.append(Variable("escape_smooth", (), "float", "smoothed count of iterations"))

    def square(seen: Seen) -> Any:
        return g.square(seen.state) if smooth else ()

    def init(seen: Seen) -> Kept:
        import jax
        import jax.numpy as jnp

        # As wide as the reals beside which it is counted.
        real = jnp.finfo(jax.tree.leaves(seen.state)[0].dtype)
        stayed, wide = g.inside(seen.state), jnp.int64 if real.bits == 64 else jnp.int32
        return Kept(stayed, jnp.where(stayed, 0, -1).astype(wide), square(seen))

    def update(kept: Kept, seen: Seen) -> Kept:
        import jax.numpy as jnp

        stayed = kept.stayed & g.inside(seen.state)
        size = jnp.where(kept.stayed, square(seen), kept.square) if smooth else ()
        return Kept(stayed, jnp.where(stayed, kept.iterations + 1, kept.iterations), size)

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        count = kept.iterations + 1
        found = {"escape_iteration": jnp.where(kept.stayed, NEVER, count).astype(jnp.int32)}
        if smooth:
            ratio = jnp.log(kept.square) / 2 / jnp.log(g.escape_radius)
            count = count + 1 - jnp.log(ratio) / jnp.log(settings["degree"])
            found["escape_smooth"] = jnp.where(kept.stayed, jnp.nan, count)
        return found

    return Fold(
        finished=tuple(finished),
        init=init,
        update=update,
        finish=finish,
        # The status has the map's radius, and is the same whatever is analysed.
        done=lambda kept, status: ~kept.stayed & (status == Status.escaped),
    )


def refuse(subject: Subject) -> str | None:
    """Solvers say by their status what has become of a cell."""
    if subject.solver.freezes:
        return "a solver's status says whether it escaped; escape is studied with solver=direct"
    return None


ANALYSIS = Analysis(
    "escape",
    build,
    settings={
        "radius": Setting(
            "number", None, "instead of the map's escape_radius", low=0, above=True, high=1e150
        ),
        "smooth": Setting("boolean", False, "add the smoothed count"),
        "degree": Setting(
            "number", 2.0, "of the map's growth, for the smoothed count", low=1, above=True
        ),
    },
    refuse=refuse,
)
