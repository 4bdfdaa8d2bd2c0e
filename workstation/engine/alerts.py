"""Alerts: what of the records an operator must not miss, one per cause.

A sink of the core's records. A cause that comes again counts up; one that is mended
turns inactive. Acknowledging is the reader's own business and not kept here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from workstation.engine.frames import Alert
from workstation.execution.denials import DenialCode
from workstation.execution.limits import UNITS
from workstation.model.limits import BreakerState, LimitUnit
from workstation.model.orders import Order, OrderStatus, order_number
from workstation.model.owners import OPERATOR
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import (
    BandRecord,
    BookRecord,
    BreakerRecord,
    CommandRecord,
    ControlRecord,
    DenyRecord,
    DifferenceRecord,
    FaultRecord,
    FeedRecord,
    OrderRecord,
    Record,
    ResyncRecord,
    TaskRecord,
)
from workstation.model.states import BookTrust, PositionBand
from workstation.model.timeframes import NS_PER_S

__all__ = ["Alerts"]

# More causes than an operator can look at; the oldest mended ones go first.
_KEPT = 200

_SKIPPED = "The event was skipped; more of these stop the task."
_ANY_BOOK = "The next whole book mends it."

_DENIED_IN_A_ROW = 3
"""Denials without an entry between them that are a cause: one or two are the limits'
daily work."""
_QUIET_NS = 60 * NS_PER_S
"""Rejections further apart than this are two alerts: who acknowledged the first has
not seen the second."""
_EXPLAINED = frozenset(
    {
        *(DenialCode.HOLD, DenialCode.KILLED, DenialCode.RECONCILING),
        *(DenialCode.TASK_PAUSED, DenialCode.TASK_STOPPED, DenialCode.ROW_LOCKED),
        *(DenialCode.UNRECONCILED, DenialCode.BOOK_UNTRUSTED),
    }
)
"""Denials whose cause the operator made, or has an alert of its own."""


class Alerts:
    """The alerts of a run.

    ``can_be_asked`` tells whether the feed of an instrument can be asked for a book.
    """

    def __init__(
        self,
        feeds: Iterable[str] = (),
        can_be_asked: Callable[[str], bool] = lambda instrument: True,
    ) -> None:
        # A feed that fails says so itself; its task failing is no second cause.
        self._feeds = frozenset(feeds)
        self._alerts: dict[tuple[str, str], Alert] = {}
        self._next = 1
        self._can_be_asked = can_be_asked
        # The last try for each instrument whose book is not trusted.
        self._tries: dict[str, ResyncRecord] = {}
        # Denials of each owner since the last entry that went out.
        self._denied: dict[str, int] = {}
        self._by_type: dict[type, Callable[[Any], None]] = {
            BookRecord: self._book,
            ResyncRecord: self._resync,
            FaultRecord: self._fault,
            FeedRecord: self._feed,
            TaskRecord: self._task,
            ControlRecord: self._control,
            OrderRecord: self._order,
            DenyRecord: self._deny,
            BandRecord: self._band,
            BreakerRecord: self._breaker,
            CommandRecord: self._command,
            DifferenceRecord: self._difference,
        }

    @property
    def kinds(self) -> Iterable[type]:
        """Return the types of records that it looks at."""
        return self._by_type.keys()

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Look at one record."""
        look = self._by_type.get(type(record))
        if look is not None:
            look(record)

    def all(self, ts: int) -> tuple[Alert, ...]:
        """Return active alerts first, the worst and newest on top, as of ``ts``."""
        for instrument, tried in self._tries.items():
            self._tell_wait(instrument, tried, ts)
        rank = {"bad": 0, "warn": 1, "info": 2}
        return tuple(
            sorted(
                self._alerts.values(),
                key=lambda a: (not a.active, rank[a.severity], -a.last_ts, a.id),
            )
        )

    def raise_(
        self,
        cause: tuple[str, str],
        severity: str,
        ts: int,
        text: str,
        remedy: str,
        instrument: str = "",
        times: int | None = None,
    ) -> None:
        """Raise an alert for a cause, or count it up; ``times`` where that is known."""
        known = self._alerts.get(cause)
        if known is None or not known.active:
            known = Alert(
                id=self._next,
                ts=ts,
                last_ts=ts,
                severity=severity,
                kind=cause[0],
                subject=cause[1],
                instrument=instrument,
                text=text,
                remedy=remedy,
                count=0,
                active=True,
            )
            self._next += 1
        self._alerts[cause] = msgspec.structs.replace(
            known,
            last_ts=ts,
            text=text,
            # With the text: both speak of the last time.
            remedy=remedy,
            instrument=instrument,
            count=known.count + 1 if times is None else times,
        )
        if len(self._alerts) > _KEPT:
            self._forget()

    def mend(self, cause: tuple[str, str], ts: int) -> None:
        """Note that a cause is gone."""
        known = self._alerts.get(cause)
        if known is not None and known.active:
            self._alerts[cause] = msgspec.structs.replace(
                known, active=False, last_ts=ts
            )

    def _forget(self) -> None:
        mended = [cause for cause, alert in self._alerts.items() if not alert.active]
        for cause in mended or list(self._alerts)[:1]:
            del self._alerts[cause]
            return

    def _book(self, record: BookRecord) -> None:
        cause = ("book", record.instrument)
        kind = record.reason.partition(":")[0]
        if record.after is BookTrust.UNTRUSTED:
            self.raise_(
                cause,
                "warn",
                record.ts,
                # The kind is enough here; the gap ledger and the log have the ids.
                f"{record.instrument} book untrusted: {kind}. Will not trade.",
                _ANY_BOOK
                if self._can_be_asked(record.instrument)
                else "A recording can't be asked; its next snapshot mends it.",
                record.instrument,
            )
        elif record.after is BookTrust.TRUSTED:
            self._tries.pop(record.instrument, None)
            self.mend(cause, record.ts)

    def _resync(self, record: ResyncRecord) -> None:
        if self._can_be_asked(record.instrument):
            self._tries[record.instrument] = record

    def _tell_wait(self, instrument: str, tried: ResyncRecord, ts: int) -> None:
        """Count down to the next try: the wait is the part that goes on by itself."""
        cause = ("book", instrument)
        known = self._alerts.get(cause)
        if known is not None and known.active:
            wait_s = -(-(tried.again_ns - ts) // NS_PER_S)
            remedy = f"Resync try {tried.attempt + 1} in {wait_s} s."
            if wait_s < 0:  # the feed was paused or stopped meanwhile
                remedy = _ANY_BOOK
            self._alerts[cause] = msgspec.structs.replace(known, remedy=remedy)

    def book_remedy(self, instrument: str) -> str:
        """Return what its alert said will mend a book, "" where it is whole."""
        known = self._alerts.get(("book", instrument))
        return known.remedy if known is not None and known.active else ""

    def _fault(self, record: FaultRecord) -> None:
        if record.where == "processor off":
            self.raise_(
                ("processor", f"{record.task} {record.instrument}"),
                "bad",
                record.ts,
                f"{record.task} {record.error}",
                "Its figures stay unknown. Mend the script and start again.",
                record.instrument,
            )
            return
        # An event that a task failed on is named by its type; the rest are alarms.
        is_skipped = record.where[:1].isupper()
        # What an earlier run lacks must not go under in the alarms that follow from it.
        cause = "journal" if record.where == "journal" else "fault"
        self.raise_(
            (cause, record.task),
            "warn",
            record.ts,
            f"{record.task}: {record.error}",
            _SKIPPED if is_skipped else "j compares the account with the venue.",
            record.instrument,
        )

    def _command(self, record: CommandRecord) -> None:
        """Tell of a saved script that cannot run: nobody waits for that answer."""
        if record.command != "ReloadScript":
            return
        cause = ("script", record.subject)
        if record.accepted:
            self.mend(cause, record.ts)
            return
        self.raise_(
            cause,
            "warn",
            record.ts,
            f"{record.subject}: {record.detail}",
            "Mend the file; it is tried again once it is saved.",
        )

    def _feed(self, record: FeedRecord) -> None:
        if record.what == "failed":
            self.raise_(
                ("feed", record.feed),
                "bad",
                record.ts,
                f"feed {record.feed} failed: {record.detail}",
                'Mend the file, or set on_error = "skip".',
            )
        elif record.what == "cut":
            self.raise_(
                ("feed", record.feed),
                "warn",
                record.ts,
                f"feed {record.feed} ends early: {record.detail}",
                "There is no more of it; workstation check says what is there.",
            )
        elif record.what == "hole":
            self.raise_(
                ("feed hole", record.feed),
                "warn",
                record.ts,
                f"feed {record.feed} has lost events: {record.detail}",
                "Nothing of it was trusted until it delivered again.",
            )
        elif record.what != "ended":
            self.raise_(
                (f"feed {record.what}", record.detail),
                "warn",
                record.ts,
                f"{record.feed}: {record.detail}",
                "The config and the feed do not fit; workstation check says more.",
            )

    def _task(self, record: TaskRecord) -> None:
        cause = ("task", record.task)
        if record.after == "failed" and record.task not in self._feeds:
            self.raise_(
                cause,
                "bad",
                record.ts,
                f"{record.task} failed: {record.reason}",
                "Its stops stay held. r restarts it.",
            )
        elif record.after == "running":
            self.mend(cause, record.ts)
            self.mend(("fault", record.task), record.ts)

    def _control(self, record: ControlRecord) -> None:
        cause = ("control", record.name)
        if record.after in ("", "off", "none", "armed", "done"):
            self.mend(cause, record.ts)
            return
        if record.name == "recovery":
            self.raise_(
                cause,
                "warn",
                record.ts,
                "The venue is asked what became of orders and account. No entries.",
                "Ends with its answers; j shows both sides.",
            )
            return
        severity = "bad" if record.name == "kill" else "warn"
        remedy = (
            "ctrl+k shows the ladder and re-arms."
            if severity == "bad"
            else ("H lifts it.")
        )
        self.raise_(
            cause,
            severity,
            record.ts,
            f"{record.name} {record.after} by {record.who}: {record.reason or '·'}",
            remedy,
        )

    def _order(self, record: OrderRecord) -> None:
        order = record.order
        cause = ("order", order.id)
        if order.status is OrderStatus.UNKNOWN:
            self.raise_(
                cause,
                "bad",
                record.ts,
                f"order {order.id} {order.instrument} unknown: {record.reason}",
                "The venue was asked; only its answer settles it.",
                order.instrument,
            )
            return
        if record.before is OrderStatus.UNKNOWN:
            self.mend(cause, record.ts)
        if order.status is OrderStatus.REJECTED:
            self._reject(order, record)
        elif order.status is OrderStatus.SUBMITTED and order.may_open:
            self._denied.pop(order.owner, None)
            self.mend(("denied", order.owner), record.ts)

    def _reject(self, order: Order, record: OrderRecord) -> None:
        """Tell of an order that the venue refused: nobody waits for that answer.

        Each of the operator's is a cause of its own; a strategy's are counted by row.
        """
        what = (
            f"order {order_number(order.id)} rejected: {record.reason or order.reason}"
        )
        if order.owner == OPERATOR:
            cause = ("rejected", order.id)
        else:
            cause = ("rejected", f"{order.owner} {order.instrument}")
            what = f"{order.owner} {what}"
            known = self._alerts.get(cause)
            if known is not None and record.ts - known.last_ts > _QUIET_NS:
                self.mend(cause, record.ts)
        self.raise_(
            cause,
            "warn",
            record.ts,
            what,
            f"Its {order.side} of {order.quantity:f} {order.instrument} did not work.",
            order.instrument,
        )

    def _deny(self, record: DenyRecord) -> None:
        """Count the denials of an owner who gets no entry out any more."""
        if record.code in _EXPLAINED:
            return
        times = self._denied[record.owner] = self._denied.get(record.owner, 0) + 1
        if times < _DENIED_IN_A_ROW:
            return
        self.raise_(
            ("denied", record.owner),
            "warn",
            record.ts,
            f"{record.owner} {record.instrument} denied: {record.code}, {record.text}",
            "None of its entries went out between; layout 3, Denied has all.",
            record.instrument,
            times=times,
        )

    def _difference(self, record: DifferenceRecord) -> None:
        if record.kind is not Subject.BALANCE:
            # An order or a position that is let be is no cause: it never was one.
            return
        cause = ("difference", record.subject)
        if record.after is not Verdict.DIFFERS:
            self.mend(cause, record.ts)
            return
        sides = _both(record.here, record.venue)
        self.raise_(
            cause,
            "bad",
            record.ts,
            f"{record.subject}: {sides} at the venue. No entries in it.",
            "j shows both sides and settles it.",
        )

    def _band(self, record: BandRecord) -> None:
        cause = ("band", record.instrument)
        if record.after is PositionBand.NORMAL:
            self.mend(cause, record.ts)
            return
        severity = "warn" if record.after is PositionBand.WARNING else "bad"
        self.raise_(
            cause,
            severity,
            record.ts,
            f"{record.instrument} position {record.position:,f} is in band "
            f"{record.after}",
            "Reduce it, or raise max_position_value.",
            record.instrument,
        )

    def _breaker(self, record: BreakerRecord) -> None:
        cause = ("breaker", record.name)
        if record.after is BreakerState.CALM:
            self.mend(cause, record.ts)
            return
        # Only its crossings are on record: the figures are those of that time.
        at = datetime.fromtimestamp(record.ts // NS_PER_S, UTC).strftime("%H:%M:%S")
        value = _figure(record.name, record.value)
        limit = _figure(record.name, record.limit)
        if record.name == "margin":
            text = f"margin short at {at}: {value} free, less than {limit}"
            remedy = "Reduce positions, or there is no room for entries."
        elif record.after is BreakerState.WARNED:
            # Rounded down: all of it is used when it is, and not before.
            used = int(record.value * 100 / record.limit) if record.limit else 100
            text = f"{record.name} {used}% used at {at}: {value} of {limit}"
            remedy = "Beyond the limit the kill ladder is climbed."
        else:
            text = f"{record.name} exceeded at {at}: {value}, limit {limit}"
            remedy = "Entries are denied; ctrl+k shows the ladder and re-arms."
        severity = "bad" if record.after is BreakerState.TRIPPED else "warn"
        known = self._alerts.get(cause)
        if known is not None and known.active and known.severity != severity:
            # Another severity is another alert: it is to be seen and heard anew.
            self.mend(cause, record.ts)
        self.raise_(cause, severity, record.ts, text, remedy)


def _figure(name: str, value: Decimal) -> str:
    """Write a figure of a limit as the screen does: a share in percent, else money."""
    if UNITS.get(name) is LimitUnit.SHARE:
        return f"{value * 100:.1f}%"
    return f"{value:,.2f}"


def _both(here: str, venue: str) -> str:
    """Write two balances with the decimals at which they differ: 2 to 8."""
    one, two = Decimal(here), Decimal(venue)
    digits = 2
    while digits < 8 and f"{one:.{digits}f}" == f"{two:.{digits}f}":
        digits += 1
    return f"{one:,.{digits}f} here, {two:,.{digits}f}"
