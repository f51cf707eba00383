"""Names: components, parameters, definitions, axes and results share one namespace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pipeline.config.mistakes import Mistakes
from pipeline.expressions import RESERVED

# Results and dimensions of all analyses, those to come included, so that an archive's names keep
# their meaning.
RESULTS = frozenset(
    """
    status iteration step_number cell lyapunov lyapunov_error kaplan_yorke_dimension exponent window
    period regime escape_iteration density density_outside basin basin_fraction attractor
    attractor_period attractor_kind attractor_point basin_entropy boundary_basin_entropy cycle
    cycle_count cycle_search cycle_period cycle_residual cycle_stable cycle_point multiplier
    multiplier_re multiplier_im
    objective_value objective_final residual_norm residual_norm_final step_norm steps inner_steps
    memory_used step_length line_trials backtracks forcing hessian_products radius damping
    gain_ratio step_taken simplex_size bracket_width evaluations step_evaluations
    convergence_order convergence_rate critical_kind fixed_point_kind branch point
    rotation_number rotation_number_error record record_count record_iteration
    basin_fraction_error sensitivity
    lag frequency recurrence_rate determinism correlation_radius correlation_sum
    correlation_dimension correlation_dimension_error zero_one gali gali_iteration sali
    expansion_entropy expansion_entropy_error log_expansion expansion_step
    branch_count branch_search branch_period branch_origin branch_parent branch_points
    branch_begin branch_end branch_parameter branch_arclength branch_stable branch_multiplier_re
    branch_multiplier_im branch_cycle_point bifurcation bifurcation_count bifurcation_search
    bifurcation_type bifurcation_parameter bifurcation_period bifurcation_branch
    bifurcation_residual bifurcation_coefficient bifurcation_criticality bifurcation_angle
    cascade doubling cascade_parameter cascade_period cascade_delta cascade_alpha curve
    curve_count curve_search curve_type curve_period curve_points curve_point curve_begin
    curve_end curve_parameter curve_second curve_residual curve_coefficient curve_angle
    manifold manifold_count manifold_search manifold_stable manifold_period manifold_multiplier
    manifold_side manifold_end manifold_points manifold_point manifold_arclength
    """.split()
)
COUNTERS = {"n": "the number of steps done", "size": "the length of a vector component"}
_LONGEST = 64
_AFFIXES = {
    "{}_final": "the final state",
    "{}_mean": "the mean",
    "{}_std": "the standard deviation",
    "{}_min": "the minimum",
    "{}_max": "the maximum",
    "{}_bin": "the bins of the density",
    "{}_dim": "the entries",
    "{}_re": "the real part",
    "{}_im": "the imaginary part",
    "{}0": "the initial value",
    "{}_mean_error": "the error of the mean",
    "{}_autocorrelation": "the autocorrelation",
    "{}_spectrum": "the spectrum",
    "attractor_{}": "the attractors",
    "record_{}": "the recorded states",
    "cycle_{}": "the cycles",
    "branch_{}": "the branches",
    "bifurcation_{}": "the bifurcations",
    "curve_{}": "the curves",
    "manifold_{}": "the manifolds",
}


def fault(name: str) -> str | None:
    """Why a key cannot name anything, None where it can."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        # YAML parts {x: mod(a, 1)} at the comma.
        advice = "; a formula with a comma wants quotes" if re.search(r"[()\[\]]", name) else ""
        return f"a name has ASCII letters, digits and _ and begins with a letter{advice}"
    if len(name) > _LONGEST:
        return f"a name has at most {_LONGEST} characters"
    if name in COUNTERS:
        return f"the name is taken: in formulas it is {COUNTERS[name]}"
    if name in RESERVED:
        return "the name is taken by a function, a constant or a keyword of formulas"
    if name in RESULTS:
        return "the name is taken by a result or a dimension of the dataset"
    return None


def identifier(mistakes: Mistakes, where: str, name: str) -> bool:
    """Whether a key can name something; a mistake is noted where it cannot."""
    reason = fault(name)
    if reason:
        mistakes.add(f"{where}.{name}", reason)
    return reason is None


def owners(components: Iterable[str]) -> dict[str, str]:
    """{name: what has it} of the names that components bring along."""
    return {
        affix.format(name): f"{what} of {name}"
        for name in components
        for affix, what in _AFFIXES.items()
    }


def clashes(mistakes: Mistakes, where: str, parts: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Note the names that two parts of a map or an objective share.

    Args:
        parts: {part of the document: its names}, the components (under "initial") first.

    Returns:
        {name: what has it}.
    """
    for name in parts["initial"]:
        taken = [(own, what) for own, what in owners([name]).items() if own in RESULTS]
        if taken:
            own, what = taken[0]
            reason = f"{own}, {what}, would have the name of a result; give it another"
            mistakes.add(f"{where}.initial.{name}", reason)
    found = owners(parts["initial"])
    for part, names in parts.items():
        kind = "component" if part == "initial" else part.removesuffix("s")
        for name in names:
            if name in found:
                mistakes.add(f"{where}.{part}.{name}", f"the name is taken by {found[name]}")
        found = dict.fromkeys(names, f"the {kind} of that name") | found
    return found
