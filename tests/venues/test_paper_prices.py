"""The paper venue's price rules: rounding, spread, levels and bars."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.execution.fakes import BTC, FakeBook, FakeView, bar
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.states import BookTrust
from workstation.venues.paper.prices import (
    against_us,
    limit_in_bar,
    released_in_bar,
    visible_levels,
    with_spread,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def order(side: Side, role: OrderRole, price: str) -> Order:
    held = role is not OrderRole.ENTRY
    return Order(
        id="o-1",
        instrument="BTC",
        owner="s",
        role=role,
        side=side,
        type=OrderType.MARKET if held else OrderType.LIMIT,
        quantity=D(1),
        price=None if held else D(price),
        trigger=D(price) if held else None,
    )


@given(st.floats(1, 1e6), st.sampled_from(Side))
def test_rounding_is_never_in_our_favour(price: float, side: Side) -> None:
    got = against_us(BTC, price, side)
    assert BTC.is_on_tick(got)
    assert (got - D(repr(price))) * side.sign >= 0
    assert abs(got - D(repr(price))) < BTC.tick_size


def test_half_the_spread_is_paid_on_either_side() -> None:
    assert with_spread(BTC, 1000.0, BUY, 10.0) == D("1000.5")
    assert with_spread(BTC, 1000.0, SELL, 10.0) == D("999.5")


def test_the_top_is_the_quote_and_deeper_levels_are_the_books() -> None:
    view = FakeView("BTC")
    view.ask, view.ask_size = 100.0, 1.0
    view.book = FakeBook(asks=[(99.0, 9.0), (100.0, 8.0), (101.0, 2.0)])
    assert list(visible_levels(view, BUY)) == [(100.0, 1.0), (101.0, 2.0)]
    view.book.trust = BookTrust.UNTRUSTED
    assert list(visible_levels(view, BUY)) == [(100.0, 1.0)]
    assert list(visible_levels(view, SELL)) == []
    view.is_top_proven = False
    assert list(visible_levels(view, BUY)) == []


@pytest.mark.parametrize(
    ("side", "limit", "expected"),
    [
        (BUY, "95", None),
        (BUY, "98", "98"),
        (BUY, "99", "99"),
        (BUY, "100", "100"),
        (BUY, "102", "100"),
        (SELL, "106", None),
        (SELL, "105", "105"),
        (SELL, "97", "100"),
    ],
)
def test_a_resting_limit_trades_by_the_range_and_gaps_at_the_open(
    side: Side, limit: str, expected: str | None
) -> None:
    seen = limit_in_bar(
        BTC, order(side, OrderRole.ENTRY, limit), bar(60, 100, 105, 98, 101)
    )
    assert seen == (None if expected is None else D(expected))


@pytest.mark.parametrize(
    ("side", "role", "trigger", "expected"),
    [
        (SELL, OrderRole.STOP, "99", "98.9"),
        (SELL, OrderRole.STOP, "103", "99.9"),
        (BUY, OrderRole.STOP, "104", "104.1"),
        (BUY, OrderRole.STOP, "98.5", "100.1"),
        (SELL, OrderRole.TARGET, "104", "104"),
        (SELL, OrderRole.TARGET, "99", "100"),
        (BUY, OrderRole.TARGET, "99", "99"),
        (BUY, OrderRole.TARGET, "103", "100"),
    ],
)
def test_a_released_order_gets_its_trigger_or_the_gapped_open(
    side: Side, role: OrderRole, trigger: str, expected: str
) -> None:
    got = released_in_bar(
        BTC, order(side, role, trigger), bar(60, 100, 105, 98, 101), 1.0
    )
    assert got == D(expected)
