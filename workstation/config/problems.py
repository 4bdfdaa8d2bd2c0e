"""What is wrong with a config: collected, sorted by place, raised together.

Every check adds here and goes on; nothing is raised before the last check has run.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from workstation.model.errors import ConfigError

__all__ = ["ConfigProblems", "Key", "Place", "Problem", "Problems", "did_you_mean"]

Key = tuple[str | int, ...]
"""Path of a value: names of tables and indexes of arrays, ``("feeds", 0, "files")``."""


class Place(Struct, frozen=True, order=True):
    """Where a value was written: a file and its line, or a ``--set`` (line 0)."""

    order: int
    source: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


class Problem(Struct, frozen=True):
    """One thing that is wrong, in words that say how to mend it."""

    place: Place
    key: str
    message: str

    def __str__(self) -> str:
        parts = (str(self.place), self.key, self.message)
        return ": ".join(part for part in parts if part)


class ConfigProblems(ConfigError):
    """All problems of a config; its text has one line for each, then the notes."""

    def __init__(self, problems: Iterable[Problem], notes: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        self.notes = tuple(notes)
        super().__init__("\n".join([*map(str, self.problems), *self.notes]))


class Locator(Protocol):
    """Knows where a key was written."""

    def where(self, key: Key) -> Place:
        """Return the place of the key, or of the nearest table around it."""


class Problems:
    """The list that every check adds to."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self._found: dict[Problem, None] = {}
        self._notes: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, key: Key, message: str) -> None:
        """Note a problem with the value at ``key``."""
        dotted = ".".join(map(str, key))
        self._found[Problem(self._locator.where(key), dotted, message)] = None

    def add_at(self, place: Place, key: str, message: str) -> None:
        """Note a problem of which only the place is known."""
        self._found[Problem(place, key, message)] = None

    def names(self, key: Key) -> bool:
        """Tell whether something is wrong with the value at ``key`` already."""
        dotted = ".".join(map(str, key))
        return any(problem.key == dotted for problem in self._found)

    def extend(self, other: Problems) -> None:
        """Take over what was found elsewhere."""
        self._found |= other._found
        self._notes |= other._notes

    def note(self, text: str) -> None:
        """Add an explanation, shown once after all problems."""
        self._notes[text] = None

    def raise_if_any(self) -> None:
        """Raise ConfigProblems with all that was found, sorted by place."""
        if self._found:
            found = sorted(self._found, key=lambda problem: problem.place)
            raise ConfigProblems(found, self._notes)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "x"?`` for the closest known word, or nothing."""
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f'; did you mean "{by_fold[close[0]]}"?' if close else ""
