"""Section: the recorded states, drawn as the states of an orbit are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.figures import bifurcation, phase_portrait, style, view
from pipeline.figures.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of more values of a parameter than this, the first component is drawn against them.
MOST_PLANES = 6


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if "record_count" not in seen.data:
        return "it needs analysis=record"
    recorded = _recorded(seen)
    if bifurcation.fits(recorded) and phase_portrait.fits(recorded):
        return "it needs a parameter axis, or two components"
    return ""


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The plane of two components, or the first one against a parameter of many values."""
    recorded = _recorded(seen)
    many = max((axis.values.size for axis in seen.parameters), default=1) > MOST_PLANES
    plane = not phase_portrait.fits(recorded) and (not many or bifurcation.fits(recorded))
    kind = phase_portrait if plane else bifurcation
    return kind.draw(recorded, look, ax)


def _recorded(seen: View) -> View:
    """The dataset in which the recorded states are the orbit."""
    states = {
        str(name): str(name).removeprefix("record_")
        for name, variable in seen.data.data_vars.items()
        if "record" in variable.dims and name != "record_iteration"
    }
    # An orbit beside them is another picture.
    kept = seen.data.drop_vars(["record", "record_iteration"], errors="ignore")
    kept = kept.drop_dims("iteration", errors="ignore")
    found = kept.rename({**states, "record": "iteration"})
    return view.read(found.assign_coords(iteration=range(found.sizes["iteration"])))
