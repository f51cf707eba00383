"""Solvers of optimistix: each of its methods is a solver, by a row of a table.

Its minimisers take what is to become small, f, -f where f is maximised, or |g(x) - x|^2 / 2; its
least squares the residuals; its root finders the residual r. One step here is one step there, which
for methods with a search or a radius is one trial: the first of them looks at the start alone, and
one that is not taken leaves x where it is. Its own ends are not asked: a small step means nothing.
(Rader, Lyons and Kidger 2024, doi:10.48550/arXiv.2402.09983.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.arrays import Variable
from pipeline.settings import Setting, Settings
from pipeline.solvers.descent import Move, iterate, no_step, norm
from pipeline.solvers.iteration import TOLERANCES, Iteration, Solver
from pipeline.solvers.target import Target, aim

# Its constructors want them.
UNASKED: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-3}

Tell = Callable[[Any], Any]
STEP_LENGTH = Variable("step_length", (), "float", "length of this step over the direction")
RADIUS = Variable("radius", (), "float", "trust region of this step")
DAMPING = Variable("damping", (), "float", "damping of this step")
TAKEN = Variable("step_taken", (), "int32", "1 where the trial of this step was taken, else 0")

SEARCH: Settings = {
    "step": Setting(
        "number", 1.0, "first length of a step over the direction", low=0, above=True, swept=True
    ),
    "contraction": Setting(
        "number", 0.5, "factor of the next length", low=0, high=0.99, above=True, swept=True
    ),
    "decrease": Setting(
        "number",
        0.1,
        "share of the slope's decrease that suffices",
        low=0,
        high=0.99,
        above=True,
        swept=True,
    ),
}
# Where an Armijo search of optimistix keeps these.
SEARCHED = ("step_init", "decrease_factor", "slope")


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        name: of its class.
        seeks: a zero of the residual, the least sum of squares of the residuals, or the least
            merit.
        settings: what it takes.
        arguments: {setting: the argument of the class}, but for those of `SEARCH`.
        trial: what it tells of each of its trials, and how; None where it makes none.
        dense: whether it forms a matrix.
        factors: whether each step forms the Jacobian anew.
        memoryless: whether a step depends on x alone.
        vectors: that it keeps of the steps before, about; for each unit of `memory` if it has one.
    """

    name: str
    seeks: Literal["residual", "residuals", "merit"]
    settings: Settings = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    trial: tuple[Variable, Tell] | None = None
    dense: bool = True
    factors: bool = False
    memoryless: bool = False
    vectors: int = 8


def _length(state: Any) -> Any:
    return state.search_state.step_size


_BY_SEARCH = (STEP_LENGTH, _length)
_BY_RADIUS = (RADIUS, lambda state: _length(state) * state.descent_state.newton_norm)
_BY_DAMPING = (DAMPING, lambda state: 1 / _length(state))

METHODS: dict[str, Method] = {
    "bfgs": Method("BFGS", "merit", SEARCH, trial=_BY_SEARCH),
    "dfp": Method("DFP", "merit", SEARCH, trial=_BY_SEARCH),
    "lbfgs": Method(
        "LBFGS",
        "merit",
        {"memory": Setting("integer", 10, "steps that are remembered", low=1, high=100), **SEARCH},
        {"memory": "history_length"},
        trial=_BY_SEARCH,
        dense=False,
        vectors=5,
    ),
    "nonlinear_cg": Method(
        "NonlinearCG",
        "merit",
        {
            "method": Setting(
                "choice",
                "polak_ribiere",
                "how much of the last direction is added",
                # Its hestenes_stiefel and dai_yuan have the wrong sign (0.1.0).
                options=("polak_ribiere", "fletcher_reeves"),
            ),
            **SEARCH,
        },
        {"method": "method"},
        trial=_BY_SEARCH,
        dense=False,
    ),
    "dogleg": Method("Dogleg", "residuals", trial=_BY_RADIUS, factors=True),
    "optimistix_gauss_newton": Method("GaussNewton", "residuals", factors=True),
    "optimistix_levenberg_marquardt": Method(
        "LevenbergMarquardt", "residuals", trial=_BY_DAMPING, factors=True
    ),
    "indirect_levenberg_marquardt": Method(
        "IndirectLevenbergMarquardt",
        "residuals",
        {
            "damping": Setting(
                "number",
                1.0,
                "where the search for the damping begins",
                low=0,
                above=True,
                swept=True,
            )
        },
        {"damping": "lambda_0"},
        trial=_BY_RADIUS,
        factors=True,
    ),
    "optimistix_newton": Method("Newton", "residual", memoryless=True, factors=True),
    "optimistix_chord": Method("Chord", "residual"),
}


