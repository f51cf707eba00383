"""Values of an axis from a column of a CSV file."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import values
from pipeline.config.mistakes import show, suggest
from pipeline.config.values import Unfit

# Bytes of a file, and of its values in the archive's document.
LARGEST, MOST = 2**26, 10**6
# What needs no formula to be read; exponents of three digits may overflow.
_PLAIN = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{0,18})?([eE][-+]?[0-9]{1,2})?")


def read(where: str, node: Mapping[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """The columns of a file with a header, comma-separated.

    Args:
        node: file, and column: the name of one or a list of names.

    Returns:
        ([n, k] the values, the node as the archive keeps it: with them and the file's SHA-256).

    Raises:
        Unfit: no such file or column, or something in it is not a number.
    """
    wanted = node["column"] if isinstance(node["column"], list) else [node["column"]]
    if not isinstance(node["file"], str) or not all(isinstance(c, str) for c in wanted):
        raise Unfit("expected file: and column: as texts, or a list of columns")
    path = Path(node["file"])
    try:
        if not path.is_file():
            raise Unfit(f"there is no file {path}")
        if path.stat().st_size > LARGEST:
            raise Unfit(f"file {path} is larger than {LARGEST >> 20} MiB")
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # a path too long, or without permission
        if isinstance(error, Unfit):
            raise
        raise Unfit(f"file {path} cannot be read: {error}") from None
    found = _columns(path, content, wanted)
    kept = found[:, 0].tolist() if len(wanted) == 1 else found.tolist()
    digest = hashlib.sha256(content).hexdigest()
    return found, {**node, "sha256": digest, "values": kept}


def _columns(path: Path, content: bytes, wanted: list[str]) -> np.ndarray:
    """[n, k] the columns of that name; blank lines are passed over."""
    try:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        rows = csv.reader(text, skipinitialspace=True, strict=True)
        header = [name.strip() for name in next(rows, [])]
        places = [_place(path, header, column) for column in wanted]
        found = [
            [_number(path, rows.line_num, row, k, header) for k in places] for row in rows if row
        ]
    except (UnicodeDecodeError, csv.Error):
        raise Unfit(f"file {path} is no CSV text in UTF-8") from None
    if not found:
        raise Unfit(f"file {path} has no rows below its header")
    if len(found) > MOST:
        raise Unfit(f"file {path} has more than {MOST} rows")
    return np.array(found, float)


def _place(path: Path, header: list[str], column: str) -> int:
    if header.count(column) > 1:
        raise Unfit(f"file {path} has {header.count(column)} columns {column}")
    if column not in header:
        raise Unfit(f"file {path} has no column {column}{suggest(column, set(header) - {''})}")
    return header.index(column)


def _number(path: Path, line: int, row: list[str], k: int, header: list[str]) -> Any:
    given = row[k].strip() if k < len(row) else ""
    try:
        return float(given) if _PLAIN.fullmatch(given) else values.number(given)
    except Unfit:
        place = f"file {path}, line {line}, column {header[k]}"
        raise Unfit(f"{place}: {show(given)} is no finite number") from None
