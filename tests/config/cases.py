"""What the tests of config share: a small document, and the mistakes that are told of one."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.errors import ConfigError
from pipeline.experiment import Experiment

LOGISTIC: dict[str, Any] = {
    "map": {
        "name": "mine",
        "equations": {"x": "a*x*(1 - x)"},
        "parameters": {"a": 3.2},
        "initial": {"x": 0.1},
    },
    "solver": {"name": "direct"},
    "analysis": {"orbit": {}},
}
QUADRATIC: dict[str, Any] = {
    "map": {
        "name": "mine",
        "equations": {"z": "z**2 + c"},
        "parameters": {"c": "-0.1+0.7j"},
        "initial": {"z": "0j"},
    },
    "solver": {"name": "direct"},
    "analysis": {"final": {}},
}
VECTOR: dict[str, Any] = {
    "objective": {
        "name": "mine",
        "expression": "(x - c) @ A @ (x - c)",
        "parameters": {"c": [3, 7], "A": [[3, 2], [2, 7]]},
        "initial": {"x": [0, 0]},
    },
    "solver": {"name": "gradient"},
}


def changed(document: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A copy with values put in: changed(d, map__parameters__a=3) sets map.parameters.a."""
    result = copy.deepcopy(document)
    for path, value in values.items():
        *parents, last = path.split("__")
        node = result
        for key in parents:
            node = node.setdefault(key, {})
        node[last] = value
    return result


def read(document: dict[str, Any], **values: Any) -> Experiment:
    """The experiment of a document with values put in."""
    return config.read(changed(document, **values))


def mistakes(document: Any, **values: Any) -> list[str]:
    """What is told of it."""
    with pytest.raises(ConfigError) as caught:
        config.read(changed(document, **values))
    return list(caught.value.mistakes)


def refused(overrides: Sequence[str], folder: Path | None = None) -> list[str]:
    """What is told of overrides."""
    with pytest.raises(ConfigError) as caught:
        config.read(config.compose(overrides, folder))
    return list(caught.value.mistakes)
