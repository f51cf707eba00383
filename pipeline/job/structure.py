"""The structure of an experiment: all that shapes its program, and none of the numbers it takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.experiment import Experiment
from pipeline.expressions import Expression
from pipeline.maps import Map


def structure(experiment: Experiment) -> str:
    """A text that two experiments share exactly when one compiled program serves both.

    Python functions count by their identity, which is theirs as long as somebody keeps them.
    """
    chosen = {k: dict(v) for k, v in experiment.analyses.items()}
    return repr((iterated(experiment), experiment.iterate, chosen))


def iterated(experiment: Experiment) -> str:
    """The same of what is iterated alone, whatever is asked of it."""
    problem, solver = experiment.problem, experiment.solver
    swept = [(axis.name, axis.quantities) for axis in experiment.grid]
    fixed = {k: v for k, v in experiment.settings.items() if not solver.settings[k].swept}
    if isinstance(problem, Map):
        formulas: Any = (_texts(problem.equations), dict(problem.modulus), problem.escape_radius)
    else:
        formulas = (_texts(problem.main), problem.sense)
    if isinstance(problem, Map):
        formulas += ({k: (noise.kind, noise.scale.text) for k, noise in problem.noise.items()},)
    if (function := problem.function) is not None:
        # And by what JAX made of them just now: a variable that they read may have changed.
        formulas += (function.place, id(function.call), function.program)
    return repr(
        (
            problem.group,
            formulas,
            _texts(problem.definitions),
            problem.components,
            {k: _shape(v) for k, v in problem.parameters.items()},
            {k: _shape(v) for k, v in problem.initial.items()},
            swept,
            (solver.name, fixed),
            (experiment.device.platform, experiment.device.precision),
        )
    )


def _texts(formulas: Any) -> dict[str, str]:
    return {name: formula.text for name, formula in formulas.items()}


def _shape(value: Any) -> Any:
    if isinstance(value, Expression):
        return value.text
    return np.shape(value), bool(np.iscomplexobj(value))
