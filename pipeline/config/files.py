"""Files of configs: YAML of bounded size, whose faults are told as mistakes with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline import notation
from pipeline.config.mistakes import Mistakes
from pipeline.errors import ConfigError

# Bytes of one file, and values in it with aliases written out: OmegaConf takes a second for 10^4.
LARGEST, MOST = 2**19, 20_000


def read(mistakes: Mistakes, path: Path, name: str) -> tuple[str, dict[str, Any]]:
    """The text and the content of a file; {} with a mistake noted where it cannot be read.

    Args:
        name: how messages call it: map/mine.yaml.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            mistakes.add(name, f"expected at most {LARGEST >> 10} KiB; the file has {size >> 10}")
            return "", {}
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        mistakes.add(name, f"the file cannot be read: {error.strerror}")
        return "", {}
    except UnicodeDecodeError as error:
        mistakes.add(name, f"expected UTF-8; the byte at {error.start} is none")
        return "", {}
    try:
        content = notation.read(
            text, MOST, lambda line, given, why: mistakes.add(f"{name}, line {line}: {given}", why)
        )
    except notation.Fault as fault:
        mistakes.add(_place(name, fault.mark), fault.reason)
    else:
        if isinstance(content, dict):
            return text, content
        kind = "the file is empty" if content is None else "the file has something else"
        mistakes.add(name, f"expected keys and values; {kind}")
    return "", {}


def _place(name: str, mark: Any) -> str:
    return f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name


def refuse_shadows(own: Path, shipped: Path, shown: Any) -> None:
    """A file of ours would be taken in place of one of the user's of the same name.

    Raises:
        ConfigError: with all such files.
    """
    paths = sorted(path.relative_to(shipped) for path in shipped.rglob("*.yaml"))
    shadowed = [path for path in paths if (own / path).is_file() and own != shipped]
    if shadowed:
        reason = "the name is taken by one that comes with Cobweb; give the file another."
        raise ConfigError([f"{Path(shown) / path}: {reason}" for path in shadowed])
