"""Files of configs: YAML's traps are harmless or loud."""

from __future__ import annotations

import math

import pytest

from pipeline import notation
from pipeline.config import files
from pipeline.config.mistakes import Mistakes
from pipeline.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    """(content, mistakes) of a text or bytes."""

    def read(text):
        path = tmp_path / "mine.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        told = Mistakes()
        return files.read(told, path, "map/mine.yaml")[1], told

    return read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("1.", 1.0),
        (".5", 0.5),
        ("+1", 1),
        ("-0", 0),
        ("0", 0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("'1'", "1"),
        ('"true"', "true"),
        # Texts here and on the command line, though booleans or numbers to other readers of YAML.
        ("on", "on"),
        ("No", "No"),
        ("y", "y"),
        ("inf", "inf"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1:2:3:x", "1:2:3:x"),
        ("x**2 - 1", "x**2 - 1"),
        ("[1, [2, x]]", [1, [2, "x"]]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
    ],
)
def test_values(load, text, value):
    content, told = load(f"a: {text}\n")
    assert not told
    assert content == {"a": value}
    assert type(content["a"]) is type(value)


def test_not_a_number(load):
    content, told = load("a: .nan\n")
    assert not told
    assert math.isnan(content["a"])


def test_keys_are_texts(load):
    content, told = load("{on: 1, no: 2, y: 3, null: 4, 5: 5, 1.5: 6, true: 7}")
    assert not told
    assert list(content) == ["on", "no", "y", "null", "5", "1.5", "true"]


def test_anchors(load):
    content, told = load("a: &p [1, 2]\nb: *p\nc: &q x\nd: *q\n")
    assert not told
    assert content == {"a": [1, 2], "b": [1, 2], "c": "x", "d": "x"}


def test_byte_order_mark(load):
    assert load("a: 1".encode("utf-8-sig")) == ({"a": 1}, [])


LAUGHS = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 010", "line 1: 010: to YAML a leading 0 means octal; write the number without it."),
        ("a: -0777", "line 1: -0777: to YAML a leading 0 means octal"),
        ("a: 12:30", "line 1: 12:30: to YAML a colon between digits means base 60; quote a text."),
        ("a: 12:30:45.5", "base 60"),
        ("a: 2001-01-01", "line 1: 2001-01-01: to YAML this is a date; quote a text."),
        ("a: 2001-01-01T00:00:00Z", "a date"),
        ("a: 1\na: 2", "line 2, column 1: the key a is there twice."),
        ("p: {1: 1, '1': 2}", "line 1, column 11: the key 1 is there twice."),
        ("a: !!python/object/apply:os.getcwd []", "tags such as !!python/object/apply:os.getcwd"),
        ("a: !!binary aGVsbG8=", "tags such as !!binary have no meaning here."),
        ("a: !mine 1", "tags such as !mine have no meaning here."),
        ("p: {<<: {a: 1}}", "merge keys (<<) are not read; write the keys out."),
        ("p: {[1]: 2}", "expected a key that is a text."),
        ("a: &k x\n*k : 1", "expected a key that is a text."),
        ("a: &p [*p]", "nothing complete is called &p above."),
        ("a: *p", "line 1, column 4: nothing complete is called &p above."),
        (LAUGHS, "expected at most 20000 values in a file; a sample or a CSV file holds more."),
        ("a: [" + "1, " * 30_000 + "1]", "expected at most 20000 values in a file"),
        ("a: " + "[" * 5000 + "]" * 5000, "expected at most 32 levels, one within the other."),
        ("a: " + "9" * 5000, "expected a number of at most 100 digits."),
        ("a:\n\tb: 1", "line 2, column 1: YAML indents with spaces, not with tabs."),
        ("a: [1", "did not find expected ',' or ']' while parsing a flow sequence."),
        ("a: b: c", "mapping values are not allowed"),
        ("a: 1\n---\na: 2", "expected one document; this begins another."),
        ("", "map/mine.yaml: expected keys and values; the file is empty."),
        ("# nothing", "the file is empty."),
        ("null", "the file is empty."),
        ("- 1", "expected keys and values; the file has something else."),
        ("5", "the file has something else."),
        ("hello", "the file has something else."),
        (b"a: H\xe9non", "map/mine.yaml: expected UTF-8; the byte at 4 is none."),
        ("a: 1".encode("utf-16"), "expected UTF-8; the byte at 0 is none."),
        ("a: x\0y", "at character 4."),
        ("# " + "x" * 600_000, "map/mine.yaml: expected at most 512 KiB; the file has 585."),
    ],
)
def test_refused(load, text, message):
    _, told = load(text)
    assert len(told) == 1
    assert told[0].startswith("map/mine.yaml")
    assert message in told[0]


def test_traps_are_told_together(load):
    _, told = load("a: 010\nb: [12:30, 2001-01-01]\n")
    assert [line.split(": to YAML")[0] for line in told] == [
        "map/mine.yaml, line 1: 010",
        "map/mine.yaml, line 2: 12:30",
        "map/mine.yaml, line 2: 2001-01-01",
    ]


def test_unreadable(tmp_path):
    told = Mistakes()
    assert files.read(told, tmp_path, "map/mine.yaml") == ("", {})
    assert told == ["map/mine.yaml: the file cannot be read: Is a directory."]


def test_without_libyaml(load, monkeypatch):
    """PyYAML may have been built without it: the same data, and errors of the same shape."""
    monkeypatch.setattr(notation, "_LOADER", notation.yaml.SafeLoader)
    assert load("a: [1, x, null, 'null']\nb: {c: 1e-3}\n")[0] == {
        "a": [1, "x", None, "null"],
        "b": {"c": 1e-3},
    }
    assert load("a:\n\tb: 1")[1] == [
        "map/mine.yaml, line 2, column 1: YAML indents with spaces, not with tabs."
    ]
    assert "not allowed" in load("a: x\0y")[1][0]


def test_shadows(tmp_path):
    for folder in ("own/map", "ours/map"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "henon.yaml").touch()
    with pytest.raises(ConfigError, match=r"mine/map/henon.yaml: the name is taken by one that"):
        files.refuse_shadows(tmp_path / "own", tmp_path / "ours", "mine")
