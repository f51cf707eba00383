"""Verification: an archive computed again from itself alone, and compared with what it holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline import api, archive, config, contents, dataset, device, job, provenance, sensitivity
from pipeline.contents import Contents
from pipeline.dataset import Entry, Template
from pipeline.device import Device
from pipeline.difference import Difference, changes
from pipeline.errors import ArchiveError, ConfigError, CobwebError, DamageError, ForeignError
from pipeline.experiment import Experiment
from pipeline.notation import printable

Outcome = Literal["identical", "intact", "consistent", "different", "corrupt"]
# Exit statuses; 2 is for mistakes, as everywhere.
STATUS: dict[Outcome, int] = {
    "identical": 0,
    "intact": 0,
    "different": 1,
    "consistent": 3,
    "corrupt": 4,
}
# The part of the free memory that the blocks compared at once may take: the archive's, ours, and
# those of the probes.
SHARE = 0.8 / (3 + len(sensitivity.PROBES))
# Characters of all formulas of a document: the whole collection of ours has fewer.
FORMULAS = 100_000
# Axes of an archive: arrays have no more dimensions.
AXES = 60
STEPS = ("iteration", "step_number")


@dataclass
class Row:
    """One variable, compared.

    Attributes:
        cells: how many were compared.
        strange: how many of them differ by more than rounding explains.
        parted: the first index along the iterations at which any differs by more than rounding.
        axis: the values of the dimension of the iterations, empty where there is none.
    """

    name: str
    difference: Difference = field(default_factory=Difference)
    cells: int = 0
    strange: int = 0
    parted: int | None = None
    axis: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def iteration(self, index: int | None) -> int | None:
        """The iteration at an index along them."""
        return None if index is None or not self.axis.size else int(self.axis[index])


@dataclass(frozen=True)
class Verdict:
    """What verifying an archive found.

    Attributes:
        reasons: sentences: what is damaged, missing, or not as the document says.
        notes: what of the recorded loop could not be repeated.
        environment: (what, as recorded, as it is here).
        blocks: (computed, all there are).
    """

    path: Path
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    environment: tuple[tuple[str, str, str], ...] = ()
    blocks: tuple[int, int] = (0, 0)

    @property
    def status(self) -> int:
        """The exit status of the command."""
        return STATUS[self.outcome]


Watch = Callable[[Iterable[int], int], Iterable[int]]


def verify(
    path: str | Path,
    *,
    quick: bool = False,
    sample: float = 1.0,
    begin: Callable[[Device], None] = lambda device: None,
    watch: Watch = lambda numbers, count: numbers,
) -> Verdict:
    """Compare an archive with its hashes, then with what its document gives here.

    Nothing that it names is imported, opened or run, and neither memory nor the size of a block
    follows from what it asks for.

    Args:
        quick: hashes alone; JAX is not needed.
        sample: the part of the blocks that are computed, at least one.
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
                return _recompute(found, sample, begin, watch)
    except DamageError as error:
        return Verdict(path, "corrupt", (str(error),))


def _damage(found: Contents) -> Iterator[str]:
    """What does not have its recorded hash."""
    hashes = found.hashes()
    if not hashes:
        raise ForeignError(f"{found.path}: no hashes are recorded, so nothing can be verified.")
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
    for name in found.names():
        if name in hashes:
            continue
        yield f"{printable(name)}: no hash is recorded for it"


@contextmanager
def _modest(path: Path) -> Iterator[None]:
    """What a document costs that asks for more than there is."""
    try:
        yield
    except MemoryError:
        reason = "what its document asks for does not fit into the memory of this machine"
        raise ForeignError(f"{path}: {reason}.") from None


