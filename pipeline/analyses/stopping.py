"""Stopping: how many steps a map took where its cells end as soon as they have converged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import Fold, Seen
from pipeline.arrays import Variable


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`steps`, chosen with iterate.stop = converged whether the document asks or not."""

    def init(seen: Seen) -> Any:
        import jax.numpy as jnp

        return jnp.int32(0)

    return Fold(
        finished=(Variable("steps", (), "int32", "number of iterations taken"),),
        init=init,
        update=lambda kept, seen: kept + 1,
        finish=lambda kept, end: {"steps": kept},
    )


ANALYSIS = Analysis("stopping", build)
