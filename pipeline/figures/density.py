"""Density: how often the bins of a range are visited, beside the document's theory if any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import bifurcation, model, raster, status_map, style, title, view, words
from pipeline.figures.view import Axis, View, section

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 6
MOST_PANELS = 4
# Points of a theory in each bin, whose mean is compared with the bin's density.
FINE = 20
_MIDDLES = (np.arange(FINE) + 0.5) / FINE
# Closer together at the ends of a bin, where a density may be infinite as 1/sqrt(x) is.
_PLACES = _MIDDLES**2 * (3 - 2 * _MIDDLES)
_WEIGHTS = 6 * _MIDDLES * (1 - _MIDDLES) / np.sum(6 * _MIDDLES * (1 - _MIDDLES))
# Decades of a colour scale: fainter bins look as the faintest.
DECADES = 3.0


def fits(seen: View) -> str:
    """Empty, or why the dataset has no such picture."""
    return "" if "density" in seen.data else "it needs analysis=density"


def draw(seen: View, look: style.Look, ax: Axes | None) -> Figure:
    """Steps over one quantity, an image over two or over a quantity and a long parameter axis.

    Starts are averaged, and what is joint in more than two quantities is summed over the others.
    """
    density, notes = _averaged(seen)
    sides = [str(d) for d in density.dims if str(d).endswith("_bin")]
    for side in sides[2:]:
        density = density.sum(side) * float(np.diff(_edges(seen, side)).mean())
    axes = sorted(
        (a for a in seen.parameters if a.name in density.dims), key=lambda a: -a.values.size
    )
    fixed = {a.name: a.values.size // 2 for a in axes[1:]}
    density = density.isel(fixed)
    longest = axes[0] if axes else None
    if len(sides) == 1 and (longest is None or longest.values.size <= MOST_LINES):
        page = style.sheet(look, ax=ax)
        notes += _steps(page, seen, density, sides[0], longest, fixed)
    elif len(sides) == 1:
        assert longest is not None
        page = style.sheet(look, ratio=0.7, ax=ax)
        image = _image(page, page.panels[0], seen, density, (longest, _side(seen, sides[0])))
        style.colorbar(page, image, page.panels[0], _label(sides[0]))
    else:
        page = _planes(seen, look, density, sides, longest, ax)
        if longest is not None and len(page.panels) == 1:
            fixed = {longest.name: 0, **fixed}
    title.write(page, seen, ", ".join([t for t in (words.at(axes, fixed), *notes) if t]))
    return page.figure


def _averaged(seen: View) -> tuple[xr.DataArray, list[str]]:
    """The mean over the starts that stayed, and a word on how many they are."""
    density = seen.data["density"]
    starts = [a.name for a in seen.starts if a.name in density.dims]
    if not starts:
        return density, []
    count = int(np.prod([density.sizes[d] for d in starts]))
    return density.mean(starts), [f"mean of {count} starts"]


def _edges(seen: View, side: str) -> np.ndarray:
    """[bins + 1] The borders of the bins."""
    centres = seen.data[side].values.astype(float)
    bounds = np.asarray(seen.data[side].attrs.get("range", ()), float).ravel()
    if bounds.size != 2:
        half = (centres[-1] - centres[0]) / max(centres.size - 1, 1) / 2 or 0.5
        bounds = np.array([centres[0] - half, centres[-1] + half])
    return np.linspace(bounds[0], bounds[1], centres.size + 1)


def _quantity(side: str) -> str:
    return side.removesuffix("_bin")


def _side(seen: View, side: str) -> Axis:
    """The bins as an axis of a picture."""
    return Axis(side, seen.data[side].values.astype(float), False, False)


def _steps(
    page: style.Sheet,
    seen: View,
    density: xr.DataArray,
    side: str,
    axis: Axis | None,
    fixed: dict[str, int],
) -> list[str]:
    """One histogram, or one outline for each value; how far the theory is from it."""
    ax, edges = page.panels[0], _edges(seen, side)
    picks = [{axis.name: i} for i in range(axis.values.size)] if axis else [{}]
    handles, highest, notes = [], 0.0, []
    for pick, colour in zip(picks, style.colours(len(picks)), strict=True):
        values = density.isel(pick).values.astype(float)
        if not np.isfinite(values).all():
            continue
        label = words.at([axis], pick) if axis else "states"
        handles.append(
            ax.stairs(
                values,
                edges,
                fill=axis is None,
                color=style.PALETTE[5] if axis is None else colour,
                linewidth=page.look.line,
                label=label,
            )
        )
        highest = max(highest, values.max())
        curve = _theory(seen, _quantity(side), {**fixed, **pick}, edges)
        if curve is None:
            continue
        points, heights = curve
        (line,) = ax.plot(
            points,
            heights,
            color=style.PALETTE[1] if axis is None else colour,
            linewidth=page.look.line,
            linestyle="-" if axis is None else (0, (4, 2)),
            label=f"theory, {_formula(seen)}" if axis is None else "",
        )
        if axis is None:
            handles.append(line)
            means = heights.reshape(-1, FINE) @ _WEIGHTS
            apart = float(np.sum(np.abs(values - means) * np.diff(edges)))
            if np.isfinite(apart):
                notes.append(
                    rf"$\int|\mathrm{{states}}-\mathrm{{theory}}|={words.value(apart, 2)}$"
                )
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, 1.08 * highest or 1.0)
    style.abscissa(page, ax, words.symbol(_quantity(side)))
    style.ordinate(page, ax, _label(side))
    style.legend(page, handles if len(handles) > 1 else [])
    return notes


def _label(*sides: str) -> str:
    inner = ", ".join(words.symbol(_quantity(side)).strip("$") for side in sides)
    return rf"density $\rho({inner})$"


def _formula(seen: View) -> str:
    """The theory's formula, shortened to a word where it cannot be set."""
    text = section(seen.document, "figure").get("theory")
    return words.formula(seen, text) or "as the document has it"


