"""Tables of scalar results: rows, conditions, exact numbers, what a terminal shows."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipeline import table
from pipeline.errors import CobwebError
from tests.figures.datasets import dataset


def cells(num: int = 5, dtype: str = "float64") -> xr.Dataset:
    """Results over a and x0: floats, codes, a single exponent, an orbit."""
    a, x0 = np.linspace(3, 4, num), np.arange(3.0)
    return dataset(
        None,
        {"a": a, "x0": x0, "iteration": np.arange(4), "exponent": np.arange(1)},
        {
            "status": (("a", "x0"), np.int8(np.arange(3 * num).reshape(num, 3) % 3)),
            "x_final": (("a", "x0"), np.add.outer(a, x0).astype(dtype) / 3),
            "steps": (("a",), np.arange(num, dtype=np.int32)),
            "lyapunov": (("a", "x0", "exponent"), np.ones((num, 3, 1)) / 7),
            "x": (("a", "x0", "iteration"), np.zeros((num, 3, 4))),
        },
    )


def labelled(*, failed: bool = False) -> xr.Dataset:
    """Two jobs along `map`, of which one combination is none."""
    parts = [cells(2), cells(2)]
    joined = xr.concat([p.drop_vars("steps") for p in parts], "map", combine_attrs="override")
    jobs = [0, -1] if failed else [0, 1]
    return joined.assign_coords(map=["tent", "henon"]).assign(job=("map", np.int32(jobs)))


def lines(tables: list[table.Table]) -> list[list[str]]:
    """The CSV, read again."""
    stream = io.StringIO()
    count = table.write(tables, stream)
    rows = list(csv.reader(io.StringIO(stream.getvalue())))
    assert count == len(rows) - 1
    return rows


def shown(ds: xr.Dataset, where: tuple[str, ...] = (), **options) -> str:
    """What is printed."""
    console = Console(file=io.StringIO(), **options)
    (found,) = table.read([ds], where=where)
    table.show(table.excerpt(found), console)
    return console.file.getvalue()


# Rows and columns


def test_a_row_for_each_cell_with_the_axes_first():
    rows = lines(table.read([cells()]))
    assert rows[0] == ["a", "x0", "status", "x_final", "steps", "lyapunov"]
    assert len(rows) == 1 + 15
    # The last axis runs fastest, and what has no x0 is the same along it.
    assert rows[1] == ["3.0", "0.0", "bounded", "1.0", "0", repr(1 / 7)]
    assert rows[2][:3] == ["3.0", "1.0", "converged"]
    assert [row[4] for row in rows[1:5]] == ["0", "0", "0", "1"]


def test_a_dataset_without_axes_is_one_row():
    ds = cells().isel(a=1, x0=2, drop=True)
    assert lines(table.read([ds])) == [
        ["status", "x_final", "steps", "lyapunov"],
        ["escaped", repr(5.25 / 3), "1", repr(1 / 7)],
    ]


def test_axes_of_several_quantities_have_their_values_beside_the_count():
    ds = cells().isel(x0=0, drop=True).drop_vars("a")
    ds = ds.assign_coords(b=("a", np.arange(5.0)))
    assert lines(table.read([ds]))[3][:3] == ["2", "2.0", "bounded"]


def test_some_variables_in_the_order_asked_for():
    rows = lines(table.read([cells()], ["steps", "status"]))
    assert rows[0] == ["a", "x0", "steps", "status"]


def test_codes_without_a_meaning_stay_numbers():
    ds = cells(2)
    ds["status"][0, 0] = 99
    assert lines(table.read([ds]))[1][2] == "99"


@given(st.lists(st.floats(width=64), min_size=1, max_size=20))
def test_numbers_read_back_as_they_were(values):
    found = {"status": (("a",), np.zeros(len(values))), "v": (("a",), np.array(values))}
    rows = lines(table.read([dataset(None, {}, found)]))
    again = np.array([float(row[-1]) for row in rows[1:]])
    assert again.tobytes() == np.array(values).tobytes() or np.isnan(values).any()
    np.testing.assert_array_equal(again, values)


def test_single_precision_is_not_written_as_double():
    ds = cells(dtype="float32")
    rows = lines(table.read([ds], ["x_final"]))
    assert rows[2][-1] == "1.3333334"
    again = np.array([row[-1] for row in rows[1:]], "float32")
    np.testing.assert_array_equal(again, ds["x_final"].values.ravel())


def test_results_larger_than_a_block_are_whole(monkeypatch):
    """Blocks that are whole axes, parts of one, and one index of one."""
    rows = lines(table.read([cells()]))
    for size in (1, 2, 3, 4, 7, 14):
        monkeypatch.setattr(table, "BLOCK", size)
        assert lines(table.read([cells()])) == rows
        (found,) = table.read([cells()])
        assert list(found.rows())[::-1] == list(found.rows(backwards=True))
        assert max(len(next(iter(b.values()))) for b in found.blocks()) <= size


def test_no_cell_is_no_row():
    assert lines(table.read([cells().isel(a=slice(0, 0))])) == [
        ["a", "x0", "status", "x_final", "steps", "lyapunov"]
    ]


# Several parts


def test_parts_share_their_columns():
    other = cells(1).drop_vars("steps").rename(x_final="y_final").assign_coords(map="henon")
    rows = lines(table.read([cells(1).assign_coords(map="tent"), other]))
    assert rows[0] == ["map", "a", "x0", "status", "x_final", "steps", "lyapunov", "y_final"]
    assert [row[0] for row in rows[1:]] == ["tent"] * 3 + ["henon"] * 3
    assert rows[1][-1] == ""
    assert rows[4][4:6] == ["", ""]


def test_combinations_that_were_no_job_have_no_rows():
    assert len(lines(table.read([labelled()]))) == 1 + 12
    rows = lines(table.read([labelled(failed=True)]))
    assert {row[0] for row in rows[1:]} == {"tent"}
    assert "job" not in rows[0]


def test_a_condition_on_what_one_part_has_drops_the_other():
    other = cells(1).drop_vars("steps").assign_coords(map="henon")
    rows = lines(table.read([cells(1).assign_coords(map="tent"), other], where=["steps=0"]))
    assert {row[0] for row in rows[1:]} == {"tent"}


# Conditions


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (["a>=3.5"], 9),
        (["a<3.5"], 6),
        (["a>3", "a<=3.5"], 6),
        (["a = 3.25"], 3),
        (["a!=3.25"], 12),
        (["status=escaped"], 5),
        (["status != escaped", "x0=2"], 0),
        (["steps==4"], 3),
        (["x_final<nan"], 0),
    ],
)
def test_conditions(where, count):
    assert len(lines(table.read([cells()], where=where))) == 1 + count


def test_numbers_are_found_as_they_are_typed():
    ds = cells(1).assign_coords(a=[0.1 + 0.2])
    assert ds["a"].item() != 0.3
    assert len(lines(table.read([ds], where=["a=0.3"]))) == 4


@pytest.mark.parametrize(
    ("variables", "where", "message"),
    [
        (["x_fnal"], [], 'table: "x_fnal": no such column; did you mean "x_final"'),
        (["x"], [], 'table: "x" has the dimension iteration'),
        ([], ["b=1"], 'table: "b": no such column'),
        ([], ["a"], '--where "a": expected a column, a sign'),
        ([], ["a="], '--where "a=": expected a column, a sign'),
        ([], ["a=many"], "--where a=many: expected a number"),
        ([], ["status>bounded"], "--where status>bounded: status is no number; use = or !="),
    ],
)
def test_mistakes_are_told(variables, where, message):
    with pytest.raises(CobwebError) as raised:
        lines(table.read([cells()], variables, where))
    assert str(raised.value).startswith(message)


def test_a_dataset_without_cells_is_refused():
    with pytest.raises(CobwebError, match="no variable status"):
        table.read([cells().drop_vars("status")])


# On a terminal


def test_the_first_and_last_rows_are_shown():
    text = shown(cells(100), width=200)
    rows = text.splitlines()
    assert len(rows) == 2 + 10 + 1 + 10 + 1
    assert rows[2].split()[:2] == ["3", "0"]
    assert rows[12].split() == ["…"] * 6
    assert rows[-2].split()[:2] == ["4", "2"]
    assert rows[-1] == "300 rows, the first and last 10 shown (--csv FILE writes all)"


@pytest.mark.parametrize("num", [1, 6, 7, 8, 10])
def test_no_row_is_shown_twice_or_left_out(num):
    for where in ((), ("a>=3",)):
        rows = shown(cells(num), where, width=200).splitlines()[2:-1]
        there = [row for row in rows if "…" not in row]
        assert len(there) == min(3 * num, 20)
        assert (len(rows) > len(there)) == (3 * num > 20)
        assert there[-1].split()[1] == "2"


def test_conditions_count_what_is_left():
    rows = shown(cells(100), ("x0=1",), width=200).splitlines()
    assert rows[-1].startswith("100 rows, the first and last 10")
    assert {row.split()[1] for row in rows[2:-1]} == {"1", "…"}


def test_columns_are_left_out_rather_than_digits():
    text = shown(cells(2), width=25, force_terminal=True, color_system=None)
    assert "x_final" not in text.splitlines()[0]
    assert "3 more columns: x_final," in " ".join(text.split())
    assert all(len(line) <= 25 for line in text.splitlines())


def test_a_strangers_texts_cannot_write_to_the_terminal():
    ds = cells(1).assign_coords(map="[red]\x1b[2J" + "long" * 50)
    text = shown(ds, width=500)
    assert "\x1b" not in text
    assert "[red]?[2J" in text
    assert "long" * 20 not in text
