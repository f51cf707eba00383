"""Reuse: an archive of the same document, made by the same code, in the place of computing it."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline import archive, contents, dataset, filing, provenance
from pipeline.dataset import Template
from pipeline.engine import Tell
from pipeline.errors import ArchiveError, ConfigError
from pipeline.experiment import Experiment

NAME = "result.nc"


def taken(experiment: Experiment, path: Path, here: Mapping[str, str], tell: Tell) -> Path | None:
    """The earlier archive that has become this run's result, where there is one.

    Args:
        path: of the result.
        here: /provenance of this run.
        tell: is told of what is damaged.

    Raises:
        ConfigError: the folder to look in does not exist.
    """
    if experiment.reuse is None:
        return None
    for found in find(Path(experiment.reuse), here, path):
        if damaged(found):
            tell(f"{found}: of the same document, but damaged: not taken over")
            continue
        take(found, path)
        return found
    return None


def counted(path: Path, layout: Template) -> dict[str, Counter[str]]:
    """The cells of each code in an archive."""
    counts: dict[str, Counter[str]] = {}
    with contents.opened(path) as found:
        for entry in layout.variables:
            if "flag_meanings" in entry.attributes:
                dataset.count(counts, layout, {entry.name: found.read(entry.name, ())})
    return counts


def find(folder: Path, here: Mapping[str, str], own: Path) -> Iterator[Path]:
    """Archives below a folder that hold what a run would give, the newest first.

    Args:
        here: /provenance of that run.
        own: its result, which is not looked for.

    Raises:
        ConfigError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError([f"reuse = {folder}: no such folder."])
    wanted, found = _key(here), []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        path = Path(root) / NAME
        if NAME in files and path.absolute() != own.absolute():
            with contextlib.suppress(OSError):
                found.append((path.stat().st_mtime_ns, path))
    for changed, path in sorted(found, reverse=True):
        if _known(path, changed) == wanted:
            yield path


@functools.lru_cache(maxsize=2**16)
def _known(path: Path, changed: int) -> tuple[str, ...]:
    """What an archive is the result of; () where it is none of ours.

    Args:
        changed: when, so that what was read once is not read again unless it has.
    """
    try:
        return _key(archive.provenance(path))
    except ArchiveError:
        return ()


def _key(texts: Mapping[str, str]) -> tuple[str, ...]:
    essence = provenance.essence(provenance.document(texts))
    # Its blocks count too where bits follow from them: those of a smaller memory are others.
    plan = provenance.table(texts.get("plan", ""))
    free = provenance.table(plan.get("kernel", "")).get("width") != "1"
    told = plan.get("kernel", "") if free else texts["plan"]
    return (essence, told, *(texts.get(name, "") for name in provenance.BITS))


def damaged(path: Path) -> bool:
    """Whether some value is not what was written."""
    try:
        with contents.opened(path) as found:
            hashes = found.hashes()
            return any(found.digest(name) != digest for name, digest in hashes.items())
    except (ArchiveError, LookupError):
        return True


def take(path: Path, target: Path) -> None:
    """Give an archive a second name: archives never change, so that one file serves both.

    Raises:
        ArchiveError: the folder cannot be written to.
    """
    partial = filing.partial_of(target)
    with filing.unwritable(target):
        partial.unlink(missing_ok=True)
        try:
            os.link(path, partial)
        except OSError:  # another file system, or one without links
            shutil.copyfile(path, partial)
        filing.publish(partial, target)
