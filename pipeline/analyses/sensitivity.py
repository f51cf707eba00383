"""Sensitivity: derivatives of results with respect to parameters, starts and settings.

Of a map's last state the derivative dx/dq is carried along: dx' = J dx + dg/dq. So is that of the
unit tangent vector v whose logarithms of growth make the leading exponent over the length: that
takes second derivatives of g, which are products, not matrices. (The tangent linear model; of
exponents, the derivative of each finite-time exponent, not of its limit, which need not have one.)

What a solver converged to is a zero of its residual r(u, q), so that du/dq = -(dr/du)^-1 dr/dq (the
implicit function theorem), whatever the way there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from pipeline.analyses import components, derivative
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.fold import End, Fold, Seen
from pipeline.arrays import Variable, flags
from pipeline.grid import Quantity
from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.settings import Setting
from pipeline.solvers.target import CLASSIFIED, NEGLIGIBLE
from pipeline.state import State, flatten, unflatten
from pipeline.status import Status

EXPONENT = Variable("lyapunov", (), "float", "leading Lyapunov exponent over the length")
OBJECTIVE = Variable("objective_final", (), "float", "value of the objective at the end")


class Sensitive(IntEnum):
    """How far the derivatives of a cell can be trusted.

    known: they tell what a small change does. grown: they are right, but larger than the inverse
    root of the precision, as chaos makes them: no change that is not lost in rounding is small
    enough. singular: there are none, at a solution that is about to vanish, or of the exponent of
    an orbit that meets a critical point. ended: the cell has escaped, or its solver has not
    converged.
    """

    known = 0
    grown = 1
    singular = 2
    ended = 3


class Kept(NamedTuple):
    """What is carried along.

    Attributes:
        changes: (dx/dq for each q), states.
        vector: the unit tangent vector; its growth since the transient, [], a logarithm.
        turns, growths: (their derivatives for each q).
        largest: [] entry of any change so far.
    """

    changes: tuple[State, ...]
    vector: State
    growth: Any
    turns: tuple[State, ...]
    growths: tuple[Any, ...]
    largest: Any


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`<c>_final_by_<q>` for each component and quantity, and the derivative of one number more.

    That is `lyapunov_by_<q>` of a map, `objective_final_by_<q>` of an objective; `sensitivity` has
    a code of `Sensitive`.
    """
    by = derivative.chosen(subject, settings["by"])
    return (_solved if subject.solver.freezes else _along)(subject, by)


def _results(subject: Subject) -> tuple[Variable, ...]:
    every = components.variables(
        subject.problem.components, (), suffix="_final", meaning=" at the end"
    )
    if not subject.solver.freezes:
        return (*every, EXPONENT)
    return (*every, OBJECTIVE) if isinstance(subject.problem, Objective) else every


def _variables(subject: Subject, by: list[Quantity]) -> tuple[Variable, ...]:
    meaning = "how far the derivatives can be trusted"
    code = Variable("sensitivity", (), "int8", meaning, attributes=flags(Sensitive))
    return (*derivative.variables(_results(subject), by), code)


def _along(subject: Subject, by: list[Quantity]) -> Fold:
    """Of a map, along the orbit."""

    def units(seen: Seen) -> list[tuple[Any, ...]]:
        """The directions in the space of the quantities."""
        import jax.numpy as jnp

        real = flatten(dict(seen.state)).dtype
        return [tuple(jnp.asarray(float(p is q), real) for p in by) for q in by]

    def along(f: Callable[..., Any], seen: Seen, *inputs: Any) -> list[tuple[Any, Any]]:
        """[(value, its derivative)] for each q of a function of shifts and more.

        Args:
            inputs: (an argument, [its derivative for each q]).
        """
        import jax
        import jax.numpy as jnp

        given = [value for value, _ in inputs]
        found = []
        for k, unit in enumerate(units(seen)):
            zeros = tuple(jnp.zeros_like(u) for u in unit)
            tangents = [changes[k] for _, changes in inputs]
            found.append(jax.jvp(f, (zeros, *given), (unit, *tangents)))
        return found

    def init(seen: Seen) -> Kept:
        import jax.numpy as jnp

        assert seen.iteration is not None
        moved = seen.iteration.moved
        assert moved is not None
        found = along(lambda t: moved(dict(zip(by, t, strict=True)))[1], seen)
        flat = flatten(dict(seen.state))
        vector = unflatten(jnp.zeros_like(flat).at[0].set(1), subject.problem.components)
        zero = jnp.zeros((), flat.dtype)
        still = unflatten(jnp.zeros_like(flat), subject.problem.components)
        changes = tuple(change for _, change in found)
        count = len(by)
        return Kept(changes, vector, zero, (still,) * count, (zero,) * count, _largest(changes))

    def update(kept: Kept, seen: Seen) -> Kept:
        import jax
        import jax.numpy as jnp

        assert seen.iteration is not None
        assert seen.before is not None
        moved = seen.iteration.moved
        assert moved is not None

        def step(t: Any, x: State, v: State) -> tuple[State, State, Any]:
            iteration, _ = moved(dict(zip(by, t, strict=True)))
            new, image = jax.jvp(lambda x: iteration.step(x, seen.n - 1), (x,), (v,))
            flat = flatten(image)
            square = jnp.sum(flat**2)
            grows = square > 0
            length = jnp.sqrt(jnp.where(grows, square, 1.0))
            # At a critical point nothing grows, and the direction stays what it was.
            unit = jnp.where(grows, flat / length, flatten(v))
            growth = jnp.where(grows, jnp.log(length), -jnp.inf)
            return new, unflatten(unit, subject.problem.components), growth

        found = along(step, seen, (dict(seen.before), kept.changes), (kept.vector, kept.turns))
        (_, vector, growth), _ = found[0]
        changes, turns, growths = zip(*(tangents for _, tangents in found), strict=True)
        kept_growth = (kept.growth, kept.growths)
        if not seen.transient:
            summed = tuple(a + b for a, b in zip(kept.growths, growths, strict=True))
            kept_growth = (kept.growth + growth, summed)
        largest = jnp.maximum(kept.largest, _largest(changes))
        return Kept(changes, vector, kept_growth[0], turns, kept_growth[1], largest)

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        length = subject.iterate.length
        exponents = [growth / length for growth in kept.growths]
        code = jnp.where(
            kept.largest > _most(kept.largest), Sensitive.grown, Sensitive.known
        ).astype(jnp.int8)
        sound = jnp.all(jnp.isfinite(jnp.stack([kept.growth, *exponents])))
        code = jnp.where(sound, code, Sensitive.singular)
        code = jnp.where(end.status == Status.escaped, Sensitive.ended, code)
        found = {}
        for q, change, exponent in zip(by, kept.changes, exponents, strict=True):
            for name, value in components.values(change, suffix="_final").items():
                found[derivative.named(name, q)] = value
            found[derivative.named(EXPONENT.name, q)] = jnp.where(sound, exponent, jnp.nan)
        return _told(found, code)

    return Fold(finished=_variables(subject, by), init=init, update=update, finish=finish)


