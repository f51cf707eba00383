"""Solvers turn maps and objectives into iterations. A new one is a module and an entry."""

from __future__ import annotations

from pipeline.solvers import (
    aitken,
    anderson,
    bisection,
    chord,
    direct,
    gauss_newton,
    gradient,
    gradient_armijo,
    gradient_exact,
    halley,
    levenberg_marquardt,
    momentum,
    nelder_mead,
    nesterov,
    newton,
    newton_cg,
    optax,
    optimistix,
    relaxed,
    secant,
    steffensen,
    trust_region,
)
from pipeline.solvers.iteration import Iteration, Solver

__all__ = ["TABLE", "Iteration", "Solver"]

_MODULES = (
    direct,
    relaxed,
    aitken,
    steffensen,
    anderson,
    gradient,
    gradient_exact,
    gradient_armijo,
    momentum,
    nesterov,
    secant,
    chord,
    newton,
    newton_cg,
    trust_region,
    gauss_newton,
    levenberg_marquardt,
    halley,
    bisection,
    nelder_mead,
)
_OWN = (module.SOLVER for module in _MODULES)
TABLE: dict[str, Solver] = {
    solver.name: solver for solver in (*_OWN, *optimistix.SOLVERS, *optax.SOLVERS)
}