def _make(method: Method, settings: Mapping[str, Any]) -> Any:
    """The solver of optimistix, with the numbers of this cell."""
    import equinox
    import optimistix

    given = {argument: settings[key] for key, argument in method.arguments.items()}
    if "method" in given:
        given["method"] = getattr(optimistix, given["method"])
    solver = getattr(optimistix, method.name)(**UNASKED, **given)
    if SEARCH.keys() <= method.settings.keys():
        # Put in place afterwards: its constructor would check numbers that are not known yet.
        places = lambda s: [getattr(s.search, name) for name in SEARCHED]  # noqa: E731
        solver = equinox.tree_at(places, solver, [settings[key] for key in SEARCH])
    return solver


def _sought(method: Method, target: Target) -> Callable[[Any], Any]:
    if method.seeks == "merit":
        return lambda u: target.merit(u, target.residual(u))
    sought = target.residual if method.seeks == "residual" else target.residuals
    assert sought is not None
    return sought


def _is_array(leaf: Any) -> bool:
    import jax
    import numpy as np

    return isinstance(leaf, jax.Array | jax.ShapeDtypeStruct | np.ndarray)


def _arrays(state: Any) -> list[Any]:
    """What of a state changes from step to step: the rest are functions, made in each trace."""
    import equinox
    import jax
    import jax.numpy as jnp

    return [jnp.asarray(leaf) for leaf in jax.tree.leaves(equinox.filter(state, _is_array))]


def _filled(blank: Any, arrays: list[Any]) -> Any:
    """A state with other arrays."""
    import equinox
    import jax

    own, rest = equinox.partition(blank, _is_array)
    return equinox.combine(jax.tree.unflatten(jax.tree.structure(own), arrays), rest)


def _reach(state: Any, u: Any) -> Any:
    """[] How far from u the next step looks, where it may look without leaving."""
    import jax.numpy as jnp

    return norm(state.y_eval - u) if hasattr(state, "y_eval") else jnp.zeros((), u.dtype)


def _lost(state: Any) -> Any:
    """[] Whether the direction that all further trials follow is not finite."""
    import jax.numpy as jnp

    kept = getattr(state, "descent_state", None)
    direction = getattr(kept, "newton", getattr(kept, "y_diff", 0.0))
    return ~jnp.all(jnp.isfinite(direction))


def _build(method: Method) -> Callable[..., Iteration]:
    searches = SEARCH.keys() <= method.settings.keys()

    def told(before: Any, to: Any) -> dict[str, Any]:
        import jax.numpy as jnp

        if method.trial is None:
            return {}
        variable, tell = method.trial
        # Before the first step there are zeros in the place of a direction.
        size = jnp.where(before.first_step, jnp.nan, tell(before))
        taken = jnp.all(to == before.y_eval) & ~before.first_step
        return {variable.name: size, TAKEN.name: taken.astype(jnp.int32)}

    def build(
        problem: Any, parameters: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> Iteration:
        """A step costs one evaluation there, maybe a matrix, and that of where it ends."""
        import equinox
        import jax
        import jax.numpy as jnp

        target = aim(problem, parameters)
        sought, solver = _sought(method, target), _make(method, settings)

        def f(u: Any, _: None) -> tuple[Any, None]:
            return sought(u), None

        def fresh(u: Any) -> Any:
            return solver.init(f, u, None, {}, jax.eval_shape(sought, u), None, frozenset())

        def advance(u: Any, residual: Any, memory: list[Any]) -> Move:
            before = _filled(equinox.filter_eval_shape(fresh, u), memory)
            to, after, _ = solver.step(f, u, None, {}, before, frozenset())
            change = jnp.where(_lost(after), jnp.nan, to - u)
            stays = jnp.all(change == 0)
            # A trial that is not a number is not taken, and the next one may be.
            looks = stays & ~no_step(_reach(after, to), u)
            failed = stays & ~looks if searches else False
            evaluations = 2 + (target.size if method.factors else 0)
            evaluations += target.slope if method.seeks == "merit" else 0
            return Move(change, told(before, to), _arrays(after), failed, looks, evaluations)

        def remember(u: Any, residual: Any) -> list[Any]:
            return _arrays(fresh(u))

        return iterate(
            target,
            advance,
            settings,
            tells=_tells(method),
            remember=remember,
            prepared=target.size if method.name == "Chord" else 0,
        )

    return build


def _tells(method: Method) -> tuple[Variable, ...]:
    return () if method.trial is None else (method.trial[0], TAKEN)


def _solver(name: str, method: Method) -> Solver:
    return Solver(
        name,
        _build(method),
        settings={**method.settings, **TOLERANCES},
        smooth=method.seeks == "residual",
        memoryless=method.memoryless,
        dense=method.dense,
        vectors=lambda settings: method.vectors * settings.get("memory", 1),
        tells=_tells(method),
        needs_residuals=method.seeks == "residuals",
    )


SOLVERS = tuple(_solver(name, method) for name, method in METHODS.items())
