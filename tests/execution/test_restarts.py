"""What losses, limits and rates are measured from outlives the engine."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from tests.execution.fakes import (
    BTC,
    CASH,
    ETH,
    NS,
    FakeCore,
    FakeMarket,
    Hand,
    by_hand,
    signal,
    ticket,
)
from tests.execution.test_entry_limits import OFF
from workstation.execution.executor import Executor
from workstation.execution.ledger import DAY_NS
from workstation.execution.recovering import Recovering
from workstation.execution.settings import OrderSettings, RiskSettings
from workstation.model.commands import (
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    Rearm,
    Recover,
    SetLimit,
)
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Instrument
from workstation.model.limits import BreakerState
from workstation.model.orders import OrderEvent, OrderStatus
from workstation.model.rates import RateLimit
from workstation.model.records import (
    BreakerRecord,
    CommandRecord,
    ControlRecord,
    DenyRecord,
    FaultRecord,
    LossBaseRecord,
    OrderRecord,
    Record,
    TaskRecord,
)
from workstation.model.reports import (
    OrderExpired,
    OrderRejected,
    OrderStatusReport,
)
from workstation.model.requests import CancelOrder, QueryOrder

D = Decimal


def hand_with(**limits: object) -> Hand:
    hand = Hand(replace(OFF, **limits))
    hand.quote(100.0, 100.0)
    return hand


class Restarted(Hand):
    """The next run on the account of another hand, ``later_s`` after it was killed.

    ``between`` is what a run in between had on record when it was killed.
    """

    def __init__(
        self,
        before: Hand,
        later_s: float = 1.0,
        *,
        risk: RiskSettings | None = None,
        orders: OrderSettings | None = None,
        cash: Decimal = CASH,
        btc: Instrument = BTC,
        between: Sequence[Record] = (),
    ) -> None:
        self.market = FakeMarket()
        self.core = FakeCore(before.core.ts + int(later_s * NS))
        self.core.seq = 1_000_000
        settings = before.executor.limits.settings if risk is None else risk
        self.executor = Executor(
            settings,
            orders or OrderSettings(),
            (btc, ETH),
            self.market,
            currency="USDT",
            cash=cash,
            rates=[RateLimit(window_s=60, weight=10)],
            cancel_share=0.5,
        )
        self.executor.attach(self.core)
        recovering = Recovering(self.executor)
        for records in (before.core.records, between):
            if records:
                recovering.begins(to_builtins(settings, builtin_types=(Decimal,)))
            for record in records:
                recovering.take(record)
        recovering.finish()
        self.cut = recovering.cut
        self._trades = 1_000


def at(hand: Hand, price: float, seconds: float = 1.0) -> None:
    hand.core.advance(hand.core.ts + int(seconds * NS))
    hand.quote(price, price)


def denied(hand: Hand) -> list[str]:
    return [str(record.code) for record in hand.core.kept(DenyRecord)]


def kills(hand: Hand) -> list[str]:
    return [r.after for r in hand.core.kept(ControlRecord) if r.name == "kill"]


@pytest.mark.parametrize("beyond", [False, True])
def test_a_daily_loss_counts_on_after_a_restart(beyond: bool) -> None:
    hand = hand_with(max_daily_loss=D(5000), on_breach="hold")
    hand.fill(hand.enter(), "1", "100", fee="5000.1" if beyond else "5000")
    again = Restarted(hand)
    assert again.executor.ledger.day_start == CASH
    again.quote(100.0, 100.0)
    again.enter(strategy="other")
    # Beyond it the breaker has climbed with the first quote.
    assert denied(again) == (["KILLED"] if beyond else [])
    assert kills(again) == (["hold"] if beyond else [])


@pytest.mark.parametrize("beyond", [False, True])
def test_a_drawdown_is_from_the_highest_equity_of_all_runs(beyond: bool) -> None:
    hand = hand_with(max_drawdown=D("0.1"), on_breach="hold")
    hand.fill(hand.enter("100"), "100", "100")
    at(hand, 200.0)
    at(hand, 150.0)
    again = Restarted(hand)
    assert again.executor.ledger.curve.peak == 110_000
    # 110,000 × 0.9 = 99,000 is at the limit.
    again.quote(*(89.9, 89.9) if beyond else (90.0, 90.0))
    again.enter(strategy="other")
    assert denied(again) == (["KILLED"] if beyond else [])


def test_the_highest_equity_is_on_record_to_a_thousandth() -> None:
    hand = hand_with()
    hand.fill(hand.enter("100"), "100", "100")
    price, written = 100.0, 0
    for _ in range(400):
        price += 0.5
        at(hand, price)
        true = hand.executor.ledger.curve.peak
        kept = Restarted(hand).executor.ledger.curve.peak
        assert true / D("1.001") < kept <= true
        written = len(hand.core.kept(LossBaseRecord))
    # 20 % more equity, a record for each 0.1 % at most.
    assert 100 < written <= 190


def test_a_day_that_ended_in_between_begins_anew_with_the_equity_of_then() -> None:
    hand = hand_with(max_daily_loss=D(5000), on_breach="hold")
    hand.fill(hand.enter("100"), "100", "100", fee="5000.1")
    again = Restarted(hand, DAY_NS / NS)
    # Nobody knows the equity yet: what is held has no mark.
    again.quote(50.0, 50.0, "ETH")
    assert again.executor.ledger.day_start == CASH
    again.quote(110.0, 110.0)
    assert again.executor.ledger.day_start == CASH - D("5000.1") + 1000
    assert [day.day_ns for day in again.executor.ledger.statements.days] == [0, DAY_NS]
    again.quote(60.1, 60.1)
    assert denied(again) == []


def test_within_the_day_it_goes_on_and_ends_when_it_would_have() -> None:
    hand = hand_with()
    again = Restarted(hand, DAY_NS / NS / 2)
    again.quote(100.0, 100.0)
    ledger = again.executor.ledger
    assert [day.day_ns for day in ledger.statements.days] == [0]
    again.core.advance(DAY_NS)
    again.quote(100.0, 100.0)
    assert [day.day_ns for day in ledger.statements.days] == [0]
    again.core.advance(DAY_NS + 1)
    again.quote(100.0, 100.0)
    assert [day.day_ns for day in ledger.statements.days] == [0, DAY_NS]


@pytest.mark.parametrize("price", [50.0, 49.9])
def test_a_day_that_ended_in_between_is_judged_by_what_it_has_come_to(
    price: float,
) -> None:
    hand = hand_with(max_daily_loss=D(5000), on_breach="hold")
    hand.fill(hand.enter("100"), "100", "100")
    at(hand, 100.0)
    again = Restarted(hand, DAY_NS / NS)
    again.quote(price, price)
    assert kills(again) == ([] if price == 50.0 else ["hold"])
    # The new day begins without it.
    assert again.executor.limits.daily_loss(again.executor.account().equity) == 0


@pytest.mark.parametrize("told", ["before the end", "after the restart"])
def test_a_day_whose_first_fill_came_before_any_price_begins_without_it(
    told: str,
) -> None:
    hand = hand_with(max_daily_loss=D(5000), on_breach="hold")
    hand.fill(hand.enter("100"), "100", "100")
    at(hand, 100.0)
    hand.core.advance(DAY_NS + NS)
    leaves = hand if told == "before the end" else Restarted(hand)
    leaves.give(signal("exit"))
    leaves.fill(leaves.submitted()[-1], "60", "90", fee="1")
    again = Restarted(hand) if leaves is hand else leaves
    again.core.advance(again.core.ts + NS)
    again.quote(80.0, 80.0)
    ledger = again.executor.ledger
    first, second = ledger.statements.daily(ledger.value().equity)
    # What the 40 that are left have lost nobody saw in the new day.
    assert first.end - first.start == -800
    assert [second.sums.realized, second.sums.fees] == [-600, 1]
    assert second.end - second.start == -601


@pytest.mark.parametrize("more", [-20_000, 20_000])
def test_other_cash_in_the_config_neither_hides_a_loss_nor_makes_one(
    more: int,
) -> None:
    hand = hand_with(max_daily_loss=D(5000), max_drawdown=D("0.5"))
    hand.fill(hand.enter(), "1", "100", fee="4000")
    again = Restarted(hand, cash=CASH + more)
    equity = again.executor.account().equity
    limits = again.executor.limits
    assert equity == CASH + more - 4000
    assert limits.daily_loss(equity) == 4000
    assert limits.drawdown(equity) == D(4000) / (CASH + more)


def test_a_re_arm_begins_the_drawdown_anew_for_all_runs_after_it() -> None:
    hand = hand_with(max_drawdown=D("0.1"), on_breach="hold")
    hand.fill(hand.enter("100"), "100", "100")
    at(hand, 300.0)
    at(hand, 100.0)
    assert kills(hand) == ["hold"]
    hand.give(Rearm())
    at(hand, 100.0)
    again = Restarted(hand)
    assert again.executor.ledger.curve.peak == CASH
    again.quote(100.0, 100.0)
    again.enter(strategy="other")
    assert (denied(again), kills(again)) == ([], [])


def test_a_breaker_that_tripped_does_not_climb_again_for_a_restart() -> None:
    hand = hand_with(max_daily_loss=D(5000), on_breach="hold")
    hand.fill(hand.enter("100"), "100", "100", fee="6000")
    at(hand, 100.0)
    hand.give(Rearm())
    at(hand, 100.0)
    assert kills(hand) == ["hold", "armed"]
    again = Restarted(hand)
    again.quote(100.0, 100.0)
    at(again, 100.0)
    assert kills(again) == []
    again.enter(strategy="other")
    assert denied(again) == ["MAX_DAILY_LOSS"]


@pytest.mark.parametrize("way", ["limit", "price"])
def test_a_loss_that_entries_are_allowed_within_again_can_trip_once_more(
    way: str,
) -> None:
    hand = hand_with(max_daily_loss=D(5_000), on_breach="hold")
    hand.fill(hand.enter("1000"), "1000", "100")
    at(hand, 94.9)
    assert kills(hand) == ["hold"]
    hand.give(Rearm())
    if way == "limit":
        hand.give(SetLimit(name="max_daily_loss", value=D(5_300), confirmed=True))
    at(hand, 94.9 if way == "limit" else 95.1)
    hand.enter("1", strategy="b")
    assert denied(hand) == []
    at(hand, 90.0)
    assert kills(hand) == ["hold", "armed", "hold"]


def test_a_breaker_that_trips_under_a_kill_by_hand_cools_after_a_restart_too() -> None:
    hand = hand_with(
        max_daily_loss=D(5_000), on_breach="hold", cooling_s=600.0, size_ramp_s=60.0
    )
    hand.fill(hand.enter("1000"), "1000", "100")
    hand.give(Kill(level=KillLevel.CANCEL, reason="by hand"))
    at(hand, 94.0)
    assert kills(hand) == ["cancel"]
    again = Restarted(hand)
    for each in (hand, again):
        with pytest.raises(CommandRefused, match="cooling, re-arm in"):
            each.give(Rearm())
    for each in (hand, again):
        each.core.advance(each.core.ts + 601 * NS)
        each.give(Rearm())
        assert each.executor.controls.ramp_from_ns is not None


def test_a_re_arm_that_made_a_breaker_calm_is_on_record() -> None:
    hand = hand_with(max_drawdown=D("0.1"), on_breach="hold")
    hand.fill(hand.enter(), "1", "100", fee="20000")
    at(hand, 100.0)
    hand.give(Rearm())
    last = hand.core.kept(BreakerRecord)[-1]
    assert (last.name, last.before, last.after) == (
        "max_drawdown",
        BreakerState.TRIPPED,
        BreakerState.CALM,
    )


@pytest.mark.parametrize("later_s", [8.9, 9.0])
def test_orders_of_the_run_before_count_in_the_rate_of_this_one(
    later_s: float,
) -> None:
    hand = hand_with(max_order_rate=2, order_rate_s=10.0)
    hand.enter(strategy="a")
    hand.core.advance(hand.core.ts + NS)
    hand.enter(strategy="b")
    again = Restarted(hand, later_s)
    again.quote(100.0, 100.0)
    again.enter(strategy="c")
    assert denied(again) == (["MAX_ORDER_RATE"] if later_s < 9 else [])


def test_what_was_sent_counts_in_the_brokers_rates_and_in_the_message_ratio() -> None:
    hand = hand_with(max_message_ratio=D(5), message_ratio_least=2)
    for owner in "abcd":
        hand.enter(strategy=owner)
    hand.fill("o-1", "1", "100")
    again = Restarted(hand)
    limits, now = again.executor.limits, again.core.ts
    assert limits.message_ratio(now) == 4
    assert again.executor.rates.used(now) == 0.4
    again.quote(100.0, 100.0)
    again.enter(strategy="e")
    again.enter(strategy="f")
    assert denied(again) == ["MAX_MESSAGE_RATIO"]


def test_a_limit_set_live_holds_after_a_restart() -> None:
    hand = hand_with(max_order_value=D(1000))
    config = hand.executor.limits.settings
    hand.give(SetLimit(name="max_order_value", value=D(500)))
    again = Restarted(hand, risk=config)
    again.quote(100.0, 100.0)
    again.enter("5.001", strategy="a")
    assert denied(again) == ["MAX_ORDER_VALUE"]
    again.enter("5", strategy="b")
    assert denied(again) == ["MAX_ORDER_VALUE"]


def asked(hand: Hand) -> list[str]:
    return [r.order_id for r in hand.core.requests if isinstance(r, QueryOrder)]


def test_an_end_that_was_concluded_is_asked_about_after_a_restart() -> None:
    hand = hand_with()
    order_id = hand.enter()
    hand.core.advance(hand.core.ts + 20 * NS)
    hand.executor.close_unknown(order_id, "by phone")
    again = Restarted(hand)
    again.executor.recover(Recover(), [])
    assert asked(again) == [order_id]
    assert not again.executor.reconciling, "nobody waits for that answer"
    again.give(OrderStatusReport(order_id, OrderStatus.CANCELED))
    assert not again.executor.orders()[0].inferred


def test_an_end_concluded_after_a_restart_is_asked_about_again() -> None:
    hand = hand_with()
    order_id = hand.enter()
    again = Restarted(hand)
    again.executor.recover(Recover(), [])
    again.executor.close_unknown(order_id, "by phone")
    before = len(asked(again))
    again.core.advance(again.core.ts + 120 * NS)
    assert len(asked(again)) > before


def test_what_the_venue_has_had_it_never_refused() -> None:
    hand = hand_with()
    order_id = hand.enter()
    hand.executor.operations.cancel_orders(CancelOrders(order_ids=(order_id,)))
    # Nobody has answered the cancel: an acknowledgement settles nothing any more.
    hand.core.advance(hand.core.ts + 6 * NS)
    hand.accept(order_id)
    again = Restarted(hand)
    again.executor.recover(Recover(), [])
    again.core.advance(again.core.ts + 60 * NS)
    again.give(OrderStatusReport(order_id, None))
    (order,) = again.executor.orders()
    assert order.status is OrderStatus.UNKNOWN, "it knows it no more"


def test_an_order_made_by_hand_is_never_taken_for_refused() -> None:
    hand = hand_with()
    hand.give(by_hand("web_1", "1", "90"))
    first = next(r for r in hand.core.records if isinstance(r, OrderRecord))
    # Of no venue id, and in doubt when the engine was killed.
    doubted = replace(first.order, venue_id=None, status=OrderStatus.UNKNOWN)
    hand.core.records[:] = [replace(first, order=doubted, event=OrderEvent.DOUBT)]
    again = Restarted(hand)
    again.executor.recover(Recover(), [])
    again.core.advance(again.core.ts + 60 * NS)
    again.give(OrderStatusReport("web_1", None))
    (order,) = again.executor.orders()
    assert order.status is not OrderStatus.REJECTED


@pytest.mark.parametrize("adopted", [False, True])
def test_what_was_bought_by_hand_after_a_kill_is_left_alone_adopted_or_not(
    adopted: bool,
) -> None:
    hand = Hand()
    hand.fill(hand.enter("1"), "1")
    hand.give(Kill(level=KillLevel.FLATTEN, reason="enough"))
    hand.fill(hand.submitted()[-1], "1", "100")
    hand.core.advance(hand.core.ts + 10 * NS)
    bought = by_hand("web_1")
    hand.give(bought)
    hand.fill("web_1", "1", "100.2")
    if adopted:
        hand.core.seq += 1
        hand.executor.adopt("operator", "BTC", "external")
    again = Restarted(hand)
    again.executor.recover(Recover(origin="engine"), [])
    again.quote(100.0, 100.2)
    assert again.submitted() == []
    assert again.position("operator" if adopted else "external") == 1


def test_an_overfilled_order_is_asked_about_again_after_a_restart() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.accept(order_id)
    hand.fill(order_id, "1.5")
    again = Restarted(hand)
    again.executor.recover(Recover(origin="engine"), [])
    assert order_id in asked(again)
    again.give(OrderStatusReport(order_id, OrderStatus.FILLED, D(2)))
    assert again.executor.desk.queries.asks(order_id)
    again.fill(order_id, "0.5")
    again.give(OrderStatusReport(order_id, OrderStatus.FILLED, D(2)))
    assert not again.executor.desk.queries.asks(order_id)
    assert again.position() == D(2)


def test_what_an_own_order_filled_after_a_kill_is_closed_by_the_next_start() -> None:
    hand = Hand()
    hand.give(ticket("1", "99"))
    hand.accept("o-1")
    hand.give(Kill(level=KillLevel.FLATTEN, reason="enough"))
    hand.core.advance(hand.core.ts + NS)
    hand.fill("o-1", "1", "99")
    hand.give(OrderRejected(hand.submitted()[-1], "no connection"))
    again = Restarted(hand)
    again.quote(100.0, 100.2)
    again.executor.recover(Recover(origin="engine"), [])
    assert len(again.submitted()) == 1


# A clock that was ahead in the run before.


def taken_up(hand: Hand, later_s: float) -> Restarted:
    """Return the next run, which has begun and has what all before it recorded."""
    again = Restarted(hand, later_s)
    again.executor.recover(Recover(origin="engine"), again.cut)
    earlier, again.core.records = again.core.records, [*hand.core.records]
    again.core.records += earlier
    return again


def alarms(hand: Hand) -> list[str]:
    return [r.error for r in hand.core.kept(FaultRecord) if r.where == "clock"]


def test_orders_sent_later_than_the_clock_count_as_sent_now_and_it_is_said() -> None:
    hand = hand_with(max_order_rate=5, order_rate_s=10.0)
    hand.core.ts += 7200 * NS
    hand.quote(100.0, 100.0)
    for owner in "abcde":
        hand.enter("1", strategy=owner)
        hand.give(OrderRejected(hand.submitted()[-1], "no"))
    hand.core.advance(hand.core.ts + NS)
    again = taken_up(hand, -3600.0)
    assert alarms(again) == [
        "records of this account are from 3,599.0 s later than the clock; what they "
        "began begins now. Is the clock right?"
    ]
    now = again.core.ts
    assert again.executor.limits.order_rate(now) == 5
    assert again.executor.rates.used(now) == 0.5
    again.core.advance(now + 60 * NS)
    assert again.executor.limits.order_rate(again.core.ts) == 0
    assert again.executor.rates.used(again.core.ts) == 0
    again.quote(100.0, 100.0)
    again.enter("1", strategy="f")
    assert denied(again) == []


@pytest.mark.parametrize("later_s", [0.0, 1.0])
def test_nothing_is_said_of_a_clock_that_goes_on(later_s: float) -> None:
    hand = hand_with(max_daily_loss=D(5_000), cooling_s=600.0)
    hand.fill(hand.enter("1000"), "1000", "100")
    at(hand, 90.0)
    hand.give(Hold(on=True))
    again = taken_up(hand, later_s)
    assert alarms(again) == []
    assert kills(again) == ["cancel"]


def test_a_kill_later_than_the_clock_is_of_now_and_what_is_made_after_it_stays() -> (
    None
):
    hand = hand_with()
    hand.core.ts += 7200 * NS
    hand.quote(100.0, 100.0)
    hand.give(Kill(level=KillLevel.CANCEL, reason="enough"))
    hand.give(Hold(on=True))
    again = taken_up(hand, -3600.0)
    controls = again.executor.controls
    assert (controls.killed_ns, controls.hold_since_ns) == (again.core.ts,) * 2
    assert (controls.kill_reason, controls.tripped) == ("enough", False)
    again.core.advance(again.core.ts + NS)
    again.give(by_hand("web_1", "1", "99", venue_id="v-1"))
    again.give(OrderStatusReport("web_1", OrderStatus.ACCEPTED))
    # The clock says less than at the kill, and the run after next knows when it was.
    third = taken_up(again, 10.0)
    assert third.executor.controls.killed_ns == controls.killed_ns
    assert third.executor.controls.kill_reason == "enough"
    assert not [r for r in third.core.requests if isinstance(r, CancelOrder)]


def test_a_breakers_kill_later_than_the_clock_cools_from_now_on() -> None:
    hand = hand_with(
        max_daily_loss=D(5_000), on_breach="hold", cooling_s=600.0, size_ramp_s=60.0
    )
    hand.core.ts += 7200 * NS
    hand.quote(100.0, 100.0)
    hand.fill(hand.enter("1000"), "1000", "100")
    at(hand, 94.0)
    again = taken_up(hand, -3600.0)
    until_ns = again.core.ts + 600 * NS
    assert again.executor.controls.cooling_until_ns == until_ns
    assert again.executor.controls.tripped
    third = taken_up(again, 1.0)
    assert third.executor.controls.cooling_until_ns == until_ns
    third.core.advance(until_ns)
    third.give(Rearm())
    third.core.records.append(third.core.kept(ControlRecord)[-1])
    # Its ramp, too.
    fourth = taken_up(third, -60.0)
    assert fourth.executor.controls.ramp_from_ns == fourth.core.ts
    assert alarms(fourth)


def test_a_day_later_than_the_clock_is_the_day_of_now_and_ends_with_it() -> None:
    hand = hand_with(max_daily_loss=D(5000), on_breach="hold")
    hand.core.ts += 3 * DAY_NS
    hand.quote(100.0, 100.0)
    hand.fill(hand.enter("100"), "100", "100", fee="4000")
    at(hand, 100.0)
    again = taken_up(hand, -2 * DAY_NS / NS)
    assert alarms(again)
    ledger, limits = again.executor.ledger, again.executor.limits
    at(again, 100.0)
    assert limits.daily_loss(again.executor.account().equity) == 4000
    assert [day.day_ns for day in ledger.statements.days] == [0, DAY_NS]
    third = taken_up(again, 1.0)
    assert third.executor.ledger.day_ns == DAY_NS
    for each in (again, third):
        each.core.advance(2 * DAY_NS + NS)
        each.quote(100.0, 100.0)
        assert each.executor.ledger.day_start == CASH - 4000


def test_a_drawdown_begun_anew_is_on_record_before_the_market_goes_on() -> None:
    hand = hand_with(max_drawdown=D("0.1"), on_breach="flatten")
    hand.fill(hand.enter("100"), "100", "100")
    at(hand, 300.0)
    at(hand, 100.0)
    assert kills(hand) == ["flatten"]
    hand.fill(hand.submitted()[-1], "100", "100")
    hand.give(Rearm())
    again = Restarted(hand)
    again.executor.recover(Recover(origin="engine"), again.cut)
    again.quote(100.0, 100.0)
    again.enter(strategy="other")
    assert (denied(again), kills(again)) == ([], [])


@pytest.mark.parametrize("died", [False, True], ids=["taken up", "died at once"])
def test_what_was_to_be_tried_again_outlives_a_run_that_did_not_get_to_it(
    died: bool,
) -> None:
    capped = OrderSettings(max_slippage_bps=10.0)
    before = Hand(orders=capped)
    before.give(ticket("2"))
    before.fill("o-1", "2", "100")
    before.give(Flatten(instrument="BTC"))
    before.fill("o-2", "1", "100")
    before.give(OrderExpired("o-2", filled=D(1)))
    ts = before.core.ts + 60 * NS
    begins: list[Record] = [
        TaskRecord(seq=0, ts=ts, task="executor", before="registered", after="running")
    ]
    if not died:
        taken = CommandRecord(
            seq=1, ts=ts, command="Recover", subject="", who="engine", accepted=True
        )
        begins += [taken, replace(taken, seq=2, ts=ts + NS, command="Hold")]
    again = Restarted(before, 120.0, orders=capped, between=begins)
    again.quote(100.0, 100.2)
    again.executor.recover(Recover(origin="engine"), again.cut)
    assert len(again.submitted()) == died
