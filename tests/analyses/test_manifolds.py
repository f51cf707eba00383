"""Manifolds: lines, a parabola and a power series known on paper, and why branches end."""

from __future__ import annotations

import numpy as np
import pytest

import pipeline
from pipeline.__main__ import main
from pipeline.analyses.growth import End
from pipeline.analyses.saddles import Kind
from pipeline.errors import ConfigError

# What the manifold begins with, and some powers of the map, in units of the last place.
ROUNDING = 1e-12
# The same after as many folds as are followed here; a search for the nearest point is no better.
FOLDED = 1e-11
SINGLE = 1e-4
# A chord is shorter than its arc by the square of the angle between chords, 0.2, over 24.
CHORDS = 0.2**2 / 24
# At folds corners shorter than a hundredth of the spacing are cut.
CORNERS = 0.01
SPACING, LENGTH = 0.05, 20.0
A, B = 1.4, 0.3


def found(*overrides: str):
    """The dataset of a search."""
    words = ("experiment=orbit", "analysis=[manifolds]", "iterate.length=1", "figure=none")
    return pipeline.run(*words, *overrides)


def branches(ds, *components: str):
    """[{what is told of each branch, its points [k, 2] as curve, arclength [k]}] of one cell."""
    told = ("stable", "period", "multiplier", "side", "end")
    result = []
    for k in range(int((ds.manifold_period > 0).sum())):
        one = ds.isel(manifold=k)
        size = int(one.manifold_points)
        row = {name: one[f"manifold_{name}"].item() for name in told}
        curve = [one[f"manifold_{c}"].values for c in components or ("x", "y")]
        for values in (*curve, one.manifold_arclength.values):
            assert np.isfinite(values[:size]).all()
            assert np.isnan(values[size:]).all()
        row["curve"] = np.stack(curve, axis=1)[:size].astype(float)
        row["arclength"] = one.manifold_arclength.values[:size]
        result.append(row)
    return result


# l, m, c of maps with the multipliers l and m of which y = c x^2 and the axis x = 0 are invariant.
CURVES = [(2, 0.5, 0), (2, 0.5, 1), (-0.5, 3, 1)]


@pytest.fixture(scope="module")
def plane():
    """These, and two that are such curves near 0 alone: one smooth, one with a jump."""
    x = "l*x - q*x**2 - where(x < -3, jump, 0)"
    y = "m*((1 - s)*(y - c*x**2) + s*sin(y)) + c*l**2*x**2"
    rows = [[*curve, 0, 0, 0] for curve in CURVES]
    rows += [[1.5, 0.5, 0, 0.5, 1, jump] for jump in (0, 50)]
    words = [
        "map=custom", f"map.equations={{x: '{x}', y: '{y}'}}", "map.initial={x: 0.1, y: 0.1}",
        "map.parameters={l: 2, m: 0.5, c: 0, q: 0, s: 0, jump: 0}", "map.escape_radius=30",
        f"grid={{case: {{of: [l, m, c, q, s, jump], values: {rows}}}}}",
        f"analysis.manifolds={{length: {LENGTH}, spacing: {SPACING}, max_points: 800}}",
    ]  # fmt: skip
    return found(*words)


def test_lines_and_parabolas(plane):
    assert plane.manifold_x.dims == ("case", "manifold", "manifold_point")
    assert (plane.manifold_count == 4).all()
    for case, (along, m, c) in enumerate(CURVES):
        own = branches(plane.isel(case=case))
        kinds = [(b["stable"], b["side"]) for b in own]
        assert kinds == [(kind, side) for kind in (0, 1) for side in (1, -1)]
        for b in own:
            x, y = b["curve"].T
            assert (x[0], y[0], b["period"], b["end"]) == (0, 0, 1, End.length)
            if b["multiplier"] == pytest.approx(m, abs=ROUNDING):
                assert np.abs(x).max() < ROUNDING
                assert y[-1] == pytest.approx(b["side"] * b["arclength"][-1], rel=ROUNDING)
            else:
                assert b["multiplier"] == pytest.approx(along, abs=ROUNDING)
                assert y == pytest.approx(c * x**2, abs=ROUNDING * LENGTH)
                assert np.all(np.diff(x) * b["side"] > 0)
                r = 2 * x[-1] * b["side"]
                exact = (r * np.sqrt(1 + r**2) + np.arcsinh(r)) / 4 if c else r / 2
                assert b["arclength"][-1] == pytest.approx(exact, rel=CHORDS)


def test_points_are_no_farther_apart_than_the_spacing(plane):
    for case in range(len(CURVES)):
        for b in branches(plane.isel(case=case)):
            chords = np.linalg.norm(np.diff(b["curve"], axis=0), axis=1)
            assert b["arclength"][1:] == pytest.approx(np.cumsum(chords), rel=ROUNDING)
            assert chords.max() <= SPACING * (1 + ROUNDING)
            assert chords[-20:].min() > SPACING / 2
            # One chord beyond the length at most.
            assert LENGTH <= b["arclength"][-1] <= LENGTH + SPACING


