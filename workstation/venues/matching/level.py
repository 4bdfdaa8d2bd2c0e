"""One price of a book: its orders in time, and the outside's size among them.

The outside shows one number per price, not who left it. Trades at the price consume
from the front. What vanishes without a trade was canceled somewhere; ``Shrink`` says
where we assume it. A place only moves forward, and is never behind more than is shown.

A size may be told before the trade that took it. What has moved a place forward
without a trade is therefore *anticipated* for ``TELLING_NS``: a trade in that time
explains it first and does not move the place a second time. The size that an order
joins behind may lack such trades, too, and how much they are nobody knows: for the same
time the place is moved by sizes only.

Nobody tells of a price that the market has left, so what was told last may be long
past. An order that joins is therefore given the size that is shown at that moment.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from workstation.venues.matching.orders import UNKNOWN, Working
from workstation.venues.matching.outside import Front

__all__ = ["TELLING_NS", "Level", "Shrink"]

ZERO = Decimal(0)
# In a recorded capture of a perpetual a trade came 6 ms after the ticker of the same
# match in 1 of 100, 21 ms at most; a slower line gets five times that.
TELLING_NS = 100_000_000
# What ``told`` says where any size would be news.
_NOTHING = -1.0


class Shrink(StrEnum):
    """Who leaves a queue that shrinks without a trade.

    ``behind``: those behind us first, so we only move up when we must.
    ``proportional``: those ahead and behind by their share, rounded up on the lot.
    """

    BEHIND = "behind"
    PROPORTIONAL = "proportional"


class Level:
    """Orders at one price, first in first out, with what the outside shows there.

    ``shown`` is UNKNOWN where nobody tells. ``key`` is the price as a float, for
    comparing it with market data; ``told`` and ``stamp`` are notes of who tells: the
    size as it came, and how new it is.
    """

    __slots__ = (
        "_newcomers",
        "_traded",
        "_vanished",
        "_vanished_ns",
        "key",
        "orders",
        "price",
        "shown",
        "stamp",
        "told",
    )

    def __init__(self, price: Decimal, shown: Decimal) -> None:
        self.price = price
        self.key = float(price)
        self.shown = shown
        self.told = _NOTHING
        self.stamp = 0
        self.orders: dict[int, Working] = {}
        # Those who joined behind another size than the one told last, and who joined
        # after them, until the next.
        self._newcomers: set[int] = set()
        # Traded at this price since the size was last told, and vanished without.
        self._traded = ZERO
        self._vanished = ZERO
        self._vanished_ns = 0

    @property
    def quantity(self) -> Decimal:
        """Return the sum of what its orders have left; the outside is not in it."""
        return sum((order.left for order in self.orders.values()), ZERO)

    def join(self, order: Working, front: Front) -> None:
        """Put an order at the end of the queue, behind ``front``: all shown by now.

        That says nothing of the places of those who are here, but that they are better.
        """
        ahead = front.size
        if self._newcomers or ahead != self.shown:
            self._newcomers.add(order.number)
            # The same size as was told last is news to it.
            self.told = _NOTHING
        last = next(reversed(self.orders.values()), None)
        order.ahead = ahead if last is None else max(ahead, last.ahead)
        # A trade that is told only now came before the order did.
        order.anticipated = self._vanished
        if front.told_ns is not None:
            order.settles_ns = front.told_ns + TELLING_NS
        self.orders[order.number] = order

    def pass_by(self) -> None:
        """Clear the way: a trade beyond this price has taken all that was ahead."""
        for order in self.orders.values():
            order.ahead = order.anticipated = ZERO
            order.settles_ns = 0

    def taken(self, quantity: Decimal) -> None:
        """Move all places forward by what an account took of the outside here."""
        for order in self.orders.values():
            order.ahead = max(ZERO, order.ahead - quantity)

    def printed(self, quantity: Decimal, now_ns: int) -> list[tuple[Working, Decimal]]:
        """Let a public trade at this price consume the queue from its front.

        Return the orders whose turn it was, each with how much of the trade is theirs.
        """
        self._forget(now_ns)
        explained = min(quantity, self._vanished)
        self._vanished -= explained
        self._traded += quantity - explained
        turns: list[tuple[Working, Decimal]] = []
        left = quantity
        for order in self.orders.values():
            if left <= 0 or order.ahead == UNKNOWN or now_ns <= order.settles_ns:
                break
            # The trade came first, whatever was told of the size since.
            before = order.ahead + order.anticipated
            used = min(before, left)
            ahead = min(order.ahead, before - used)
            order.anticipated = before - used - ahead
            order.ahead = ahead
            amount = min(order.left, left - used)
            if amount > 0:
                turns.append((order, amount))
                left -= amount
        for order in self.orders.values():
            # Also of those whom the trade did not reach, for it filled who was first.
            order.anticipated = min(order.anticipated, self._vanished)
        return turns

    def shows(self, size: Decimal, now_ns: int, shrink: Shrink, lot: Decimal) -> None:
        """Take the size that the outside shows here now."""
        self._forget(now_ns)
        known = self.shown != UNKNOWN
        base = self.shown - self._traded if known else size
        gone = max(base - size, self._lost(size, now_ns))
        self.shown, self._traded = size, ZERO
        if gone > 0:
            self._vanished += gone
            self._vanished_ns = now_ns
        shares = gone > 0 and base > 0 and shrink is Shrink.PROPORTIONAL
        for order in self.orders.values():
            ahead = order.ahead
            moved = min(ahead, size)
            if ahead == UNKNOWN:
                order.settles_ns = now_ns + TELLING_NS
            if ahead == UNKNOWN or order.number in self._newcomers:
                # What has gone since the last telling may have done so before it came.
                order.ahead, order.anticipated = moved, self._vanished
                continue
            if shares:
                steps = (ahead * size / base / lot).to_integral_value(ROUND_CEILING)
                moved = min(moved, steps * lot)
            if gone > 0:
                order.anticipated += min(ahead - moved, gone)
            order.ahead = moved
        self._newcomers.clear()

    def _lost(self, size: Decimal, now_ns: int) -> Decimal:
        """Return the most that those lose who may know better than the level.

        They joined behind another size than it was told, or so lately that it takes a
        trade which was in their size for one that came after it.
        """
        return max(
            (
                order.ahead - size
                for order in self.orders.values()
                if order.ahead != UNKNOWN
                and (order.number in self._newcomers or now_ns <= order.settles_ns)
            ),
            default=ZERO,
        )

    def _forget(self, now_ns: int) -> None:
        """End the time in which a trade may explain what has vanished."""
        if self._vanished and now_ns - self._vanished_ns > TELLING_NS:
            self._vanished = ZERO
            for order in self.orders.values():
                order.anticipated = ZERO

    def digest(self) -> tuple[object, ...]:
        """Return the queue in plain values, first to trade first."""
        return (
            str(self.price),
            (self.told, self.stamp),
            (str(self.shown), str(self._traded), str(self._vanished)),
            self._vanished_ns,
            [order.digest() for order in self.orders.values()],
            # Only where there are any, as nearly always there are none.
            *([number] for number in self.orders if number in self._newcomers),
        )
