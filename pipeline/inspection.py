"""What there is to choose, and what is in an archive, as text."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from pipeline import config, contents, provenance
from pipeline.config import composition
from pipeline.contents import Contents
from pipeline.notation import printable

GROUPS = ("experiment", "map", "objective", "solver", "analysis", "figure", "device", "engine")
# Of the names of an environment's texts; the most codes of a status that are counted; characters
# of a text that is not known, such as the documents of the jobs of a sweep.
_WIDTH, _CODES, _LONGEST = 23, 32, 200


def listing(groups: tuple[str, ...] = GROUPS, folder: str | None = None) -> str:
    """The choices of each group, with the first comment line of their YAML."""
    lines = []
    for group in groups:
        names = config.choices(group, folder)
        width = max(map(len, names), default=0)
        lines.append(f"{group}=")
        for name in names:
            path = next(
                path
                for root in (composition.CONF, folder)
                if root and (path := Path(root) / group / f"{name}.yaml").is_file()
            )
            lines.append(f"  {name:<{width}}  {description(path)}".rstrip())
        lines.append("")
    return "\n".join(lines)


def description(path: Path) -> str:
    """The first comment line of a YAML file that is no directive of Hydra's."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            text = line.lstrip("#").strip()
            if not line.startswith("#"):
                break
            if text and not text.startswith("@"):
                return text
    return ""


def info(path: str | Path) -> str:
    """The document, dimensions, variables, status counts and environment of an archive.

    All of it may come from a stranger: it is read a bounded piece at a time, and nothing in it
    reaches the terminal that a terminal would obey.

    Raises:
        ArchiveError: the file is no archive, or damaged.
    """
    with contents.opened(path) as found:
        own = found.attributes(found.file)
        lines = [f"{path}: {own.get('title', '')}", f"  {own.get('history', '')}", ""]
        if "document" in found.texts:
            lines += ["document", *_indented(found.texts["document"]), ""]
        lines += ["dimensions", *_dimensions(found), ""]
        lines += ["variables", *_variables(found), ""]
        for name in found.names():
            if name.rpartition("/")[2] == "status":
                lines += [name, *_counts(found, name), ""]
        lines += ["environment", *_environment(found.texts)]
        timing = found.attributes(found.file["provenance"]).items()
        lines += [f"  {name:<{_WIDTH}}  {_figure(value)}" for name, value in timing]
        if found.texts.get("git_diff"):
            lines += ["", "git_diff", *_indented(found.texts["git_diff"])]
    return "\n".join(printable(line) for line in lines)


def _indented(text: str) -> list[str]:
    return [f"  {line.expandtabs()}" for line in text.rstrip().splitlines()]


def _dimensions(found: Contents) -> Iterator[str]:
    """Their sizes, and from where to where they go."""
    for name, dimension in found.file.dimensions.items():
        ends, variable = "", found.variables.get(name)
        if variable is not None and variable.dimensions == (name,) and dimension.size:
            first, last = (
                found.read(name, (slice(at, at + 1),))[0] for at in (0, dimension.size - 1)
            )
            ends = f"  ({first:g} ... {last:g})" if variable.dtype.kind in "iuf" else ""
        yield f"  {name} = {dimension.size:,}{ends}"


def _variables(found: Contents) -> Iterator[str]:
    names = list(found.names())
    width = max(map(len, names), default=0)
    for name in names:
        variable = found.file[name]
        kind = getattr(variable.dtype, "name", "text")
        kind = "text" if kind == "bytes8" else kind
        label = found.attributes(variable).get("long_name", "")
        yield f"  {name:<{width}}  {kind:<8} ({', '.join(variable.dimensions)})  {label}"


def _counts(found: Contents, name: str) -> Iterator[str]:
    variable = found.file[name]
    meanings = found.attributes(variable).get("flag_meanings", "").split()
    if variable.dtype is str or variable.dtype.kind != "i":
        return
    counts: Counter[int] = Counter()
    for box in contents.pieces(variable.shape, variable.dtype.itemsize):
        codes, numbers = np.unique(found.read(name, box), return_counts=True)
        if len(counts) < _CODES:
            counts.update(dict(zip(codes.tolist(), numbers.tolist(), strict=True)))
    for code, count in sorted(counts.items())[:_CODES]:
        word = meanings[code] if 0 <= code < len(meanings) else f"code {code}"
        yield f"  {count:,} {word}"


def _environment(texts: Mapping[str, str]) -> Iterator[str]:
    """One line for each text but those that have a section of their own."""
    aside = ("document", "sha256", "git_diff", *provenance.TABLES)
    for name in dict.fromkeys([*provenance.ORDER, *texts]):
        text = " ".join(texts.get(name, "").split())
        if name in provenance.TABLES and text:
            parts = provenance.table(texts[name])
            shown = ", ".join(f"{key} {value}" for key, value in parts.items())
            yield f"  {name:<{_WIDTH}}  {shown or text}"
        elif name == "overrides" and text:
            yield f"  {name:<{_WIDTH}}  {_words(text)}"
        elif text and name not in aside:
            known = name in provenance.ORDER or len(text) <= _LONGEST
            yield f"  {name:<{_WIDTH}}  {text if known else f'{text[:_LONGEST]}...'}"


def _words(text: str) -> str:
    """The overrides as one would type them."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return text
    good = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return shlex.join(words) if good else text


def _figure(text: str) -> str:
    """A number with as many digits as one reads."""
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text
