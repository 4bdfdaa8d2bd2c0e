"""The order book as a ladder: asks, spread, bids, depth bars, own orders.

Handed levels, typesets those it shows. A bar is the size at its level, on a scale that
does not jump. The cursor is on a price; once it moves, prices stand still until the
ladder follows again. A book nothing may trade on is dimmed and says why, and its
derived figures are left out.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from workstation.ui.typeset import NONE, fit, price, quantity, width
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.depth_scale import DepthScale
from workstation.ui.widgets.inks import (
    BOOK_INKS,
    Part,
    component_css,
)

__all__ = ["WIDE", "BookData", "BookLadder", "BookRow"]

WIDE = 56
"""From this many cells on there are a head, sums and own quantities beside levels."""
_MOST_BAR = 40
_OWN_CELLS = 16


@dataclass(frozen=True, slots=True)
class BookRow:
    """One price level; ``total`` is the size from the best price to here.

    ``own`` says what of ours stands there ("sell 1.000"). A price at which nobody but
    us stands has an ``amount`` of 0: an order the simulated broker keeps.
    """

    at: float
    amount: float
    total: float = 0.0
    own: str = ""


@dataclass(frozen=True, slots=True)
class BookData:
    """What the ladder shows; ``asks`` and ``bids`` from the best outwards.

    ``key`` names what is shown (symbol and price step), ``facts`` are the lines below
    (imbalance, microprice), ``mine`` lines about own orders, ``flag`` and ``why`` what
    is wrong when not ``trusted``.
    """

    asks: tuple[BookRow, ...] = ()
    bids: tuple[BookRow, ...] = ()
    decimals: int = 2
    size_decimals: int = 3
    spread: str = "·"
    facts: tuple[str, ...] = ()
    mine: tuple[str, ...] = ()
    trusted: bool = True
    flag: str = "untrusted"
    why: str = ""
    key: str = ""


Place = tuple[str, int]
"""A side and how far from the best; the spread is ("spread", 0)."""

_SPREAD: Place = ("spread", 0)


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
        Binding("pageup", "page(-1)", show=False, id="book.page_up"),
        Binding("pagedown", "page(1)", show=False, id="book.page_down"),
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

    class FollowChanged(Message):
        """The operator's moving ended or resumed the following."""

        def __init__(self, ladder: BookLadder, following: bool) -> None:
            super().__init__()
            self.ladder = ladder
            self.following = following

        @property
        def control(self) -> BookLadder:
            """The ladder it happened in."""
            return self.ladder

    def __init__(
        self,
        *,
        empty: Sequence[str] = ("No book yet.",),
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._empty = tuple(empty)
        self._book = BookData()
        self._scale = DepthScale()
        self._fresh = True
        self._cursor: tuple[str, float] | None = None
        self._anchor: float | None = None

    def set_book(self, book: BookData) -> None:
        """Show ``book``."""
        if book == self._book:
            return
        if book.key != self._book.key:
            self._cursor = self._anchor = None
        self._book = book
        self._fresh = True
        self.redraw()

    @property
    def scale(self) -> float:
        """The size that the longest bar stands for."""
        return self._scale.full

    @property
    def cursor_row(self) -> tuple[str, BookRow] | None:
        """The side and level below the cursor."""
        place = self._cursor_place()
        return None if place is None else (place[0], self._row(place))

    @property
    def following(self) -> bool:
        """Whether the best prices are kept in the middle."""
        return self._anchor is None

    @following.setter
    def following(self, value: bool) -> None:
        if value == self.following:
            return
        self._anchor = None if value else self._top_price()
        if value:
            self._cursor = None
        self.redraw()

    # -- places --------------------------------------------------------------------

    def _row(self, place: Place) -> BookRow:
        side, at = place
        return (self._book.asks if side == "ask" else self._book.bids)[at]

    def _places(self) -> list[Place]:
        """Return all lines there could be: asks from the outermost, spread, bids."""
        book = self._book
        return [
            *(("ask", place) for place in reversed(range(len(book.asks)))),
            _SPREAD,
            *(("bid", place) for place in range(len(book.bids))),
        ]

    def _cursor_place(self) -> Place | None:
        """Return the level at the cursor's price, else the nearest of its side."""
        if self._cursor is None:
            return None
        side, at = self._cursor
        rows = self._book.asks if side == "ask" else self._book.bids
        if not rows:
            return None
        return side, min(range(len(rows)), key=lambda place: abs(rows[place].at - at))

    def _room(self, cells: int, rows: int) -> tuple[int, list[Part]]:
        """Return how many lines the ladder has, and the notes below it."""
        notes = self._notes(cells)
        notes = notes[: max(0, (rows - 3) // 2)]
        head = 1 if cells >= WIDE else 0
        free = max(1, rows - len(notes) - head)
        return free - (1 if notes and free > 8 else 0), notes

    def _top(self, places: list[Place], free: int) -> int:
        """Return the index of the first line shown."""
        if self._anchor is None:
            asks, bids = len(self._book.asks), len(self._book.bids)
            levels = max(0, free - 1)
            below = min(bids, levels - min(asks, levels // 2))
            return asks - min(asks, levels - below)
        anchor = self._anchor
        top = next(
            (
                index
                for index, place in enumerate(places)
                if place is not _SPREAD and self._row(place).at <= anchor
            ),
            len(places),
        )
        return max(0, min(top, len(places) - free))

    def _window(self) -> tuple[list[Place], int, int]:
        """Return all places, the first one shown and one past the last."""
        cells, rows = self.size
        places = self._places()
        free, _ = self._room(cells, rows)
        top = self._top(places, free)
        return places, top, min(len(places), top + free)

    def _top_price(self) -> float | None:
        places, top, end = self._window()
        shown = [place for place in places[top:end] if place is not _SPREAD]
        return self._row(shown[0]).at if shown else None

    # -- drawing -------------------------------------------------------------------

    def _notes(self, cells: int) -> list[Part]:
        """Return the lines below the levels, wrapped to the width."""
        book = self._book
        room = max(4, cells - 3)
        if not book.trusted:
            notes: list[Part] = [(f"! {book.flag}", "bad")]
            notes += [(line, "warn") for line in textwrap.wrap(book.why, room)]
        elif cells >= WIDE:
            notes = [("  ".join(book.facts), "")] if book.facts else []
        else:
            notes = [(fact, "") for fact in book.facts]
        ours = [(text, "dim" if text.startswith("mine") else "") for text in book.mine]
        return notes + ours

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw asks, spread, bids and the lines below them."""
        book = self._book
        if not book.asks and not book.bids:
            lines = [*self._empty]
            if not book.trusted:
                lines += [f"! {book.flag}", *textwrap.wrap(book.why, max(4, cells - 3))]
            texts = ["", *lines][:rows]
            return [self.strip([(f"  {text}", "dim")], cells) for text in texts]
        free, notes = self._room(cells, rows)
        places = self._places()
        top = self._top(places, free)
        shown = places[top : top + free]
        levels = [self._row(place) for place in shown if place is not _SPREAD]
        if self._fresh:
            self._fresh = False
            self._scale.take(book.key, max((r.amount for r in levels), default=0.0))
        shape = _Shape.of(book, levels, cells)
        strips = [self._head(shape, cells)] if cells >= WIDE else []
        here = self._cursor_place()
        for place in shown:
            if place is _SPREAD:
                ink = "dim" if book.trusted else "stale"
                strips.append(self.strip([(f"  spread {book.spread}", ink)], cells))
            else:
                strips.append(self._level(place, shape, cells, place == here))
        if notes and len(strips) + len(notes) < rows:
            strips.append(self.strip((), cells))
        strips.extend(
            self.strip([("  ", ""), (text, note_ink)], cells)
            for text, note_ink in notes
        )
        return strips[:rows]

    def _head(self, shape: _Shape, cells: int) -> Strip:
        full = quantity(self.scale, self._book.size_decimals).rstrip("0").rstrip(".")
        parts: list[Part] = [
            ("  " + fit("PRICE", shape.price, "right"), "head"),
            ("  " + fit("SIZE", shape.size, "right"), "head"),
            ("  " + fit("TOTAL", shape.total, "right"), "head"),
            ("  " + fit(f"SIZE, full {full}", shape.bar), "head"),
            ("  MINE", "head"),
        ]
        return self.strip(parts, cells)

    def _level(self, place: Place, shape: _Shape, cells: int, here: bool) -> Strip:
        side, row = place[0], self._row(place)
        book, glyphs = self._book, self.glyphs
        trusted = book.trusted
        wide = cells >= WIDE
        under = ("cursor" if self.has_focus else "cursor-blurred") if here else ""
        share = row.amount / self.scale
        # The best prices are what one looks for first.
        best = " bold" if trusted and place[1] == 0 and row.amount else ""
        parts: list[Part] = [
            (glyphs.cursor if here and self.has_focus else " ", "strong"),
            (glyphs.own if row.own else " ", "strong"),
            (
                fit(price(row.at, book.decimals), shape.price, "right"),
                f"{side}{best}" if trusted else "stale",
            ),
            ("  ", ""),
            (
                fit(_size(row.amount, book.size_decimals), shape.size, "right"),
                "" if trusted else "stale",
            ),
        ]
        if wide:
            total = fit(_size(row.total, book.size_decimals), shape.total, "right")
            parts.append(("  " + total, "dim" if trusted else "stale"))
            parts.append((" ", ""))
        bar = glyphs.bar(share, shape.bar) if shape.bar else ""
        parts += [(" ", ""), (bar, f"{side}-bar" if trusted else "stale")]
        if wide and row.own:
            parts += [("  ", ""), (row.own, "strong")]
        return self.strip(parts, cells, under)

    # -- the operator's hand -------------------------------------------------------

    def _go(self, index: int, step: int) -> None:
        """Put the cursor on line ``index`` or beyond it, and hold the prices."""
        places, top, end = self._window()
        if len(places) == 1:
            return
        index = max(0, min(index, len(places) - 1))
        if places[index] is _SPREAD:
            index += step if 0 <= index + step < len(places) else -step
        place = places[index]
        followed = self.following
        self._cursor = (place[0], self._row(place).at)
        if index < top or index >= end:
            top = index if index < top else index - (end - top) + 1
        first = places[top] if places[top] is not _SPREAD else places[top + 1]
        self._anchor = self._row(first).at
        self.redraw()
        if followed:
            self.post_message(self.FollowChanged(self, False))

    def _at(self) -> int | None:
        place = self._cursor_place()
        return None if place is None else self._places().index(place)

    def action_cursor(self, rows: int) -> None:
        """Move the cursor by ``rows``; the first move puts it at the best bid."""
        at = self._at()
        step = 1 if rows > 0 else -1
        if at is None:
            at = len(self._book.asks)
            self._go(at + 1 if self._book.bids else at - 1, step)
        else:
            self._go(at + rows, step)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a window's height."""
        _, top, end = self._window()
        at = self._at()
        start = len(self._book.asks) if at is None else at
        self._go(start + pages * max(1, end - top - 1), pages)

    def action_edge(self, end: int) -> None:
        """Move the cursor to the outermost ask or bid known."""
        self._go(len(self._places()) - 1 if end else 0, -1 if end else 1)

    def action_select(self) -> None:
        """Say which price was chosen."""
        found = self.cursor_row
        if found is not None:
            side, row = found
            text = price(row.at, self._book.decimals)
            self.post_message(self.PriceSelected(self, side, text))

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
        places, top, end = self._window()
        index = top + event.y - (1 if self.size.width >= WIDE else 0)
        if top <= index < end and places[index] is not _SPREAD:
            self._go(index, 1)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The widths of a ladder's columns."""

    price: int
    size: int
    total: int
    bar: int

    @classmethod
    def of(cls, book: BookData, levels: Sequence[BookRow], cells: int) -> _Shape:
        """Fit the columns to the levels shown; the bar has what is left."""
        wide = cells >= WIDE
        prices = [width(price(row.at, book.decimals)) for row in levels]
        sizes = [width(_size(row.amount, book.size_decimals)) for row in levels]
        totals = [width(_size(row.total, book.size_decimals)) for row in levels]
        least = 5 if wide else 1
        made = (max([least, *prices]), max([least, *sizes]), max([least, *totals]))
        if wide:
            room = cells - 2 - sum(made) - 6 - _OWN_CELLS
            return cls(*made, max(8, min(_MOST_BAR, room)))
        return cls(*made, max(0, cells - 2 - made[0] - 2 - made[1] - 1))


def _size(amount: float, decimals: int) -> str:
    return quantity(amount, decimals) if amount else NONE
