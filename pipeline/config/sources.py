"""Sources: folders of configs for Hydra, their files read and checked by us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra._internal.config_repository import ConfigRepository
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from pipeline.config import files
from pipeline.config.mistakes import Mistakes, show, suggest

CONF = Path(__file__).resolve().parents[2] / "conf"
GROUPS = ("experiment", "map", "objective", "solver", "analysis", "device", "engine", "figure")
# The one group from which any number are chosen.
MANY = "analysis"


def choices(group: str, folder: str | Path | None = None) -> list[str]:
    """The names of a group's choices, those of the user's folder included."""
    roots = [Path(root) / group for root in (CONF, folder) if root]
    found = {path.relative_to(root) for root in roots for path in root.rglob("*.yaml")}
    return sorted(path.with_suffix("").as_posix() for path in found)


def elsewhere(group: str, choice: Any, folder: str | Path | None) -> str:
    """The end of a sentence about an unknown choice: a file that was probably meant."""
    if not folder or not isinstance(choice, str) or not re.fullmatch(r"[\w.-]{1,100}", choice):
        return ""
    for path in (Path(group) / f"{choice}.yml", Path(f"{choice}.yaml"), Path(f"{choice}.yml")):
        if (Path(folder) / path).is_file():
            return f"; there is {path}, which belongs into {group}/{choice}.yaml"
    return ""


def unknown(mistakes: Mistakes, where: str, group: str, choice: Any, folder: Any) -> bool:
    """Whether a group has no such choice; a mistake is noted then."""
    known = choices(group, folder)
    if choice in known:
        return False
    mistakes.add(
        where, f"no such {group}{suggest(choice, known)}{elsewhere(group, choice, folder)}", choice
    )
    return True


class Repository(ConfigRepository):
    """Hydra's repository with our way to read the files of ours and of the user's.

    Attributes:
        mistakes: of the files.
        unread: the sections that they left unread.
    """

    def __init__(self, path: ConfigSearchPath) -> None:
        self.mistakes, self.unread = Mistakes(), set[str]()
        self.folder: str | None = None
        super().__init__(path)

    def __deepcopy__(self, memo: dict[int, Any]) -> Repository:
        """Itself: Hydra copies it for search paths that change, which ours do not."""
        return self

    def forget(self) -> None:
        """Begin anew: another composition reads the files again."""
        self.mistakes.clear()
        self.unread.clear()

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        """As Hydra does, then ours in the place of its files."""
        super().initialize_sources(config_search_path)
        for k, source in enumerate(self.sources):
            # By its scheme: Hydra may have loaded the class a second time, as a plugin.
            if source.scheme() == FileConfigSource.scheme():
                self.sources[k] = Source(source.provider, source.path, self)
                self.folder = source.path if source.provider == "command-line" else self.folder


class Source(FileConfigSource):
    """A folder of configs."""

    def __init__(self, provider: str, path: str, repository: Repository) -> None:
        super().__init__(provider, path)
        self.repository = repository

    def load_config(self, config_path: str) -> ConfigResult:
        """One file; where it has mistakes they are noted, and what is left of it is given."""
        mistakes, before = self.repository.mistakes, len(self.repository.mistakes)
        group, _, name = config_path.rpartition("/")
        place = f"{config_path}.yaml"
        text, content = files.read(mistakes, Path(self.path) / place, place)
        package = _package(mistakes, place, text, group)
        if "defaults" in content and group:
            content["defaults"] = list(self._defaults(place, content["defaults"], group, name))
        if group == "experiment":
            for key in (*GROUPS, "grid", "iterate"):
                if not isinstance(content.get(key), dict | None):
                    mistakes.add(f"{place}: {key}", "expected keys and values", content.pop(key))
        if len(mistakes) > before:
            self.repository.unread.add(group.partition("/")[0])
        config = OmegaConf.create(content)
        path = f"{self.scheme()}://{self.path}"
        return ConfigResult(self.provider, path, config, {"package": package})

    def _defaults(self, place: str, listed: Any, group: str, name: str) -> Iterator[Any]:
        """The entries of a defaults list that are sound."""
        mistakes, folder = self.repository.mistakes, self.repository.folder
        where = f"{place}: defaults"
        if not isinstance(listed, list):
            mistakes.add(where, "expected a list", listed)
            return
        if group.startswith("hydra"):  # Hydra's own choices, which it checks
            yield from listed
            return
        for entry in listed:
            if isinstance(entry, str):
                if entry == name:
                    mistakes.add(where, "a file does not begin with itself", entry)
                elif entry == "_self_" or not unknown(mistakes, where, group, entry, folder):
                    yield entry
                continue
            key, choice = (
                next(iter(entry.items())) if isinstance(entry, dict) and entry else ("", 0)
            )
            *words, target = key.split(" ")
            root = target.lstrip("/").partition("/")[0].partition("@")[0]
            if root == "hydra":
                yield entry
            elif not isinstance(entry, dict) or len(entry) != 1 or group != "experiment":
                reason = f"expected the name of another {group}"
                if group == "experiment":
                    reason += ", or a choice such as override /map: henon"
                mistakes.add(where, reason, entry)
            elif root not in GROUPS[1:]:
                mistakes.add(where, f"no such group{suggest(root, GROUPS[1:])}", key)
            elif words != ["override"] or target != f"/{root}":
                mistakes.add(where, f"expected override /{root}: {show(choice)}", entry)
                self.repository.unread.add(root)
            elif isinstance(choice, list) and root != MANY:
                mistakes.add(f"{where}: {key}", "expected one choice", choice)
                self.repository.unread.add(root)
            elif choice is None:
                yield entry
            else:
                given = choice if isinstance(choice, list) else [choice]
                faults = [unknown(mistakes, f"{where}: {key}", root, c, folder) for c in given]
                if not any(faults):
                    yield {key: given if root == MANY else choice}
                else:
                    self.repository.unread.add(root)


def _package(mistakes: Mistakes, place: str, text: str, group: str) -> str | None:
    """Where Hydra puts the content: of an experiment at the top, of a choice in its section."""
    head = re.match(r"\s*#\s*@\s*package\s+(\S.*)", text)
    given = head[1].strip() if head else None
    if group == "experiment" and text and given != "_global_":
        mistakes.add(place, "the first line of an experiment is # @package _global_")
    elif group != "experiment" and given not in (None, "_group_"):
        mistakes.add(place, "only an experiment begins with a line # @package")
    return "_global_" if group == "experiment" else None
