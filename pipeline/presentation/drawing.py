"""Drawing a file again: an archive, each run that a sweep joins, or all of them together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline import figures
from pipeline.errors import CobwebError
from pipeline.figures import joint as joints
from pipeline.figures.joint import NONE
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
    joint: str | None = None,
    work: str | None = None,
) -> Iterator[tuple[list[Path], str]]:
    """Draw an archive, or the jobs of a sweep, as the documents say or otherwise.

    Args:
        target: a folder, or a file without ending; beside the archive by default.
        name: of the figure that each job gets, which then has one of its own.
        where: labels of the jobs that are drawn: "map=henon".
        joint: kind of figure that shows the jobs together; "none" for each by itself.
        work: what such a figure counts.

    Yields:
        The files of each job, or of all; why there are none where a job cannot be drawn.

    Raises:
        CobwebError: the archive, or no job of the sweep, can be drawn so; there are no such jobs.
    """
    # Another figure than the document's takes another name, so that neither is lost.
    other = None if joint == NONE else joint
    stem = "_".join([name or other or "figure", *filter(None, [work, style])])
    target = target or Path(path).parent / stem
    target = target / "figure" if target.is_dir() else target
    with parts(path) as found:
        chosen = _chosen(runs(path, found), where)
        together = _asked(chosen)
        kind = joint or (NONE if name else together["joint"])
        # A run by itself has nothing to be compared with, whatever its document says.
        if kind != NONE and (joint or len(chosen) > 1):
            look = style or together["style"]
            figure = joints.draw(chosen, kind, style=look, work=work or together["work"])
            yield figures.save(figure, target, tuple(formats or together["formats"])), ""
            return
        if len(chosen) > MOST_FIGURES:
            example = next(iter(chosen[0].labels.items()), ("map", "henon"))
            raise CobwebError(
                f"figure: {path} has {len(chosen):,} jobs, and draws at most {MOST_FIGURES}; "
                f"choose some, such as --where {'='.join(example)}."
            )
        taken: set[str] = set()
        refused: list[str] = []
        for number, job in enumerate(chosen):
            asked = figures.asked(job.document)
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


def _asked(found: Sequence[Run]) -> dict[str, Any]:
    """What the documents ask for, of which the first that there is speaks for all."""
    return figures.asked(next((run.document for run in found if run.document), {}))


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
