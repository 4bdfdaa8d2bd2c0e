"""Exits that rest at a price: they end with the position, and are no larger than it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.execution.fakes import NS, Hand, ticket
from tests.execution.test_outcomes import LOOSE
from tests.execution.test_stops import order_of
from workstation.model.commands import CancelOrders
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType
from workstation.model.rates import BrokerAbilities
from workstation.model.reports import (
    CancelRejected,
    OrderCanceled,
    OrderReplaced,
    OrderStatusReport,
    OrderTriggered,
    ReplaceRejected,
)
from workstation.model.requests import CancelOrder, ReplaceOrder

D = Decimal
S = OrderStatus
SELL = Side.SELL


def exits_at(hand: Hand, price: str, quantity: str) -> str:
    hand.give(ticket(quantity, price, SELL, reduce_only=True))
    order_id = hand.submitted()[-1]
    hand.accept(order_id)
    return order_id


def held_by_hand(quantity: str, **can: bool) -> Hand:
    """Return a hand whose operator holds so much."""
    hand = Hand(LOOSE, abilities=BrokerAbilities(**can))
    hand.give(ticket(quantity))
    hand.fill(hand.submitted()[-1], quantity, "100.2")
    return hand


@pytest.mark.parametrize("sold", ["1", "1.5"])
def test_an_exit_at_a_price_ends_with_the_position(sold: str) -> None:
    hand = held_by_hand("1")
    resting = exits_at(hand, "101", "1")
    hand.give(ticket(sold, None, SELL))
    hand.fill(hand.submitted()[-1], sold, "100")
    assert CancelOrder(resting, "BTC") in hand.core.requests


def test_an_exit_at_a_price_is_canceled_where_less_is_left_to_close() -> None:
    hand = held_by_hand("1")
    older, newer = exits_at(hand, "101", "0.3"), exits_at(hand, "102", "0.7")
    hand.give(ticket("0.6", None, SELL))
    hand.fill(hand.submitted()[-1], "0.6", "100")
    cancels = [r for r in hand.core.requests if isinstance(r, CancelOrder)]
    assert cancels == [CancelOrder(newer, "BTC")]
    reason = order_of(hand, newer).reason
    assert reason == "for 0.7, and only 0.1 is left to close"
    assert order_of(hand, older).status is S.ACCEPTED


def test_an_exit_at_a_price_is_made_smaller_where_the_broker_can() -> None:
    hand = held_by_hand("1", modify=True)
    resting = exits_at(hand, "101", "1")
    hand.fill(resting, "0.25", "101")
    hand.give(ticket("0.5", None, SELL))
    hand.fill(hand.submitted()[-1], "0.5", "100")
    (asked,) = [r for r in hand.core.requests if isinstance(r, ReplaceOrder)]
    assert (asked.order_id, asked.quantity, asked.price) == (resting, D("0.5"), D(101))


def test_an_exit_of_unknown_fate_is_ended_once_it_is_found_at_work() -> None:
    hand = held_by_hand("1")
    resting = exits_at(hand, "101", "1")
    hand.give(CancelOrders(order_ids=(resting,)))
    hand.core.advance(hand.core.ts + 10 * NS)
    assert order_of(hand, resting).status is S.UNKNOWN
    hand.give(ticket("1", None, SELL))
    hand.fill(hand.submitted()[-1], "1", "100")
    before = len(hand.core.requests)
    hand.give(OrderStatusReport(resting, S.ACCEPTED, asked_ns=hand.core.ts))
    assert CancelOrder(resting, "BTC") in hand.core.requests[before:]


def cancels(hand: Hand, order_id: str) -> int:
    return hand.core.requests.count(CancelOrder(order_id, "BTC"))


def sell(hand: Hand, *parts: str) -> None:
    """Sell by hand in so many fills."""
    hand.give(ticket(str(sum(map(D, parts))), None, SELL))
    order_id = hand.submitted()[-1]
    for part in parts:
        hand.fill(order_id, part, "100")


def test_a_cancel_that_is_refused_is_asked_for_again_after_a_moment() -> None:
    hand = held_by_hand("1")
    resting = exits_at(hand, "101", "1")
    sell(hand, "1")
    for tries in range(1, 5):
        assert cancels(hand, resting) == tries
        hand.give(CancelRejected(resting, "busy"))
        assert cancels(hand, resting) == tries, "at once is too soon"
        hand.core.advance(hand.core.ts + 2 * NS)
    hand.give(OrderCanceled(resting, filled=D(0)))
    hand.core.advance(hand.core.ts + 60 * NS)
    assert cancels(hand, resting) == 5


def test_an_exit_that_is_being_made_smaller_is_made_so_once_more_and_not_canceled() -> (
    None
):
    hand = held_by_hand("1", modify=True)
    resting = exits_at(hand, "101", "1")
    sell(hand, "0.3", "0.3")
    hand.give(OrderReplaced(resting, D("0.7"), D(101)))
    asked = [r for r in hand.core.requests if isinstance(r, ReplaceOrder)]
    assert [each.quantity for each in asked] == [D("0.7"), D("0.4")]
    hand.give(OrderReplaced(resting, D("0.4"), D(101)))
    hand.core.advance(hand.core.ts + 60 * NS)
    assert cancels(hand, resting) == 0


def test_an_exit_that_cannot_be_made_smaller_is_canceled() -> None:
    hand = held_by_hand("1", modify=True)
    resting = exits_at(hand, "101", "1")
    sell(hand, "0.6")
    hand.give(ReplaceRejected(resting, "too small"))
    hand.core.advance(hand.core.ts + 2 * NS)
    assert cancels(hand, resting) == 1


def test_a_stop_limit_at_the_venue_is_cut_to_size_when_it_is_met() -> None:
    hand = held_by_hand("1", stops=True)
    stop = msgspec.structs.replace(
        ticket("1", "94", SELL, reduce_only=True),
        order_type=OrderType.STOP_LIMIT,
        trigger=D(95),
    )
    hand.give(stop)
    order_id = hand.submitted()[-1]
    hand.accept(order_id)
    sell(hand, "0.6")
    assert cancels(hand, order_id) == 0, "it waits, and closes what there is then"
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.give(OrderTriggered(order_id))
    assert cancels(hand, order_id) == 1
