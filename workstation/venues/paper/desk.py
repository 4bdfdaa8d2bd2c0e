"""The desk of the paper venue: keeps the orders as sent and reports what happens.

It hears every event of the matching engine, books it on the account and makes the
report of it that a venue would send. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from workstation.model.instruments import Instrument, Side
from workstation.model.orders import Order
from workstation.model.ports import Edge
from workstation.model.reports import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderTriggered,
    ReplaceRejected,
    Report,
)
from workstation.venues.matching import events as told
from workstation.venues.paper.account import Account
from workstation.venues.paper.latency import Latency

__all__ = ["Desk"]


class Desk:
    """Working orders by id, and how many each instrument has.

    ``busy`` has no entry for an instrument without orders, so an event there costs one
    look. ``arriving`` is the order that the engine is being asked to take.
    """

    edge: Edge
    arriving: Order

    def __init__(
        self,
        name: str,
        instruments: Mapping[str, Instrument],
        account: Account,
        latency: Latency,
        is_instant: Callable[[str], bool],
    ) -> None:
        self.orders: dict[str, Order] = {}
        self.busy: dict[str, int] = {}
        self.fills = 0
        self._name = name
        self._instruments = instruments
        self._account = account
        self._latency = latency
        self._is_instant = is_instant
        self._handlers: dict[type, Callable[[Any], None]] = {
            told.Accepted: self._on_accepted,
            told.Refused: self._on_refused,
            told.Executed: self._on_executed,
            told.Canceled: self._on_canceled,
            told.CancelRefused: self._on_cancel_refused,
            told.Expired: self._on_expired,
            told.Amended: self._on_amended,
            told.AmendRefused: self._on_amend_refused,
            told.Triggered: self._on_triggered,
        }

    def where(self, order_id: str) -> str:
        """Return the instrument of a working order, else nothing."""
        order = self.orders.get(order_id)
        return order.instrument if order is not None else ""

    def hear(self, event: told.MatchingEvent) -> None:
        """Take what the matching engine tells."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def report(self, order_id: str, report: Report, where: str | None = None) -> None:
        """Send a report on its way; ``where`` is its instrument, if it is gone."""
        ts = self.edge.ts
        if not self._is_instant(self.where(order_id) if where is None else where):
            ts = self._latency.report(order_id, ts)
        self.edge.report(ts, report)

    def _on_accepted(self, event: told.Accepted) -> None:
        order = self.arriving
        self.orders[order.id] = order
        name = order.instrument
        self.busy[name] = self.busy.get(name, 0) + 1
        venue_id = f"{self._name}-{event.number}"
        self.report(order.id, OrderAccepted(order.id, venue_id, self.edge.ts))

    def _on_refused(self, event: told.Refused) -> None:
        report = OrderRejected(event.order_id, event.reason, self.edge.ts)
        self.report(event.order_id, report, self.arriving.instrument)

    def _on_executed(self, event: told.Executed) -> None:
        for party, side in ((event.buyer, Side.BUY), (event.seller, Side.SELL)):
            if party.order_id:
                self._filled(event, party, side)

    def _filled(self, event: told.Executed, party: told.Party, side: Side) -> None:
        self.fills += 1
        price, quantity = event.price, event.quantity
        fee = self._account.settle(
            event.instrument, side, quantity, price, maker=party.maker
        )
        order = self.orders[party.order_id]
        self.report(
            order.id,
            OrderFilledReport(
                order_id=order.id,
                trade_id=f"{self._name}-t{self.fills}",
                quantity=quantity,
                price=price,
                fee=fee,
                fee_currency=self._instruments[event.instrument].quote,
                maker=party.maker,
                ts_event=self.edge.ts,
            ),
        )
        if party.is_done:
            self._gone(order.id)

    def _on_canceled(self, event: told.Canceled) -> None:
        report = OrderCanceled(event.order_id, event.reason, self.edge.ts)
        self.report(event.order_id, report)
        self._gone(event.order_id)

    def _on_cancel_refused(self, event: told.CancelRefused) -> None:
        report = CancelRejected(event.order_id, event.reason, self.edge.ts)
        self.report(event.order_id, report)

    def _on_expired(self, event: told.Expired) -> None:
        report = OrderExpired(event.order_id, event.reason, self.edge.ts)
        self.report(event.order_id, report)
        self._gone(event.order_id)

    def _on_amended(self, event: told.Amended) -> None:
        order = self.orders[event.order_id]
        quantity, price = event.quantity, event.price
        trigger = event.trigger
        changed = replace(order, quantity=quantity, price=price)
        if trigger is not None:
            changed = replace(changed, trigger=trigger)
        self.orders[order.id] = changed
        ts = self.edge.ts
        self.report(order.id, OrderReplaced(order.id, quantity, price, ts, trigger))

    def _on_triggered(self, event: told.Triggered) -> None:
        order = self.orders[event.order_id]
        self.orders[order.id] = order.woken()
        self.report(order.id, OrderTriggered(order.id, self.edge.ts))

    def _on_amend_refused(self, event: told.AmendRefused) -> None:
        report = ReplaceRejected(event.order_id, event.reason, self.edge.ts)
        self.report(event.order_id, report)

    def _gone(self, order_id: str) -> None:
        """Forget an order that is final; the engine keeps its fate."""
        name = self.orders.pop(order_id).instrument
        left = self.busy[name] - 1
        if left:
            self.busy[name] = left
        else:
            del self.busy[name]
