"""Overrides: looked at before Hydra does, so that all mistakes are told, each in one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString, RangeSweep
from hydra.errors import HydraException
from omegaconf import Container, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.config.document import KEYS
from pipeline.config.mistakes import Mistakes, show, suggest
from pipeline.config.sources import GROUPS, MANY, unknown

# Hydra's parser takes seconds for more characters, and Python's stack for more brackets.
LONGEST, DEEPEST = 20_000, 32
# Values of one swept range: those of one axis.
MOST_SWEPT = 10**7
# {a launcher that comes with a plugin of Hydra's: the extra of ours that installs it}
PLUGINS = {"joblib": "joblib", "submitit": "slurm"}


def section(text: str) -> str:
    """The key at the top of the document that an override's text is about."""
    key = text.partition("=")[0].lstrip("+~ ")
    return re.split(r"[./@:]", key)[0].strip()


def examine(
    overrides: Sequence[str], folder: str | Path | None, *, sweep: bool = False
) -> tuple[Mistakes, list[str], set[str]]:
    """Look at every override before Hydra does.

    Returns:
        (mistakes, the overrides without any, the sections that had one).
    """
    mistakes, sound, unread = Mistakes(), [], set()
    parser = OverridesParser.create()
    for text in overrides:
        before = len(mistakes)
        try:
            override = None if _too_large(mistakes, text) else parser.parse_override(text)
        except HydraException:
            mistakes.append(_unreadable(text))
            override = None
        if override is not None:
            _examine(mistakes, override, folder, sweep=sweep)
        if len(mistakes) > before:
            unread.add(section(text))
        else:
            # Hydra cannot empty a list of choices by deleting it.
            sound.append(f"{MANY}=[]" if text == f"~{MANY}" else text)
    return mistakes, sound, unread


def _too_large(mistakes: Mistakes, text: str) -> bool:
    where, depth, deepest = text[:40].partition("=")[0], 0, 0
    for bracket in re.findall(r"[\[\](){}]", text[: LONGEST + 1]):
        depth += 1 if bracket in "[({" else -1
        deepest = max(deepest, depth)
    if len(text) > LONGEST:
        mistakes.add(where, f"expected at most {LONGEST} characters; use a file for more")
    elif deepest > DEEPEST:
        mistakes.add(where, f"expected at most {DEEPEST} brackets, one within the other")
    return len(text) > LONGEST or deepest > DEEPEST


def _unreadable(text: str) -> str:
    key, equals, value = text.partition("=")
    shown = text if len(text) <= 200 else f"{text[:197]}..."
    if not equals or not key.strip("+~ "):
        return f"{shown}: expected an override such as a.b=1."
    if value.lstrip()[:1] in ("{", "["):
        advice = "quote the texts in it, as in {x: '1 - a*x**2'}"
    elif "'" in value:
        advice = f"""write it in the other quotes: '{key}="..."\'"""
    else:
        advice = f"""quote the value once more: \"{key}='{value}'\""""
    return f"{shown}: Hydra cannot read this value; {advice if len(text) < 200 else 'quote it'}."


def _examine(
    mistakes: Mistakes, override: Override, folder: str | Path | None, *, sweep: bool
) -> None:
    key, text = override.key_or_group, str(override.input_line)
    root = section(text)
    if root == "hydra":
        if key == "hydra.searchpath":
            mistakes.add(key, "--config-dir is the way to bring configs of your own")
        return
    if root not in (*KEYS, *GROUPS):
        mistakes.add(key or text, "no such key" + suggest(root, [*KEYS, "hydra"]))
    elif "@" in text.partition("=")[0] or "/" in key:
        mistakes.add(text.partition("=")[0], f"expected {root}=... or {root}.key=...")
    elif override.is_sweep_override():
        if sweep:
            _swept(mistakes, override, folder)
        else:
            advice = f"expected one value; for a list write {key}=[...], for a sweep add -m"
            mistakes.append(f"{text}: {advice}.")
    elif key in GROUPS and not isinstance(value := override.value(), dict):
        _choice(mistakes, override, value, folder)


