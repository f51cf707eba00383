"""A member of a collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Label = str | float


@dataclass(frozen=True)
class Member:
    """One job of a collection.

    Attributes:
        labels: {what was swept: its value in this job}; the same keys in all jobs.
        path: its archive, None where it failed.
        error: why it failed.
    """

    labels: Mapping[str, Label]
    path: Path | None
    error: str = ""
