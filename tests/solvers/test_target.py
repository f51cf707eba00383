"""What solvers aim at: residuals, merits and the kinds of points they end at."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.solvers import TABLE
from pipeline.solvers.target import CLASSIFIED, aim
from pipeline.status import CriticalKind, FixedPointKind
from tests.runs import experiment

# Exact identities.
ROUNDING = 1e-12


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    """Double precision."""
    with jax.enable_x64(True):
        yield


def critical(expression: str, *point: float) -> CriticalKind:
    """The kind of a point of an objective of x, y, ..."""
    initial = dict(zip("xyz", point, strict=False))
    f = experiment(objective={"expression": expression, "initial": initial}, solver="newton")
    target = aim(f.problem, {})
    assert float(jnp.max(jnp.abs(target.residual(jnp.array(point))))) == 0
    return CriticalKind(int(target.classify(jnp.array(point, float))))


@pytest.mark.parametrize(
    ("expression", "point", "kind"),
    [
        ("x**2 + y**2", (0.0, 0.0), "minimum"),
        ("2 - x**2 - 3*y**2 + x*y", (0.0, 0.0), "maximum"),
        ("x*y", (0.0, 0.0), "saddle"),
        ("x**2 - y**2 + z**2", (0.0, 0.0, 0.0), "saddle"),
        # A flat direction, whatever the others are.
        ("x**2 + y**4", (0.0, 0.0), "degenerate"),
        ("x**2 - y**2 + z**4", (0.0, 0.0, 0.0), "degenerate"),
        # The monkey saddle has no curvature at all.
        ("x**3 - 3*x*y**2", (0.0, 0.0), "degenerate"),
        ("x**2", (0.0,), "minimum"),
        ("x**4", (0.0,), "degenerate"),
        # An eigenvalue counts as zero below 1e-8 of the largest, of either sign.
        ("x**2 + 1.1e-8*y**2", (0.0, 0.0), "minimum"),
        ("x**2 + 0.9e-8*y**2", (0.0, 0.0), "degenerate"),
        ("x**2 - 1.1e-8*y**2", (0.0, 0.0), "saddle"),
        ("x**2 - 0.9e-8*y**2", (0.0, 0.0), "degenerate"),
        ("-1.1e-8*x**2 - y**2", (0.0, 0.0), "maximum"),
        # The rule is relative: a small objective has kinds too.
        ("1e-30*(x**2 + y**2)", (0.0, 0.0), "minimum"),
    ],
)
def test_the_kind_of_a_stationary_point(
    expression: str, point: tuple[float, ...], kind: str
) -> None:
    assert critical(expression, *point).name == kind


@pytest.mark.parametrize("sense", ["minimise", "maximise"])
def test_kinds_refer_to_the_objective_as_written(sense: str) -> None:
    """The sense turns the merit alone."""
    described = {"expression": "-x**2 - 2*y**2", "initial": {"x": 1, "y": 1}, "sense": sense}
    target = aim(experiment(objective=described, solver="newton").problem, {})
    sign = 1 if sense == "minimise" else -1
    u = jnp.array([1.0, 1.0])
    residual = target.residual(u)
    assert residual.tolist() == [-2, -4]
    assert target.merit_gradient(u, residual).tolist() == [-2 * sign, -4 * sign]
    assert int(target.classify(jnp.zeros(2))) == CriticalKind.maximum


def kind_of(equations: dict[str, str], point: tuple[float, ...]) -> FixedPointKind:
    """The kind of a fixed point of a map of x, y, ..."""
    initial = dict(zip(equations, point, strict=True))
    g = experiment(map={"equations": equations, "initial": initial})
    target = aim(g.problem, {})
    assert target.residual(jnp.array(point)).tolist() == pytest.approx([0] * len(point))
    return FixedPointKind(int(target.classify(jnp.array(point, float))))


@pytest.mark.parametrize(
    ("equations", "point", "kind"),
    [
        ({"x": "0.5*x"}, (0.0,), "attracting"),
        ({"x": "-0.999999*x"}, (0.0,), "attracting"),
        ({"x": "-1.000001*x"}, (0.0,), "repelling"),
        ({"x": "-x"}, (0.0,), "neutral"),
        ({"x": "x - x**3"}, (0.0,), "neutral"),
        ({"x": "0*x"}, (0.0,), "attracting"),
        # A rotation by a right angle: both moduli are 1.
        ({"x": "1 - y", "y": "x"}, (0.5, 0.5), "neutral"),
        # Spirals: a pair of complex multipliers of modulus 0.9 and 1.1.
        ({"x": "-0.9*y", "y": "0.9*x"}, (0.0, 0.0), "attracting"),
        ({"x": "-1.1*y", "y": "1.1*x"}, (0.0, 0.0), "repelling"),
        ({"x": "2*x", "y": "0.5*y"}, (0.0, 0.0), "saddle"),
        # Neither attracting nor repelling where one modulus is 1 and none is on the other side.
        ({"x": "x", "y": "0.5*y"}, (0.0, 0.0), "neutral"),
        ({"x": "x", "y": "2*y"}, (0.0, 0.0), "neutral"),
        # Both sides at once are a saddle, whatever else there is.
        ({"x": "x", "y": "2*y", "z": "0.5*z"}, (0.0, 0.0, 0.0), "saddle"),
        # A shear is not normal: its eigenvalues decide, not its norm.
        ({"x": "0.5*x + 100*y", "y": "0.5*y"}, (0.0, 0.0), "attracting"),
    ],
)
def test_the_kind_of_a_fixed_point(
    equations: dict[str, str], point: tuple[float, ...], kind: str
) -> None:
    assert kind_of(equations, point).name == kind


def test_the_residual_of_a_map_and_its_merit() -> None:
    """g(x) - x, and its transposed Jacobian times it: the gradient of |g(x) - x|^2 / 2."""
    g = experiment(map={"equations": {"x": "2*x + y", "y": "x - y"}, "initial": {"x": 0, "y": 0}})
    target = aim(g.problem, {})
    u = jnp.array([3.0, 5.0])
    residual = target.residual(u)
    jacobian = np.array([[1, 1], [1, -2]])
    assert residual.tolist() == (jacobian @ [3, 5]).tolist()
    assert target.merit_gradient(u, residual).tolist() == (jacobian.T @ residual).tolist()
    assert target.value is None


def test_large_problems_have_no_kind() -> None:
    """No Jacobian beyond the size that is classified, and one at that size."""
    for size, kind in ((CLASSIFIED + 1, CriticalKind.none), (50, CriticalKind.minimum)):
        described = {"expression": "dot(x, x)", "initial": {"x": {"value": 1, "size": size}}}
        target = aim(experiment(objective=described, solver="newton_cg").problem, {})
        assert int(target.classify(jnp.zeros(size))) == kind


def test_residuals_are_those_whose_squares_make_the_objective() -> None:
    """Rosenbrock's two; a map's are g(u) - u; an objective with an expression has none."""
    start = {"x": 0.5, "y": 2.0}
    given = {"residuals": "[10*(y - x**2), 1 - x]", "initial": start}
    u = jnp.array([0.5, 2.0])
    squares = aim(experiment(objective=given, solver="newton").problem, {})
    assert squares.residuals is not None
    np.testing.assert_allclose(squares.residuals(u), [17.5, 0.5], rtol=ROUNDING)
    rotation = {"equations": {"x": "y", "y": "-x"}, "initial": start}
    fixed = aim(experiment(map=rotation, solver="newton").problem, {})
    assert fixed.residuals is not None
    np.testing.assert_array_equal(fixed.residuals(u), [1.5, -2.5])
    given = {"expression": "x**2 + y**2", "initial": start}
    assert aim(experiment(objective=given, solver="newton").problem, {}).residuals is None


def test_a_solver_of_least_squares_takes_what_has_residuals() -> None:
    least_squares = dataclasses.replace(TABLE["newton"], needs_residuals=True)
    start = {"x": 1.0}
    whole = experiment(objective={"expression": "x**2", "initial": start}, solver="newton").problem
    squares = experiment(objective={"residuals": "x", "initial": start}, solver="newton").problem
    root = experiment(map={"equations": {"x": "x**2"}, "initial": start}, solver="newton").problem
    reason = "it takes an objective that is given by its residuals"
    assert least_squares.refuse(whole) == reason
    assert least_squares.refuse(squares) is None
    assert least_squares.refuse(root) is None
    assert TABLE["newton"].refuse(whole) is None
