"""What the engine's end has left unanswered, and how the next run takes it up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.execution.fakes import BTC, NS, Hand, by_hand, signal, ticket
from tests.execution.test_restarts import Restarted
from workstation.execution.settings import OrderSettings
from workstation.model.commands import Flatten, Hold, Kill, KillLevel, Recover
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus
from workstation.model.records import FaultRecord, SignalRecord
from workstation.model.reports import (
    OrderCanceled,
    OrderExpired,
    OrderStatusReport,
)
from workstation.model.requests import QueryOrder
from workstation.model.signals import Signal

D = Decimal
LATE_NS = 1_700_000_000 * NS
CAPPED = OrderSettings(max_slippage_bps=50.0)


def now(orders: OrderSettings | None = None) -> Hand:
    """Return a hand at a time of day: the fakes' clock begins with the first second."""
    hand = Hand(orders=orders)
    hand.core.ts = LATE_NS
    hand.quote(100.0, 100.2)
    return hand


def again(
    before: Hand, later_s: float = 1.0, orders: OrderSettings | None = None
) -> Restarted:
    """Return the next run on the account, which has asked the venue."""
    hand = Restarted(before, later_s, orders=orders)
    hand.executor.recover(Recover(origin="engine"), hand.cut)
    hand.quote(100.0, 100.2)
    hand.core.seq += 1
    return hand


def say(hand: Hand, given: Signal) -> None:
    """Let a row send a signal, which is on record in the same input."""
    hand.core.seq += 1
    hand.core.record(SignalRecord(hand.core.seq, hand.core.ts, given))
    hand.executor.handle_event(given)


def test_an_order_that_is_on_its_way_is_not_taken_for_refused_at_once() -> None:
    before = now()
    before.enter("1", order_type="limit", limit_price="100")
    hand = again(before)
    hand.give(OrderStatusReport("o-1", None, asked_ns=hand.core.ts))
    (order,) = hand.executor.orders()
    assert order.status is OrderStatus.UNKNOWN
    late_ns = hand.core.ts + 60 * NS
    hand.core.advance(late_ns)
    hand.give(OrderStatusReport("o-1", None, asked_ns=late_ns))
    (order,) = hand.executor.orders()
    assert order.status is OrderStatus.REJECTED


def test_a_close_of_what_was_bought_by_hand_is_an_order_of_ours() -> None:
    before = now()
    before.give(by_hand("web-1", "1", "100", venue_id="v1"))
    before.fill("web-1", "1", "100")
    before.give(Flatten(instrument="BTC"))
    hand = again(before, 60.0)
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.give(OrderStatusReport("o-1", None, asked_ns=hand.core.ts))
    assert hand.executor.orders()[-1].status is OrderStatus.REJECTED
    hand.give(Flatten(instrument="BTC"))
    assert len(hand.submitted()) == 1


def test_a_market_entry_counts_at_what_it_was_judged_at() -> None:
    before = now()
    before.enter("9")
    before.accept("o-1")
    hand = again(before)
    counted = hand.executor.desk.orders.pending_value
    assert counted == before.executor.desk.orders.pending_value == D("901.8")


@pytest.mark.parametrize("kill", [True, False])
def test_the_rest_of_a_flatten_within_a_cap_is_tried_again(kill: bool) -> None:
    before = now(CAPPED)
    before.give(ticket("1"))
    before.fill("o-1", "1", "100")
    flatten = Kill(level=KillLevel.FLATTEN) if kill else Flatten(instrument="BTC")
    before.give(flatten)
    hand = again(before, orders=CAPPED)
    hand.fill("o-2", "0.3", "100")
    hand.give(OrderStatusReport("o-2", OrderStatus.EXPIRED, D("0.3")))
    hand.core.advance(hand.core.ts + 10 * NS)
    assert hand.executor.orders()[-1].quantity == D("0.7")


def test_a_flatten_that_was_to_be_tried_again_is_after_a_restart() -> None:
    before = now(CAPPED)
    before.give(ticket("2"))
    before.fill("o-1", "2", "100")
    before.give(Flatten(instrument="BTC"))
    before.fill("o-2", "1", "100")
    before.give(OrderExpired("o-2", filled=D(1)))
    hand = again(before, orders=CAPPED)
    # Not before the cap has a price to be measured from.
    assert hand.executor.orders()[-1].id == "o-2"
    hand.core.advance(hand.core.ts + NS)
    assert hand.executor.orders()[-1].quantity == 1
    assert hand.executor.orders()[-1].id != "o-2"


def test_a_refused_signal_does_not_take_the_stop_of_a_reversal_that_waits() -> None:
    before = now()
    say(before, signal("enter_long", "1", stop="95"))
    before.fill("o-1", "1")
    say(before, signal("enter_short", "1", reverse=True, stop="110"))
    close = before.submitted()[-1]
    say(before, signal("enter_short", "1"))
    before.fill(close, "1")
    entry = before.submitted()[-1]
    hand = again(before)
    hand.fill(entry, "1", "100")
    assert hand.held() == [("stop", D(1), D(110))]


@pytest.mark.parametrize("is_last", [True, False])
def test_a_late_fill_is_closed_once_though_the_engine_ended_with_it(
    is_last: bool,
) -> None:
    before = now()
    late = before.enter("1", order_type="limit", limit_price="99")
    before.accept(late)
    before.give(Flatten(instrument="BTC", owner="s"))
    before.give(OrderCanceled(late))
    other = before.enter("5")
    before.fill(other, "5", "100")
    before.fill(late, "1", "99")
    assert [o.quantity for o in before.executor.orders() if o.reduce_only] == [D(1)]
    if not is_last:
        before.give(Hold(on=True))
    hand = again(before)
    closing = hand.executor.desk.orders.closing("s", "BTC", Side.SELL)
    assert (hand.position(), closing) == (D(6), D(1))
    assert not hand.core.kept(FaultRecord)


def test_silent_orders_are_asked_about_in_the_next_run_too() -> None:
    before = now()
    entry = before.enter("1", order_type="limit", limit_price="99")
    before.accept(entry)
    hand = again(before)
    hand.give(OrderStatusReport(entry, OrderStatus.ACCEPTED, asked_ns=hand.core.ts))
    asked = sum(isinstance(each, QueryOrder) for each in hand.core.requests)
    for _ in range(60):
        hand.core.advance(hand.core.ts + 60 * NS)
    assert sum(isinstance(each, QueryOrder) for each in hand.core.requests) > asked


def test_what_is_owed_of_a_close_is_what_was_not_sent() -> None:
    btc = replace(BTC, max_quantity=D(1), min_quantity=D("0.5"))
    hand = Hand(btc=btc)
    entry = hand.enter("1", order_type="limit", limit_price="99")
    hand.accept(entry)
    hand.give(Flatten(instrument="BTC"))
    hand.fill(entry, "0.4", "99")
    assert hand.executor.outcomes.digest() == (("s", "BTC", "0.4"),)
    hand.fill(entry, "0.4", "99")
    assert hand.executor.outcomes.digest() == ()
