"""Maps: x -> g(x, p), given by one formula for each component, or by a Python function."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from pipeline.expressions import Expression, dividend
from pipeline.function import Function
from pipeline.noise import Noise
from pipeline.state import Components, Parameters, State, define, fit, size


@dataclass(frozen=True, eq=False)
class Map:
    """A map of a document, checked.

    Attributes:
        equations: {component: the formula of its next value}; empty where there is a function.
        definitions: named sub-expressions, in order.
        parameters: {name: number or array} their values where no axis sweeps them.
        initial: {component: number, array, or formula of the parameters}.
        modulus: {component: length of the circle that it lives on}.
        escape_radius: the Euclidean norm of the components without modulus beyond which the orbit
            has escaped.
        function: in the place of all formulas.
        noise: {component or parameter: what disturbs it}.
        keys: {the same: [2]} of one cell, from which its random numbers follow; a map without them
            takes its steps undisturbed.
    """

    group: ClassVar[str] = "map"
    name: str
    equations: Mapping[str, Expression]
    components: Components
    parameters: Mapping[str, np.ndarray]
    initial: Mapping[str, Any]
    definitions: Mapping[str, Expression] = field(default_factory=dict)
    modulus: Mapping[str, float] = field(default_factory=dict)
    escape_radius: float = 1e6
    reference: str = ""
    function: Function | None = None
    noise: Mapping[str, Noise] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)

    @property
    def formulas(self) -> list[Expression]:
        """All that a step evaluates, but for a function."""
        scales = (noise.scale for noise in self.noise.values())
        return [*self.definitions.values(), *self.equations.values(), *scales]

    @property
    def counts(self) -> bool:
        """Whether a formula uses the iteration number n, or the function takes it."""
        takes = self.function.takes if self.function else ()
        return "n" in takes or any("n" in formula.names for formula in self.formulas)

    @property
    def costly(self) -> bool:
        """Whether a step costs as much as many others; of a function nothing is known.

        A random number takes a hundred operations.
        """
        given = self.function is not None or bool(self.noise)
        return given or any(formula.costly for formula in self.formulas)

    def step(self, x: State, p: Parameters, n: Any = 0, xp: Any = None) -> State:
        """The next state of one cell.

        Args:
            x: {component: [] or [size]}.
            p: {parameter: its value}.
            n: the number of steps done, 0 when x_1 is computed.
            xp: the array module, jax.numpy if None.
        """
        if xp is None:
            import jax.numpy as xp
        if not self.keys:
            return self._step(x, p, n, xp)
        values = self.values(x, p, n, xp)
        moved = {
            name: fit(noise.scale(values, xp) * noise.draw(self.keys[name], n, like), like, xp)
            for name, noise in self.noise.items()
            for like in [x[name] if name in x else xp.asarray(p[name])]
        }
        new = self._step(x, {k: v + moved[k] if k in moved else v for k, v in p.items()}, n, xp)
        for name in [name for name in x if name in moved]:
            new[name] = new[name] + moved[name]
            if self.lift(name) is not None:
                new[name] = xp.mod(new[name], self.modulus[name])
        return new

    def _step(self, x: State, p: Parameters, n: Any, xp: Any) -> State:
        """Without noise."""
        if self.function is not None:
            found = self.function({**p, **x, "n": n})
            found = found if isinstance(found, dict) else dict.fromkeys(x, found)
            return {name: fit(found[name], x[name], xp) for name in x}
        values = self.values(x, p, n, xp)
        return {name: fit(f(values, xp), x[name], xp) for name, f in self.equations.items()}

    def lift(self, name: str) -> Expression | None:
        """E, where a component on a circle of length m follows mod(E, m); None of any other."""
        formula, length = self.equations.get(name), self.modulus.get(name)
        return None if formula is None or length is None else dividend(formula, length)

    def values(self, x: State, p: Parameters, n: Any = 0, xp: Any = None) -> dict[str, Any]:
        """{name: its value} of all that a formula may use in a state; arguments as above."""
        return define(self.definitions, {**p, **x, "n": n, "size": size(self.components)}, xp)

    def change(self, new: State, old: State) -> State:
        """The difference of two states, the short way round where a component lives on a circle."""
        import jax.numpy as jnp

        # In the order of the components, which `flatten` goes by; JAX would sort them.
        change = {name: new[name] - old[name] for name in new}
        for name, length in self.modulus.items():
            change[name] -= length * jnp.round(change[name] / length)
        return change

    def square(self, x: State) -> Any:
        """[] The square of the Euclidean norm of the components without modulus."""
        import jax.numpy as jnp

        free = [value for name, value in x.items() if name not in self.modulus]
        squares = [jnp.sum(v.real**2 + v.imag**2 if jnp.iscomplexobj(v) else v**2) for v in free]
        return sum(squares, start=jnp.zeros(()))

    def inside(self, x: State) -> Any:
        """[] Whether the state is finite and not beyond the escape radius."""
        import jax.numpy as jnp

        free = [value for name, value in x.items() if name not in self.modulus]
        if len(free) == 1 and not free[0].ndim and not jnp.iscomplexobj(free[0]):
            norm, bound = jnp.abs(free[0]), self.escape_radius
        else:
            norm, bound = self.square(x), self.escape_radius**2
        # An overflow is beyond any radius; NaN compares false.
        bound = min(bound, float(jnp.finfo(norm.dtype).max))
        circles = [jnp.all(jnp.isfinite(x[name])) for name in self.modulus]
        return functools.reduce(operator.and_, circles, norm <= bound)
