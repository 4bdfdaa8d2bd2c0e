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

from workstation.ui.typeset import plain_text
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    Inked,
    component_css,
)
from workstation.ui.widgets.row_model import RowModel
from workstation.ui.widgets.rows import (
    Column,
    Fitted,
    Row,
    SortSpec,
    cell_parts,
    fit_columns,
    gutter_parts,
    head_parts,
    row_parts,
)

__all__ = ["Column", "LineTable", "Row", "SortSpec"]

_CACHED_ROWS = 512
# More than any screen shows; beyond it the cache starts again.


class LineTable(Inked, ScrollView, can_focus=True):
    """Rows of typeset cells under a head that does not scroll."""

    ALLOW_SELECT = False
    INKS = TEXT_INKS
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
        self._model = RowModel()
        self._sort: SortSpec | None = None
        self._strips: dict[str, tuple[tuple[object, ...], Strip]] = {}
        self._painted: list[tuple[str, int] | None] = []
        self._fitted: tuple[int, Fitted] | None = None
        self.renders = 0
        """How many row lines were built (not taken from the cache)."""

    # -- what the caller sets ------------------------------------------------------

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows, in this order; the cursor stays with its row's key."""
        self._model.set_rows(rows)
        self._show()

    def set_empty(self, lines: Sequence[str]) -> None:
        """Change what an empty table says."""
        if tuple(lines) != self._empty:
            self._empty = tuple(lines)
            self._repaint()

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
        return self._model.filter_text

    @filter_text.setter
    def filter_text(self, value: str) -> None:
        if value != self._model.filter_text:
            self._model.filter_text = value
            self._model.sift()
            self._show()

    @property
    def find_text(self) -> str:
        """What ``find_next`` looks for; cells that contain it are inked ``match``."""
        return self._model.find_text

    @find_text.setter
    def find_text(self, value: str) -> None:
        if value != self._model.find_text:
            self._model.find_text = value
            self._repaint()

    # -- what the caller reads -----------------------------------------------------

    @property
    def rows(self) -> Sequence[Row]:
        """The rows shown, after the filter."""
        return self._model.rows

    @property
    def row_count(self) -> tuple[int, int]:
        """How many rows are shown and how many there are, without notes."""
        return self._model.count()

    @property
    def cursor_key(self) -> str | None:
        """The key of the cursor's row; setting it sends no message."""
        return self._model.cursor_key

    @cursor_key.setter
    def cursor_key(self, key: str | None) -> None:
        index = None if key is None else self._model.index_of(key)
        if index is not None:
            self._move(index, by_hand=False)

    @property
    def cursor_row(self) -> Row | None:
        """The row below the cursor."""
        model = self._model
        return model.rows[model.cursor] if model.rows else None

    @property
    def marked(self) -> frozenset[str]:
        """The keys of the marked rows."""
        return frozenset(self._model.marks)

    def clear_marks(self) -> None:
        """Unmark all rows."""
        if self._model.marks:
            self._model.marks.clear()
            self._repaint()

    def find(self, step: int = 1) -> int:
        """Move the cursor to the next row with ``find_text``; return how many have it.

        ``step`` -1 looks backwards; both wrap around.
        """
        hits, at = self._model.hits(), self._model.cursor
        if hits:
            ahead = [i for i in hits if (i > at if step > 0 else i < at)]
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
            for row in self._model.rows
            if not row.note and (not marked_only or row.key in self._model.marks)
        )
        return table

    # -- rows and cursor -----------------------------------------------------------

    def _show(self) -> None:
        height = len(self._model.rows) + self._head
        if self.virtual_size.height != height:
            self.virtual_size = Size(self.size.width, height)
            self.refresh()
        elif self.is_mounted:
            self._refresh_changed()

    def _move(self, index: int, *, by_hand: bool, step: int = 1) -> None:
        model = self._model
        if not model.rows:
            return
        old = model.cursor
        if model.move(index, step):
            self._refresh_row(old)
            self._refresh_row(model.cursor)
            if by_hand and model.cursor_key is not None:
                self.post_message(self.RowHighlighted(self, model.cursor_key))
        self._bring_into_view(model.cursor)

    def _bring_into_view(self, index: int) -> None:
        rows = max(1, self.size.height - self._head)
        top = self.scroll_offset.y
        last = self._model.last_note(index)
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
        rows, top, cells = self._model.rows, self.scroll_offset.y, self.size.width
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
        if self.virtual_size.height != len(self._model.rows) + self._head:
            self.virtual_size = Size(
                self.size.width, len(self._model.rows) + self._head
            )

    def render_line(self, y: int) -> Strip:
        """Return the head, a row, or one of the empty table's lines."""
        cells = self.size.width
        if self._head and y == 0:
            fitted = self._fit(cells)
            parts = head_parts(fitted, self._gutter, self._sort, self.glyphs)
            return self.strip(parts, cells)
        line = y - self._head
        index = line + self.scroll_offset.y
        painted = self._painted
        while len(painted) <= line:
            painted.append(None)
        if index >= len(self._model.rows):
            painted[line] = None
            return self._beyond(line, cells)
        row = self._model.rows[index]
        painted[line] = (row.key, row.version)
        strip = self._row_line(row, index, cells)
        thumb = self._thumb(line)
        if thumb:
            mark = self.strip([(thumb, "rule")], 1)
            return Strip([*strip.crop(0, cells - 1), *mark], cells)
        return strip

    def _fit(self, cells: int) -> Fitted:
        bar = 1 if self._overflows() else 0
        room = cells - self._gutter - bar
        if self._fitted is None or self._fitted[0] != room:
            self._fitted = (room, fit_columns(self._columns, room))
            self._strips.clear()
        return self._fitted[1]

    def fit_row(self, row: Row, cells: int) -> Fitted:
        """Return the columns of a row; all rows have the same."""
        return self._fit(cells)

    def _overflows(self) -> bool:
        return len(self._model.rows) > self.size.height - self._head

    def _thumb(self, line: int) -> str:
        """Return the glyph of the scroll bar at ``line``, if there is a bar there."""
        if not self._overflows():
            return ""
        height = self.size.height - self._head
        size = max(1, height * height // len(self._model.rows))
        most = len(self._model.rows) - height
        start = round((height - size) * self.scroll_offset.y / most) if most else 0
        return self.glyphs.thumb if start <= line < start + size else " "

    def _beyond(self, line: int, cells: int) -> Strip:
        if self._model.rows:
            return self.strip((), cells)
        lines = self._empty
        if self._model.filter_text.strip() and self._model.all:
            wanted = self._model.filter_text
            lines = (f"No row matches “{wanted}”.", "esc clears the filter")
        if line < 1 or line > len(lines):
            return self.strip((), cells)
        ink = "" if line == 1 else "dim"
        return self.strip([(" " * max(2, self._gutter) + lines[line - 1], ink)], cells)

    def _row_line(self, row: Row, index: int, cells: int) -> Strip:
        cursor = (
            not row.note
            and row.key == self._model.cursor_key
            and (self._cursor_always or self.has_focus)
        )
        marked = row.key in self._model.marks
        fitted = self.fit_row(row, cells)
        state = (
            row.version,
            cells,
            self.style_epoch,
            cursor,
            self.has_focus,
            marked,
        )
        cached = self._strips.get(row.key)
        if cached is not None and cached[0] == state:
            return cached[1]
        self.renders += 1
        under = row.ink
        if marked:
            under += " mark"
        if cursor:
            under += " cursor" if self.has_focus else " cursor-blurred"
        parts = gutter_parts(
            row,
            self._gutter,
            cursor=cursor,
            focused=self.has_focus,
            marked=marked,
            glyphs=self.glyphs,
        )
        parts += row_parts(row, fitted, self._model.find_text)
        strip = self.strip(parts, cells, under.strip())
        if len(self._strips) >= _CACHED_ROWS:
            self._strips.clear()
        self._strips[row.key] = (state, strip)
        return strip

    # -- the operator's hand -------------------------------------------------------

    def action_cursor(self, rows: int) -> None:
        """Move the cursor by ``rows``."""
        self._move(self._model.cursor + rows, by_hand=True, step=1 if rows > 0 else -1)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a window's height."""
        page = max(1, self.size.height - self._head - 1)
        self._move(self._model.cursor + pages * page, by_hand=True, step=pages)

    def action_edge(self, end: int) -> None:
        """Move the cursor to the first or last row."""
        last = len(self._model.rows) - 1
        self._move(last if end else 0, by_hand=True, step=-1 if end else 1)

    def action_select(self) -> None:
        """Say that the row below the cursor was chosen."""
        row = self.cursor_row
        if row is not None:
            self.post_message(self.RowSelected(self, row.key))

    def action_mark(self) -> None:
        """Mark or unmark the row below the cursor and go to the next."""
        row = self.cursor_row
        if row is None:
            return
        self._model.marks ^= {row.key}
        self._refresh_row(self._model.cursor)
        self.post_message(self.MarksChanged(self, self.marked))
        self.action_cursor(1)

    def on_focus(self) -> None:
        """Brighten the cursor row."""
        self._refresh_row(self._model.cursor)

    def on_blur(self) -> None:
        """Dim the cursor row."""
        self._refresh_row(self._model.cursor)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row; the second click of a pair selects it."""
        index = event.y - self._head + self.scroll_offset.y
        if event.y < self._head or index >= len(self._model.rows) or index < 0:
            return
        if event.chain == 2:
            self.action_select()
        elif event.chain == 1:
            self._move(index, by_hand=True, step=-1)
