"""The order desk: creates, sends, holds, cancels and times out orders.

Every move of every order is made here, through the table, and recorded, published
and emitted. The Executor tells it what to do and hears of fills and ends; it never
decides, and it alone talks to the broker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from workstation.execution import order_machine
from workstation.execution.orders import Orders, Tracked, Transition
from workstation.execution.risk import Denial
from workstation.execution.settings import OrderSettings
from workstation.model.errors import IllegalTransition
from workstation.model.events import (
    OrderCanceledEvent,
    OrderCreated,
    OrderDenied,
    OrderStuck,
    OrderUpdated,
)
from workstation.model.instruments import Side
from workstation.model.orders import (
    TERMINAL,
    CancelOrder,
    CancelRejected,
    Fill,
    Order,
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderRole,
    OrderStatus,
    OrderStatusReport,
    OrderType,
    QueryOrder,
    ReplaceOrder,
    ReplaceRejected,
    SubmitOrder,
    TimeInForce,
)
from workstation.model.ports import Core
from workstation.model.records import DenyRecord, FaultRecord, OrderRecord
from workstation.model.signals import Signal
from workstation.model.timeframes import NS_PER_MS

__all__ = ["OrderDesk"]

S = OrderStatus
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_ACCEPT = OrderEvent.ACCEPT
_CANCEL = OrderEvent.CANCEL
_DENY = OrderEvent.DENY
_EXPIRE = OrderEvent.EXPIRE
_HOLD = OrderEvent.HOLD
_REJECT = OrderEvent.REJECT
_REJECT_CANCEL = OrderEvent.REJECT_CANCEL
_REJECT_REPLACE = OrderEvent.REJECT_REPLACE
_REPLACE = OrderEvent.REPLACE
_REQUEST_CANCEL = OrderEvent.REQUEST_CANCEL
_REQUEST_REPLACE = OrderEvent.REQUEST_REPLACE
_SUBMIT = OrderEvent.SUBMIT
_TIME_OUT = OrderEvent.TIME_OUT
_HELD, _CANCELED, _UNKNOWN = S.HELD, S.CANCELED, S.UNKNOWN
_MARKET, _GTC = OrderType.MARKET, TimeInForce.GTC
_LATE = (S.CANCELED, S.EXPIRED, S.REJECTED)
_REPLACEABLE = (S.ACCEPTED, S.PARTIALLY_FILLED)


class OrderDesk:
    """Moves orders; ``booked`` hears of each fill, ``ended`` of each final order."""

    def __init__(
        self,
        name: str,
        settings: OrderSettings,
        booked: Callable[[Tracked, OrderEvent, Fill], None],
        ended: Callable[[Tracked], None],
    ) -> None:
        self.name = name
        self.orders = Orders(settings.keep_closed)
        self.duplicates = 0
        self._booked = booked
        self._ended = ended
        self._core: Core
        cancel_ns = settings.cancel_timeout_ms * NS_PER_MS
        self._patience_ns = {
            S.SUBMITTED: settings.create_timeout_ms * NS_PER_MS,
            S.PENDING_CANCEL: cancel_ns,
            S.PENDING_REPLACE: cancel_ns,
        }

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        """Return the handler of each kind of report."""
        return {
            OrderAccepted: self._on_accepted,
            OrderRejected: self._on_rejected,
            OrderFilledReport: self._on_filled,
            OrderCanceled: self._on_canceled,
            CancelRejected: self._on_cancel_rejected,
            OrderExpired: self._on_expired,
            OrderReplaced: self._on_replaced,
            ReplaceRejected: self._on_replace_rejected,
            OrderStatusReport: self._on_status,
        }

    # What the Executor asks for.

    def draft(
        self,
        owner: str,
        instrument: str,
        role: OrderRole,
        side: Side,
        quantity: Decimal,
        *,
        order_type: OrderType = _MARKET,
        price: Decimal | None = None,
        trigger: Decimal | None = None,
        time_in_force: TimeInForce = _GTC,
        reduce_only: bool = False,
        reason: str = "",
    ) -> Order:
        """Return an order with the next id, not registered yet."""
        ts = self._core.ts
        return Order(
            id=f"o-{self.orders.made + 1}",
            instrument=instrument,
            owner=owner,
            role=role,
            side=side,
            type=order_type,
            quantity=quantity,
            price=price,
            trigger=trigger,
            time_in_force=time_in_force,
            reduce_only=reduce_only,
            created_ns=ts,
            updated_ns=ts,
            reason=reason,
        )

    def send(self, order: Order, intent: Signal | None = None) -> Tracked:
        """Register a draft and send it to the broker."""
        tracked = Tracked(order, intent)
        self.orders.add(tracked)
        self._move(tracked, _SUBMIT)
        self._core.publish(OrderCreated(tracked.order, self._core.ts))
        self._core.request(SubmitOrder(tracked.order))
        return tracked

    def hold(self, order: Order) -> Tracked:
        """Register a draft and keep it here until its trigger."""
        tracked = Tracked(order)
        self.orders.add(tracked)
        self._move(tracked, _HOLD)
        self._core.publish(OrderCreated(tracked.order, self._core.ts))
        return tracked

    def release(self, tracked: Tracked, quantity: Decimal, reason: str) -> None:
        """Send a held order to the broker as a market order, its trigger kept."""
        self._move(
            tracked,
            _SUBMIT,
            quantity=quantity,
            order_type=_MARKET,
            reason=reason,
        )
        self._core.request(SubmitOrder(tracked.order))

    def adjust(
        self, tracked: Tracked, quantity: Decimal, trigger: Decimal, reason: str
    ) -> None:
        """Give a held order another quantity or trigger."""
        self._move(tracked, _REPLACE, quantity=quantity, trigger=trigger, reason=reason)

    def cancel(self, tracked: Tracked, reason: str) -> bool:
        """Cancel an order; return False where that is under way or pointless."""
        status = tracked.order.status
        if status is _HELD:
            self._move(tracked, _CANCEL, reason=reason)
            return True
        if _REQUEST_CANCEL not in order_machine.TABLE[status]:
            return False
        self._move(tracked, _REQUEST_CANCEL, reason=reason)
        self._core.request(CancelOrder(tracked.order.id))
        return True

    def replace(
        self, tracked: Tracked, quantity: Decimal, price: Decimal | None
    ) -> bool:
        """Ask the venue for another quantity and price; False where it cannot be."""
        if tracked.order.status not in _REPLACEABLE:
            return False
        self._move(tracked, _REQUEST_REPLACE)
        self._core.request(ReplaceOrder(tracked.order.id, quantity, price))
        return True

    def deny(self, order: Order, denial: Denial) -> None:
        """Tell everybody that the risk stage refused an order."""
        core = self._core
        if order.status is _HELD:
            tracked = self.orders.get(order.id)
            if tracked is not None:
                self._move(tracked, _DENY, reason=denial.text)
        core.record(
            DenyRecord(
                seq=core.seq,
                ts=core.ts,
                owner=order.owner,
                instrument=order.instrument,
                role=order.role,
                code=denial.code,
                text=denial.text,
            )
        )
        event = OrderDenied(
            owner=order.owner,
            instrument=order.instrument,
            role=order.role,
            code=denial.code.value,
            text=denial.text,
            ts=core.ts,
        )
        core.publish(event)
        core.emit(event)

    def close_unknown(self, tracked: Tracked, reason: str) -> bool:
        """End an Unknown order on the operator's word; a late fill is still booked."""
        if tracked.order.status is not _UNKNOWN:
            return False
        self._move(tracked, _CANCEL, reason=reason)
        return True

    def alarm(self, instrument: str, error: str, where: str = "") -> None:
        """Record that something happened that should not."""
        core = self._core
        core.record(
            FaultRecord(
                seq=core.seq,
                ts=core.ts,
                task=self.name,
                instrument=instrument,
                error=error,
                where=where,
            )
        )

    # How every move is made.

    def _move(
        self,
        tracked: Tracked,
        event: OrderEvent,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        trigger: Decimal | None = None,
        order_type: OrderType | None = None,
        venue_id: str | None = None,
        reason: str = "",
    ) -> None:
        core = self._core
        ts = core.ts
        before = tracked.order
        after = order_machine.apply(
            before,
            event,
            ts,
            quantity=quantity,
            price=price,
            trigger=trigger,
            order_type=order_type,
            venue_id=venue_id,
            reason=reason,
        )
        self.orders.update(tracked, after)
        was, now = before.status, after.status
        tracked.remember(Transition(core.seq, ts, was, event, now, reason))
        if now is not was:
            if tracked.timer is not None:
                tracked.timer.cancel()
                tracked.timer = None
            patience = self._patience_ns.get(now)
            if patience is not None:
                tracked.timer = core.call_at(
                    ts + patience,
                    f"{self.name}.{after.id}.{tracked.moves}",
                    partial(self._timed_out, tracked),
                )
        core.record(OrderRecord(core.seq, ts, after, was, event, reason))
        updated = OrderUpdated(after, was, event, ts, reason)
        core.publish(updated)
        if event is _CANCEL and now is _CANCELED and was is not now:
            core.publish(OrderCanceledEvent(after, ts))
        core.emit(updated)

    def _timed_out(self, tracked: Tracked) -> None:
        tracked.timer = None
        core = self._core
        order = tracked.order
        stuck_in = order.status
        patience = self._patience_ns.get(stuck_in)
        if patience is None:
            return
        self._move(
            tracked,
            _TIME_OUT,
            reason=f"no answer for {patience / 1e9:g} s in {stuck_in.value}",
        )
        core.publish(OrderStuck(order.id, stuck_in, patience, core.ts))
        core.request(QueryOrder(order.id))

    # What the broker reports.

    def _find(self, order_id: str, what: str) -> Tracked | None:
        tracked = self.orders.get(order_id)
        if tracked is None:
            self.alarm("", f"{what} for order {order_id}, which is not known here")
        return tracked

    def _report(
        self,
        tracked: Tracked,
        event: OrderEvent,
        *,
        venue_id: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        reason: str = "",
    ) -> None:
        was_final = tracked.order.status in TERMINAL
        try:
            self._move(
                tracked,
                event,
                venue_id=venue_id,
                quantity=quantity,
                price=price,
                reason=reason,
            )
        except IllegalTransition as error:
            self.alarm(tracked.order.instrument, str(error), "report")
            return
        if not was_final and tracked.order.status in TERMINAL:
            self._ended(tracked)

    def _on_accepted(self, report: OrderAccepted) -> None:
        tracked = self._find(report.order_id, "acknowledgement")
        if tracked is not None:
            self._report(tracked, _ACCEPT, venue_id=report.venue_id)

    def _on_rejected(self, report: OrderRejected) -> None:
        tracked = self._find(report.order_id, "rejection")
        if tracked is not None:
            self._report(tracked, _REJECT, reason=report.reason)

    def _on_canceled(self, report: OrderCanceled) -> None:
        tracked = self._find(report.order_id, "cancel")
        if tracked is not None:
            self._report(tracked, _CANCEL, reason=report.reason)

    def _on_expired(self, report: OrderExpired) -> None:
        tracked = self._find(report.order_id, "expiry")
        if tracked is not None:
            self._report(tracked, _EXPIRE, reason=report.reason)

    def _on_cancel_rejected(self, report: CancelRejected) -> None:
        tracked = self._find(report.order_id, "refused cancel")
        if tracked is None:
            return
        self._report(tracked, _REJECT_CANCEL, reason=report.reason)
        if tracked.order.status is _UNKNOWN:
            self._core.request(QueryOrder(report.order_id))

    def _on_replaced(self, report: OrderReplaced) -> None:
        tracked = self._find(report.order_id, "replacement")
        if tracked is not None:
            self._report(
                tracked, _REPLACE, quantity=report.quantity, price=report.price
            )

    def _on_replace_rejected(self, report: ReplaceRejected) -> None:
        tracked = self._find(report.order_id, "refused replacement")
        if tracked is not None:
            self._report(tracked, _REJECT_REPLACE, reason=report.reason)

    def _on_status(self, report: OrderStatusReport) -> None:
        """Settle an Unknown order by what the venue says; ends count in any status."""
        tracked = self._find(report.order_id, "status")
        if tracked is None:
            return
        order = tracked.order
        if order.status in TERMINAL or order.status is _HELD:
            return
        missing = report.filled - order.filled
        if missing > 0:
            self.alarm(
                order.instrument,
                f"order {order.id}: the venue filled {report.filled}, booked are "
                f"{order.filled}; {missing} missing",
                "status",
            )
        if report.status is None:
            if order.status is _UNKNOWN:
                event = _CANCEL if order.filled else _REJECT
                self._report(tracked, event, reason="the venue knows no such order")
        elif report.status in _ENDS:
            self._report(tracked, _ENDS[report.status], reason="by the venue's status")
        elif order.status is _UNKNOWN and report.status is not S.FILLED:
            self._report(tracked, _ACCEPT, reason="by the venue's status")
        # FILLED without our having the fills stays Unknown until they come: a fill
        # without its price cannot be booked.

    def _on_filled(self, report: OrderFilledReport) -> None:
        tracked = self._find(report.order_id, "fill")
        if tracked is None:
            return
        if report.trade_id in tracked.trades:
            self.duplicates += 1
            return
        order = tracked.order
        event = order_machine.fill_event(order, report.quantity)
        if event not in order_machine.TABLE[order.status]:
            self.alarm(
                order.instrument,
                f"order {order.id}: fill {report.trade_id} of {report.quantity} in "
                f"{order.status.value}, which was never sent",
                "report",
            )
            return
        tracked.trades[report.trade_id] = report.quantity
        note = tracked.reason
        if order.status in _LATE:
            note = f"late after {order.status.value}"
        over = order.filled + report.quantity - order.quantity
        if over > 0:
            note = f"overfill by {over}"
            self.alarm(
                order.instrument,
                f"order {order.id}: {order.filled + report.quantity} filled of "
                f"{order.quantity}, {over} too much",
                "report",
            )
        fill = Fill(
            order_id=order.id,
            trade_id=report.trade_id,
            instrument=order.instrument,
            owner=order.owner,
            side=order.side,
            quantity=report.quantity,
            price=report.price,
            fee=report.fee,
            fee_currency=report.fee_currency,
            maker=report.maker,
            ts=self._core.ts,
            role=order.role,
            reason=note,
        )
        was_final = order.status in TERMINAL
        self._move(
            tracked,
            event,
            quantity=report.quantity,
            price=report.price,
            reason=note if note != tracked.reason else "",
        )
        self._booked(tracked, event, fill)
        if not was_final and tracked.order.status in TERMINAL:
            self._ended(tracked)


_ENDS = {
    S.CANCELED: _CANCEL,
    S.EXPIRED: _EXPIRE,
    S.REJECTED: _REJECT,
}
