"""A log of plain records, formatted when painted, followed without scrolling.

A ring of at most 2,000 lines. While it follows, the newest line is at the window's
edge; once the operator moves, the line at the edge is held by its number, whatever
arrives or is evicted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from workstation.ui.typeset import plain_text
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    Part,
    component_css,
)
from workstation.ui.widgets.log_ring import MAX_LINES, Held, LogLine, LogRing

__all__ = ["MAX_LINES", "LogLine", "TailLog"]


class TailLog(Canvas, can_focus=True):
    """The newest lines first (or last), with filter, kinds, find and a cursor."""

    ALLOW_MAXIMIZE = True
    INKS = TEXT_INKS
    DEFAULT_CSS = f"""
    TailLog {{ width: 1fr; height: 1fr; }}
    {component_css("TailLog", TEXT_INKS)}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", show=False, id="log.up"),
        Binding("down", "cursor(1)", show=False, id="log.down"),
        Binding("pageup", "page(-1)", show=False, id="log.page_up"),
        Binding("pagedown", "page(1)", show=False, id="log.page_down"),
        Binding("home", "edge(0)", show=False, id="log.home"),
        Binding("end", "edge(1)", show=False, id="log.end"),
        Binding("f", "follow", show=False, id="log.follow"),
        Binding("enter", "select", show=False, id="log.select"),
    ]

    HEAD_ROWS: ClassVar[int] = 0
    """Lines above the log that stay; ``head`` draws them."""

    class LineHighlighted(Message):
        """The operator moved to a line."""

        def __init__(self, log: TailLog, line: LogLine) -> None:
            super().__init__()
            self.log_widget = log
            self.line = line

        @property
        def control(self) -> TailLog:
            """The log it happened in."""
            return self.log_widget

    class LineSelected(LineHighlighted):
        """The operator pressed enter on a line, or clicked it twice."""

    class FollowChanged(Message):
        """The operator's moving ended or resumed the following."""

        def __init__(self, log: TailLog, following: bool) -> None:
            super().__init__()
            self.log_widget = log
            self.following = following

        @property
        def control(self) -> TailLog:
            """The log it happened in."""
            return self.log_widget

    def __init__(
        self,
        *,
        newest_first: bool = True,
        empty: str = "Nothing has happened yet.",
        max_lines: int = MAX_LINES,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._newest_first = newest_first
        self._empty = empty
        self._ring = LogRing(max_lines)
        self._find = ""
        self._highlight: frozenset[int] = frozenset()
        self._edge: int | None = None
        self._cursor: int | None = None
        self._strips: dict[int, tuple[tuple[object, ...], Strip]] = {}
        self.formats = 0
        """How many lines were formatted (not taken from the cache)."""

    # -- what the caller sets and reads --------------------------------------------

    def extend(self, lines: Iterable[LogLine]) -> None:
        """Add a batch of lines, oldest first."""
        if self._ring.extend(lines):
            self.redraw()

    def clear(self) -> None:
        """Forget all lines, for another run."""
        self._ring.clear()
        self._strips.clear()
        self._edge = self._cursor = None
        self.redraw()

    @property
    def following(self) -> bool:
        """Whether the newest line is kept in view."""
        return self._edge is None

    @following.setter
    def following(self, value: bool) -> None:
        if value == self.following:
            return
        if value:
            self._edge = self._cursor = None
        elif self._view:
            self._edge = self._view[-1].number
        self.redraw()

    @property
    def held_seq(self) -> int | None:
        """The ``seq`` at the window's edge while not following; settable."""
        if self._edge is None or not self._view:
            return None
        return self._view[self._ring.index(self._edge)].line.seq

    @held_seq.setter
    def held_seq(self, seq: int | None) -> None:
        if seq is None:
            self.following = True
            return
        self._edge = self._ring.number_of_seq(seq)
        self.redraw()

    @property
    def filter_text(self) -> str:
        """Words a line must contain; ``!word`` it must not."""
        return self._ring.filter_text

    @filter_text.setter
    def filter_text(self, value: str) -> None:
        if value != self._ring.filter_text:
            self._ring.filter_text = value
            self._sift()

    @property
    def kinds(self) -> frozenset[str] | None:
        """The kinds shown; None shows all."""
        return self._ring.kinds

    @kinds.setter
    def kinds(self, value: Iterable[str] | None) -> None:
        only = None if value is None else frozenset(value)
        if only != self._ring.kinds:
            self._ring.kinds = only
            self._sift()

    @property
    def kind_counts(self) -> dict[str, int]:
        """How many lines of each kind the ring holds."""
        return self._ring.counts()

    @property
    def find_text(self) -> str:
        """What ``find_next`` looks for; the lines that have it are underlined."""
        return self._find

    @find_text.setter
    def find_text(self, value: str) -> None:
        if value != self._find:
            self._find = value
            self._strips.clear()
            self.redraw()

    @property
    def highlight(self) -> frozenset[int]:
        """The seqs whose lines are marked: what one step has caused."""
        return self._highlight

    @highlight.setter
    def highlight(self, seqs: Iterable[int]) -> None:
        new = frozenset(seqs)
        if new != self._highlight:
            self._highlight = new
            self.redraw()

    @property
    def line_count(self) -> tuple[int, int]:
        """How many lines pass the filters and how many the ring holds."""
        return len(self._view), len(self._ring.lines)

    @property
    def evicted(self) -> int:
        """How many lines the ring has let go."""
        return self._ring.evicted

    @property
    def cursor_line(self) -> LogLine | None:
        """The line below the cursor, if there is a cursor."""
        if self._cursor is None or not self._view:
            return None
        return self._view[self._ring.index(self._cursor)].line

    @property
    def lines(self) -> list[LogLine]:
        """The lines that pass the filters, oldest first."""
        return [held.line for held in self._view]

    def plain(self) -> str:
        """Return the lines that pass the filters, oldest first, for export."""
        return "\n".join(plain_text(held.line.plain) for held in self._view)

    def find_next(self) -> int:
        """Go to the next older match; return how many lines match."""
        return self._find_from(-1)

    def find_previous(self) -> int:
        """Go to the next newer match; return how many lines match."""
        return self._find_from(1)

    # -- the view ------------------------------------------------------------------

    @property
    def _view(self) -> deque[Held]:
        return self._ring.view

    def _sift(self) -> None:
        self._ring.sift()
        self.redraw()

    def _window(self, rows: int) -> tuple[int, int]:
        """Return the first and one past the last index shown, oldest to newest."""
        total = len(self._view)
        if self._edge is None:
            return max(0, total - rows), total
        newest = max(self._ring.index(self._edge) + 1, min(rows, total))
        return max(0, newest - rows), newest

    def head(self, cells: int) -> Sequence[Strip]:
        """Draw what stays above the lines: ``HEAD_ROWS`` of it, here none."""
        return ()

    def parts_of(self, line: LogLine, cells: int) -> Sequence[Part]:
        """Lay a line out in ``cells``; called when it is painted."""
        return line.parts

    def empty_lines(self) -> Sequence[Part]:
        """Return what is said while there is no line."""
        return [(self._empty, "dim")]

    @property
    def _rows(self) -> int:
        """How many lines the window has room for."""
        return max(1, self.size.height - self.HEAD_ROWS)

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Format the lines inside the window."""
        rows = max(1, rows - self.HEAD_ROWS)
        if not self._view:
            said = self.empty_lines()
            if self._ring.lines:
                said = [("No line passes the filter. esc clears it.", "dim")]
            return [self.strip([(f" {text}", ink)], cells) for text, ink in said]
        first, last = self._window(rows)
        shown = [self._view[index] for index in range(first, last)]
        if self._newest_first:
            shown.reverse()
        strips = [self._line(held, cells) for held in shown]
        if not self._newest_first and len(strips) < rows:
            strips.extend([self.strip((), cells)] * (rows - len(strips)))
        return [*self.head(cells), *strips]

    def _line(self, held: Held, cells: int) -> Strip:
        number, line = held
        lit = line.seq in self._highlight
        cursor = number == self._cursor
        state = (cells, self.style_epoch, lit, cursor, self.has_focus)
        cached = self._strips.get(number)
        if cached is not None and cached[0] == state:
            return cached[1]
        self.formats += 1
        under = "mark" if lit else ""
        if cursor:
            under += " cursor" if self.has_focus else " cursor-blurred"
        parts = self.parts_of(line, cells)
        if self._find and self._find.lower() in line.plain.lower():
            parts = [(text, f"{ink} match") for text, ink in parts]
        strip = self.strip(parts, cells, under)
        if len(self._strips) > 4 * max(64, self.size.height):
            self._strips.clear()
        self._strips[number] = (state, strip)
        return strip

    # -- the operator's hand -------------------------------------------------------

    def _go(self, index: int) -> None:
        """Put the cursor on view index ``index`` and stop following."""
        if not self._view:
            return
        index = max(0, min(index, len(self._view) - 1))
        rows = self._rows
        first, last = self._window(rows)
        followed = self.following
        held = self._view[index]
        self._cursor = held.number
        if index < first:
            last = min(index + rows, len(self._view))
        elif index >= last:
            last = index + 1
        self._edge = self._view[last - 1].number
        self.redraw()
        if followed:
            self.post_message(self.FollowChanged(self, False))
        self.post_message(self.LineHighlighted(self, held.line))

    def _at(self) -> int:
        """Return the index the next move starts from: cursor, or the newest line."""
        if self._cursor is None:
            return self._window(self._rows)[1] - 1
        return self._ring.index(self._cursor)

    def _find_from(self, step: int) -> int:
        hits = self._ring.hits(self._find)
        if hits:
            at = self._at() - step if self._cursor is None else self._at()
            ahead = [i for i in hits if (i > at if step > 0 else i < at)]
            if not ahead:
                ahead = hits
            self._go(ahead[0 if step > 0 else -1])
        return len(hits)

    def _down(self) -> int:
        """Return the step in the view that is one line down on the screen."""
        return -1 if self._newest_first else 1

    def action_cursor(self, lines: int) -> None:
        """Move the cursor by ``lines`` on the screen."""
        at = self._at()
        self._go(at if self._cursor is None else at + lines * self._down())

    def action_page(self, pages: int) -> None:
        """Move the cursor by a window's height."""
        self._go(self._at() + pages * self._down() * max(1, self._rows - 1))

    def action_edge(self, end: int) -> None:
        """Go to the line at the top or bottom end of the log."""
        newest = bool(end) != self._newest_first
        self._go(len(self._view) - 1 if newest else 0)

    def action_follow(self) -> None:
        """Follow the newest line again, or stop."""
        self.following = not self.following
        self.post_message(self.FollowChanged(self, self.following))

    def action_select(self) -> None:
        """Say that the line below the cursor was chosen."""
        line = self.cursor_line
        if line is not None:
            self.post_message(self.LineSelected(self, line))

    def on_focus(self) -> None:
        """Brighten the cursor."""
        self.redraw()

    def on_blur(self) -> None:
        """Dim the cursor."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the line; the second click of a pair selects it."""
        if event.chain == 2:
            self.action_select()
            return
        first, last = self._window(self._rows)
        row = event.y - self.HEAD_ROWS
        index = last - 1 - row if self._newest_first else first + row
        if row >= 0 and first <= index < last:
            self._go(index)

    def _wheel(self, lines: int) -> None:
        if not self._view:
            return
        rows = self._rows
        newest = self._window(rows)[1] + lines * self._down()
        newest = max(min(rows, len(self._view)), min(newest, len(self._view)))
        followed = self.following
        self._edge = self._view[newest - 1].number
        self.redraw()
        if followed:
            self.post_message(self.FollowChanged(self, False))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the window three lines down."""
        event.stop()
        self._wheel(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the window three lines up."""
        event.stop()
        self._wheel(-3)
