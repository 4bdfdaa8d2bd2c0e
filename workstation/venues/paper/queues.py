"""Tells the matching engine what the market does at the prices of our resting orders.

A ticker speaks of the best prices, a book of all that it knows. Where both do, the
newer one counts. Without quotes only a trade through a price says anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.market import MarketEvent, Quote, Trade
from workstation.model.ports import InstrumentView, MarketView
from workstation.model.states import BookTrust
from workstation.venues.matching import MatchingEngine
from workstation.venues.matching.book import Book, Half
from workstation.venues.matching.level import Level
from workstation.venues.matching.orders import UNKNOWN
from workstation.venues.paper.depth import size_in_book
from workstation.venues.paper.settings import PaperBrokerSettings

__all__ = ["Queues"]

_SIDES = {1: Side.BUY, -1: Side.SELL}


class Queues:
    """Trades, sizes and crossings of the market, as the engine wants them."""

    def __init__(
        self,
        settings: PaperBrokerSettings,
        instruments: Mapping[str, Instrument],
        market: MarketView,
        engine: MatchingEngine,
    ) -> None:
        self._market = market
        self._instruments = instruments
        self._engine = engine
        self._follows_sizes = settings.fill_model == "queue"
        self._is_bounded = settings.fill_model != "optimistic"
        # The last price does not tell: a bar has one, too.
        self._has_trades: set[str] = set()

    def note(self, event: Trade) -> None:
        """Remember that trades are told of an instrument, whether it has orders or not.

        From then on triggers are compared with them.
        """
        # Of all trades there are the first alone is looked at.
        if event.instrument not in self._has_trades and _is_sound(event):
            self._has_trades.add(event.instrument)

    def last(self, instrument: str, side: Side) -> float:
        """Return the price that a trigger is compared with; 0 = not known.

        That of the last trade; where none is told, the best price of the side that a
        stop of this side would take, and where none is quoted, the close of a bar.
        """
        view = self._market.instrument(instrument)
        best = view.ask if side is Side.BUY else view.bid
        return view.last if instrument in self._has_trades or not best > 0 else best

    def trade(self, event: Trade) -> None:
        """Show the engine a public trade, where one of our orders could meet it."""
        if not _is_sound(event):
            return
        price = event.price
        book = self._engine.book(event.instrument)
        bid, ask = book.buys.best(), book.sells.best()
        if not ((bid and price <= bid.key) or (ask and price >= ask.key)):
            # A market order of the time of bars waits where nobody quotes.
            if book.stops or book.has_waiting:
                self._engine.traded(event.instrument, to_decimal(price))
            return
        quantity = UNKNOWN
        if self._is_bounded:
            quantity = self._instruments[event.instrument].round_quantity(event.size)
        self._engine.printed(
            event.instrument,
            to_decimal(price),
            quantity,
            self._aggressor(event),
            event.ts_recv,
        )

    def _aggressor(self, event: Trade) -> Side | None:
        """Return who took: as told, else who must have by the best prices, or None."""
        side = _SIDES.get(event.aggressor)
        if side is not None:
            return side
        view = self._market.instrument(event.instrument)
        if 0 < view.ask <= event.price:
            return Side.BUY
        return Side.SELL if event.price <= view.bid else None

    def change(self, event: MarketEvent) -> None:
        """Show the engine a change of best prices or book."""
        name = event.instrument
        view = self._market.instrument(name)
        if not view.is_top_proven:
            return
        book = self._engine.book(name)
        if self._is_crossed(book, view):
            self._engine.sweep(name)
        if book.stops and name not in self._has_trades:
            # The best prices are all there is.
            self._engine.quoted(name, to_decimal(view.bid), to_decimal(view.ask))
        if self._follows_sizes:
            stamp = (event.update_id or 0) if isinstance(event, Quote) else None
            for half in (book.buys, book.sells):
                if half.prices:
                    self._follow(name, half, view, stamp, event.ts_recv)

    def _is_crossed(self, book: Book, view: InstrumentView) -> bool:
        """Tell whether anything in the book could trade with what is offered."""
        if book.has_waiting:
            return True
        bid, ask = book.buys.best(), book.sells.best()
        # A fill's price is rounded against us, which only makes it cross less.
        return bool((bid and 0 < view.ask <= bid.key) or (ask and view.bid >= ask.key))

    def _follow(
        self, name: str, half: Half, view: InstrumentView, stamp: int | None, ts: int
    ) -> None:
        """Tell the sizes at our prices; ``stamp`` None: the book's deeper ones too."""
        buying = half.side is Side.BUY
        best = view.bid if buying else view.ask
        top = view.bid_size if buying else view.ask_size
        if not best > 0:
            return
        book = view.book
        known = book if book and book.trust is BookTrust.TRUSTED else None
        for level in half.best_first():
            key = level.key
            if key == best:
                if top > 0:
                    self._tell(name, level, top, ts)
                level.stamp = stamp or level.stamp
            elif key > best if buying else key < best:
                self._tell(name, level, 0.0, ts)
                level.stamp = stamp or level.stamp
            elif stamp is not None or known is None:
                return
            elif known.update_id >= level.stamp and known.size_at(key) != level.told:
                # What the book does not reach to is not known, and not nothing.
                size = size_in_book(known, half.side, key)
                if size is not None:
                    self._tell(name, level, size, ts)

    def _tell(self, name: str, level: Level, size: float, ts: int) -> None:
        if size != level.told:
            level.told = size
            self._engine.shows(name, level, to_decimal(size), ts)


def _is_sound(event: Trade) -> bool:
    """Tell whether a trade has figures that one can be matched by."""
    return 0 < event.price < math.inf and 0 < event.size < math.inf
