"""What the broker reports: each report moves an order, each fill is booked once.

The Executor registers its handlers; it hears of fills and ends through callbacks.
A report that the table does not allow is an alarm and changes nothing; one that was
overtaken, or comes again, changes nothing either. What the venue says it filled and
what is booked must agree before an order ends: until then it is Unknown, and asked
about.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from workstation.execution import order_machine
from workstation.execution.desk import OrderDesk
from workstation.execution.tracked import Ending, Tracked
from workstation.model.errors import IllegalTransition
from workstation.model.orders import (
    TERMINAL,
    Fill,
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
)
from workstation.model.ports import Core
from workstation.model.reports import (
    CancelRejected,
    ExternalOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderReport,
    OrderStatusReport,
    OrderTriggered,
    ReplaceRejected,
    ReportsLost,
)

__all__ = ["EXTERNAL", "Reports"]

EXTERNAL = "external"
"""Owner of orders that were not made here, and of what they fill."""

S = OrderStatus
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_ACCEPT = OrderEvent.ACCEPT
_CANCEL = OrderEvent.CANCEL
_DOUBT = OrderEvent.DOUBT
_EXPIRE = OrderEvent.EXPIRE
_REJECT = OrderEvent.REJECT
_REJECT_CANCEL = OrderEvent.REJECT_CANCEL
_REJECT_REPLACE = OrderEvent.REJECT_REPLACE
_REPLACE = OrderEvent.REPLACE
_TRIGGER = OrderEvent.TRIGGER
_UNKNOWN, _SUBMITTED = S.UNKNOWN, S.SUBMITTED
_PENDING_REPLACE = S.PENDING_REPLACE
# What leaves an order as it is, and can say that the venue has it.
_SIGHTED = {
    _UNKNOWN: _DOUBT,
    _PENDING_REPLACE: _ACCEPT,
    S.PENDING_CANCEL: _ACCEPT,
}
_NEVER_SENT = (S.INITIALIZED, S.DENIED, S.HELD)
_LEAVING = (S.PENDING_CANCEL, S.UNKNOWN)
_OPEN = (S.ACCEPTED, S.PARTIALLY_FILLED)
_LATE = (S.CANCELED, S.EXPIRED, S.REJECTED)
_SETTLED_BY_OPEN = (_UNKNOWN, _SUBMITTED, *_OPEN)
# Kinds of which the venue may say the same again; fills have ids instead.
_REPEATABLE = frozenset(
    {
        OrderAccepted,
        OrderRejected,
        OrderCanceled,
        CancelRejected,
        OrderExpired,
        OrderReplaced,
        OrderTriggered,
        ReplaceRejected,
    }
)
# What shows that an inferred end was wrong, unless it is that very end.
_SHOWS = (_ACCEPT, _CANCEL, _EXPIRE, _REJECT, _REPLACE)
_CONFIRMS = {_CANCEL: S.CANCELED, _REJECT: S.REJECTED}
# Unknown ids that are asked about, so that nonsense from outside stays bounded.
MOST_ASKED = 1_000
MOST_ANSWERS = 10
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
        instruments: Container[str],
        absent_after_ns: int,
    ) -> None:
        self.duplicates = 0
        self._desk = desk
        self._booked = booked
        self._ended = ended
        self._stays = stays
        self._instruments = instruments
        self._absent_after_ns = absent_after_ns
        self._strangers: dict[str, int] = {}
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
            OrderCanceled: partial(self._on_end, _CANCEL, "cancel"),
            CancelRejected: self._on_cancel_rejected,
            OrderExpired: partial(self._on_end, _EXPIRE, "expiry"),
            OrderReplaced: self._on_replaced,
            ReplaceRejected: self._on_replace_rejected,
            OrderTriggered: self._on_triggered,
            OrderStatusReport: self._on_status,
            ExternalOrder: self._on_external,
            ReportsLost: self._on_reports_lost,
        }

    # Which order, and whether it is news.

    def _find(self, report: OrderReport, what: str) -> Tracked | None:
        """Return the order a report is about, None where there is none or no news."""
        order_id = report.order_id
        tracked = self._desk.orders.get(order_id)
        if tracked is None:
            self._desk.alarm("", f"{what} for {order_id}, which is not known here")
            self._wonder(report)
            return None
        tracked.heard_ns = self._core.ts
        ts = report.ts_event
        if type(report) in _REPEATABLE and ts is not None:
            newest = tracked.newest
            if newest is None:
                newest = tracked.newest = {}
            last = newest.get(type(report))
            if last is not None and (report == last or ts < (last.ts_event or 0)):
                self.duplicates += 1
                return None
            newest[type(report)] = report
        if ts is not None and ts > tracked.evidence_ns:
            tracked.evidence_ns = ts
        return tracked

    def _wonder(self, report: OrderReport) -> None:
        """Ask about an order that nobody knows: it may be made at the venue by hand."""
        order_id, strangers = report.order_id, self._strangers
        if order_id not in strangers:
            if len(strangers) < MOST_ASKED:
                strangers[order_id] = 0
                self._desk.queries.ask(order_id)
        elif type(report) is OrderStatusReport:
            # It is not described as made elsewhere, or that description was lost.
            strangers[order_id] += 1
            if report.status is None or strangers[order_id] >= MOST_ANSWERS:
                self._desk.queries.stop(order_id)

    def _answers(self, tracked: Tracked, waited: OrderStatus) -> bool:
        """Tell whether an answer ends the doubt about an order; else ask again.

        An acknowledgement answers a submit, not a cancel that nobody confirmed.
        """
        if tracked.order.status is not _UNKNOWN or tracked.lost is waited:
            return True
        self._desk.queries.ask(tracked.order.id, now=True)
        return False

    def _report(
        self,
        tracked: Tracked,
        event: OrderEvent,
        *,
        venue_id: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        trigger: Decimal | None = None,
        inferred: bool = False,
        reason: str = "",
    ) -> None:
        order = tracked.order
        was = order.status
        try:
            if order.inferred and _CONFIRMS.get(event) is not was and event in _SHOWS:
                self._desk.doubt(tracked, f"the venue says {event.value} after all")
            self._desk.move(
                tracked,
                event,
                venue_id=venue_id,
                quantity=quantity,
                price=price,
                trigger=trigger,
                inferred=inferred,
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

    # Answers to requests.

    def _on_accepted(self, report: OrderAccepted) -> None:
        tracked = self._find(report, "acknowledgement")
        if tracked is None:
            return
        first, tracked.seen = not tracked.seen, True
        # An old one, come again, does not tell what became of the order since.
        news = first or tracked.order.status is not _UNKNOWN
        if news and self._answers(tracked, _SUBMITTED):
            self._report(tracked, _ACCEPT, venue_id=report.venue_id)
        elif first:
            self._sight(tracked, report.venue_id)

    def _sight(self, tracked: Tracked, venue_id: str | None) -> None:
        """Put on record that the venue has had an order whose fate is open.

        The next run would else take its word, once it knows the order no more, for
        the word of one that never had it.
        """
        order = tracked.order
        event = _SIGHTED.get(order.status)
        if event is not None and order.venue_id is None:
            reason = "the venue has had it"
            self._desk.move(tracked, event, venue_id=venue_id or "", reason=reason)

    def _on_rejected(self, report: OrderRejected) -> None:
        tracked = self._find(report, "rejection")
        if tracked is not None:
            self._report(tracked, _REJECT, reason=report.reason)

    def _on_end(
        self, event: OrderEvent, what: str, report: OrderCanceled | OrderExpired
    ) -> None:
        tracked = self._find(report, what)
        if tracked is not None:
            tracked.seen = True
            self._end(tracked, event, report.filled, report.reason)

    def _end(
        self,
        tracked: Tracked,
        event: OrderEvent,
        filled: Decimal | None,
        reason: str,
    ) -> None:
        """End an order, unless the venue filled more of it than is booked."""
        if filled is not None and filled > tracked.order.filled:
            tracked.ending = Ending(event, filled, reason)
            self._missing(tracked, filled)
        elif tracked.order.status not in TERMINAL or tracked.order.inferred:
            self._report(tracked, event, reason=reason)

    def _missing(self, tracked: Tracked, filled: Decimal) -> None:
        """Fetch fills that the venue has told of by their sum alone."""
        order = tracked.order
        text = (
            f"the venue filled {filled}, booked are {order.filled}; "
            f"{filled - order.filled} missing"
        )
        if filled != tracked.told:
            # Once, not at every try to fetch them.
            tracked.told = filled
            self._desk.alarm(order.instrument, f"order {order.id}: {text}", "status")
        self._desk.doubt(tracked, text)
        self._sight(tracked, None)

    def _on_cancel_rejected(self, report: CancelRejected) -> None:
        tracked = self._find(report, "refused cancel")
        if tracked is None:
            return
        self._report(tracked, _REJECT_CANCEL, reason=report.reason)
        if tracked.order.status not in TERMINAL or tracked.order.inferred:
            # Mostly the order is over, and that was lost or is on its way.
            self._desk.queries.ask(tracked.order.id, now=True)

    def _on_replaced(self, report: OrderReplaced) -> None:
        tracked = self._find(report, "replacement")
        if tracked is None:
            return
        ts = report.ts_event
        if ts is not None:
            if ts <= tracked.shape_ns:
                # A status has told of it before.
                self.duplicates += 1
                return
            tracked.shape_ns = ts
        tracked.seen = True
        self._desk.orders.reshaped(tracked)
        if self._answers(tracked, _PENDING_REPLACE):
            self._report(
                tracked,
                _REPLACE,
                quantity=report.quantity,
                price=report.price,
                trigger=report.trigger,
            )

    def _on_replace_rejected(self, report: ReplaceRejected) -> None:
        tracked = self._find(report, "refused replacement")
        if tracked is not None and self._answers(tracked, _PENDING_REPLACE):
            self._desk.orders.reshaped(tracked)
            self._report(tracked, _REJECT_REPLACE, reason=report.reason)

    def _on_triggered(self, report: OrderTriggered) -> None:
        tracked = self._find(report, "trigger")
        if tracked is not None:
            tracked.seen = True
            self._wake(tracked)

    def _wake(self, tracked: Tracked) -> None:
        """Take a stop for what it has become; one that is awake has said so before."""
        order = tracked.order
        if order.trigger is None or not order.is_untriggered:
            return
        tracked.worth = order.trigger
        self._report(tracked, _TRIGGER, reason=f"trigger {order.trigger} was met")

    # Answers to questions.

    def _on_status(self, report: OrderStatusReport) -> None:
        """Settle by what the venue says, and keep that it has said something."""
        self._settle(report)
        tracked = self._desk.orders.get(report.order_id)
        if tracked is not None and report.status is not None:
            self._sight(tracked, report.venue_id)

    def _settle(self, report: OrderStatusReport) -> None:
        """Settle by what the venue says, unless it is older than what is known."""
        told_ns = report.ts_event
        known = self._desk.orders.get(report.order_id)
        if known is not None and told_ns is not None and told_ns < known.evidence_ns:
            known.seen = known.seen or report.status is not None
            self.duplicates += 1
            return
        tracked = self._find(report, "status")
        if tracked is None or tracked.order.status in _NEVER_SENT:
            return
        order = tracked.order
        asked_ns = self._core.ts if report.asked_ns is None else report.asked_ns
        if report.status is None:
            self._absent(tracked, asked_ns)
            return
        tracked.seen = True
        if report.triggered:
            self._wake(tracked)
            order = tracked.order
        if report.filled > order.filled:
            if report.status in _ENDS:
                tracked.ending = Ending(
                    _ENDS[report.status], report.filled, "by the venue's status"
                )
            self._missing(tracked, report.filled)
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
            self._end(tracked, event, report.filled, "by the venue's status")
        elif report.status is S.FILLED:
            if order.status is not S.FILLED:
                # All there will be is booked: it was for no more than that.
                self._report(
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
            self._report(tracked, _REJECT, inferred=True, reason=reason)

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
            self._report(
                tracked,
                _REPLACE,
                quantity=quantity,
                price=price,
                trigger=trigger,
                venue_id=venue_id,
                reason="by the venue's status",
            )
        elif order.status not in _OPEN:
            self._report(
                tracked, _ACCEPT, venue_id=venue_id, reason="by the venue's status"
            )
        self._desk.queries.stop(order.id)

    # Fills.

    def _on_filled(self, report: OrderFilledReport) -> None:
        tracked = self._find(report, "fill")
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
        tracked.seen = True
        tracked.trades[report.trade_id] = report.quantity
        note = tracked.reason
        if order.status in _LATE:
            inferred = "inferred " if order.inferred else ""
            note = f"late after {inferred}{order.status.value}"
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
        if over > 0 or (tracked.reshaping and tracked.order.status is S.FILLED):
            # More may have gone wrong; or it was enlarged, and is not over.
            self._desk.queries.ask(order.id)
        ending = tracked.ending
        if ending is not None and tracked.order.filled >= ending.filled:
            tracked.ending = None
            self._end(tracked, ending.event, ending.filled, ending.reason)
        elif tracked.order.inferred:
            self._desk.doubt(tracked, "it was filled after it was taken for over")

    # Orders made elsewhere, and losses.

    def _on_external(self, report: ExternalOrder) -> None:
        """Take an order made at the venue by hand; one of ours is only heard of."""
        if self._desk.orders.get(report.order_id) is not None:
            return
        if report.instrument not in self._instruments:
            self._desk.alarm(
                "",
                f"order {report.order_id} was made at the venue in "
                f"{report.instrument}, which is not in this run",
                "external",
            )
            return
        ts = self._core.ts
        order = Order(
            id=report.order_id,
            instrument=report.instrument,
            owner=EXTERNAL,
            role=OrderRole.MANUAL,
            side=report.side,
            type=report.order_type,
            quantity=report.quantity,
            price=report.price,
            trigger=report.trigger,
            created_ns=ts,
            updated_ns=ts,
            reason="made at the venue",
        )
        tracked = self._desk.adopt(order)
        tracked.seen = True
        self._strangers.pop(report.order_id, None)
        self._report(tracked, _ACCEPT, venue_id=report.venue_id, reason=order.reason)
        # What it filled before it was heard of.
        self._desk.queries.ask(tracked.order.id)

    def _on_reports_lost(self, report: ReportsLost) -> None:
        self._desk.alarm("", f"reports may be lost: {report.reason}", "broker")
        self._desk.queries.reconnected()
