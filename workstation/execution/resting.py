"""Own orders that wait at a price at the venue, by instrument and side.

``Orders`` keeps it; the risk stage and the closing of positions ask it whether a new
order would trade with one of them. Asking costs the same however many there are,
unless one is met.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.model.instruments import Side
from workstation.model.orders import Order

__all__ = ["Resting"]

_BUY = Side.BUY
_OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


class Resting:
    """Prices of resting orders; the best of each side is kept.

    An order that is asked to move is at both prices until the venue has answered.
    """

    def __init__(self) -> None:
        self._prices: dict[tuple[str, Side], dict[str, tuple[Decimal, ...]]] = {}
        self.best: dict[tuple[str, Side], Decimal] = {}
        """The best price of each side that has any."""

    def put(self, order: Order, asked: Decimal | None = None) -> None:
        """Note an order with a price that is at the venue, or its new price.

        ``asked`` is the one it may have got meanwhile.
        """
        price = order.price
        if price is None:
            return
        key = (order.instrument, order.side)
        here = self._prices.setdefault(key, {})
        was = here.get(order.id, ())
        here[order.id] = (price,) if asked is None else (price, asked)
        best = self.best.get(key)
        if best is None:
            self.best[key] = price
        elif best in was:
            self._find_best(key)
            return
        for each in here[order.id]:
            if _dearer(each, self.best[key], order.side):
                self.best[key] = each

    def expect(self, order: Order, asked: Decimal) -> None:
        """Note the price that an order is asked to move to, if it is there at all."""
        if order.id in self._prices.get((order.instrument, order.side), ()):
            self.put(order, asked)

    def settle(self, order: Order) -> None:
        """Note that an order is where it says it is: the venue has answered."""
        if order.id in self._prices.get((order.instrument, order.side), ()):
            self.put(order)

    def take(self, order: Order) -> None:
        """Forget an order that is no longer there."""
        key = (order.instrument, order.side)
        here = self._prices.get(key)
        prices = () if here is None else here.pop(order.id, ())
        if self.best.get(key) in prices:
            self._find_best(key)

    def _find_best(self, key: tuple[str, Side]) -> None:
        prices = [each for both in self._prices[key].values() for each in both]
        if not prices:
            del self.best[key]
        else:
            self.best[key] = max(prices) if key[1] is _BUY else min(prices)

    def met_by(self, instrument: str, side: Side, reach: Decimal) -> list[str]:
        """Return the ids an order on this side that reaches ``reach`` would meet."""
        key = (instrument, _OTHER[side])
        best = self.best.get(key)
        if best is None or _dearer(best, reach, side):
            return []
        return [
            order_id
            for order_id, prices in self._prices[key].items()
            if not all(_dearer(price, reach, side) for price in prices)
        ]


def _dearer(price: Decimal, than: Decimal, side: Side) -> bool:
    """Tell whether a price is beyond another in the sense of this side."""
    return price > than if side is _BUY else price < than
