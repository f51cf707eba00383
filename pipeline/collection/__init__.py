"""The collection: one file that joins the results of several jobs, labelled by what was swept.

Jobs of equal structure (the same variables over the same coordinates) are laid out along new
dimensions, one for each label; those of other structures have a group of the file each. A job that
failed is NaN, or -1 where there are integers, with status job_failed and its error as a text.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from pipeline import filing
from pipeline.collection import file
from pipeline.collection.header import Header, read
from pipeline.collection.member import Label, Member
from pipeline.collection.part import parts
from pipeline.errors import ArchiveError, CobwebError

__all__ = ["Member", "join"]


def join(members: Sequence[Member], target: Path) -> None:
    """Join the results of jobs into one file, which appears under its name when it is whole.

    A member whose archive cannot be read counts as failed, with the reason as its error.

    Args:
        members: in the order in which their labels' values appear along the new dimensions.

    Raises:
        CobwebError: there are none, or two have the same labels, or others than the first.
        ArchiveError: the file cannot be written, or the disk has no room.
    """
    _check(members)
    headers: list[Header | None] = []
    sound: list[Member] = []
    for member in members:
        header = None
        if member.path is not None:
            try:
                header = read(member.path)
            except ArchiveError as error:
                member = _failed(member, error)
        headers.append(header)
        sound.append(member)
    found = parts(sound, headers)
    partial = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with filing.unwritable(target):
            file.room(target, found)
            damaged = file.write(sound, headers, found, partial, target)
            if damaged is None:
                filing.publish(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    if damaged is not None:  # found while its values were read: begin again without them
        number, error = damaged
        join([_failed(m, error) if k == number else m for k, m in enumerate(sound)], target)


def _failed(member: Member, error: Exception) -> Member:
    return dataclasses.replace(member, path=None, error=str(error))


def _check(members: Sequence[Member]) -> None:
    if not members:
        raise CobwebError("there are no results to join.")
    first = members[0].labels
    seen: dict[tuple[Label, ...], int] = {}
    for number, member in enumerate(members):
        if set(member.labels) != set(first):
            raise CobwebError(f"jobs 0 and {number} are not labelled by the same names.")
        values = tuple(member.labels[name] for name in first)
        if values in seen:
            shown = ", ".join(f"{k}={v}" for k, v in member.labels.items()) or "none"
            raise CobwebError(f"jobs {seen[values]} and {number} have the same labels: {shown}.")
        seen[values] = number
