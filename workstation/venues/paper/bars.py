"""Fills where only bars exist: at the open, in the range, at a gap.

A bar is matched before the core sees it: what was sent before it fills in it, and a
stop that it wakes up, here or where it was held, is filled within it. No latency, no
queue: a bar knows neither.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.model.instruments import Instrument
from workstation.model.market import Bar
from workstation.model.orders import Order, OrderType, TimeInForce
from workstation.venues.matching import MatchingEngine, Working
from workstation.venues.paper import prices

__all__ = ["BarFills"]

_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


class BarFills:
    """Fills the engine's orders from bars; ``orders`` are the same ones as sent."""

    def __init__(
        self,
        spread_bps: float,
        instruments: Mapping[str, Instrument],
        engine: MatchingEngine,
        orders: Mapping[str, Order],
    ) -> None:
        self._spread = spread_bps
        self._instruments = instruments
        self._engine = engine
        self._orders = orders
        self._bars: dict[str, Bar] = {}
        # Numbers of orders that have seen an open, by instrument; one that was changed
        # and lost its place has a new number and starts anew.
        self._rested: dict[str, set[int]] = {}

    def has(self, instrument: str) -> bool:
        """Tell whether a bar is being handled whose events may still release orders."""
        return instrument in self._bars

    def see(self, bar: Bar) -> None:
        """Fill what the bar reaches, market orders first."""
        name = bar.instrument
        self._bars[name] = bar
        there = self._engine.book(name).in_turn()
        rested = self._rested.get(name, set())
        self._rested[name] = {working.number for working in there}
        for working in there:
            order_id = working.terms.id
            # A fill may have ended another order.
            if order_id in self._engine.orders:
                first = working.number not in rested
                self._match(working, self._orders[order_id], bar, first)
        for working in [*self._engine.book(name).stops.values()]:
            order_id = working.terms.id
            if order_id in self._engine.orders and prices.reaches_trigger(
                self._orders[order_id], bar
            ):
                self._engine.wake(order_id)
                self.released(self._orders[order_id])

    def leave(self, instrument: str) -> None:
        """End the bar: what is released from now on belongs to the next."""
        self._bars.pop(instrument, None)

    def released(self, order: Order) -> None:
        """Fill a stop or target that the bar being handled has released."""
        bar = self._bars.get(order.instrument)
        if order.trigger is None or bar is None:
            return
        instrument = self._instruments[order.instrument]
        found = prices.stop_in_bar(instrument, order, bar, self._spread)
        working = self._engine.orders[order.id]
        if found is None or (found[1] and order.time_in_force in _AT_ONCE):
            # It rests as from now; at once means the moment of its trigger.
            self._rested.setdefault(order.instrument, set()).add(working.number)
            if order.time_in_force in _AT_ONCE:
                self._end(order, "not at its trigger")
            return
        price, rested = found
        self._engine.fill(order.id, working.left, price, maker=rested)

    def _match(self, working: Working, order: Order, bar: Bar, first: bool) -> None:
        instrument, own = self._instruments[order.instrument], order.price
        opened = prices.with_spread(instrument, bar.open, order.side, self._spread)
        if order.type is OrderType.MARKET or own is None:
            self._engine.fill(order.id, working.left, opened, maker=False)
            return
        if first:
            if prices.crosses(own, opened, order.side):
                if order.post_only:
                    self._end(order, "post_only: it would take at the open")
                else:
                    self._engine.fill(order.id, working.left, opened, maker=False)
                return
            if order.time_in_force in _AT_ONCE:
                # Immediate means the next open here, not somewhere in the bar.
                self._end(order, "not at the open")
                return
        reached = prices.limit_in_bar(instrument, order, bar)
        if reached is not None:
            # At its first open nothing can have jumped over it.
            price = own if first else reached
            self._engine.fill(order.id, working.left, price, maker=True)

    def _end(self, order: Order, reason: str) -> None:
        self._engine.end(order.id, reason)

    def digest(self) -> object:
        """Return in plain values which orders have seen an open."""
        return [(name, sorted(rested)) for name, rested in self._rested.items()]
