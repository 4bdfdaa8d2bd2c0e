"""What the market shows, less what our orders took of it.

The paper broker asks it for offers and tells it what it took; it fills nothing. Our
trades are no part of the recorded market, so a size that goes on being shown has to be
remembered as taken: else every event would offer the same size again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from workstation.model.instruments import Instrument, Side
from workstation.model.orders import Order, OrderType
from workstation.model.ports import MarketView
from workstation.model.states import BookTrust
from workstation.venues.paper import prices
from workstation.venues.paper.settings import PaperBrokerSettings

__all__ = ["Depth", "Offer"]


class Offer(NamedTuple):
    """What an order can have: price and size as shown, price on the tick, quantity."""

    shown: float
    size: float
    price: Decimal
    quantity: Decimal


class _Taken(NamedTuple):
    """What was taken at a price that has shown the same ``size`` ever since."""

    quantity: Decimal
    size: float


class Depth:
    """Offers by instrument; ``refresh`` it after each change of book or quote."""

    def __init__(self, settings: PaperBrokerSettings, market: MarketView) -> None:
        self._settings = settings
        self._market = market
        self._taken: dict[str, dict[tuple[Side, float], _Taken]] = {}

    def offers(
        self, instrument: Instrument, order: Order, left: Decimal
    ) -> list[Offer]:
        """Return what the order can have now of ``left``, best first."""
        view = self._market.instrument(instrument.id)
        limit = order.price if order.type is OrderType.LIMIT else None
        if not (view.bid > 0 or view.ask > 0):
            spread = self._settings.spread_bps
            price = prices.with_spread(instrument, view.last, order.side, spread)
            fits = limit is None or prices.crosses(limit, price, order.side)
            return [Offer(view.last, 0.0, price, left)] if fits else []
        offers = []
        taken = self._taken.get(instrument.id, {})
        for shown, size in prices.visible_levels(view, order.side):
            price = prices.against_us(instrument, shown, order.side)
            if limit is not None and not prices.crosses(limit, price, order.side):
                break
            amount = left
            if self._settings.partial_fills and size > 0:
                room = instrument.round_quantity(size)
                before = taken.get((order.side, shown))
                if before is not None and before.size == size:
                    room -= before.quantity
                amount = min(left, room)
            if amount > 0:
                offers.append(Offer(shown, size, price, amount))
                left -= amount
            if left <= 0:
                break
        return offers

    def take(self, order: Order, offer: Offer) -> None:
        """Remember what the order took; a size that is not known bounds nothing."""
        if not offer.size > 0:
            return
        taken = self._taken.setdefault(order.instrument, {})
        key = (order.side, offer.shown)
        before = taken.get(key)
        quantity = offer.quantity
        if before is not None and before.size == offer.size:
            quantity += before.quantity
        taken[key] = _Taken(quantity, offer.size)

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
