"""What a solver aims at: a zero of the residual of a map or of an objective, on vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.maps import Map
from pipeline.objectives import Objective
from pipeline.state import Components, flatten, unflatten
from pipeline.status import CriticalKind, FixedPointKind

# An eigenvalue below this fraction of the largest counts as zero; a modulus this close to 1 as 1.
NEGLIGIBLE = 1e-8
# The dense Jacobian is not formed beyond this dimension (8 MB in double precision, for each cell).
CLASSIFIED = 1000


class Target(NamedTuple):
    """One cell's problem on real vectors u, [d].

    Attributes:
        components: how u is read as a state.
        residual: u -> [d], g(u) - u of a map, the gradient of an objective.
        residuals: u -> [m] whose squares are summed: those of an objective that has them, g(u) - u
            of a map; None of an objective that is no sum of squares.
        value: u -> [] the objective; None of a map.
        merit: (u, residual) -> [] what is to become small: f, -f where it is maximised,
            |g(u) - u|^2 / 2.
        merit_gradient: (u, residual) -> [d] its gradient.
        slope: evaluations that this takes: none of an objective, whose gradient is the residual.
        product: evaluations that a product with `curvature` takes.
        sense: 1 to minimise, -1 to maximise.
        forward: forward * residual is the plain step: that of the map, or the unit step of
            gradient descent or ascent.
        beyond: u -> whether it lies beyond the escape radius.
        classify: u -> a code of `CriticalKind` or `FixedPointKind`.
    """

    components: Components
    residual: Callable[[Any], Any]
    residuals: Callable[[Any], Any] | None
    value: Callable[[Any], Any] | None
    merit: Callable[[Any, Any], Any]
    merit_gradient: Callable[[Any, Any], Any]
    slope: int
    product: int
    sense: float
    forward: float
    beyond: Callable[[Any], Any]
    classify: Callable[[Any], Any]

    @property
    def size(self) -> int:
        """d, which is also the number of evaluations that a dense Jacobian takes."""
        return sum(component.reals for component in self.components.values())


def aim(problem: Map | Objective, parameters: Mapping[str, Any]) -> Target:
    """The target of one cell."""
    if isinstance(problem, Map):
        return _fixed_point(problem, dict(parameters))
    return _stationary_point(problem, dict(parameters))


def curvature(target: Target, u: Any) -> Callable[[Any], Any]:
    """v -> A v at u, without a matrix; A is positive definite near what is sought.

    Of an objective A is the Hessian, or minus it where f is maximised; of a map, whose residual has
    a Jacobian that need not be symmetric, that of the normal equations, J^T J.
    """
    import jax

    _, push = jax.linearize(target.residual, u)
    if target.value is not None:
        return lambda v: target.sense * push(v)
    pull = jax.linear_transpose(push, u)
    return lambda v: pull(push(v))[0]


def only_where(wanted: Any, compute: Callable[[], Any]) -> Any:
    """What is computed where it is wanted, else zeros; many cells at once skip it if none does."""
    import jax
    import jax.numpy as jnp

    none = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(compute))
    once = jax.lax.while_loop(lambda s: s[0], lambda s: (s[0] & False, compute()), (wanted, none))
    return once[1]


def _definite(matrix: Any) -> tuple[Any, Any]:
    """Whether all eigenvalues of a symmetric matrix have one sign; if so, whether that is minus.

    None of them counts as zero then. A factorisation costs a tenth of the eigenvalues and tells of
    most points that are sought. (No eigenvalue exceeds the largest sum of a row.)
    """
    import jax.numpy as jnp

    downwards = matrix[0, 0] < 0
    margin = NEGLIGIBLE * jnp.max(jnp.sum(jnp.abs(matrix), 0))
    lifted = jnp.where(downwards, -matrix, matrix) - margin * jnp.eye(len(matrix))
    return jnp.all(jnp.isfinite(jnp.linalg.cholesky(lifted))), downwards


def _fixed_point(g: Map, p: dict[str, Any]) -> Target:
    import jax
    import jax.numpy as jnp

    def residual(u: Any) -> Any:
        x = unflatten(u, g.components)
        return flatten(g.change(g.step(x, p), x))

    def merit_gradient(u: Any, r: Any) -> Any:
        return jax.vjp(residual, u)[1](r)[0]

    def beyond(u: Any) -> Any:
        return ~g.inside(unflatten(u, g.components))

    def classify(u: Any) -> Any:
        if u.size > CLASSIFIED:
            return jnp.int8(FixedPointKind.none)
        jacobian = jax.jacfwd(residual)(u) + jnp.eye(u.size, dtype=u.dtype)
        multipliers = jacobian if u.size == 1 else jnp.linalg.eigvals(jacobian)
        moduli = jnp.abs(multipliers)
        inside, outside = moduli < 1 - NEGLIGIBLE, moduli > 1 + NEGLIGIBLE
        kind = jnp.where(
            jnp.any(inside) & jnp.any(outside), FixedPointKind.saddle, FixedPointKind.neutral
        )
        kind = jnp.where(jnp.all(inside), FixedPointKind.attracting, kind)
        kind = jnp.where(jnp.all(outside), FixedPointKind.repelling, kind)
        known = jnp.all(jnp.isfinite(moduli))
        return jnp.where(known, kind, FixedPointKind.none).astype(jnp.int8)

    return Target(
        components=g.components,
        residual=residual,
        residuals=residual,
        value=None,
        merit=lambda u, r: r @ r / 2,
        merit_gradient=merit_gradient,
        slope=1,
        product=2,
        sense=1.0,
        forward=1.0,
        beyond=beyond,
        classify=classify,
    )


def _stationary_point(f: Objective, p: dict[str, Any]) -> Target:
    import jax
    import jax.numpy as jnp

    sense = 1.0 if f.sense == "minimise" else -1.0

    def value(u: Any) -> Any:
        return jnp.asarray(f.value(unflatten(u, f.components), p)).astype(u.dtype)

    def residuals(u: Any) -> Any:
        return f.residual_vector(unflatten(u, f.components), p).astype(u.dtype)

    gradient = jax.jacrev(value)

    def classify(u: Any) -> Any:
        if u.size > CLASSIFIED:
            return jnp.int8(CriticalKind.none)
        hessian = jax.jacfwd(gradient)(u)
        definite, downwards = _definite(hessian)
        extremum = jnp.where(downwards, CriticalKind.maximum, CriticalKind.minimum)
        kind = only_where(~definite, lambda: by_eigenvalues(hessian))
        return jnp.where(definite, extremum, kind).astype(jnp.int8)

    def by_eigenvalues(hessian: Any) -> Any:
        eigenvalues = jnp.linalg.eigvalsh(hessian)
        zero = NEGLIGIBLE * jnp.max(jnp.abs(eigenvalues))
        kind = jnp.where(eigenvalues[0] > zero, CriticalKind.minimum, CriticalKind.saddle)
        kind = jnp.where(eigenvalues[-1] < -zero, CriticalKind.maximum, kind)
        degenerate = jnp.any(jnp.abs(eigenvalues) <= zero)
        kind = jnp.where(degenerate, CriticalKind.degenerate, kind)
        known = jnp.all(jnp.isfinite(eigenvalues))
        return jnp.where(known, kind, CriticalKind.none).astype(jnp.int8)

    return Target(
        components=f.components,
        residual=gradient,
        residuals=residuals if f.squares else None,
        value=value,
        merit=lambda u, r: sense * value(u),
        merit_gradient=lambda u, r: sense * r,
        slope=0,
        product=1,
        sense=sense,
        forward=-sense,
        beyond=lambda u: jnp.zeros((), bool),
        classify=classify,
    )
