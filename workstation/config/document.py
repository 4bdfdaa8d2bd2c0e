"""One TOML file as read: its text, its values, and where each was written."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from workstation.config.overrides import Override
from workstation.config.positions import key_lines, line_of
from workstation.config.problems import Key, Place, Problems

__all__ = ["Document", "shown_path"]

_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


class Document:
    """A config file whose values know their place; ``--set`` wins over lines."""

    def __init__(self, path: Path, order: int = 0) -> None:
        self.path = path
        self.text = ""
        self.data: dict[str, Any] = {}
        self.overrides: list[Override] = []
        self._source = shown_path(path)
        self._order = order
        self._lines: dict[Key, int] = {}

    def read(self, problems: Problems) -> bool:
        """Read the file; add a problem and return False when that cannot be."""
        try:
            self.text = self.path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
            self.data = tomllib.loads(self.text)
        except OSError as error:
            reason = error.strerror or "cannot be read"
            problems.add_at(self._place(0), "", reason)
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            found = error.object[error.start]
            problems.add_at(
                self._place(line), "", f"found byte {found:#04x}; allowed: UTF-8 text"
            )
        except tomllib.TOMLDecodeError as error:
            problems.add_at(*self._syntax(str(error)))
        else:
            self._lines = key_lines(self.text)
            return True
        return False

    def where(self, key: Key) -> Place:
        """Return the ``--set`` or the line that wrote ``key`` or what is around it."""
        newest_first = self.overrides[::-1]
        for override in newest_first:
            if key[: len(override.key)] == override.key:
                return override.place
        if key not in self._lines:
            for override in newest_first:
                if override.key[: len(key)] == key:
                    return override.place
        return self._place(line_of(self._lines, key))

    def is_overridden(self, key: Key) -> bool:
        """Tell whether a ``--set`` wrote the value at ``key`` or a table around it."""
        return any(key[: len(item.key)] == item.key for item in self.overrides)

    def _place(self, line: int) -> Place:
        return Place(self._order, self._source, line)

    def _syntax(self, message: str) -> tuple[Place, str, str]:
        match = _TOML_PLACE.search(message)
        if match is None:
            return self._place(1), "", f"not TOML: {message}"
        reason = message[: match.start()]
        if match[1] is None:
            last = self.text.rstrip("\n").count("\n") + 1
            return self._place(last), "", f"not TOML: {reason} at the end of the file"
        return (
            self._place(int(match[1])),
            "",
            f"not TOML: {reason} at column {match[2]}",
        )


def shown_path(path: Path) -> str:
    """Return the path as a user would type it: relative where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