def _solved(subject: Subject, by: list[Quantity]) -> Fold:
    """Of what a solver converged to."""
    every = subject.problem.components

    def finish(kept: Any, end: End) -> dict[str, Any]:
        import jax
        import jax.numpy as jnp

        moved = end.iteration.moved
        assert moved is not None
        u = flatten(end.iteration.state(end.carry))
        zeros = tuple(jnp.zeros((), u.dtype) for _ in by)

        def there(t: Any, u: Any) -> Any:
            """The progress of the cell with other quantities at another place."""
            iteration, _ = moved(dict(zip(by, t, strict=True)))
            return iteration.put(
                end.carry, {**end.iteration.point(end.carry), **unflatten(u, every)}
            )

        jacobian = jax.jacfwd(lambda u: there(zeros, u).residual)(u)
        slopes = jax.jacfwd(lambda t: jnp.stack([there(t, u).residual]))(zeros)
        sizes = jnp.linalg.svd(jacobian, compute_uv=False)
        singular = ~(sizes[-1] > NEGLIGIBLE * sizes[0])
        code = jnp.where(singular, Sensitive.singular, Sensitive.known).astype(jnp.int8)
        code = jnp.where(end.status == Status.converged, code, Sensitive.ended)
        found, largest = {}, jnp.zeros((), u.dtype)
        for q, slope in zip(by, slopes, strict=True):
            change = -jnp.linalg.solve(jacobian, slope.reshape(-1))
            largest = jnp.maximum(largest, jnp.max(jnp.abs(change)))
            state = unflatten(change, every)
            for name, value in components.values(state, suffix="_final").items():
                found[derivative.named(name, q)] = value
            if isinstance(subject.problem, Objective):
                unit = tuple(jnp.asarray(float(p is q), u.dtype) for p in by)
                _, value = jax.jvp(lambda t, u: there(t, u).value, (zeros, u), (unit, change))
                found[derivative.named(OBJECTIVE.name, q)] = value
        grown = (code == Sensitive.known) & (largest > _most(largest))
        return _told(found, jnp.where(grown, Sensitive.grown, code))

    return Fold(finished=_variables(subject, by), finish=finish)


def _told(found: dict[str, Any], code: Any) -> dict[str, Any]:
    """NaN of a cell that has ended, and of a solution without derivatives."""
    import jax.numpy as jnp

    kept = {
        name: jnp.where(code == Sensitive.ended, jnp.nan, value) for name, value in found.items()
    }
    return {**kept, "sensitivity": code.astype(jnp.int8)}


def _largest(changes: tuple[State, ...]) -> Any:
    import jax.numpy as jnp

    return jnp.max(jnp.abs(jnp.concatenate([flatten(change) for change in changes])))


def _most(like: Any) -> Any:
    import jax.numpy as jnp

    return 1 / jnp.sqrt(jnp.finfo(like.dtype).eps)


def refuse(subject: Subject) -> str | None:
    """What has no derivatives, or too many."""
    problem = subject.problem
    if subject.solver.freezes:
        reals = sum(component.reals for component in problem.components.values())
        if reals > CLASSIFIED:
            return f"the state has {reals} real numbers; expected at most {CLASSIFIED}"
    elif isinstance(problem, Map) and subject.iterate.stop == "converged":
        return "it follows an orbit to its end; expected iterate.stop=length, or a solver"
    return None


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Quantities that are there, and names that are free."""
    wrong = list(derivative.faults(subject, settings))
    yield from wrong
    if wrong:
        return
    by = derivative.chosen(subject, settings["by"])
    if not by:
        yield "by", "expected names of quantities, such as [x0]; no parameter is a number"
    elif name := derivative.taken(subject, _variables(subject, by)):
        yield "by", f"the derivative would be called {name}, which the document has already"


ANALYSIS = Analysis(
    "sensitivity",
    build,
    settings={
        "by": Setting(
            "names",
            None,
            "what derivatives are with respect to; by default all parameters that are numbers",
        ),
    },
    refuse=refuse,
    faults=faults,
)
