"""Archives for the tests: filed without Hydra, and changed as time and strangers change them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pipeline import archive, dataset, device, execution, filing, job, preparation, provenance
from pipeline.experiment import Experiment
from tests.runs import experiment

ELSEWHERE = {"device": "cpu: 1 x another machine's"}


def filed(
    path: Path,
    *,
    computed: Experiment | None = None,
    plan: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    change: Callable[[dict[str, np.ndarray]], None] | None = None,
    **parts: Any,
) -> Path:
    """An archive of a document.

    Args:
        computed: another experiment, whose results are filed as this one's.
        plan: what of the plan is another one; `kernel` as a table.
        texts: of /provenance, in the place of what would be there.
        change: alters the results, {variable: [cells, ...]}.
    """
    found = experiment(**parts)
    layout, own = preparation.prepare(found)
    changed = dict(plan or {})
    if "kernel" in changed:
        changed["kernel"] = dataclasses.replace(own.kernel, **changed["kernel"])
    used = dataclasses.replace(own, **changed)
    call, _ = job.compiled(found, used)
    results = dataset.fill(layout, job.blocks(computed or found, used, call))
    cells = {
        name: values.reshape(used.cells, *values.shape[len(layout.grid) :])
        for name, values in results.items()
    }
    if change is not None:
        change(cells)
    told = provenance.gather(found.document, [], used.record, device.describe(found.device))
    blocks = [(0, used.cells, cells)]
    filing.write(execution._signed(layout), blocks, path, {**told, **(texts or {})})
    return path


@contextlib.contextmanager
def edited(path: Path, target: Path) -> Iterator[Any]:
    """A copy of a file, open to be changed."""
    shutil.copy(path, target)
    with netCDF4.Dataset(target, "r+") as file:
        file.set_auto_maskandscale(False)
        file.set_auto_chartostring(False)
        yield file


def rewritten(path: Path, target: Path, **texts: str) -> Path:
    """A copy with other texts in /provenance, every variable as it was."""
    told = {**archive.provenance(path), **texts}
    with netCDF4.Dataset(path) as old, netCDF4.Dataset(target, "w") as new:
        old.set_auto_maskandscale(False)
        new.setncatts({name: old.getncattr(name) for name in old.ncattrs()})
        for name, dimension in old.dimensions.items():
            new.createDimension(name, dimension.size)
        for name, variable in old.variables.items():
            copy = new.createVariable(
                name, variable.dtype, variable.dimensions, fill_value=False, contiguous=True
            )
            copy.setncatts({key: variable.getncattr(key) for key in variable.ncattrs()})
            copy[...] = variable[...]
        archive.describe(new, told)
    return target


def resealed(path: Path) -> None:
    """Give every variable of a file the hash of what it holds now, as a forger would."""
    hashes = json.loads(archive.provenance(path)["sha256"])
    from pipeline import contents

    with contents.opened(path) as found:
        digests = {name: found.digest(name) for name in hashes}
    with netCDF4.Dataset(path, "r+") as file:
        file.set_auto_chartostring(False)
        letters = archive.letters(json.dumps(digests, indent=1))
        file["provenance/sha256"][...] = letters
