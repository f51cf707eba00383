"""An archive or a sweep for a reader: drawn, as a table, as a page."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pipeline import archive, figures, table
from pipeline import report as reports
from pipeline.errors import CobwebError
from pipeline.presentation.drawing import draw
from pipeline.presentation.joined import Run, joins, located, parts, runs, word

if TYPE_CHECKING:
    import xarray

__all__ = ["draw", "export", "located", "report", "show"]

REPORT = "report.html"
# Columns of letters in a file that no terminal bounds.
WIDEST = 10_000
# A report's size is theirs.
MOST_PICTURES = 40
FIRST_ONLY = f"Only the first {MOST_PICTURES} jobs have a picture here."
# Pixels over those of the screen style, for screens of a higher density.
SHARP = 1.5


def show(path: str | Path, variables: Sequence[str] = (), where: Sequence[str] = ()) -> None:
    """Print the first and last rows of the scalar results.

    Raises:
        CobwebError: no such column, or a condition that is none.
    """
    from rich.console import Console

    console = Console()
    if not console.is_terminal:  # into a file or a pipe all columns go
        console = Console(width=WIDEST)
    with parts(path) as found:
        excerpts = [table.excerpt(t) for t in table.read(_trimmed(found), variables, where)]
        # Of a sweep's groups those in which conditions leave something.
        for one in [e for e in excerpts if e.count] or excerpts[:1]:
            table.show(one, console)


def export(
    path: str | Path,
    target: Path | TextIO,
    variables: Sequence[str] = (),
    where: Sequence[str] = (),
) -> int:
    """Write all rows of the scalar results as CSV.

    Returns:
        How many rows there are.

    Raises:
        CobwebError: no such column, a condition that is none, or a file that cannot be written.
    """
    with parts(path) as found:
        tables = table.read(_trimmed(found), variables, where)
        if not isinstance(target, Path):
            return table.write(tables, target)
        with written(target) as stream:
            return table.write(tables, stream)


def _trimmed(found: Sequence[xarray.Dataset]) -> list[xarray.Dataset]:
    """Without the jobs' errors where none failed."""
    failed = any(
        ((data["job"] >= 0) & (data["job_error"] != "")).any() for data in found if joins(data)
    )
    return [d if failed or not joins(d) else d.drop_vars("job_error") for d in found]


def report(path: str | Path, target: Path | None = None) -> Path:
    """Write report.html beside an archive or a sweep, or elsewhere.

    Returns:
        The file.

    Raises:
        CobwebError: no archive, or a page that cannot be written.
    """
    path = Path(path)
    target = target or path.with_name(REPORT)
    texts = archive.provenance(path)
    said = archive.attributes(path, "provenance")
    texts |= {name: word(said[name]) for name in said if name.startswith(("timing", "program"))}
    with parts(path) as found:
        shown: list[reports.Job] = []
        drawn = 0
        for job in runs(path, found):
            picture, remark = None, ""
            if not job.error and len(shown) < reports.MOST_JOBS:
                picture, remark = _picture(job) if drawn < MOST_PICTURES else (None, FIRST_ONLY)
            drawn += picture is not None
            document = str(job.data.attrs.get("document", ""))
            pictures = [picture] if picture else []
            shown.append(reports.Job(job.labels, job.data, document, pictures, remark, job.error))
        page = reports.page(archive.attributes(path), shown, texts)
        with written(target) as stream:
            stream.write(page)
    return target


def _picture(job: Run) -> tuple[reports.Picture | None, str]:
    """The figure that the document asks for, or another that fits; or why there is none."""
    try:
        kind = figures.choose(job.data, figures.asked(job.document)["name"])
    except CobwebError:
        kind = figures.choose(job.data)
    if kind == "none":
        return None, "Nothing here can be drawn."
    png = figures.image(figures.draw(job.data, name=kind), scale=SHARP)
    return reports.Picture(png, f"figure={kind}"), ""


@contextlib.contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """A text file that appears whole or not at all.

    Raises:
        CobwebError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise CobwebError(f"{path}: cannot be written ({error.strerror or error}).") from None
    finally:
        partial.unlink(missing_ok=True)
