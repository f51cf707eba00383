"""The parameters and the initial values of a map or an objective: its numbers, and their shapes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from pipeline.config import names
from pipeline.config.mistakes import Mistakes
from pipeline.config.quantity import initial_value, parameter
from pipeline.errors import ExpressionError
from pipeline.expressions import Expression
from pipeline.grid import find
from pipeline.state import Component, Components, size


def read(
    mistakes: Mistakes,
    group: str,
    parts: Mapping[str, dict[str, Any]],
    seed: int,
    axes: Collection[str],
) -> tuple[dict[str, np.ndarray], dict[str, Any], Components]:
    """Parameters, initial values and the components' shapes: each may depend on those before it."""
    # A start that is a formula may use what an axis gives, unless it is something else's name.
    taken = names.owners(parts["initial"])
    own = re.compile(rf"({'|'.join(map(re.escape, parts['initial'])) or 'x'})0(_\d+)*(_re|_im)?")
    for part in ("initial", "definitions", "parameters"):
        taken |= parts[part]
    free = [a for a in axes if a not in taken and not own.fullmatch(a)]
    known = [*parts["parameters"], *free]
    initial = {
        name: initial_value(mistakes, f"{group}.initial.{name}", name, value, seed, known)
        for name, value in parts["initial"].items()
    }
    vectors = {
        name: Component(value.shape)
        for name, value in initial.items()
        if isinstance(value, np.ndarray)
    }
    length = size(vectors)
    parameters = {
        name: parameter(mistakes, f"{group}.parameters.{name}", name, value, seed, length)
        for name, value in parts["parameters"].items()
    }
    components = {}
    for name, value in initial.items():
        where = f"{group}.initial.{name}"
        sample: Any = value
        if isinstance(value, Expression):
            for used in sorted(value.names & set(free)):
                if (entry := find(used, parameters, {})) is not None:
                    reason = f"{used} is an entry of {entry.key}; a formula takes it from there"
                    mistakes.add(where, reason, value.text)
            # Names that only axes give a value: any number shows the shape and the field.
            stand_ins = {axis: np.float64(0.5) for axis in free} | parameters
            try:
                sample = value(stand_ins, np)
            except ExpressionError as error:
                mistakes.formula(where, error)
                continue
        shape = np.shape(sample)
        if len(shape) > 1 or 0 in shape:
            mistakes.add(where, "expected a number or a vector of them", parts["initial"][name])
            continue
        components[name] = Component(shape, bool(np.iscomplexobj(sample)))
    _check_entries(mistakes, group, parameters, components)
    return parameters, initial, components


def _check_entries(
    mistakes: Mistakes,
    group: str,
    parameters: Mapping[str, np.ndarray],
    components: Mapping[str, Component],
) -> None:
    """The names of entries (A_0_1, x0_2, c_re) are names too, which nothing else may have."""
    for part, known in (("parameters", parameters), ("initial", components)):
        for name in known:
            others = {k: v for k, v in parameters.items() if k != name}
            states = {k: v for k, v in components.items() if k != name}
            quantity = find(name, others, states)
            if quantity is not None:
                mistakes.add(
                    f"{group}.{part}.{name}", f"the name is taken by an entry of {quantity.key}"
                )
