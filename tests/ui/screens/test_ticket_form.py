"""What is typed into a ticket: the order it comes to, or one sentence a field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ui.screens.scenes import BTC, TS
from workstation.engine.order_preview import Touch
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Side
from workstation.model.orders import OrderType, TimeInForce
from workstation.model.timeframes import NS_PER_S
from workstation.ui.screens.ticket_form import (
    MODES,
    Filled,
    Only,
    TicketError,
    TicketForm,
    decode_ticket,
    encode_ticket,
    read_ticket,
    size_bounds,
    start_price,
)

D = Decimal
TOUCH = Touch(61_685.99, 61_686.0, 61_685.5)
NOTHING = Touch(None, None, None)
EQUITY = D(100_000)
BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT


def read(touch: Touch = TOUCH, **typed: Any) -> Filled:
    form = TicketForm(**({"price": "61680", "size": "0.1"} | typed))
    return read_ticket(form, BTC, touch, EQUITY, TS)


def order(touch: Touch = TOUCH, **typed: Any) -> PlaceOrder:
    filled = read(touch, **typed)
    assert filled.order is not None, filled.errors
    assert filled.errors == {}
    return filled.order


def test_a_limit_order_is_what_was_typed() -> None:
    made = order(price="61,680.00", size="0.100", stop="60000", target="63000")
    assert made == PlaceOrder(
        instrument="BTCUSDT",
        side=BUY,
        quantity=D("0.100"),
        order_type=LIMIT,
        price=D("61680.00"),
        stop=D(60_000),
        target=D(63_000),
    )


def test_a_market_order_forgets_the_price() -> None:
    made = order(order_type=MARKET, price="nonsense", side=SELL)
    assert (made.order_type, made.price, made.side) == (MARKET, None, SELL)


def test_a_stop_has_a_trigger_and_a_stop_limit_a_price_too() -> None:
    made = order(order_type=STOP, trigger="62000", price="nonsense")
    assert (made.order_type, made.trigger, made.price) == (STOP, D(62_000), None)
    made = order(order_type=STOP_LIMIT, trigger="62000", price="62010")
    assert (made.trigger, made.price) == (D(62_000), D(62_010))
    assert order(order_type=LIMIT, trigger="nonsense").trigger is None


@pytest.mark.parametrize(
    ("only", "post", "reduce"),
    [
        (Only.NO, False, False),
        (Only.POST, True, False),
        (Only.REDUCE, False, True),
        (Only.BOTH, True, True),
    ],
)
def test_only_says_what_an_order_may_do(only: Only, post: bool, reduce: bool) -> None:
    made = order(only=only)
    assert (made.post_only, made.reduce_only) == (post, reduce)


def test_gtd_ends_so_long_after_now() -> None:
    made = order(time_in_force=TimeInForce.GTD, span="5m")
    assert made.expires_ns == TS + 300 * NS_PER_S
    assert order(span="5m").expires_ns is None


@pytest.mark.parametrize(
    ("typed", "quantity"),
    [
        # 10,000 USDT at 61,680; at market it is the other side's best that counts.
        ({"mode": "notional", "size": "10000"}, "0.162"),
        (
            {"mode": "notional", "size": "61.686", "order_type": MARKET},
            "0.001",
        ),
        ({"mode": "equity", "size": "5"}, "0.081"),
        # A stop at its trigger, a stop-limit at its price.
        (
            {
                "mode": "notional",
                "size": "10000",
                "order_type": STOP,
                "trigger": "62500",
            },
            "0.160",
        ),
        (
            {
                "mode": "notional",
                "size": "10000",
                "order_type": STOP_LIMIT,
                "trigger": "62000",
                "price": "62500",
            },
            "0.160",
        ),
        # 1 % of 100,000 is lost over 680 USDT of distance.
        ({"mode": "risk", "size": "1", "stop": "61000"}, "1.470"),
        ({"mode": "risk", "size": "1", "stop": "62000", "side": SELL}, "3.125"),
    ],
)
def test_a_size_by_mode_is_a_quantity_on_the_lot(
    typed: dict[str, Any], quantity: str
) -> None:
    assert order(**typed).quantity == D(quantity)


@pytest.mark.parametrize(
    ("typed", "field", "text"),
    [
        ({"price": ""}, "price", "a price is missing"),
        ({"price": "x"}, "price", "x is no number"),
        ({"order_type": STOP}, "trigger", "a price is missing, above the ask"),
        (
            {"order_type": STOP, "side": SELL},
            "trigger",
            "a price is missing, below the bid",
        ),
        ({"price": "0.001"}, "price", "not on tick 0.01: 0.01 is"),
        ({"price": "61,680"}, "price", "could be 61.680 or 61680"),
        ({"stop": "60,000"}, "stop", "could be 60.000 or 60000"),
        ({"size": "1,234"}, "size", "could be 1.234 or 1234"),
        ({"size": "0,500"}, "size", "a decimal has a point: 0.1"),
        (
            {"size": "1,234", "mode": "notional"},
            "size",
            "could be 1.234 or 1234",
        ),
        (
            {"order_type": STOP_LIMIT, "trigger": "6.001"},
            "trigger",
            "not on tick 0.01: 6.00 is",
        ),
        (
            {"order_type": STOP_LIMIT, "trigger": "6", "price": ""},
            "price",
            "a price is missing",
        ),
        ({"price": "-5"}, "price", "must be above 0"),
        ({"price": "61680.005"}, "price", "not on tick 0.01: 61,680.00 is"),
        ({"stop": "60000.001"}, "stop", "not on tick 0.01: 60,000.00 is"),
        ({"target": "no"}, "target", "no is no number"),
        ({"size": ""}, "size", "a quantity is missing"),
        ({"size": "1o"}, "size", "1o is no number"),
        ({"size": "0"}, "size", "must be 0.001 or more"),
        ({"size": "0.0009"}, "size", "less than a lot of 0.001"),
        ({"size": "0.1005"}, "size", "not on lot 0.001: 0.100 is"),
        ({"size": "", "mode": "equity"}, "size", "a size is missing"),
        ({"size": "x", "mode": "equity"}, "size", "x is no number"),
        ({"size": "-1", "mode": "equity"}, "size", "must be above 0"),
        ({"size": "1", "mode": "notional"}, "size", "less than a lot of 0.001"),
        ({"size": "1", "mode": "risk"}, "size", "needs a stop away from the price"),
        (
            {"size": "1", "mode": "risk", "stop": "61680"},
            "size",
            "needs a stop away from the price",
        ),
        (
            {"time_in_force": TimeInForce.GTD, "span": "soon"},
            "span",
            "a count and a unit, such as 30s, 15m, 2h",
        ),
        ({"time_in_force": TimeInForce.GTD, "span": "400d"}, "span", "at most a year"),
        (
            {"time_in_force": TimeInForce.GTD, "span": "٥m"},
            "span",
            "a count and a unit, such as 30s, 15m, 2h",
        ),
        ({"size": "٥"}, "size", "٥ is no number"),
    ],
)
def test_what_is_wrong_says_what_would_be_right(
    typed: dict[str, Any], field: str, text: str
) -> None:
    filled = read(**typed)
    assert filled.order is None
    assert filled.errors == {field: text}


def test_a_size_in_money_needs_a_price() -> None:
    typed = {"mode": "notional", "size": "100", "order_type": MARKET}
    assert read(NOTHING, **typed).errors == {"size": "needs a price: there is none yet"}
    # A quantity needs none: the engine says whether it can be sent.
    assert order(NOTHING, order_type=MARKET).quantity == D("0.1")


@given(
    st.sampled_from(tuple(MODES)),
    st.decimals("0.01", "50", places=2),
    st.sampled_from((BUY, SELL)),
    st.integers(5_900_000, 6_400_000),
)
def test_no_size_is_off_the_lot_or_more_than_was_meant(
    mode: Any, size: Decimal, side: Side, cents: int
) -> None:
    stop = str(D(cents) / 100)
    made = read(mode=mode, size=str(size), side=side, stop=stop).order
    if made is None:
        return
    assert BTC.is_on_lot(made.quantity)
    assert made.quantity > 0
    worth = made.quantity * D(61_680)
    away = abs(D(61_680) - D(stop)) or D(1)
    meant = {
        "quantity": size * D(61_680),
        "notional": size,
        "equity": EQUITY * size / 100,
        "risk": EQUITY * size / 100 / away * D(61_680),
    }[mode]
    assert worth <= meant


def test_raw_json_and_form_are_the_same_order() -> None:
    made = order(stop="60000", only=Only.POST)
    assert decode_ticket(encode_ticket(made)) == made
    bare = '{"instrument": "BTCUSDT", "side": "sell", "quantity": 0.5}'
    assert decode_ticket(bare).quantity == D("0.5")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("{}", "missing required field `instrument`"),
        (
            '{"instrument": "B", "side": "up", "quantity": "1"}',
            r"Invalid enum value 'up' - at `\$.side`",
        ),
    ],
)
def test_what_is_wrong_with_raw_json_is_said(text: str, problem: str) -> None:
    with pytest.raises(TicketError, match=problem):
        decode_ticket(text)


def test_a_ticket_begins_at_the_best_of_its_own_side() -> None:
    assert start_price(BTC, TOUCH, BUY) == "61685.99"
    assert start_price(BTC, TOUCH, SELL) == "61686.00"
    assert start_price(BTC, Touch(None, None, 61_685.5), BUY) == "61685.50"
    assert start_price(BTC, NOTHING, BUY) == ""


BOUNDED = replace(
    BTC,
    min_quantity=D("0.01"),
    max_quantity=D(20),
    market_max_quantity=D(5),
    min_price=D(1000),
    max_price=D(100_000),
    max_notional=D(616_800),
)


@pytest.mark.parametrize(
    ("typed", "field", "problem"),
    [
        ({"size": "0.009"}, "size", "at least 0.01 here"),
        ({"size": "0.01"}, "", ""),
        ({"size": "10.001"}, "size", "at most 10.000 in one order"),
        ({"size": "10"}, "", ""),
        ({"size": "20.001", "price": "1000"}, "size", "at most 20 in one order"),
        ({"size": "20", "price": "1000"}, "", ""),
        ({"size": "5.001", "order_type": MARKET}, "size", "at most 5 in one order"),
        ({"size": "5", "order_type": MARKET}, "", ""),
        ({"price": "999.99"}, "price", "at least 1,000.00 here"),
        ({"price": "1000"}, "", ""),
        ({"price": "100000.01"}, "price", "at most 100,000.00 here"),
        ({"price": "100000"}, "", ""),
        # What is said to be right is: no step on the grid that is out of bounds.
        ({"price": "0.001"}, "price", "not on tick 0.01: 1,000.00 is"),
        ({"price": "100000.014"}, "price", "not on tick 0.01: 100,000.00 is"),
        ({"size": "0.0095"}, "size", "at least 0.01 here"),
        ({"stop": "999.99"}, "stop", "at least 1,000.00 here"),
        (
            {"size": "700000", "mode": "notional"},
            "size",
            "11.348 is not: at most 10.000 in one order",
        ),
    ],
)
def test_what_is_beyond_the_bounds_of_one_order_is_said_beside_its_field(
    typed: dict[str, Any], field: str, problem: str
) -> None:
    form = TicketForm(**({"price": "61680", "size": "0.1"} | typed))
    found = read_ticket(form, BOUNDED, TOUCH, EQUITY, TS)
    assert found.errors == ({field: problem} if field else {})


def test_the_bounds_of_a_size_are_those_at_its_price() -> None:
    assert size_bounds(BTC, D(100)) == ""
    assert size_bounds(replace(BTC, min_quantity=D("0.01")), None) == "at least 0.01"
    assert size_bounds(replace(BTC, max_quantity=D(7)), None) == "0.001 to 7"
    assert size_bounds(BOUNDED, D(61_680)) == "0.01 to 10.000"
    assert size_bounds(BOUNDED, None) == "0.01 to 5"
