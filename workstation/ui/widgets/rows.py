"""The plain data of a line table: columns, rows, cells, and how columns share a width.

Made by panels, read by ``line_table``; knows no widget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workstation.ui.widgets.inks import Part

Cell = str | Part
"""A ready text, plain or with its inks."""


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
