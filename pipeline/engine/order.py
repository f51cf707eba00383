"""The order: what the workers of a run are to do, in a file that all of them read.

A task then is no more than two numbers, however long the document is. The folder is named after
the order, so that blocks of another one are never taken for this one's.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import device, parts, provenance
from pipeline.device import Device
from pipeline.engine.wanted import Wanted
from pipeline.errors import ArchiveError

NAME = "order.json"
# What must be the same wherever a block is computed: other texts, other bits.
ALIKE = ("code", "packages", "device", "xla_flags")


@dataclass(frozen=True, eq=False)
class Order:
    """What is to be done, and by what.

    Attributes:
        folder: where blocks are filed until they are joined.
        texts: the document, the plan, and all of `ALIKE`.
    """

    folder: Path
    texts: Mapping[str, str]
    wanted: Wanted

    @property
    def text(self) -> str:
        """As the file has it."""
        kept = {name: self.texts[name] for name in ("document", "plan", *ALIKE)}
        known = [np.flatnonzero(axis).tolist() for axis in self.wanted.known]
        return json.dumps({**kept, "grid": list(self.wanted.grid), "known": known})

    @property
    def own(self) -> Path:
        """The folder of this order alone."""
        return self.folder / hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def write(self) -> Path:
        """Give the order to the workers; the folder that it is in."""
        self.own.mkdir(parents=True, exist_ok=True)
        whole, partial = self.own / NAME, self.own / f".{NAME}"
        with open(partial, "w", encoding="utf-8") as file:
            file.write(self.text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, whole)
        return self.own

    def others(self) -> Iterator[tuple[Path, str]]:
        """The orders beside this one of which blocks are filed: (folder, what of it is another)."""
        for folder in sorted(self.folder.iterdir()):
            if folder != self.own and folder.is_dir() and parts.there(folder):
                yield folder, self._unlike(folder)

    def _unlike(self, folder: Path) -> str:
        try:
            there = read(folder).texts
        except ArchiveError:
            return "document"
        essences = [provenance.essence(provenance.document(t)) for t in (there, self.texts)]
        if essences[0] != essences[1]:
            return "document"
        differing = (name for name in ALIKE if there[name] != self.texts[name])
        return next(differing, "device.memory")  # which changes blocks alone


def alike(wanted: Device) -> dict[str, str]:
    """What must be the same wherever blocks of one result are computed."""
    here = provenance.code(), provenance.packages(), device.kind(wanted), provenance.xla_flags()
    return dict(zip(ALIKE, here, strict=True))


def read(folder: Path) -> Order:
    """The order in a folder.

    Raises:
        ArchiveError: there is none.
    """
    try:
        found: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        reason = "the folder of the run must be one that all workers share"
        raise ArchiveError(f"{folder}: is not to be read here; {reason}.") from None
    sizes = tuple(found["grid"])
    known = []
    for size, places in zip(sizes, found["known"], strict=False):
        axis = np.zeros(size, bool)
        axis[places] = True
        known.append(axis)
    return Order(folder.parent, found, Wanted(sizes, tuple(known)))
