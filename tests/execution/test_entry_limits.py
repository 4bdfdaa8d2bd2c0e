"""Every limit of entries: it may be used up, one step more is denied as the gauge says.

The numbers in a denial are those of the gauge: what it would show with the order.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.execution.fakes import BTC, NS, Hand, signal
from workstation.execution.settings import RiskSettings
from workstation.model.limits import Gauge
from workstation.model.orders import OrderType, TimeInForce
from workstation.model.records import DenyRecord
from workstation.model.reports import OrderCanceled

D = Decimal
OFF = RiskSettings(
    max_order_value=None,
    max_position_value=None,
    max_symbol_exposure=None,
    max_venue_exposure=None,
    max_total_exposure=None,
    max_open_orders=None,
    max_daily_loss=None,
    max_drawdown=None,
    collar_through_bps=None,
    collar_away_bps=None,
    max_order_rate=None,
    max_message_ratio=None,
    leverage=D(100),
)
"""No limit but what an account can carry."""


def hand_with(**limits: object) -> Hand:
    hand = Hand(replace(OFF, **limits))
    hand.quote(100.0, 100.0)
    hand.quote(50.0, 50.0, "ETH")
    return hand


def denied(hand: Hand) -> list[tuple[str, str]]:
    return [(str(r.code), r.text) for r in hand.core.kept(DenyRecord)]


def gauge(hand: Hand, name: str) -> Gauge:
    gauges = hand.executor.limits.gauges(hand.core.ts)
    return next(each for each in gauges if each.name == name)


@pytest.mark.parametrize(
    ("name", "code", "subject"),
    [
        ("max_position_value", "MAX_POSITION_VALUE", "BTC"),
        ("max_symbol_exposure", "MAX_SYMBOL_EXPOSURE", "BTC"),
        ("max_venue_exposure", "MAX_VENUE_EXPOSURE", "test"),
        ("max_total_exposure", "MAX_TOTAL_EXPOSURE", ""),
    ],
)
@pytest.mark.parametrize("action", ["enter_long", "enter_short"])
def test_an_exposure_may_be_used_up_and_not_exceeded(
    name: str, code: str, subject: str, action: str
) -> None:
    hand = hand_with(**{name: D(1000)})
    hand.fill(hand.enter("4", action, strategy="a"), "4", "100")
    hand.enter("6.001", action, strategy="b")
    ((found, text),) = denied(hand)
    assert found == code
    assert f"1,000.1, more than {name} 1,000" in text
    hand.enter("6", action, strategy="b")
    assert len(denied(hand)) == 1
    full = gauge(hand, name)
    assert (full.value, full.limit, full.share) == (D(1000), D(1000), D(1))
    assert full.subject == subject
    hand.enter("0.1", action, strategy="c")
    assert denied(hand)[-1][0] == code


def test_exposure_adds_up_longs_and_shorts_of_a_venue() -> None:
    hand = hand_with(max_venue_exposure=D(1000))
    hand.fill(hand.enter("4", strategy="a"), "4", "100")
    hand.enter("12.01", "enter_short", strategy="b", instrument="ETH")
    assert denied(hand)[-1][0] == "MAX_VENUE_EXPOSURE"
    hand.enter("12", "enter_short", strategy="b", instrument="ETH")
    assert len(denied(hand)) == 1


def test_another_symbol_has_an_exposure_of_its_own() -> None:
    hand = hand_with(max_symbol_exposure=D(1000))
    hand.enter("10", strategy="a")
    hand.enter("20", strategy="b", instrument="ETH")
    assert denied(hand) == []


def test_what_lessens_an_exposure_beyond_its_limit_passes() -> None:
    hand = hand_with(max_total_exposure=D(1000), max_position_value=D(1000))
    hand.fill(hand.enter("10", strategy="a"), "10", "100")
    hand.quote(120.0, 120.0)
    hand.enter("1", "enter_short", strategy="b")
    assert denied(hand) == []
    hand.enter("0.1", strategy="c")
    assert denied(hand)[-1][0] == "MAX_POSITION_VALUE"


def test_an_entry_that_waits_counts_at_its_own_price() -> None:
    hand = hand_with(max_position_value=D(1000))
    hand.enter(
        "10", strategy="a", order_type=OrderType.LIMIT, limit_price="80", post_only=True
    )
    assert gauge(hand, "max_position_value").value == 800
    hand.enter("2", strategy="b")
    assert gauge(hand, "max_position_value").share == 1
    assert denied(hand) == []


def test_the_cash_gauge_shows_what_a_denial_for_cash_compares() -> None:
    hand = hand_with(leverage=D("0.1"))
    hand.enter("100.001", strategy="a")
    ((code, text),) = denied(hand)
    assert code == "INSUFFICIENT_CASH"
    assert "exposure would be 10,000.1 with 0 pending elsewhere" in text
    assert "; 100 would fit" in text
    hand.enter("100", strategy="a")
    assert len(denied(hand)) == 1
    assert gauge(hand, "leverage").share == 1


@pytest.mark.parametrize("before", ["5000", "5000.1"])
def test_a_daily_loss_at_the_limit_denies_nothing_yet(before: str) -> None:
    hand = hand_with(max_daily_loss=D(5000), on_breach="hold")
    # A fee is a loss without a position; no breaker looks before the next quote.
    hand.fill(hand.enter("1", strategy="a"), "1", "100", fee=before)
    lost = gauge(hand, "max_daily_loss")
    assert (lost.value, lost.limit) == (D(before), D(5000))
    hand.enter("1", strategy="b")
    expected = (
        []
        if before == "5000"
        else [
            (
                "MAX_DAILY_LOSS",
                "5,000.1 lost since the day's start, more than max_daily_loss 5,000",
            )
        ]
    )
    assert denied(hand) == expected


@pytest.mark.parametrize("fee", ["10000", "10000.1"])
def test_a_drawdown_at_the_limit_denies_nothing_yet(fee: str) -> None:
    hand = hand_with(max_drawdown=D("0.1"), on_breach="hold")
    hand.fill(hand.enter("1", strategy="a"), "1", "100", fee=fee)
    assert gauge(hand, "max_drawdown").value == D(fee) / 100_000
    hand.enter("1", strategy="b")
    assert [code for code, _ in denied(hand)] == ["MAX_DRAWDOWN"] * (fee != "10000")


def test_a_drawdown_of_very_little_is_not_looked_at() -> None:
    risk = replace(OFF, max_drawdown=D("0.1"), drawdown_base=D(1001))
    hand = Hand(risk, cash=D(1000))
    hand.fill(hand.enter("1", strategy="a"), "1", "100.2", fee="900")
    assert gauge(hand, "max_drawdown").value == 0
    hand.enter("1", strategy="b")
    assert denied(hand) == []
    hand.executor.limits.settings = replace(risk, drawdown_base=D(1000))
    hand.enter("1", strategy="c")
    assert denied(hand)[-1][0] == "MAX_DRAWDOWN"


@pytest.mark.parametrize(
    ("action", "last", "over", "code"),
    [
        ("enter_long", "101", "101.1", "PRICE_THROUGH_MARKET"),
        ("enter_short", "99", "98.9", "PRICE_THROUGH_MARKET"),
        ("enter_long", "80", "79.9", "PRICE_AWAY_FROM_MARKET"),
        ("enter_short", "120", "120.1", "PRICE_AWAY_FROM_MARKET"),
    ],
)
def test_a_limit_price_stays_within_the_collar(
    action: str, last: str, over: str, code: str
) -> None:
    hand = hand_with(collar_through_bps=D(100), collar_away_bps=D(2000))
    limit = {"order_type": OrderType.LIMIT, "limit_price": over}
    hand.enter("1", action, **limit)
    ((found, text),) = denied(hand)
    assert found == code
    assert over in text
    assert " of 100" not in text
    assert " 100, more than" in text
    hand.enter("1", action, **(limit | {"limit_price": last}))
    assert len(denied(hand)) == 1


def test_a_limit_price_without_any_market_cannot_be_compared() -> None:
    hand = Hand(replace(OFF, collar_away_bps=D(2000)))
    limit = {"order_type": OrderType.LIMIT, "limit_price": "50"}
    hand.enter("1", instrument="ETH", **limit)
    assert denied(hand) == [("DATA_STALE", "there is no price of ETH yet")]


def test_an_exit_is_kept_by_no_collar_and_no_limit() -> None:
    hand = hand_with()
    hand.fill(hand.enter("10"), "10", "100", fee="50000")
    hand.executor.limits.settings = replace(
        RiskSettings(),
        max_order_value=D(1),
        max_position_value=D(1),
        max_symbol_exposure=D(1),
        max_venue_exposure=D(1),
        max_total_exposure=D(1),
        max_open_orders=1,
        max_order_rate=1,
        max_message_ratio=D("0.001"),
        message_ratio_least=1,
        collar_through_bps=D(0),
        collar_away_bps=D(0),
    )
    limit = {"order_type": OrderType.LIMIT, "limit_price": "10"}
    hand.give(signal("exit", "5", **limit))
    hand.give(signal("exit", "5"))
    hand.give(OrderCanceled("o-2"))
    assert denied(hand) == []
    assert len(hand.submitted()) == 3


def test_so_many_orders_a_window_and_not_one_more() -> None:
    hand = hand_with(max_order_rate=3, order_rate_s=10.0)
    for owner in "abcd":
        hand.enter("1", strategy=owner)
    assert denied(hand) == [
        ("MAX_ORDER_RATE", "4 orders in 10 s would be more than max_order_rate 3")
    ]
    assert gauge(hand, "max_order_rate").share == 1
    hand.core.advance(hand.core.ts + 10 * NS - 1)
    hand.enter("1", strategy="e")
    assert len(denied(hand)) == 2
    hand.core.advance(hand.core.ts + 1)
    hand.enter("1", strategy="f")
    assert len(denied(hand)) == 2
    assert gauge(hand, "max_order_rate").value == 1


def test_so_many_messages_per_fill_and_not_one_more() -> None:
    hand = hand_with(
        max_message_ratio=D(3), message_ratio_least=2, message_ratio_s=60.0
    )
    first = hand.enter("1", strategy="a")
    hand.fill(first, "1", "100")
    hand.enter("1", strategy="b")
    hand.give(signal("cancel_entry", strategy="b"))
    assert gauge(hand, "max_message_ratio").share == 1
    hand.enter("1", strategy="c")
    assert denied(hand) == [
        (
            "MAX_MESSAGE_RATIO",
            "4.0 messages per fill in 60 s would be more than max_message_ratio 3",
        )
    ]
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.enter("1", strategy="d")
    assert len(denied(hand)) == 1


def test_each_fill_allows_as_many_messages_again() -> None:
    hand = hand_with(max_message_ratio=D(2), message_ratio_least=2)
    for owner in "ab":
        hand.fill(hand.enter("1", strategy=owner), "1", "100")
    hand.enter("1", strategy="c")
    hand.enter("1", strategy="d")
    assert denied(hand) == []
    assert gauge(hand, "max_message_ratio").share == 1
    hand.enter("1", strategy="e")
    assert [code for code, _ in denied(hand)] == ["MAX_MESSAGE_RATIO"]


def test_few_messages_have_no_ratio() -> None:
    hand = hand_with(max_message_ratio=D(1), message_ratio_least=4)
    for owner in "abc":
        hand.enter("1", strategy=owner)
    assert denied(hand) == []
    assert gauge(hand, "max_message_ratio").value == 0
    hand.enter("1", strategy="d")
    assert [code for code, _ in denied(hand)] == ["MAX_MESSAGE_RATIO"]


def test_open_orders_may_be_as_many_as_the_limit() -> None:
    hand = hand_with(max_open_orders=2)
    for owner in "abc":
        hand.enter("1", strategy=owner)
    assert denied(hand) == [
        ("MAX_OPEN_ORDERS", "2 orders are open, max_open_orders is 2")
    ]
    assert gauge(hand, "max_open_orders").share == 1


def test_an_order_may_be_worth_the_limit() -> None:
    hand = hand_with(max_order_value=D(1000))
    hand.enter("10.001", strategy="a")
    hand.enter("10", strategy="b")
    assert denied(hand) == [
        ("MAX_ORDER_VALUE", "value 1,000.1 is more than max_order_value 1,000")
    ]


@pytest.mark.parametrize("reduces", [False, True])
def test_an_order_whose_end_is_past_is_denied_even_if_it_reduces(reduces: bool) -> None:
    hand = hand_with()
    fields: dict[str, object] = {
        "order_type": OrderType.LIMIT,
        "limit_price": "100",
        "time_in_force": TimeInForce.GTD,
    }
    if reduces:
        hand.fill(hand.enter("1"), "1", "100")
    action = "exit" if reduces else "enter_long"
    hand.give(signal(action, "1", **fields, good_for_ns=0))
    assert denied(hand) == [("EXPIRY_PASSED", "the order's end was 0 s ago")]
    hand.give(signal(action, "1", **fields, good_for_ns=1))
    assert len(denied(hand)) == 1


def test_without_limits_nothing_is_denied_and_no_gauge_is_full() -> None:
    hand = hand_with()
    hand.enter("5000", strategy="a")
    assert denied(hand) == []
    gauges = list(hand.executor.limits.gauges(hand.core.ts))
    assert [each.name for each in gauges if each.share is not None] == ["leverage"]


def test_a_market_order_has_a_maximum_of_its_own() -> None:
    btc = replace(BTC, max_quantity=D(5), market_max_quantity=D(4))
    hand = Hand(OFF, btc=btc)
    limit = {"order_type": OrderType.LIMIT, "limit_price": "100"}
    hand.enter("4.001", strategy="a")
    hand.enter("5.001", strategy="b", **limit)
    assert denied(hand) == [
        ("QUANTITY_ABOVE_MAXIMUM", "quantity 4.001 is above market_max_quantity 4"),
        ("QUANTITY_ABOVE_MAXIMUM", "quantity 5.001 is above max_quantity 5"),
    ]
    hand.enter("4", strategy="a")
    hand.enter("5", strategy="b", **limit)
    assert len(denied(hand)) == 2
