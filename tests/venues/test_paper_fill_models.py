"""What each fill model and each rule of the paper venue does to the same market."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.execution.fakes import NS, FakeBook, quote
from tests.venues.paper_venue import AT_ONCE, Venue, quoted
from workstation.model.instruments import Side
from workstation.model.market import BookDelta, MarketEvent, Trade
from workstation.model.orders import TimeInForce
from workstation.model.reports import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    ReplaceRejected,
)
from workstation.model.requests import ReplaceOrder
from workstation.venues.paper.settings import FillModel, PaperBrokerSettings

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
MODELS: list[FillModel] = ["through", "queue", "touch", "optimistic"]


def model(name: FillModel) -> PaperBrokerSettings:
    return PaperBrokerSettings(latency_ms=0, fill_model=name)


def sold(seconds: float, price: float, size: float) -> Trade:
    """Return a public trade whose aggressor sold."""
    return Trade("BTC", int(seconds * NS), price, size, -1)


@pytest.mark.parametrize(
    ("name", "filled"),
    [
        ("through", []),
        ("queue", ["0.5"]),
        ("touch", ["1.0", "1"]),
        ("optimistic", ["2"]),
    ],
)
def test_a_trade_at_the_price_fills_as_the_model_says(
    name: FillModel, filled: list[str]
) -> None:
    venue = quoted(100.0, 100.2, 2.0, settings=model(name))
    venue.submit(BUY, "2", "100.0")
    venue.feed(sold(2, 100.0, 1.0))
    venue.feed(sold(3, 100.0, 1.5))
    assert venue.fills() == [(D(q), D("100.0"), True) for q in filled]


@pytest.mark.parametrize("name", MODELS)
def test_a_trade_through_the_price_fills_in_every_model(name: FillModel) -> None:
    venue = quoted(100.0, 100.2, 50.0, settings=model(name))
    venue.submit(BUY, "2", "100.0")
    venue.feed(sold(2, 99.9, 3.0))
    assert venue.fills() == [(D(2), D("100.0"), True)]


@pytest.mark.parametrize(("shrinks", "filled"), [("behind", []), ("proportional", [1])])
def test_who_leaves_a_shrinking_queue_decides_whose_turn_it_is(
    shrinks: str, filled: list[int]
) -> None:
    venue = quoted(
        100.0,
        100.2,
        4.0,
        settings=PaperBrokerSettings(latency_ms=0, queue_shrinks=shrinks),  # type: ignore[arg-type]
    )
    venue.submit(BUY, "1", "100.0")
    venue.feed(quote(2, 100.0, 100.2, 8.0))
    venue.feed(quote(3, 100.0, 100.2, 4.0))
    venue.feed(sold(4, 100.0, 3.0))
    assert [q for q, _, _ in venue.fills()] == filled


def test_own_orders_at_one_price_fill_in_their_order_of_time() -> None:
    venue = quoted(99.9, 100.2, 10.0)
    first = venue.submit(BUY, "4", "100.0")
    venue.feed(quote(2, 100.0, 100.2, 10.0))
    second = venue.submit(BUY, "1", "100.0")
    # A size is told before its trade, which fills who was first and explains it all.
    venue.feed(quote(3, 100.0, 100.2, 6.0))
    venue.feed(sold(3.01, 100.0, 4.0))
    third = venue.submit(BUY, "5", "100.0")
    venue.feed(sold(60, 100.0, 8.0))
    filled = [(f.order_id, f.quantity) for f in venue.got(OrderFilledReport)]
    assert filled == [(first, D(4)), (second, D(1)), (third, D(1))]


@pytest.mark.parametrize("amended", [False, True])
def test_a_trade_told_after_the_size_that_an_order_joins_behind_moves_it_nowhere(
    amended: bool,
) -> None:
    venue = quoted(size=10.0)
    order_id = venue.submit(BUY, "1", "100.0") if amended else ""
    venue.feed(quote(2, 100.0, 100.2, 6.0))
    if amended:
        # To the end of a queue in which nobody else is ours.
        venue.ask(ReplaceOrder(order_id, D(2), D("100.0")))
    else:
        order_id = venue.submit(BUY, "2", "100.0")
    venue.feed(sold(2.006, 100.0, 4.0))
    assert venue.broker.place(order_id) == (D(6), D(6))
    venue.feed(sold(2.2, 100.0, 4.0))
    assert venue.broker.place(order_id) == (D(2), D(6))


def test_a_better_price_has_nobody_ahead() -> None:
    venue = quoted(100.0, 100.4, 9.0)
    venue.submit(BUY, "1", "100.2")
    venue.feed(sold(2, 100.2, 0.4))
    assert venue.fills() == [(D("0.4"), D("100.2"), True)]


def test_a_buyer_does_not_consume_the_queue_of_the_buyers() -> None:
    venue = quoted(100.0, 100.2, 1.0)
    venue.submit(BUY, "1", "100.0")
    venue.feed(Trade("BTC", 2 * NS, 100.0, 5.0, 1))
    assert venue.fills() == []
    venue.feed(Trade("BTC", 3 * NS, 100.0, 5.0))
    assert venue.fills() == [(D(1), D("100.0"), True)]


def test_a_level_below_the_best_follows_the_book_and_not_the_quote() -> None:
    venue = quoted(100.0, 100.2, 1.0)
    view = venue.market.views["BTC"]
    view.book = FakeBook([(100.0, 1.0), (99.9, 6.0)], [(100.2, 1.0)])
    order_id = venue.submit(BUY, "1", "99.9")
    working = venue.broker.matching.orders[order_id]
    assert working.ahead == 6
    venue.feed(quote(2, 100.0, 100.2, 0.5))
    assert working.ahead == 6
    view.book = FakeBook([(100.0, 0.5), (99.9, 2.5)], [(100.2, 1.0)])
    venue.feed(BookDelta("BTC", 3 * NS, 2, 3, (), ()))
    assert working.ahead == D("2.5")
    # The best price falls to ours, and then below it: only we are left there.
    venue.feed(quote(4, 99.9, 100.2, 2.0))
    assert working.ahead == 2
    venue.feed(quote(5, 99.8, 100.2, 7.0))
    assert working.ahead == 0


def test_a_change_deep_in_the_book_after_a_newer_ticker_is_not_believed() -> None:
    venue = quoted(100.0, 100.2, 4.0)
    order_id = venue.submit(BUY, "1", "100.0")
    working = venue.broker.matching.orders[order_id]
    level = venue.broker.matching.book("BTC").buys.levels[D("100.0")]
    event = quote(2, 100.0, 100.2, 3.0)
    ticker = type(event)("BTC", 2 * NS, 100.0, 3.0, 100.2, 3.0, None, 50)
    venue.feed(ticker)
    venue.feed(quote(3, 100.1, 100.2, 1.0))
    view = venue.market.views["BTC"]
    view.book = FakeBook([(100.1, 1.0), (100.0, 9.0)], [(100.2, 1.0)])
    venue.feed(BookDelta("BTC", 4 * NS, 2, 3, (), ()))
    assert [working.ahead, level.shown] == [3, 3]


@pytest.mark.parametrize("amended", [False, True])
@pytest.mark.parametrize("size", [2.0, 50.0])
def test_who_joins_an_own_order_at_a_price_not_shown_has_no_place_yet(
    amended: bool, size: float
) -> None:
    venue = quoted(100.0, 101.5, 2.0)
    first = venue.submit(BUY, "0.1", "100.0")
    venue.feed(quote(1.5, 100.0, 101.5, 2.0))
    second = venue.submit(BUY, "1", "99.0" if amended else "98.0")
    venue.feed(quote(2, 101.0, 101.5, 9.0))
    # How much of the 2 is still there nobody tells.
    if amended:
        venue.ask(ReplaceOrder(second, D(1), D("100.0")))
    else:
        second = venue.submit(BUY, "1", "100.0")
    assert venue.broker.place(first) == (D(2), D(2))
    assert venue.broker.place(second) is None
    venue.feed(quote(200, 100.0, 101.5, size))
    assert venue.broker.place(first) == (D(2), D(str(size)))
    assert venue.broker.place(second) == (D(str(size)), D(str(size)))
    venue.feed(sold(201, 100.0, 2.1))
    assert venue.fills() == [(D("0.1"), D("100.0"), True)]


def test_at_a_price_below_the_last_of_the_book_nobody_is_known_to_have_left() -> None:
    venue = quoted(100.0, 100.2, 1.0)
    view = venue.market.views["BTC"]
    view.book = FakeBook([(100.0, 1.0), (99.9, 6.0)], [(100.2, 1.0)])
    first = venue.submit(BUY, "1", "99.9")
    view.book = FakeBook([(100.1, 1.0), (100.0, 3.0)], [(100.2, 1.0)])
    venue.market.see(quote(2, 100.1, 100.2, 1.0))
    venue.feed(BookDelta("BTC", 2 * NS, 2, 3, (), ()))
    second = venue.submit(BUY, "1", "99.9")
    venue.feed(BookDelta("BTC", 3 * NS, 3, 4, (), ()))
    assert venue.broker.place(first) == (D(6), D(6))
    assert venue.broker.place(second) is None
    # Between the prices of the book is nobody.
    view.book = FakeBook([(100.1, 1.0), (99.8, 3.0)], [(100.2, 1.0)])
    venue.feed(BookDelta("BTC", 4 * NS, 4, 5, (), ()))
    assert venue.broker.place(first) == venue.broker.place(second) == (D(0), D(0))


def test_less_keeps_the_place_in_the_queue_and_more_loses_it() -> None:
    venue = quoted(100.0, 100.2, 1.0)
    order_id = venue.submit(BUY, "2", "100.0")
    venue.feed(quote(2, 100.0, 100.2, 5.0))
    working = venue.broker.matching.orders[order_id]
    venue.ask(ReplaceOrder(order_id, D(1), D("100.0")))
    assert working.ahead == 1
    venue.ask(ReplaceOrder(order_id, D(3), D("100.0")))
    assert working.ahead == 5


@pytest.mark.parametrize(
    ("policy", "canceled"),
    [
        ("cancel_resting", ["o-1"]),
        ("cancel_incoming", ["o-2"]),
        ("cancel_both", ["o-1", "o-2"]),
    ],
)
def test_two_owners_of_the_account_do_not_trade_with_each_other(
    policy: str, canceled: list[str]
) -> None:
    venue = quoted(
        100.0,
        100.4,
        1.0,
        settings=PaperBrokerSettings(latency_ms=0, self_trade=policy),  # type: ignore[arg-type]
    )
    venue.submit(BUY, "1", "100.2", owner="a")
    venue.submit(SELL, "1", "100.0", owner="b")
    ends = venue.got(OrderCanceled)
    assert [each.order_id for each in ends] == canceled
    assert all("self-trade with o-" in each.reason for each in ends)
    took = [(D(1), D("100.0"), False)]
    assert venue.fills() == (took if policy == "cancel_resting" else [])


def test_what_stands_before_an_own_order_is_taken_first() -> None:
    venue = quoted(
        100.0,
        100.4,
        2.0,
        settings=PaperBrokerSettings(latency_ms=0, self_trade="cancel_incoming"),
    )
    venue.submit(BUY, "1", "100.0", owner="a")
    venue.submit(SELL, "5", "99.0", owner="b")
    assert venue.fills() == [(D(2), D("100.0"), False)]
    assert [each.order_id for each in venue.got(OrderCanceled)] == ["o-2"]


def test_what_is_shown_at_a_price_is_taken_once_around_an_own_order() -> None:
    venue = quoted(100.0, 100.4, 2.0)
    venue.submit(BUY, "1", "100.0", owner="a")
    venue.feed(quote(2, 100.0, 100.4, 5.0))
    venue.submit(SELL, "9", owner="b")
    assert [(q, p) for q, p, _ in venue.fills()] == [
        (D(2), D("100.0")),
        (D(3), D("100.0")),
    ]


def test_balances_bound_orders_only_where_the_config_says_so() -> None:
    poor = PaperBrokerSettings(
        latency_ms=0, cash={"USDT": D(100)}, check_balance=True, taker_fee_bps=0.0
    )
    venue = quoted(99.0, 100.0, 9.0, settings=poor)
    venue.submit(BUY, "1.001")
    venue.submit(SELL, "0.1")
    reasons = [each.reason for each in venue.got(OrderRejected)]
    assert reasons == [
        "insufficient balance: needs 100.1000 USDT, free 100",
        "insufficient balance: needs 0.1 BTC, free 0",
    ]
    resting = venue.submit(BUY, "0.5", "99.0")
    venue.submit(BUY, "0.51", "100.0")
    assert len(venue.got(OrderRejected)) == 3
    venue.submit(BUY, "0.5", "100.0")
    venue.submit(SELL, "0.5")
    assert len(venue.got(OrderRejected)) == 3
    venue.ask(ReplaceOrder(resting, D(2), D("99.0")))
    assert "insufficient" in venue.got(ReplaceRejected)[0].reason
    free = quoted(99.0, 100.0, 9.0)
    free.submit(SELL, "0.1")
    assert len(free.fills()) == 1


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        ("1", "99.05", "price 99.05 is not on tick 0.1"),
        ("1", "-1", "price -1 is not on tick 0.1"),
        ("0.0005", "99", "quantity 0.0005 is not on lot 0.001"),
        ("0", "99", "quantity 0 is not on lot 0.001"),
        ("0.05", "99", "notional 4.95 is below 5"),
        ("0.049", None, "notional 4.9098 is below 5"),
    ],
)
def test_the_filters_of_the_instrument_refuse(
    quantity: str, price: str | None, reason: str
) -> None:
    venue = quoted()
    venue.submit(BUY, quantity, price)
    assert [each.reason for each in venue.got(OrderRejected)] == [reason]


def test_a_small_rest_can_be_closed() -> None:
    venue = quoted()
    venue.submit(SELL, "0.01", reduce_only=True)
    assert len(venue.fills()) == 1


def test_post_only_is_refused_where_it_would_take_also_when_amended() -> None:
    venue = quoted()
    venue.submit(BUY, "1", "100.2", post_only=True)
    assert "post_only: it would take 1 at once" in venue.got(OrderRejected)[0].reason
    order_id = venue.submit(BUY, "1", "100.0", post_only=True)
    venue.ask(ReplaceOrder(order_id, D(1), D("100.2")))
    assert "post_only" in venue.got(ReplaceRejected)[0].reason
    assert (len(venue.got(OrderAccepted)), venue.fills()) == (1, [])


def test_a_good_till_date_order_ends_at_its_time() -> None:
    venue = quoted()
    venue.submit(BUY, "1", "99.0", TimeInForce.GTD, expires_ns=2 * NS)
    venue.core.advance(2 * NS - 1)
    assert venue.got(OrderExpired) == []
    venue.core.advance(2 * NS)
    assert [each.ts_event for each in venue.got(OrderExpired)] == [2 * NS]


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["quote", "trade", "trade", "book"]),
        st.integers(995, 1005),
        st.integers(1, 40),
        st.sampled_from([-1, 0, 1]),
    ),
    max_size=30,
)


def _event(number: int, what: str, ticks: int, size: int, side: int) -> MarketEvent:
    price, amount = ticks / 10, size / 10
    if what == "trade":
        return Trade("BTC", number * NS // 50, price, amount, side)
    return quote(number / 50, price, price + 0.2, amount)


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.integers(990, 1003), st.integers(1, 30))
def test_each_model_fills_at_least_what_a_stricter_one_does(
    steps: list[tuple[str, int, int, int]], ticks: int, size: int
) -> None:
    venues = [quoted(100.0, 100.2, 1.0, settings=model(name)) for name in MODELS]
    for venue in venues:
        venue.submit(BUY, str(D(size) / 10), str(D(ticks) / 10))
    for number, step in enumerate(steps, 51):
        for venue in venues:
            venue.feed(_event(number, *step))
        filled = [sum((q for q, _, _ in venue.fills()), D(0)) for venue in venues]
        assert filled == sorted(filled)
        assert filled[-1] <= D(size) / 10


@settings(max_examples=150, deadline=None)
@given(
    EVENTS,
    EVENTS,
    st.integers(990, 1003),
    st.integers(1, 30),
    st.sampled_from(["behind", "proportional"]),
)
def test_an_own_order_that_came_before_brings_no_order_further_to_the_front(
    before: list[tuple[str, int, int, int]],
    after: list[tuple[str, int, int, int]],
    ticks: int,
    size: int,
    shrinks: str,
) -> None:
    behind = PaperBrokerSettings(latency_ms=0, queue_shrinks=shrinks)  # type: ignore[arg-type]
    alone, crowded = (quoted(100.0, 100.2, 1.0, settings=behind) for _ in range(2))
    price = str(D(ticks) / 10)
    crowded.submit(BUY, "0.1", price, owner="first")
    for number, step in enumerate(before, 51):
        for venue in (alone, crowded):
            venue.feed(_event(number, *step))
    placed = [venue.submit(BUY, str(D(size) / 10), price) for venue in (alone, crowded)]
    for number, step in enumerate(after, 51 + len(before)):
        for venue in (alone, crowded):
            venue.feed(_event(number, *step))
        filled = [
            sum(
                (
                    f.quantity
                    for f in venue.got(OrderFilledReport)
                    if f.order_id == name
                ),
                D(0),
            )
            for venue, name in zip((alone, crowded), placed, strict=True)
        ]
        assert filled[0] >= filled[1]
        orders = [
            venue.broker.matching.orders.get(name)
            for venue, name in zip((alone, crowded), placed, strict=True)
        ]
        if orders[0] is not None and orders[1] is not None:
            assert orders[0].ahead <= orders[1].ahead


def test_the_digest_tells_two_places_in_a_queue_apart() -> None:
    first, second = quoted(size=4.0), quoted(size=4.0)
    for venue in (first, second):
        venue.submit(BUY, "1", "100.0")
    assert first.broker.digest() == second.broker.digest()
    second.feed(sold(1, 100.0, 1.0))
    assert first.broker.digest() != second.broker.digest()


def test_a_place_in_the_queue_can_be_read_where_there_is_one() -> None:
    venue = quoted(size=4.0)
    seen, unseen = venue.submit(BUY, "1", "100.0"), venue.submit(BUY, "1", "99.0")
    venue.feed(sold(2, 100.0, 1.5))
    assert venue.broker.place(seen) == (D("2.5"), D(4))
    assert venue.broker.place(unseen) is None
    assert venue.broker.place("o-9") is None
    touching = quoted(size=4.0, settings=model("touch"))
    assert touching.broker.place(touching.submit(BUY, "1", "100.0")) is None


def test_the_default_model_is_the_queue() -> None:
    assert AT_ONCE.fill_model == "queue"
    assert isinstance(Venue().broker.digest(), tuple)
