"""A table of sections, each with a head and columns of its own, and one cursor.

Handed whole sections. Heads scroll with their rows; the cursor passes over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, LineTable, Row
from workstation.ui.widgets.rows import Fitted, fit_columns, head_parts

__all__ = ["Section", "SectionTable"]


class Section(NamedTuple):
    """Rows under a head; ``empty`` stands in their place while there are none.

    Keys are those of no other section. The version of a row changes with its columns.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: str


class SectionTable(LineTable):
    """Sections below each other, a blank line between them where there is room."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__((), head=False, id=id)
        self._sections: tuple[Section, ...] = ()
        self._columns_of: dict[str, tuple[Column, ...]] = {}
        self._fits: dict[tuple[Column, ...], Fitted] = {}
        self._room = 0

    def set_sections(self, sections: Sequence[Section]) -> None:
        """Show these sections; the cursor stays with its row's key."""
        self._sections = tuple(sections)
        self._columns_of = {
            row.key: section.columns for section in sections for row in section.rows
        }
        # Columns are as wide as what stands in them, so old ones do not come again.
        self._fits.clear()
        self._lay_out()

    def fit_row(self, row: Row, cells: int) -> Fitted:
        """Return how the columns of the row's own section share the width."""
        return self._fit_section(self._columns_of.get(row.key, ()))

    def on_resize(self) -> None:
        """Lay the heads out anew."""
        self._lay_out()

    def _fit_section(self, columns: tuple[Column, ...]) -> Fitted:
        fitted = self._fits.get(columns)
        if fitted is None:
            fitted = self._fits[columns] = fit_columns(columns, self._room)
        return fitted

    def _lay_out(self) -> None:
        if not self.is_mounted:
            # There is no width yet to lay a head out for.
            return
        height = self.size.height
        lines = sum(1 + max(1, len(each.rows)) for each in self._sections)
        room = max(1, self.size.width - self._gutter - (1 if lines > height else 0))
        if room != self._room:
            self._room = room
            self._fits.clear()
            self._repaint()
        airy = lines + len(self._sections) - 1 <= height
        rows: list[Row] = []
        for section in self._sections:
            if rows and airy:
                rows.append(_note(f"{section.name}-gap", [(" ", "")]))
            fitted = self._fit_section(section.columns)
            head = head_parts(fitted, 0, None, self.glyphs)
            rows.append(_note(f"{section.name}-head", head))
            rows.extend(section.rows)
            if not section.rows:
                rows.append(_note(f"{section.name}-empty", [(section.empty, "dim")]))
        self.set_rows(rows)

    def _bring_into_view(self, index: int) -> None:
        """Bring the head along with the first row of its section."""
        super()._bring_into_view(index)
        first = index
        while first > 0 and self.rows[first - 1].note:
            first -= 1
        if first < self.scroll_offset.y:
            self.scroll_to(y=first, animate=False)


def _note(key: str, parts: Sequence[Part]) -> Row:
    return Row(key, hash(tuple(parts)), note=tuple(parts))
