"""The errors that a user can cause: sentences that say where, what and what would be right."""

from __future__ import annotations

from collections.abc import Sequence


class CobwebError(Exception):
    """A mistake of the user's: shown as it reads, without a traceback, with an exit status."""

    exit_status = 2


class ConfigError(CobwebError):
    """All the mistakes of one document, in the order in which they were found."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))

    def __reduce__(self) -> tuple[type, tuple[tuple[str, ...]]]:
        """Errors cross processes; pickle would pass the message alone."""
        return type(self), (self.mistakes,)


class ArchiveError(CobwebError):
    """A file that is no archive of this project's, or is damaged."""


class ForeignError(ArchiveError):
    """A file that is no archive of this project's, or of a version that this one does not know."""


class DamageError(ArchiveError):
    """An archive whose content is not what was written."""


class FunctionError(CobwebError):
    """A Python function that fails in the place of formulas; the message says why."""


class JobsFailed(CobwebError):
    """Some jobs of a sweep failed; the others were filed."""

    exit_status = 1


class Interrupted(KeyboardInterrupt):
    """The user has stopped a run that can be continued; the message says how."""


class ExpressionError(CobwebError):
    """A formula that does not compile, or does not fit its quantities.

    Attributes:
        text: the formula.
        reason: what is wrong, without the formula.
        offset: where, in characters from the start.
    """

    def __init__(self, text: str, reason: str, offset: int = 0) -> None:
        self.text, self.reason, self.offset = text, reason, offset
        super().__init__(self._picture())

    def __reduce__(self) -> tuple[type, tuple[str, str, int]]:
        """Errors cross processes; pickle would pass the message alone."""
        return type(self), (self.text, self.reason, self.offset)

    def _picture(self) -> str:
        """The reason, then the line at fault (a part of a long one) with a caret beneath."""
        start = self.text.rfind("\n", 0, self.offset) + 1
        line, column = self.text[start:].split("\n", 1)[0], self.offset - start
        if len(line) > 100:
            left = max(0, column - 50)
            line, column = line[left : left + 100], column - left
        shown = "".join(c if c.isprintable() else "?" for c in line)
        return f"{self.reason}\n    {shown}\n    {' ' * column}^"
