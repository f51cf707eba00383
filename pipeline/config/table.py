"""Values of an axis from a column of a CSV file."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import values
from pipeline.config.mistakes import suggest
from pipeline.config.values import Unfit

LARGEST = 2**30


def read(where: str, node: Mapping[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """The columns of a file with a header, comma-separated.

    Args:
        node: file, and column: the name of one or a list of names.

    Returns:
        ([n, k] the values, the node with the values and the file's SHA-256, as the archive keeps it).

    Raises:
        Unfit: no such file or column, or something in it is not a number.
    """
    path, wanted = Path(str(node["file"])), node["column"]
    wanted = wanted if isinstance(wanted, list) else [wanted]
    try:
        if path.stat().st_size > LARGEST:
            raise Unfit(f"file {path} is larger than {LARGEST >> 20} MiB")
        content = path.read_bytes()
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), skipinitialspace=True))
    except OSError as error:
        raise Unfit(f"file {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise Unfit(f"file {path} is no CSV text in UTF-8") from None
    if not rows:
        raise Unfit(f"file {path} has no rows below its header")
    for column in wanted:
        if column not in rows[0]:
            raise Unfit(
                f"file {path} has no column {column!s}{suggest(column, [k for k in rows[0] if k])}"
            )
    found = np.empty((len(rows), len(wanted)))
    for line, row in enumerate(rows):
        for k, column in enumerate(wanted):
            try:
                found[line, k] = values.number((row[column] or "").strip())
            except Unfit:
                place = f"{path}, row {line + 1} below the header, column {column}"
                raise Unfit(f"{place}: {row[column]!r} is no finite number") from None
    kept = found[:, 0].tolist() if len(wanted) == 1 else found.tolist()
    digest = hashlib.sha256(content).hexdigest()
    return found, {**node, "sha256": digest, "values": kept}
