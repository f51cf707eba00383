"""Drawing a file again: an archive, or each run that a sweep joins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline import figures
from pipeline.errors import CobwebError
from pipeline.presentation.joined import Run, parts, runs, word

# Of a sweep, drawn at once.
MOST_FIGURES = 100


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
        chosen = _chosen(runs(path, found), where)
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
                text = f"{job.name}: {error}" if job.labels else str(error)
                refused.append("\n".join(map(word, text.splitlines())))
                if len(refused) == len(chosen):
                    raise CobwebError(refused[-1]) from None
                yield [], refused[-1]
                continue
            tail = "_".join(re.sub(r"[^\w.+-]+", "_", value)[:40] for value in job.labels.values())
            tail = f"{tail}_{number}" if tail in taken else tail
            taken.add(tail)
            place = target.with_name("_".join(filter(None, [target.name, tail])))
            yield figures.save(figure, place, tuple(formats or asked["formats"])), ""


def _chosen(found: Iterator[Run], where: Sequence[str]) -> list[Run]:
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
