"""The plain data of a line table: columns, rows, cells, and how they share a width.

Made by panels, laid out for ``line_table``; knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, overload

from workstation.ui.glyphs import GlyphSet
from workstation.ui.typeset import fit, fit_number, width
from workstation.ui.widgets.inks import Part

T = TypeVar("T")

Cell = str | Part
"""A ready text, plain or with its inks."""


class Lazy(Sequence[T]):
    """A sequence that is made when it is first looked into.

    A table may have ten thousand rows of which thirty are seen.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make: Callable[[], Sequence[T]] | None = make
        self._made: Sequence[T] = ()

    def _items(self) -> Sequence[T]:
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._items()[index]

    def __len__(self) -> int:
        return len(self._items())


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``width`` is exact, or the least for the ``flex`` one.

    ``priority`` 0 stays; the highest is dropped first when the table is too narrow.
    ``gap`` is the number of blanks before the column. Numbers are aligned right: one
    too wide for its column loses its commas, then shows as ``###``.
    """

    key: str
    title: str
    width: int
    align: Literal["left", "right"] = "left"
    priority: int = 0
    flex: bool = False
    gap: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A row under a stable ``key``; a changed row has a new ``version``.

    ``cells`` follow the table's columns. ``flag`` is one glyph for the gutter ("!").
    A row with ``note`` is one free line that belongs to the row above it: it has no
    cells, and the cursor passes over it. ``ink`` lies below all its cells ("stale").
    """

    key: str
    version: int
    cells: Sequence[Cell] = ()
    flag: Cell = ""
    note: Sequence[Part] = ()
    ink: str = ""


@dataclass(frozen=True, slots=True)
class SortSpec:
    """Which column the caller has sorted by; the table only shows it."""

    key: str
    descending: bool = False


def cell_parts(cell: Cell) -> Part:
    """Return text and inks of a cell."""
    return (cell, "") if isinstance(cell, str) else cell


def row_text(row: Row) -> str:
    """Return what filter and find look through, in lower case."""
    if row.note:
        return "".join(text for text, _ in row.note).lower()
    return " ".join(cell_parts(cell)[0] for cell in row.cells).lower()


def fit_columns(columns: Sequence[Column], cells: int) -> list[tuple[int, Column, int]]:
    """Choose the columns that fit ``cells``: (index, column, width) each.

    Drops by priority, then lets the flex column have what is left.
    """
    kept = list(enumerate(columns))

    def total() -> int:
        gaps = sum(column.gap for _, column in kept[1:])
        return gaps + sum(column.width for _, column in kept)

    while len(kept) > 1 and total() > cells:
        worst = max(range(len(kept)), key=lambda i: (kept[i][1].priority, i))
        if kept[worst][1].priority == 0:
            break
        del kept[worst]
    spare = max(0, cells - total())
    fitted: list[tuple[int, Column, int]] = []
    for index, column in kept:
        extra = spare if column.flex else 0
        spare -= extra
        fitted.append((index, column, column.width + extra))
    return fitted


def matches(text: str, wanted: str) -> bool:
    """Tell whether lower-case ``text`` has all words of a filter and no ``!word``."""
    for word in wanted.lower().split():
        if word.startswith("!"):
            if len(word) > 1 and word[1:] in text:
                return False
        elif word not in text:
            return False
    return True


Fitted = Sequence[tuple[int, Column, int]]
"""What ``fit_columns`` returns."""


def head_parts(
    fitted: Fitted, gutter: int, sort: SortSpec | None, glyphs: GlyphSet
) -> list[Part]:
    """Lay out the head line, with an arrow at the column the rows are sorted by."""
    parts: list[Part] = [(" " * gutter, "")]
    for place, (_, column, room) in enumerate(fitted):
        title, ink = column.title, "head"
        if sort is not None and sort.key == column.key:
            arrow = glyphs.sort_down if sort.descending else glyphs.sort_up
            title = (title if width(title) < room else title[: room - 1]) + arrow
            ink = "title"
        if place:
            parts.append((" " * column.gap, ""))
        parts.append((fit(title, room, column.align), ink))
    return parts


def row_parts(row: Row, fitted: Fitted, find_text: str) -> list[Part]:
    """Lay out the cells of a row, or its note; matching cells are inked ``match``."""
    if row.note:
        return list(row.note)
    parts: list[Part] = []
    wanted = find_text.lower()
    for place, (index, column, room) in enumerate(fitted):
        if place:
            parts.append((" " * column.gap, ""))
        text, ink = cell_parts(row.cells[index]) if index < len(row.cells) else ("", "")
        if wanted and wanted in text.lower():
            ink = f"{ink} match"
        if column.align == "right":
            parts.append((fit_number(text, room), ink))
        else:
            parts.append((fit(text, room), ink))
    return parts


def gutter_parts(
    row: Row, cells: int, *, cursor: bool, focused: bool, marked: bool, glyphs: GlyphSet
) -> list[Part]:
    """Lay out cursor, flag and mark in the gutter, in this order of importance."""
    marks: list[Part] = []
    if cursor:
        marks.append((glyphs.cursor, "focus" if focused else "dim"))
    text, ink = cell_parts(row.flag)
    if text:
        marks.append((text, ink or "warn"))
    if marked:
        marks.append((glyphs.mark, "strong"))
    marks = marks[:cells]
    return [*marks, (" " * (cells - len(marks)), "")]
