"""Random interleavings of what an operator, a strategy, a network and a venue do.

Each step is one word with small numbers to choose by. At the end everything is
delivered and answered, and the Executor must agree with ``venue_model`` or say that it
does not know. Run many: ``python -m tests.execution.interleaving --sequences 100000``.
"""

from __future__ import annotations

import argparse
import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal

from tests.execution.fakes import CASH, NS, Hand, signal
from tests.execution.venue_model import VenueModel, VenueOrder
from workstation.execution.recovering import Recovering
from workstation.execution.settings import RiskSettings
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    Flatten,
    Kill,
    KillLevel,
    Rearm,
    Reconcile,
    Recover,
    Resolve,
)
from workstation.model.errors import CommandRefused
from workstation.model.orders import Order, OrderRole, OrderStatus, TimeInForce
from workstation.model.rates import BrokerAbilities
from workstation.model.reconciliation import Resolution, Subject, Verdict
from workstation.model.records import Record
from workstation.model.reports import (
    CancelRejected,
    OrderReplaced,
    ReplaceRejected,
    Report,
    ReportsLost,
)
from workstation.model.requests import Request, SubmitOrder

D = Decimal
S = OrderStatus
RISK = RiskSettings(max_order_value=None, max_position_value=None, leverage=D(100))
# The network gives a request up after this time: see ``absent_after_ms``.
REQUEST_LIVES_NS = 120 * NS
OWNERS = ("s", "t")
INSTRUMENTS = ("BTC", "ETH")
LOTS = {"BTC": D("0.001"), "ETH": D("0.01")}
# Words with how often they are said; deliveries must keep up with what is asked.
WORDS = {
    "enter": 6,
    "enter at a limit": 5,
    "enter at a stop": 5,
    "exit": 3,
    "exit at a limit": 2,
    "exit at a stop": 2,
    "protect": 1,
    "cancel entry": 2,
    "cancel": 5,
    "replace": 4,
    "move a stop": 2,
    "flatten": 1,
    "kill": 1,
    "price": 6,
    "request arrives": 22,
    "request is lost": 2,
    "report arrives": 26,
    "report arrives out of turn": 7,
    "report arrives twice": 5,
    "report is lost": 3,
    "old report comes again": 3,
    "venue wakes": 5,
    "venue fills": 9,
    "venue overfills": 1,
    "venue cancels": 2,
    "venue expires": 1,
    "venue rejects": 1,
    "venue will refuse": 1,
    "venue forgets": 1,
    "made by hand": 1,
    "made by hand unheard": 1,
    "traded by hand unheard": 1,
    "money moves": 2,
    "operator asks": 1,
    "operator settles": 4,
    "operator takes": 3,
    "engine restarts": 1,
    "seconds pass": 5,
    "much time passes": 2,
    "disconnect": 1,
    "reconnect": 2,
    "operator closes": 1,
}
CHOICES = tuple(WORDS)


