"""The runs in a file: an archive's own, or those that a sweep or a collection joins."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import archive, blocks
from pipeline.errors import ArchiveError, CobwebError
from pipeline.figures.joint import Run

if TYPE_CHECKING:
    import xarray

# What a command looks for in a folder, in this order.
FILES = ("sweep.nc", "result.nc", "collection.nc")
MOST_JOBS = 100_000


def located(path: str | Path) -> Path:
    """The file that is meant: of a folder, what it holds of a sweep, a run or a collection.

    Raises:
        CobwebError: the folder has none of them.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    for name in FILES:
        if (path / name).is_file():
            return path / name
    if (kept := blocks.index_of(path)) is not None:
        return kept
    raise CobwebError(f"{path}: expected a file, or a folder that has {', '.join(FILES)}.")


@contextlib.contextmanager
def parts(path: str | Path) -> Iterator[list[xarray.Dataset]]:
    """The datasets of a file: one, or those of its groups.

    Raises:
        ArchiveError: the file is no archive or damaged.
    """
    with contextlib.ExitStack() as stack, archive.damage(path):
        names = archive.groups(path) or [""]
        yield [stack.enter_context(archive.read(path, name)) for name in names]


def joins(data: xarray.Dataset) -> bool:
    """Whether a dataset is several runs, which the variable `job` numbers."""
    job = data.data_vars.get("job")
    errors = data.data_vars.get("job_error")
    if job is None or errors is None or job.dtype.kind != "i" or "status" not in data:
        return False
    return set(job.dims) <= set(data["status"].dims) and errors.dims == job.dims


def runs(path: str | Path, found: Sequence[xarray.Dataset]) -> Iterator[Run]:
    """The runs in the datasets of a file, each without the dimensions that tell it from others."""
    texts = archive.provenance(path)
    for data in found:
        if not joins(data):
            yield Run({}, data, costs=archive.costs(path))
            continue
        if data["job"].size > MOST_JOBS:
            raise ArchiveError(f"{path}: more jobs than a sweep has.")
        own = [str(n) for n, v in data.coords.items() if set(v.dims) <= set(data["job"].dims)]
        for place in itertools.product(*map(range, data["job"].shape)):
            one = data.isel(dict(zip(data["job"].dims, place, strict=True)))
            number = one["job"].item()
            if number < 0:  # a combination of labels that was no job
                continue
            about = _parsed(texts.get(f"job_{number}", ""))
            labels = about.get("labels")
            labels = labels if isinstance(labels, dict) else {n: one[n].item() for n in own}
            error = word(one["job_error"].item())
            document = str(about.get("document", texts.get("document", "")))
            costs = {n: float(one[n].item()) for n in archive.COSTS if n in one}
            one = one.drop_vars([*own, "job", "job_error", *costs])
            words = {word(name): word(value) for name, value in labels.items()}
            yield Run(words, one.assign_attrs(document=document), error, costs)


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def word(value: Any) -> str:
    """A value on one line, with nothing in it that a terminal would obey."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else "?" for c in text)