@pytest.fixture(scope="module")
def henon():
    """The Hénon map's fixed points and its cycle of period 2."""
    return found(
        "map=henon",
        "map.escape_radius=7",
        "analysis.manifolds={max_period: 2, length: 8, max_points: 1000, spacing: 0.04}",
    )


def images(points, inverse: bool = False):
    """[..., 2] under the Hénon map, or its inverse."""
    x, y = points[..., 0], points[..., 1]
    new = (y / B, x - 1 + A * (y / B) ** 2) if inverse else (1 - A * x**2 + y, B * x)
    return np.stack(new, axis=-1)


def series(x: float, multiplier: float, t: np.ndarray) -> np.ndarray:
    """[k, 2] The manifold of a fixed point by its power series, W(multiplier t) = g(W(t)).

    Where t is beyond 0.1, as an image, or a preimage, of a smaller one.
    """
    powers = np.arange(30)
    terms = np.zeros(len(powers))
    terms[:2] = x, 1 / np.hypot(1, B / multiplier)
    for k in powers[2:]:
        products = np.dot(terms[1:k], terms[k - 1 : 0 : -1])
        terms[k] = -A * products / (
            multiplier**k + 2 * A * x - B / multiplier**k
        )  # fmt: skip
    stretch = max(abs(multiplier), 1 / abs(multiplier))
    turns = 2 * np.ceil(np.log(np.maximum(np.abs(t) / 0.1, 1)) / np.log(stretch) / 2)
    sums = (t / stretch**turns)[:, None] ** powers
    place = np.stack([sums @ terms, sums @ (B * terms / multiplier**powers)], axis=1)
    for k in range(int(turns.max())):
        there = images(place, inverse=abs(multiplier) < 1)
        place = np.where((turns > k)[:, None], there, place)
    return place


def nearest(x: float, multiplier: float, point: np.ndarray, t: np.ndarray, curve: np.ndarray):
    """(how far a point is from the series, the t there) where t is coarse."""
    gap = np.linalg.norm(curve - point, axis=1)
    lows = np.flatnonzero((gap[1:-1] <= gap[:-2]) & (gap[1:-1] <= gap[2:])) + 1
    best = (np.inf, 0.0)
    for k in lows[np.argsort(gap[lows])][:30]:
        low, high = t[k - 1], t[k + 1]
        for _ in range(8):
            fine = np.linspace(low, high, 31)
            off = np.linalg.norm(series(x, multiplier, fine) - point, axis=1)
            place, width = fine[off.argmin()], (high - low) / 30
            low, high = place - width, place + width
        best = min(best, (float(off.min()), float(place)))
    return best


