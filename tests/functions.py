"""Python functions in the place of formulas, for the tests, and the documents around them."""

from __future__ import annotations

from typing import Any

HENON: dict[str, Any] = {
    "parameters": {"a": 1.4, "b": 0.3},
    "initial": {"x": 0.1, "y": 0.1},
}


def henon(x: Any, y: Any, a: Any, b: Any) -> dict[str, Any]:
    """The map of the plane."""
    return {"x": 1 - a * x**2 + y, "y": b * x}


def valley(x: Any, y: Any, b: Any = 100) -> Any:
    """Rosenbrock's function."""
    return (1 - x) ** 2 + b * (y - x**2) ** 2


def misses(x: Any, y: Any) -> list[Any]:
    """What its terms are the squares of."""
    return [10 * (y - x**2), 1 - x]


def scaled(factor: Any) -> Any:
    """A function that closes over a number."""

    def line(x: Any) -> Any:
        return factor * x

    return line
