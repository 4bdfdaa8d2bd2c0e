"""A clock that was ahead in the run before: what it put later than now is of now."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec import structs

from tests.execution.fakes import NS, Hand, bar, by_hand, signal
from tests.execution.test_reconciliation import Account
from tests.execution.test_reconciliation import taken_up as account_taken_up
from tests.execution.test_restarts import Restarted, hand_with, taken_up
from workstation.execution.settings import OrderSettings
from workstation.model.commands import Flatten, Kill, KillLevel, Recover
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderStatus, OrderType
from workstation.model.reports import (
    OrderExpired,
    OrderRejected,
    OrderStatusReport,
)
from workstation.model.requests import CancelOrder

D = Decimal
HOUR = 3_600.0
CAPPED = OrderSettings(max_slippage_bps=50.0)
# Two hours in, so that the next run may begin an hour earlier.
BEGIN = 7_200 * NS
# An hour before the run before ended by its clock, and a second after.
later = pytest.mark.parametrize("later_s", [-HOUR, 1.0], ids=["ahead", "right"])


def begun(hand: Hand) -> Hand:
    hand.core.ts += BEGIN
    hand.quote(100.0, 100.0)
    return hand


@later
def test_our_entries_are_canceled_again_however_late_they_were_made(
    later_s: float,
) -> None:
    hand = begun(hand_with())
    hand.core.advance(hand.core.ts + 60 * NS)
    entry = hand.enter("1", order_type="limit", limit_price="99")
    hand.accept(entry)
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.give(Kill(level=KillLevel.CANCEL, reason="enough"))
    for _ in range(2):
        # The cancel is lost with the engine, each time.
        hand = taken_up(hand, later_s)
        hand.quote(100.0, 100.0)
        hand.core.advance(hand.core.ts + 2 * NS)
        hand.give(OrderStatusReport(entry, OrderStatus.ACCEPTED, asked_ns=hand.core.ts))
        hand.core.advance(hand.core.ts + 60 * NS)
        assert CancelOrder(entry, "BTC") in hand.core.requests


@pytest.mark.parametrize("before", [True, False])
@later
def test_an_order_by_hand_of_before_the_kill_is_canceled_again_and_none_of_after(
    later_s: float, before: bool
) -> None:
    hand = begun(hand_with())
    steps: list[Callable[[], None]] = [
        lambda: hand.give(by_hand("web_1", "1", "99", venue_id="v-1")),
        lambda: hand.give(Kill(level=KillLevel.CANCEL, reason="enough")),
    ]
    for step in steps if before else reversed(steps):
        hand.core.advance(hand.core.ts + 60 * NS)
        step()
    again = taken_up(hand, later_s)
    canceled = CancelOrder("web_1", "BTC") in again.core.requests
    assert canceled is before


def test_only_an_order_of_another_maker_is_by_hand() -> None:
    orders = begun(hand_with()).executor.desk.orders
    made = Order(
        id="web_1",
        instrument="BTC",
        owner="s",
        role=OrderRole.ENTRY,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=D(1),
        created_ns=5,
    )
    assert orders.is_by_hand_since(made, 4)
    assert not orders.is_by_hand_since(made, 5)
    assert not orders.is_by_hand_since(made, None)
    # Whenever it was: an entry of ours is older than any kill.
    assert not orders.is_by_hand_since(structs.replace(made, id="o-7"), 4)


@later
def test_what_was_bought_by_hand_before_the_kill_is_flattened_and_not_what_after(
    later_s: float,
) -> None:
    hand = begun(hand_with())
    hand.core.advance(hand.core.ts + 60 * NS)
    _buy_by_hand(hand)
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.give(Kill(level=KillLevel.FLATTEN, reason="enough"))
    hand.give(OrderRejected(hand.submitted()[-1], "no connection"))
    again = taken_up(hand, later_s)
    assert len(again.submitted()) == 1

    hand = begun(hand_with())
    hand.give(Kill(level=KillLevel.FLATTEN, reason="enough"))
    hand.core.advance(hand.core.ts + 60 * NS)
    _buy_by_hand(hand)
    again = taken_up(hand, later_s)
    assert again.submitted() == []


def _buy_by_hand(hand: Hand) -> None:
    hand.give(by_hand("web_1", "1", venue_id="v-1"))
    hand.fill("web_1", "1", "100")
    hand.give(OrderStatusReport("web_1", OrderStatus.FILLED, D(1)))


@later
def test_a_held_stop_sees_the_bars_of_now(later_s: float) -> None:
    hand = Hand()
    hand.core.ts += BEGIN
    hand.market.views["BTC"].bars_only = True
    hand.market.views["BTC"].last = 100.0
    hand.fill(hand.enter("1"), "1", "100")
    hand.give(signal("exit", "1", order_type="stop", trigger="90"))
    again = taken_up(hand, later_s)
    before = len(again.submitted())
    begins_s = again.core.ts // NS // 60 * 60 + 120
    closes = bar(begins_s, 100, 100, 80, 85)
    again.core.advance(closes.ts_recv)
    again.market.see(closes)
    again.give(closes)
    assert len(again.submitted()) == before + 1


@later
def test_the_rest_of_a_flatten_is_tried_again(later_s: float) -> None:
    hand = begun(Hand(orders=CAPPED))
    hand.fill(hand.enter("2"), "2", "100")
    again = Restarted(hand, later_s, orders=CAPPED)
    again.executor.recover(Recover(origin="engine"), again.cut)
    again.quote(100.0, 100.2)
    again.give(Flatten(instrument="BTC"))
    first = again.submitted()[-1]
    again.fill(first, "1", "100")
    again.give(OrderExpired(first, filled=D(1)))
    again.core.advance(again.core.ts + 10 * NS)
    assert len(again.submitted()) == 2


def test_the_venue_is_asked_for_what_was_over_since_now_at_the_latest() -> None:
    account = Account(opened=False)
    account.core.ts += BEGIN
    account.begin()
    account.answer()
    account.enter("1", order_type="limit", limit_price="99")
    account.core.ts -= 3_600 * NS
    again = account_taken_up(account)
    since_ns = again.asked()[-1].since_ns
    assert since_ns is not None
    assert since_ns <= again.core.ts