class Interleaving:
    """One run: an Executor, a venue, and the wire between them."""

    def __init__(
        self, *, opened: bool = True, keeps_stops: bool = False, in_kind: bool = False
    ) -> None:
        """Begin; unless ``opened`` the account is a new one, of unknown balances.

        ``keeps_stops``: the venue has stop orders; else they are held here.
        ``in_kind``: it takes the fee of a purchase from what was bought.
        """
        self.can = BrokerAbilities(account=True, stops=keeps_stops)
        self.hand = self._hand()
        self.records: list[Record] = []
        self.durable = 0
        self.venue = VenueModel(CASH, in_kind=in_kind)
        self.requests: list[tuple[int, Request]] = []
        self.reports: list[Report] = []
        self.past: list[Report] = []
        self.sure: set[int] = set()
        self.heard: set[str] = set()
        self.connected = True
        self.opened = opened
        self.restarts = 0
        reconciliation = self.hand.executor.reconciliation
        reconciliation.opened = opened
        reconciliation.begin()
        if opened:
            # The account is taken up before anything can go wrong.
            self.settle_now()
        self.log: list[str] = []

    def _hand(self) -> Hand:
        hand = Hand(RISK, abilities=self.can)
        hand.quote(100.0, 100.2, "ETH")
        hand.core.on_request = self._send
        return hand

    # The wire.

    def _send(self, request: Request) -> None:
        # It leaves when what led to it is on disk.
        self.durable = len(self.hand.core.records)
        if isinstance(request, SubmitOrder) and request.order.reduce_only:
            self._check_closing(request.order)
        if self.connected:
            self.requests.append((self.hand.core.ts, request))

    def _check_closing(self, order: Order) -> None:
        """Check that there is so much to close, in whole lots."""
        held = self.hand.executor.position(order.owner, order.instrument).quantity
        assert 0 < order.quantity <= abs(held), f"{order.id}: {order.quantity}, {held}"
        assert held * order.side.sign < 0, order.id
        assert order.quantity % LOTS[order.instrument] == 0, order.id

    def _say(self, reports: Iterable[Report], *, sure: bool = False) -> None:
        for report in reports:
            if self.connected:
                self.reports.append(report)
                if sure:
                    self.sure.add(id(report))

    def _give(self, report: Report) -> None:
        self.past.append(report)
        name = getattr(report, "order_id", "")
        # A refusal says nothing of what was refused, nor does "no such order".
        refusal = isinstance(report, CancelRejected | ReplaceRejected)
        if not refusal and getattr(report, "status", "") is not None:
            self.heard.add(name)
        self.hand.give(report)
        self._drain()

    def _drain(self) -> None:
        self.hand.core.emitted.clear()

    def _tell(self, event: object) -> None:
        try:
            self.hand.give(event)
        except CommandRefused:
            pass
        self._drain()

    # Steps.

    def step(self, word: str, pick: Callable[[int], int]) -> None:
        """Do what one word says; ``pick(n)`` chooses one of n."""
        self.log.append(word)
        getattr(self, "do_" + word.replace(" ", "_"))(pick)

    def _one(self, pick: Callable[[int], int], orders: Iterable[Order]) -> Order | None:
        found = list(orders)
        return found[pick(len(found))] if found else None

    def _working(self) -> list[Order]:
        return [o for o in self.hand.executor.orders() if not o.is_terminal]

    def do_enter(self, pick: Callable[[int], int]) -> None:
        action = ("enter_long", "enter_short")[pick(2)]
        stop = {"enter_long": "90", "enter_short": "110"}[action] if pick(2) else None
        self._tell(
            signal(
                action,
                str(1 + pick(3)),
                strategy=OWNERS[pick(2)],
                instrument=INSTRUMENTS[pick(2)],
                stop=stop,
                target={"enter_long": "112", "enter_short": "88"}[action]
                if stop
                else None,
                reverse=not pick(4),
            )
        )

    def do_enter_at_a_limit(self, pick: Callable[[int], int]) -> None:
        force = (
            TimeInForce.GTC,
            TimeInForce.IOC,
            TimeInForce.FOK,
        )[pick(3)]
        self._tell(
            signal(
                ("enter_long", "enter_short")[pick(2)],
                str(1 + pick(3)),
                strategy=OWNERS[pick(2)],
                instrument=INSTRUMENTS[pick(2)],
                order_type="limit",
                limit_price=str(95 + pick(10)),
                time_in_force=force,
                post_only=force is TimeInForce.GTC and not pick(3),
            )
        )

    def do_enter_at_a_stop(self, pick: Callable[[int], int]) -> None:
        buys, limit = not pick(2), pick(2)
        trigger = 100 + (1 + pick(8)) * (1 if buys else -1)
        ends = bool(pick(2))
        self._tell(
            signal(
                "enter_long" if buys else "enter_short",
                str(1 + pick(3)),
                strategy=OWNERS[pick(2)],
                instrument=INSTRUMENTS[pick(2)],
                order_type="stop_limit" if limit else "stop",
                trigger=str(trigger),
                limit_price=str(trigger + pick(3) - 1) if limit else None,
                stop=str(80 if buys else 120) if pick(2) else None,
                time_in_force=TimeInForce.GTD if ends else TimeInForce.GTC,
                good_for_ns=(1 + pick(60)) * NS if ends else None,
            )
        )

    def do_exit_at_a_stop(self, pick: Callable[[int], int]) -> None:
        limit = pick(2)
        self._tell(
            signal(
                "exit",
                strategy=OWNERS[pick(2)],
                instrument=INSTRUMENTS[pick(2)],
                order_type="stop_limit" if limit else "stop",
                trigger=str(90 + pick(20)),
                limit_price=str(90 + pick(20)) if limit else None,
            )
        )

    def do_move_a_stop(self, pick: Callable[[int], int]) -> None:
        order = self._one(pick, (o for o in self._working() if o.is_untriggered))
        if order is not None and order.trigger is not None:
            to = order.trigger + pick(5) - 2
            leg = order.role in (OrderRole.STOP, OrderRole.TARGET)
            self._tell(
                AmendOrder(
                    order_id=order.id,
                    quantity=order.quantity,
                    price=to if leg else order.price,
                    trigger=None if leg else to,
                )
            )

    def do_exit(self, pick: Callable[[int], int]) -> None:
        self._tell(
            signal("exit", strategy=OWNERS[pick(2)], instrument=INSTRUMENTS[pick(2)])
        )

    def do_exit_at_a_limit(self, pick: Callable[[int], int]) -> None:
        self._tell(
            signal(
                "exit",
                strategy=OWNERS[pick(2)],
                instrument=INSTRUMENTS[pick(2)],
                order_type="limit",
                limit_price=str(100 + pick(8)),
            )
        )

    def do_protect(self, pick: Callable[[int], int]) -> None:
        self._tell(
            signal(
                "protect",
                strategy=OWNERS[pick(2)],
                instrument=INSTRUMENTS[pick(2)],
                stop=str(90 + pick(20)),
            )
        )

    def do_cancel_entry(self, pick: Callable[[int], int]) -> None:
        self._tell(
            signal(
                "cancel_entry",
                strategy=OWNERS[pick(2)],
                instrument=INSTRUMENTS[pick(2)],
            )
        )

    def do_cancel(self, pick: Callable[[int], int]) -> None:
        order = self._one(pick, self._working())
        if order is not None:
            self._tell(CancelOrders(order_ids=(order.id,)))

    def do_replace(self, pick: Callable[[int], int]) -> None:
        order = self._one(
            pick,
            (
                o
                for o in self._working()
                if o.price is not None and not o.is_untriggered
            ),
        )
        if order is not None:
            desk = self.hand.executor.desk
            tracked = desk.orders.get(order.id)
            assert tracked is not None
            self.hand.core.seq += 1
            desk.replace(tracked, D(1 + pick(4)), D(95 + pick(10)))

    def do_flatten(self, pick: Callable[[int], int]) -> None:
        self._tell(Flatten(instrument=INSTRUMENTS[pick(2)]))

    def do_kill(self, pick: Callable[[int], int]) -> None:
        level = (KillLevel.CANCEL, KillLevel.FLATTEN)[pick(2)]
        self._tell(Kill(level=level))
        if pick(2):
            self._tell(Rearm())

    def do_price(self, pick: Callable[[int], int]) -> None:
        bid = 80.0 + pick(40)
        self.hand.quote(bid, bid + 0.2, INSTRUMENTS[pick(2)])
        self._drain()

    def do_request_arrives(self, pick: Callable[[int], int]) -> None:
        if self.requests:
            index = 0 if pick(3) else pick(len(self.requests))
            self._arrive(*self.requests.pop(index))

    def _arrive(self, sent_ns: int, request: Request) -> None:
        late = self.hand.core.ts - sent_ns > REQUEST_LIVES_NS
        if isinstance(request, SubmitOrder) and late:
            return
        self._say(self.venue.take(request))

    def do_request_is_lost(self, pick: Callable[[int], int]) -> None:
        if self.requests:
            self.requests.pop(pick(len(self.requests)))

    def do_report_arrives(self, pick: Callable[[int], int]) -> None:
        if self.reports:
            self._give(self.reports.pop(0))

    def do_report_arrives_out_of_turn(self, pick: Callable[[int], int]) -> None:
        if self.reports:
            self._give(self.reports.pop(pick(len(self.reports))))

    def do_report_arrives_twice(self, pick: Callable[[int], int]) -> None:
        if self.reports:
            report = self.reports.pop(0)
            self._give(report)
            self._give(report)

    def do_report_is_lost(self, pick: Callable[[int], int]) -> None:
        if self.reports:
            index = pick(len(self.reports))
            if id(self.reports[index]) not in self.sure:
                self.reports.pop(index)

    def do_old_report_comes_again(self, pick: Callable[[int], int]) -> None:
        if self.past:
            self._give(self.past[pick(len(self.past))])

    def _open(self, pick: Callable[[int], int]) -> VenueOrder | None:
        found = self.venue.open()
        return found[pick(len(found))] if found else None

    def do_venue_wakes(self, pick: Callable[[int], int]) -> None:
        waiting = self.venue.waiting()
        if waiting:
            self._say(self.venue.wake(waiting[pick(len(waiting))]))

    def do_venue_fills(self, pick: Callable[[int], int]) -> None:
        order = self._open(pick)
        if order is not None:
            left = order.size - order.done
            size = left if pick(2) else min(left, D(1 + pick(9)) / 10)
            self._say(self.venue.trade(order, size, D(95 + pick(10))))

    def do_venue_overfills(self, pick: Callable[[int], int]) -> None:
        order = self._open(pick)
        if order is not None and self.connected:
            # Nothing but the position tells of a fill beyond the last: it comes.
            size = order.size - order.done + 1
            self._say(self.venue.trade(order, size, D(100)), sure=True)

    def do_venue_cancels(self, pick: Callable[[int], int]) -> None:
        order = self._open(pick)
        if order is not None:
            self._say(self.venue.cancel(order))

    def do_venue_expires(self, pick: Callable[[int], int]) -> None:
        order = self._open(pick)
        if order is not None:
            self._say(self.venue.expire(order))

    def do_venue_rejects(self, pick: Callable[[int], int]) -> None:
        order = self._open(pick)
        if order is not None and not order.trades and not order.made_here:
            self._say(self.venue.reject(order))

    def do_venue_will_refuse(self, pick: Callable[[int], int]) -> None:
        self.venue.refuse_next = True

    def do_venue_forgets(self, pick: Callable[[int], int]) -> None:
        over = [
            name
            for name, order in self.venue.orders.items()
            if order.state != "open" and name in self.heard
        ]
        if over:
            # A venue forgets after months: what was heard is on disk by then.
            self.durable = len(self.hand.core.records)
            self.venue.forgotten.add(over[pick(len(over))])

    def do_made_by_hand(self, pick: Callable[[int], int]) -> None:
        self._say(
            self.venue.by_hand(INSTRUMENTS[pick(2)], bool(pick(2)), D(1 + pick(3)))
        )

    def do_made_by_hand_unheard(self, pick: Callable[[int], int]) -> None:
        self.venue.by_hand(INSTRUMENTS[pick(2)], bool(pick(2)), D(1 + pick(3)))

    def do_traded_by_hand_unheard(self, pick: Callable[[int], int]) -> None:
        self.do_made_by_hand_unheard(pick)
        order = list(self.venue.orders.values())[-1]
        self.venue.trade(order, order.size if pick(2) else D("0.5"), D(95 + pick(10)))

    def do_money_moves(self, pick: Callable[[int], int]) -> None:
        self.venue.move(("USDT", *INSTRUMENTS)[pick(3)], D(pick(9) - 4))

    def do_operator_asks(self, pick: Callable[[int], int]) -> None:
        self.hand.core.seq += 1
        self.hand.executor.reconcile(Reconcile())
        self._drain()

    def do_operator_settles(self, pick: Callable[[int], int]) -> None:
        names = list(self.hand.executor.controls.unreconciled)
        if not names:
            return
        command = Resolve(
            kind=Subject.BALANCE,
            subject=names[pick(len(names))],
            resolution=Resolution.ADOPT,
        )
        self.hand.core.seq += 1
        try:
            self.hand.executor.resolve(command)
        except CommandRefused:
            # The venue has named another figure since, and is asked again.
            pass
        self._drain()

    def do_operator_takes(self, pick: Callable[[int], int]) -> None:
        executor = self.hand.executor
        found = [
            *((Subject.ORDER, o.id) for o in self._working() if o.owner == "external"),
            *(
                (Subject.POSITION, name)
                for name in INSTRUMENTS
                if executor.position("external", name).quantity
            ),
        ]
        if not found:
            return
        kind, subject = found[pick(len(found))]
        command = Resolve(
            kind=kind,
            subject=subject,
            resolution=tuple(Resolution)[pick(len(Resolution))],
            owner=OWNERS[pick(2)],
            reason="by phone",
        )
        self.hand.core.seq += 1
        try:
            executor.resolve(command)
        except CommandRefused:
            # A position is not canceled, a row has one entry, and one side.
            pass
        self._drain()

    def do_engine_restarts(self, pick: Callable[[int], int]) -> None:
        if any(id(report) in self.sure for report in self.reports):
            return
        before = self.hand.core
        # What is not on disk is lost, and so is what was said to a dead engine.
        kept = self.durable + pick(len(before.records) - self.durable + 1)
        self.records += before.records[:kept]
        self.reports.clear()
        self.past.clear()
        opened = self.hand.executor.reconciliation.opened
        self.hand = self._hand()
        core, executor = self.hand.core, self.hand.executor
        self.durable = 0
        core.ts = before.ts + NS * pick(9)
        core.seq = before.seq + 1
        executor.reconciliation.opened = self.opened
        recovering = Recovering(executor)
        for record in self.records:
            recovering.take(record)
        recovering.finish()
        assert opened or not executor.reconciliation.opened
        self.restarts += 1
        self.heard &= {o.id for o in executor.orders() if o.is_terminal}
        # A venue keeps orders for days: it has what the disk has not heard the end of.
        ended = {o.id: o.filled for o in executor.orders() if o.is_terminal}
        self.venue.forgotten = {
            name
            for name in self.venue.forgotten
            if ended.get(name) == self.venue.orders[name].done
        }
        executor.recover(Recover(origin="engine"), recovering.cut)
        self._drain()

    def do_seconds_pass(self, pick: Callable[[int], int]) -> None:
        self._pass(1 + pick(6))

    def do_much_time_passes(self, pick: Callable[[int], int]) -> None:
        self._pass((11, 35, 70)[pick(3)])

    def _pass(self, seconds: int) -> None:
        core = self.hand.core
        core.advance(core.ts + seconds * NS)
        self._drain()

    def do_disconnect(self, pick: Callable[[int], int]) -> None:
        if not any(id(report) in self.sure for report in self.reports):
            self.connected = False
            self.requests.clear()
            self.reports.clear()

    def do_reconnect(self, pick: Callable[[int], int]) -> None:
        if not self.connected:
            self.connected = True
            self._give(ReportsLost("the connection broke"))

    def do_operator_closes(self, pick: Callable[[int], int]) -> None:
        lost = [o for o in self._working() if o.status is S.UNKNOWN]
        order = self._one(pick, lost)
        if order is not None and order.id not in self.venue.forgotten:
            self.hand.core.seq += 1
            self.hand.executor.close_unknown(order.id, "by phone")
            self._drain()

    # The end.

    def settle(self) -> None:
        """Deliver and answer everything, and let what waits for time have it."""
        pick = _first
        self.do_reconnect(pick)
        for _ in range(8):
            self.settle_now()
            self._pass(61)

    def settle_now(self) -> None:
        """Deliver and answer everything that needs no time."""
        for _ in range(1000):
            if not self.requests and not self.reports:
                return
            while self.requests:
                self._arrive(*self.requests.pop(0))
            while self.reports:
                self._give(self.reports.pop(0))
        raise AssertionError("questions and answers never end")

    def check(self) -> Counter[str]:
        """Compare with the venue; return what there was."""
        executor = self.hand.executor
        ours = {o.id: o for o in executor.orders()}
        unknown = {o.id for o in ours.values() if o.status is S.UNKNOWN}
        assert executor.unknown_count == len(unknown)
        seen: Counter[str] = Counter()
        seen["unknown"] += len(unknown)
        seen["restarts"] += self.restarts
        seen["replacements"] += sum(isinstance(r, OrderReplaced) for r in self.past)
        for name, theirs in self.venue.orders.items():
            if name in unknown:
                continue
            mine = ours.get(name)
            if mine is None:
                # It was not sent from here, and what became of it is nothing.
                assert theirs.made_here, name
                nothing = theirs.state != "open" and not theirs.done
                assert nothing or name in self.venue.forgotten, f"{name}: unseen"
                seen["unseen external"] += 1
                continue
            seen["external"] += mine.owner == "external"
            if mine.inferred and name in self.venue.forgotten:
                # Nobody can tell the operator's word from the truth any more.
                assert mine.status is S.CANCELED, f"{name}: {mine.status}"
                unknown.add(name)
                seen["closed by word"] += 1
                continue
            want = {"open": S.PARTIALLY_FILLED if theirs.done else S.ACCEPTED}.get(
                theirs.state, getattr(S, theirs.state.upper(), None)
            )
            assert mine.status is want, f"{name}: {mine.status}, venue {theirs.state}"
            assert not mine.inferred, f"{name}: still inferred"
            assert mine.filled == theirs.done, f"{name}: {mine.filled}, {theirs.done}"
            if theirs.state == "open":
                assert (mine.quantity, mine.price) == (theirs.size, theirs.limit), name
                assert mine.is_untriggered is theirs.waits, name
                if theirs.waits:
                    assert mine.trigger == theirs.trigger, name
                    seen["waits at the venue"] += 1
            seen[theirs.state] += 1
            if mine.trigger is not None and not mine.is_protection:
                seen["woken"] += theirs.state == "filled"
        for name, mine in ours.items():
            if name in self.venue.orders or mine.status in (
                S.DENIED,
                S.HELD,
                S.UNKNOWN,
            ):
                continue
            ended = mine.status is S.CANCELED or mine.status is S.EXPIRED
            if ended and not mine.inferred:
                # It was held here and never sent.
                assert mine.trigger is not None, name
                assert not mine.filled, name
                continue
            assert mine.is_terminal, f"{name}: {mine.status}"
            assert mine.inferred, f"{name}: {mine.status}"
            seen["never arrived"] += 1
        self._check_money(ours, unknown)
        self._check_balances(seen)
        seen["dust"] += len(executor.ledger.dust())
        return seen

    def _check_balances(self, seen: Counter[str]) -> None:
        """Compare what is said of each currency with what is so."""
        executor = self.hand.executor
        ledger, controls = executor.ledger, executor.controls
        books, there = ledger.balances(), self.venue.totals()
        assert not controls.account_asked
        for line in executor.reconciliation_view().balances:
            name = line.currency
            difference = there.get(name, D(0)) - books.get(name, D(0))
            verdict = Verdict.DIFFERS if difference else Verdict.AGREES
            assert line.verdict is verdict, f"{name}: {line}"
            assert (line.here, line.difference) == (books.get(name, D(0)), difference)
            assert (name in controls.unreconciled) is bool(difference), name
            seen["differing balance" if difference else "equal balance"] += 1
        seen["settled"] += sum(1 for amount in ledger.put_in.values() if amount)

    def _check_money(self, ours: dict[str, Order], unknown: set[str]) -> None:
        """Compare positions and cash; only an Unknown order may make a difference."""
        executor = self.hand.executor
        holdings = dict(self.venue.holdings)
        cash = self.venue.cash
        register = executor.desk.orders
        for name, theirs in self.venue.orders.items():
            tracked = register.get(name)
            if name not in unknown and tracked is not None:
                continue
            for trade in theirs.trades:
                if tracked is None or trade.trade_id not in tracked.trades:
                    signed = trade.quantity if theirs.buys else -trade.quantity
                    holdings[theirs.instrument] -= signed
                    cash += signed * trade.price
                    if trade.fee_currency == "USDT":
                        cash += trade.fee
                    else:
                        holdings[theirs.instrument] += trade.fee
        for instrument in INSTRUMENTS:
            want = holdings.get(instrument, D(0))
            owners = (*OWNERS, "external", "operator", "dust")
            held = {o: executor.position(o, instrument).quantity for o in owners}
            for owner, size in held.items():
                whole = abs(size) >= LOTS[instrument]
                assert whole or not size or owner == "dust", (owner, instrument, size)
            mine = sum(held.values(), D(0))
            assert mine == executor.net(instrument) == want, instrument
        account = executor.account()
        spent = sum(
            (p.quantity * p.average_price for p in executor.ledger.positions()), D(0)
        )
        mine_cash = account.realized - account.fees - spent
        assert abs(mine_cash - cash) < D("1e-9"), f"cash {mine_cash}, venue {cash}"


