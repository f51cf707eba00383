"""What the benchmarks of optimisation share: the problems, and the solvers of the peers.

All get the same function, that of Cobweb's formula, in double precision, and stop where the norm of
the gradient is at most 1e-8 of its first one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import measure
import numpy as np

# Of the gradient's norm, what ends a run.
REACHED = 1e-8
# The last digits of a gradient depend on how it was compiled.
ROUNDING = 1e-3
# Two ends are one minimum where their values differ by so much of the first value.
SAME = 1e-7
# Steps of any solver, which none should need.
STEPS = 50_000
# Vectors that a quasi-Newton method keeps.
VECTORS = 10
# What a linear system is solved to by conjugate gradients, so that one step is enough for it.
SOLVED = 1e-9
# SciPy's Newton methods without a matrix.
SCIPY = ("Newton-CG", "trust-ncg")

# (x0 [n], numbers) -> x [n]
Solve = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Family:
    """Objectives of one formula and one size, which differ in their numbers.

    Attributes:
        f: (x [n], numbers) -> [], as Cobweb's formula.
    """

    f: Callable[[Any, Any], Any]

    @functools.cached_property
    def value(self) -> Callable[[Any, Any], Any]:
        """Compiled f."""
        return jax.jit(self.f)

    @functools.cached_property
    def gradient(self) -> Callable[[Any, Any], Any]:
        """The compiled gradient of f."""
        return jax.jit(jax.grad(self.f))

    def goal(self, x0: Any, numbers: Any) -> Any:
        """[] The norm of the gradient that ends a run from a start."""
        return REACHED * jnp.linalg.norm(self.gradient(x0, numbers))

    def there(self, x: Any, x0: Any, numbers: Any) -> bool:
        """Whether a run from x0 has ended where it should."""
        left = jnp.linalg.norm(self.gradient(x, numbers))
        return bool(left <= (1 + ROUNDING) * self.goal(x0, numbers))


def problem(*overrides: str) -> tuple[Family, np.ndarray, dict[str, np.ndarray]]:
    """(the family, the start [n], the numbers) of a document whose state is one vector x."""
    objective = measure.read(*overrides).problem
    numbers = {name: np.asarray(v) for name, v in objective.parameters.items()}
    family = Family(lambda x, p: objective.value({"x": x}, p))
    return family, np.asarray(objective.initial["x"], float), numbers


@dataclass
class Peer:
    """A solver of one family.

    Attributes:
        seconds: that compiling took.
        memory: bytes of the compiled program, None where there is not one for the whole.
        products: Hessian products of the last run, None where nobody counts them.
    """

    solve: Solve
    seconds: float
    memory: int | None = None
    products: int | None = None


def compiled(solve: Solve, x0: Any, numbers: Any) -> Peer:
    """A solver that JAX compiles as a whole."""
    begun = perf_counter()
    program = jax.jit(solve).lower(x0, numbers).compile()
    return Peer(program, perf_counter() - begun, needed(program))


def needed(program: Any) -> int:
    """Bytes of a compiled program: what goes in, what comes out, and what it needs meanwhile."""
    sizes = program.memory_analysis()
    return sizes.argument_size_in_bytes + sizes.output_size_in_bytes + sizes.temp_size_in_bytes


@contextmanager
def compilations() -> Iterator[list[Any]]:
    """The programs that are compiled meanwhile."""
    found: list[Any] = []
    original = jax.stages.Lowered.compile

    def compile(lowered: Any, *args: Any, **options: Any) -> Any:
        found.append(original(lowered, *args, **options))
        return found[-1]

    jax.stages.Lowered.compile = compile
    try:
        yield found
    finally:
        jax.stages.Lowered.compile = original


def scipy_minimise(method: str, family: Family, x0: Any, numbers: Any) -> Peer:
    """SciPy's Newton-CG or trust-ncg, with compiled derivatives."""
    import scipy.optimize

    def push(x: Any, v: Any, p: Any) -> Any:
        return jax.jvp(lambda y: jax.grad(family.f)(y, p), (x,), (v,))[1]

    begun = perf_counter()
    value = jax.jit(family.f).lower(x0, numbers).compile()
    gradient = jax.jit(jax.grad(family.f)).lower(x0, numbers).compile()
    product = jax.jit(push).lower(x0, x0, numbers).compile()
    seconds, last = perf_counter() - begun, np.inf

    def solve(x0: Any, numbers: Any) -> np.ndarray:
        nonlocal last
        goal, peer.products = float(family.goal(x0, numbers)), 0

        def jac(x: Any) -> np.ndarray:
            nonlocal last
            g = np.asarray(gradient(x, numbers))
            last = np.linalg.norm(g)
            return g

        def hessp(x: Any, v: Any) -> np.ndarray:
            peer.products += 1
            return np.asarray(product(x, v, numbers))

        def reached(x: Any) -> None:
            # Newton-CG itself looks at its step alone. The last gradient that it took is that at x.
            if last <= goal:
                raise StopIteration

        own = {"callback": reached} if method == "Newton-CG" else {}
        end = {"xtol": 0.0} if method == "Newton-CG" else {"gtol": goal}
        found = scipy.optimize.minimize(
            *(lambda x: float(value(x, numbers)), x0),
            **{"jac": jac, "hessp": hessp, "method": method, **own},
            options={"maxiter": STEPS, **end},
        )
        return found.x

    peer = Peer(solve, seconds, products=0)
    return peer


