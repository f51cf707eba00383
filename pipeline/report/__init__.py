"""The report: one page of HTML that holds all it shows, made of datasets, texts and pictures."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.report import numbers
from pipeline.report.markup import Cell, document, folded, image, number, table, tag

if TYPE_CHECKING:
    import xarray

# Beyond so many a table names them and the archive has the rest.
MOST_JOBS = 200
# Longer texts of the provenance are folded.
SHORT = 200
JOB = re.compile(r"job_\d+")


@dataclass(frozen=True)
class Picture:
    """A figure as PNG, and what it shows."""

    png: bytes
    caption: str


@dataclass(frozen=True, eq=False)
class Job:
    """One dataset of a report.

    Attributes:
        labels: what tells it from the others; empty for a single run.
        document: as YAML.
        remark: why there is no picture, or not all of them.
        error: why it failed, if it did.
    """

    labels: Mapping[str, str]
    data: xarray.Dataset
    document: str
    pictures: Sequence[Picture] = ()
    remark: str = ""
    error: str = ""


def page(attributes: Mapping[str, Any], jobs: Sequence[Job], texts: Mapping[str, str]) -> str:
    """The page, as HTML.

    Args:
        attributes: of the file: its title, history and references are shown.
        jobs: one without labels for a run.
        texts: the provenance, as `archive.provenance` reads it.
    """
    title = str(attributes.get("title") or "An archive of Cobweb's")
    single = len(jobs) == 1 and not jobs[0].labels
    body = [*_head(title, attributes), *(_run(jobs[0]) if single else _sweep(jobs))]
    return document(title, [*body, *_environment(texts)])


def _head(title: str, attributes: Mapping[str, Any]) -> Iterator[str]:
    yield f"<header>{tag('h1', title)}"
    for key in ("history", "references"):
        if attributes.get(key, "none") != "none":
            yield tag("p", attributes[key], "faint")
    yield "</header>"


def _run(job: Job) -> Iterator[str]:
    """One run: its picture, how its cells ended, its numbers, its document."""
    yield from _facts(job.data)
    yield from _pictures(job)
    yield tag("h2", "How the cells ended")
    yield from _counts(job.data)
    yield tag("h2", "Results")
    yield from _summary(job.data)
    yield tag("h2", "Document")
    yield tag("pre", job.document)
    yield tag("h2", "Dimensions and variables")
    yield from _contents(job.data)


def _sweep(jobs: Sequence[Job]) -> Iterator[str]:
    """Several jobs: all in one table, then each by itself."""
    shown = jobs[:MOST_JOBS]
    names = list(dict.fromkeys(name for job in shown for name in job.labels))
    failed = any(job.error for job in shown)
    counts = [numbers.codes(job.data).get("status", {}) for job in shown]
    words = list(dict.fromkeys(word for count in counts for word in count))
    rows = []
    for k, (job, count) in enumerate(zip(shown, counts, strict=True)):
        labels = [Cell(job.labels.get(name, ""), link=f"job-{k}") for name in names]
        cells = [number(f"{count[word]:,}" if word in count else "") for word in words]
        rows.append([*labels, *cells, *([Cell(job.error, "bad text")] if failed else [])])
    yield tag("h2", f"{len(jobs):,} job{'s' * (len(jobs) != 1)}")
    error = ["error"] if failed else []
    yield from table([*names, *map(number, words), *error], rows)
    if len(jobs) > MOST_JOBS:
        yield tag("p", f"{len(jobs) - MOST_JOBS:,} more jobs are in the archive.", "faint")
    for k, job in enumerate(shown):
        yield f'<section id="job-{k}">'
        yield tag("h2", ", ".join(f"{name} = {value}" for name, value in job.labels.items()))
        yield from _failure(job) if job.error else _job(job)
        yield "</section>"


def _failure(job: Job) -> Iterator[str]:
    yield tag("p", f"failed: {job.error}", "bad")
    if job.document:
        yield from folded("Document", [tag("pre", job.document)])


def _job(job: Job) -> Iterator[str]:
    yield from _facts(job.data)
    yield from _pictures(job)
    yield from _counts(job.data)
    yield from folded("Results", _summary(job.data))
    yield from folded("Document", [tag("pre", job.document)])
    yield from folded("Dimensions and variables", _contents(job.data))


def _facts(data: xarray.Dataset) -> Iterator[str]:
    """The sizes at a glance."""
    grid = numbers.grid(data)
    sizes = [data.sizes[name] for name in grid]
    product = f" = {' x '.join(f'{size:,}' for size in sizes)}" if len(sizes) > 1 else ""
    yield '<dl class="facts">'
    yield f"<div><dt>cells</dt>{tag('dd', f'{math.prod(sizes):,}{product}')}</div>"
    for name in (*grid, "iteration", "step_number"):
        if name in data.coords and data.sizes.get(name) and data[name].dtype.kind in "iuf":
            values = data[name].values
            low, high = (f"{x:,}" if isinstance(x, int) else f"{x:.6g}" for x in _ends(values))
            yield f"<div>{tag('dt', name.replace('_', ' '))}{tag('dd', f'{low} … {high}')}</div>"
    yield "</dl>"


def _ends(values: Any) -> tuple[Any, Any]:
    return values.min().item(), values.max().item()


def _pictures(job: Job) -> Iterator[str]:
    yield from (image(picture.png, picture.caption) for picture in job.pictures)
    if job.remark:
        yield tag("p", job.remark, "faint")


def _counts(data: xarray.Dataset) -> Iterator[str]:
    """How many cells have each code."""
    for name, counts in numbers.codes(data).items():
        total = max(1, sum(counts.values()))
        rows = [
            [
                word,
                number(f"{count:,}"),
                number(f"{100 * count / total:.3g} %"),
                Cell(share=count / total),
            ]
            for word, count in sorted(counts.items(), key=lambda item: -item[1])
        ]
        yield from table([name.replace("_", " "), number("cells"), number("share"), ""], rows)


def _summary(data: xarray.Dataset) -> Iterator[str]:
    """Least, mean and greatest of every result that is one number a cell."""
    rows = []
    left = False
    for name in numbers.scalars(data):
        found = numbers.statistics(data, name)
        left |= found.missing > 0
        three = (found.least, found.mean, found.greatest)
        shown = ["" if math.isnan(x) else f"{x:.6g}" for x in three]
        missing = f"{found.missing:,}" if found.missing else ""
        rows.append([name, *map(number, (*shown, missing)), Cell(_label(data[name]), "text")])
    if not rows:
        yield tag("p", "No result is one number a cell.", "faint")
        return
    head = map(number, ("least", "mean", "greatest", "left out"))
    yield from table(["", *head, "meaning"], rows)
    if left:
        reason = "Left out: what is not finite, and real numbers of cells that escaped or failed."
        yield tag("p", reason, "faint")


def _label(variable: xarray.DataArray) -> str:
    text, units = (str(variable.attrs.get(key, "")) for key in ("long_name", "units"))
    return text if units in ("1", "") else f"{text} ({units})"


def _contents(data: xarray.Dataset) -> Iterator[str]:
    sizes = [[name, number(f"{size:,}")] for name, size in data.sizes.items()]
    if sizes:
        yield from table(["dimension", number("size")], sizes)
    rows = [
        [name, variable.dtype, ", ".join(map(str, variable.dims)), Cell(_label(data[name]), "text")]
        for name, variable in data.variables.items()
    ]
    yield from table(["variable", "type", "dimensions", "meaning"], rows)


def _environment(texts: Mapping[str, str]) -> Iterator[str]:
    """The provenance: short texts in a table, the versions in another, long texts folded."""
    packages = _parsed(texts.get("packages", ""))
    packages = packages if isinstance(packages, dict) else {}
    aside = {"document", *(["packages"] if packages else [])}
    # Of a sweep's jobs `info` says the rest.
    given = {
        name: text
        for name, text in texts.items()
        if text.strip() and name not in aside and not JOB.fullmatch(name)
    }
    short = {name: text for name, text in given.items() if len(text) <= SHORT}
    yield tag("h2", "Environment")
    yield from table([], [[_words(k), Cell(_line(text), "text")] for k, text in short.items()])
    if packages:
        yield from folded("packages", table([], [[k, v] for k, v in packages.items()]))
    for name, text in given.items():
        if name not in short:
            yield from folded(_words(name), [tag("pre", text)])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _line(text: str) -> str:
    """A text on one line; a list of JSON as its entries."""
    found = _parsed(text)
    return "   ".join(map(str, found)) if isinstance(found, list) else " ".join(text.split())


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