def test_fixed_points_of_the_henon_map(henon):
    # Rows 12 and 13.
    own = [b for b in branches(henon) if b["period"] == 1]
    points = [[-1.131354477089505, -0.339406343126851], [0.631354477089505, 0.189406343126851]]
    for k, b in enumerate(own):
        assert b["curve"][0] == pytest.approx(points[k // 4], abs=ROUNDING)
    multipliers = [3.259822098, -0.092029562, -1.923738858, 0.155946322]
    assert [b["multiplier"] for b in own[::2]] == pytest.approx(multipliers, abs=1e-9)


@pytest.mark.parametrize("number", range(8))
def test_branches_are_those_of_the_power_series(henon, number):
    b = branches(henon)[number]
    x, multiplier = b["curve"][0, 0], b["multiplier"]
    # Those that fold are not followed much farther.
    farthest = {0: 1500, 4: 64, 5: 64}.get(number, 1e5)
    t = b["side"] * np.geomspace(1e-3, farthest, 40_000)
    with np.errstate(over="ignore", invalid="ignore"):
        curve = series(x, multiplier, t)
        gone = ~(np.linalg.norm(curve, axis=1) < 100)
    t, curve = t[: np.argmax([*gone, True])], curve[: np.argmax([*gone, True])]
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    places = np.linspace(20, len(b["curve"]) - 1, 8).astype(int)
    for k in places:
        off, where = nearest(x, multiplier, b["curve"][k], t, curve)
        size = max(1, np.abs(b["curve"][k]).max())
        assert off < FOLDED * size
    # No fold is left out: the way there is as long.
    exact = np.sum(steps[np.abs(t[1:]) <= abs(where)])
    assert b["arclength"][-1] == pytest.approx(exact, rel=CORNERS)


def test_what_is_beyond_the_escape_radius(henon):
    ends = {b["end"] for b in branches(henon)}
    assert ends == {End.length, End.escaped}
    for b in branches(henon):
        beyond = np.linalg.norm(b["curve"], axis=1) > 7
        assert beyond[:-1].sum() == 0
        assert beyond[-1] == (b["end"] == End.escaped)


def test_images_of_stable_branches_go_to_their_cycle(henon):
    # Until rounding, which grows by the other multiplier, shows.
    for b in [b for b in branches(henon) if b["stable"]]:
        place = b["curve"][np.abs(b["curve"]).max(axis=1) < 2]
        saddle, turns = b["curve"][0], 4 * b["period"]
        before = np.linalg.norm(place - saddle, axis=1)
        for _ in range(turns):
            place = images(place)
        after = np.linalg.norm(place - saddle, axis=1)
        assert np.all(after <= 0.1 * before + 1e-9)


def test_each_point_of_a_cycle_has_its_branches(henon):
    own = [b for b in branches(henon) if b["period"] == 2]
    assert len(own) == 8
    # Row 14: the trace is -3.04, the determinant b^2.
    multipliers = [b["multiplier"] for b in own]
    assert multipliers[0] + multipliers[2] == pytest.approx(-3.04, abs=ROUNDING)
    assert multipliers[0] * multipliers[2] == pytest.approx(B**2, abs=ROUNDING)
    first, second = own[0]["curve"][0], own[4]["curve"][0]
    assert second == pytest.approx(images(first), abs=ROUNDING)
    # The image of one's unstable branch is a branch of the other's: both end on the attractor.
    place = images(own[0]["curve"])
    line = own[4 if images(own[0]["curve"][1:2])[0, 0] > second[0] else 5]["curve"]
    shown = place[: len(place) // 3]
    gaps = np.linalg.norm(shown[:, None] - line, axis=2).min(axis=1)
    assert gaps.max() <= 0.04 / 2 * (1 + CHORDS)


def test_slopes_of_the_cat_map_in_single_precision():
    words = ["map=arnold_cat", "device.precision=single", "analysis.manifolds={length: 5}"]
    ds = found(*words)
    golden = (1 + 5**0.5) / 2
    own = branches(ds)
    assert len(own) == 4
    for b in own:
        x, y = b["curve"].T
        # The way round the torus is told unwrapped.
        assert b["arclength"][-1] == pytest.approx(np.hypot(x[-1], y[-1]), rel=SINGLE)
        assert y == pytest.approx(x * (-1 / golden if b["stable"] else golden), abs=SINGLE)
        assert b["end"] == End.length
    assert str(ds.manifold_x.dtype) == "float32"


def test_why_branches_end(plane):
    # On the x axis 0 leads to the sink 1, and to -inf, or to a jump behind -3; on the y axis
    # preimages end at pi/2, where the sine is flat.
    smooth, broken = (branches(plane.isel(case=len(CURVES) + k)) for k in range(2))
    expected = [End.settled, End.length, End.no_preimage, End.no_preimage]
    assert [b["end"] for b in smooth] == expected
    assert [b["end"] for b in broken] == [End.settled, End.unresolved, *expected[2:]]
    assert smooth[0]["curve"][-1] == pytest.approx([1, 0], abs=1e-7)
    # g(-3) = -9, to the root of the precision.
    assert broken[1]["curve"][-1] == pytest.approx([-9, 0], abs=1e-8)
    for b in smooth[2:]:
        # The last preimage is near a double root: known to the root of the precision.
        assert b["curve"][-1] == pytest.approx([0, b["side"] * np.pi / 2], abs=1e-6)


def test_the_command_tells_where_there_is_no_room(tmp_path, capsys):
    words = ["experiment=orbit", "map=henon", "analysis=[manifolds]", "figure=none"]
    room = "analysis.manifolds={max_period: 2, max_manifolds: 3, max_points: 40}"
    assert main(["run", *words, room, f"hydra.run.dir={tmp_path}"]) == 0
    told = capsys.readouterr().out
    assert "1 full (more branches than analysis.manifolds.max_manifolds)" in told
    with pipeline.open(tmp_path / "result.nc") as ds:
        assert int(ds.manifold_count) == 16
        assert ds.manifold_stable.values.tolist() == [Kind.unstable, Kind.unstable, Kind.stable]
        assert ds.manifold_points.values.tolist() == [40] * 3
        assert ds.manifold_end.values.tolist() == [End.full] * 3


def test_nothing_where_there_is_no_saddle(henon):
    words = ["map=henon", "map.parameters.a=-1", "analysis.manifolds={max_period: 2}"]
    ds = found(*words)
    assert int(ds.manifold_count) == 0
    assert (ds.manifold_stable == Kind.none).all()
    assert (ds.manifold_end == End.none).all()
    assert np.isnan(ds.manifold_x).all()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["map=logistic"], "the state has 1 real number; expected 2"),
        (["map=lorenz_3d"], "the state has 3 real numbers; expected 2"),
        (["map=henon", "map.equations.x='1 - a*x**2 + y + 0*n'"], "uses? n has no saddles"),
        (["map=henon", "solver=newton_cg"], "a step of newton_cg is no smooth map"),
        (["map=henon", "analysis.manifolds.spacing=0"], "expected a finite number > 0"),
        (["map=henon", "analysis.manifolds={region: {z: [0, 1]}}"], r"there is no z \(known: x"),
    ],
)
def test_what_is_refused(words, reason):
    with pytest.raises(ConfigError, match=reason):
        found(*words)
