"""The venue's answers to questions about orders: what each settles.

The queries ask; an answer older than what is known settles nothing. ``Reports`` hands
them in.
"""

from __future__ import annotations

from workstation.execution.desk import OrderDesk
from workstation.execution.evidence import Evidence
from workstation.execution.tracked import Ending, Tracked
from workstation.model.orders import TERMINAL, OrderEvent, OrderStatus
from workstation.model.ports import Core
from workstation.model.reports import OrderStatusReport

__all__ = ["Statuses"]

S = OrderStatus
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_ACCEPT, _REJECT, _REPLACE = OrderEvent.ACCEPT, OrderEvent.REJECT, OrderEvent.REPLACE
_UNKNOWN, _SUBMITTED = S.UNKNOWN, S.SUBMITTED
_NEVER_SENT = (S.INITIALIZED, S.DENIED, S.HELD)
_OPEN = (S.ACCEPTED, S.PARTIALLY_FILLED)
_SETTLED_BY_OPEN = (_UNKNOWN, _SUBMITTED, *_OPEN)
_ENDS = {
    S.CANCELED: OrderEvent.CANCEL,
    S.EXPIRED: OrderEvent.EXPIRE,
    S.REJECTED: _REJECT,
}


class Statuses:
    """Settles orders by what the venue answers about them.

    An order that the venue does not know ``absent_after_ns`` after it was sent is taken
    for refused.
    """

    def __init__(
        self, desk: OrderDesk, evidence: Evidence, absent_after_ns: int
    ) -> None:
        self._desk = desk
        self._evidence = evidence
        self._absent_after_ns = absent_after_ns
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def on_status(self, report: OrderStatusReport) -> None:
        """Settle by what the venue says, and keep that it has said something."""
        self._settle(report)
        tracked = self._desk.orders.get(report.order_id)
        if tracked is not None and report.status is not None:
            self._evidence.sight(tracked, report.venue_id)

    def _settle(self, report: OrderStatusReport) -> None:
        """Settle by what the venue says, unless it is older than what is known."""
        told_ns = report.ts_event
        known = self._desk.orders.get(report.order_id)
        if known is not None and told_ns is not None and told_ns < known.evidence_ns:
            known.seen = known.seen or report.status is not None
            self._evidence.duplicates += 1
            return
        tracked = self._evidence.find(report, "status")
        if tracked is None or tracked.order.status in _NEVER_SENT:
            return
        order = tracked.order
        asked_ns = self._core.ts if report.asked_ns is None else report.asked_ns
        if report.status is None:
            self._absent(tracked, asked_ns)
            return
        tracked.seen = True
        if report.triggered:
            self._evidence.wake(tracked)
            order = tracked.order
        if report.filled > order.filled:
            if report.status in _ENDS:
                tracked.ending = Ending(
                    _ENDS[report.status], report.filled, "by the venue's status"
                )
            self._evidence.missing(tracked, report.filled)
            return
        if report.filled < order.filled and report.status is not S.REJECTED:
            # Fills are facts: this was true before the last of them.
            return
        works = order.filled if report.quantity is None else report.quantity
        if (
            order.status is S.FILLED
            and report.status is not S.FILLED
            and works > order.filled
        ):
            # It was enlarged, and that was not heard of.
            self._desk.doubt(tracked, f"the venue has it with {works}, which is more")
            if report.status in _ENDS:
                self._desk.move(tracked, _REPLACE, quantity=works)
            order = tracked.order
        if order.status in TERMINAL and not order.inferred:
            # It was asked about once more, and that is how it ended.
            self._desk.queries.stop(order.id)
        if report.status in _ENDS:
            event = _ENDS[report.status]
            self._evidence.end(tracked, event, report.filled, "by the venue's status")
        elif report.status is S.FILLED:
            if order.status is not S.FILLED:
                # All there will be is booked: it was for no more than that.
                self._evidence.move(
                    tracked,
                    _REPLACE,
                    quantity=order.filled,
                    reason="by the venue's status",
                )
        elif asked_ns >= tracked.spoken_ns:
            self._settle_open(tracked, report)

    def _absent(self, tracked: Tracked, asked_ns: int) -> None:
        """Take an order for refused that the venue has not heard of in time.

        One that it had is not refused: it stays as it is, Unknown at worst.
        """
        order = tracked.order
        if order.status in _OPEN or order.filled > order.quantity:
            self._desk.doubt(tracked, "the venue knows no such order any more")
        elif order.status in TERMINAL:
            self._desk.queries.stop(order.id)
        elif tracked.seen or order.filled or order.venue_id is not None:
            return
        elif order.status is _UNKNOWN and (
            asked_ns - tracked.sent_ns >= self._absent_after_ns
        ):
            reason = "the venue knows no such order"
            self._evidence.move(tracked, _REJECT, inferred=True, reason=reason)

    def _settle_open(self, tracked: Tracked, report: OrderStatusReport) -> None:
        order = tracked.order
        if order.status not in _SETTLED_BY_OPEN and not order.inferred:
            return
        quantity, price, trigger = report.quantity, report.price, report.trigger
        moved = (
            (quantity is not None and quantity != order.quantity)
            or (price is not None and price != order.price)
            or (trigger is not None and trigger != order.trigger)
        )
        if report.ts_event is not None:
            tracked.shape_ns = max(tracked.shape_ns, report.ts_event)
        self._desk.orders.reshaped(tracked)
        venue_id = report.venue_id
        if moved and order.status is not _SUBMITTED:
            self._evidence.move(
                tracked,
                _REPLACE,
                quantity=quantity,
                price=price,
                trigger=trigger,
                venue_id=venue_id,
                reason="by the venue's status",
            )
        elif order.status not in _OPEN:
            self._evidence.move(
                tracked, _ACCEPT, venue_id=venue_id, reason="by the venue's status"
            )
        self._desk.queries.stop(order.id)
