"""Space-time picture: the entries of a vector component, step after step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.figures import raster, style, title, view, words
from pipeline.figures.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Rows that a picture resolves.
MOST_STEPS = 240


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    vectors = [s for s in seen.orbits if s.inner and seen.data.sizes[s.inner] > 2]
    return "" if vectors else "it needs the orbit (analysis=orbit) of a vector component"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """Index across, iteration upwards, value as colour; the first cell that stayed."""
    series = next(s for s in seen.orbits if s.inner and seen.data.sizes[s.inner] > 2)
    index = view.first(seen)
    states = view.cell(seen, index)[series.name].transpose("iteration", series.inner)
    total = states.sizes["iteration"]
    every = _every(states.isel(iteration=slice(-64, None)).values.astype(float))
    shown = states.isel(iteration=slice(total - 1, None, -every)).isel(
        iteration=slice(MOST_STEPS - 1, None, -1)
    )
    values = shown.values.astype(float)
    values = np.where(np.isfinite(values), values, np.nan)
    steps = shown["iteration"].values if "iteration" in shown.coords else np.arange(values.shape[0])
    page = style.sheet(look, ratio=0.72, ax=ax)
    panel = page.panels[0]
    if series.modulus is not None:
        values = np.mod(values, series.modulus)
        low, high = 0.0, series.modulus
    else:
        low, high = raster.limits(values.ravel(), values.ravel(), margin=0.0)
    half = (steps[-1] - steps[0]) / max(1, steps.size - 1) / 2 if steps.size > 1 else 0.5
    image = panel.imshow(
        values,
        origin="lower",
        aspect="auto",
        interpolation="auto",
        cmap="twilight" if series.modulus is not None else "viridis",
        vmin=low,
        vmax=high,
        extent=(-0.5, values.shape[1] - 0.5, steps[0] - half, steps[-1] + half),
    )
    style.abscissa(page, panel, "index")
    style.ordinate(page, panel, "iteration $n$")
    style.colorbar(page, image, panel, words.label(seen, series.name))
    notes = [words.at(seen.axes, index)] if index else []
    if every > 1:
        notes.append(f"every {every}th step" if every > 2 else "every 2nd step")
    if steps.size * every < total:
        notes.append(f"last {steps.size * every} of {total} steps")
    title.write(page, seen, ", ".join(notes))
    return page.figure


def _every(states: np.ndarray) -> int:
    """1, 2 or 4: the stroboscope under which a lattice changes least.

    Lattices of logistic maps flip between two bands; drawn step by step, the flips hide the
    pattern, which is why such pictures show every second or fourth step.
    """
    moved = {}
    for k in (1, 2, 4):
        if states.shape[0] > 4 * k:
            with np.errstate(invalid="ignore"):
                steps = np.abs(states[k:] - states[:-k])
            moved[k] = float(steps[np.isfinite(steps)].mean()) if np.isfinite(steps).any() else 0.0
    best = 1
    for k, change in moved.items():
        if change < 0.6 * moved[best]:
            best = k
    return best
