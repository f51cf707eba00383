"""Outcomes: what starts come to, with a colour, a mark and a name for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.figures import style, words
from pipeline.figures.view import View
from pipeline.status import AttractorKind, CriticalKind, Status

if TYPE_CHECKING:
    import xarray as xr

Colour = tuple[float, float, float]

# Labels below those of the attractors. A solver converged elsewhere where there was no room for
# more attractors.
ESCAPED, UNRESOLVED, ELSEWHERE = -1, -2, -3
GREYS = {ESCAPED: "#E2E2E2", UNRESOLVED: "#6E6E6E", ELSEWHERE: "#B4B4B4"}
# Black and greys are for what is no basin; yellow is too faint once it is made paler.
COLOURS = tuple(c for c in style.PALETTE if c not in ("#000000", "#F0E442"))
# The part of white in a basin, in that of a point which was not sought, of black in an attractor.
PALE, FAINT, DARK = 0.45, 0.76, 0.6
# What a solver converged to is told apart by its mark as well.
MARKERS = {CriticalKind.saddle: "X", CriticalKind.maximum: "^", CriticalKind.minimum: "o"}
# Sizes at which marks look alike.
SIZES = {"X": 1.5, "^": 1.5}
# In the order of a legend: what is sought comes before all of them.
KINDS = (CriticalKind.minimum, CriticalKind.saddle, CriticalKind.maximum, CriticalKind.degenerate)
# A longer legend is larger than the picture.
MOST_NAMES = 9
# Of a point in the legend.
MOST_COORDINATES = 3
# A coordinate this far from 0, beside the starts', is 0: a solver comes no closer.
NOTHING = 1e-6


@dataclass(frozen=True)
class Outcome:
    """What some of the starts come to.

    Attributes:
        colour: of those starts.
        ink: of the attractor's points, whose shape is the marker.
        share: the part of the starts that are shown.
    """

    name: str
    colour: Colour
    ink: Colour
    marker: str
    share: float


def labelled(seen: View, here: xr.Dataset) -> xr.Dataset:
    """The same, its `basin` telling what had no room from what did not converge."""
    basin = here["basin"]
    if seen.solver == "direct" or "status" not in here:
        return here
    ended = (basin == UNRESOLVED) & (here["status"] == Status.converged)
    return here.assign(basin=basin.where(~ended, ELSEWHERE).transpose(*basin.dims))


def read(seen: View, here: xr.Dataset) -> dict[int, Outcome]:
    """{label: outcome} of the starts that are shown, labelled, in the order of a legend."""
    given = here["basin"].values
    present, counts = np.unique(given, return_counts=True)
    shares = dict(zip(present.tolist(), (counts / given.size).tolist(), strict=True))
    sought, kinds = _sought(seen), _kinds(here, given)
    order = [sought, *(k for k in KINDS if k != sought)]
    attractors = sorted(
        (label for label in shares if label >= 0),
        key=lambda label: (order.index(kinds.get(label, sought)), label),
    )
    found, met = {}, {True: 0, False: 0}
    for label in attractors:
        kind = kinds.get(label)
        wanted = kind in (None, sought)
        # Without kinds an attractor has the colour of its index in every picture.
        place = label if not kinds else met[wanted]
        met[wanted] += 1
        base = COLOURS[place % len(COLOURS)]
        found[label] = Outcome(
            _name(seen, here, label, kind),
            mixed(base, "white", PALE if wanted else FAINT),
            mixed(base, "black", DARK),
            MARKERS.get(kind, "o") if kind else "o",
            shares[label],
        )
    for label in (ESCAPED, UNRESOLVED, ELSEWHERE):
        if label in shares:
            grey = mixed(GREYS[label], "white", 0)
            found[label] = Outcome(_other(seen, here, label), grey, grey, "", shares[label])
    return found


def picture(given: np.ndarray, outcomes: Mapping[int, Outcome]) -> np.ndarray:
    """[..., 3] the colour of each start."""
    painted = np.empty((*given.shape, 3))
    for label, outcome in outcomes.items():
        painted[given == label] = outcome.colour
    return painted


def handles(page: style.Sheet, outcomes: Mapping[int, Outcome]) -> list[Any]:
    """The legend: the largest of the basins, and what is none."""
    from matplotlib.patches import Patch

    attractors = [label for label in outcomes if label >= 0]
    largest = sorted(attractors, key=lambda label: -outcomes[label].share)[:MOST_NAMES]
    found = [
        _handle(page, outcome)
        for label, outcome in outcomes.items()
        if label < 0 or label in largest
    ]
    if len(attractors) > MOST_NAMES:
        found.append(Patch(alpha=0, label=f"and {len(attractors) - MOST_NAMES} more"))
    return found


def _handle(page: style.Sheet, outcome: Outcome) -> Any:
    """A patch of the colour, on it the mark."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    text = f"{outcome.name} ({100 * outcome.share:.3g} %)"
    patch = Patch(facecolor=outcome.colour, edgecolor=style.FRAME, linewidth=0.4, label=text)
    if not outcome.marker:
        return patch
    return patch, Line2D([], [], **mark(page, outcome))