def _recompute(
    found: Contents, sample: float, begin: Callable[[Device], None], watch: Watch
) -> Verdict:
    experiment = read(found, begin)
    layout = dataset.template(experiment)
    reasons = tuple(_unlike(found, layout))
    if reasons:
        return Verdict(found.path, "different", reasons)
    device.check(experiment.device)
    plan, notes = job.replay(experiment, layout.cell_bytes, found.table("plan"))
    call, _ = job.compiled(experiment, plan)
    rows = {entry.name: _row(found, entry) for entry in (*layout.coordinates, *layout.variables)}
    for entry in layout.coordinates:
        assert entry.values is not None
        _compare(rows[entry.name], entry, found.read(entry.name, ()), {entry.name: entry.values})
    chosen = _chosen(plan.blocks, sample)
    for number in watch(chosen, len(chosen)):
        first, last, computed = job.block(experiment, plan, call, number * plan.block)
        moved: list[Mapping[str, np.ndarray]] = []

        def probes(first: int = first, moved: list[Any] = moved) -> list[Any]:
            if not moved:
                for seed in sensitivity.PROBES:
                    other = sensitivity.probe(experiment, seed)
                    moved.append(job.block(other, plan, call, first)[2])
            return moved

        for entry in layout.variables:
            stored = found.cells(entry.name, layout.grid, first, last)
            _compare(rows[entry.name], entry, stored, computed, probes)
    here = provenance.gather({}, [], plan.record, device.describe(experiment.device))
    environment = tuple(
        changes(provenance.environment(found.texts), provenance.environment(here))
    )
    blocks = len(chosen), plan.blocks
    return _judge(found.path, tuple(rows.values()), tuple(notes), environment, blocks)


def read(found: Contents, begin: Callable[[Device], None]) -> Experiment:
    """The experiment of an archive's document, with the devices and the memory of this machine.

    Raises:
        ForeignError: it asks for what the file does not hold, or this version cannot read it.
    """
    document = found.document()
    _plausible(found, document)
    wanted = config.device_of(document)
    if wanted is not None:
        if wanted.platform not in ("auto", *device.known()):
            document["device"] = {**document["device"], "platform": "auto"}
        begin(wanted)
    try:
        experiment = config.read(document)
    except ConfigError as error:
        reason = "this version cannot read its document"
        told = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise ForeignError(f"{found.path}: {reason}:\n{told}") from None
    free = api.free_memory()
    memory = experiment.device.memory
    if free is not None:
        memory = min(memory, max(1, int(SHARE * free)))
    return dataclasses.replace(
        experiment, device=dataclasses.replace(experiment.device, memory=memory)
    )


def _plausible(found: Contents, document: Mapping[str, Any]) -> None:
    """Refuse a document that costs more to read than the file holds, or that names a file."""

    def refuse(where: str, reason: str) -> None:
        raise ForeignError(f"{found.path}: its document, {printable(where)[:60]}: {reason}.")

    sizes = {name: dimension.size for name, dimension in found.file.dimensions.items()}
    grid = document.get("grid")
    axes = grid.items() if isinstance(grid, dict) else ()
    if len(axes) > AXES:
        refuse("grid", f"more than {AXES} axes")
    for name, node in axes:
        if not isinstance(node, dict):
            continue
        if "file" in node and "values" not in node:
            refuse(f"grid.{name}", "it names a file, whose values an archive has to bring along")
        wanted = _count(node)
        if wanted is not None and abs(wanted - sizes.get(name, 0)) > 1:
            refuse(f"grid.{name}", f"{wanted:.12g} values, and the file has {sizes.get(name, 0):,}")
    iterate, chosen = document.get("iterate"), document.get("analysis")
    length = iterate.get("length", 0) if isinstance(iterate, dict) else 0
    orbit = chosen.get("orbit") if isinstance(chosen, dict) else None
    every = orbit.get("every", 1) if isinstance(orbit, dict) else 1
    for name, recorded, stride in (("orbit", STEPS[0], every), ("history", STEPS[1], 1)):
        if not isinstance(chosen, dict) or name not in chosen:
            continue
        if not (isinstance(length, int) and isinstance(stride, int) and stride > 0):
            continue
        if length // stride > sizes.get(recorded, 0):
            kept = sizes.get(recorded, 0)
            refuse("iterate.length", f"{length // stride:,} rows, and the file has {kept:,}")
    if _letters(document.get("map")) + _letters(document.get("objective")) > FORMULAS:
        refuse("map, objective", f"more than {FORMULAS:,} characters of formulas")


