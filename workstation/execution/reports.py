"""What the broker reports: each report moves an order, each fill is booked once.

The Executor registers its handlers; it hears of fills and ends through callbacks. What
a report proves is judged by ``Evidence``, what answers to questions settle by
``Statuses``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Any

from workstation.execution import order_machine
from workstation.execution.desk import OrderDesk
from workstation.execution.evidence import Evidence
from workstation.execution.statuses import Statuses
from workstation.execution.tracked import Tracked
from workstation.model.orders import (
    TERMINAL,
    Fill,
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
)
from workstation.model.owners import EXTERNAL
from workstation.model.ports import Core
from workstation.model.reconciliation import is_another
from workstation.model.reports import (
    CancelRejected,
    ExternalOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderStatusReport,
    OrderTriggered,
    ReplaceRejected,
    ReportsLost,
)

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
_UNKNOWN, _SUBMITTED = S.UNKNOWN, S.SUBMITTED
_PENDING_REPLACE = S.PENDING_REPLACE
_LATE = (S.CANCELED, S.EXPIRED, S.REJECTED)


class Reports:
    """Takes reports; ``booked`` hears of each fill, ``ended`` of each final order.

    ``works`` hears of an order that is open where that was not known, or by another
    trigger or price than before, with the status it was in.
    """

    def __init__(
        self,
        desk: OrderDesk,
        booked: Callable[[Tracked, Fill], None],
        ended: Callable[[Tracked], None],
        works: Callable[[Tracked, OrderStatus], None],
        instruments: Container[str],
        absent_after_ns: int,
    ) -> None:
        self._desk = desk
        self._booked = booked
        self._instruments = instruments
        self._evidence = Evidence(desk, ended, works)
        self._statuses = Statuses(desk, self._evidence, absent_after_ns)
        # Ids that orders of ours got at the venue by hand; each is told of once.
        self._renamed: set[str] = set()
        # Ids that several orders have there; and which of their fills were told of.
        self._shared: dict[str, set[str]] = {}
        self._others: set[tuple[str, str, str | None]] = set()
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self._evidence.attach(core)
        self._statuses.attach(core)

    @property
    def duplicates(self) -> int:
        """Return how many reports were no news."""
        return self._evidence.duplicates

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

    # Answers to requests.

    def _on_accepted(self, report: OrderAccepted) -> None:
        tracked = self._evidence.find(report, "acknowledgement")
        if tracked is None:
            return
        first, tracked.seen = not tracked.seen, True
        # An old one, come again, does not tell what became of the order since.
        news = first or tracked.order.status is not _UNKNOWN
        if news and self._evidence.answers(tracked, _SUBMITTED):
            self._evidence.move(tracked, _ACCEPT, venue_id=report.venue_id)
        elif first:
            self._evidence.sight(tracked, report.venue_id)

    def _on_rejected(self, report: OrderRejected) -> None:
        tracked = self._evidence.find(report, "rejection")
        if tracked is not None:
            self._evidence.move(tracked, _REJECT, reason=report.reason)

    def _on_end(
        self, event: OrderEvent, what: str, report: OrderCanceled | OrderExpired
    ) -> None:
        tracked = self._evidence.find(report, what)
        if tracked is not None:
            tracked.seen = True
            self._evidence.end(tracked, event, report.filled, report.reason)

    def _on_cancel_rejected(self, report: CancelRejected) -> None:
        tracked = self._evidence.find(report, "refused cancel")
        if tracked is None:
            return
        self._evidence.move(tracked, _REJECT_CANCEL, reason=report.reason)
        if tracked.order.status not in TERMINAL or tracked.order.inferred:
            # Mostly the order is over, and that was lost or is on its way.
            self._desk.queries.ask(tracked.order.id, now=True)

    def _on_replaced(self, report: OrderReplaced) -> None:
        tracked = self._evidence.find(report, "replacement")
        if tracked is None:
            return
        ts = report.ts_event
        if ts is not None:
            known_ns = tracked.shape_ns
            if ts < known_ns or (ts == known_ns and not tracked.reshaping):
                # A status has told of it before; two changes may be of one time.
                self._evidence.duplicates += 1
                return
            tracked.shape_ns = ts
        tracked.seen = True
        self._desk.orders.reshaped(tracked)
        if self._evidence.answers(tracked, _PENDING_REPLACE):
            self._evidence.move(
                tracked,
                _REPLACE,
                quantity=report.quantity,
                price=report.price,
                trigger=report.trigger,
            )

    def _on_replace_rejected(self, report: ReplaceRejected) -> None:
        tracked = self._evidence.find(report, "refused replacement")
        if tracked is not None and self._evidence.answers(tracked, _PENDING_REPLACE):
            self._desk.orders.reshaped(tracked)
            self._evidence.move(tracked, _REJECT_REPLACE, reason=report.reason)

    def _on_triggered(self, report: OrderTriggered) -> None:
        tracked = self._evidence.find(report, "trigger")
        if tracked is not None:
            tracked.seen = True
            self._evidence.wake(tracked)

    # Fills.

    def _on_filled(self, report: OrderFilledReport) -> None:
        tracked = self._evidence.find(report, "fill")
        if tracked is None:
            return
        if report.trade_id in tracked.trades:
            self._evidence.duplicates += 1
            return
        order = tracked.order
        if order.id in self._shared:
            self._leave(order, report)
            return
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
        self._evidence.tell(tracked, order.status)
        if over > 0 or (tracked.reshaping and tracked.order.status is S.FILLED):
            # More may have gone wrong; or it was enlarged, and is not over.
            self._desk.queries.ask(order.id)
        ending = tracked.ending
        if ending is not None and tracked.order.filled >= ending.filled:
            tracked.ending = None
            self._evidence.end(tracked, ending.event, ending.filled, ending.reason)
        elif tracked.order.inferred:
            self._desk.doubt(tracked, "it was filled after it was taken for over")

    # Orders made elsewhere, and losses.

    def _on_external(self, report: ExternalOrder) -> None:
        """Take an order made at the venue by hand; one of ours is only heard of.

        One of ours that was amended there has another client id, and its trades are
        those that are booked already: taken for new, they would be booked twice.
        """
        known = self._desk.orders.get(report.order_id)
        if known is not None:
            if is_another(report, known.order):
                self._share(known, report)
            return
        ours = self._desk.orders.at(report.instrument, report.venue_id)
        if ours is not None:
            if report.order_id not in self._renamed:
                self._renamed.add(report.order_id)
                self._desk.alarm(
                    report.instrument,
                    f"order {ours.id} was changed at the venue by hand and is "
                    f"{report.order_id} there now; what it fills from here on is not "
                    "booked: cancel it at the venue, then compare (j)",
                    "external",
                )
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
        self._evidence.meet(report.order_id)
        self._evidence.move(
            tracked, _ACCEPT, venue_id=report.venue_id, reason=order.reason
        )
        # What it filled before it was heard of.
        self._desk.queries.ask(tracked.order.id)

    def _share(self, tracked: Tracked, other: ExternalOrder) -> None:
        """Tell that the venue has another order of an id; in one symbol, book neither.

        A report names an order by that id alone. In two symbols it is known whose the
        answers are; in one the older of the two must be over, and nobody knows how.
        """
        key, order = (other.order_id, other.instrument, other.venue_id), tracked.order
        if key in self._others:
            return
        self._others.add(key)
        same = other.instrument == order.instrument
        what = "nothing that either fills from here on is" if same else "it is not"
        doubtful = OrderEvent.DOUBT in order_machine.TABLE[order.status]
        lost = same and doubtful and not order.is_terminal
        word = ", close the one here on your word" if lost else ""
        self._desk.alarm(
            other.instrument,
            f"order {other.order_id} in {other.instrument} (venue id "
            f"{other.venue_id or 'unknown'}) has the id of another in "
            f"{order.instrument} (venue id {order.venue_id or 'unknown'}, "
            f"{order.status.value} here): {what} booked; cancel it at the venue{word}, "
            "give each order there its own id, settle what it moved (j)",
            "external",
        )
        if not same:
            return
        self._shared.setdefault(order.id, set())
        if lost and order.status is not _UNKNOWN:
            tracked.lost = None
            reason = "the venue has another order of its id"
            self._evidence.move(tracked, OrderEvent.DOUBT, reason=reason)
        self._desk.queries.stop(order.id)

    def _leave(self, order: Order, report: OrderFilledReport) -> None:
        """Tell, once, of a fill that may be another order's."""
        told = self._shared[order.id]
        if report.trade_id not in told:
            told.add(report.trade_id)
            self._desk.alarm(
                order.instrument,
                f"order {order.id}: fill {report.trade_id} of {report.quantity} may be "
                "that of another order of this id, and is not booked; settle it (j)",
                "external",
            )

    def _on_status(self, report: OrderStatusReport) -> None:
        """Settle by a status, unless it may be that of another order of this id."""
        tracked = self._desk.orders.get(report.order_id)
        if tracked is not None and report.order_id in self._shared:
            ours = tracked.order.venue_id
            if not ours or report.venue_id != ours:
                self._desk.queries.stop(report.order_id)
                return
        self._statuses.on_status(report)

    def _on_reports_lost(self, report: ReportsLost) -> None:
        self._desk.alarm("", f"reports may be lost: {report.reason}", "broker")
        self._desk.queries.reconnected()
