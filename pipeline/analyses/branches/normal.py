"""Normal forms: the coefficient that decides which side of a bifurcation its new cycles are on.

Kuznetsov, Elements of Applied Bifurcation Theory, sections 4.2, 4.7, 5.4; vectors have length 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pipeline.analyses.branches.family import Family


class Terms(NamedTuple):
    """Contractions of derivatives of g^p with a left vector; each is [2], real and imaginary part.

    Attributes:
        quadratic: <p, B(q, q)>.
        cubic: <p, C(q, q, q̄)>.
        mean: <p, B(q, (1 - A)^-1 B(q, q̄))>; where 1 - A is singular, of what it can be solved for.
        double: <p, B(q̄, (μ² - A)^-1 B(q, q))>.
        crossing: [3] real, <p, F''(s, s)>, <p, F''(s, t)>, <p, F''(t, t)> of two directions in the
            space of states and parameter.
    """

    quadratic: Any
    cubic: Any
    mean: Any
    double: Any
    crossing: Any


def terms(
    maps: Family,
    u: Any,
    level: Any,
    period: Any,
    vector: Any,
    left: Any,
    angle: Any,
    directions: Any,
) -> Terms:
    """At one point of a cycle.

    Args:
        vector, left: [2, d] q, and p's conjugate; real and imaginary part.
        angle: of the multiplier μ.
        directions: [2, d + 1] s and t.
    """
    import jax
    import jax.numpy as jnp

    size = u.size
    whole = jnp.concatenate([u, level[None]])

    def image(w: Any) -> Any:
        turn = lambda _, v: maps.advance(v, w[size:])  # noqa: E731  # shorter than its name
        return jax.lax.fori_loop(0, period, turn, w[:-1])

    def first(w: Any, x: Any) -> Any:
        return jax.jvp(image, (w,), (x,))[1]

    def second(w: Any, x: Any, y: Any) -> Any:
        return jax.jvp(lambda w: first(w, x), (w,), (y,))[1]

    def third(x: Any, y: Any, z: Any) -> Any:
        return jax.jvp(lambda w: second(w, x, y), (whole,), (z,))[1]

    def still(x: Any) -> Any:
        return jnp.concatenate([x, jnp.zeros(1, x.dtype)])

    def bilinear(xs: list[Any], ys: list[Any]) -> Any:
        return jax.vmap(lambda x, y: second(whole, x, y))(jnp.stack(xs), jnp.stack(ys))

    def product(x: Any, y: Any) -> Any:
        """B of complex vectors."""
        (a, b), (c, d) = ((still(z.real), still(z.imag)) for z in (x, y))
        ac, bd, ad, bc = bilinear([a, b, a, b], [c, d, d, c])
        return ac - bd + 1j * (ad + bc)

    a, b = still(vector[0]), still(vector[1])
    q, p = vector[0] + 1j * vector[1], left[0] + 1j * left[1]
    matrix = jax.vmap(lambda x: first(whole, still(x)), out_axes=1)(jnp.eye(size, dtype=u.dtype))
    eye = jnp.eye(size, dtype=q.dtype)
    triples = (jnp.stack([a, a, a, b]), jnp.stack([a, a, b, b]), jnp.stack([a, b, b, b]))
    aaa, aab, abb, bbb = jax.vmap(third)(*triples)
    flat, wave = product(q, jnp.conj(q)), product(q, q)
    # Beside a multiplier 1, in the direction of its vector nothing is solved.
    on_it = jnp.abs(angle) < 1e-3
    within = jnp.where(on_it, flat - q * (p @ flat), flat)
    slow = eye - matrix + jnp.where(on_it, 1, 0) * jnp.outer(q, p)
    fast = jnp.exp(2j * angle) * eye - matrix
    twice = fast + jnp.where(jnp.abs(jnp.sin(angle)) < 1e-3, 1, 0) * eye
    mean = product(q, jnp.linalg.solve(slow, within))
    double = product(jnp.conj(q), jnp.linalg.solve(twice, wave))
    s, t = directions

    def both(value: Any) -> Any:
        return jnp.stack([value.real, value.imag])

    return Terms(
        both(p @ wave),
        both(p @ (aaa + abb + 1j * (aab + bbb))),
        both(p @ mean),
        both(p @ double),
        bilinear([s, s, t], [s, t, t]) @ left[0],
    )
