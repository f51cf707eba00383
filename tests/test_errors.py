import pickle

import pytest

from pipeline.errors import ConfigError, ExpressionError


@pytest.mark.parametrize(
    "error",
    [ConfigError(["a: expected b.", "c: expected d."]), ExpressionError("x + q", "no q", 4)],
)
def test_errors_survive_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_picture_points_below_the_fault():
    lines = str(ExpressionError("x + q", "no q", 4)).splitlines()
    assert lines == ["no q", "    x + q", "        ^"]


def test_picture_of_a_long_line_shows_the_part_at_fault():
    text = "x + " * 100 + "q" + " + x" * 100
    reason, line, caret = str(ExpressionError(text, "no q", text.index("q"))).splitlines()
    assert reason == "no q"
    assert len(line) <= 104
    assert line[caret.index("^")] == "q"


def test_picture_shows_the_line_of_several():
    text = "x +\n  q"
    assert str(ExpressionError(text, "no q", text.index("q"))).splitlines()[1:] == [
        "      q",
        "      ^",
    ]


def test_picture_hides_control_characters():
    assert "\x1b" not in str(ExpressionError("x \x1b[31m", "no", 2))
