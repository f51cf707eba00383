"""Solvers turn maps and objectives into iterations. A new one is a module and an entry."""

from __future__ import annotations

from pipeline.solvers import direct, gradient, newton, newton_cg
from pipeline.solvers.iteration import Iteration, Solver

__all__ = ["TABLE", "Iteration", "Solver"]

TABLE: dict[str, Solver] = {
    module.SOLVER.name: module.SOLVER for module in (direct, gradient, newton, newton_cg)
}
