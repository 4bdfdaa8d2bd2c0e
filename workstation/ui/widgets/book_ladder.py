"""The order book as a ladder: asks, spread, bids, depth bars, own orders.

Handed typeset rows; bars are relative to the largest size shown. A book that is not
trusted is dimmed and says so: its derived figures are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from workstation.ui.typeset import fit, width
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    BOOK_INKS,
    Part,
    component_css,
)


@dataclass(frozen=True, slots=True)
class BookRow:
    """One price level: typeset price and size, the size as a number, own quantity."""

    price: str
    size: str
    amount: float
    own: str = ""


@dataclass(frozen=True, slots=True)
class BookData:
    """What the ladder shows; ``asks`` and ``bids`` from the best outwards.

    ``facts`` are the lines below (imbalance, microprice), ``mine`` the line about own
    orders, ``why`` the reason when not ``trusted``.
    """

    asks: tuple[BookRow, ...] = ()
    bids: tuple[BookRow, ...] = ()
    spread: str = "·"
    facts: tuple[str, ...] = ()
    mine: str = ""
    trusted: bool = True
    why: str = ""


class BookLadder(Canvas, can_focus=True):
    """Asks above bids, as many levels as the height allows."""

    ALLOW_MAXIMIZE = True
    INKS = BOOK_INKS
    DEFAULT_CSS = f"""
    BookLadder {{ width: 1fr; height: 1fr; }}
    {component_css("BookLadder", BOOK_INKS)}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", show=False, id="book.up"),
        Binding("down", "cursor(1)", show=False, id="book.down"),
        Binding("home", "edge(0)", show=False, id="book.home"),
        Binding("end", "edge(1)", show=False, id="book.end"),
        Binding("enter", "select", show=False, id="book.select"),
    ]

    class PriceSelected(Message):
        """The operator chose a level; ``side`` is "ask" or "bid", ``price`` typeset."""

        def __init__(self, ladder: BookLadder, side: str, price: str) -> None:
            super().__init__()
            self.ladder = ladder
            self.side = side
            self.price = price

        @property
        def control(self) -> BookLadder:
            """The ladder it happened in."""
            return self.ladder

    def __init__(
        self,
        *,
        empty: Sequence[str] = ("No book yet.",),
        bar_cells: int | None = None,
        id: str | None = None,
    ) -> None:
        """Make a ladder; ``bar_cells`` None gives the bars all the room there is."""
        super().__init__(id=id)
        self._empty = tuple(empty)
        self._bar_cells = bar_cells
        self._book = BookData()
        self._cursor: tuple[str, int] | None = None

    def set_book(self, book: BookData) -> None:
        """Show ``book``."""
        if book != self._book:
            self._book = book
            self.redraw()

    @property
    def cursor_row(self) -> tuple[str, BookRow] | None:
        """The side and level below the cursor; the cursor counts from the touch."""
        if self._cursor is None:
            return None
        side, place = self._cursor
        rows = self._book.asks if side == "ask" else self._book.bids
        return (side, rows[place]) if place < len(rows) else None

    def _depth(self, rows: int) -> tuple[int, int]:
        """Return how many asks and bids are shown in ``rows`` lines."""
        book = self._book
        below = len(self._notes())
        free = max(2, rows - 1 - below - (1 if below and rows > 8 + below else 0))
        asks = min(len(book.asks), free // 2)
        bids = min(len(book.bids), free - asks)
        asks = min(len(book.asks), free - bids)
        return asks, bids

    def _notes(self) -> list[Part]:
        book = self._book
        if not book.trusted:
            notes: list[Part] = [("! untrusted", "bad")]
            if book.why:
                notes.append((book.why, "warn"))
        else:
            notes = [(fact, "") for fact in book.facts]
        if book.mine:
            notes.append((book.mine, "dim"))
        return notes

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw asks, spread, bids and the lines below them."""
        book = self._book
        if not book.asks and not book.bids:
            lines = ("", *self._empty)
            if not book.trusted:
                lines = (*lines, f"! {book.why or 'untrusted'}")
            return [self.strip([(f"  {text}", "dim")], cells) for text in lines[:rows]]
        asks, bids = self._depth(rows)
        shown = (*book.asks[:asks], *book.bids[:bids])
        price_cells = max(width(row.price) for row in shown)
        size_cells = max(width(row.size) for row in shown)
        room = cells - 2 - price_cells - 2 - size_cells - 1
        bar = max(0, room if self._bar_cells is None else min(room, self._bar_cells))
        most = max((row.amount for row in shown), default=0.0) or 1.0
        shape = (price_cells, size_cells, bar, most)
        strips = [
            self._level("ask", place, book.asks[place], shape, cells)
            for place in reversed(range(asks))
        ]
        ink = "dim" if book.trusted else "stale"
        strips.append(self.strip([(f"  spread {book.spread}", ink)], cells))
        strips.extend(
            self._level("bid", place, book.bids[place], shape, cells)
            for place in range(bids)
        )
        notes = self._notes()
        if notes and len(strips) + len(notes) < rows:
            strips.append(self.strip((), cells))
        strips.extend(
            self.strip([("  ", ""), (text, note_ink)], cells)
            for text, note_ink in notes
        )
        return strips[:rows]

    def _level(
        self,
        side: str,
        place: int,
        row: BookRow,
        shape: tuple[int, int, int, float],
        cells: int,
    ) -> Strip:
        price_cells, size_cells, bar_cells, most = shape
        glyphs = self.glyphs
        trusted = self._book.trusted
        here = self._cursor == (side, place)
        under = ("cursor" if self.has_focus else "cursor-blurred") if here else ""
        own = glyphs.own if row.own else " "
        bar = glyphs.bar(row.amount / most, bar_cells) if bar_cells else ""
        parts: list[Part] = [
            (glyphs.cursor if here and self.has_focus else " ", "strong"),
            (own, "strong"),
            (fit(row.price, price_cells, "right"), side if trusted else "stale"),
            ("  ", ""),
            (fit(row.size, size_cells, "right"), "" if trusted else "stale"),
            (" ", ""),
            (bar, f"{side}-bar" if trusted else "stale"),
        ]
        return self.strip(parts, cells, under)

    # -- the operator's hand -------------------------------------------------------

    def _order(self) -> list[tuple[str, int]]:
        asks, bids = self._depth(self.size.height)
        return [("ask", place) for place in reversed(range(asks))] + [
            ("bid", place) for place in range(bids)
        ]

    def action_cursor(self, rows: int) -> None:
        """Move the cursor by ``rows``; the first move puts it at the best bid."""
        order = self._order()
        if not order:
            return
        if self._cursor in order:
            at = order.index(self._cursor) + rows
            self._cursor = order[max(0, min(at, len(order) - 1))]
        else:
            self._cursor = ("bid", 0) if ("bid", 0) in order else order[-1]
        self.redraw()

    def action_edge(self, end: int) -> None:
        """Move the cursor to the outermost ask or bid shown."""
        order = self._order()
        if order:
            self._cursor = order[-1 if end else 0]
            self.redraw()

    def action_select(self) -> None:
        """Say which price was chosen."""
        found = self.cursor_row
        if found is not None:
            side, row = found
            self.post_message(self.PriceSelected(self, side, row.price))

    def on_focus(self) -> None:
        """Brighten the cursor."""
        self.redraw()

    def on_blur(self) -> None:
        """Dim the cursor."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the level; the second click of a pair chooses it."""
        if event.chain == 2:
            self.action_select()
            return
        asks, bids = self._depth(self.size.height)
        if event.y < asks:
            self._cursor = ("ask", asks - 1 - event.y)
        elif asks < event.y <= asks + bids:
            self._cursor = ("bid", event.y - asks - 1)
        else:
            return
        self.redraw()
