"""The order book of the focused symbol, with what is ours in it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from textual.widget import Widget

from workstation.model.states import BookTrust
from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice, Panel
from workstation.ui.panels.cells import spaced_age
from workstation.ui.typeset import (
    bps,
    number,
    percent,
    plain,
    price,
    quantity,
)
from workstation.ui.widgets.book_ladder import WIDE, BookData, BookLadder, BookRow
from workstation.ui.widgets.inks import Part

if TYPE_CHECKING:
    from workstation.engine.frames import BookFrame, Focus, Frame, OwnLevel
    from workstation.model.market import Level

__all__ = ["BookPanel"]

_OWN_LINES = 2
_ROOMY = 30
# Cells that a title needs for both "held" and the word of trust.


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
        self._state: tuple[Focus | None, bool] | None = None

    def bodies(self) -> Iterable[Widget]:
        """Make the ladder."""
        yield self.ladder

    @property
    def body(self) -> Widget:
        """The ladder."""
        return self.ladder

    def on_resize(self) -> None:
        """Word it for the new width."""
        self._state = None
        self.again()

    def apply(self, frame: Frame) -> None:
        """Show the book of a frame."""
        shown = frame.book
        state = (self.pinned, self.ladder.following)
        if shown is not None and (shown, state) == (self._shown, self._state):
            return
        self._shown, self._state = shown, state
        if shown is None:
            self.set_title([*self.pin_parts(), (self.title, "title")], "")
            self.ladder.set_book(BookData())
            return
        self._titles(shown)
        self.ladder.set_book(self._data(shown))

    def _titles(self, shown: BookFrame) -> None:
        bad = shown.distrust is not None
        # In the title's own part: where room is short the other end goes first.
        title: list[Part] = [("! ", "bad")] if bad else []
        title += [*self.pin_parts(), (self.title, "title")]
        if self.pinned is not None:
            title.append((f" {shown.symbol}", "strong"))
        held: Part = (
            "held  f follows" if self.size.width >= WIDE else "held",
            "warn",
        )
        trust: Part = (_word(shown), "bad" if bad else "good")
        info = [trust]
        if not self.ladder.following:
            info = [held, ("  ", ""), trust] if self.size.width >= _ROOMY else [held]
        if bad and self.size.width < _ROOMY:
            info = [trust]
        self.set_title(title, info)

    def _data(self, shown: BookFrame) -> BookData:
        digits = shown.decimals
        wide = self.size.width >= WIDE
        imbalance = "imbalance of 5 levels" if wide else "imbalance"
        facts = [
            f"{imbalance} {number(shown.imbalance, 2, sign=True)}",
            # Two decimals finer than the tick: that is what it is looked at for.
            f"micro{'price' if wide else ''} {price(shown.microprice, digits + 2)}",
        ]
        if shown.group > 1:
            step = price(shown.tick * shown.group, digits)
            facts.insert(0, f"step {step}" if wide else f"step {step}  + −")
        return BookData(
            asks=self._rows(shown, shown.asks, -1),
            bids=self._rows(shown, shown.bids, 1),
            decimals=digits,
            size_decimals=min(5 if wide else 3, shown.quantity_decimals),
            spread=f"{price(shown.spread, digits)}  {bps(shown.spread_bps, unit=True)}",
            facts=tuple(facts),
            mine=self._mine(shown),
            trusted=shown.distrust is None,
            flag=_flag(shown),
            why=_why(shown),
            key=f"{shown.instrument}/{shown.group}",
        )

    def _rows(
        self, shown: BookFrame, levels: tuple[Level, ...], side: int
    ) -> tuple[BookRow, ...]:
        """Return the levels of a side, with own orders also where nobody else is."""
        own: dict[float, list[str]] = {}
        for mine in shown.mine:
            if _half_of(mine, shown) == side:
                at = _step_of(mine.price, shown, side)
                own.setdefault(at, []).append(_own(mine, shown))
        sizes = dict(levels)
        if levels:
            last = levels[-1][0]
            for at in own:
                if (last - at) * side <= 0:
                    sizes.setdefault(at, 0.0)
        order = sorted(sizes, reverse=side > 0)
        totals = accumulate(sizes[at] for at in order)
        return tuple(
            BookRow(at, sizes[at], total, ", ".join(own.get(at, ())))
            for at, total in zip(order, totals, strict=True)
        )

    def _mine(self, shown: BookFrame) -> tuple[str, ...]:
        """Say what is ours: what the rows can't, and how far away the rest is."""
        if not shown.mine:
            return ("mine: none",)
        mid = shown.microprice
        lines = []
        for mine in sorted(shown.mine, key=lambda m: abs(m.price - (mid or 0.0))):
            away = None if not mid else (mine.price / mid - 1) * 100
            text = _own(mine, shown)
            where = price(mine.price, shown.decimals)
            if self.size.width >= WIDE:
                lines.append(f"mine: {text} @ {where}  {percent(away, unit=True)}")
            else:
                digits = 0 if away is not None and abs(away) >= 1 else 1
                lines.append(f"{text} {percent(away, digits, unit=True)}")
        rest = len(lines) - _OWN_LINES
        more = (f"and {rest} more",) if rest > 0 else ()
        return (*lines[:_OWN_LINES], *more)

    def follow(self) -> bool:
        """Keep the best prices in the middle, or let the prices stand."""
        self.ladder.following = not self.ladder.following
        self.again()
        return self.ladder.following

    def on_book_ladder_follow_changed(self, event: BookLadder.FollowChanged) -> None:
        """Say in the title that the prices stand."""
        event.stop()
        self.again()

    @property
    def choice(self) -> Choice | None:
        """The symbol shown."""
        return None if self._shown is None else Choice(self._shown.instrument)

    def copy_text(self) -> str:
        """Return the level below the cursor, else the best two."""
        here = self.ladder.cursor_row
        if here is not None:
            side, row = here
            return f"{side}\t{plain(row.at)}\t{plain(row.amount)}"
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


def _word(shown: BookFrame) -> str:
    """Name the trust in one word: a proven book can still be stale."""
    if shown.trust is not BookTrust.TRUSTED:
        return shown.trust.value
    return "trusted" if shown.distrust is None else "stale"


def _flag(shown: BookFrame) -> str:
    since = shown.distrust_ns
    return _word(shown) if since is None else f"{_word(shown)} {spaced_age(since)}"


def _why(shown: BookFrame) -> str:
    if shown.trust is BookTrust.TRUSTED:
        return shown.distrust or ""
    return f"{shown.reason}. {shown.remedy}" if shown.remedy else shown.reason


def _own(mine: OwnLevel, shown: BookFrame) -> str:
    side = "buy" if mine.side > 0 else "sell"
    size = quantity(mine.quantity, min(3, shown.quantity_decimals))
    return f"{side} {size}{' held' if mine.held else ''}"


def _half_of(mine: OwnLevel, shown: BookFrame) -> int:
    """Return where an own order stands: +1 among the bids, −1 among the asks.

    Its price decides, not its side: a stop that sells stands below the best bid.
    """
    below = bool(shown.bids) and _step_of(mine.price, shown, 1) <= shown.bids[0][0]
    above = bool(shown.asks) and _step_of(mine.price, shown, -1) >= shown.asks[0][0]
    return mine.side if below == above else 1 if below else -1


def _step_of(at: float, shown: BookFrame, side: int) -> float:
    """Return the price of the step that an own order's price falls into."""
    ticks = round(at / shown.tick)
    group = shown.group
    step = ticks // group if side > 0 else -(-ticks // group)
    return round(step * group * shown.tick, shown.decimals)