def _first(n: int) -> int:
    return 0


def play(number: int, seed: int, steps: int) -> Interleaving:
    """Play one numbered sequence to its end and compare."""
    rng = random.Random(f"{seed}/{number}")
    words = rng.choices(CHOICES, weights=tuple(WORDS.values()), k=steps)
    run = Interleaving(
        opened=number % 8 != 0, keeps_stops=number % 2 == 1, in_kind=number % 5 == 0
    )
    for word in words:
        run.step(word, lambda n: int(rng.random() * n))
    run.settle()
    return run


def main() -> int:
    """Play many sequences; return 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.execution.interleaving")
    parser.add_argument("--sequences", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60)
    args = parser.parse_args()
    total: Counter[str] = Counter()
    failed = 0
    for number in range(args.first, args.first + args.sequences):
        try:
            total += play(number, args.seed, args.steps).check()
        except Exception:
            failed += 1
            print(f"sequence {number} of seed {args.seed} failed", flush=True)
            if failed <= 3:
                traceback.print_exc()
        if (number + 1) % 10_000 == 0:
            print(f"{number + 1} played, {failed} failed, {dict(total)}", flush=True)
    print(f"{args.sequences} sequences of {args.steps} steps: {failed} failed")
    print(", ".join(f"{name} {count}" for name, count in sorted(total.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
