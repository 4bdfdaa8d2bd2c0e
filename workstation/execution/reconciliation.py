"""Holds the books against what the venue says of the account, at the start and on.

It asks, and hears of orders that were made there by hand. An order that differs is
asked about and moves by its own answers; what money is here and there is judged by the
``Balances``, and a doubt about it is asked about once more. What the operator lets be
is kept here for as long as it is what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from workstation.execution.balances import Balances
from workstation.execution.controls import Controls
from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.settings import ReconciliationSettings
from workstation.kernel.clock import Timer
from workstation.model.instruments import Instrument
from workstation.model.money import plain
from workstation.model.orders import TERMINAL, Order, OrderStatus, OrderType
from workstation.model.owners import EXTERNAL
from workstation.model.ports import Core
from workstation.model.reconciliation import Subject, Verdict, is_another
from workstation.model.records import DifferenceRecord
from workstation.model.reports import AccountReport, ExternalOrder, OpenOrder
from workstation.model.requests import QueryAccount
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

__all__ = ["Reconciliation"]

ZERO = Decimal(0)
_AWAKE = (OrderType.MARKET, OrderType.LIMIT)
_OPEN = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
_OVER = TERMINAL - {OrderStatus.DENIED}
# Orders that ended a little before the last agreement are asked for, too: the venue's
# clock and ours need not be the same.
_MARGIN_NS = 60 * NS_PER_S
_MOST_TRIES = 6
_MOST_OPEN = 16
# An order that never answers must not keep the balances from being looked at.
_MOST_PUT_OFF = 3
_AFTER = " after "


class Reconciliation:
    """The questions about one account, and what its answers come to.

    ``opened`` says that it is known what the account began with; until it is, the
    venue's balances are. ``waiting`` is true from ``begin`` until all is settled.
    """

    def __init__(
        self,
        name: str,
        settings: ReconciliationSettings,
        desk: OrderDesk,
        ledger: Ledger,
        controls: Controls,
        instruments: Mapping[str, Instrument],
        external: Callable[[ExternalOrder], None],
        settled: Callable[[], None],
    ) -> None:
        """``external`` takes an order made elsewhere; ``settled`` hears of the end."""
        self.answers = desk.sender.abilities.account
        self.opened = True
        self.asked_ns: int | None = None
        self.answered_ns: int | None = None
        self.agreed_ns: int | None = None
        self.report: AccountReport | None = None
        self.ignored: dict[tuple[Subject, str], tuple[str, str]] = {}
        """Orders and positions that are let be: what they were, and why.

        One that is another by now is not let be; it goes with the next look or fill.
        """
        self._name = name
        self._desk = desk
        self._ledger = ledger
        self._controls = controls
        self._instruments = instruments
        self._external = external
        self._settled = settled
        self._every_ns = round(settings.every_s * NS_PER_S)
        self._confirm_ns = settings.confirm_ms * NS_PER_MS
        self.balances = Balances(ledger, controls, instruments, self._confirm_ns)
        self._always = False
        # What is not answered yet: when it was asked, after how many fills.
        self._questions: dict[int, tuple[int, int]] = {}
        self._asked = self._timers = 0
        self._tries = 0
        self._seen = (0, -1)
        self._put_off = self._doubted = 0
        # Orders with the id of one that is not kept here any more, or of each other.
        self._nameless: set[tuple[str, ...]] = set()
        self._since_ns: int | None = None
        self._timer: Timer | None = None
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self.balances.attach(core)

    @property
    def waiting(self) -> bool:
        """Tell whether nothing is entered until the venue has answered."""
        return self._controls.account_asked

    def recovered(self, ts: int) -> None:
        """Note that what ended at the venue since ``ts`` may be unknown here."""
        self._since_ns = ts - _MARGIN_NS

    # Asking.

    def begin(self) -> bool:
        """Let nothing be entered until the account is settled, and go on for good.

        Returns whether the broker can be asked at all.
        """
        if self.answers:
            self._always = True
            if self._since_ns is not None:
                # The clock of the runs before may have been ahead of this one.
                self._since_ns = min(self._since_ns, self._core.ts - _MARGIN_NS)
            # No question bears the number of one that an earlier run has asked.
            self._asked = self._core.ts
            self._controls.account_asked = True
            self.ask()
        return self.answers

    @property
    def put_off(self) -> bool:
        """Tell whether the last answer was not held against the balances.

        Orders that were asked about may have filled what is missing.
        """
        return self._put_off > 0

    def watch(self) -> None:
        """Look from time to time from now on, as long as anything is going on.

        Told of each order that leaves and of each fill. Without ``begin`` looking ends
        once all is settled and nothing new was sent or filled since the look before.
        """
        if self.ignored:
            self.forget_changed()
        if self._timer is None and self.answers and self._every_ns:
            self._wait(self._every_ns)

    def ask(self) -> None:
        """Ask for the account, and again until there is an answer."""
        self._tries = 0
        self._send()

    def _send(self) -> None:
        core, questions = self._core, self._questions
        self._asked += 1
        self._tries += 1
        questions[self._asked] = core.ts, self._ledger.fills
        if len(questions) > _MOST_OPEN:
            del questions[next(iter(questions))]
        self.asked_ns = core.ts
        # What came and went unheard is wanted only where something is missing; at
        # first, so that what is in the balances already is not booked later.
        since = None
        if not self.opened:
            since = core.ts - _MARGIN_NS
        elif self.answered_ns is None or self.balances.in_doubt:
            since = self._since_ns
        self._desk.sender.send(QueryAccount(self._asked, core.ts, since))
        tries = min(self._tries, _MOST_TRIES)
        self._wait((self._confirm_ns or NS_PER_S) << tries, self._send)

    def _ask_doubting(self) -> None:
        self._doubted += 1
        self.ask()

    def _wait(self, wait_ns: int, then: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timers += 1
        self._timer = self._core.call_at(
            self._core.ts + wait_ns,
            f"{self._name}.account{self._timers}",
            then or self.ask,
        )

    # Answers.

    def on_report(self, report: AccountReport) -> None:
        """Take an answer, unless a later question has been answered before.

        A venue may take longer for it than it is waited for: then it is asked again,
        and still this one says what it had when it was asked.
        """
        question = self._questions.get(report.number)
        if question is None:
            return
        asked_ns, fills = question
        for number in [each for each in self._questions if each <= report.number]:
            del self._questions[number]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.report = report
        self.answered_ns = self._core.ts
        self.forget_changed()
        asked = self._look_at_orders(report, asked_ns)
        if asked and self._put_off < _MOST_PUT_OFF:
            self._put_off += 1
        elif self._ledger.fills == fills or self.balances.agree(report):
            self._put_off = 0
            if not self.opened:
                self.opened = True
                self.balances.open(report)
            self._look_at_balances(report, asked_ns)
            return
        # The venue has, or may have, fills that are not booked: nothing to compare.
        self._wait(self._confirm_ns)

    def _look_at_orders(self, report: AccountReport, asked_ns: int) -> bool:
        """Ask about orders that differ, hear of new ones; tell if there were any."""
        desk, orders = self._desk, self._desk.orders
        there: set[str] = set()
        asked = False
        # A venue lets several orders have an id, one after the other or by symbol.
        named: dict[tuple[str, str], list[OpenOrder]] = {}
        for listed in report.orders:
            named.setdefault((listed.order_id, listed.instrument), []).append(listed)
        for (order_id, _), group in named.items():
            tracked = orders.get(order_id)
            if tracked is None:
                if _is_open(group[-1]):
                    there.add(order_id)
                asked |= self._hear_of(group)
                continue
            order, other = tracked.order, None
            for listed in group:
                if is_another(listed, order):
                    other = listed if _matters(listed) else other
                    continue
                is_over = listed.status in TERMINAL
                if not is_over:
                    there.add(order_id)
                if (
                    listed.filled > order.filled
                    or (order.is_terminal and not is_over)
                    or (order.status in _OPEN and not _same(listed, order))
                ):
                    late = order.status in _OVER and not is_over
                    if late and max(tracked.heard_ns, order.updated_ns) < asked_ns:
                        # It was over here when the venue was asked, and is not there.
                        desk.doubt(tracked, "the venue lists it as open")
                    desk.queries.ask(order_id)
                    asked = True
            if other is not None:
                # It is told of, and not taken.
                self._external(_made(other))
        for tracked in orders.working():
            order = tracked.order
            # What was said since may have changed what the venue had.
            quiet = max(tracked.spoken_ns, tracked.heard_ns) < asked_ns
            if order.id not in there and order.status in _OPEN and quiet:
                desk.queries.ask(order.id)
                asked = True
        return asked

    def _hear_of(self, group: list[OpenOrder]) -> bool:
        """Hear of orders of one id and symbol, oldest first, that is not kept here."""
        told = [listed for listed in group if _matters(listed)]
        if not told or told[-1].instrument not in self._instruments:
            return False
        last, orders = told[-1], self._desk.orders
        if orders.knew(last.order_id):
            # One is not kept any more once it has been over for long: that may be it.
            if _is_open(last):
                self._tell_of(last, "is open there, and was over here long ago")
            return False
        if len(told) > 1 or last is not group[-1]:
            # Whichever the venue means when it is asked about the id.
            ids = ", ".join(listed.venue_id or "unknown" for listed in group)
            self._tell_of(last, f"is {len(group)} orders there, {ids}")
            return False
        self._external(_made(last))
        # One of ours under another name is told of, and not taken.
        return orders.get(last.order_id) is not None

    def _tell_of(self, listed: OpenOrder, what: str) -> None:
        """Raise the alarm, once, about an order that cannot be taken by its id."""
        key = (listed.order_id, listed.instrument, what)
        if key in self._nameless:
            return
        self._nameless.add(key)
        self._desk.alarm(
            listed.instrument,
            f"the id {listed.order_id} in {listed.instrument} {what} (venue id "
            f"{listed.venue_id or 'unknown'}): nothing it fills is booked; cancel it "
            "at the venue, give each order there its own id, settle what it moved (j)",
            "external",
        )

    # What the operator lets be.

    def as_it_is(self, kind: Subject, subject: str) -> str | None:
        """Return what an order or position made by hand is now; None if it is none.

        A position that was closed and made again is another one of the same size.
        """
        if kind is Subject.ORDER:
            tracked = self._desk.orders.get(subject)
            if tracked is None or tracked.order.is_terminal:
                return None
            return _terms(tracked.order) if tracked.order.owner == EXTERNAL else None
        held = self._ledger.position(EXTERNAL, subject)
        if not held.quantity:
            return None
        return f"{plain(held.quantity)}{_AFTER}{held.fills} fills"

    def let_be(self, kind: Subject, subject: str) -> str | None:
        """Return why an order or position is let be as it is now; None if it is not."""
        known = self.ignored.get((kind, subject))
        if known is None:
            return None
        return known[1] if _still(known[0], self.as_it_is(kind, subject)) else None

    def forget_changed(self) -> None:
        """Forget what was let be and is another by now, each with its record."""
        core = self._core
        for key, (what, reason) in list(self.ignored.items()):
            now = self.as_it_is(*key)
            if now is not None and _still(what, now):
                # Versions before this one said less of what it was.
                self.ignored[key] = (now, reason)
                continue
            del self.ignored[key]
            kind, subject = key
            core.record(
                DifferenceRecord(
                    seq=core.seq,
                    ts=core.ts,
                    kind=kind,
                    subject=subject,
                    before=Verdict.IGNORED,
                    after=Verdict.AGREES if now is None else Verdict.EXTERNAL,
                    venue=now or "",
                    reason="it is gone" if now is None else f"it was {what}",
                )
            )

    # Balances.

    def _look_at_balances(self, report: AccountReport, asked_ns: int) -> None:
        balances, core = self.balances, self._core
        balances.compare(report, asked_ns)
        settled = balances.settled
        if settled:
            self.agreed_ns = core.ts
            self._since_ns = asked_ns - _MARGIN_NS
        if self._controls.account_asked and not balances.asking:
            # What differs denies entries in its currency, confirmed once more or not.
            self._controls.account_asked = False
            self._settled()
        if balances.in_doubt:
            # Each such question is for all orders of late: a venue bars who asks that
            # every few seconds, as an account that trades all the while would.
            wait_ns = self._confirm_ns << min(self._doubted, _MOST_TRIES - 2)
            self._wait(wait_ns, self._ask_doubting)
            return
        self._doubted = 0
        # A run of months with an order at rest must not pay for a look at each minute.
        before, self._seen = self._seen, (self._desk.orders.sent, self._ledger.fills)
        quiet = settled and self._seen == before
        if self._every_ns and (self._always or not quiet):
            self._wait(self._every_ns)

    def digest(self) -> object:
        """Return in plain values what is asked, and what is made of the answers."""
        return (
            (self.opened, self._asked, self._tries, self._always),
            tuple(self._questions.items()),
            self._timers,
            (self.asked_ns, self.answered_ns, self.agreed_ns, self._since_ns),
            (self._seen, self._put_off, self._doubted),
            self.balances.digest(),
            [(*key, *what) for key, what in self.ignored.items()],
        )


def _same(listed: OpenOrder, order: Order) -> bool:
    """Tell whether the venue has an open order as it is here."""
    if (listed.quantity, listed.price) != (order.quantity, order.price):
        return False
    if not order.is_untriggered:
        return True
    # A stop that waits here may be woken there, or have another trigger.
    return listed.order_type not in _AWAKE and listed.trigger == order.trigger


def _is_open(listed: OpenOrder) -> bool:
    return listed.status not in TERMINAL


def _matters(listed: OpenOrder) -> bool:
    """Tell whether an order has moved anything, or still can."""
    return _is_open(listed) or listed.filled > 0


def _made(listed: OpenOrder) -> ExternalOrder:
    return ExternalOrder(
        order_id=listed.order_id,
        instrument=listed.instrument,
        side=listed.side,
        order_type=listed.order_type,
        quantity=listed.quantity,
        price=listed.price,
        trigger=listed.trigger,
        venue_id=listed.venue_id,
    )


def _terms(order: Order) -> str:
    """Return what an order is for, in words."""
    at = "market" if order.price is None else plain(order.price)
    stop = "" if order.trigger is None else f", trigger {plain(order.trigger)}"
    return f"{plain(order.quantity)} at {at}{stop}"


def _still(what: str, now: str | None) -> bool:
    """Tell whether something is what it was when it was let be.

    Of an order versions before this one said nothing, of a position its size.
    """
    if now is None:
        return False
    size, after, _ = now.partition(_AFTER)
    return what == now or not what or (bool(after) and what == size)
