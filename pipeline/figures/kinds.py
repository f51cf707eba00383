"""The kinds of figure: what draws each, and what it needs of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import CobwebError
from pipeline.figures import (
    basin,
    bifurcation,
    bifurcation_curves,
    cobweb,
    continuation,
    convergence,
    cycles,
    density,
    final,
    final_map,
    indicators,
    manifolds,
    multipliers,
    phase_portrait,
    plane,
    profile,
    rotation_map,
    scalar,
    section,
    sensitivity,
    space_time,
    statistics,
    status_map,
    style,
    time_series,
    view,
)
from pipeline.figures.view import View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A longer orbit's staircase is a blot: auto prefers the time series.
COBWEB_STEPS = 400


@dataclass(frozen=True)
class Kind:
    """One kind of figure.

    Attributes:
        draw: the figure of a dataset that fits.
        fits: empty, or why a dataset does not fit.
        suits: whether `auto` takes it for a dataset that fits.
    """

    draw: Callable[[View, style.Look, Axes | None], Figure]
    fits: Callable[[View], str]
    suits: Callable[[View], bool] = lambda seen: True


# In the order in which `auto` tries them.
KINDS: Mapping[str, Kind] = {
    "basin": Kind(basin.draw, basin.fits),
    "convergence": Kind(convergence.draw, convergence.fits),
    "bifurcation_curves": Kind(bifurcation_curves.draw, bifurcation_curves.fits),
    "continuation": Kind(continuation.draw, continuation.fits),
    "cycles": Kind(cycles.draw, cycles.fits),
    "manifolds": Kind(manifolds.draw, manifolds.fits),
    "bifurcation": Kind(bifurcation.draw, bifurcation.fits),
    "cobweb": Kind(
        cobweb.draw,
        cobweb.fits,
        lambda seen: not seen.axes and seen.data.sizes["iteration"] <= COBWEB_STEPS,
    ),
    "space_time": Kind(space_time.draw, space_time.fits),
    "phase_portrait": Kind(phase_portrait.draw, phase_portrait.fits),
    "time_series": Kind(time_series.draw, time_series.fits),
    "density": Kind(density.draw, density.fits),
    "rotation_map": Kind(rotation_map.draw, rotation_map.fits),
    "section": Kind(section.draw, section.fits),
    "sensitivity": Kind(sensitivity.draw, sensitivity.fits),
    "final": Kind(final.draw, final.fits, final.suits),
    "final_map": Kind(final_map.draw, final_map.fits, final_map.suits),
    "indicators": Kind(indicators.draw, indicators.fits, indicators.suits),
    "profile": Kind(profile.draw, profile.fits),
    "plane": Kind(plane.draw, plane.fits, plane.suits),
    "statistics": Kind(statistics.draw, statistics.fits, statistics.suits),
    "scalar": Kind(scalar.draw, scalar.fits, scalar.suits),
    "multipliers": Kind(multipliers.draw, multipliers.fits, lambda seen: False),
    "status_map": Kind(status_map.draw, status_map.fits),
}


def choose(ds: xr.Dataset, name: str = "auto") -> str:
    """The kind that a dataset gets: the named one if it fits, for `auto` the first that suits.

    Returns:
        Its name; "none" where `auto` finds nothing to draw.

    Raises:
        CobwebError: no such kind, or it does not fit; the sentence lists those that do.
    """
    return pick(view.read(ds), name)


def pick(seen: View, name: str) -> str:
    """`choose` for a dataset already read."""
    fitting = [key for key, kind in KINDS.items() if not kind.fits(seen)]
    if name == "auto":
        for key in [k for k in fitting if KINDS[k].suits(seen)] or fitting:
            return key
        return "none"
    if name not in KINDS:
        raise CobwebError(
            f'figure.name = "{name}": no such figure (known: {", ".join(KINDS)}, auto, none).'
        )
    reason = KINDS[name].fits(seen)
    if reason:
        others = f", or one that fits: {', '.join(fitting)}" if fitting else ""
        raise CobwebError(f'figure.name = "{name}": {reason}; choose figure=auto{others}.')
    return name
