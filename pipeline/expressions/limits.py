"""The bounds that keep a formula from exhausting time, stack or memory."""

from __future__ import annotations

LENGTH = 10_000
"""Characters of a formula."""

DEPTH = 100
"""Nested operations; a chain such as a + b + c + ... is one level."""

OPERATORS = 1000
"""Operators of a formula: Python's parser and its tree hold so many at every depth of calls."""

LITERAL = 100
"""Characters of one number: enough for every double, far too few to be slow."""

EXPONENT = 1024
"""Largest |k| for which x**k becomes multiplications: twenty of them."""

EXACT = 2**53
"""Integers beyond this become floats: doubles hold all integers up to here."""

BUILT = 10**7
"""Elements of an array that a formula makes from nothing (zeros, eye, arange, ...)."""

ELEMENTS = 10**8
"""Elements of any intermediate result, and of all those kept while one formula is evaluated."""
