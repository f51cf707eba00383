"""Composition: overrides and files become one document, by Hydra without its global state.

Whatever Hydra would stop at one by one (an unknown choice, an unknown key, an override that it
cannot read) is found beforehand, so that it is told together with the mistakes of the document.
"""

from __future__ import annotations

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
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.version import VersionBase, setbase
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.config import files
from pipeline.config.document import KEYS, check
from pipeline.config.mistakes import Mistakes, suggest
from pipeline.errors import ConfigError

CONF = Path(__file__).resolve().parents[2] / "conf"
GROUPS = ("experiment", "map", "objective", "solver", "analysis", "device", "engine", "figure")
NAME = "config"
# Hydra's parser and its singletons are not made for threads.
_LOCK = threading.RLock()


class Loader(ConfigLoaderImpl):
    """Hydra's loader with every section open to new keys: what they may be is checked by us."""

    def __init__(self, search_path: ConfigSearchPath) -> None:
        Plugins.instance()  # registers the kinds of sources
        super().__init__(search_path)
        self.traps = Mistakes()

    def _load_single_config(self, default: ResultDefault, repo: Any) -> Any:
        loaded = super()._load_single_config(default, repo)
        if loaded.provider not in ("hydra", "schema"):
            files.traps(self.traps, loaded.path, default.config_path)
        return loaded

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


def choices(group: str, folder: str | Path | None = None) -> list[str]:
    """The names of a group's choices, those of the user's folder included."""
    found = {
        path.stem for root in (CONF, folder) if root for path in (Path(root) / group).glob("*.yaml")
    }
    return sorted(found)


def compose(overrides: Sequence[str] = (), folder: str | Path | None = None) -> dict[str, Any]:
    """The document of these overrides, as plain data.

    Args:
        folder: a folder of the user's own configs, beside ours.

    Raises:
        ConfigError: with every mistake, those of the document included where one of the overrides
            is at fault.
    """
    with hydra_rules():
        return whole(Loader(search_path(folder)), overrides, folder)[1]


def whole(
    loader: Loader, overrides: Sequence[str], folder: str | Path | None
) -> tuple[DictConfig, dict[str, Any]]:
    """Hydra's config and the document in it; raises as `compose` does."""
    mistakes, sound, unread = examine(overrides, folder)
    if "experiment" in unread:
        raise ConfigError(mistakes)
    config = load(loader, sound, mistakes)
    document = plain(config, config.hydra.runtime.choices, mistakes)
    mistakes[:0] = loader.traps
    if mistakes:
        check(document, mistakes, unread)
        raise ConfigError(list(dict.fromkeys(mistakes)))
    return config, document


def load(
    loader: Loader, overrides: Sequence[str], mistakes: Sequence[str], mode: RunMode = RunMode.RUN
) -> DictConfig:
    """Hydra's composition of overrides that were found sound.

    Raises:
        ConfigError: for what Hydra still refuses, with the mistakes so far.
    """
    try:
        return loader.load_configuration(NAME, list(overrides), mode, from_shell=False)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError([*loader.traps, *mistakes, files.explain(error)]) from None
    except Exception as error:  # the YAML reader's own, of a file of the user's
        if not files.is_yaml_error(error):
            raise
        raise ConfigError([*loader.traps, *mistakes, files.explain(error)]) from None


def plain(config: DictConfig, chosen: Mapping[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    """A composed config as a document: plain data, interpolations resolved.

    Args:
        chosen: {group: choice}, of which the experiment names the document.
    """
    keys = [key for key in config if key != "hydra"]
    bare = {key: OmegaConf.to_container(config, resolve=False)[key] for key in keys}  # type: ignore[index]  # a DictConfig gives a dict
    secrets = Mistakes()
    files.refuse_environment(secrets, bare)
    if secrets:
        raise ConfigError([*mistakes, *secrets])
    try:
        resolved: Any = OmegaConf.to_container(OmegaConf.masked_copy(config, keys), resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError([*mistakes, files.explain(error)]) from None
    # Sections that nothing was chosen for were opened for overrides only.
    sections = {k: v for k, v in resolved.items() if v != {} or k not in GROUPS}
    for group in ("map", "objective"):  # a file's name serves where it gives none
        if isinstance(sections.get(group), dict):
            sections[group] = {"name": chosen.get(group) or "custom", **sections[group]}
    return {"experiment": chosen.get("experiment") or "custom", **sections}


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
        try:
            override = parser.parse_override(text)
        except HydraException:
            key, equals, value = text.partition("=")
            quoted = (
                f"""; quote such a value once more: \"{key}='{value}'\""""
                if equals and "'" not in value
                else ""
            )
            mistakes.append(f"{text}: Hydra cannot read this as an override such as a.b=1{quoted}.")
            continue
        before = len(mistakes)
        _examine(mistakes, override, folder, sweep=sweep)
        if len(mistakes) == before:
            sound.append(text)
        else:
            unread.add(override.get_key_element().lstrip("+~").split(".")[0].split("@")[0])
    return mistakes, sound, unread


def _examine(
    mistakes: Mistakes, override: Override, folder: str | Path | None, *, sweep: bool
) -> None:
    key = override.key_or_group
    root = key.split(".")[0].split("/")[0]
    if root == "hydra" or (override.is_sweep_override() and sweep):
        return
    if override.is_sweep_override():
        advice = f"expected one value; for a list write {key}=[...], for a sweep add -m"
        mistakes.append(f"{override.input_line}: {advice}.")
    elif root not in (*KEYS, *GROUPS):
        mistakes.add(key, "no such key" + suggest(root, [*KEYS, "hydra"]))
    elif key in GROUPS and not override.is_delete():
        value = override.value()
        if isinstance(value, dict):
            return
        if value is None:
            mistakes.add(key, f"to choose none, write '~{key}'", value)
            return
        known = choices(key, folder)
        for choice in value if isinstance(value, list) else [value]:
            if str(choice) not in known:
                mistakes.add(key, f"no such {key}{suggest(choice, known)}", choice)


@contextmanager
def hydra_rules() -> Iterator[None]:
    """Hydra's version of the defaults' rules, put back afterwards: a program around may have its own."""
    with _LOCK:
        base = VersionBase.instance().getbase()
        setbase("1.3")
        try:
            yield
        finally:
            VersionBase.instance().version_base = base
