"""How cells settle: a colour for each period, and neutral ones for what has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import status_map, style
from pipeline.figures.view import Axis, View

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

PERIOD, REGIME = "period", "regime"
PERIODIC = "periodic"
# Paul Tol's muted scheme, so ordered that a doubling shows: 1, 2, 4, 8 differ in lightness.
PERIODS = (
    "#88CCEE",
    "#332288",
    "#CC6677",
    "#44AA99",
    "#DDCC77",
    "#882255",
    "#117733",
    "#AA4499",
)
LONGER = "#999933"
OTHERS = {
    "quasiperiodic": "#FFFFFF",
    "chaotic": "#1E1E1E",
    "unresolved": "#8C8C8C",
    "none found": "#FFFFFF",
    "escaped": style.SHADE,
}


def held(seen: View, axes: Iterable[Axis]) -> bool:
    """Whether the dataset tells for each cell of these axes how it settled."""
    names = {axis.name for axis in axes}
    found = [seen.data[name] for name in (PERIOD, REGIME) if name in seen.data]
    return bool(found) and all(set(map(str, variable.dims)) == names for variable in found)


def paint(ax: Axes, seen: View, pick: dict[str, int], x: Axis, y: Axis) -> list[Any]:
    """Paint how the cells settled; the legend's handles."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    def plane(name: str) -> xr.DataArray | None:
        if name not in seen.data:
            return None
        others = [str(d) for d in seen.data[name].dims if d not in (x.name, y.name)]
        index = {d: pick.get(d, 0) for d in others}
        return seen.data[name].isel(index).transpose(y.name, x.name)

    picture = np.ones((y.values.size, x.values.size, 3))
    handles = []
    for name, colour, mine in _parts(plane(PERIOD), plane(REGIME)):
        if mine.any():
            picture[mine] = to_rgb(colour)
            handles.append(
                Patch(facecolor=colour, edgecolor=style.FRAME, linewidth=0.4, label=name)
            )
    status_map.lay(ax, picture, x, y, interpolation="antialiased")
    return handles


def _parts(
    period: xr.DataArray | None, regime: xr.DataArray | None
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, colour and bool[y, x] cells of each part of the plane."""
    names: dict[str, np.ndarray] = {}
    if regime is not None:
        known = status_map.meanings(regime)
        names = {name: regime.values == code for code, name in known.items()}
    elif period is not None:
        names = {PERIODIC: period.values > 0, "none found": period.values < 1}
    periodic = names.pop(PERIODIC, None)
    if periodic is not None and period is None:
        yield PERIODIC, PERIODS[0], periodic
    elif periodic is not None and period is not None:
        for number, colour in enumerate(PERIODS, 1):
            yield f"period {number}", colour, periodic & (period.values == number)
        beyond = len(PERIODS)
        yield f"period {beyond + 1} or more", LONGER, periodic & (period.values > beyond)
    for name, mine in names.items():
        yield name, OTHERS.get(name, style.GREY), mine
