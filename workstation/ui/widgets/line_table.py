"""A table for ticking data: fixed columns, cached lines, a cursor that keeps its row.

Panels hand over whole lists of rows ten times a second; only visible rows whose version
moved are painted. Rows are never reordered here and the view never scrolls by itself.
Messages come from the operator's hand alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workstation.ui.typeset import fit, fit_number, plain_text, width
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    Inked,
    Part,
    component_classes,
    component_css,
)
from workstation.ui.widgets.rows import (
    Cell,
    Column,
    Row,
    SortSpec,
    cell_parts,
    fit_columns,
    matches,
    row_text,
)

_CACHED_ROWS = 512
# More than any screen shows; beyond it the cache starts again.


class LineTable(Inked, ScrollView, can_focus=True):
    """Rows of typeset cells under a head that does not scroll."""

    ALLOW_SELECT = False
    INKS = TEXT_INKS
    COMPONENT_CLASSES: ClassVar[set[str]] = component_classes(TEXT_INKS)
    DEFAULT_CSS = f"""
    LineTable {{
        width: 1fr;
        height: 1fr;
        overflow-x: hidden;
        scrollbar-size: 0 0;
    }}
    {component_css("LineTable", TEXT_INKS)}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", show=False, id="table.up"),
        Binding("down", "cursor(1)", show=False, id="table.down"),
        Binding("pageup", "page(-1)", show=False, id="table.page_up"),
        Binding("pagedown", "page(1)", show=False, id="table.page_down"),
        Binding("home", "edge(0)", show=False, id="table.home"),
        Binding("end", "edge(1)", show=False, id="table.end"),
        Binding("enter", "select", show=False, id="table.select"),
        Binding("v", "mark", show=False, id="table.mark"),
    ]

    class RowHighlighted(Message):
        """The operator moved the cursor to another row."""

        def __init__(self, table: LineTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LineTable:
            """The table it happened in."""
            return self.table

    class RowSelected(RowHighlighted):
        """The operator pressed enter on a row, or clicked it twice."""

    class MarksChanged(Message):
        """The operator marked or unmarked rows."""

        def __init__(self, table: LineTable, keys: frozenset[str]) -> None:
            super().__init__()
            self.table = table
            self.keys = keys

        @property
        def control(self) -> LineTable:
            """The table it happened in."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: Sequence[str] = (),
        gutter: int = 2,
        cursor: Literal["always", "focus"] = "always",
        head: bool = True,
        id: str | None = None,
    ) -> None:
        """Make a table.

        ``empty`` says what would fill it and which key does it. ``gutter`` is the
        room for cursor and flag: 2, 1 or 0. ``cursor="focus"`` hides the cursor row
        while the table has no focus.
        """
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._empty = tuple(empty)
        self._gutter = gutter
        self._cursor_always = cursor == "always"
        self._head = 1 if head else 0
        self._all: Sequence[Row] = ()
        self._rows: Sequence[Row] = ()
        self._cursor = 0
        self._cursor_key: str | None = None
        self._marks: set[str] = set()
        self._filter = ""
        self._find = ""
        self._sort: SortSpec | None = None
        self._texts: dict[str, tuple[int, str]] = {}
        self._strips: dict[str, tuple[tuple[object, ...], Strip]] = {}
        self._painted: list[tuple[str, int] | None] = []
        self._fitted: tuple[int, list[tuple[int, Column, int]]] | None = None
        self.renders = 0
        """How many row lines were built (not taken from the cache)."""

    # -- what the caller sets ------------------------------------------------------

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows, in this order; the cursor stays with its row's key."""
        self._all = rows
        self._show(self._filtered(rows))

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Change the columns; the next rows must have cells for them."""
        self._columns = tuple(columns)
        self._fitted = None
        self._repaint()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, also those there is no room for."""
        return self._columns

    @property
    def sort(self) -> SortSpec | None:
        """The column the rows are sorted by, for the arrow in the head."""
        return self._sort

    @sort.setter
    def sort(self, value: SortSpec | None) -> None:
        if value != self._sort:
            self._sort = value
            self.refresh(Region(0, 0, self.size.width, 1))

    @property
    def filter_text(self) -> str:
        """Words a row must contain; ``!word`` it must not. Empty shows all rows."""
        return self._filter

    @filter_text.setter
    def filter_text(self, value: str) -> None:
        if value != self._filter:
            self._filter = value
            self._show(self._filtered(self._all))

    @property
    def find_text(self) -> str:
        """What ``find_next`` looks for; cells that contain it are inked ``match``."""
        return self._find

    @find_text.setter
    def find_text(self, value: str) -> None:
        if value != self._find:
            self._find = value
            self._repaint()

    # -- what the caller reads -----------------------------------------------------

    @property
    def rows(self) -> Sequence[Row]:
        """The rows shown, after the filter."""
        return self._rows

    @property
    def row_count(self) -> tuple[int, int]:
        """How many rows are shown and how many there are, without notes."""
        shown = sum(1 for row in self._rows if not row.note)
        return shown, sum(1 for row in self._all if not row.note)

    @property
    def cursor_key(self) -> str | None:
        """The key of the cursor's row; setting it sends no message."""
        return self._cursor_key

    @cursor_key.setter
    def cursor_key(self, key: str | None) -> None:
        for index, row in enumerate(self._rows):
            if row.key == key:
                self._move(index, by_hand=False)
                return

    @property
    def cursor_row(self) -> Row | None:
        """The row below the cursor."""
        return self._rows[self._cursor] if self._cursor_key is not None else None

    @property
    def marked(self) -> frozenset[str]:
        """The keys of the marked rows."""
        return frozenset(self._marks)

    def clear_marks(self) -> None:
        """Unmark all rows."""
        if self._marks:
            self._marks.clear()
            self._repaint()

    def find(self, step: int = 1) -> int:
        """Move the cursor to the next row with ``find_text``; return how many have it.

        ``step`` -1 looks backwards; both wrap around.
        """
        wanted = self._find.lower()
        if not wanted:
            return 0
        hits = [
            index
            for index, row in enumerate(self._rows)
            if not row.note and wanted in self._text(row)
        ]
        if hits:
            ahead = [
                i for i in hits if (i > self._cursor if step > 0 else i < self._cursor)
            ]
            wrapped = hits[0] if step > 0 else hits[-1]
            nearest = ahead[0 if step > 0 else -1] if ahead else wrapped
            self._move(nearest, by_hand=True)
        return len(hits)

    def find_next(self) -> int:
        """Go to the next match; return how many there are."""
        return self.find(1)

    def find_previous(self) -> int:
        """Go to the previous match; return how many there are."""
        return self.find(-1)

    def plain_rows(self, *, marked_only: bool = False) -> list[list[str]]:
        """Return head and cells of all columns as plain text, for copy and export."""
        table = [[column.title for column in self._columns]]
        table.extend(
            [plain_text(cell_parts(cell)[0]) for cell in row.cells]
            for row in self._rows
            if not row.note and (not marked_only or row.key in self._marks)
        )
        return table

    # -- rows and cursor -----------------------------------------------------------

    def _text(self, row: Row) -> str:
        known = self._texts.get(row.key)
        if known is None or known[0] != row.version:
            known = self._texts[row.key] = (row.version, row_text(row))
        return known[1]

    def _filtered(self, rows: Sequence[Row]) -> Sequence[Row]:
        if not self._filter.strip():
            if self._texts and not self._find:
                self._texts.clear()
            return rows
        kept: list[Row] = []
        keep = False
        for row in rows:
            if not row.note:
                keep = matches(self._text(row), self._filter)
            if keep:
                kept.append(row)
        return kept

    def _show(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._pin_cursor()
        height = len(rows) + self._head
        if self.virtual_size.height != height:
            self.virtual_size = Size(self.size.width, height)
            self.refresh()
        elif self.is_mounted:
            self._refresh_changed()

    def _pin_cursor(self) -> None:
        rows, key = self._rows, self._cursor_key
        if not rows:
            # The key is kept: a row that comes back gets its cursor back.
            self._cursor = 0
            return
        at = self._cursor
        if key is not None and at < len(rows) and rows[at].key == key:
            return
        if key is not None:
            for index, row in enumerate(rows):
                if row.key == key:
                    self._cursor = index
                    return
        index = self._selectable(min(at, len(rows) - 1), 1)
        self._cursor = index
        self._cursor_key = rows[index].key

    def _selectable(self, index: int, step: int) -> int:
        """Return the nearest row from ``index`` on that is not a note."""
        rows = self._rows
        for way in (step, -step):
            at = index
            while 0 <= at < len(rows):
                if not rows[at].note:
                    return at
                at += way
        return max(0, min(index, len(rows) - 1))

    def _move(self, index: int, *, by_hand: bool, step: int = 1) -> None:
        if not self._rows:
            return
        index = self._selectable(max(0, min(index, len(self._rows) - 1)), step)
        old, self._cursor = self._cursor, index
        key = self._rows[index].key
        moved = key != self._cursor_key
        self._cursor_key = key
        if moved:
            self._refresh_row(old)
            self._refresh_row(index)
            if by_hand:
                self.post_message(self.RowHighlighted(self, key))
        self._bring_into_view(index)

    def _bring_into_view(self, index: int) -> None:
        rows = max(1, self.size.height - self._head)
        top = self.scroll_offset.y
        last = index
        while last + 1 < len(self._rows) and self._rows[last + 1].note:
            last += 1
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif last >= top + rows:
            self.scroll_to(y=last - rows + 1, animate=False)

    # -- painting ------------------------------------------------------------------

    def _repaint(self) -> None:
        self._strips.clear()
        if self.is_mounted:
            self.refresh()

    def _refresh_row(self, index: int) -> None:
        y = index - self.scroll_offset.y + self._head
        if self._head <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _refresh_changed(self) -> None:
        rows, top, cells = self._rows, self.scroll_offset.y, self.size.width
        painted = self._painted
        regions: list[Region] = []
        for line in range(max(0, self.size.height - self._head)):
            index = top + line
            now: tuple[str, int] | None = None
            if index < len(rows):
                row = rows[index]
                now = (row.key, row.version)
            if line >= len(painted) or painted[line] != now:
                regions.append(Region(0, line + self._head, cells, 1))
        if regions:
            self.refresh(*regions)

    def notify_style_update(self) -> None:
        """Drop the cached lines with the styles."""
        super().notify_style_update()
        strips = getattr(self, "_strips", None)
        if strips:
            strips.clear()

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._fitted = None
        if self.virtual_size.height != len(self._rows) + self._head:
            self.virtual_size = Size(self.size.width, len(self._rows) + self._head)

    def render_line(self, y: int) -> Strip:
        """Return the head, a row, or one of the empty table's lines."""
        cells = self.size.width
        if self._head and y == 0:
            return self._head_line(cells)
        line = y - self._head
        index = line + self.scroll_offset.y
        painted = self._painted
        while len(painted) <= line:
            painted.append(None)
        if index >= len(self._rows):
            painted[line] = None
            return self._beyond(line, cells)
        row = self._rows[index]
        painted[line] = (row.key, row.version)
        strip = self._row_line(row, index, cells)
        thumb = self._thumb(line)
        if thumb:
            mark = self.strip([(thumb, "rule")], 1)
            return Strip([*strip.crop(0, cells - 1), *mark], cells)
        return strip

    def _fit(self, cells: int) -> list[tuple[int, Column, int]]:
        bar = 1 if self._overflows() else 0
        room = cells - self._gutter - bar
        if self._fitted is None or self._fitted[0] != room:
            self._fitted = (room, fit_columns(self._columns, room))
            self._strips.clear()
        return self._fitted[1]

    def _overflows(self) -> bool:
        return len(self._rows) > self.size.height - self._head

    def _thumb(self, line: int) -> str:
        """Return the glyph of the scroll bar at ``line``, if there is a bar there."""
        if not self._overflows():
            return ""
        height = self.size.height - self._head
        size = max(1, height * height // len(self._rows))
        most = len(self._rows) - height
        start = round((height - size) * self.scroll_offset.y / most) if most else 0
        return self.glyphs.thumb if start <= line < start + size else " "

    def _head_line(self, cells: int) -> Strip:
        parts: list[Part] = [(" " * self._gutter, "")]
        for place, (_, column, room) in enumerate(self._fit(cells)):
            title = column.title
            if self._sort is not None and self._sort.key == column.key:
                glyphs = self.glyphs
                arrow = glyphs.sort_down if self._sort.descending else glyphs.sort_up
                title = f"{title}{arrow}" if width(title) < room else title[:-1] + arrow
            if place:
                parts.append((" " * column.gap, ""))
            ink = "title" if title is not column.title else "head"
            parts.append((fit(title, room, column.align), ink))
        return self.strip(parts, cells)

    def _beyond(self, line: int, cells: int) -> Strip:
        if self._rows:
            return self.strip((), cells)
        lines = self._empty
        if self._filter.strip() and self._all:
            lines = (f"No row matches “{self._filter}”.", "esc clears the filter")
        if line < 1 or line > len(lines):
            return self.strip((), cells)
        ink = "" if line == 1 else "dim"
        return self.strip([(" " * max(2, self._gutter) + lines[line - 1], ink)], cells)

    def _row_line(self, row: Row, index: int, cells: int) -> Strip:
        cursor = (
            not row.note
            and row.key == self._cursor_key
            and (self._cursor_always or self.has_focus)
        )
        fitted = self._fit(cells)
        state = (
            row.version,
            cells,
            self.style_epoch,
            cursor,
            self.has_focus,
            row.key in self._marks,
        )
        cached = self._strips.get(row.key)
        if cached is not None and cached[0] == state:
            return cached[1]
        self.renders += 1
        strip = self._build(row, fitted, cursor, cells)
        if len(self._strips) >= _CACHED_ROWS:
            self._strips.clear()
        self._strips[row.key] = (state, strip)
        return strip

    def _build(
        self,
        row: Row,
        fitted: Sequence[tuple[int, Column, int]],
        cursor: bool,
        cells: int,
    ) -> Strip:
        marked = row.key in self._marks
        under = row.ink
        if marked:
            under += " mark"
        if cursor:
            under += " cursor" if self.has_focus else " cursor-blurred"
        under = under.strip()
        parts = self._gutter_parts(row, cursor, marked)
        if row.note:
            return self.strip([*parts, *row.note], cells, under)
        wanted = self._find.lower()
        for place, (index, column, room) in enumerate(fitted):
            if place:
                parts.append((" " * column.gap, ""))
            cell: Cell = row.cells[index] if index < len(row.cells) else ""
            text, ink = cell_parts(cell)
            if wanted and wanted in text.lower():
                ink = f"{ink} match"
            if column.align == "right":
                parts.append((fit_number(text, room), ink))
            else:
                parts.append((fit(text, room), ink))
        return self.strip(parts, cells, under)

    def _gutter_parts(self, row: Row, cursor: bool, marked: bool) -> list[Part]:
        if not self._gutter:
            return []
        glyphs = self.glyphs
        marks: list[Part] = []
        if cursor:
            marks.append((glyphs.cursor, "focus" if self.has_focus else "dim"))
        text, ink = cell_parts(row.flag)
        if text:
            marks.append((text, ink or "warn"))
        if marked:
            marks.append((glyphs.mark, "strong"))
        marks = marks[: self._gutter]
        return [*marks, (" " * (self._gutter - len(marks)), "")]

    # -- the operator's hand -------------------------------------------------------

    def action_cursor(self, rows: int) -> None:
        """Move the cursor by ``rows``."""
        self._move(self._cursor + rows, by_hand=True, step=1 if rows > 0 else -1)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a window's height."""
        page = max(1, self.size.height - self._head - 1)
        self._move(self._cursor + pages * page, by_hand=True, step=pages)

    def action_edge(self, end: int) -> None:
        """Move the cursor to the first or last row."""
        last = len(self._rows) - 1
        self._move(last if end else 0, by_hand=True, step=-1 if end else 1)

    def action_select(self) -> None:
        """Say that the row below the cursor was chosen."""
        if self.cursor_row is not None and self._cursor_key is not None:
            self.post_message(self.RowSelected(self, self._cursor_key))

    def action_mark(self) -> None:
        """Mark or unmark the row below the cursor and go to the next."""
        if self._cursor_key is None or not self._rows:
            return
        self._marks ^= {self._cursor_key}
        self._refresh_row(self._cursor)
        self.post_message(self.MarksChanged(self, self.marked))
        self.action_cursor(1)

    def on_focus(self) -> None:
        """Brighten the cursor row."""
        self._refresh_row(self._cursor)

    def on_blur(self) -> None:
        """Dim the cursor row."""
        self._refresh_row(self._cursor)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row; the second click of a pair selects it."""
        index = event.y - self._head + self.scroll_offset.y
        if event.y < self._head or index >= len(self._rows) or index < 0:
            return
        if event.chain == 2:
            self.action_select()
        elif event.chain == 1:
            self._move(index, by_hand=True, step=-1)
