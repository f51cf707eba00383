"""Files of configs: YAML's traps made loud, errors of the readers made readable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from omegaconf.errors import OmegaConfBaseException

from pipeline.config.mistakes import Mistakes
from pipeline.errors import ConfigError

LARGEST = 2**22


def traps(mistakes: Mistakes, path: str, name: str | None) -> None:
    """Note the numbers that YAML reads otherwise than a reader would: 010 is 8, 12:30 is 750."""
    file = Path(path.removeprefix("file://"))
    if not file.is_file() or file.stat().st_size > LARGEST:
        return
    for node in _scalars(yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)):
        text = node.value
        place = f"{name}.yaml, line {node.start_mark.line + 1}: {text}"
        if re.fullmatch(r"[-+]?0[0-9_]+", text):
            mistakes.add(place, "to YAML a leading 0 means octal; write the number without it")
        elif re.fullmatch(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", text):
            mistakes.add(place, "to YAML a colon between digits means base 60; quote a text")


def _scalars(node: Any) -> list[yaml.ScalarNode]:
    """The numbers among the plain scalars of a tree, each once however often it is referred to."""
    found, seen, waiting = [], set(), [node]
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in reversed(node.value) for part in reversed(pair)]
        elif isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
        elif (
            node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float") and node.style is None
        ):
            found.append(node)
    return found


def refuse_shadows(own: Path, shipped: Path, shown: Any) -> None:
    """A file of ours would be taken in place of one of the user's of the same name.

    Raises:
        ConfigError: with all such files.
    """
    shadowed = sorted(
        path for path in own.rglob("*.yaml") if (shipped / path.relative_to(own)).is_file()
    )
    if shadowed:
        lines = [
            f"{Path(shown) / path.relative_to(own)}: the name is taken by one that comes with Cobweb; "
            "give the file another."
            for path in shadowed
        ]
        raise ConfigError(lines)


def refuse_environment(mistakes: Mistakes, document: Any, where: str = "") -> None:
    """An archive carries its document, so nothing of the machine may be drawn into it unseen."""
    if isinstance(document, dict):
        for key, value in document.items():
            refuse_environment(mistakes, value, f"{where}.{key}" if where else str(key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            refuse_environment(mistakes, value, f"{where}[{index}]")
    elif isinstance(document, str) and re.search(r"\$\{\s*oc\.env", document):
        mistakes.add(where, "a document does not read the environment; give the value", document)


def is_yaml_error(error: BaseException) -> bool:
    """Whether it comes from the reader of YAML files."""
    return isinstance(error, yaml.YAMLError | UnicodeDecodeError)


def explain(error: BaseException) -> str:
    """What Hydra or the YAML reader found, in one sentence or two."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        place = f"{mark.name}, line {mark.line + 1}, column {mark.column + 1}"
        return f"{place}: {error.problem or 'not YAML'}."
    if isinstance(error, OmegaConfBaseException) and error.full_key and error.msg:
        return f"{error.full_key}: {error.msg.splitlines()[0].rstrip('.')}."
    cause = error.__cause__
    message = str(error)
    if isinstance(cause, OmegaConfBaseException) and not message.strip():
        message = str(cause)
    elif cause is not None and "Error merging" in message:
        message = f"{message}: {cause}"
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    # Search paths and types of nodes help nobody who wrote the document.
    wanted = [
        line
        for line in lines
        if not re.match(
            r"(Search path|provider=|full_key|object_type|reference_type|See http|\[?Config search)",
            line,
        )
    ]
    text = " ".join(wanted) or type(error).__name__
    return f"{text.rstrip('.')}."
