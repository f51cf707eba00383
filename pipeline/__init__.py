"""Cobweb: declarative experiments on iterations x -> g(x; p).

`run` computes an experiment, `open` reads an archive, `plot` draws either, `verify` computes an
archive again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.api import open, plot, run, verify

__all__ = ["open", "plot", "run", "verify"]


def __getattr__(name: str) -> Any:
    """Import the entry points when they are first used: `import pipeline` alone costs nothing."""
    if name in __all__:
        from pipeline import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
