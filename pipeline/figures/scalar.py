"""Any one number against one axis: a line for each entry of a further dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.figures import curve, style, title
from pipeline.figures.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 6
# What an analysis was asked for comes before its by-products.
FIRST = (
    "lyapunov",
    "rotation_number",
    "period",
    "escape_smooth",
    "escape_iteration",
    "basin",
    "density",
    "basin_entropy",
    "basin_fraction",
    "steps",
    "zero_one",
    "correlation_dimension",
    "expansion_entropy",
    "gali",
    "determinism",
)
LAST = (
    "status", "regime", "density_outside", "lyapunov_error", "rotation_number_error",
    "correlation_dimension_error", "expansion_entropy_error",
)  # fmt: skip


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if not seen.axes:
        return "it needs an axis"
    if not _lines(seen):
        return "it needs a number for each value of one axis alone"
    return ""


def suits(seen: View) -> bool:
    """Whether there is more to show than how cells ended."""
    return _lines(seen)[0] not in LAST


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """The first of the dataset's results that has a number for each value of an axis."""
    variable = seen.data[_lines(seen)[0]]
    (axis,) = [a for a in seen.axes if a.name in variable.dims]
    page = style.sheet(look, ratio=0.62, ax=ax)
    style.legend(page, curve.lines(page, page.panels[0], seen, variable, axis))
    title.write(page, seen)
    return page.figure


def candidates(seen: View) -> list[str]:
    """Numeric variables over the grid with at most one dimension more, the telling ones first."""
    grid = {a.name for a in seen.axes}
    names = []
    for key, variable in seen.data.data_vars.items():
        dims = set(map(str, variable.dims))
        rest = dims - grid
        small = all(variable.sizes[d] <= MOST_LINES for d in rest) and len(rest) <= 1
        if dims & grid and small and np.issubdtype(variable.dtype, np.number):
            names.append(str(key))
    rank = {name: i for i, name in enumerate(FIRST)} | {
        name: 100 + i for i, name in enumerate(LAST)
    }
    return sorted(names, key=lambda n: rank.get(n, 50))


def _lines(seen: View) -> list[str]:
    """The candidates over one axis."""
    grid = {a.name for a in seen.axes}
    return [n for n in candidates(seen) if len(grid & set(map(str, seen.data[n].dims))) == 1]
