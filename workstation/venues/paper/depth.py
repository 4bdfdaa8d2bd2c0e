"""What the market shows, less what our orders took of it: the engine's outside.

Our trades are no part of the recorded market, so a size that goes on being shown has to
be remembered as taken: else every event would offer the same size again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.ports import BookView, InstrumentView, MarketView
from workstation.model.states import BookTrust
from workstation.venues.matching import Front, Offer
from workstation.venues.matching.orders import UNKNOWN
from workstation.venues.paper import prices
from workstation.venues.paper.settings import PaperBrokerSettings

__all__ = ["Depth", "Shown", "size_in_book"]

ZERO = Decimal(0)


class Shown(NamedTuple):
    """Price and size as the market shows them."""

    price: float
    size: float


class _Taken(NamedTuple):
    """What was taken at a price that has shown the same ``size`` ever since."""

    quantity: Decimal
    size: float


class Depth:
    """Offers by instrument; ``refresh`` it after each change of book or quote."""

    def __init__(
        self,
        settings: PaperBrokerSettings,
        instruments: Mapping[str, Instrument],
        market: MarketView,
    ) -> None:
        self._settings = settings
        self._instruments = instruments
        self._market = market
        self._taken: dict[str, dict[tuple[Side, float], _Taken]] = {}

    # What the matching engine asks.

    def offers(self, instrument: str, side: Side) -> Iterator[Offer]:
        """Yield what an order of this side can have now, best first."""
        view = self._market.instrument(instrument)
        if view.bars_only:
            return
        details = self._instruments[instrument]
        if not (view.bid > 0 or view.ask > 0):
            if view.last > 0:
                spread = self._settings.spread_bps
                price = prices.with_spread(details, view.last, side, spread)
                yield Offer(price, UNKNOWN, Shown(view.last, 0.0))
            return
        is_bounded = self._settings.fill_model != "optimistic"
        for shown, size in prices.visible_levels(view, side):
            room = UNKNOWN
            if is_bounded and size > 0:
                room = details.round_quantity(size)
                before = self._taken.get(instrument, {}).get((side, shown))
                if before is not None and before.size == size:
                    room -= before.quantity
            if room > 0:
                price = prices.against_us(details, shown, side)
                yield Offer(price, room, Shown(shown, size))

    def take(
        self, instrument: str, side: Side, offer: Offer, quantity: Decimal
    ) -> None:
        """Remember what an order took; a size that is not known bounds nothing."""
        shown = offer.source
        if not isinstance(shown, Shown) or not shown.size > 0:
            return
        taken = self._taken.setdefault(instrument, {})
        key = (side, shown.price)
        before = taken.get(key)
        if before is not None and before.size == shown.size:
            quantity += before.quantity
        taken[key] = _Taken(quantity, shown.size)

    def ahead(self, instrument: str, side: Side, price: Decimal) -> Front:
        """Return what stands before a new order at this price, by the fill model."""
        model = self._settings.fill_model
        if model != "queue":
            return Front(UNKNOWN if model == "through" else ZERO)
        view = self._market.instrument(instrument)
        size = self._size(view, side, float(price))
        return Front(UNKNOWN if size is None else to_decimal(size), view.ts_recv)

    def _size(self, view: InstrumentView, side: Side, price: float) -> float | None:
        """Return the size shown at an own price, or None where that is not known."""
        buying = side is Side.BUY
        best = view.bid if buying else view.ask
        if not best > 0 or not view.is_top_proven:
            return None
        if price > best if buying else price < best:
            return 0.0
        if price == best:
            return (view.bid_size if buying else view.ask_size) or None
        book = view.book
        if book is None or book.trust is not BookTrust.TRUSTED:
            return None
        return size_in_book(book, side, price)

    def price(self, instrument: str, side: Side) -> Decimal:
        """Return what a market order of this side would pay first, 0 = nobody knows.

        Where nothing is on offer the last price counts, then what was quoted.
        """
        offer = next(self.offers(instrument, side), None)
        if offer is not None:
            return offer.price
        view = self._market.instrument(instrument)
        near, far = view.ask, view.bid
        if side is Side.SELL:
            near, far = far, near
        return to_decimal(view.last or near or far)

    # What the broker tells.

    def refresh(self, instrument: str) -> None:
        """Offer a price again once it shows another size, or none."""
        taken = self._taken.get(instrument)
        if taken is None:
            return
        view = self._market.instrument(instrument)
        book = view.book
        if book is not None and book.trust is not BookTrust.TRUSTED:
            return  # what is not shown may still be there
        for side in Side:
            mine = [price for taker, price in taken if taker is side]
            if not mine:
                continue
            worst = max(mine) if side is Side.BUY else min(mine)
            sizes = {}
            for price, size in prices.visible_levels(view, side):
                sizes[price] = size
                if price >= worst if side is Side.BUY else price <= worst:
                    break
            for price in mine:
                if sizes.get(price) != taken[(side, price)].size:
                    del taken[(side, price)]
        if not taken:
            del self._taken[instrument]

    def digest(self) -> object:
        """Return what was taken in plain values, in order of taking."""
        return tuple(
            (name, side.value, price, str(each.quantity), each.size)
            for name, taken in self._taken.items()
            for (side, price), each in taken.items()
        )


def size_in_book(book: BookView, side: Side, price: float) -> float | None:
    """Return the size at a price of a side; None where it is deeper than the book."""
    size = book.size_at(price)
    if size > 0:
        return size
    buying = side is Side.BUY
    bids, asks = book.depth()
    levels = book.bids(bids) if buying else book.asks(asks)
    if not levels:
        return None
    worst = levels[-1][0]
    return 0.0 if (price > worst if buying else price < worst) else None
