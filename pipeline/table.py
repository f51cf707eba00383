"""The scalar results of a dataset, one row for each cell: on a terminal, or as CSV."""

from __future__ import annotations

import csv
import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from pipeline.errors import CobwebError

if TYPE_CHECKING:
    import xarray
    from rich.console import Console

# Cells read at once: some megabytes for each column.
BLOCK = 2**16
# Rows that a terminal shows at either end.
ENDS = 10
LONGEST_CELL = 48
# A number of a condition equals those that agree with it to so many digits: 3.7 finds the
# 3.7000000000000002 of an axis.
AGREEMENT = 1e-9
CONDITION = re.compile(r"\s*(\w+)\s*(<=|>=|!=|==|=|<|>)\s*(.*?)\s*")
ORDER = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@dataclass(frozen=True)
class Condition:
    """What a row must fulfil: `a >= 3.5`, `status = bounded`."""

    name: str
    sign: str
    value: str

    def holds(self, values: np.ndarray) -> np.ndarray:
        """[c] bool, for a column's values as the table shows them.

        Raises:
            CobwebError: texts have no order; a number is compared with none.
        """
        if values.dtype.kind not in "iuf":
            if self.sign in ORDER:
                raise CobwebError(f"--where {self}: {self.name} is no number; use = or !=.")
            same = values == self.value
        else:
            try:
                number = float(self.value)
            except ValueError:
                raise CobwebError(f"--where {self}: expected a number.") from None
            if self.sign in ORDER:
                return ORDER[self.sign](values, number)
            same = np.isclose(values, number, rtol=AGREEMENT, atol=0, equal_nan=True)
        return ~same if self.sign == "!=" else same

    def __str__(self) -> str:
        return f"{self.name}{self.sign}{self.value}"


