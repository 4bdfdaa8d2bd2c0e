"""The watch over prices: held stops and targets, open trades, and what is due.

The Executor registers its handlers of market events. It shows and never decides: what
waits for a trigger fires, breakers climb, the ledger samples. Nearly always nothing is
held and nothing is due, and an event costs two looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workstation.execution.breakers import Breakers
from workstation.execution.ledger import Ledger
from workstation.execution.orders import Orders
from workstation.execution.triggers import Grown, Triggers
from workstation.model.events import OrderFilled
from workstation.model.instruments import Side, to_decimal
from workstation.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from workstation.model.orders import Fill
from workstation.model.ports import MarketView
from workstation.model.states import BookTrust

__all__ = ["PriceWatch"]

# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _SELL = Side.BUY, Side.SELL


class PriceWatch:
    """Shows market events to what waits for prices, and does what is due by then."""

    def __init__(
        self,
        market: MarketView,
        triggers: Triggers,
        ledger: Ledger,
        orders: Orders,
        breakers: Breakers,
    ) -> None:
        self._market = market
        self._triggers = triggers
        self._waiting = triggers.waiting
        self._ledger = ledger
        self._orders = orders
        self._breakers = breakers
        self.due_ns = 0
        """When the next day starts or the breakers are due: one look at each event."""
        # What was filled since the last bar, where only bars exist.
        self._filled: dict[str, list[Fill]] = {}

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return the handler of each type of market event."""
        return {
            Quote: self.on_quote,
            Trade: self.on_trade,
            Bar: self.on_bar,
            BookDelta: self.on_book,
            BookSnapshot: self.on_book,
            OrderFilled: self.on_fill,
        }

    def on_quote(self, event: Quote) -> None:
        """Show the held orders the best prices."""
        if event.ts_recv >= self.due_ns:
            self._fall_due(event.ts_recv)
        here = self._waiting.get(event.instrument)
        if here is not None:
            # The view, not the event: a late quote must not trigger anything.
            view = self._market.instrument(event.instrument)
            self._triggers.on_price(here, view.bid, view.ask, event.ts_recv)

    def on_trade(self, event: Trade) -> None:
        """Show them a trade where there are no best prices."""
        if event.ts_recv >= self.due_ns:
            self._fall_due(event.ts_recv)
        here = self._waiting.get(event.instrument)
        if here is not None:
            view = self._market.instrument(event.instrument)
            if not (view.bid > 0 or view.ask > 0):
                price = event.price
                self._triggers.on_price(here, price, price, event.ts_recv)

    def on_fill(self, event: OrderFilled) -> None:
        """Note a fill that the next bar may have made."""
        fill = event.fill
        if self._market.instrument(fill.instrument).bars_only:
            self._filled.setdefault(fill.instrument, []).append(fill)

    def on_bar(self, event: Bar) -> None:
        """Show them a bar where only bars exist."""
        if event.ts_recv >= self.due_ns:
            self._fall_due(event.ts_recv)
        name = event.instrument
        if not self._market.instrument(name).bars_only:
            return
        grown = self._grown(event) if name in self._filled else {}
        self._triggers.on_bar(event, grown)
        lives = self._ledger.lives.on(name)
        if not lives:
            return
        for owner, life in lives.items():
            side = _SELL if self._ledger.position(owner, name).quantity > 0 else _BUY
            if self._is_leaving(owner, name, side):
                # What a bar did after the stop or target in it is not the trade's.
                continue
            how = grown.get((owner, side))
            if how is None:
                life.see(event.low, event.high)
            elif how is Grown.LIMIT:
                # What is worse than the limit came after it, and so did the close.
                sells, close = side is _SELL, event.close
                life.see(*(event.low, close) if sells else (close, event.high))

    def _is_leaving(self, owner: str, instrument: str, side: Side) -> bool:
        """Tell whether a stop or target was met that closes a position."""
        for each in self._waiting.get(instrument, ()):
            if each.is_fired and each.owner == owner and each.side is side:
                return True
        return any(
            each.order.closes_now and each.order.trigger is not None
            for each in self._orders.row(owner, instrument)
        )

    def _grown(self, bar: Bar) -> dict[tuple[str, Side], Grown]:
        """Return which positions have grown in a bar's range, by their closing side."""
        grown: dict[tuple[str, Side], Grown] = {}
        for fill in self._filled.pop(bar.instrument):
            if fill.ts < bar.ts_recv:
                continue
            side, tracked = fill.side, self._orders.get(fill.order_id)
            trigger = None if tracked is None else tracked.order.trigger
            opened = to_decimal(bar.open)
            buys = side is _BUY
            key = (fill.owner, side.opposite)
            if trigger is not None and (trigger > opened if buys else trigger < opened):
                life = self._ledger.lives.get(fill.owner, bar.instrument)
                begins = life is not None and life.opened_ns >= bar.ts_recv
                grown.setdefault(key, Grown.TRIGGER if begins else Grown.LIMIT)
            elif fill.price < opened if buys else fill.price > opened:
                grown[key] = Grown.LIMIT
        return grown

    def on_book(self, event: BookDelta | BookSnapshot) -> None:
        """Show them the best prices of a trusted book."""
        if event.ts_recv >= self.due_ns:
            self._fall_due(event.ts_recv)
        here = self._waiting.get(event.instrument)
        if here is not None:
            view = self._market.instrument(event.instrument)
            book = view.book
            if book is not None and book.trust is BookTrust.TRUSTED:
                self._triggers.on_price(here, view.bid, view.ask, event.ts_recv)

    def _fall_due(self, ts: int) -> None:
        """Start the day, sample the equity, look at the breakers: whatever is due."""
        ledger, breakers = self._ledger, self._breakers
        equity = None
        if ts >= ledger.due_ns:
            begins, equity = ledger.wake(ts)
            if begins:
                breakers.wake()
        if ts >= breakers.due_ns:
            breakers.look(ts, equity)
        self.due_ns = min(ledger.due_ns, breakers.due_ns)

    def wake(self) -> None:
        """Have the breakers look with the next market event."""
        self._breakers.wake()
        self.due_ns = 0
