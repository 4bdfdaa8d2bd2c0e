"""Flattening with a cap on slippage: no worse than allowed, and never silently less."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import NS, Hand
from tests.execution.test_restarts import Restarted
from workstation.execution.settings import OrderSettings
from workstation.model.commands import Flatten, Hold, Kill, KillLevel, Rearm, Recover
from workstation.model.orders import Order, OrderRole, OrderType, TimeInForce
from workstation.model.records import FaultRecord
from workstation.model.reports import OrderExpired, OrderRejected
from workstation.model.requests import SubmitOrder

D = Decimal


def holding(side: str = "long", **settings: object) -> Hand:
    """Return a hand that holds one BTC, or is short of one."""
    given = {"max_slippage_bps": 50.0, "flatten_tries": 3, **settings}
    hand = Hand(orders=OrderSettings(**given))  # type: ignore[arg-type]
    hand.fill(hand.enter(action=f"enter_{side}"), "1")
    return hand


def last(hand: Hand) -> Order:
    return [r.order for r in hand.core.requests if isinstance(r, SubmitOrder)][-1]


def pause(hand: Hand, ms: int = 250) -> None:
    hand.core.advance(hand.core.ts + ms * NS // 1_000)


def flatten(hand: Hand) -> Order:
    hand.give(Flatten(instrument="BTC"))
    return last(hand)


@pytest.mark.parametrize(
    ("side", "cap", "price"),
    [
        # 50 bps below 100.0 and above 100.2 (100.701), on a tick of 0.1.
        ("long", 50.0, "99.5"),
        ("short", 50.0, "100.7"),
        # Less than a tick: the best price itself, never beyond the cap.
        ("long", 1.0, "100.0"),
        ("short", 1.0, "100.2"),
    ],
)
def test_a_flatten_goes_no_further_than_the_cap(
    side: str, cap: float, price: str
) -> None:
    order = flatten(holding(side, max_slippage_bps=cap))
    assert (order.type, order.time_in_force) == (OrderType.LIMIT, TimeInForce.IOC)
    assert order.price == D(price)
    assert order.reduce_only
    assert order.closes_now


def test_a_market_off_the_grid_is_still_taken() -> None:
    hand = holding(max_slippage_bps=1.0)
    hand.quote(100.03, 100.2)
    assert flatten(hand).price == D("100.0")


def test_without_a_cap_it_is_a_market_order() -> None:
    order = flatten(holding(max_slippage_bps=None))
    assert (order.type, order.price) == (OrderType.MARKET, None)


def test_without_a_best_price_it_is_a_market_order() -> None:
    hand = holding()
    view = hand.market.views["BTC"]
    view.bid = view.ask = 0.0
    assert flatten(hand).type is OrderType.MARKET


def test_the_third_rung_of_the_kill_ladder_uses_it() -> None:
    hand = holding()
    hand.give(Kill(level=KillLevel.FLATTEN))
    assert last(hand).role is OrderRole.FLATTEN
    assert last(hand).price == D("99.5")


def test_what_is_left_is_tried_again_at_the_best_price_of_then() -> None:
    hand = holding()
    first = flatten(hand)
    hand.fill(first.id, "0.4", "99.9")
    hand.give(OrderExpired(first.id, "IOC"))
    assert last(hand) == first
    hand.quote(90.0, 90.2)
    pause(hand, 249)
    assert last(hand) == first
    pause(hand, 1)
    second = last(hand)
    assert (second.quantity, second.price) == (D("0.6"), D("89.6"))
    assert second.reason == first.reason


def test_after_the_last_try_the_rest_is_an_alarm() -> None:
    hand = holding()
    order = flatten(hand)
    for _ in range(3):
        assert not hand.core.kept(FaultRecord)
        hand.give(OrderExpired(order.id, "IOC"))
        pause(hand)
        order = last(hand)
    (fault,) = hand.core.kept(FaultRecord)
    assert fault.where == "flatten"
    assert fault.error == (
        "flatten of s: 1 left after 3 tries within 50 bps of the best price; flatten "
        "again, or raise [orders] max_slippage_bps"
    )
    sent = len(hand.submitted())
    pause(hand, 10_000)
    assert len(hand.submitted()) == sent
    # And it may be asked for anew.
    again = flatten(hand)
    hand.fill(again.id, "1", "99.9")
    assert hand.position() == 0


def test_a_rejected_one_counts_as_a_try() -> None:
    hand = holding(flatten_tries=1)
    hand.give(OrderRejected(flatten(hand).id, "no"))
    assert "1 left after 1 try" in hand.core.kept(FaultRecord)[-1].error


def test_nothing_is_tried_again_once_the_position_is_gone_or_turned() -> None:
    hand = holding()
    order = flatten(hand)
    hand.give(OrderExpired(order.id, "IOC"))
    # A second flatten does it first.
    again = flatten(hand)
    assert again.id != order.id
    hand.fill(again.id, "1", "99.9")
    entered = hand.enter(action="enter_short")
    hand.fill(entered, "1", "100")
    sent = hand.submitted()
    pause(hand, 1_000)
    assert hand.submitted() == sent
    assert hand.position() == -1


def test_two_flattens_close_no_more_than_there_is() -> None:
    hand = holding()
    order = flatten(hand)
    hand.give(OrderExpired(order.id, "IOC"))
    again = flatten(hand)
    sent = hand.submitted()
    pause(hand)
    assert hand.submitted() == sent
    assert again.quantity == 1


def test_another_position_is_not_closed_by_the_next_try() -> None:
    hand = Hand(orders=OrderSettings(max_slippage_bps=10.0, flatten_tries=3))
    hand.fill(hand.enter("1", stop="95"), "1")
    order = flatten(hand)
    hand.fill(order.id, "0.6", "100")
    hand.give(OrderExpired(order.id, filled=D("0.6")))
    hand.quote(94.0, 94.2)
    hand.fill(last(hand).id, "0.4", "94")
    assert hand.position() == 0
    hand.core.advance(hand.core.ts + 1)
    hand.fill(hand.enter("2"), "2", "94.2")
    entered = last(hand)
    pause(hand)
    assert last(hand) == entered
    assert hand.position() == D(2)


def killed_before(cap: float | None = 50.0) -> Hand:
    """Return the run after one that was to flatten one BTC, and whose order failed."""
    settings = OrderSettings(max_slippage_bps=cap)
    before = Hand(orders=settings)
    before.fill(before.enter(), "1")
    before.give(Kill(level=KillLevel.FLATTEN))
    for _ in range(3 if cap else 1):
        before.give(OrderRejected(before.submitted()[-1], "no connection"))
        before.core.advance(before.core.ts + NS)
    # It went on for longer than anything is tried again.
    before.core.advance(before.core.ts + 10 * NS)
    before.give(Hold(on=True))
    hand = Restarted(before, orders=settings)
    hand.executor.recover(Recover(origin="engine"), hand.cut)
    return hand


def test_a_flatten_that_is_taken_up_waits_for_the_first_price() -> None:
    hand = killed_before()
    pause(hand, 3_000)
    assert hand.submitted() == []
    hand.quote(90.0, 90.2)
    pause(hand)
    order = last(hand)
    assert hand.submitted() == [order.id]
    assert (order.quantity, order.price) == (D(1), D("89.6"))


def test_it_waits_no_longer_than_a_minute_and_says_so() -> None:
    hand = killed_before()
    pause(hand, 61_000)
    assert (last(hand).type, len(hand.submitted())) == (OrderType.MARKET, 1)
    (alarm,) = [r.error for r in hand.core.kept(FaultRecord)]
    assert alarm == (
        "no price of BTC for 60 s: it is closed at market, without max_slippage_bps"
    )


def test_nobody_is_flattened_whose_kill_was_re_armed_meanwhile() -> None:
    hand = killed_before()
    hand.give(Rearm())
    hand.quote(90.0, 90.2)
    pause(hand, 1_000)
    assert hand.submitted() == []


@pytest.mark.parametrize("cap", [None, 50.0])
def test_what_is_asked_for_before_the_first_price_waits_for_nothing(
    cap: float | None,
) -> None:
    hand = killed_before(cap)
    if cap is None:
        assert last(hand).type is OrderType.MARKET
        return
    hand.give(Flatten(instrument="BTC"))
    assert last(hand).type is OrderType.MARKET
