"""The nodes of a checked formula: each knows where it stands in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, or one of the constants; `text` is how it was written."""

    offset: int
    value: int | float | complex
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A declared quantity."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """`symbol` is +, - or not."""

    offset: int
    symbol: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Link:
    """One operator of a series or of a comparison, with the operand to its right."""

    offset: int
    symbol: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Series:
    """((first op a) op b) op c: binary operators from left to right, kept flat.

    A sum of a thousand terms is a thousand levels deep as a tree of pairs.
    """

    offset: int
    first: Node
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """first < a <= b ...: every neighbouring pair must hold."""

    offset: int
    first: Node
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """`symbol` is `and` or `or`."""

    offset: int
    symbol: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """start:stop:step inside an index; None where one is left out."""

    offset: int
    start: Node | None
    stop: Node | None
    step: Node | None


@dataclass(frozen=True, slots=True)
class Index:
    """operand[items]."""

    offset: int
    operand: Node
    items: tuple[Node | Slice, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """function(arguments, axis=axis); the list given to stack or concatenate is spread out."""

    offset: int
    function: str
    arguments: tuple[Node, ...]
    axis: Node | None = None


@dataclass(frozen=True, slots=True)
class Array:
    """[a, b, ...]: the entries along a new first axis."""

    offset: int
    items: tuple[Node, ...]


Node = Number | Name | Unary | Series | Comparison | Logic | Index | Call | Array


def walk(node: Node | Slice) -> Iterator[Node | Slice]:
    """The node, and all nodes below it."""
    yield node
    for field in fields(node):
        part = getattr(node, field.name)
        for below in part if isinstance(part, tuple) else (part,):
            inner = below.operand if isinstance(below, Link) else below
            if isinstance(inner, Node | Slice):
                yield from walk(inner)
