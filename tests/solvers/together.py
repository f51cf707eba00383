"""Many solvers in one compiled program: a tenth of the time that a program for each would take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline import device
from pipeline.experiment import Experiment
from pipeline.state import flatten
from pipeline.status import Status


class Path(NamedTuple):
    """A solver's way from the start on, n steps at most; it stays where it has ended.

    Attributes:
        u: [n + 1, d] where it stood.
        status: [n + 1] codes, `bounded` while it went on.
        told: {name: [n + 1]} as in a history.
        memory: what it keeps at the end.
    """

    u: np.ndarray
    status: np.ndarray
    told: dict[str, np.ndarray]
    memory: Any

    @property
    def steps(self) -> int:
        """How many it took."""
        return int(np.count_nonzero(self.status[:-1] == Status.bounded))


def walk(found: Experiment, numbers: Any, steps: int) -> Path:
    """One cell's way, to be traced."""
    import jax
    import jax.numpy as jnp

    iteration = found.iteration(numbers, {})

    def look(carry: Any) -> Any:
        return flatten(iteration.state(carry)), iteration.terminate(carry), iteration.probe(carry)

    def step(carry: Any, n: Any) -> tuple[Any, Any]:
        going = iteration.terminate(carry) == Status.bounded
        new = iteration.step(carry, n)
        carry = jax.tree.map(lambda a, b: jnp.where(going, a, b), new, carry)
        return carry, look(carry)

    begun = iteration.init(found.start(numbers, {}))
    carry, rows = jax.lax.scan(step, begun, jnp.arange(steps))
    rows = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), look(begun), rows)
    return Path(*rows, carry.memory)


def together(
    experiments: Mapping[str, Experiment],
    steps: int,
    beside: Callable[[], Any] = lambda: None,
) -> tuple[dict[str, Path], Any]:
    """The ways of several solvers, and whatever else is to be compiled with them.

    Args:
        experiments: of one precision.
        beside: a function without arguments.
    """
    import jax

    wanted = next(iter(experiments.values())).device

    def program(numbers: Any) -> Any:
        paths = {k: walk(found, numbers[k], steps) for k, found in experiments.items()}
        return paths, beside()

    with device.entered(wanted):
        numbers = {
            k: jax.tree.map(lambda a: np.asarray(a, wanted.real), found.numbers())
            for k, found in experiments.items()
        }
        return jax.tree.map(np.asarray, jax.jit(program)(numbers))