@dataclass(frozen=True, eq=False)
class Table:
    """What is shown of a dataset.

    Attributes:
        grid: the dimensions whose product the rows are, in order.
        coordinates, variables: the columns.
        where: the conditions that a row fulfils.
    """

    data: xarray.Dataset
    grid: tuple[str, ...]
    coordinates: tuple[str, ...]
    variables: tuple[str, ...]
    where: tuple[Condition, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return (*self.coordinates, *self.variables)

    @property
    def cells(self) -> int:
        """Rows that there are without conditions."""
        return math.prod(self.data.sizes[name] for name in self.grid)

    def blocks(self, *, backwards: bool = False) -> Iterator[dict[str, np.ndarray]]:
        """{column: [c]} of the rows that fulfil the conditions, some thousand cells at a time."""
        boxes, count = _boxes(tuple(self.data.sizes[name] for name in self.grid))
        for k in reversed(range(count)) if backwards else range(count):
            box = dict(zip(self.grid, boxes(k), strict=True))
            wanted = {*self.columns, *(condition.name for condition in self.where)}
            block = {name: self._column(name, box) for name in wanted}
            kept = np.ones(math.prod(side.stop - side.start for side in box.values()), bool)
            for condition in self.where:
                kept &= condition.holds(block[condition.name])
            yield {name: block[name][kept] for name in self.columns}

    def rows(self, *, backwards: bool = False) -> Iterator[tuple[Any, ...]]:
        """The rows' values, as numpy's scalars or texts."""
        for block in self.blocks(backwards=backwards):
            rows = list(zip(*block.values(), strict=True))
            yield from reversed(rows) if backwards else rows

    def _column(self, name: str, box: Mapping[str, slice]) -> np.ndarray:
        """[c] A column's values in a box of cells; codes as their meanings."""
        shape = [side.stop - side.start for side in box.values()]
        if name not in self.data.variables:  # a dimension without values
            held = np.arange(box[name].start, box[name].stop)
            dims: tuple[str, ...] = (name,)
        else:
            variable = self.data.variables[name]
            dims = tuple(d for d in self.grid if d in variable.dims)
            piece = variable.isel({d: box[d] for d in dims}).transpose(*dims)
            held = _meanings(np.asarray(piece.values), variable.attrs)
        spread = tuple(slice(None) if d in dims else None for d in self.grid)
        return np.broadcast_to(held[spread], shape).reshape(-1)


def _boxes(shape: tuple[int, ...]) -> tuple[Any, int]:
    """Boxes of at most `BLOCK` cells that cover a grid in the order of its cells.

    Returns:
        (k -> one slice for each axis, how many there are).
    """
    inner, cut = 1, len(shape)
    while cut and inner * shape[cut - 1] <= BLOCK:
        cut -= 1
        inner *= shape[cut]
    whole = [slice(0, side) for side in shape[cut:]]
    if not cut:
        return (lambda k: whole), int(math.prod(shape) > 0)
    step = max(1, BLOCK // max(inner, 1))
    pieces = -(-shape[cut - 1] // step)

    def box(k: int) -> list[slice]:
        outer, piece = divmod(k, pieces)
        lead = []
        for side in reversed(shape[: cut - 1]):
            outer, at = divmod(outer, side)
            lead.append(slice(at, at + 1))
        end = min(shape[cut - 1], (piece + 1) * step)
        return [*reversed(lead), slice(piece * step, end), *whole]

    return box, math.prod(shape[: cut - 1]) * pieces if math.prod(shape) else 0


def _meanings(values: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """Codes as the words that the attributes give them; other values as they are."""
    words = str(attributes.get("flag_meanings", "")).split()
    codes = np.atleast_1d(attributes.get("flag_values", np.arange(len(words))))
    if not words or values.dtype.kind not in "iu":
        return values
    found = np.array([str(code) for code in values.reshape(-1).tolist()], object)
    found = found.reshape(values.shape)
    for code, word in zip(codes, words, strict=False):
        found[values == code] = word
    return found


def read(
    parts: Iterable[xarray.Dataset], variables: Sequence[str] = (), where: Sequence[str] = ()
) -> list[Table]:
    """The tables of datasets.

    Args:
        variables: the columns wanted after the coordinates; by default every variable that has
            one value for each cell.
        where: conditions, all of which a row fulfils: "a>=3.5", "status=bounded".

    Raises:
        CobwebError: no such column anywhere, or a condition that is none.
    """
    whole = [_whole(data) for data in parts]
    known = list(dict.fromkeys(name for table in whole for name in table.columns))
    conditions = tuple(_condition(text) for text in where)
    for name in [*variables, *(condition.name for condition in conditions)]:
        if name not in known:
            raise CobwebError(_unknown(name, known, whole))
    return [
        replace(
            table,
            variables=tuple(n for n in variables or table.variables if n in table.variables),
            where=(*table.where, *conditions),
        )
        for table in whole
        # A part without what a condition asks for has no such rows.
        if all(condition.name in table.columns for condition in conditions)
    ]


def _whole(data: xarray.Dataset) -> Table:
    """Every column of a dataset: what tells it from others first, then its axes, then results."""
    if "status" not in data:
        raise CobwebError("table: there is no variable status, which says what the cells are.")
    grid = tuple(map(str, data["status"].dims))
    # A single exponent, attractor, entry of a vector: still one number for each cell.
    single = {d: 0 for d, size in data.sizes.items() if size == 1 and d not in grid}
    labels = [str(name) for name, variable in data.coords.items() if not variable.dims]
    data = data.isel(single, drop=True)
    beside = [str(n) for n, v in data.coords.items() if v.dims and n not in grid]
    beside = [name for name in beside if set(data[name].dims) <= set(grid)]
    results = [str(n) for n, v in data.data_vars.items() if set(v.dims) <= set(grid)]
    where: tuple[Condition, ...] = ()
    if "job" in results and data["job"].dtype.kind == "i":
        # Labels whose combination was no job have no rows.
        results.remove("job")
        where = (Condition("job", ">=", "0"),)
    return Table(data, grid, (*labels, *grid, *beside), tuple(results), where)


def _condition(text: str) -> Condition:
    found = CONDITION.fullmatch(text)
    if not found or not found[3]:
        raise CobwebError(
            f'--where "{text}": expected a column, a sign (= != < <= > >=) and a value, '
            "such as a>=3.5 or status=bounded."
        )
    return Condition(*found.groups())


def _unknown(name: str, known: Sequence[str], whole: Sequence[Table]) -> str:
    for table in whole:
        if name in table.data.variables:
            extra = [str(d) for d in table.data[name].dims if d not in table.grid]
            return f'table: "{name}" has the dimension {", ".join(extra)}, so no one value a cell.'
    close = get_close_matches(name, known, 1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    return f'table: "{name}": no such column{hint} (known: {", ".join(known)})'


def write(tables: Sequence[Table], stream: TextIO) -> int:
    """Write all rows as CSV; a number reads back as the same number.

    A part has nothing in the columns that only others have.

    Returns:
        How many rows there are.
    """
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    variables = {name for table in tables for name in table.variables}
    # The coordinates of every part come before results.
    names = sorted(names, key=lambda name: name in variables)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for table in tables:
        for block in table.blocks():
            columns = {name: _exact(values) for name, values in block.items()}
            size = len(next(iter(columns.values()), ()))
            empty = [""] * size
            writer.writerows(zip(*(columns.get(name, empty) for name in names), strict=True))
            count += size
    return count


def _exact(values: np.ndarray) -> list[str]:
    """The shortest texts that read back as the same values, of the same precision."""
    if values.dtype == np.float64:
        return list(map(repr, values.tolist()))
    return [str(value) for value in values]


@dataclass(frozen=True)
class Excerpt:
    """The first and the last rows of a table, as texts.

    Attributes:
        head, tail: rows; all of them are in `head` where they are few.
        count: rows that there are.
        numeric: for each column, whether it holds numbers.
    """

    columns: tuple[str, ...]
    head: list[tuple[str, ...]]
    tail: list[tuple[str, ...]]
    count: int
    numeric: tuple[bool, ...]


def excerpt(table: Table, ends: int = ENDS) -> Excerpt:
    """What fits on a screen."""
    if table.where:
        rows = table.rows()
        head = list(islice(rows, 2 * ends))
        last: deque[tuple[Any, ...]] = deque(maxlen=ends)
        count = len(head)
        for row in rows:
            last.append(row)
            count += 1
        tail = list(last)
    else:
        count = table.cells
        head = list(islice(table.rows(), 2 * ends))
        tail = list(islice(table.rows(backwards=True), min(ends, count - len(head))))[::-1]
    if count > 2 * ends:
        tail = [*head[ends:], *tail][-ends:]
        head = head[:ends]
    else:
        head, tail = [*head, *tail], []
    sample = head[0] if head else ()
    numeric = tuple(isinstance(value, np.number) for value in sample)
    texts = [[tuple(map(_short, row)) for row in rows] for rows in (head, tail)]
    return Excerpt(table.columns, texts[0], texts[1], count, numeric)


def _short(value: Any) -> str:
    """A value for the eye: eight digits, one line, no control characters."""
    if isinstance(value, np.floating):
        return f"{float(value):.8g}"
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def show(found: Excerpt, console: Console) -> None:
    """Print an excerpt, and of its columns those that fit on a terminal."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table as Grid
    from rich.text import Text

    rows = [*found.head, *found.tail]
    widths = [
        max(map(cell_len, (name, *(row[k] for row in rows)))) + 2
        for k, name in enumerate(found.columns)
    ]
    # A column is left out rather than its digits.
    fitting = [k for k in range(len(widths)) if k == 0 or sum(widths[: k + 1]) <= console.width]
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for k in fitting:
        justify = "right" if k < len(found.numeric) and found.numeric[k] else "left"
        grid.add_column(Text(_short(found.columns[k])), justify=justify, no_wrap=True)
    for part in (found.head, found.tail):
        if part is found.tail and part:
            grid.add_row(*["…"] * len(fitting))
        for row in part:
            grid.add_row(*(Text(row[k]) for k in fitting))
    console.print(grid)
    console.print(Text(_footer(found, [_short(found.columns[k]) for k in fitting])))


def _footer(found: Excerpt, shown: Sequence[str]) -> str:
    """How many rows and columns there are besides those shown."""
    plural = "s" * (found.count != 1)
    text = f"{found.count:,} row{plural}"
    if found.tail:
        text += f", the first and last {len(found.tail)} shown (--csv FILE writes all)"
    left = [_short(name) for name in found.columns[len(shown) :]]
    if left:
        names = ", ".join(left[:8]) + (", ..." if len(left) > 8 else "")
        text += f"; {len(left)} more column{'s' * (len(left) != 1)}: {names} (--variables chooses)"
    return text
