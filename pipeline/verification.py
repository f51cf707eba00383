"""Verification: an archive computed again from itself alone, and compared with what it holds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline import blocks, contents, dataset, device, job, provenance, restoration, sensitivity
from pipeline.contents import Contents
from pipeline.dataset import Entry, Template
from pipeline.device import Device
from pipeline.difference import changes
from pipeline.errors import DamageError, ForeignError
from pipeline.experiment import Experiment
from pipeline.function import Function
from pipeline.notation import printable
from pipeline.restoration import STEPS
from pipeline.verdict import Outcome, Row, Verdict

Watch = Callable[[Iterable[int], int], Iterable[int]]


def verify(
    path: str | Path,
    *,
    quick: bool = False,
    sample: float = 1.0,
    given: Function | None = None,
    begin: Callable[[Device], None] = lambda device: None,
    watch: Watch = lambda numbers, count: numbers,
) -> Verdict:
    """Compare an archive with its hashes, then with what its document gives here.

    Nothing that it names is imported, opened or run, and neither memory nor the size of a block
    follows from what it asks for.

    Args:
        quick: hashes alone; JAX is not needed.
        sample: the part of the blocks that are computed, at least one.
        given: the Python function that it was made with.
        begin: told of the document's device before JAX starts, by a process that is ours.
        watch: wraps the numbers of the blocks, to show progress.

    Raises:
        ForeignError: no archive, or one that this version cannot read.
        ConfigError: this machine cannot compute it.
    """
    path = Path(path)
    try:
        with contents.opened(path) as found:
            damaged = tuple(_damage(found))
            if damaged:
                return Verdict(path, "corrupt", damaged)
            if quick:
                return Verdict(path, "intact")
            if found.joined:
                reason = "it was joined from several archives, which are verified one by one"
                raise ForeignError(f"{path}: {reason}; verify --quick checks its hashes.")
            with _modest(path):
                whole = blocks.kept(found) if "pieces" in found.texts else found
                return _recompute(whole, sample, given, begin, watch)
    except DamageError as error:
        return Verdict(path, "corrupt", (str(error),))


def _damage(found: Contents) -> Iterator[str]:
    """What does not have its recorded hash."""
    hashes = found.hashes()
    if not hashes:
        raise ForeignError(f"{found.path}: no hashes are recorded, so nothing can be verified.")
    # The labels of an archive that was joined have none.
    for name in () if found.joined else found.names():
        if name not in hashes:
            yield f"{printable(name)}: no hash is recorded for it"
    for name, expected in hashes.items():
        try:
            digest = found.digest(name)
        except (IndexError, KeyError, AttributeError):
            yield f"{printable(name)}: a hash is recorded for it, and the file has no such variable"
            continue
        except DamageError as error:
            yield f"{printable(name)}: {error}"
            continue
        if digest != expected:
            yield f"{printable(name)}: its values do not have the hash that is recorded for them"
    if "pieces" in found.texts:
        yield from blocks.damaged(found)


@contextmanager
def _modest(path: Path) -> Iterator[None]:
    """What a document costs that asks for more than there is."""
    try:
        yield
    except MemoryError:
        reason = "what its document asks for does not fit into the memory of this machine"
        raise ForeignError(f"{path}: {reason}.") from None


def _recompute(
    found: Contents,
    sample: float,
    given: Function | None,
    begin: Callable[[Device], None],
    watch: Watch,
) -> Verdict:
    advice = "verify it from Python: pipeline.verify(path, {}=f)"
    recorded = restoration.function(found, given, advice)
    experiment = restoration.read(found, begin, given)
    layout = dataset.template(experiment)
    reasons = tuple(_unlike(found, layout))
    if reasons:
        return Verdict(found.path, "different", reasons)
    device.check(experiment.device)
    plan, notes = job.replay(experiment, layout.cell_bytes, found.table("plan"))
    notes = [*restoration.changed(recorded, experiment), *notes]
    call, _ = job.compiled(experiment, plan)
    rows = {entry.name: _row(found, entry) for entry in (*layout.coordinates, *layout.variables)}
    for entry in layout.coordinates:
        assert entry.values is not None
        _compare(rows[entry.name], entry, found.read(entry.name, ()), {entry.name: entry.values})
    chosen = _chosen(plan.blocks, sample)
    for number in watch(chosen, len(chosen)):
        first, last, computed = job.block(experiment, plan, call, number * plan.block)
        probes = _probes(experiment, plan, call, first)
        for entry in layout.early:
            stored = found.cells(entry.name, layout.grid, first, last)
            _compare(rows[entry.name], entry, stored, computed, probes)
    # A search follows from what the archive holds of the loop, which has been compared.
    searched = job.searched(experiment, found.index) if layout.late else {}
    for entry in layout.late:
        whole = {entry.name: np.atleast_1d(searched[entry.name])}
        stored = np.atleast_1d(found.read(entry.name, ()))
        _compare(rows[entry.name], entry, stored, whole)
    here = provenance.gather({}, [], plan.record, device.describe(experiment.device))
    environment = tuple(changes(provenance.environment(found.texts), provenance.environment(here)))
    blocks = len(chosen), plan.blocks
    return _judge(found.path, tuple(rows.values()), tuple(notes), environment, blocks)


def _probes(
    experiment: Experiment, plan: job.Plan, call: job.Call, first: int
) -> Callable[[], Sequence[Mapping[str, np.ndarray]]]:
    """What computes the probes of a block, once, if they are asked for."""
    others = (sensitivity.probe(experiment, seed) for seed in sensitivity.PROBES)
    return functools.cache(lambda: [job.block(other, plan, call, first)[2] for other in others])


def _unlike(found: Contents, layout: Template) -> Iterator[str]:
    """What the file declares otherwise than the document makes it."""
    expected = {entry.name: entry for entry in (*layout.coordinates, *layout.variables)}
    for name, entry in expected.items():
        if name not in found.variables:
            yield f"{name}: the document makes it, and the file has no such variable"
            continue
        there = found.variables[name]
        made = entry.dimensions, entry.shape, entry.dtype
        if (there.dimensions, there.shape, there.dtype.newbyteorder("=")) != made:
            held = _declared(there.dimensions, there.shape, there.dtype)
            yield f"{name}: the document makes it {_declared(*made)}, and the file has {held}"
    for name in found.variables.keys() - expected.keys():
        yield f"{printable(name)}: the file has it, and the document makes no such variable"


def _declared(dimensions: tuple[str, ...], shape: tuple[int, ...], kind: np.dtype) -> str:
    sides = ", ".join(f"{d} = {n:,}" for d, n in zip(dimensions, shape, strict=True))
    return printable(f"{kind.name} ({sides})")


def _row(found: Contents, entry: Entry) -> Row:
    steps = [name for name in entry.dimensions if name in STEPS]
    if not steps or entry.values is not None:
        return Row(entry.name)
    axis = found.read(steps[0], ()) if steps[0] in found.variables else None
    return Row(entry.name, axis=np.arange(0) if axis is None else axis)


def _chosen(count: int, sample: float) -> list[int]:
    """The numbers of the blocks to compute: always the same ones of an archive."""
    wanted = max(1, round(sample * count))
    if wanted >= count:
        return list(range(count))
    draws = np.random.default_rng(0).choice(count, wanted, replace=False)
    return sorted(draws.tolist())


def _compare(
    row: Row,
    entry: Entry,
    stored: np.ndarray,
    computed: Mapping[str, np.ndarray],
    probes: Callable[[], Sequence[Mapping[str, np.ndarray]]] = list,
) -> None:
    """Add one block, or a whole coordinate, to what is known of a variable."""
    here = np.asarray(computed[entry.name], entry.dtype)
    own = [name for name in entry.dimensions if name in STEPS] if entry.values is None else []
    behind = len(entry.dimensions) - here.ndim + 1
    axis = entry.dimensions.index(own[0]) - behind + 1 if own else None
    row.difference.add(stored, here, axis)
    row.cells += len(here) if here.ndim else 1
    if stored.tobytes() != here.tobytes():
        results = {**computed, entry.name: here}
        strange = sensitivity.strangers(entry, stored, results, probes, axis)
        row.strange += int(np.count_nonzero(strange))
        found = None if axis is None else sensitivity.parted(stored, here, axis)
        if found is not None:
            row.parted = found if row.parted is None else min(row.parted, found)


def _judge(
    path: Path,
    rows: tuple[Row, ...],
    notes: tuple[str, ...],
    environment: tuple[tuple[str, str, str], ...],
    blocks: tuple[int, int],
) -> Verdict:
    outcome: Outcome = "consistent"
    reasons: list[str] = []
    if not any(row.difference.bits for row in rows):
        outcome = "identical"
    else:
        beyond = [row for row in rows if row.strange > sensitivity.MISSED * row.cells]
        for row in beyond:
            reasons.append(
                f"{row.name}: {row.strange:,} of {row.cells:,} cells differ by more than the "
                "rounding of another machine explains"
            )
        if not notes and not environment:
            reasons.append("this is the machine and the version that made it: not a bit may differ")
        if reasons:
            outcome = "different"
    return Verdict(path, outcome, tuple(reasons), rows, notes, environment, blocks)
