"""Figures of a dataset: chosen from its shape, drawn from it alone, without JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from pipeline.figures import style, view
from pipeline.figures.files import save
from pipeline.figures.kinds import KINDS, choose, pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["KINDS", "choose", "draw", "save"]


def draw(
    ds: xr.Dataset, *, name: str = "auto", style: str = "screen", ax: Axes | None = None
) -> Figure:
    """Draw a dataset.

    Args:
        name: a kind from `KINDS`, or auto.
        style: screen or paper.
        ax: the user's axes to draw into: they get the first panel's data, limits and labels;
            nothing else of their figure changes.

    Raises:
        CobwebError: no such kind or style, or the kind does not fit the dataset.
    """
    return _draw(ds, name, style, ax)


def _draw(ds: xr.Dataset, name: str, look: str, ax: Axes | None) -> Figure:
    chosen = style.look(look)
    seen = view.read(ds)
    kind = KINDS[pick(seen, name)]
    with style.LOCK:
        return kind.draw(seen, chosen, ax)
