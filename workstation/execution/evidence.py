"""What a report proves of an order: whether it is news, and what it makes of it.

``Reports`` and ``Statuses`` take what the venue says; here is what they have in common.
A report that the table does not allow is an alarm and changes nothing. What the venue
says it filled and what is booked must agree before an order ends: until then it is
Unknown, and asked about.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from workstation.execution.desk import OrderDesk
from workstation.execution.tracked import Ending, Tracked
from workstation.model.errors import IllegalTransition
from workstation.model.orders import TERMINAL, OrderEvent, OrderStatus
from workstation.model.ports import Core
from workstation.model.reports import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderReport,
    OrderStatusReport,
    OrderTriggered,
    ReplaceRejected,
)

__all__ = ["Evidence"]

S = OrderStatus
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_ACCEPT = OrderEvent.ACCEPT
_CANCEL = OrderEvent.CANCEL
_DOUBT = OrderEvent.DOUBT
_EXPIRE = OrderEvent.EXPIRE
_REJECT = OrderEvent.REJECT
_REPLACE = OrderEvent.REPLACE
_TRIGGER = OrderEvent.TRIGGER
_UNKNOWN = S.UNKNOWN
# What leaves an order as it is, and can say that the venue has it.
_SIGHTED = {
    _UNKNOWN: _DOUBT,
    S.ACCEPTED: _ACCEPT,
    S.PARTIALLY_FILLED: _ACCEPT,
    S.PENDING_REPLACE: _ACCEPT,
    S.PENDING_CANCEL: _ACCEPT,
}
# Also one that was never acknowledged: its cancel may be refused all the same.
_OPEN = (S.SUBMITTED, S.ACCEPTED, S.PARTIALLY_FILLED)
_WORKING = (S.ACCEPTED, S.PARTIALLY_FILLED)
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


class Evidence:
    """Moves orders by what the venue says; ``ended`` hears of each final order.

    ``works`` hears of an order that is open where that was not known, or by another
    trigger or price than before, with the status it was in.
    """

    def __init__(
        self,
        desk: OrderDesk,
        ended: Callable[[Tracked], None],
        works: Callable[[Tracked, OrderStatus], None],
    ) -> None:
        self.duplicates = 0
        self._desk = desk
        self._ended = ended
        self._works = works
        self._strangers: dict[str, int] = {}
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    # Which order, and whether it is news.

    def find(self, report: OrderReport, what: str) -> Tracked | None:
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

    def meet(self, order_id: str) -> None:
        """Note that somebody unknown is known now."""
        self._strangers.pop(order_id, None)

    def answers(self, tracked: Tracked, waited: OrderStatus) -> bool:
        """Tell whether an answer ends the doubt about an order; else ask again.

        An acknowledgement answers a submit, not a cancel that nobody confirmed.
        """
        if tracked.order.status is not _UNKNOWN or tracked.lost is waited:
            return True
        self._desk.queries.ask(tracked.order.id, now=True)
        return False

    def move(
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
        """Move an order as the venue says, or raise the alarm that it cannot be."""
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
        self.tell(tracked, was)

    def tell(self, tracked: Tracked, was: OrderStatus) -> None:
        """Tell whoever waits for it that an order has ended, or stays open."""
        now = tracked.order.status
        if now in TERMINAL:
            if was not in TERMINAL:
                self._ended(tracked)
        elif now in _OPEN and was not in _WORKING:
            self._works(tracked, was)

    def sight(self, tracked: Tracked, venue_id: str | None) -> None:
        """Put on record that the venue has had an order whose fate is open, and its id.

        The next run would else take its word, once it knows the order no more, for
        the word of one that never had it; and without the id nobody knows the order
        again that was amended there by hand.
        """
        order = tracked.order
        event = _SIGHTED.get(order.status)
        first = order.venue_id is None and order.status not in _WORKING
        if event is not None and (first or (venue_id and not order.venue_id)):
            reason = "the venue has had it"
            self._desk.move(tracked, event, venue_id=venue_id or "", reason=reason)

    def end(
        self,
        tracked: Tracked,
        event: OrderEvent,
        filled: Decimal | None,
        reason: str,
    ) -> None:
        """End an order, unless the venue filled more of it than is booked."""
        if filled is not None and filled > tracked.order.filled:
            tracked.ending = Ending(event, filled, reason)
            self.missing(tracked, filled)
        elif tracked.order.status not in TERMINAL or tracked.order.inferred:
            self.move(tracked, event, reason=reason)

    def missing(self, tracked: Tracked, filled: Decimal) -> None:
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
        self.sight(tracked, None)

    def wake(self, tracked: Tracked) -> None:
        """Take a stop for what it has become; one that is awake has said so before."""
        order = tracked.order
        if order.trigger is None or not order.is_untriggered:
            return
        tracked.worth = order.trigger
        self.move(tracked, _TRIGGER, reason=f"trigger {order.trigger} was met")
        if tracked.order.status in _WORKING:
            self._works(tracked, tracked.order.status)
