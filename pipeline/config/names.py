"""Names: components, parameters, definitions, axes and results share one namespace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.config.mistakes import Mistakes, plain
from pipeline.expressions import RESERVED

# Results and dimensions of all analyses, those to come included, so that an archive's names keep
# their meaning.
RESULTS = frozenset(
    """
    status iteration step_number cell lyapunov lyapunov_error kaplan_yorke_dimension exponent window
    period regime escape_iteration density density_outside basin basin_fraction attractor
    attractor_period attractor_kind attractor_point basin_entropy boundary_basin_entropy cycle
    cycle_period cycle_residual cycle_stable cycle_point multiplier multiplier_re multiplier_im
    objective_value objective_final residual_norm residual_norm_final step_norm steps inner_steps
    convergence_order convergence_rate critical_kind fixed_point_kind branch point
    """.split()
)
COUNTERS = {"n": "the number of steps done", "size": "the length of a vector component"}
_SUFFIXES = {
    "_final": "the final state",
    "_mean": "the mean",
    "_std": "the standard deviation",
    "_min": "the minimum",
    "_max": "the maximum",
    "_bin": "the bins of the density",
    "_dim": "the entries",
    "_re": "the real part",
    "_im": "the imaginary part",
    "0": "the initial value",
}


def identifier(mistakes: Mistakes, where: str, name: Any) -> bool:
    """Whether a key can name something; a mistake is noted where it cannot."""
    path = f"{where}.{plain(name)}"
    if isinstance(name, bool):
        mistakes.add(path, "YAML reads the keys on, off, yes and no as true and false; quote it")
    elif not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        mistakes.add(path, "a name has ASCII letters, digits and _ and begins with a letter")
    elif len(name) > 64:
        mistakes.add(path, "a name has at most 64 characters")
    elif name in COUNTERS:
        mistakes.add(path, f"the name is taken: in formulas it is {COUNTERS[name]}")
    elif name in RESERVED:
        mistakes.add(path, "the name is taken by a function, a constant or a keyword of formulas")
    elif name in RESULTS:
        mistakes.add(path, "the name is taken by a result or a dimension of the dataset")
    else:
        return True
    return False


def owners(components: Iterable[str]) -> dict[str, str]:
    """{name: what has it} of the names that components bring along."""
    return {
        f"{name}{suffix}": f"{what} of {name}"
        for name in components
        for suffix, what in _SUFFIXES.items()
    }


def clashes(mistakes: Mistakes, where: str, parts: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Note the names that two parts of a map or an objective share.

    Args:
        parts: {part of the document: its names}, the components (under "initial") first.

    Returns:
        {name: what has it}.
    """
    found = owners(parts["initial"])
    for part, names in parts.items():
        kind = "component" if part == "initial" else part.removesuffix("s")
        for name in names:
            if name in found:
                mistakes.add(f"{where}.{part}.{name}", f"the name is taken by {found[name]}")
        found = dict.fromkeys(names, f"the {kind} of that name") | found
    return found
