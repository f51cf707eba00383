"""Read a formula's text token by token, so that most mistakes are found where they were made.

What passes is ASCII of one line, as long as the text, in which each token may follow the one
before it; Python's own parser then has little left to object to.
"""

from __future__ import annotations

import keyword
import re
from typing import NoReturn

from pipeline.errors import ExpressionError
from pipeline.expressions import hints, limits

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+|\#[^\n]*)
      | (?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?[jJ]?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<wrong>&&|\|\||:=|<<|>>|->|=>|=<|<>|\.\.\.)
      | (?P<operator>\*\*|//|<=|>=|==|!=|[-+*/%@<>()\[\],:=])
    """,
    re.VERBOSE,
)
_CLOSES = {")": "(", "]": "["}
_PUNCTUATION = frozenset("( ) [ ] , : =".split())
_WORDS = frozenset({"and", "or", "not"})


class _Reader:
    """Where the reading stands: the token before, whether a value ended, the open brackets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.before: list[tuple[str, str]] = [("", ""), ("", "")]
        self.value = False
        self.end = 0
        self.open: list[tuple[str, int]] = []
        self.operators = 0

    def refuse(self, reason: str, offset: int) -> NoReturn:
        raise ExpressionError(self.text, reason, offset)

    def take(self, kind: str, token: str, offset: int) -> None:
        if kind == "name" and token in _WORDS:
            kind = "operator"
        if kind == "name" and keyword.iskeyword(token):
            self.refuse(hints.word(token), offset)
        if kind == "wrong":
            self.refuse(hints.OPERATORS[token], offset)
        if kind == "operator":
            self._operator(token, offset)
        else:
            self._operand(kind, token, offset)
        self.before = [self.before[1], (kind, token)]
        self.end = offset + len(token)

    def _operand(self, kind: str, token: str, offset: int) -> None:
        if self.value:
            self._product(token, offset)
        if kind == "number":
            if len(token) > limits.LITERAL:
                self.refuse(f"a number has at most {limits.LITERAL} characters", offset)
            if re.fullmatch(r"0[0-9_]*[1-9][0-9_]*", token):
                self.refuse(f"a number has no leading zeros: {token.lstrip('0_')}", offset)
        self.value = True

    def _product(self, token: str, offset: int) -> NoReturn:
        """Two values side by side."""
        left = self.before[1][1]
        if left == "0" and self.end == offset and token[0] in "xXbBoO":
            self.refuse("numbers are written in decimal", offset - 1)
        left = {")": "(...)", "]": "[...]"}.get(left, left)[:20]
        right = {"(": "(...)", "[": "[...]"}.get(token, token)[:20]
        self.refuse(
            f"an operator is missing before {token[:20]}; a product is written {left}*{right}",
            offset,
        )

    def _operator(self, token: str, offset: int) -> None:
        self.operators += token not in _PUNCTUATION
        if self.operators > limits.OPERATORS:
            self.refuse(f"the formula has more than {limits.OPERATORS} operators", offset)
        if token in ("(", "["):
            self._bracket(token, offset)
        elif token in (")", "]"):
            self._close(token, offset)
        elif token == "=":
            self._keyword(offset)
        elif token in (",", ":"):
            self._separate(token, offset)
        elif token == "not" or (token in "+-" and not self.value):
            if self.value:
                self.refuse("`not` stands before a condition, not after a value", offset)
        elif not self.value:
            self._missing(token, offset)
        else:
            self.value = False
            if token in _WORDS and self.before[1][0] == "number" and self.end == offset:
                self.refuse(f"put a space before `{token}`", offset)

    def _bracket(self, token: str, offset: int) -> None:
        kind = self.before[1][0]
        if self.value and (kind == "number" or (token == "(" and kind != "name")):
            self._product(token, offset)
        if len(self.open) >= limits.DEPTH:
            self.refuse(f"more than {limits.DEPTH} brackets inside one another", offset)
        role = "group"
        if self.value:
            role = "call" if token == "(" else "index"
        self.open.append((token + role, offset))
        self.value = False

    def _close(self, token: str, offset: int) -> None:
        if not self.open:
            self.refuse(f"nothing opens this {token}", offset)
        opened, _ = self.open[-1]
        if opened[0] != _CLOSES[token]:
            right = ")" if opened[0] == "(" else "]"
            self.refuse(f"{opened[0]} is closed by {right}, not by {token}", offset)
        last = self.before[1][1]
        empty_call = opened == "(call" and last == "("
        if not self.value and last not in (",", ":") and not empty_call:
            self._missing(token, offset)
        self.open.pop()
        self.value = True

    def _keyword(self, offset: int) -> None:
        inside = self.open and self.open[-1][0] == "(call"
        if not (inside and self.before[1][0] == "name" and self.before[0][1] in ("(", ",")):
            self.refuse(hints.CHARACTERS["="], offset)
        self.value = False

    def _separate(self, token: str, offset: int) -> None:
        if not self.open:
            if token == ":":
                self.refuse(hints.CHARACTERS[":"], offset)
            self.refuse("a formula gives one value; an array is written [a, b]", offset)
        if token == ":" and self.open[-1][0] != "[index":
            self.refuse(hints.CHARACTERS[":"], offset)
        if not self.value and not (self.open[-1][0] == "[index" and self.before[1][1] in ":[,"):
            self._missing(token, offset)
        if token == "," and not self.value and self.before[1][1] != ":":
            self._missing(token, offset)
        self.value = False

    def _missing(self, token: str, offset: int) -> NoReturn:
        if token in ("*", "**") and self.before[1][1] in ("(", ",", "["):
            self.refuse("a list cannot be spread into arguments with *", offset)
        self.refuse(f"a value is missing before {token}", offset)

    def finish(self) -> None:
        if self.open:
            token, offset = self.open[-1]
            self.refuse(f"this {token[0]} is never closed", offset)
        if not self.value:
            if not self.before[1][1]:
                self.refuse("the formula is empty", 0)
            self.refuse("the formula ends where a value should follow", self.end)


def read(text: str) -> str:
    """The text with line breaks and comments blanked: same length, ASCII, one line.

    Raises:
        ExpressionError: at the first token that cannot stand where it stands.
    """
    if len(text) > limits.LENGTH:
        reason = f"the formula has {len(text)} characters; at most {limits.LENGTH} are allowed"
        raise ExpressionError(text[: limits.LENGTH], reason, 0)
    reader = _Reader(text)
    pieces, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            reader.refuse(hints.character(text[position]), position)
        kind, token = match.lastgroup or "", match.group()
        if kind == "blank":
            pieces.append(" " * len(token))
        else:
            reader.take(kind, token, position)
            pieces.append(token)
        position = match.end()
    reader.finish()
    return "".join(pieces)
