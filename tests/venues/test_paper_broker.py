"""The paper broker alone: latency, fills, time in force, races, money."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.execution.fakes import (
    BTC,
    ETH,
    NS,
    FakeBook,
    FakeCore,
    FakeEdge,
    FakeMarket,
    bar,
    quote,
)
from tests.venues.paper_venue import AT_ONCE, Venue, quoted
from workstation.model.fees import VenueFees
from workstation.model.instruments import Side
from workstation.model.market import BookDelta, Trade
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.reports import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderStatusReport,
    ReplaceRejected,
    Report,
)
from workstation.model.requests import (
    CancelOrder,
    QueryOrder,
    ReplaceOrder,
    SubmitOrder,
)
from workstation.model.roles import Broker
from workstation.model.states import BookTrust
from workstation.venues.paper.broker import PaperBroker
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def test_it_is_a_broker() -> None:
    assert isinstance(Venue().broker, Broker)


def test_request_and_report_each_take_one_latency() -> None:
    venue = Venue(PaperBrokerSettings(latency_ms=40))
    venue.feed(quote(1, 100.0, 100.2))
    venue.submit(BUY, "1")
    assert venue.reports == []
    venue.feed(quote(1.03, 100.3, 100.5))
    venue.core.advance(2 * NS)
    times = [(ts, type(r)) for ts, r in venue.reports]
    due = NS + 80_000_000
    assert times == [(due, OrderAccepted), (due, OrderFilledReport)]
    assert venue.fills() == [(D(1), D("100.5"), False)]


def test_a_market_order_takes_the_top_then_the_book() -> None:
    venue = quoted(size=1.0)
    venue.market.views["BTC"].book = FakeBook(asks=[(100.2, 9.0), (100.4, 2.0)])
    venue.submit(BUY, "2")
    assert venue.fills() == [
        (D(1), D("100.2"), False),
        (D(1), D("100.4"), False),
    ]


def test_the_rest_of_a_market_order_goes_on_with_the_next_quote_only() -> None:
    venue = quoted(size=1.0)
    venue.submit(BUY, "1.5")
    venue.feed(Trade("BTC", 2 * NS, 100.2, 5.0))
    assert [q for q, _, _ in venue.fills()] == [D(1)]
    venue.feed(quote(3, 100.1, 100.3, 1.0))
    assert venue.fills()[1:] == [(D("0.5"), D("100.3"), False)]


def test_two_orders_do_not_take_the_same_size_twice() -> None:
    venue = quoted(size=1.0)
    venue.submit(BUY, "1")
    venue.submit(BUY, "1")
    assert len(venue.fills()) == 1


def test_a_change_deep_in_the_book_does_not_offer_the_top_again() -> None:
    venue = quoted(size=1.0)
    venue.market.views["BTC"].book = FakeBook(asks=[(100.2, 1.0), (100.4, 2.0)])
    venue.submit(BUY, "2")
    venue.submit(BUY, "5")
    assert venue.fills()[2:] == [(D(1), D("100.4"), False)]
    venue.market.views["BTC"].book = FakeBook(asks=[(100.2, 1.0), (100.4, 3.5)])
    venue.feed(quote(2, 100.0, 100.2, 1.0))
    assert venue.fills()[3:] == [(D("3.5"), D("100.4"), False)]
    venue.feed(quote(3, 100.0, 100.2, 0.4))
    assert venue.fills()[4:] == [(D("0.4"), D("100.2"), False)]
    assert venue.broker.digest() != quoted().broker.digest()


def test_nothing_is_filled_from_a_book_that_is_not_trusted() -> None:
    venue = quoted(size=1.0)
    view = venue.market.views["BTC"]
    view.book = FakeBook(asks=[(100.2, 1.0), (100.4, 2.0)])
    venue.submit(BUY, "9", "100.4")
    filled = venue.fills()
    view.book.trust, view.is_top_proven = BookTrust.UNTRUSTED, False
    venue.submit(BUY, "1")
    venue.submit(BUY, "1", tif=TimeInForce.IOC)
    venue.feed(BookDelta("BTC", 2 * NS, 5, 6, (), ()))
    assert venue.fills() == filled
    assert len(venue.got(OrderExpired)) == 1
    view.book = FakeBook(asks=[(100.2, 1.5), (100.4, 2.0)])
    view.is_top_proven, view.ask_size = True, 1.5
    venue.feed(BookDelta("BTC", 3 * NS, 7, 8, (), ()))
    assert sum(q for q, _, _ in venue.fills()[len(filled) :]) == D("1.5")


def test_a_price_that_vanished_is_offered_again_when_it_comes_back() -> None:
    venue = quoted(size=1.0)
    venue.submit(BUY, "1.5", "100.2")
    venue.feed(quote(2, 100.0, 100.3, 1.0))
    assert len(venue.fills()) == 1
    venue.feed(quote(3, 100.0, 100.2, 1.0))
    assert venue.fills()[1:] == [(D("0.5"), D("100.2"), True)]


def test_for_an_optimist_the_size_shown_does_not_matter() -> None:
    venue = Venue(PaperBrokerSettings(latency_ms=0, fill_model="optimistic"))
    venue.feed(quote(1, 100.0, 100.2, 0.001))
    venue.submit(SELL, "5")
    assert venue.fills() == [(D(5), D("100.0"), False)]


def test_a_quote_without_sizes_bounds_nothing() -> None:
    venue = quoted(size=0.0)
    venue.submit(SELL, "5")
    assert venue.fills() == [(D(5), D("100.0"), False)]


def test_immediate_or_cancel_ends_with_what_is_there() -> None:
    venue = quoted(size=1.0)
    venue.submit(BUY, "1.5", tif=TimeInForce.IOC)
    (expired,) = venue.got(OrderExpired)
    assert "1.000 of 1.5 filled" in expired.reason
    assert [q for q, _, _ in venue.fills()] == [D(1)]


def test_fill_or_kill_is_all_or_nothing() -> None:
    venue = quoted(size=1.0)
    venue.submit(BUY, "1.5", tif=TimeInForce.FOK)
    assert (len(venue.got(OrderExpired)), venue.fills()) == (1, [])
    venue.submit(BUY, "1", tif=TimeInForce.FOK)
    assert [q for q, _, _ in venue.fills()] == [D(1)]


def test_a_limit_takes_what_crosses_and_rests_with_the_rest() -> None:
    venue = quoted(size=1.0)
    venue.market.views["BTC"].book = FakeBook(asks=[(100.4, 2.0), (100.6, 9.0)])
    venue.submit(BUY, "4", "100.5")
    assert venue.fills() == [(D(1), D("100.2"), False), (D(2), D("100.4"), False)]
    venue.market.views["BTC"].book = None
    venue.feed(quote(2, 100.3, 100.4, 0.4))
    assert venue.fills()[2:] == [(D("0.4"), D("100.5"), True)]


def test_a_trade_fills_a_resting_limit_only_strictly_through_it() -> None:
    venue = quoted()
    venue.submit(BUY, "1", "99.0")
    venue.feed(Trade("BTC", 2 * NS, 99.0, 5.0))
    assert venue.fills() == []
    venue.feed(Trade("BTC", 3 * NS, 98.9, 0.4))
    assert venue.fills() == [(D("0.4"), D("99.0"), True)]


def test_one_trade_fills_the_best_price_first_and_no_more_than_its_size() -> None:
    venue = quoted()
    low = venue.submit(BUY, "1", "98.0")
    high = venue.submit(BUY, "1", "99.0")
    venue.feed(Trade("BTC", 2 * NS, 97.0, 1.5))
    fills = [(f.order_id, f.quantity) for f in venue.got(OrderFilledReport)]
    assert fills == [(high, D(1)), (low, D("0.5"))]


def test_fees_are_in_the_quote_currency_by_maker_and_taker() -> None:
    venue = Venue(
        PaperBrokerSettings(latency_ms=0, maker_fee_bps=-1.0, taker_fee_bps=4.5)
    )
    venue.feed(quote(1, 100.0, 100.2))
    venue.submit(BUY, "1")
    venue.submit(SELL, "1", "101.0")
    venue.feed(quote(2, 101.0, 101.2))
    fees = [(f.fee, f.fee_currency) for f in venue.got(OrderFilledReport)]
    assert fees == [(D("0.04509"), "USDT"), (D("-0.0101"), "USDT")]


def test_a_venue_with_fees_of_its_own_charges_those() -> None:
    north = msgspec.structs.replace(BTC, venue="north")
    market, core = FakeMarket(), FakeCore(ts=0)
    reports: list[Report] = []
    own = {"north": VenueFees(maker_bps=D(-2), taker_bps=D("7.5"))}
    broker = PaperBroker(AT_ONCE, (north, ETH), market, own)
    broker.attach(FakeEdge(core, reports.append))
    for name in ("BTC", "ETH"):
        market.see(quote(1, 100.0, 100.0, instrument=name))
        order = Order(
            id=name,
            instrument=name,
            owner="s",
            role=OrderRole.ENTRY,
            side=BUY,
            type=OrderType.MARKET,
            quantity=D(1),
        )
        broker.request(SubmitOrder(order))
        core.advance(core.ts)
    fees = {r.order_id: r.fee for r in reports if isinstance(r, OrderFilledReport)}
    assert fees == {"BTC": D("0.075"), "ETH": D("0.045")}


def test_nothing_is_filled_without_data() -> None:
    venue = Venue()
    venue.submit(BUY, "1")
    (rejected,) = venue.got(OrderRejected)
    assert rejected.reason == "no market data of BTC yet"


def test_with_trades_only_the_last_price_and_half_the_spread_count() -> None:
    venue = Venue()
    venue.feed(Trade("BTC", NS, 1000.0, 1.0))
    venue.submit(BUY, "1")
    assert venue.fills() == [(D(1), D("1000.1"), False)]


def test_a_cancel_that_comes_too_late_says_why() -> None:
    venue = Venue(PaperBrokerSettings(latency_ms=40))
    venue.feed(quote(1, 100.0, 100.2))
    order_id = venue.submit(BUY, "1")
    venue.ask(CancelOrder(order_id))
    venue.core.advance(2 * NS)
    assert venue.got(CancelRejected)[0].reason == "already filled"
    venue.ask(CancelOrder("o-77"))
    venue.core.advance(3 * NS)
    assert venue.got(CancelRejected)[1].reason == "unknown order"


def test_a_cancel_in_time_ends_the_order() -> None:
    venue = quoted()
    order_id = venue.submit(BUY, "1", "99.0")
    venue.ask(CancelOrder(order_id))
    venue.feed(quote(2, 90.0, 90.1))
    assert (len(venue.got(OrderCanceled)), venue.fills()) == (1, [])


def test_a_replaced_limit_may_cross_at_once() -> None:
    venue = quoted()
    order_id = venue.submit(BUY, "1", "99.0")
    venue.ask(ReplaceOrder(order_id, D(2), D("100.2")))
    assert len(venue.got(OrderReplaced)) == 1
    assert venue.fills() == [(D(2), D("100.2"), False)]


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        ("1", "99.05", "is not on tick 0.1"),
        ("0.0005", "99", "is not on lot 0.001"),
        ("0.3", "99", "0.400 is filled already"),
        ("1", None, "a limit price cannot be given or taken away"),
    ],
)
def test_a_replace_is_refused_with_the_reason(
    quantity: str, price: str | None, reason: str
) -> None:
    venue = quoted()
    order_id = venue.submit(BUY, "1", "99.0")
    venue.feed(Trade("BTC", 2 * NS, 98.0, 0.4))
    venue.ask(ReplaceOrder(order_id, D(quantity), None if price is None else D(price)))
    assert reason in venue.got(ReplaceRejected)[0].reason


def test_a_query_is_answered_with_what_the_venue_knows() -> None:
    venue = quoted()
    resting = venue.submit(BUY, "1", "99.0")
    done = venue.submit(BUY, "1")
    for order_id in (resting, done, "o-9"):
        venue.ask(QueryOrder(order_id))
    answers = [(r.status, r.filled) for r in venue.got(OrderStatusReport)]
    assert answers == [
        (OrderStatus.ACCEPTED, D(0)),
        (OrderStatus.FILLED, D(1)),
        (None, D(0)),
    ]


def test_an_answer_says_what_an_order_that_works_has_now() -> None:
    venue = quoted(size=1.0)
    limit, market = venue.submit(BUY, "1", "99.0"), venue.submit(BUY, "3")
    venue.ask(ReplaceOrder(limit, D(2), D("98.9")))
    for order_id in (limit, market):
        venue.ask(QueryOrder(order_id))
    answers = [
        (r.status, r.filled, r.quantity, r.price) for r in venue.got(OrderStatusReport)
    ]
    assert answers == [
        (OrderStatus.ACCEPTED, D(0), D(2), D("98.9")),
        (OrderStatus.PARTIALLY_FILLED, D(1), D(3), None),
    ]


@pytest.mark.parametrize("expires_ns", [NS + 10_000_000, NS + 40_000_000])
def test_an_order_that_comes_at_or_after_its_end_is_expired_and_takes_nothing(
    expires_ns: int,
) -> None:
    venue = quoted(settings=PaperBrokerSettings(latency_ms=40))
    venue.submit(BUY, "1", "100.4", expires_ns=expires_ns)
    venue.core.advance(2 * NS)
    kinds = [type(report) for _, report in venue.reports]
    assert kinds == [OrderAccepted, OrderExpired]
    assert not venue.broker.matching.orders
    assert venue.broker.matching.book("BTC").is_empty


def test_an_order_that_comes_before_its_end_takes_and_the_rest_waits_for_it() -> None:
    venue = quoted(size=1.0, settings=PaperBrokerSettings(latency_ms=40))
    venue.submit(BUY, "3", "100.4", expires_ns=2 * NS)
    venue.core.advance(3 * NS)
    assert venue.fills() == [(D(1), D("100.2"), False)]
    (ended,) = [ts for ts, r in venue.reports if isinstance(r, OrderExpired)]
    assert ended == 2 * NS + 40_000_000


def test_an_order_id_is_used_once() -> None:
    venue = quoted()
    venue.submit(BUY, "1")
    venue._count = 0
    venue.submit(BUY, "1")
    assert "used before" in venue.got(OrderRejected)[0].reason


def test_with_bars_only_a_market_order_fills_at_the_next_open_before_the_bar() -> None:
    venue = Venue(PaperBrokerSettings(latency_ms=40, spread_bps=10.0))
    venue.feed(bar(60, 1000, 1010, 990, 1005))
    venue.submit(BUY, "1")
    assert [type(r) for _, r in venue.reports] == [OrderAccepted]
    later = bar(120, 1004, 1010, 990, 1005)
    venue.core.advance(later.ts_recv)
    venue.broker.before_market(later)
    venue.core.advance(later.ts_recv)
    assert venue.fills() == [(D(1), D("1004.6"), False)]


def test_an_immediate_limit_on_bars_lives_until_the_next_open() -> None:
    venue = Venue()
    venue.feed(bar(60, 100, 101, 99, 100))
    venue.submit(BUY, "1", "98.0", TimeInForce.IOC)
    venue.feed(bar(120, 100, 101, 90, 100))
    assert (len(venue.got(OrderExpired)), venue.fills()) == (1, [])


def test_a_limit_that_crosses_its_first_open_takes_there() -> None:
    venue = Venue(PaperBrokerSettings(latency_ms=0, spread_bps=20.0))
    venue.feed(bar(60, 100, 101, 99, 100))
    venue.submit(BUY, "1", "105")
    venue.submit(BUY, "1", "105", TimeInForce.IOC)
    venue.submit(BUY, "2", "100.0")
    venue.submit(BUY, "3", "98.0")
    venue.feed(bar(120, 100, 101, 99, 100))
    assert venue.fills() == [
        (D(1), D("100.1"), False),
        (D(1), D("100.1"), False),
        (D(2), D("100.0"), True),
    ]
    venue.feed(bar(180, 97, 99, 96, 98))
    assert venue.fills()[3:] == [(D(3), D("97.0"), True)]


def test_a_limit_replaced_across_the_market_takes_at_the_next_open() -> None:
    venue = Venue(PaperBrokerSettings(latency_ms=0, spread_bps=0.0))
    venue.feed(bar(60, 100, 101, 99, 100))
    order_id = venue.submit(BUY, "1", "90")
    venue.feed(bar(120, 100, 101, 99, 100))
    venue.ask(ReplaceOrder(order_id, D(1), D(105)))
    venue.feed(bar(180, 102, 103, 101, 102))
    assert venue.fills() == [(D(1), D("102.0"), False)]


@pytest.mark.parametrize("spread", [-10_000.0, -0.1, 10_001.0])
def test_a_spread_is_not_negative(spread: float) -> None:
    with pytest.raises(msgspec.ValidationError, match="spread_bps"):
        msgspec.convert({"type": "paper", "spread_bps": spread}, PaperBrokerSettings)


def test_trade_ids_are_unique() -> None:
    venue = quoted()
    for _ in range(5):
        venue.submit(BUY, "1")
    ids = [f.trade_id for f in venue.got(OrderFilledReport)]
    assert len(set(ids)) == 5


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["quote", "trade", "market", "limit", "cancel", "replace"]),
        st.integers(1, 3000),
        st.integers(950, 1050),
        st.sampled_from(Side),
        st.sampled_from(TimeInForce),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([0, 40]))
def test_fills_never_exceed_the_order_nor_beat_the_book_and_money_is_conserved(
    steps: list[tuple[str, int, int, Side, TimeInForce]], latency_ms: int
) -> None:
    venue = Venue(PaperBrokerSettings(latency_ms=latency_ms))
    venue.feed(quote(1, 100.0, 100.2, 1.0))
    sides: dict[str, Side] = {}
    asked: dict[str, Decimal] = {}
    limits: dict[str, list[Decimal]] = {}
    best = {BUY: D("100.2"), SELL: D("100.0")}
    shown = {BUY: D(1), SELL: D(1)}
    for number, (what, size, ticks, side, tif) in enumerate(steps, 2):
        quantity, price = D(size) / 1000, D(ticks) / 10
        if what == "quote":
            event = quote(number, float(price), float(price) + 0.2, size / 1000)
            venue.feed(event)
            best[BUY] = min(best[BUY], D(repr(event.ask)).quantize(D("0.1")))
            best[SELL] = max(best[SELL], price)
            shown = {each: total + quantity for each, total in shown.items()}
        elif what == "trade":
            venue.feed(Trade("BTC", number * NS, float(price), size / 1000))
            shown = {each: total + quantity for each, total in shown.items()}
        elif what in ("market", "limit"):
            text = str(price) if what == "limit" else None
            order_id = venue.submit(side, str(quantity), text, tif)
            sides[order_id], asked[order_id] = side, quantity
            if text:
                limits[order_id] = [price]
        elif sides:
            order_id = sorted(sides)[size % len(sides)]
            if what == "cancel":
                venue.ask(CancelOrder(order_id))
            elif order_id in limits:
                asked[order_id] = max(asked[order_id], quantity)
                limits[order_id].append(price)
                venue.ask(ReplaceOrder(order_id, quantity, price))
        venue.core.advance(number * NS + NS // 2)
    filled: dict[str, Decimal] = {}
    cash, coins = D(100_000), D(0)
    taken = {BUY: D(0), SELL: D(0)}
    for report in venue.got(OrderFilledReport):
        order_id, side = report.order_id, sides[report.order_id]
        filled[order_id] = filled.get(order_id, D(0)) + report.quantity
        taken[side] += report.quantity
        cash -= side.sign * report.quantity * report.price + report.fee
        coins += side.sign * report.quantity
        assert BTC.is_on_tick(report.price)
        assert report.quantity > 0
        if order_id in limits:
            worst = max if side is BUY else min
            assert (report.price - worst(limits[order_id])) * side.sign <= 0
        if not report.maker:
            assert (report.price - best[side]) * side.sign >= 0
    for order_id, quantity in filled.items():
        assert quantity <= asked[order_id]
    for side in Side:
        assert taken[side] <= shown[side]
    assert venue.broker.balances["USDT"] == cash
    assert venue.broker.balances.get("BTC", D(0)) == coins