def mark(page: style.Sheet, outcome: Outcome) -> dict[str, Any]:
    """How a point of an attractor is drawn."""
    return {
        "linestyle": "none",
        "marker": outcome.marker,
        "markersize": page.look.marker * SIZES.get(outcome.marker, 1.1),
        "color": outcome.ink,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6 * page.look.line,
    }


def mixed(colour: str | Colour, other: str, part: float) -> Colour:
    """A colour with a part of another one."""
    from matplotlib.colors import to_rgb

    r, g, b = (
        (1 - part) * a + part * b for a, b in zip(to_rgb(colour), to_rgb(other), strict=True)
    )
    return r, g, b


def _sought(seen: View) -> CriticalKind:
    sense = str(seen.iterated.get("sense", "minimise"))
    return CriticalKind.maximum if sense == "maximise" else CriticalKind.minimum


def _kinds(here: xr.Dataset, given: np.ndarray) -> dict[int, CriticalKind]:
    """{label: the kind of most of the points that starts of its basin have converged to}."""
    if "critical_kind" not in here:
        return {}
    kinds = here["critical_kind"].transpose(*here["basin"].dims).values
    known = (given >= 0) & (kinds != CriticalKind.none)
    if not known.any():
        return {}
    pairs = given[known].astype(int) * len(CriticalKind) + kinds[known]
    table = np.bincount(pairs, minlength=(given.max() + 1) * len(CriticalKind))
    table = table.reshape(-1, len(CriticalKind))
    met = np.flatnonzero(table.any(axis=1))
    return {int(label): CriticalKind(int(table[label].argmax())) for label in met}


def _other(seen: View, here: xr.Dataset, label: int) -> str:
    """What became of starts that are in no basin."""
    if label == ELSEWHERE:
        return "other points"
    if label == UNRESOLVED:
        return "unresolved" if seen.solver == "direct" else "not converged"
    ended = here["status"].values if "status" in here else np.zeros(0)
    below = bool(np.any(ended == Status.unbounded_objective))
    return "unbounded" if below and not np.any(ended == Status.escaped) else "escaped"


def _name(seen: View, here: xr.Dataset, label: int, critical: CriticalKind | None) -> str:
    """What an attractor is, as far as it is the same in all that is shown."""
    kinds = here["attractor_kind"].isel(attractor=label).values.ravel()
    periods = here["attractor_period"].isel(attractor=label).values.ravel()
    met = kinds != AttractorKind.none
    if not met.any() or len(set(kinds[met])) > 1 or len(set(periods[met])) > 1:
        return f"attractor {label}"
    kind, period = AttractorKind(int(kinds[met][0])), int(periods[met][0])
    if kind == AttractorKind.cycle:
        return f"{period}-cycle" if period else "long cycle"
    if kind != AttractorKind.fixed_point:
        return f"{kind.name} attractor"
    noun = "point" if "objective" in seen.document else "fixed point"
    if critical is not None:
        noun = f"{critical.name} point" if critical == CriticalKind.degenerate else critical.name
    point = _point(seen, here, label)
    return f"{noun} {words.point(point, both=seen.series[0].complex)}" if point else noun


def _point(seen: View, here: xr.Dataset, label: int) -> list[float]:
    """The coordinates of a point; none where it varies or has too many of them."""
    point: list[float] = []
    for series in seen.series:
        held = here.get(f"attractor_{series.name}")
        if held is None or set(held.dims) - {"attractor", "attractor_point", series.inner}:
            return []
        point += np.ravel(held.isel(attractor=label, attractor_point=0).values).tolist()
    reach = max((float(np.ptp(axis.values)) for axis in seen.starts), default=0.0)
    point = [0.0 if abs(value) < NOTHING * reach else value for value in point]
    return point if len(point) <= MOST_COORDINATES else []
