"""Lines of the keys in a TOML text, which ``tomllib`` does not tell.

Called only with text that ``tomllib`` has accepted, so nothing is checked here: the
text is walked value by value, through arrays of tables, inline tables and strings of
several lines.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from workstation.config.problems import Key

__all__ = ["key_lines", "line_of"]

_BLANK = " \t\r\n"
_END_OF_SCALAR = ",]}#\n"


def key_lines(text: str) -> dict[Key, int]:
    """Return the line, counted from 1, of each table, key and array element."""
    return _Walk(text).document()


def line_of(lines: Mapping[Key, int], key: Key) -> int:
    """Return the line of ``key``, or of the nearest table around it, or 1."""
    for length in range(len(key), 0, -1):
        line = lines.get(key[:length])
        if line is not None:
            return line
    return 1


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[Key, int] = {}
        self._counts: dict[Key, int] = {}

    def document(self) -> dict[Key, int]:
        table: Key = ()
        while self._skip():
            if self._text.startswith("[[", self._at):
                self._move(2)
                table = self._header()
                index = self._counts.get(table, 0)
                self._counts[table] = index + 1
                self._lines.setdefault(table, self._line)
                table = (*table, index)
                self._lines[table] = self._line
                self._move(2)
            elif self._text[self._at] == "[":
                self._move(1)
                table = self._header()
                self._lines[table] = self._line
                self._move(1)
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> Key:
        """Read a table's path, with the newest index behind each array of tables."""
        path = self._key_path()
        resolved: Key = ()
        for number, part in enumerate(path):
            resolved = (*resolved, part)
            if number < len(path) - 1:
                # A table may be there only because one inside it is written.
                self._lines.setdefault(resolved, self._line)
                if resolved in self._counts:
                    resolved = (*resolved, self._counts[resolved] - 1)
        return resolved

    def _pair(self, table: Key) -> None:
        line = self._line
        path = self._key_path()
        for length in range(1, len(path) + 1):
            self._lines.setdefault((*table, *path[:length]), line)
        self._move(1)
        self._value((*table, *path))

    def _key_path(self) -> Key:
        parts: list[str] = []
        while True:
            self._skip()
            if self._text[self._at] in "\"'":
                start = self._at
                self._string()
                quoted = self._text[start : self._at]
                parts.append(tomllib.loads(f"key = {quoted}")["key"])
            else:
                start = self._at
                while self._text[self._at] not in " \t.=]":
                    self._at += 1
                parts.append(self._text[start : self._at])
            self._skip()
            if self._text[self._at] != ".":
                return tuple(parts)
            self._move(1)

    def _value(self, key: Key) -> None:
        self._skip()
        start = self._text[self._at]
        if start in "\"'":
            self._string()
        elif start == "[":
            self._move(1)
            index = 0
            while self._skip() and self._text[self._at] != "]":
                if self._text[self._at] == ",":
                    self._move(1)
                    continue
                self._lines[(*key, index)] = self._line
                self._value((*key, index))
                index += 1
            self._move(1)
        elif start == "{":
            self._move(1)
            while self._skip() and self._text[self._at] != "}":
                if self._text[self._at] == ",":
                    self._move(1)
                    continue
                self._pair(key)
            self._move(1)
        else:
            while (
                self._at < len(self._text)
                and self._text[self._at] not in _END_OF_SCALAR
            ):
                self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        closing = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._move(len(closing))
        while not self._text.startswith(closing, self._at):
            self._move(2 if quote == '"' and self._text[self._at] == "\\" else 1)
        if len(closing) == 3:
            # Up to two quotes may stand before the closing three.
            while self._text.startswith(closing, self._at + 1):
                self._move(1)
        self._move(len(closing))

    def _skip(self) -> bool:
        """Pass blanks and comments; tell whether anything is left."""
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif char in _BLANK:
                self._move(1)
            else:
                return True
        return False

    def _move(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count
