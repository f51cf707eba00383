"""Composition: overrides and files become one document, by Hydra without its global state.

Whatever Hydra would stop at one by one (an unknown choice, an unknown key, an override that it
cannot read) is found beforehand, so that it is told together with the mistakes of the document.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import ResultDefault
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.version import VersionBase, setbase
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.config import files, overrides
from pipeline.config.document import KEYS, check
from pipeline.config.handover import Handover
from pipeline.config.mistakes import Mistakes
from pipeline.config.overrides import examine, explain
from pipeline.config.sources import CONF, GROUPS, Repository, choices
from pipeline.errors import ConfigError

__all__ = ["CONF", "GROUPS", "Loader", "choices", "compose", "examine", "explain", "search_path"]

NAME = "config"
FAULTS = (HydraException, OmegaConfBaseException, RecursionError)
# References in one document: few enough that one to another to another stays small.
MOST_REFERENCES = 16
# Hydra's parser and its singletons are not made for threads.
_LOCK = threading.RLock()


class Loader(ConfigLoaderImpl):
    """Hydra's loader with every section open to new keys: what they may be is checked by us."""

    def __init__(self, search_path: ConfigSearchPath) -> None:
        Plugins.instance()  # registers the kinds of sources
        super().__init__(search_path)
        self.repository: Repository = Repository(search_path)

    def _compose_config_from_defaults_list(
        self, defaults: list[ResultDefault], repo: Any
    ) -> DictConfig:
        config = super()._compose_config_from_defaults_list(defaults, repo)
        for key in KEYS:
            if isinstance(node := config._get_node(key), DictConfig) and not node._is_none():
                OmegaConf.set_struct(node, False)
            elif key in GROUPS or key in ("grid", "iterate"):
                config[key] = {}
                OmegaConf.set_struct(config[key], False)
        return config


def search_path(folder: str | Path | None = None) -> ConfigSearchPath:
    """Where configs are looked for: ours, then a folder of the user's.

    Raises:
        ConfigError: no such folder, or it has a file of a name that we have too.
    """
    path = ConfigSearchPathImpl()
    path.append("hydra", "pkg://hydra.conf")
    path.append("main", f"file://{CONF}")
    if folder is not None:
        own = Path(folder).absolute()
        if not own.is_dir():
            raise ConfigError([f"--config-dir = {folder}: no such folder."])
        files.refuse_shadows(own, CONF, folder)
        path.append("command-line", f"file://{own}")
    path.append("schema", "structured://")
    return path


def compose(
    overrides: Sequence[str] = (),
    folder: str | Path | None = None,
    handed: Handover | None = None,
) -> dict[str, Any]:
    """The document of these overrides, as plain data.

    Args:
        folder: a folder of the user's own configs, beside ours.
        handed: what came beside the overrides.

    Raises:
        ConfigError: with every mistake, those of the document included where one of the overrides
            is at fault.
    """
    with hydra_rules():
        return whole(Loader(search_path(folder)), overrides, folder, handed)[1]


def whole(
    loader: Loader,
    overrides: Sequence[str],
    folder: str | Path | None,
    handed: Handover | None = None,
) -> tuple[DictConfig, dict[str, Any]]:
    """Hydra's config and the document in it; raises as `compose` does."""
    handed = handed or Handover()
    mistakes, sound, unread = examine(handed.overrides(overrides), folder)
    config = load(loader, sound, mistakes, unread)
    mistakes += loader.repository.mistakes
    unread |= loader.repository.unread
    if "experiment" in unread:
        raise ConfigError(list(dict.fromkeys(mistakes)))
    document = plain(config, config.hydra.runtime.choices, mistakes)
    document = handed.put(mistakes, unread, document, overrides)
    if mistakes:
        check(document, mistakes, unread, handed.function)
        raise ConfigError(list(dict.fromkeys(mistakes)))
    return config, document


def load(loader: Loader, sound: Sequence[str], mistakes: Mistakes, unread: set[str]) -> DictConfig:
    """Hydra's composition of overrides that were found sound.

    What Hydra still refuses is noted, and its section in `unread`.

    Raises:
        ConfigError: where that leaves nothing to compose, with the mistakes so far.
    """

    def composed(texts: Sequence[str]) -> DictConfig:
        loader.repository.forget()
        return loader.load_configuration(NAME, list(texts), RunMode.RUN, from_shell=False)

    try:
        return composed(sound)
    except FAULTS:
        parsed = OverridesParser.create().parse_overrides(list(sound))
    values = [
        str(o.input_line)
        for o in parsed
        if isinstance(o.value(), dict) or not loader.repository.group_exists(o.key_or_group)
    ]
    try:
        config = composed([text for text in sound if text not in values])
    except FAULTS as error:
        faults = [*mistakes, *loader.repository.mistakes, explain(error)]
        raise ConfigError(list(dict.fromkeys(faults))) from None
    unread |= overrides.apply(mistakes, config, values, FAULTS)
    return config


def plain(config: DictConfig, chosen: Mapping[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    """A composed config as a document: plain data, interpolations resolved.

    Args:
        chosen: {group: choice}, of which the experiment names the document.

    Raises:
        ConfigError: it has interpolations that cannot be resolved.
    """
    keys = [str(key) for key in config if key != "hydra"]
    bare: Any = OmegaConf.to_container(OmegaConf.masked_copy(config, keys), resolve=False)
    faults = Mistakes()
    _references(faults, bare)
    if faults:
        raise ConfigError([*mistakes, *faults])
    try:
        resolved: Any = OmegaConf.to_container(OmegaConf.masked_copy(config, keys), resolve=True)
    except FAULTS as error:
        raise ConfigError([*mistakes, explain(error)]) from None
    # Sections that nothing was chosen for were opened for overrides only.
    sections = {k: v for k, v in resolved.items() if v != {} or k not in GROUPS}
    for group in ("map", "objective"):  # a file's name serves where it gives none
        if isinstance(sections.get(group), dict):
            sections[group] = {"name": chosen.get(group) or "custom", **sections[group]}
    return {"experiment": chosen.get("experiment") or "custom", **sections}


def _references(mistakes: Mistakes, document: Any) -> None:
    """Note what a document may not refer to: it is whole, and its archive carries all of it."""
    found = 0
    waiting = [("", document)]
    while waiting:
        where, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [(f"{where}.{k}" if where else str(k), v) for k, v in node.items()]
        elif isinstance(node, list):
            waiting += [(f"{where}[{k}]", v) for k, v in enumerate(node)]
        elif isinstance(node, str):
            found += node.count("${")
            if re.search(r"\$\{[^{}]*:", node):
                reason = "a document refers to nothing but its own values, as in ${seed}"
                mistakes.add(where, f"{reason}; give the value", node)
            elif node == "???":
                mistakes.add(where, "expected a value; ??? stands for one that is to be given")
    if found > MOST_REFERENCES:
        mistakes.add(
            "${...}", f"expected at most {MOST_REFERENCES} references in a document", found
        )


@contextmanager
def hydra_rules() -> Iterator[None]:
    """Hydra's rules of this version, put back afterwards: a program around may have its own."""
    with _LOCK:
        base = VersionBase.instance().getbase()
        setbase("1.3")
        try:
            yield
        finally:
            VersionBase.instance().version_base = base
