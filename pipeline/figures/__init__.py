"""Figures of a dataset: chosen from its shape, drawn from it alone, without JAX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.errors import CobwebError
from pipeline.figures import style, view
from pipeline.figures.files import image, save
from pipeline.figures.kinds import KINDS, choose, pick

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["KINDS", "asked", "choose", "draw", "image", "save"]


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


def asked(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a document asks for: name, style, formats, joint and work."""
    wanted = view.section(document, "figure")
    name, style, formats = (wanted.get(key) for key in ("name", "style", "formats"))
    joint, work = (wanted.get(key) for key in ("joint", "work"))
    return {
        "name": name if isinstance(name, str) and name != "none" else "auto",
        "style": style if isinstance(style, str) else "screen",
        "formats": formats if isinstance(formats, list) and formats else ["png"],
        "joint": joint if isinstance(joint, str) else "none",
        "work": work if isinstance(work, str) else "auto",
    }


def _draw(ds: xr.Dataset, name: str, look: str, ax: Axes | None) -> Figure:
    chosen = style.look(look)
    seen = view.read(ds)
    found = pick(seen, name)
    if found == "none":
        raise CobwebError(
            "figure: nothing to draw here; an orbit, a history, a final state or an axis would do."
        )
    kind = KINDS[found]
    with style.LOCK:
        return kind.draw(seen, chosen, ax)
