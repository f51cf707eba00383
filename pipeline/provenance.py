"""Provenance: what an archive says of where it came from."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "xarray", "netCDF4", "hydra-core", "omegaconf")
DISTRIBUTION = "cobweb-pipeline"
# Of the uncommitted change to the code; a longer one is cut, and says so.
LONGEST_DIFF = 2**16


def gather(
    document: Mapping[str, Any],
    overrides: Sequence[str],
    plan: Mapping[str, Any],
    device: str,
) -> dict[str, str]:
    """The texts of the group /provenance.

    Args:
        document: as resolved.
        plan: blocks, devices and kernel.
        device: what the job runs on.
    """
    commit, diff = _git()
    return {
        "document": text(document),
        "overrides": json.dumps(list(overrides)),
        "git_commit": commit,
        "git_diff": diff,
        "packages": json.dumps(
            {name: version(name) for name in (DISTRIBUTION, *PACKAGES)}, indent=1
        ),
        "python": sys.version,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "device": device,
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "seed": str(document.get("seed", "")),
        "plan": json.dumps(dict(plan)),
    }


def text(document: Mapping[str, Any]) -> str:
    """A document as YAML, in its own order."""

    def dump(*, letters: bool) -> str:
        return yaml.safe_dump(
            dict(document), sort_keys=False, allow_unicode=letters, default_flow_style=None
        )

    text = dump(letters=True)
    # PyYAML writes these line breaks as they are and reads them as spaces.
    return dump(letters=False) if set(text) & set("\x85\u2028\u2029") else text


def version(distribution: str) -> str:
    """Of an installed distribution; a source tree may merely lie on the path."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _git() -> tuple[str, str]:
    """The commit of the code and its uncommitted change; empty where it is not a git checkout."""
    folder = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=10
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    # A package that is merely installed below somebody's checkout is not that checkout's code.
    if not git("ls-files", "--error-unmatch", __file__):
        return "", ""
    diff = git("diff", "HEAD", "--", str(folder), str(folder.parent / "conf"))
    if len(diff) > LONGEST_DIFF:
        diff = f"{diff[:LONGEST_DIFF]}\n[cut: {len(diff)} characters]"
    return git("rev-parse", "HEAD"), diff
