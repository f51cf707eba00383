"""What an error proposes instead."""

import pytest

from pipeline.expressions import hints


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("sine", 'did you mean "sin"?'),
        ("SIN", 'did you mean "sin"?'),
        ("ln", "the natural logarithm is written log(x)"),
        ("qqq", 'no function called "qqq" (known: log, sin)'),
    ],
)
def test_nearest(name, proposal):
    said = hints.unknown("function", name, ["sin", "log"])
    assert proposal in said
    assert said.endswith("(known: log, sin)")


def test_long_lists_and_names_are_cut():
    said = hints.unknown("name", "z" * 1000, [f"x_{i:03}" for i in range(100)])
    assert said.endswith("x_059, ...)")
    assert "z" * 41 not in said


def test_every_proposal_is_one_line():
    every = [*hints.CHARACTERS, "$", "\x00", "\u0416", "\ud800"]
    for said in [*map(hints.character, every), *map(hints.word, [*hints.WORDS, "import"])]:
        assert said.splitlines() == [said]
        assert said.isascii() or said.startswith("the character")
