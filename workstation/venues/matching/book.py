"""The orders of one instrument, by price and time; it changes nothing of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from decimal import Decimal

from workstation.model.instruments import Side
from workstation.venues.matching.level import Level
from workstation.venues.matching.orders import Working

__all__ = ["Book", "Half", "crosses"]


def crosses(limit: Decimal | None, price: Decimal, side: Side) -> bool:
    """Tell whether an order with this limit (None: any) may trade at ``price``."""
    if limit is None:
        return True
    return price <= limit if side is Side.BUY else price >= limit


class Half:
    """One side of a book: levels by price, and market orders that wait.

    Waiting market orders have no price and are not in a queue: they take what comes.
    """

    __slots__ = ("levels", "prices", "side", "waiting")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[Decimal, Level] = {}
        # Ascending, whichever side it is.
        self.prices: list[Decimal] = []
        self.waiting: dict[int, Working] = {}

    def best(self) -> Level | None:
        """Return the level that trades first."""
        if not self.prices:
            return None
        return self.levels[self.prices[-1 if self.side is Side.BUY else 0]]

    def best_first(self) -> list[Level]:
        """Return the levels in the order in which they trade."""
        prices = reversed(self.prices) if self.side is Side.BUY else self.prices
        return [self.levels[price] for price in prices]

    def open(self, price: Decimal, shown: Decimal) -> Level:
        """Return a new level."""
        level = self.levels[price] = Level(price, shown)
        insort(self.prices, price)
        return level

    def drop(self, order: Working) -> None:
        """Remove an order, and its level with it where it was the last."""
        price = order.terms.price
        if self.waiting.pop(order.number, None) is not None or price is None:
            return
        level = self.levels.get(price)
        if level is None or level.orders.pop(order.number, None) is None:
            return
        if not level.orders:
            del self.levels[price]
            del self.prices[bisect_left(self.prices, price)]

    def digest(self) -> tuple[object, ...]:
        """Return the orders of this side in plain values."""
        return (
            [order.digest() for order in self.waiting.values()],
            [level.digest() for level in self.best_first()],
        )


class Book:
    """Both sides of one instrument, orders that wait for a trigger, the last prices.

    ``last`` is that of the last execution or public trade, by which a market order's
    worth is judged. ``printed`` is that of the last public trade, with which triggers
    are compared: what an account took of the outside is in the first only.
    """

    __slots__ = ("buys", "last", "printed", "sells", "stops")

    def __init__(self) -> None:
        self.buys = Half(Side.BUY)
        self.sells = Half(Side.SELL)
        self.stops: dict[int, Working] = {}
        self.last: Decimal | None = None
        self.printed: Decimal | None = None

    def half(self, side: Side) -> Half:
        """Return the side where orders of ``side`` rest."""
        return self.buys if side is Side.BUY else self.sells

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing rests or waits here."""
        return not (
            self.buys.prices or self.sells.prices or self.stops or self.has_waiting
        )

    @property
    def has_waiting(self) -> bool:
        """Tell whether market orders wait here for what comes."""
        return bool(self.buys.waiting or self.sells.waiting)

    def in_turn(self) -> list[Working]:
        """Return what is in the book: market orders by time, then by price and time."""
        market = {**self.buys.waiting, **self.sells.waiting}
        found = [market[number] for number in sorted(market)]
        for half in (self.buys, self.sells):
            for level in half.best_first():
                found.extend(level.orders.values())
        return found

    def drop(self, order: Working) -> None:
        """Remove an order from wherever it is."""
        if self.stops.pop(order.number, None) is None:
            self.half(order.terms.side).drop(order)

    def depth(self, side: Side, n: int) -> list[tuple[Decimal, Decimal]]:
        """Return price and quantity of the n best levels of a side, best first."""
        levels = self.half(side).best_first()[:n]
        return [(level.price, level.quantity) for level in levels]

    def digest(self) -> tuple[object, ...]:
        """Return everything in plain values."""
        return (
            self.buys.digest(),
            self.sells.digest(),
            [order.digest() for order in self.stops.values()],
            str(self.last),
            # Nothing but a stop that waits asks for it.
            *((str(self.printed),) if self.stops else ()),
        )
