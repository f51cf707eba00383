"""Notation: YAML read and written; what a file of configs makes of it is in config/test_files."""

from __future__ import annotations

import pytest
import yaml

from pipeline import notation, provenance


def test_values_are_counted_with_their_aliases() -> None:
    text = "a: &a [1, 2, 3]\nb: [*a, *a]"
    assert notation.read(text) == {"a": [1, 2, 3], "b": [[1, 2, 3], [1, 2, 3]]}
    with pytest.raises(notation.Fault, match="expected at most 12 values in a file"):
        notation.read(text, 12)


def test_traps_are_told_where_somebody_listens() -> None:
    told: list[tuple[int, str, str]] = []
    assert notation.read("a: 010") == {"a": "010"}
    assert notation.read("a: 1\nb: 010", trap=lambda *given: told.append(given)) == {
        "a": 1,
        "b": "010",
    }
    assert [(line, text) for line, text, _ in told] == [(2, "010")]


@pytest.mark.parametrize("text", ["1e-3", "1E5", "089", "+.5e3", "12:30", "2001-01-01", "on", "~"])
def test_texts_that_look_like_numbers_are_quoted(text: str) -> None:
    """As PyYAML alone would not do: our reader, and its own, give the text back."""
    written = yaml.dump({"a": text, "b": [1e-3, 7]}, Dumper=notation.Dumper)
    assert f"'{text}'" in written
    assert notation.read(written) == yaml.safe_load(written) == {"a": text, "b": [1e-3, 7]}


def test_what_a_terminal_obeys_is_left_out() -> None:
    assert notation.printable("Hénon\x1b[2J\n\x07²") == "Hénon?[2J??²"


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return x\n",
        "  a\nb",
        "a\n\n",
        "\n\na",
        "a \nb",
        "a\n---\n# b: 'c'",
        "\t\n",
        "é\n\x85",
    ],
)
def test_a_text_of_several_lines_reads_as_it_is(text: str) -> None:
    written = provenance.text({"a": {"b": text, "c": 1}})
    assert notation.read(written) == yaml.safe_load(written) == {"a": {"b": text, "c": 1}}


def test_a_source_is_written_line_by_line() -> None:
    written = provenance.text({"a": {"b": "def f(x):\n    return x\n"}})
    assert written == "a:\n  b: |\n    def f(x):\n        return x\n"