def _swept(mistakes: Mistakes, override: Override, folder: Any) -> None:
    """Each choice of a sweep, and the number of values of a range."""
    key, swept = override.key_or_group, override.value()
    if isinstance(swept, RangeSweep):
        count = (float(swept.stop or 0) - float(swept.start or 0)) / (float(swept.step) or 1)
        if not count <= MOST_SWEPT:
            mistakes.append(f"{override.input_line}: expected at most {MOST_SWEPT} values.")
    elif isinstance(swept, ChoiceSweep) and key in GROUPS:
        for value in swept.list:
            choice = value.text if isinstance(value, QuotedString) else value
            for name in choice if isinstance(choice, list) and key == MANY else [choice]:
                unknown(mistakes, key, key, name, folder)


def _choice(mistakes: Mistakes, override: Override, value: Any, folder: Any) -> None:
    key, text = override.key_or_group, str(override.input_line)
    if override.is_delete():
        if value is not None:
            advice = f"~{key}.{value}" if key == MANY and isinstance(value, str) else f"~{key}"
            mistakes.append(f"{text}: expected '{advice}', without a value.")
    elif override.is_add() or override.is_force_add():
        mistakes.append(f"{text}: expected {text.lstrip('+')}; a choice is made without +.")
    elif value is None:
        mistakes.add(key, f"to choose none, write '~{key}'", value)
    elif isinstance(value, list) and key != MANY:
        mistakes.add(key, f"expected one; for one job each write -m {key}=first,second", value)
    else:
        for choice in value if isinstance(value, list) else [value]:
            unknown(mistakes, key, key, choice, folder)


def apply(
    mistakes: Mistakes,
    config: DictConfig,
    overrides: Sequence[str],
    faults: tuple[type[Exception], ...],
) -> set[str]:
    """Apply overrides of values one by one, as Hydra does, and note those that it refuses.

    Returns:
        the sections of those.
    """
    unread = set()
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        try:
            ConfigLoaderImpl._apply_overrides_to_config([override], config)
        except faults as error:
            root = section(str(override.input_line))
            mistakes.append(explain(error) if root == "hydra" else _refused(config, override))
            unread.add(root)
    return unread


def explain(error: BaseException) -> str:
    """What Hydra found, in one sentence or two."""
    if isinstance(error, RecursionError):
        return "defaults or ${...}: these refer to one another in a circle."
    if isinstance(error, OmegaConfBaseException) and error.full_key and error.msg:
        return f"{error.full_key}: {error.msg.splitlines()[0].rstrip('.')}."
    message = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
    if "Cannot merge DictConfig with ListConfig" in message:
        return f"{message.partition(':')[0]}: a list stands where another file has keys and values."
    # Search paths and types of nodes help nobody who wrote the document.
    aside = r"(Search path|provider=|full_key|object_type|reference_type|See http|\[?Config search)"
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = " ".join(line for line in lines if not re.match(aside, line)) or type(error).__name__
    for plugin, extra in PLUGINS.items():
        if f"hydra/launcher/{plugin}" in text:
            return f"hydra/launcher: pip install 'cobweb-pipeline[{extra}]' brings {plugin}."
    return f"{text.rstrip('.')}."


def _refused(config: DictConfig, override: Override) -> str:
    """Why Hydra does not apply an override, found from what there is at its place."""
    key, text, value = override.key_or_group, str(override.input_line), override.value()
    above, _, name = key.rpartition(".")
    parent = OmegaConf.select(config, above) if above else config
    found = parent.get(name) if isinstance(parent, DictConfig) else None
    if override.is_delete() and found is None:
        known = [str(k) for k in parent] if isinstance(parent, DictConfig) else []
        return f"{text}: there is no {key} to delete{suggest(name, known)}."
    if override.is_delete():
        return f"{text}: {key} has another value; expected '~{key}'."
    if isinstance(found, DictConfig) and isinstance(value, list) and above == "grid":
        return f"{key}: to replace the axis, write '~{key}' '+{key}={{values: {show(value)}}}'."
    if isinstance(found, Container):
        kind = "keys and values" if isinstance(found, DictConfig) else "a list"
        return f"{key} = {show(value)}: expected {kind}."
    if override.is_add() and found is not None:
        return f"{text}: {key} has a value already; write {text[1:]} to change it."
    return f"{text}: {section(text)} is a value; it has no keys of its own."
