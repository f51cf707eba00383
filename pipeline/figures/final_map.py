"""Where each cell of a plane of two axes ended: basins told apart by their final states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import scale, status_map, style, title, view, words
from pipeline.figures.view import Series, View
from pipeline.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More places than these are no fixed points: the value itself is drawn.
MOST_PLACES = len(style.MUTED)
# Final states this close, relative to their spread, are the same place: a converged cell is
# within its tolerance, a slowly attracted one of a direct iteration is not much further.
SAME = 1e-3


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    if len(seen.axes) < 2:
        return "it needs two axes"
    if not _held(seen):
        return "it needs the final state (analysis=final, or any solver but direct)"
    return ""


def suits(seen: View) -> bool:
    """Whether no analysis has told the cells apart already."""
    return not {"basin", "period", "lyapunov", "escape_iteration"} & set(seen.data.data_vars)


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """A colour for each place where cells end, paler the longer a solver took."""
    x, y, pick = status_map.plane(seen)
    held = _held(seen)
    page = style.sheet(look, ratio=0.8, ax=ax)
    panel = page.panels[0]
    table = np.stack(
        [
            seen.data[s.final].isel(pick).transpose(y.name, x.name).values.astype(float)
            for s in held
        ],
        axis=-1,
    )
    ended = _ended(seen, pick, (y.name, x.name), table)
    places, labels = group(table, ended)
    if places is None:
        variable = seen.data[held[0].final]
        style.legend(page, scale.paint(page, panel, seen, variable, pick, x, y))
    else:
        picture = np.ones((*labels.shape, 3))
        handles = _paint(picture, places, labels, held)
        if "steps" in seen.data:
            steps = seen.data["steps"].isel(pick).transpose(y.name, x.name).values.astype(float)
            picture = _pale(picture, steps, labels >= 0)
        lost = view.lost(seen).isel(pick).transpose(y.name, x.name).values
        handles += _others(picture, labels, lost)
        status_map.lay(panel, picture, x, y, interpolation="antialiased")
        style.legend(page, handles)
    status_map.frame(page, panel, seen, x, y)
    slow = "paler: more steps" if places is not None and "steps" in seen.data else ""
    title.write(page, seen, ", ".join(part for part in (words.at(seen.axes, pick), slow) if part))
    return page.figure


def _held(seen: View) -> list[Series]:
    """The series with a single final state for each cell."""
    return [s for s in seen.series if s.final in seen.data and not s.inner]


def _ended(
    seen: View, pick: dict[str, int], dims: tuple[str, str], table: np.ndarray
) -> np.ndarray:
    """bool[y, x] Cells that may have reached a place: converged ones of a solver, else bounded."""
    ended = np.isfinite(table).all(axis=-1)
    if "status" not in seen.data:
        return np.array(ended)
    status = np.array(seen.data["status"].isel(pick).transpose(*dims).values)
    good = np.isin(status, int(Status.converged))
    return good & ended if good.any() else np.isin(status, int(Status.bounded)) & ended


def group(table: np.ndarray, ended: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Sort final states into few places.

    Args:
        table: [..., d] final states.
        ended: bool[...] those that count.

    Returns:
        [k, d] the places, in order of their coordinates, or None where there are too many;
        int[...] the place of each cell, -1 for none.
    """
    labels = np.full(ended.shape, -1)
    points = table[ended]
    if not len(points):
        return np.empty((0, table.shape[-1])), labels
    near = SAME * (float(np.ptp(points, axis=0).max()) or 1.0)
    rest = np.arange(len(points))
    mine = np.full(len(points), -1)
    places: list[np.ndarray] = []
    while rest.size > 0.005 * len(points):
        if len(places) == MOST_PLACES:
            return None, labels
        centre = points[rest[0]]
        for _ in range(2):
            inside = np.abs(points[rest] - centre).max(axis=1) <= near
            centre = np.median(points[rest[inside]], axis=0)
        inside = np.abs(points[rest] - centre).max(axis=1) <= near
        inside[0] = True
        mine[rest[inside]] = len(places)
        places.append(centre)
        rest = rest[~inside]
    order = np.lexsort(np.round(np.array(places) / near).T[::-1])
    labels[ended] = np.where(mine >= 0, np.argsort(order)[mine], -1)
    return np.array(places)[order], labels


def _paint(
    picture: np.ndarray, places: np.ndarray, labels: np.ndarray, held: list[Series]
) -> list[Any]:
    """Colour the places; the legend's handles."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    handles = []
    # Black is for what ended nowhere.
    few = [c for c in style.PALETTE if c != "#000000"]
    palette = few if len(places) <= len(few) else style.MUTED
    for i, place in enumerate(places):
        inside = labels == i
        picture[inside] = to_rgb(palette[i])
        share = 100 * float(inside.mean())
        name = f"{words.point(place, both=all(s.complex for s in held))} ({share:.3g} %)"
        handles.append(
            Patch(facecolor=palette[i], edgecolor=style.FRAME, linewidth=0.4, label=name)
        )
    return handles


def _pale(picture: np.ndarray, steps: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Mix white into slow cells, by the rank of their steps."""
    if not inside.any():
        return picture
    low, high = np.quantile(np.log1p(steps[inside].clip(0)), [0.01, 0.99])
    if not high > low:
        return picture
    slow = np.clip((np.log1p(steps.clip(0)) - low) / (high - low), 0, 1)[..., None] * 0.75
    return np.where(inside[..., None], picture * (1 - slow) + slow, picture)


def _others(picture: np.ndarray, labels: np.ndarray, lost: np.ndarray) -> list[Any]:
    """Grey for what escaped, black for what ended nowhere; the legend's handles."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    handles = []
    for chosen, colour, word in (
        (lost, "#D0D0D0", "escaped"),
        ((labels < 0) & ~lost, "#000000", "none of these"),
    ):
        if chosen.any():
            picture[chosen] = to_rgb(colour)
            share = 100 * float(chosen.mean())
            text = f"{word} ({share:.3g} %)"
            handles.append(
                Patch(facecolor=colour, edgecolor=style.FRAME, linewidth=0.4, label=text)
            )
    return handles
