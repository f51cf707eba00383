"""Together: the wishes of many seekings, answered in the same compiled calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pipeline.analyses.attractors.seek import Ask, Found, Seeking


def together(
    programs: Mapping[str, Callable[..., Any]], seekings: Mapping[int, Seeking]
) -> dict[int, Found]:
    """{cell: what its seeking has found}.

    Args:
        programs: {name: (cells [k], *inputs [k, ...]) -> outputs [k, ...]}.
        seekings: {cell of the parameter axes: its seeking}.
    """
    found: dict[int, Found] = {}
    answers: dict[int, Any] = dict.fromkeys(seekings)
    while answers:
        asks: dict[int, Ask] = {}
        for cell, answer in answers.items():
            try:
                asks[cell] = seekings[cell].send(answer)
            except StopIteration as end:
                found[cell] = end.value
        answers = {}
        for name in programs:
            answers |= _answered(
                programs[name], {c: a for c, a in asks.items() if a.program == name}
            )
    return found


def _answered(program: Callable[..., Any], asks: Mapping[int, Ask]) -> dict[int, Any]:
    """{cell: the outputs of its rows}."""
    import jax

    if not asks:
        return {}
    counts = [len(ask.inputs[0]) for ask in asks.values()]
    cells = np.repeat(np.array(list(asks)), counts)
    columns = zip(*(ask.inputs for ask in asks.values()), strict=True)
    outputs = program(cells, *(np.concatenate(column) for column in columns))
    ends = np.cumsum(counts)
    return {
        cell: jax.tree.map(lambda a, e=end, n=count: a[e - n : e], outputs)
        for cell, count, end in zip(asks, counts, ends, strict=True)
    }
