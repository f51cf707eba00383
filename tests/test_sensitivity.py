"""Sensitivity: what rounding may do to a result, measured by probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pipeline import sensitivity
from pipeline.dataset import Entry
from pipeline.job.structure import structure
from tests.runs import experiment


def entry(shape: tuple[int, ...], kind: str = "f8", **attributes: str) -> Entry:
    names = ("a", "iteration")[: len(shape)]
    return Entry("v", names, shape, np.dtype(kind), attributes)


def strange(
    stored: Any, here: Any, probes: list[Any], kind: str = "f8", axis: int | None = None,
    error: Any = None, **attributes: str,
) -> list[bool]:  # fmt: skip
    """Which cells no probe explains."""
    stored, here = np.asarray(stored, kind), np.asarray(here, kind)
    computed: dict[str, np.ndarray] = {"v": here}
    if error is not None:
        computed["v_error"] = np.asarray(error)

    def results() -> list[Mapping[str, np.ndarray]]:
        return [{"v": np.asarray(probe, kind)} for probe in probes]

    whole = entry(here.shape, kind, **attributes)
    return sensitivity.strangers(whole, stored, computed, results, axis).tolist()


def test_probes_have_the_same_structure() -> None:
    """So one program serves them; every number but settings is moved, and little."""
    found = experiment(
        objective="himmelblau",
        solver="gradient",
        grid={"x0": [1, 2], "s": {"of": "solver.step", "values": [0.01, 0.02]}},
    )
    other = sensitivity.probe(found, 1)
    assert structure(other) == structure(found)
    assert np.array_equal(other.grid[1].values, found.grid[1].values)
    room = sensitivity.MOVED * np.finfo(float).eps
    moved = np.abs(other.grid[0].values / found.grid[0].values - 1)
    assert np.all((moved > 0) & (moved <= 1.01 * room))
    assert found.problem.initial["y"] == 0
    assert 0 < abs(other.problem.initial["y"]) < room
    assert sensitivity.probe(found, 1).problem.initial == other.problem.initial
    assert sensitivity.probe(found, 2).problem.initial != other.problem.initial


def test_rounding_needs_no_probe() -> None:
    """A few units in the last place, beside the largest of the cell's own values."""

    def asked() -> list[Mapping[str, np.ndarray]]:
        raise AssertionError("probes were computed")

    here = np.array([[1.0, 1e-12], [2.0, 3.0]])
    stored = here + 1e-14
    found = sensitivity.strangers(entry((2, 2)), stored, {"v": here}, asked, 1)
    assert found.tolist() == [False, False]


def test_a_cell_that_is_not_sensitive_has_no_excuse() -> None:
    here = np.ones(20)
    stored = here.copy()
    stored[15] += 1e-9
    probe = here.copy()
    probe[:3] += 1e-3
    assert strange(stored, here, [probe]) == [k == 15 for k in range(20)]


def test_a_sensitive_cell_may_part_with_room() -> None:
    here, probe = np.ones(20), np.ones(20)
    probe[10] += 1e-6
    for by, found in ((1e-6, False), (1e-5, False), (1e-4, True)):
        stored = here.copy()
        stored[10] += by
        assert strange(stored, here, [here, probe])[10] is found


def test_cells_beside_a_sensitive_one_may_part_too() -> None:
    """A boundary that lies a little elsewhere; farther off it is none."""
    here, probe = np.zeros(30, "i4"), np.zeros(30, "i4")
    probe[10] = 5
    for at, found in ((12, False), (14, False), (20, True)):
        stored = here.copy()
        stored[at] = 5
        assert strange(stored, here, [probe], kind="i4")[at] is found


def test_orbits_may_not_meet_again() -> None:
    """Once the probes have parted, an orbit may be anywhere on the attractor, and nowhere else."""
    here = np.tile([0.5, 0.1, 0.9, 0.3], (1, 1))
    probe = np.array([[0.5, 0.1, 0.2, 0.3]])
    assert strange([[0.5, 0.1, 0.9, 0.8]], here, [probe], axis=1) == [False]
    assert strange([[0.5, 0.2, 0.9, 0.3]], here, [probe], axis=1) == [True]
    assert strange([[0.5, 0.1, 0.9, 30.0]], here, [probe], axis=1) == [True]
    assert strange([[0.5, 0.1, 0.9, np.nan]], here, [probe], axis=1) == [True]


def test_numbers_that_are_none() -> None:
    """NaN agrees with NaN; in one alone it needs a probe that is."""
    assert strange([np.nan], [np.nan], []) == [False]
    assert strange([np.nan], [1.0], [[1.0]]) == [True]
    assert strange([np.nan], [1.0], [[np.nan]]) == [False]
    assert strange([np.inf], [np.inf], []) == [False]
    assert strange([-np.inf], [1.0], [[1.0]]) == [True]


def test_stated_errors() -> None:
    """Five of them, of the difference of two; without a statement they are nothing."""
    stated = {"ancillary_variables": "count v_error"}
    for by, found in ((0.06, False), (0.08, True)):
        assert strange([1 + by], [1.0], [[1.0]], error=[0.01], **stated) == [found]
    assert strange([1.06], [1.0], [[1.0]], error=[0.01]) == [True]
    assert strange([1.06], [1.0], [[1.0]], error=[np.nan], **stated) == [True]


@pytest.mark.parametrize(("by", "index"), [(1e-16, None), (1e-3, 2)])
def test_where_orbits_part(by: float, index: int | None) -> None:
    here = np.ones((3, 5))
    stored = here.copy()
    stored[1, 2:] += by
    assert sensitivity.parted(stored, here, 1) == index
