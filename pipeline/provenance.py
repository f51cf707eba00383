"""Provenance: what an archive says of where it came from."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from pipeline import notation

PACKAGES = (
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "optax",
    "optimistix",
    "lineax",
    "xarray",
    "netCDF4",
    "hydra-core",
    "omegaconf",
)
DISTRIBUTION = "cobweb-pipeline"
# Of the uncommitted change to the code; a longer one is cut, and says so.
LONGEST_DIFF = 2**16
# Texts that are tables, and those whose change may explain another result.
TABLES = ("packages", "plan")
ENVIRONMENT = (
    "code",
    "packages",
    "git_commit",
    "git_diff",
    "python",
    "platform",
    "machine",
    "cpu",
    "device",
    "xla_flags",
    "plan",
)
# Where all of these are the same, the same document gives the same bits.
BITS = ("code", "packages", "machine", "cpu", "device", "xla_flags")
# As they are shown.
ORDER = ("command_line", "overrides", "seed", *ENVIRONMENT)
# Names of what nobody else should read, and the value behind them: quoted, or up to a space.
_SECRET = r"[\w.-]*(?:pass(?:word|wd|phrase)|token|secret|credential|(?:api|access|private)_?key)"
_VALUE = r"""(?![=\s])(?:"[^"]*"|'[^']*'|[^\s,;&'"{}\[\]]+)"""
_NAMED = re.compile(rf"(?i)({_SECRET}[\w-]*\s*[=:]\s*|--?{_SECRET}[\w-]*\s+){_VALUE}")
_KEY = re.compile(rf"(?i)((?<![a-z])key\s*[=:]\s*|--?key\s+){_VALUE}")
_WHOLE = re.compile(rf"(?i)({_SECRET}[\w-]*=|(?<![a-z])key=).*", re.DOTALL)
_ADDRESS = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@'\"]+@")
HIDDEN = "***"


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
        "overrides": json.dumps([_argument(override) for override in overrides]),
        "command_line": masked(shlex.join(map(_argument, sys.argv))),
        "code": code(),
        "git_commit": commit,
        "git_diff": masked(diff, key=False),
        "packages": packages(),
        "python": sys.version,
        "platform": platform.platform(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "cpu": cpu(),
        "device": device,
        "xla_flags": xla_flags(),
        "seed": str(document.get("seed", "")),
        "plan": json.dumps(dict(plan)),
    }


@functools.cache
def code() -> str:
    """The SHA-256 of this package's own sources, wherever and however it is installed."""
    folder, digest = Path(__file__).resolve().parent, hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def packages() -> str:
    """The versions of all packages that results may depend on, as JSON."""
    return json.dumps({name: version(name) for name in (DISTRIBUTION, *PACKAGES)}, indent=1)


def xla_flags() -> str:
    """What XLA is told by the environment."""
    return masked(os.environ.get("XLA_FLAGS", ""))


def document(texts: Mapping[str, str]) -> Any:
    """The document that texts of /provenance hold, {} where it cannot be read."""
    try:
        return notation.read(texts.get("document", "")) or {}
    except notation.Fault:
        return {}


def essence(document: Any) -> str:
    """What a document says of the result; "" of what is none."""
    if not isinstance(document, dict):
        return ""
    # The order counts: that of the grid is the order of the dimensions.
    kept = {k: v for k, v in document.items() if k not in ("figure", "dry_run", "engine")}
    if isinstance(device := kept.get("device"), dict):
        changing = {k: v for k, v in device.items() if k not in ("memory", "compile_cache")}
        kept["device"] = changing
    return text(kept)


def masked(text: str, *, key: bool = True) -> str:
    """The text with passwords, tokens and the users of addresses as ***.

    Args:
        key: whether what is called a mere `key` is one of them, as Python's arguments are not.
    """
    text = _ADDRESS.sub(rf"\1{HIDDEN}@", text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    return _KEY.sub(rf"\1{HIDDEN}", text) if key else text


def _argument(text: str) -> str:
    """One word of a command line; of a secret nothing is kept, spaces or not."""
    return masked(_WHOLE.sub(rf"\1{HIDDEN}", text))


def environment(texts: Mapping[str, str]) -> dict[str, str]:
    """{what: its version or kind} of all that may explain another result.

    Args:
        texts: of the group /provenance; those that cannot be read are taken as they are.
    """
    found: dict[str, str] = {}
    for name in ENVIRONMENT:
        parts = table(texts.get(name, "")) if name in TABLES else {}
        if parts:
            stem = "plan." if name == "plan" else ""
            found |= {f"{stem}{key}": value for key, value in parts.items()}
        elif texts.get(name):
            found[name] = texts[name]
    return found


def table(text: str) -> dict[str, str]:
    """A text of JSON that is a table, its values as texts; {} where it is none."""
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(parts, dict):
        return {}
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in parts.items()}


def cpu() -> str:
    """The model of the processor, as the system calls it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model"):
                return value.strip()
    except OSError:  # a system without it
        pass
    return platform.processor() or platform.machine()


def text(document: Mapping[str, Any]) -> str:
    """A document as YAML, in its own order; `notation.read` gives it back."""

    def dump(*, letters: bool) -> str:
        form: Any = {"sort_keys": False, "allow_unicode": letters, "default_flow_style": None}
        return yaml.dump(dict(document), Dumper=notation.Dumper, **form)

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
