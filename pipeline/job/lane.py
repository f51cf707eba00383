"""A lane: one cell on its way through the loop, and the four functions that move it along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import End, Fold, Phase, Seen
from pipeline.experiment import Experiment
from pipeline.maps import Map
from pipeline.state import State, flatten
from pipeline.status import Status


class Lane(NamedTuple):
    """The iteration's carry, the cell's status, what each fold keeps.

    A guarded lane has no status; an open lane of a map that goes on for ever has, in its place,
    whether it has been bounded so far.

    Attributes:
        onward: the carry that goes on where the cell has ended; empty where no fold follows it.
    """

    carry: Any
    status: Any
    kept: tuple[Any, ...]
    onward: Any = ()


class Cell(NamedTuple):
    """What tells one cell from the others.

    Attributes:
        place: [] in the block.
        swept: {quantity: []} what the axes make of them.
        state: where it starts if not at the document's initial state; NaN where it does. Empty
            where no axis is followed.
        keys: {name: [2]} of what its noise follows from; empty where there is none.
    """

    place: Any
    swept: dict[str, Any]
    state: Mapping[str, Any] = {}  # nothing is put into it
    keys: Mapping[str, Any] = {}


def take(cells: Cell, places: np.ndarray) -> Cell:
    """Some of the cells."""

    def some(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: v[places] for name, v in values.items()}

    place, swept, state, keys = cells
    return Cell(place[places], some(swept), some(state), some(keys))


class Moves(NamedTuple):
    """Functions of one cell; the numbers that all cells share come first.

    Attributes:
        begin: (numbers, cell) -> lane, before the first step.
        open: lane -> lane, before a few steps that are taken together. Here and below, only
            the folds that look at the phase take part.
        step: (numbers, cell, lane, n) -> lane, n steps having been done.
        settle: lane -> lane, every few steps.
        close: lane -> lane, after those steps.
        running: lane, not open -> whether it has not ended.
        record: (numbers, cell, lane, running, n) -> {variable: its value at this step}, where
            `running` says whether the lane had not ended before this step.
        part: lane, not open -> what each fold notes of it between two parts of the length.
        finish: (numbers, cell, lane, what the folds have noted) -> {variable: its value}, status
            among them.
    """

    begin: Callable[..., Lane]
    open: Callable[..., Lane]
    step: Callable[..., Lane]
    settle: Callable[..., Lane]
    close: Callable[..., Lane]
    running: Callable[[Lane], Any]
    record: Callable[..., dict[str, Any]]
    part: Callable[[Lane], tuple[Any, ...]]
    finish: Callable[..., dict[str, Any]]
    recorders: tuple[Fold, ...]


def followed(component: str) -> str:
    """The result that is the last state of a component, where an axis is followed: no variable."""
    return f"{component} (last)"


def moves(experiment: Experiment, *, guarded: bool = False) -> Moves:
    """The functions that a job's loops are made of.

    Args:
        guarded: a map's state is NaN from the step on that follows one outside the radius. That is
            all there is to tell of its status; the results of such a cell are not to be used.
    """
    import jax
    import jax.numpy as jnp

    folds, solver, iterate = experiment.folds(), experiment.solver, experiment.iterate
    problem = experiment.problem
    recorders = tuple(fold for fold in folds if fold.recorded)
    freezes = solver.freezes or iterate.stop == "converged"
    flagged = not freezes and not guarded
    onward = [freezes and fold.dynamics for fold in folds]

    def running(lane: Lane) -> Any:
        going = jnp.bool_(True)
        if freezes:
            going = lane.status == Status.bounded
        if _sated(folds):
            kept = zip(folds, lane.kept, strict=True)
            seen = [fold.done(k, lane.status) for fold, k in kept if fold.done]
            going &= ~jnp.all(jnp.stack(seen))
        return going

    def each(move: str) -> Callable[..., Lane]:
        def moved(lane: Lane, *, phase: Phase = "keeping") -> Lane:
            kept = tuple(
                getattr(fold, move)(k) if fold.looks(phase) else k
                for fold, k in zip(folds, lane.kept, strict=True)
            )
            return lane._replace(kept=kept)

        return moved

    def opened(lane: Lane, *, phase: Phase = "keeping") -> Lane:
        lane = each("open")(lane, phase=phase)
        return lane._replace(status=lane.status == Status.bounded) if flagged else lane

    def closed(lane: Lane, *, phase: Phase = "keeping") -> Lane:
        lane = each("close")(lane, phase=phase)
        status = jnp.where(lane.status, Status.bounded, Status.escaped) if flagged else lane.status
        return lane._replace(status=status.astype(jnp.int8) if flagged else status)

    def begin(numbers: Any, cell: Cell) -> Lane:
        iteration = experiment.iteration(numbers, cell.swept, cell.keys)
        x0 = experiment.start(numbers, cell.swept)
        if cell.state:
            # Whoever escaped at the value before starts anew.
            known = ~jnp.any(jnp.isnan(flatten(dict(cell.state))))
            x0 = jax.tree.map(lambda new, own: jnp.where(known, new, own), dict(cell.state), x0)
        carry = iteration.init(x0)
        state, probe = iteration.state(carry), iteration.probe(carry)
        seen = Seen(
            0, state, probe, jnp.bool_(True), point=iteration.point(carry), iteration=iteration
        )
        status = () if guarded else iteration.terminate(carry)
        kept = tuple(f.init(seen) for f in folds)
        return Lane(carry, status, kept, carry if any(onward) else ())

    def step(numbers: Any, cell: Cell, lane: Lane, n: Any, *, phase: Phase = "keeping") -> Lane:
        iteration = experiment.iteration(numbers, cell.swept, cell.keys)
        looking = [fold.looks(phase) for fold in folds]
        going, push = running(lane) if freezes else jnp.bool_(True), None
        old = lane.onward if any(onward) else lane.carry
        if freezes and not any(onward):
            old = jax.tree.map(lambda a, b: jnp.where(going, a, b), old, iteration.idle(old))

        def stepped(point: State) -> tuple[State, Any]:
            carry = iteration.step(iteration.put(old, point), n)
            return iteration.point(carry), carry

        def held(new: Any, old: Any) -> Any:
            """What a cell that has ended keeps."""
            return jax.tree.map(lambda a, b: jnp.where(going, a, b), new, old) if freezes else new

        if any(fold.tangent and looks for fold, looks in zip(folds, looking, strict=True)):
            _, push, carry = jax.linearize(stepped, iteration.point(old), has_aux=True)
        else:
            carry = iteration.step(old, n)
        status: Any = ()
        if guarded:
            inside = iteration.terminate(lane.carry) == Status.bounded
            carry = jax.tree.map(lambda value: jnp.where(inside, value, jnp.nan), carry)
        elif flagged:
            status = lane.status & (iteration.terminate(carry) == Status.bounded)
        else:
            status = iteration.terminate(carry)
            if isinstance(problem, Map) and iterate.stop == "converged":
                moved = flatten(problem.change(iteration.state(carry), iteration.state(lane.carry)))
                still = jnp.sqrt(jnp.sum(moved**2)) <= iterate.tolerance
                status = jnp.where(still & (status == Status.bounded), Status.converged, status)
            bounded = lane.status == Status.bounded
            status = jnp.where(bounded, status, lane.status).astype(jnp.int8)
        seen = Seen(
            n + 1,
            iteration.state(carry),
            iteration.probe(carry),
            going,
            push,
            phase != "keeping",
            experiment.parameters(numbers, cell.swept),
            iteration.state(old),
            iteration.point(carry),
            iteration,
        )
        kept = []
        for fold, k, looks, goes_on in zip(folds, lane.kept, looking, onward, strict=True):
            new = fold.update(k, seen) if looks else k
            kept.append(new if goes_on else held(new, k))
        ahead = carry if any(onward) else ()
        return Lane(held(carry, lane.carry), held(status, lane.status), tuple(kept), ahead)

    def record(numbers: Any, cell: Cell, lane: Lane, running: Any, n: Any) -> dict[str, Any]:
        iteration = experiment.iteration(numbers, cell.swept, cell.keys)
        seen = Seen(n, iteration.state(lane.carry), iteration.probe(lane.carry), running)
        return {k: v for fold in recorders for k, v in fold.record(seen).items()}

    def part(lane: Lane) -> tuple[Any, ...]:
        return tuple(fold.part(k) for fold, k in zip(folds, lane.kept, strict=True))

    def finish(
        numbers: Any, cell: Cell, lane: Lane, parts: Any = None, *, span: int = 0
    ) -> dict[str, Any]:
        iteration = experiment.iteration(numbers, cell.swept, cell.keys)
        status = iteration.terminate(lane.carry) if guarded else lane.status
        if solver.freezes:
            status = jnp.where(status == Status.bounded, Status.iteration_limit, status)
        status = status.astype(jnp.int8)
        result = {"status": status}
        noted = parts or [None] * len(folds)
        for fold, kept, own, goes_on in zip(folds, lane.kept, noted, onward, strict=True):
            carry = lane.onward if goes_on else lane.carry
            seen = Seen(iterate.steps, iteration.state(carry), iteration.probe(carry), False)
            result |= fold.finish(kept, End(seen, status, iteration, carry, own, span))
        if iterate.follow:
            state = iteration.state(lane.carry)
            result |= {followed(name): value for name, value in state.items()}
        return result

    return Moves(
        begin, opened, step, each("settle"), closed, running, record, part, finish, recorders
    )


def leaves(experiment: Experiment) -> bool:
    """Whether a cell may be over before its last step.

    A solver ends where it has converged, unless an analysis goes on with it. A map's orbit goes on
    for ever, unless the document stops it where it has converged, or every analysis has seen
    enough.
    """
    folds = experiment.folds()
    stops = experiment.solver.freezes or experiment.iterate.stop == "converged"
    return (stops and not any(fold.dynamics for fold in folds)) or _sated(folds)


def _sated(folds: tuple[Fold, ...]) -> bool:
    # Beside searches alone there are none, and the status is that of the whole length.
    return bool(folds) and all(fold.done is not None for fold in folds)
