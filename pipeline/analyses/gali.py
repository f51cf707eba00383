"""GALI: whether deviation vectors fall into one direction, as in chaos, or stay apart.

Skokos, Bountis and Antonopoulos 2007, doi:10.1016/j.physd.2007.04.004. Unit vectors that the
tangent map carries along, each brought back to length 1 and none turned, span a parallelepiped;
its volume, the product of the singular values of the matrix that they make, is the generalised
alignment index GALI_k. It falls as exp(-n ((l1 - l2) + ... + (l1 - lk))) in chaos. On a torus of
dimension s it stays about constant for k up to s, and falls as a power of n for more. SALI is the
smaller one of the two diagonals of two such vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline.analyses import lyapunov, tangents
from pipeline.analyses.analysis import Analysis, Subject
from pipeline.analyses.average import refuse as averaged
from pipeline.analyses.fold import End, Fold, Seen
from pipeline.arrays import Variable
from pipeline.settings import Setting
from pipeline.state import State
from pipeline.status import Status

# The iteration of what has not happened.
NEVER = -1
MOST = 64


class Kept(NamedTuple):
    """The vectors, the index now, and when it fell below the threshold."""

    vectors: tuple[State, ...]
    index: Any
    fell: Any


def _size(subject: Subject) -> int:
    reals = sum(component.reals for component in subject.problem.components.values())
    return 2 * reals if subject.solver.inertia else reals


def build(subject: Subject, settings: Mapping[str, Any]) -> Fold:
    """`gali`, `gali_iteration` and, of two vectors, `sali`; NaN and -1 of an escaped cell."""
    size, count = _size(subject), settings["vectors"]
    # The same orthonormal vectors each time, along none of the axes: these may be kept by the map.
    drawn = np.random.default_rng(size).standard_normal((size, size))
    frame = np.linalg.qr(drawn)[0][:count]

    def init(seen: Seen) -> Kept:
        import jax.numpy as jnp

        basis = tangents.basis(dict(seen.point), size)
        vectors = tuple(tangents.combined(basis, row) for row in frame)
        kind = jnp.finfo(next(iter(seen.state.values())).dtype).dtype
        return Kept(vectors, jnp.ones((), kind), jnp.int32(NEVER))

    def update(kept: Kept, seen: Seen) -> Kept:
        import jax.numpy as jnp

        assert seen.push is not None
        push = seen.push
        vectors = tuple(tangents.unit(push(v), v)[0] for v in kept.vectors)
        index = _volume(vectors)
        new = (kept.fell == NEVER) & (index < settings["threshold"])
        fell = jnp.where(new, jnp.asarray(seen.n, jnp.int32), kept.fell)
        return Kept(vectors, index, fell)

    def finish(kept: Kept, end: End) -> dict[str, Any]:
        import jax.numpy as jnp

        lost = end.status == Status.escaped
        found = {"gali": jnp.where(lost, jnp.nan, kept.index)}
        found["gali_iteration"] = jnp.where(lost, NEVER, kept.fell)
        if count == 2:
            found["sali"] = jnp.where(lost, jnp.nan, jnp.minimum(*_diagonals(*kept.vectors)))
        return found

    finished = [
        Variable("gali", (), "float", f"alignment index of {count} deviation vectors, GALI"),
        Variable(
            "gali_iteration", (), "int32",
            f"first iteration at which GALI is below {settings['threshold']:g}",
        ),
    ]  # fmt: skip
    if count == 2:
        finished.append(Variable("sali", (), "float", "smaller alignment index, SALI"))
    return Fold(
        finished=tuple(finished),
        init=init,
        update=update,
        finish=finish,
        dynamics=True,
        tangent=True,
        transient="none",
    )


def _diagonals(u: State, v: State) -> tuple[Any, Any]:
    """[] the lengths of u + v and u - v."""
    import jax.numpy as jnp

    both = ({k: u[k] + v[k] for k in u}, {k: u[k] - v[k] for k in u})
    one, other = (jnp.sqrt(tangents.dot(w, w)) for w in both)
    return one, other


def _volume(vectors: tuple[State, ...]) -> Any:
    """[] of the parallelepiped: of two from its diagonals, which keep digits of small angles."""
    if len(vectors) == 2:
        one, other = _diagonals(*vectors)
        return one * other / 2
    lengths: list[Any] = []
    square: list[State] = []
    for left in vectors:
        for before in square:
            left = tangents.less(left, before)
        unit, length = tangents.unit(left, left)
        square.append(unit)
        lengths.append(length)
    volume = lengths[0]
    for length in lengths[1:]:
        volume = volume * length
    return volume


def refuse(subject: Subject) -> str | None:
    """Deviation vectors are of maps with derivatives, and two or more of them of two reals."""
    if why_not := averaged(subject) or lyapunov.refuse(subject):
        return why_not
    size = _size(subject)
    if size < 2:
        return "in a state of one real number all vectors are aligned; expected two or more"
    return None


def faults(subject: Subject, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """No more vectors than dimensions."""
    if settings["vectors"] > (size := _size(subject)):
        yield "vectors", f"expected <= {size}, the real numbers of the state"


ANALYSIS = Analysis(
    "gali",
    build,
    settings={
        "vectors": Setting("integer", 2, "deviation vectors, k", low=2, high=MOST),
        "threshold": Setting(
            "number", 1e-8, "below which `gali_iteration` finds the index first", low=0, above=True
        ),
    },
    refuse=refuse,
    faults=faults,
)
