"""Restoration: documents of strangers, read as data and held to what their file holds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import archive, config, contents, preparation, provenance, restoration
from pipeline.__main__ import main
from pipeline.errors import ForeignError
from tests.archives import filed, rewritten

PARTS: dict[str, Any] = {"map": "henon", "grid": {"a": [1.2, 1.3, 1.4]}, "length": 20}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive whose document is replaced."""
    return filed(tmp_path_factory.mktemp("restoration") / "result.nc", **PARTS)


@pytest.fixture
def with_document(path: Path, tmp_path: Path) -> Callable[[Any], Path]:
    """The archive with another document: a text, or changes of its sections."""

    def change(given: str | Mapping[str, Any]) -> Path:
        if not isinstance(given, str):
            document = yaml.safe_load(archive.provenance(path)["document"])
            for key, value in given.items():
                section, _, inner = key.partition(".")
                if inner:
                    document[section][inner] = value
                else:
                    document[section] = value
            given = provenance.text(document)
        return rewritten(path, tmp_path / "other.nc", document=given)

    return change


def restored(path: Path) -> Any:
    with contents.opened(path) as found:
        return restoration.read(found, lambda device: None)


def test_its_own_document(path: Path) -> None:
    found = restored(path)
    assert found.document["map"]["name"] == "henon"
    assert [axis.size for axis in found.grid] == [3]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "expected at most 2000000 values"),
        ("a: " + "[" * 100 + "]" * 100, "expected at most 32 levels, one within the other"),
        ("!!python/object/apply:os.system ['touch pwned']", "tags such as !!python/object/apply"),
        ("a: !!python/name:os.system", "tags such as !!python/name:os.system have no meaning here"),
        ("a: &x [*x]", "nothing complete is called &x above"),
        ("a: {<<: {b: 1}}", "merge keys"),
        ("a: 1\na: 2", "the key a is there twice"),
        ("a: " + "9" * 5000, "expected a number of at most 100 digits"),
        ("[1, 2]", "its document has no keys and values"),
        ("", "its document has no keys and values"),
        ("a: [", "its document, line "),
        ("a: 1\n--- \nb: 2", "expected one document"),
        ("a: \x07", "its document: control characters are not allowed"),
    ],
)
def test_texts_that_are_no_document(
    text: str, told: str, with_document: Callable[[str], Path], workdir: Path
) -> None:
    """Bombs, tags, depths: a sentence, at once, and nothing is run."""
    path = with_document(text)
    before = time.process_time()
    with pytest.raises(ForeignError) as raised:
        restored(path)
    assert told in str(raised.value)
    assert str(raised.value).startswith(f"{path}: its document")
    assert time.process_time() - before < 30
    assert not list(workdir.glob("pwned*"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"grid": {"a": {"start": 0, "stop": 1, "num": 2**60}}}, "grid.a: 1.15292150461e+18 val"),
        ({"grid": {"a": {"start": 0, "stop": 1, "step": 1e-15}}}, "grid.a: 1e+15 values, and the"),
        ({"grid": {"a": {"sample": "uniform", "num": 10**7, "low": 0, "high": 1}}}, "10000000 val"),
        ({"grid": {"a": {"file": "/etc/passwd", "column": "root"}}}, "it names a file, whose"),
        ({"grid": {f"a{k}": [1, 2] for k in range(61)}}, "grid: more than 60 axes"),
        ({"iterate.length": 2**31 - 1}, "iterate.length: 2,147,483,647 rows, and the file has 21"),
        ({"analysis": {"orbit": {"every": 7}}, "iterate.length": 10**9}, "142,857,142 rows"),
        ({"analysis": {"history": {}}, "iterate.length": 10**9}, "1,000,000,000 rows, and the"),
        ({"map.definitions": {f"d{k}": "x" * 9000 for k in range(20)}}, "more than 100,000 char"),
    ],
)
def test_documents_that_ask_for_what_the_file_does_not_hold(
    change: Any, told: str, with_document: Callable[[Any], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused before anything is made of them."""
    path = with_document(change)
    with pytest.raises(ForeignError) as raised:
        restored(path)
    assert told in str(raised.value)
    assert main(["verify", str(path)]) == 2
    assert capsys.readouterr().err.strip() == str(raised.value)


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('touch pwned')",
        "x.__class__.__mro__[1].__subclasses__()",
        "open('/etc/passwd').read()",
        "(lambda: x)()",
        "[x for x in range(10)]",
        "exec('import os')",
        "x if x else open('pwned', 'w')",
        "9**9**9**9",
        "zeros(10**9)[0]",
        "(" * 500 + "x" + ")" * 500,
        "x" + "+x" * 5000,
        "f'{x}'",
        "x := 3",
        "print(x)",
    ],
)
def test_formulas_that_are_attacks(
    formula: str, with_document: Callable[[Any], Path], workdir: Path
) -> None:
    """Told as mistakes of the document; nothing is run."""
    path = with_document({"map.equations": {"x": formula, "y": "b*x"}})
    with pytest.raises(ForeignError) as raised:
        restored(path)
    head, mistake = str(raised.value).split("\n")[:2]
    assert head == f"{path}: this version cannot read its document:"
    assert mistake.startswith("  map.equations.x: ")
    assert not list(workdir.glob("pwned*"))


def test_settings_that_this_version_does_not_know(
    with_document: Callable[[Any], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of another version: what it cannot read, all of it."""
    path = with_document({"analysis": {"portrait": {}}, "horizon": 3})
    assert main(["verify", str(path)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"{path}: this version cannot read its document:"
    assert told[1].startswith("  horizon: no such key")
    assert told[2].startswith("  analysis.portrait: no such analysis")


def test_values_from_a_file_come_with_the_document(
    with_document: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file itself is not opened, wherever it is said to be."""
    from pipeline.config import table

    def opened(*_: Any) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(table, "read", opened)
    axis = {"file": "/etc/passwd", "column": "a", "sha256": "0" * 64, "values": [1, 1.1, 1.2]}
    found = restored(with_document({"grid": {"a": axis}}))
    assert found.grid[0].values[:, 0].tolist() == [1, 1.1, 1.2]


def test_the_memory_is_this_machines(
    with_document: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what a document says; a smaller one is kept."""
    monkeypatch.setattr(preparation, "free_memory", lambda: 10**9)
    assert restored(with_document({"device.memory": 2**59})).device.memory < 10**9
    assert restored(with_document({"device.memory": 10**6})).device.memory == 10**6
    monkeypatch.setattr(preparation, "free_memory", lambda: None)
    assert restored(with_document({"device.memory": 2**40})).device.memory == 2**40


def test_a_platform_that_is_not_here(with_document: Callable[[Any], Path]) -> None:
    """Computed on what there is, after JAX was told what it reads at its start."""
    from pipeline import device

    if "tpu" in device.known():
        pytest.skip("there is one here")
    told: list[device.Device] = []
    with contents.opened(with_document({"device.platform": "tpu"})) as found:
        assert restoration.read(found, told.append).device.platform == "auto"
    assert [given.platform for given in told] == ["tpu"]


def test_a_document_of_mistakes_in_its_device(with_document: Callable[[Any], Path]) -> None:
    path = with_document({"device": {"platform": ["cpu"]}})
    with pytest.raises(ForeignError, match=r"device\.platform"):
        restored(path)


GREEDY = """
import sys
from pipeline.__main__ import main
sys.exit(main(["verify", sys.argv[1]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_what_needs_more_than_the_machine_has(
    with_document: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty parameters of 80 MB each, in a process that may take a tenth of what is free."""
    samples = {f"p{k}": {"sample": "normal", "shape": [10**7]} for k in range(50)}
    document = config.read(
        yaml.safe_load(archive.provenance(with_document({}))["document"])
    ).document
    path = with_document({"map.parameters": {**document["map"]["parameters"], **samples}})
    code = f"from pipeline import device; device.CONFINED = 0.1\n{GREEDY}"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().endswith("does not fit into the memory of this machine.")
