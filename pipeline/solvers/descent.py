"""The part that all solvers but the direct one share: steps, their end and their history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.arrays import Variable
from pipeline.solvers.iteration import Iteration
from pipeline.solvers.target import Target
from pipeline.state import State, flatten, unflatten
from pipeline.status import Status

# An objective this far on the wanted side is unbounded there (as Ipopt's and NLopt's limits).
UNBOUNDED = 1e20
# A step below this many units in the last place of the state is no step.
STANDSTILL = 2
# What the last step is called beside the components: no component can have this name.
LAST_STEP = "last step"


class Progress(NamedTuple):
    """A solver's own state.

    Attributes:
        u: [d] where it stands.
        residual: [d] there.
        value: [] the objective there; NaN for a map.
        step_norm: [] of the last step.
        evaluations: [] that the last step took, or the start, int32.
        tolerance: [] of the residual's norm.
        status: [] a code of `Status`.
        tells: what the solver records besides.
        memory: what it keeps of the steps before.
    """

    u: Any
    residual: Any
    value: Any
    step_norm: Any
    evaluations: Any
    tolerance: Any
    status: Any
    tells: dict[str, Any]
    memory: Any


class Move(NamedTuple):
    """One step of a solver.

    Attributes:
        change: [d] of u.
        tells: what there is to record of it; nothing is put into it.
        memory: for the next step.
        failed: [] whether a line search found no length; `change` is 0 then.
        held: [] whether it stays to try something else from there: then it has not stalled.
        evaluations: [] that it takes: of the residual, 1 at its end and 1 for each trial; 1 for
            each product with a Jacobian, a transposed one or a Hessian, so d for a matrix.
    """

    change: Any
    tells: Mapping[str, Any] = {}
    memory: Any = ()
    failed: Any = False
    held: Any = False
    evaluations: Any = 1


Advance = Callable[[Any, Any, Any], Move]


def iterate(
    target: Target,
    advance: Advance,
    settings: Mapping[str, Any],
    *,
    tells: tuple[Variable, ...] = (),
    remember: Callable[[Any, Any], Any] = lambda u, residual: (),
    prepared: int = 0,
    confirm: Callable[[Any, Any], Any] | None = None,
    confirmed: int = 0,
    inertia: bool = False,
) -> Iteration:
    """The iteration u -> u + step.

    Args:
        advance: (u, residual, memory) -> the step.
        settings: absolute_tolerance and relative_tolerance.
        tells: what each step tells besides.
        remember: (u, residual) -> the memory before the first step.
        prepared: evaluations that `remember` takes, counted as those of a step.
        confirm: (u, whether its residual is small) -> whether what is found there is sought.
        confirmed: evaluations that it takes where the residual is small.
        inertia: whether the memory is the last step.
    """
    import jax
    import jax.numpy as jnp

    def look(u: Any) -> tuple[Any, Any]:
        if target.value is None:
            return jnp.full((), jnp.nan, u.dtype), target.residual(u)
        return jax.value_and_grad(target.value)(u)

    def judge(u: Any, value: Any, residual: Any, step_norm: Any, tolerance: Any) -> Any:
        size = norm(residual)
        status = jnp.asarray(Status.bounded, jnp.int8)
        status = jnp.where(no_step(step_norm, u), Status.stalled, status)
        near = size <= tolerance
        if confirm is not None:
            near = near & confirm(u, near)
        status = jnp.where(near, Status.converged, status)
        status = jnp.where(target.sense * value < -UNBOUNDED, Status.unbounded_objective, status)
        broken = target.beyond(u) | ~jnp.isfinite(size) | ~jnp.all(jnp.isfinite(u))
        if target.value is not None:
            # An objective may overflow on its way to an unbounded value: that is told apart above.
            broken = (broken | jnp.isnan(value)) & (status != Status.unbounded_objective)
        return jnp.where(broken, Status.escaped, status).astype(jnp.int8)

    def counted(own: Any, residual: Any, tolerance: Any) -> Any:
        if confirmed:
            own = own + confirmed * (norm(residual) <= tolerance)
        return jnp.asarray(own).astype(jnp.int32)

    def init(x: State) -> Progress:
        u = flatten(x)
        value, residual = look(u)
        tolerance = tolerated(settings, residual)
        status = judge(u, value, residual, jnp.full((), jnp.inf, u.dtype), tolerance)
        unmoved = jnp.full((), jnp.nan, u.dtype)
        memory = remember(u, residual)
        cost = counted(1 + prepared, residual, tolerance)
        untold = _untold(tells)
        return Progress(u, residual, value, unmoved, cost, tolerance, status, untold, memory)

    def step(carry: Progress, n: Any) -> Progress:
        move = advance(carry.u, carry.residual, carry.memory)
        u = carry.u + move.change
        value, residual = look(u)
        moved = norm(u - carry.u)
        status = judge(u, value, residual, moved, carry.tolerance)
        if move.failed is not False:
            lost = move.failed & (status == Status.stalled)
            status = jnp.where(lost, Status.line_search_failed, status).astype(jnp.int8)
        if move.held is not False:
            held = move.held & (status == Status.stalled)
            status = jnp.where(held, Status.bounded, status).astype(jnp.int8)
        told, cost = dict(move.tells), counted(move.evaluations, residual, carry.tolerance)
        return Progress(u, residual, value, moved, cost, carry.tolerance, status, told, move.memory)

    def probe(carry: Progress) -> dict[str, Any]:
        seen = {"residual_norm": norm(carry.residual), "step_norm": carry.step_norm, **carry.tells}
        seen["step_evaluations"] = carry.evaluations
        return seen if target.value is None else {"objective_value": carry.value, **seen}

    def point(carry: Progress) -> State:
        state = unflatten(carry.u, target.components)
        return {**state, LAST_STEP: carry.memory} if inertia else state

    def put(carry: Progress, point: State) -> Progress:
        u = flatten({name: point[name] for name in target.components})
        value, residual = look(u)
        memory = point[LAST_STEP] if inertia else carry.memory
        return carry._replace(u=u, value=value, residual=residual, memory=memory)

    def idle(carry: Progress) -> Progress:
        # Whatever is solved or searched for is found at once where the residual is 0, and nothing
        # is near a tolerance that is no number.
        nothing = jnp.full_like(carry.tolerance, jnp.nan)
        memory = jax.tree.map(_unknown, carry.memory)
        return carry._replace(
            residual=jnp.zeros_like(carry.residual), tolerance=nothing, memory=memory
        )

    return Iteration(
        init=init,
        step=step,
        terminate=lambda carry: carry.status,
        probe=probe,
        state=lambda carry: unflatten(carry.u, target.components),
        classify=lambda carry: target.classify(carry.u),
        point=point,
        put=put,
        idle=idle,
    )


def _unknown(value: Any) -> Any:
    """NaN in the place of a real number."""
    import jax.numpy as jnp

    return jnp.full_like(value, jnp.nan) if jnp.issubdtype(value.dtype, jnp.inexact) else value


def tolerated(settings: Mapping[str, Any], residual: Any) -> Any:
    """[] The norm of the residual at which a cell has converged, of the first residual."""
    import jax.numpy as jnp

    tolerance = settings["absolute_tolerance"] + settings["relative_tolerance"] * norm(residual)
    return jnp.asarray(tolerance).astype(residual.dtype)


def no_step(length: Any, u: Any) -> Any:
    """[] Whether a step of that length from u, or to u, cannot be told from none."""
    import jax.numpy as jnp

    return length <= STANDSTILL * jnp.finfo(u.dtype).eps * norm(u)


def norm(v: Any) -> Any:
    """[] Euclidean; the largest entry is divided out, so that no square overflows."""
    import jax.numpy as jnp

    largest = jnp.max(jnp.abs(v))
    scale = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1.0)
    return scale * jnp.sqrt(jnp.sum((v / scale) ** 2))


def _untold(variables: tuple[Variable, ...]) -> dict[str, Any]:
    """What a solver tells before its first step: no float, and counts of 0."""
    import jax.numpy as jnp

    nothing = {"float": jnp.full((), jnp.nan), "int32": jnp.int32(0)}
    return {variable.name: nothing[variable.dtype] for variable in variables}