def _count(node: Mapping[str, Any]) -> float | None:
    """The values of an axis that are written as numbers; None where they are not."""
    if "num" in node:
        return node["num"] if isinstance(node["num"], int) else None
    ends = [node.get(key) for key in ("start", "stop", "step")]
    if all(isinstance(end, int | float) for end in ends) and ends[2]:
        start, stop, step = (float(end) for end in ends)  # type: ignore[arg-type]  # checked above
        return float(np.ceil((stop - start) / step - 1e-9))
    return None


def _letters(node: Any) -> int:
    """Characters of all texts."""
    if isinstance(node, dict):
        return sum(map(_letters, node.values()))
    if isinstance(node, list):
        return sum(map(_letters, node))
    return len(node) if isinstance(node, str) else 0


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
    probes: Callable[[], list[Mapping[str, np.ndarray]]] = lambda: [],
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


def report(verdict: Verdict) -> str:
    """A verdict in words, for the terminal."""
    lines = [f"{verdict.path}: {_summary(verdict)}"]
    lines += [f"  {reason}" for reason in verdict.reasons]
    differing = [row for row in verdict.rows if row.difference.bits]
    if differing:
        lines += ["", *_table(differing)]
        lines += list(_orbits(differing))
        if verdict.notes or verdict.environment:
            lines += ["", "What could explain it:"]
            lines += [f"  {note}" for note in verdict.notes]
            lines += list(told(verdict.environment))
    return "\n".join(lines)


def _orbits(rows: Iterable[Row]) -> Iterator[str]:
    """Up to where the orbits agree."""
    for row in rows:
        first, parted = row.iteration(row.difference.first), row.iteration(row.parted)
        if first is not None:
            same = f"{row.name}: the same bits before iteration {first:,}"
            yield f"  {same}, to rounding " + (
                "throughout" if parted is None else f"before iteration {parted:,}"
            )


def told(environment: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Lines of what differs between two environments."""
    rows = [(key, _short(old), _short(new)) for key, old, new in environment]
    width = max((len(key) for key, _, _ in rows), default=0)
    for key, old, new in rows:
        yield f"  {printable(key):<{width}}  {old} -> {new}"


def _short(text: str) -> str:
    if "\n" in text.strip():
        return f"({len(text.splitlines()):,} lines)"
    text = printable(text.strip())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _summary(verdict: Verdict) -> str:
    computed, count = verdict.blocks
    values = sum(row.difference.values for row in verdict.rows)
    some = "" if computed == count else f" in the {computed:,} of {count:,} blocks computed again"
    return {
        "identical": f"identical: {values:,} values of {len(verdict.rows)} variables{some}, "
        "computed again, have the same bits",
        "intact": "intact: every variable has its recorded hash; nothing was computed again",
        "consistent": f"consistent: the same result{some}, rounded otherwise",
        "different": "different: not what its document gives",
        "corrupt": "corrupt: its content is not what was written",
    }[verdict.outcome]


def _table(rows: Iterable[Row]) -> Iterator[str]:
    heads = ("variable", "values", "differing", "ULPs", "distance", "unexplained")
    cells = [heads]
    for row in rows:
        d = row.difference
        ulps = f"{d.ulps:,}" if d.ulps < 1e6 else f"{d.ulps:.1e}"
        figures = (f"{d.values:,}", f"{d.differing:,}", ulps, f"{d.absolute:.3g}")
        cells.append((row.name, *figures, f"{row.strange:,}"))
    widths = [max(len(line[k]) for line in cells) for k in range(len(heads))]
    for line in cells:
        rest = (f"{text:>{width}}" for text, width in zip(line[1:], widths[1:], strict=True))
        yield f"  {line[0]:<{widths[0]}}  {'  '.join(rest)}"
