"""A name as matplotlib's mathtext shows it: Greek letters, subscripts, upright words."""

from __future__ import annotations

import re

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega varepsilon vartheta varphi varrho varsigma "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
_ESCAPED = {c: "\\" + c for c in "_{}%$"} | {" ": r"\ "}
# mathtext has no escape for the first six; the last two move what follows.
_UNKNOWN = frozenset("\"#&\\`~^'")


def upright(text: str) -> str:
    """Any text in upright letters; a question mark for what mathtext cannot show; never empty."""
    shown = (
        _ESCAPED.get(c, c if c.isascii() and c.isprintable() and c not in _UNKNOWN else "?")
        for c in text
    )
    return rf"\mathrm{{{''.join(shown) or _ESCAPED[' ']}}}"


def _part(text: str) -> str:
    """One piece of a name between underscores."""
    if text in GREEK:
        return "\\" + text
    if text.isdigit() or (len(text) == 1 and text.isascii() and text.isalnum()):
        return text
    return upright(text)


def pieces(name: str) -> tuple[str, list[str]]:
    """The letter of a name and its subscripts, each as mathtext."""
    base, *rest = name.removesuffix("_").split("_")
    if not base or not name.isidentifier() or not name.isascii():
        return upright(name), []
    numbered = re.fullmatch(r"([A-Za-z]+?)([0-9]+)", base)
    if numbered and (len(numbered[1]) == 1 or numbered[1] in GREEK):
        base, rest = numbered[1], [numbered[2], *rest]
    return _part(base), [_part(r) for r in rest if r]


def symbol(name: str) -> str:
    r"""One identifier: mu -> \mu, x_1 and x1 -> x_{1}, rate -> \mathrm{rate}."""
    base, below = pieces(name)
    return base + (f"_{{{','.join(below)}}}" if below else "")