def optimistix_minimise(kind: str, family: Family, steps: int) -> Solve:
    """optimistix' BFGS or LBFGS, which look at the gradient for their end."""
    import optimistix

    class ByGradient(getattr(optimistix, kind)):
        def terminate(self, fn, y, args, options, state, tags):
            small = optimistix.two_norm(state.f_info.grad) <= options["goal"]
            return small & ~state.first_step, state.result

    own = {"history_length": VECTORS} if kind == "LBFGS" else {}
    # The tolerances belong to the criterion that is not used.
    solver = ByGradient(rtol=0.0, atol=0.0, **own)

    def solve(x0: Any, numbers: Any) -> Any:
        end = {"goal": family.goal(x0, numbers)}
        return optimistix.minimise(
            family.f, solver, x0, numbers, options=end, max_steps=steps, throw=False
        ).value

    return solve


def optimistix_newton(linear: str, family: Family, steps: int) -> Solve:
    """optimistix' Newton's method for a zero of the gradient.

    Args:
        linear: LU or CG, of lineax.
        steps: at most; without a line search it may never end.
    """
    import lineax
    import optimistix

    class ByResidual(optimistix.Newton):
        def terminate(self, fn, y, args, options, state, tags):
            # The state holds the residual before the step: by that, one step more would be taken.
            residual, _ = fn(y, args)
            return optimistix.two_norm(residual) <= options["goal"], state.result

    if linear == "CG":
        how, tags = lineax.CG(rtol=SOLVED, atol=0.0), {lineax.positive_semidefinite_tag}
    else:
        how, tags = lineax.LU(), {lineax.symmetric_tag}
    solver = ByResidual(rtol=0.0, atol=0.0, linear_solver=how)

    def solve(x0: Any, numbers: Any) -> Any:
        end = {"goal": family.goal(x0, numbers)}
        found = optimistix.root_find(
            *(jax.grad(family.f), solver, x0, numbers),
            options=end,
            max_steps=steps,
            throw=False,
            tags=frozenset(tags),
        )
        return found.value

    return solve


def jaxopt_lbfgs(family: Family, steps: int) -> Solve:
    """jaxopt's LBFGS, a step after the other while the gradient is large."""
    import jaxopt

    solver = jaxopt.LBFGS(family.f, maxiter=steps, tol=0.0, history_size=VECTORS)

    def solve(x0: Any, numbers: Any) -> Any:
        goal = family.goal(x0, numbers)

        def going(both: Any) -> Any:
            state = both[1]
            return (jnp.linalg.norm(state.grad) > goal) & (state.iter_num < steps)

        def step(both: Any) -> Any:
            return tuple(solver.update(*both, numbers))

        begin = x0, solver.init_state(x0, numbers)
        return jax.lax.while_loop(going, step, begin)[0]

    return solve


def rivals(family: Family, steps: int = STEPS, newton_steps: int = STEPS) -> dict[str, Solve]:
    """{name: solver} of the peers that are installed and that JAX compiles as a whole.

    Args:
        steps: of the minimisers at most.
        newton_steps: of Newton's method.
    """
    found: dict[str, Solve] = {}
    if measure.has("optimistix"):
        for kind in ("BFGS", "LBFGS"):
            found[f"optimistix {kind}"] = optimistix_minimise(kind, family, steps)
        for how in ("LU", "CG"):
            found[f"optimistix Newton, {how}"] = optimistix_newton(how, family, newton_steps)
    if measure.has("jaxopt"):
        found["jaxopt LBFGS"] = jaxopt_lbfgs(family, steps)
    return found
