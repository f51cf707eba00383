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


def scaled(factor: Any) -> Any:
    """A function that closes over a number."""

    def line(x: Any) -> Any:
        return factor * x

    return line
