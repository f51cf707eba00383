"""An archive or a sweep for a reader: drawn, as a table, as a page."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pipeline import archive, figures, table
from pipeline import report as reports
from pipeline.errors import ArchiveError, CobwebError

if TYPE_CHECKING:
    import xarray

FILES = ("sweep.nc", "result.nc", "collection.nc")
REPORT = "report.html"
# Columns of letters in a file that no terminal bounds.
WIDEST = 10_000
# Of a sweep, drawn at once; a report's size is theirs.
MOST_FIGURES = 100
MOST_PICTURES = 40
# Pixels over those of the screen style, for screens of a higher density.
SHARP = 1.5
MOST_JOBS = 100_000


@dataclass(frozen=True, eq=False)
class Job:
    """A run: an archive's own, or one of those that a sweep joins.

    Attributes:
        labels: {what was swept: its value}; empty for an archive's own.
        data: its dataset, with the document among the attributes.
        error: why it failed, if it did.
    """

    labels: Mapping[str, str]
    data: xarray.Dataset
    error: str = ""

    @property
    def name(self) -> str:
        """The labels as text."""
        return ", ".join(f"{label} = {value}" for label, value in self.labels.items())


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


def jobs(path: str | Path, found: Sequence[xarray.Dataset]) -> Iterator[Job]:
    """The runs in the datasets of a file, each without the dimensions that tell it from others."""
    texts = archive.provenance(path)
    for data in found:
        if "job" not in data:
            yield Job({}, data)
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
            error = _word(one["job_error"].item()) if "job_error" in one else ""
            document = str(about.get("document", texts.get("document", "")))
            one = one.drop_vars([*own, *({"job", "job_error"} & set(one.data_vars))])
            words = {_word(name): _word(value) for name, value in labels.items()}
            yield Job(words, one.assign_attrs(document=document), error)


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _word(value: Any) -> str:
    """A value on one line, with nothing in it that a terminal would obey."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else "?" for c in text)


def draw(
    path: str | Path,
    target: Path | None = None,
    *,
    name: str | None = None,
    style: str | None = None,
    formats: Sequence[str] = (),
    where: Sequence[str] = (),
) -> Iterator[tuple[list[Path], str]]:
    """Draw an archive, or each job of a sweep, as its document says or otherwise.

    Args:
        target: a folder, or a file without ending; beside the archive by default.
        where: labels of the jobs that are drawn: "map=henon".

    Yields:
        The files of each job; why there are none where a job cannot be drawn.

    Raises:
        CobwebError: the archive, or no job of the sweep, can be drawn so; there are no such jobs.
    """
    # Another figure than the document's takes another name, so that neither is lost.
    stem = "_".join([name or "figure", *([style] if style else [])])
    target = target or Path(path).parent / stem
    target = target / "figure" if target.is_dir() else target
    with parts(path) as found:
        chosen = _chosen(jobs(path, found), where)
        if len(chosen) > MOST_FIGURES:
            example = next(iter(chosen[0].labels.items()), ("map", "henon"))
            raise CobwebError(
                f"figure: {path} has {len(chosen):,} jobs, and draws at most {MOST_FIGURES}; "
                f"choose some, such as --where {'='.join(example)}."
            )
        taken: set[str] = set()
        refused: list[str] = []
        for number, job in enumerate(chosen):
            asked = figures.asked(job.data)
            try:
                if job.error:
                    raise CobwebError(f"failed, so there is nothing to draw: {job.error}")
                kind, look = name or asked["name"], style or asked["style"]
                figure = figures.draw(job.data, name=kind, style=look)
            except CobwebError as error:
                refused.append(f"{job.name}: {error}" if job.labels else str(error))
                if len(refused) == len(chosen):
                    raise CobwebError(refused[-1]) from None
                yield [], refused[-1]
                continue
            tail = "_".join(re.sub(r"[^\w.+-]+", "_", value)[:40] for value in job.labels.values())
            tail = f"{tail}_{number}" if tail in taken else tail
            taken.add(tail)
            place = target.with_name("_".join(filter(None, [target.name, tail])))
            yield figures.save(figure, place, tuple(formats or asked["formats"])), ""


def _chosen(found: Iterator[Job], where: Sequence[str]) -> list[Job]:
    """The jobs with the labels asked for."""
    every = list(found)
    known = list(dict.fromkeys(label for job in every for label in job.labels))
    for text in where:
        label, sign, value = text.partition("=")
        values = list(dict.fromkeys(j.labels[label] for j in every if label in j.labels))
        if not sign or value not in values:
            expected = f"one of {', '.join(values[:20])}" if values else "no such label"
            raise CobwebError(
                f'figure: --where "{text}": {expected} (labels: {", ".join(known) or "none"}).'
            )
        every = [job for job in every if job.labels.get(label) == value]
    return every


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
        ((data["job"] >= 0) & (data["job_error"] != "")).any()
        for data in found
        if "job" in data and "job_error" in data
    )
    return list(found) if failed else [d.drop_vars("job_error", errors="ignore") for d in found]


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
    timing = archive.attributes(path, "provenance")
    texts |= {name: _word(timing[name]) for name in timing if name.startswith("timing")}
    with parts(path) as found:
        shown: list[reports.Job] = []
        drawn = 0
        for job in jobs(path, found):
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


FIRST_ONLY = f"Only the first {MOST_PICTURES} jobs have a picture here."


def _picture(job: Job) -> tuple[reports.Picture | None, str]:
    """The figure that the document asks for, or another that fits; or why there is none."""
    try:
        kind = figures.choose(job.data, figures.asked(job.data)["name"])
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
