"""Pairs: the real numbers of a lane travel through the loop two by two, as complex ones.

XLA's CPU compiler makes a kernel of each array that a loop body returns, and each of them steps the
map again from the beginning of the body. Two reals in one complex number share a kernel. Nothing is
computed with the complex numbers, so the parts keep their bits.
"""

from __future__ import annotations

from typing import Any

# More than any code of one byte: a real number holds two of them.
CODES = 256


def pack(tree: Any) -> list[Any]:
    """The arrays [c] of a tree as few arrays.

    Real numbers go in pairs; integers lend a real their bits, or are exact as one; two truth values
    or codes (int8, never negative) share a real. All else stays as it is.
    """
    import jax

    arrays = jax.tree.leaves(tree)
    real, reals, integers, codes, others = _sorted(arrays)
    words = [arrays[i] for i in reals]
    words += [_bits(arrays[i], real) for i in integers]
    for couple in _couples([arrays[i].astype(real) for i in codes]):
        words.append(couple[0] + CODES * couple[1] if len(couple) == 2 else couple[0])
    pairs = [jax.lax.complex(*p) if len(p) == 2 else p[0] for p in _couples(words)]
    return [*pairs, *(arrays[i] for i in others)]


def unpack(packed: list[Any], like: Any) -> Any:
    """The tree again.

    Args:
        like: the shapes and types of its arrays.
    """
    import jax
    import jax.numpy as jnp

    shapes, structure = jax.tree.flatten(like)
    _, reals, integers, codes, others = _sorted(shapes)
    count = len(reals) + len(integers) + -(-len(codes) // 2)
    words: list[Any] = []
    for pair in packed[: -(-count // 2)]:
        words += [pair.real, pair.imag] if jnp.iscomplexobj(pair) else [pair]
    arrays = dict(zip(reals, words, strict=False))
    for i, word in zip(integers, words[len(reals) :], strict=False):
        arrays[i] = _bits(word, shapes[i].dtype)
    for couple, word in zip(_couples(codes), words[len(reals) + len(integers) :], strict=True):
        second = jnp.floor(word / CODES) if len(couple) == 2 else jnp.zeros_like(word)
        for i, code in zip(couple, (word - CODES * second, second), strict=False):
            arrays[i] = code.astype(shapes[i].dtype)
    arrays |= dict(zip(others, packed[-(-count // 2) :], strict=True))
    return jax.tree.unflatten(structure, [arrays[i] for i in range(len(shapes))])


def _sorted(arrays: list[Any]) -> tuple[Any, list[int], list[int], list[int], list[int]]:
    """(the real type, the places of reals, integers, codes and others)."""
    import jax.numpy as jnp

    inexact = [a.dtype for a in arrays if jnp.issubdtype(a.dtype, jnp.inexact)]
    real = jnp.finfo(inexact[0]).dtype
    places: dict[str, list[int]] = {"real": [], "integer": [], "code": [], "other": []}
    for i, array in enumerate(arrays):
        kind = "integer" if jnp.issubdtype(array.dtype, jnp.integer) else "other"
        if array.dtype == real:
            kind = "real"
        if array.dtype in (jnp.bool_, jnp.int8):
            kind = "code"
        places[kind if array.ndim == 1 else "other"].append(i)
    return real, places["real"], places["integer"], places["code"], places["other"]


def _couples(items: list[Any]) -> list[list[Any]]:
    return [items[i : i + 2] for i in range(0, len(items), 2)]


def _bits(array: Any, dtype: Any) -> Any:
    """The same bits in a type as wide, the same number in a wider or narrower one."""
    import jax

    if array.dtype.itemsize == dtype.itemsize:
        return jax.lax.bitcast_convert_type(array, dtype)
    return array.astype(dtype)
