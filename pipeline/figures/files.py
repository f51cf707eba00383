"""Figure files, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import CobwebError
from pipeline.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# No dates and no versions: the same figure is the same file.
METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
# Matplotlib reads the names of SVG elements and the font type of PDF from its process-wide
# settings only: they are borrowed, and given back.
BORROWED = {"svg.hashsalt": "cobweb", "svg.fonttype": "path", "pdf.fonttype": 42}


def save(
    fig: Figure, folder_or_stem: str | os.PathLike[str], formats: Sequence[str] = ("png",)
) -> list[Path]:
    """Write a figure in each format, and its caption beside it where it has one.

    Args:
        folder_or_stem: an existing folder (the files are `figure.png`, ...), or a path
            without a suffix.

    Returns:
        The files in the order of the formats, then the caption. None of them is replaced
        unless all could be written.

    Raises:
        CobwebError: an unknown format, or a folder that is not there.
    """
    stem = Path(folder_or_stem)
    stem = stem / "figure" if stem.is_dir() else stem
    formats = [formats] if isinstance(formats, str) else list(formats)
    for one in formats:
        if one not in METADATA:
            raise CobwebError(
                f'figure.formats: "{one}": no such format (known: {", ".join(METADATA)}).'
            )
    if stem.suffix[1:] in METADATA:
        stem = stem.with_suffix("")
    if not stem.parent.is_dir():
        raise CobwebError(f"figure: {stem.parent}: no such folder.")
    caption = fig.get_label()
    endings = [*dict.fromkeys(formats), *(["txt"] if caption else [])]
    finished = [stem.with_name(f"{stem.name}.{ending}") for ending in endings]
    partial = [path.with_name(f".{path.name}.{os.getpid()}.partial") for path in finished]
    try:
        for ending, path in zip(endings, partial, strict=True):
            with path.open("wb") as stream:
                if ending == "txt":
                    stream.write(str(caption).encode())
                else:
                    _render(fig, stream, ending)
                stream.flush()
                os.fsync(stream.fileno())
        for path, target in zip(partial, finished, strict=True):
            os.replace(path, target)
    except OSError as error:
        raise CobwebError(f"figure: {stem.parent}: {error.strerror or error}.") from error
    finally:
        for path in partial:
            path.unlink(missing_ok=True)
    return finished


def image(fig: Figure, *, scale: float = 1.0) -> bytes:
    """A figure as PNG.

    Args:
        scale: pixels over those of its style.
    """
    stream, dpi = BytesIO(), fig.dpi
    fig.set_dpi(scale * dpi)
    try:
        _render(fig, stream, "png")
    finally:
        fig.set_dpi(dpi)
    return stream.getvalue()


def _render(fig: Figure, stream: Any, ending: str) -> None:
    """Write one format."""
    import matplotlib

    with style.LOCK:
        process: Any = matplotlib.rcParams
        before = {key: process[key] for key in BORROWED}
        process.update(BORROWED)
        try:
            fig.savefig(stream, format=ending, dpi=fig.dpi, metadata=METADATA[ending])
        finally:
            process.update(before)
