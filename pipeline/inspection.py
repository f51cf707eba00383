"""What there is to choose, and what is in an archive, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import archive, config
from pipeline.config import composition

GROUPS = ("experiment", "map", "objective", "solver", "analysis", "figure", "device", "engine")


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


def info(path: str) -> str:
    """The document, dimensions, variables, status counts and environment of an archive."""
    texts = archive.provenance(path)
    with archive.read(path) as ds, archive.damage(path):
        lines = [f"{path}: {ds.attrs.get('title', '')}", f"  {ds.attrs.get('history', '')}", ""]
        lines += ["document", *_indented(texts.get("document", "")), ""]
        lines += ["dimensions", *(f"  {name} = {size:,}" for name, size in ds.sizes.items()), ""]
        lines += ["variables", *_variables(ds), ""]
        if "status" in ds:
            lines += ["status", *_counts(ds["status"]), ""]
    lines += ["environment", *_environment(texts)]
    return "\n".join(lines)


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.rstrip().splitlines()]


def _variables(ds: Any) -> Iterator[str]:
    names = [*ds.coords, *ds.data_vars]
    width = max((len(str(name)) for name in names), default=0)
    for name in names:
        variable = ds[name]
        shape = ", ".join(variable.dims)
        label = variable.attrs.get("long_name", "")
        yield f"  {name:<{width}}  {variable.dtype!s:<8} ({shape})  {label}"


def _counts(status: Any) -> Iterator[str]:
    meanings = str(status.attrs.get("flag_meanings", "")).split()
    codes, counts = np.unique(status.values, return_counts=True)
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        name = meanings[code] if 0 <= code < len(meanings) else f"code {code}"
        yield f"  {count:,} {name}"


def _environment(texts: dict[str, str]) -> Iterator[str]:
    shown = ("overrides", "git_commit", "python", "machine", "device", "xla_flags", "seed", "plan")
    width = max(map(len, (*shown, "packages")))
    for name in shown:
        if texts.get(name):
            yield f"  {name:<{width}}  {' '.join(texts[name].split())}"
    if texts.get("git_diff"):
        lines = texts["git_diff"].count("\n") + 1
        yield f"  {'git_diff':<{width}}  {lines} lines of uncommitted change (in /provenance)"
    try:
        packages = json.loads(texts.get("packages", "{}"))
    except ValueError:
        packages = {}
    if isinstance(packages, dict):
        yield f"  {'packages':<{width}}  " + ", ".join(f"{k} {v}" for k, v in packages.items())
