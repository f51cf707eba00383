"""The sentences that say what would be right in place of something refused."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

CHARACTERS: Mapping[str, str] = {
    "^": "powers are written **, not ^",
    "&": "`and` joins conditions, not &",
    "|": "`or` joins conditions, not |; the absolute value is abs(x)",
    "~": "`not` reverses a condition, not ~",
    "!": "`not` reverses a condition, and unequal is written !=",
    "=": "a formula assigns nothing; a comparison is written ==",
    ":": "a colon has its place only in a slice, x[1:3]",
    ".": "a formula has no attributes (x.y); functions are called by name, sin(x)",
    "{": "braces have no place in a formula; group with ( )",
    "}": "braces have no place in a formula; group with ( )",
    "'": "a formula has no text, only numbers, names and functions",
    '"': "a formula has no text, only numbers, names and functions",
    ";": "a formula is one expression, without ;",
    "\\": "no \\ is needed: a formula may simply go on in the next line",
    "?": "a choice is written where(condition, a, b)",
    "\u00d7": "a product is written *",
    "\u00b7": "a product is written *",
    "\u22c5": "a product is written *",
    "\u2217": "a product is written *",
    "\u00f7": "a quotient is written /",
    "\u2212": "minus is written with the keyboard's -",
    "\u2013": "minus is written with the keyboard's -",
    "\u2014": "minus is written with the keyboard's -",
    "\u00b2": "powers are written **2",
    "\u00b3": "powers are written **3",
    "\u221a": "a square root is written sqrt(x)",
    "\u03c0": "this constant is written pi",
    "\u2264": "write <=",
    "\u2265": "write >=",
    "\u2260": "write !=",
    "\u00a0": "this is a non-breaking space; write an ordinary one",
    "\u221e": "there is no infinity in a formula",
}

OPERATORS: Mapping[str, str] = {
    "&&": "`and` joins conditions, not &&",
    "||": "`or` joins conditions, not ||",
    ":=": "a formula assigns nothing; name a part of it under definitions",
    "<<": "there are no shifts in a formula; multiply by 2**k",
    ">>": "there are no shifts in a formula; divide by 2**k",
    "->": "-> has no place in a formula",
    "=>": "a comparison is written >=, not =>",
    "=<": "a comparison is written <=, not =<",
    "<>": "unequal is written !=",
    "...": "an index is an integer or a slice, not ...",
}

_CHOICE = "a choice is written where(condition, a, b)"
_LOOP = "a formula has no loops; sums over entries are written sum(x), prod(x), dot(a, b)"
WORDS: Mapping[str, str] = {
    "if": _CHOICE,
    "else": _CHOICE,
    "elif": _CHOICE,
    "for": _LOOP,
    "while": _LOOP,
    "in": _LOOP,
    "is": "a comparison is written ==",
    "True": "write 1 for true",
    "False": "write 0 for false",
    "None": "a formula gives a number, never None",
    "lambda": "`lambda` is a word of Python's; a quantity of this kind is usually called lam",
}

_ALIASES: Mapping[str, str] = {
    "ln": "the natural logarithm is written log(x)",
    "lg": "the logarithm to base 10 is written log10(x)",
    "asin": "write arcsin(x)",
    "acos": "write arccos(x)",
    "atan": "write arctan(x)",
    "atan2": "write arctan2(y, x)",
    "asinh": "write arcsinh(x)",
    "acosh": "write arccosh(x)",
    "atanh": "write arctanh(x)",
    "tg": "write tan(x)",
    "pow": "powers are written x**y",
    "power": "powers are written x**y",
    "square": "powers are written x**2",
    "fabs": "write abs(x)",
    "absolute": "write abs(x)",
    "sgn": "write sign(x)",
    "angle": "write arg(z)",
    "phase": "write arg(z)",
    "conjugate": "write conj(z)",
    "complex": "a complex number is written x + 1j*y",
    "array": "an array is written [a, b]",
    "fmod": "write mod(x, y) or x % y",
    "remainder": "write mod(x, y) or x % y",
    "identity": "write eye(n)",
    "matmul": "a matrix product is written A @ x",
    "len": "the number of entries is called size",
    "PI": "this constant is written pi",
    "Pi": "this constant is written pi",
    "i": "the imaginary unit is written 1j",
    "I": "the imaginary unit is written 1j",
    "j": "the imaginary unit is written 1j",
    "inf": "there is no infinity in a formula",
    "nan": "there is no nan in a formula",
}

_LISTED = 60


def character(c: str) -> str:
    """Why this character has no place in a formula."""
    if c in CHARACTERS:
        return CHARACTERS[c]
    if c.isprintable() and c.isascii():
        return f"{c} has no place in a formula"
    shown = f"{c} " if c.isprintable() else ""
    return (
        f"the character {shown}(U+{ord(c):04X}) has no place in a formula; "
        "names are made of the letters a-z, A-Z, digits and _"
    )


def word(name: str) -> str:
    """Why this word of Python's has no place in a formula."""
    return WORDS.get(name, f"`{name}` has no place in a formula")


def unknown(kind: str, name: str, known: Collection[str]) -> str:
    """There is no such name or function: the nearest one, then all there are."""
    names = sorted(known)
    alias = _ALIASES.get(name)
    near = difflib.get_close_matches(name[:40], names, n=1, cutoff=0.6)
    same = [k for k in names if k.lower() == name.lower()]
    if alias:
        guess = f"; {alias}"
    elif same or near:
        guess = f'; did you mean "{(same or near)[0]}"?'
    else:
        guess = ""
    listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    return f'no {kind} called "{name[:40]}"{guess} (known: {listed})'
