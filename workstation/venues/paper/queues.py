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

    def trade(self, event: Trade) -> None:
        """Show the engine a public trade, where one of our orders could meet it."""
        price, size = event.price, event.size
        if not (0 < price < math.inf and 0 < size < math.inf):
            return
        book = self._engine.book(event.instrument)
        bid, ask = book.buys.best(), book.sells.best()
        if not ((bid and price <= bid.key) or (ask and price >= ask.key)):
            if book.stops:
                self._engine.traded(event.instrument, to_decimal(price))
            return
        quantity = UNKNOWN
        if self._is_bounded:
            quantity = self._instruments[event.instrument].round_quantity(size)
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
        if book.stops and not view.last > 0:
            # Nobody tells of trades, so the best prices are all there is.
            self._engine.quoted(name, to_decimal(view.bid), to_decimal(view.ask))
        if self._follows_sizes:
            stamp = (event.update_id or 0) if isinstance(event, Quote) else None
            for half in (book.buys, book.sells):
                if half.prices:
                    self._follow(name, half, view, stamp, event.ts_recv)

    def _is_crossed(self, book: Book, view: InstrumentView) -> bool:
        """Tell whether anything in the book could trade with what is offered."""
        if book.buys.waiting or book.sells.waiting:
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
