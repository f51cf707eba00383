"""The escape: the first iteration at which the orbit lies beyond the radius."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.analyses.fold import Analysis, End, Fold, Seen, Subject
from pipeline.arrays import Variable
from pipeline.maps import Map
from pipeline.settings import Setting
from pipeline.status import Status

NEVER = -1


class Kept(NamedTuple):
    """The iteration, -1 before it, and the logarithm of the norm there."""

    iteration: Any
    log_norm: Any


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

    def log_norm(seen: Seen) -> Any:
        import jax.numpy as jnp

        return jnp.log(g.square(seen.state)) / 2 if smooth else jnp.zeros(())

    def init(seen: Seen) -> Kept:
        import jax.numpy as jnp

        first = jnp.where(g.inside(seen.state), NEVER, 0).astype(jnp.int32)
        return Kept(first, log_norm(seen))

    def update(kept: Kept, seen: Seen) -> Kept:
        import jax.numpy as jnp

        new = (kept.iteration == NEVER) & ~g.inside(seen.state)
        size = jnp.where(new, log_norm(seen), kept.log_norm) if smooth else kept.log_norm
        n = jnp.asarray(seen.n, jnp.int32)
        return Kept(jnp.where(new, n, kept.iteration), size)

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        found = {"escape_iteration": kept.iteration}
        if smooth:
            ratio = kept.log_norm / jnp.log(g.escape_radius)
            count = kept.iteration + 1 - jnp.log(ratio) / jnp.log(settings["degree"])
            found["escape_smooth"] = jnp.where(kept.iteration == NEVER, jnp.nan, count)
        return found

    return Fold(
        finished=tuple(finished),
        init=init,
        update=update,
        finish=finish,
        # The status has the map's radius, and is the same whatever is analysed.
        done=lambda kept, status: (kept.iteration != NEVER) & (status == Status.escaped),
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
