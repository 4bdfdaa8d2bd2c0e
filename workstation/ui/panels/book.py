"""The order book of the focused symbol, with what is ours in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.widget import Widget

from workstation.model.states import BookTrust
from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice, Panel
from workstation.ui.typeset import bps, number, plain, price, quantity
from workstation.ui.widgets.book_ladder import BookData, BookLadder, BookRow
from workstation.ui.widgets.inks import Part

if TYPE_CHECKING:
    from workstation.engine.frames import BookFrame, Focus, Frame
    from workstation.model.market import Level

__all__ = ["BookPanel"]


class BookPanel(Panel):
    """A ladder of one symbol."""

    panel_id = "book"
    title = "Book"
    needs = frozenset({"book"})
    scope = Scope.BOOK
    follows_focus = True
    empty = ("No book yet.", "A feed brings it.")

    def __init__(self, scales: object, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)  # type: ignore[arg-type]
        self.ladder = BookLadder(empty=self.empty)
        self._shown: BookFrame | None = None
        self._titled: Focus | None = None

    def bodies(self) -> Iterable[Widget]:
        """Make the ladder."""
        yield self.ladder

    @property
    def body(self) -> Widget:
        """The ladder."""
        return self.ladder

    def apply(self, frame: Frame) -> None:
        """Show the book of a frame."""
        shown = frame.book
        if shown is not None and (shown, self.pinned) == (self._shown, self._titled):
            return
        self._shown, self._titled = shown, self.pinned
        title: list[Part] = [*self.pin_parts(), (self.title, "title")]
        if shown is None:
            self.set_title(title, "")
            self.ladder.set_book(BookData())
            return
        trusted = shown.trust is BookTrust.TRUSTED
        if self.pinned is not None:
            title.append((f" {shown.symbol}", "strong"))
        self.set_title(title, [(shown.trust.value, "good" if trusted else "bad")])
        self.ladder.set_book(self._data(shown, trusted))

    def _data(self, shown: BookFrame, trusted: bool) -> BookData:
        digits = shown.decimals
        facts = (
            f"imbalance {number(shown.imbalance, 2, sign=True)}",
            # Two decimals finer than the tick: that is what it is looked at for.
            f"micro {price(shown.microprice, digits + 2)}",
        )
        best = [*shown.asks[:1], *shown.bids[:1]]
        gap = abs(best[0][0] - best[1][0]) if len(best) == 2 else None
        near = len(shown.mine)
        mine = "mine: none near" if not near else f"mine: {near} working"
        return BookData(
            asks=self._rows(shown, shown.asks),
            bids=self._rows(shown, shown.bids),
            spread=f"{price(gap, digits)}  {bps(shown.spread_bps, unit=True)}",
            facts=facts,
            mine=mine,
            trusted=trusted,
            why=shown.reason,
        )

    def _rows(self, shown: BookFrame, levels: Iterable[Level]) -> tuple[BookRow, ...]:
        mine = set(shown.mine)
        digits = min(3, shown.quantity_decimals)
        return tuple(
            BookRow(
                price(at, shown.decimals),
                quantity(size, digits),
                size,
                "mine" if at in mine else "",
            )
            for at, size in levels
        )

    @property
    def choice(self) -> Choice | None:
        """The symbol shown."""
        return None if self._shown is None else Choice(self._shown.instrument)

    def copy_text(self) -> str:
        """Return the level below the cursor, else the best two."""
        here = self.ladder.cursor_row
        if here is not None:
            side, row = here
            return f"{side}\t{row.price.replace(',', '')}\t{plain(row.amount)}"
        return "\n".join("\t".join(row) for row in self.export_rows()[1:3])

    def export_rows(self) -> list[list[str]]:
        """Return the levels, best first on either side."""
        shown = self._shown
        rows = [["SIDE", "PRICE", "SIZE"]]
        if shown is not None:
            for place in range(max(len(shown.asks), len(shown.bids))):
                for side, levels in (("ask", shown.asks), ("bid", shown.bids)):
                    if place < len(levels):
                        at, size = levels[place]
                        rows.append([side, plain(at), plain(size)])
        return rows