def _theory(
    seen: View, name: str, index: dict[str, int], edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """(points inside the bins, the document's density there); None where it has none."""
    text = section(seen.document, "figure").get("theory")
    curve = model.formula(seen, index, text, name) if isinstance(text, str) else None
    if curve is None:
        return None
    points = (edges[:-1, None] + _PLACES * np.diff(edges)[:, None]).ravel()
    heights = curve(points)
    return points, np.where(np.isfinite(heights), heights, np.nan)


def _planes(
    seen: View,
    look: style.Look,
    density: xr.DataArray,
    sides: list[str],
    axis: Axis | None,
    ax: Axes | None,
) -> style.Sheet:
    """The plane of two quantities, for a few values of a parameter."""
    picks: list[dict[str, int]] = [{}]
    if axis is not None:
        most = 1 if ax is not None else MOST_PANELS
        chosen = view.evenly(axis.values.size, most if axis.values.size != 3 else 2)
        picks = [{axis.name: int(i)} for i in chosen]
    rows = 2 if len(picks) == 4 else 1
    page = style.sheet(
        look,
        rows=rows,
        columns=len(picks) // rows,
        ratio=0.8 if len(picks) == 1 else 0.9,
        wide=len(picks) > 1,
        ax=ax,
    )
    x, y = (_side(seen, side) for side in sides[:2])
    limits = _limits(np.stack([density.isel(pick).values for pick in picks]))
    image: Any = None
    for panel, pick in zip(page.panels, picks, strict=True):
        image = _image(page, panel, seen, density.isel(pick), (x, y), limits)
        if axis is not None and len(picks) > 1:
            style.tag(page, panel, words.at([axis], pick))
    style.colorbar(page, image, page.panels, _label(*sides[:2]))
    return page


def _limits(values: np.ndarray) -> tuple[float, float]:
    """The colour scale's ends: a decade or more, but only so much of what is faint."""
    found = values[np.isfinite(values) & (values > 0)]
    # A few bins, as those of cycles, are many times denser than all others.
    top = float(np.quantile(found, 0.999)) if found.size else 1.0
    low = float(found.min()) if found.size else top
    return min(max(low, top / 10**DECADES), top / 10), top


def _image(
    page: style.Sheet,
    ax: Axes,
    seen: View,
    density: xr.DataArray,
    plane: tuple[Axis, Axis],
    limits: tuple[float, float] | None = None,
) -> Any:
    """Paint densities on a logarithmic scale, white where there is none; escaped cells grey."""
    from matplotlib.colors import LogNorm

    x, y = plane
    values = density.transpose(y.name, x.name).values.astype(float)
    low, high = limits or _limits(values)
    masked = np.ma.masked_where(~(values > 0), np.clip(values, low, high))
    image = status_map.lay(ax, masked, x, y, cmap=style.ink(), norm=LogNorm(low, high))
    gone = np.asarray(np.isnan(values).all(axis=0))
    if gone.any() and not x.name.endswith("_bin"):
        raster.shade(ax, x.values, gone, log=x.log)
    for axis, name, label in ((x, "x", style.abscissa), (y, "y", style.ordinate)):
        turned = _circle(seen, axis.name)
        if turned is not None:
            bifurcation.circle(ax, name, turned)
        inner = axis.name.endswith("_bin")
        label(
            page, ax, words.symbol(_quantity(axis.name)) if inner else words.label(seen, axis.name)
        )
    return image


def _circle(seen: View, side: str) -> float | None:
    """The modulus of a quantity whose bins cover its whole circle."""
    given: Any = section(section(seen.document, "map"), "modulus").get(_quantity(side))
    length = view.number(given)
    if length is None or not side.endswith("_bin"):
        return None
    edges = _edges(seen, side)
    whole = np.allclose([edges[0], edges[-1]], [0, length.real])
    return float(length.real) if whole else None
