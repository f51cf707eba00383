"""A lane: one cell on its way through the loop, and the four functions that move it along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import End, Fold, Seen
from pipeline.experiment import Experiment
from pipeline.maps import Map
from pipeline.state import flatten
from pipeline.status import Status


class Lane(NamedTuple):
    """The iteration's carry, the cell's status, what each fold keeps, whether it is still moved."""

    carry: Any
    status: Any
    kept: tuple[Any, ...]
    running: Any


class Cell(NamedTuple):
    """What tells one cell from the others: its place in the block and what the axes sweep, []."""

    place: Any
    swept: dict[str, Any]


def take(cells: Cell, places: np.ndarray) -> Cell:
    """Some of the cells."""
    return Cell(cells.place[places], {name: v[places] for name, v in cells.swept.items()})


class Moves(NamedTuple):
    """Functions of one cell; the numbers that all cells share come first.

    Attributes:
        begin: (numbers, cell) -> lane, before the first step.
        step: (numbers, cell, lane, n) -> lane, n steps having been done; with `transient` only the
            folds that look at the transient see it.
        settle: lane -> lane, every few steps.
        record: (numbers, cell, lane, running, n) -> {variable: its value at this step}, where
            `running` says whether the lane was moved by this step.
        finish: (numbers, cell, lane) -> {variable: its value}, status among them.
        leaves: whether a lane may end before the last step, and then stays as it is.
    """

    begin: Callable[..., Lane]
    step: Callable[..., Lane]
    settle: Callable[[Lane], Lane]
    record: Callable[..., dict[str, Any]]
    finish: Callable[..., dict[str, Any]]
    leaves: bool
    recorders: tuple[Fold, ...]


def moves(experiment: Experiment) -> Moves:
    """The functions that a job's loops are made of."""
    import jax
    import jax.numpy as jnp

    folds, solver, iterate = experiment.folds(), experiment.solver, experiment.iterate
    problem = experiment.problem
    recorders = tuple(fold for fold in folds if fold.recorded)
    sated = _sated(folds)
    may_leave = leaves(experiment)

    def goes_on(kept: tuple[Any, ...], status: Any) -> Any:
        running = jnp.bool_(True)
        if solver.freezes or iterate.stop == "converged":
            running = status == Status.bounded
        if sated:
            done = [fold.done(k, status) for fold, k in zip(folds, kept, strict=True) if fold.done]
            running &= ~jnp.all(jnp.stack(done))
        return running

    def begin(numbers: Any, cell: Cell) -> Lane:
        iteration = experiment.iteration(numbers, cell.swept)
        carry = iteration.init(experiment.start(numbers, cell.swept))
        seen = Seen(0, iteration.state(carry), iteration.probe(carry), jnp.bool_(True))
        status, kept = iteration.terminate(carry), tuple(f.init(seen) for f in folds)
        return Lane(carry, status, kept, goes_on(kept, status))

    def step(numbers: Any, cell: Cell, lane: Lane, n: Any, *, transient: bool = False) -> Lane:
        iteration = experiment.iteration(numbers, cell.swept)
        looking = [fold.transient or not transient for fold in folds]
        push = None
        if any(fold.tangent and looks for fold, looks in zip(folds, looking, strict=True)):
            carry, push = jax.linearize(lambda c: iteration.step(c, n), lane.carry)
        else:
            carry = iteration.step(lane.carry, n)
        bounded = lane.status == Status.bounded
        status = iteration.terminate(carry)
        if isinstance(problem, Map) and iterate.stop == "converged":
            moved = flatten(problem.change(iteration.state(carry), iteration.state(lane.carry)))
            still = jnp.sqrt(jnp.sum(moved**2)) <= iterate.tolerance
            status = jnp.where(still & (status == Status.bounded), Status.converged, status)
        status = jnp.where(bounded, status, lane.status).astype(jnp.int8)
        seen = Seen(n + 1, iteration.state(carry), iteration.probe(carry), lane.running, push)
        kept = tuple(
            fold.update(k, seen) if looks else k
            for fold, k, looks in zip(folds, lane.kept, looking, strict=True)
        )
        if not may_leave:
            return Lane(carry, status, kept, lane.running)
        new = Lane(carry, status, kept, goes_on(kept, status))
        return jax.tree.map(lambda a, b: jnp.where(lane.running, a, b), new, lane)

    def settle(lane: Lane) -> Lane:
        kept = tuple(fold.settle(k) for fold, k in zip(folds, lane.kept, strict=True))
        return lane._replace(kept=kept)

    def record(numbers: Any, cell: Cell, lane: Lane, running: Any, n: Any) -> dict[str, Any]:
        iteration = experiment.iteration(numbers, cell.swept)
        seen = Seen(n, iteration.state(lane.carry), iteration.probe(lane.carry), running)
        return {k: v for fold in recorders for k, v in fold.record(seen).items()}

    def finish(numbers: Any, cell: Cell, lane: Lane) -> dict[str, Any]:
        iteration = experiment.iteration(numbers, cell.swept)
        carry, status = lane.carry, lane.status
        if solver.freezes:
            status = jnp.where(status == Status.bounded, Status.iteration_limit, status)
        status = status.astype(jnp.int8)
        seen = Seen(iterate.steps, iteration.state(carry), iteration.probe(carry), False)
        end = End(seen, status, iteration, carry)
        result = {"status": status}
        for fold, kept in zip(folds, lane.kept, strict=True):
            result |= fold.finish(kept, end)
        return result

    return Moves(begin, step, settle, record, finish, may_leave, recorders)


def leaves(experiment: Experiment) -> bool:
    """Whether a cell may be over before its last step.

    A solver ends where it has converged. A map's orbit goes on for ever, unless the document stops
    it where it has converged, or every analysis has seen enough.
    """
    stops = experiment.solver.freezes or experiment.iterate.stop == "converged"
    return stops or _sated(experiment.folds())


def _sated(folds: tuple[Fold, ...]) -> bool:
    return all(fold.done is not None for fold in folds)
