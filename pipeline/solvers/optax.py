"""Optimisers of optax: each of its transformations of gradients is a solver, by a row of a table.

A step is what the transformation makes of the gradient of what is to become small: of f, or of -f
where f is maximised; of |g(x) - x|^2 / 2 of a map. The learning rate is constant. (DeepMind et al.
2020, The DeepMind JAX Ecosystem; optax's own pages name the paper of each.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.settings import Setting, Settings
from pipeline.solvers.descent import Move, iterate, no_step, norm
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import aim


class Method(NamedTuple):
    """One optimiser.

    Attributes:
        settings: named as in optax, but for `step` and `memory`. Defaults are optax's, too, which
            has none for the step.
        vectors: that it keeps of the steps before, about; for each unit of `memory` if it has one.
        counts: whether a step depends on how many there were, beyond the first.
        smooth: whether a step is a differentiable function of the state.
        function: its name in optax, where that is not the solver's.
        step: what optax calls the step.
    """

    settings: Settings
    vectors: int = 2
    counts: bool = False
    smooth: bool = True
    function: str = ""
    step: str = "learning_rate"


# Steps with a memory may be none where they turn, and rprop rests for two: so many end a cell.
REST = 3


class Memory(NamedTuple):
    """What optax keeps; [] how many of the last steps were none, int32."""

    state: Any
    rests: Any


def _number(default: float, meaning: str, **bounds: Any) -> Setting:
    return Setting("number", default, meaning, **{"low": 0, **bounds}, swept=True)


# A past that is all there is divides nothing by nothing where a bias is corrected.
ALMOST = 0.999999


def _past(default: float, of: str) -> Setting:
    return _number(default, f"share of the past in {of}", high=ALMOST)


def _step(default: float, meaning: str = "the learning rate") -> Settings:
    return {"step": _number(default, meaning, above=True)}


def _eps(default: float, what: str = "the divisor of a step") -> Settings:
    return {"eps": _number(default, f"added to {what}")}


RATE = _step(0.01)
EQUAL = _step(1e-3, "length of each entry of a step")
B1 = {"b1": _past(0.9, "the mean gradient")}
B2 = {"b2": _past(0.999, "the mean of its squares")}
ROOT = {"eps_root": _number(0.0, "added below the root in the divisor of a step")}
ADAM = {**RATE, **B1, **B2, **_eps(1e-8), **ROOT}
LARGEST = {"b2": _past(0.999, "the largest gradient")}
OPTIMISM = {
    "alpha": _number(1.0, "share of the gradient, or of what is made of it"),
    "beta": _number(1.0, "share of its last change"),
}


def _decay(default: float) -> Settings:
    return {"weight_decay": _number(default, "share of x that a step of length 1 takes off")}


METHODS: dict[str, Method] = {
    "sgd": Method({**RATE, "momentum": _past(0.0, "a step")}, 1),
    "sign_sgd": Method(EQUAL, 0, smooth=False),
    "signum": Method({**EQUAL, "beta": _past(0.9, "the mean gradient")}, 1, smooth=False),
    "lion": Method(
        {**EQUAL, **B1, "b2": _past(0.99, "the mean that is kept"), **_decay(1e-3)},
        1,
        smooth=False,
    ),
    "polyak_sgd": Method(
        {
            **_step(1.0, "the longest step over the gradient"),
            "f_min": _number(0.0, "least value of what is to become small", low=None),
            **_eps(0.0, "the square of the gradient"),
        },
        0,
        smooth=False,
        step="max_learning_rate",
    ),
    "optimistic_gradient_descent": Method({**RATE, **OPTIMISM}, 1),
    "adam": Method(ADAM, counts=True),
    "adamw": Method({**ADAM, **_decay(1e-4)}, counts=True),
    "nadam": Method(ADAM, counts=True),
    "nadamw": Method({**ADAM, **_decay(1e-4)}, counts=True),
    "radam": Method(
        {**ADAM, "threshold": _number(5.0, "length of the past from which the squares count")},
        counts=True,
    ),
    "amsgrad": Method(ADAM, 3, counts=True, smooth=False),
    "optimistic_adam": Method({**ADAM, **OPTIMISM}, 3, counts=True, function="optimistic_adam_v2"),
    "adabelief": Method(
        {
            **RATE,
            **B1,
            "b2": _past(0.999, "the mean of the squares of its errors"),
            **_eps(1e-16),
            "eps_root": _number(1e-16, ROOT["eps_root"].meaning),
        },
        counts=True,
    ),
    "adan": Method(
        {
            **RATE,
            "b1": _past(0.98, "the mean gradient"),
            "b2": _past(0.92, "the mean of its changes"),
            "b3": _past(0.99, "the mean of the squares"),
            **_eps(1e-8),
            "eps_root": _number(1e-8, ROOT["eps_root"].meaning),
            **_decay(0.0),
        },
        4,
        counts=True,
    ),
    "adamax": Method({**RATE, **B1, **LARGEST, **_eps(1e-8)}, counts=True, smooth=False),
    "adamaxw": Method(
        {**RATE, **B1, **LARGEST, **_eps(1e-8), **_decay(1e-4)}, counts=True, smooth=False
    ),
    "yogi": Method({**RATE, **B1, **B2, **_eps(1e-3)}, counts=True, smooth=False),
    "rmsprop": Method(
        {
            **RATE,
            "decay": _past(0.9, "the mean of the squares"),
            **_eps(1e-8),
            "initial_scale": _number(0.0, "mean of the squares before the first step"),
            "momentum": _past(0.0, "a step"),
        }
    ),
    "rprop": Method(
        {
            **_step(0.01, "first length of each entry of a step"),
            "eta_minus": _number(0.5, "factor of it where the gradient has turned", high=1),
            "eta_plus": _number(1.2, "factor of it where it has not", low=1),
            "min_step_size": _number(1e-6, "the least length"),
            "max_step_size": _number(50.0, "the greatest length"),
        },
        smooth=False,
    ),
    "adagrad": Method(
        {
            **RATE,
            "initial_accumulator_value": _number(0.1, "sum of the squares before the first step"),
            **_eps(1e-7),
        },
        1,
    ),
    "adadelta": Method(
        {
            **_step(1.0),
            "rho": _past(0.9, "the means of the squares, of the gradient and of the steps"),
            **_eps(1e-6, "both means"),
            **_decay(0.0),
        }
    ),
    "adafactor": Method(
        {
            **_step(0.01, "the learning rate, times the root mean square of x"),
            "decay_rate": _number(0.8, "1 - n^-this is the share of the past after n steps"),
            "clipping_threshold": _number(1.0, "greatest root mean square of a step", above=True),
            **_eps(1e-30, "the squares"),
        },
        1,
        counts=True,
        smooth=False,
    ),
    "novograd": Method(
        {
            **RATE,
            "b1": _number(0.9, "share of the last step that is added", high=1),
            "b2": _past(0.25, "the mean of the gradient's square"),
            **_eps(1e-6),
            **ROOT,
            **_decay(0.0),
        },
        1,
    ),
    "sm3": Method({**RATE, "momentum": _past(0.9, "a step")}, smooth=False),
    "lamb": Method(
        {
            **_step(0.01, "length of a step over that of x"),
            **B1,
            **B2,
            **_eps(1e-6),
            **ROOT,
            **_decay(0.0),
        },
        counts=True,
    ),
    "lars": Method(
        {
            **RATE,
            "trust_coefficient": _number(1e-3, "length of a step over that of x, beside the rate"),
            **_eps(0.0, "the length of the gradient"),
            "momentum": _past(0.9, "a step"),
            **_decay(0.0),
        },
        1,
    ),
    "fromage": Method(
        {
            **_step(0.01, "length of a step over that of x"),
            "min_norm": _number(1e-6, "lengths of x and of the gradient below it count as this"),
        },
        0,
    ),
    "optax_lbfgs": Method(
        {"memory": Setting("integer", 10, "steps that are remembered", low=1, high=100)},
        3,
        function="lbfgs",
    ),
}


def _build(name: str, method: Method) -> Callable[..., Iteration]:
    words = {"step": method.step, "memory": "memory_size"}

    def build(
        problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> Iteration:
        """A step costs the gradient at its end, and what a line search tries."""
        import jax.numpy as jnp
        import optax

        target = aim(problem, parameters)
        make = getattr(optax, method.function or name)
        given = {words.get(key, key): settings[key] for key in method.settings}
        transform = optax.with_extra_args_support(make(**given))

        def merit(u: Any) -> Any:
            return target.merit(u, target.residual(u))

        def advance(u: Any, residual: Any, memory: Memory) -> Move:
            gradient = target.merit_gradient(u, residual)
            told = {"value": target.merit(u, residual), "grad": gradient, "value_fn": merit}
            change, state = transform.update(gradient, memory.state, u, **told)
            rests = jnp.where(no_step(norm(change), u), memory.rests + 1, 0)
            tried = optax.tree_utils.tree_get(state, "num_linesearch_steps", 0)
            evaluations = 1 + target.slope + tried
            return Move(
                change, memory=Memory(state, rests), held=rests < REST, evaluations=evaluations
            )

        def remember(u: Any, residual: Any) -> Memory:
            return Memory(transform.init(u), jnp.int32(0))

        return iterate(target, advance, settings, remember=remember)

    return build


def _solver(name: str, method: Method) -> Solver:
    return Solver(
        name,
        _build(name, method),
        settings={**method.settings, **TOLERANCES},
        autonomous=not method.counts,
        smooth=method.smooth,
        memoryless=not (method.vectors or method.counts),
        vectors=lambda settings: method.vectors * settings.get("memory", 1),
    )


SOLVERS = tuple(_solver(name, method) for name, method in METHODS.items())
