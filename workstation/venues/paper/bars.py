"""Fills where only bars exist: at the open, at a gap, in the range.

A bar is matched before the core sees it: what was there before it opened fills in it,
and a stop that it wakes up, here or where it was held, is filled within it. No latency,
no queue: a bar knows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from workstation.model.instruments import Instrument, Side
from workstation.model.market import Bar
from workstation.model.orders import Order, OrderType, TimeInForce
from workstation.venues.matching import MatchingEngine, Working
from workstation.venues.paper import prices

__all__ = ["BarFills", "Precedes"]

_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
Precedes = Callable[[str, Side, Decimal, Bar], bool]
"""Tells whether a bar meets what its owner holds before an order of it at a price.

It is asked with owner, side and price of the order. What is held elsewhere, and met
before, ends the order; so it is not filled.
"""


class BarFills:
    """Fills the engine's orders from bars; ``orders`` are the same ones as sent."""

    def __init__(
        self,
        spread_bps: float,
        instruments: Mapping[str, Instrument],
        engine: MatchingEngine,
        orders: Mapping[str, Order],
    ) -> None:
        self.precedes: Precedes = _nothing_precedes
        self._spread = spread_bps
        self._instruments = instruments
        self._engine = engine
        self._orders = orders
        # The last bar of each instrument, and when it came.
        self._bars: dict[str, tuple[int, Bar]] = {}
        # When each order came, by instrument and id.
        self._since: dict[str, dict[str, int]] = {}
        # Numbers of orders that have seen an open, by instrument; one that was changed
        # and lost its place has a new number and starts anew.
        self._rested: dict[str, set[int]] = {}

    def bar(self, instrument: str, now_ns: int) -> Bar | None:
        """Return the bar that is being handled now and may still release orders."""
        came_ns, bar = self._bars.get(instrument, (None, None))
        return bar if came_ns == now_ns else None

    def came(self, order: Order, now_ns: int) -> None:
        """Note when an order came: it fills in no bar that opened before.

        What comes with a bar comes at its close, however late that bar was told.
        """
        last = self.bar(order.instrument, now_ns)
        came_ns = now_ns if last is None else min(last.ts_close, now_ns)
        self._since.setdefault(order.instrument, {})[order.id] = came_ns

    def leave(self, instrument: str) -> None:
        """Let go of an instrument that has ticks from now on.

        What was for the next open has missed it; the others go on with the ticks.
        """
        for order_id in self._since.pop(instrument, ()):
            order = self._orders.get(order_id)
            if order is not None and order.time_in_force in _AT_ONCE:
                self._engine.end(order_id, "ticks came before the next open")

    def lapse_ns(self, instrument: str, expires_ns: int) -> int:
        """Return when an order is over for sure whose time ends at ``expires_ns``.

        The bar in which that is comes at its close; one of that length has ended then.
        """
        last = self._bars.get(instrument)
        return expires_ns + (last[1].ts_close - last[1].ts_open if last else 0)

    def see(self, bar: Bar, now_ns: int) -> None:
        """Fill what the bar reaches: first at its open, then stops before exits."""
        name, engine = bar.instrument, self._engine
        self._bars[name] = now_ns, bar
        book = engine.book(name)
        resting = [each for each in book.in_turn() if self._is_there(each, bar)]
        stops = [each for each in book.stops.values() if self._is_there(each, bar)]
        rested = self._rested.get(name, set())
        self._rested[name] = {each.number for each in resting}
        stopped: set[tuple[str, Side]] = set()
        for each in resting:
            self._open(each, bar, each.number not in rested)
        for each in stops:
            self._wake(each, bar, stopped, prices.gaps_beyond_trigger)
        # What adds to a position before its stop, what closes it after: against us.
        for each in resting:
            if not each.terms.reduce_only:
                self._reach(each, bar, stopped)
        for each in stops:
            if self._lasts(each, bar):
                self._wake(each, bar, stopped, prices.reaches_trigger)
        for each in resting:
            if each.terms.reduce_only:
                self._reach(each, bar, stopped)
        self._end_by(bar)

    def released(self, order: Order, now_ns: int) -> None:
        """Fill a stop or target that the bar being handled has released."""
        bar = self.bar(order.instrument, now_ns)
        if order.trigger is None or bar is None:
            return
        instrument = self._instruments[order.instrument]
        found = prices.stop_in_bar(instrument, order, bar, self._spread)
        working = self._engine.orders[order.id]
        at_once = order.time_in_force in _AT_ONCE
        if found is None or (found[1] and (at_once or not self._lasts(working, bar))):
            # It rests as from now; at once means the moment of its trigger.
            self._rested.setdefault(order.instrument, set()).add(working.number)
            if at_once:
                self._engine.end(order.id, "not at its trigger")
            return
        price, rested = found
        self._engine.fill(order.id, working.left, price, maker=rested)

    def _is_there(self, working: Working, bar: Bar) -> bool:
        """Tell whether an order came before a bar opened, and was good then."""
        order = self._orders[working.terms.id]
        came_ns = self._since.get(bar.instrument, {}).get(order.id, 0)
        good = order.expires_ns is None or order.expires_ns > bar.ts_open
        return good and came_ns <= bar.ts_open

    def _lasts(self, working: Working, bar: Bar) -> bool:
        """Tell whether an order is still there and good until the bar has closed."""
        order = self._orders.get(working.terms.id)
        if order is None:
            # It was filled in this bar, or a fill has ended it.
            return False
        return order.expires_ns is None or order.expires_ns >= bar.ts_close

    def _open(self, working: Working, bar: Bar, first: bool) -> None:
        """Fill an order at the open; ``first`` where it has seen none before."""
        order = self._orders.get(working.terms.id)
        if order is None:
            return
        instrument, own = self._instruments[order.instrument], order.price
        opened = prices.with_spread(instrument, bar.open, order.side, self._spread)
        if order.type is OrderType.MARKET or own is None:
            self._engine.fill(order.id, working.left, opened, maker=False)
            return
        if first:
            if prices.crosses(own, opened, order.side):
                if order.post_only:
                    reason = "post_only: it would take at the open"
                    self._engine.end(order.id, reason)
                else:
                    self._engine.fill(order.id, working.left, opened, maker=False)
                return
            if order.time_in_force in _AT_ONCE:
                # Immediate means the next open here, not somewhere in the bar.
                self._engine.end(order.id, "not at the open")
                return
        reached = prices.limit_at_open(instrument, order, bar)
        if reached is not None:
            # At its first open nothing can have jumped over it.
            price = own if first else reached
            self._engine.fill(order.id, working.left, price, maker=True)

    def _reach(
        self, working: Working, bar: Bar, stopped: set[tuple[str, Side]]
    ) -> None:
        """Fill a limit order that the range reaches before anything ends it."""
        if not self._lasts(working, bar):
            return
        order = self._orders[working.terms.id]
        reached = prices.limit_in_bar(self._instruments[order.instrument], order, bar)
        if reached is None or self.precedes(order.owner, order.side, reached, bar):
            return
        if order.reduce_only and (order.owner, order.side) in stopped:
            # What the stop has left to close is not known here.
            return
        self._engine.fill(order.id, working.left, reached, maker=True)

    def _wake(
        self,
        working: Working,
        bar: Bar,
        stopped: set[tuple[str, Side]],
        is_met: Callable[[Order, Bar], bool],
    ) -> None:
        """Wake up a stop that is kept here, if it still waits and is met."""
        order = self._orders.get(working.terms.id)
        if order is None or not order.is_untriggered or not is_met(order, bar):
            return
        if order.reduce_only:
            stopped.add((order.owner, order.side))
        self._engine.wake(order.id)
        self.released(self._orders[order.id], self._bars[bar.instrument][0])

    def _end_by(self, bar: Bar) -> None:
        """End the orders whose time was over at its close; forget who is gone."""
        since = self._since.get(bar.instrument, {})
        for order_id in [*since]:
            order = self._orders.get(order_id)
            if order is None:
                del since[order_id]
            elif order.expires_ns is not None and order.expires_ns <= bar.ts_close:
                self._engine.end(order_id, "good till date")

    def digest(self) -> object:
        """Return in plain values which orders have seen an open, and who came when."""
        return (
            [(name, sorted(rested)) for name, rested in self._rested.items()],
            [(name, [*since.items()]) for name, since in self._since.items()],
        )


def _nothing_precedes(owner: str, side: Side, price: Decimal, bar: Bar) -> bool:
    return False
