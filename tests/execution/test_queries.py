"""Questions to the venue: when they are asked, how often, and when no more."""

from __future__ import annotations

from decimal import Decimal

from tests.execution.fakes import NS, Hand
from workstation.execution.settings import OrderSettings
from workstation.model.orders import OrderStatus
from workstation.model.reports import OrderCanceled, OrderStatusReport
from workstation.model.requests import QueryOrder

S = OrderStatus


def times(hand: Hand, start: int) -> list[float]:
    return [
        (r.asked_ns - start) / NS
        for r in hand.core.requests
        if isinstance(r, QueryOrder) and r.asked_ns is not None
    ]


def wait(hand: Hand, seconds: float) -> None:
    hand.core.advance(hand.core.ts + int(seconds * NS))


def resting(settings: OrderSettings) -> Hand:
    hand = Hand(orders=settings)
    hand.enter("1", order_type="limit", limit_price="99")
    hand.accept("o-1")
    return hand


def test_an_unknown_order_is_asked_about_with_growing_waits() -> None:
    settings = OrderSettings(query_retry_ms=2_000, query_retry_most_ms=10_000)
    hand = Hand(orders=settings)
    start = hand.core.ts
    hand.enter("1")
    wait(hand, 50)
    assert times(hand, start) == [10, 12, 16, 24, 34, 44]


def test_a_settled_order_is_asked_about_no_more() -> None:
    hand = Hand()
    start = hand.core.ts
    hand.enter("1")
    wait(hand, 11)
    hand.give(OrderCanceled("o-1"))
    wait(hand, 1000)
    assert times(hand, start) == [10]


def test_a_silent_working_order_is_asked_about_from_time_to_time() -> None:
    hand = resting(OrderSettings(check_ms=60_000))
    start = hand.core.ts
    wait(hand, 61)
    assert times(hand, start) == [60]
    hand.give(OrderStatusReport("o-1", S.ACCEPTED))
    wait(hand, 58)
    assert times(hand, start) == [60]
    hand.give(OrderStatusReport("o-1", S.CANCELED))
    wait(hand, 1000)
    assert times(hand, start) == [60]


def test_an_order_that_was_heard_of_meanwhile_is_not_asked_about() -> None:
    hand = resting(OrderSettings(check_ms=60_000))
    start = hand.core.ts
    wait(hand, 30)
    hand.fill("o-1", "0.5")
    wait(hand, 40)
    assert times(hand, start) == []


def test_where_no_report_is_lost_nobody_asks() -> None:
    hand = resting(OrderSettings(check_ms=0))
    start = hand.core.ts
    wait(hand, 1000)
    assert times(hand, start) == []


def test_an_inferred_end_is_asked_about_for_ten_minutes() -> None:
    hand = Hand()
    start = hand.core.ts
    hand.enter("1")
    wait(hand, 40)
    hand.give(OrderStatusReport("o-1", None))
    assert hand.executor.orders()[0].inferred
    for _ in range(40):
        hand.give(OrderStatusReport("o-1", None))
        wait(hand, 30)
    asked = times(hand, start)
    assert 600 < asked[-1] <= 660
    assert hand.executor.position("s", "BTC").quantity == Decimal(0)
