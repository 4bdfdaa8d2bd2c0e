"""What a line table knows about its rows: filter, cursor, marks, find.

Knows no widget. The cursor belongs to a row's key and passes over notes.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.ui.widgets.rows import Row, matches, row_text


class RowModel:
    """The caller's rows, those that pass the filter, and a cursor among them."""

    def __init__(self) -> None:
        self.all: Sequence[Row] = ()
        self.rows: Sequence[Row] = ()
        self.cursor = 0
        self.cursor_key: str | None = None
        self.marks: set[str] = set()
        self.filter_text = ""
        self.find_text = ""
        self._texts: dict[str, tuple[int, str]] = {}

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Take these rows, sift them, and keep the cursor with its key."""
        self.all = rows
        self.sift()

    def sift(self) -> None:
        """Apply the filter; a note stays with the row above it."""
        if self.filter_text.strip():
            kept: list[Row] = []
            keep = False
            for row in self.all:
                if not row.note:
                    keep = matches(self._text(row), self.filter_text)
                if keep:
                    kept.append(row)
            self.rows = kept
        else:
            self.rows = self.all
        self._pin()

    def _text(self, row: Row) -> str:
        known = self._texts.get(row.key)
        if known is None or known[0] != row.version:
            if len(self._texts) > 2 * len(self.all):
                self._texts.clear()
            known = self._texts[row.key] = (row.version, row_text(row))
        return known[1]

    def _pin(self) -> None:
        rows, key, at = self.rows, self.cursor_key, self.cursor
        if not rows:
            # The key is kept: a row that comes back gets its cursor back.
            self.cursor = 0
            return
        if key is not None:
            if at < len(rows) and rows[at].key == key:
                return
            found = self.index_of(key)
            if found is not None:
                self.cursor = found
                return
        self.cursor = self.selectable(at, 1)
        self.cursor_key = rows[self.cursor].key

    def index_of(self, key: str) -> int | None:
        """Return where the row ``key`` is shown."""
        for index, row in enumerate(self.rows):
            if row.key == key:
                return index
        return None

    def selectable(self, index: int, step: int) -> int:
        """Return the nearest row from ``index`` on, in ``step``'s way, not a note."""
        rows = self.rows
        index = max(0, min(index, len(rows) - 1))
        for way in (step, -step):
            at = index
            while 0 <= at < len(rows):
                if not rows[at].note:
                    return at
                at += way
        return index

    def move(self, index: int, step: int) -> bool:
        """Put the cursor on ``index`` or beyond it; tell whether the row changed."""
        self.cursor = self.selectable(index, step)
        key = self.rows[self.cursor].key
        moved = key != self.cursor_key
        self.cursor_key = key
        return moved

    def last_note(self, index: int) -> int:
        """Return the index of the last note that belongs to row ``index``."""
        while index + 1 < len(self.rows) and self.rows[index + 1].note:
            index += 1
        return index

    def hits(self) -> list[int]:
        """Return the indices of the rows that contain ``find_text``."""
        wanted = self.find_text.lower()
        return [
            index
            for index, row in enumerate(self.rows)
            if wanted and not row.note and wanted in self._text(row)
        ]

    def count(self) -> tuple[int, int]:
        """Return how many rows are shown and how many there are, without notes."""
        shown = sum(1 for row in self.rows if not row.note)
        return shown, sum(1 for row in self.all if not row.note)
