"""What the broker reports: each report moves an order, each fill is booked once.

The Executor registers its handlers; it hears of fills and ends through two callbacks.
A report that the table does not allow is an alarm and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from workstation.execution import order_machine
from workstation.execution.desk import OrderDesk
from workstation.execution.orders import Tracked
from workstation.model.errors import IllegalTransition
from workstation.model.orders import (
    TERMINAL,
    CancelRejected,
    Fill,
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderStatus,
    OrderStatusReport,
    ReplaceRejected,
)
from workstation.model.ports import Core

__all__ = ["Reports"]

S = OrderStatus
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_ACCEPT = OrderEvent.ACCEPT
_CANCEL = OrderEvent.CANCEL
_EXPIRE = OrderEvent.EXPIRE
_REJECT = OrderEvent.REJECT
_REJECT_CANCEL = OrderEvent.REJECT_CANCEL
_REJECT_REPLACE = OrderEvent.REJECT_REPLACE
_REPLACE = OrderEvent.REPLACE
_HELD, _UNKNOWN = S.HELD, S.UNKNOWN
_LEAVING = (S.PENDING_CANCEL, S.UNKNOWN)
_OPEN = (S.ACCEPTED, S.PARTIALLY_FILLED)
_LATE = (S.CANCELED, S.EXPIRED, S.REJECTED)
_ENDS = {
    S.CANCELED: _CANCEL,
    S.EXPIRED: _EXPIRE,
    S.REJECTED: _REJECT,
}


class Reports:
    """Takes reports; ``booked`` hears of each fill, ``ended`` of each final order.

    ``stays`` hears of an order that is open again after its cancel was under way.
    """

    def __init__(
        self,
        desk: OrderDesk,
        booked: Callable[[Tracked, Fill], None],
        ended: Callable[[Tracked], None],
        stays: Callable[[Tracked], None],
    ) -> None:
        self.duplicates = 0
        self._desk = desk
        self._booked = booked
        self._ended = ended
        self._stays = stays
        self._core: Core

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

    def _find(self, order_id: str, what: str) -> Tracked | None:
        tracked = self._desk.orders.get(order_id)
        if tracked is None:
            self._desk.alarm("", f"{what} for {order_id}, which is not known here")
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
        was = tracked.order.status
        try:
            self._desk.move(
                tracked,
                event,
                venue_id=venue_id,
                quantity=quantity,
                price=price,
                reason=reason,
            )
        except IllegalTransition as error:
            self._desk.alarm(tracked.order.instrument, str(error), "report")
            return
        self._tell(tracked, was)

    def _tell(self, tracked: Tracked, was: OrderStatus) -> None:
        now = tracked.order.status
        if now in TERMINAL:
            if was not in TERMINAL:
                self._ended(tracked)
        elif was in _LEAVING and now in _OPEN:
            self._stays(tracked)

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
            self._desk.query(tracked.order)

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
            self._desk.alarm(
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
            self._desk.alarm(
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
            self._desk.alarm(
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
        self._desk.move(
            tracked,
            event,
            quantity=report.quantity,
            price=report.price,
            reason=note if note != tracked.reason else "",
        )
        self._booked(tracked, fill)
        self._tell(tracked, order.status)
