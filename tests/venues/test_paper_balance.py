"""Balances that bound orders: what is refused, cut, reserved; never below zero."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.execution.fakes import BTC, NS, FakeBook, bar, quote
from tests.venues.paper_venue import AT_ONCE, Venue, quoted
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.market import Quote, Trade
from workstation.model.orders import Order, OrderRole, OrderType, TimeInForce
from workstation.model.rehearsal import Transfer
from workstation.model.reports import (
    OrderExpired,
    OrderRejected,
    OrderTriggered,
)
from workstation.model.requests import CancelOrder, ReplaceOrder, SubmitOrder
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
BOUND = replace(
    AT_ONCE,
    check_balance=True,
    native_stops=True,
    cash={"USDT": D(10_000)},
    maker_fee_bps=0.0,
    taker_fee_bps=0.0,
)


def rejected(venue: Venue) -> list[str]:
    return [each.reason for each in venue.got(OrderRejected)]


def expired(venue: Venue) -> list[str]:
    return [each.reason for each in venue.got(OrderExpired)]


def stop(trigger: str, quantity: str = "1", **rest: object) -> Order:
    given: dict[str, object] = {
        "id": "st",
        "instrument": "BTC",
        "owner": "s",
        "role": OrderRole.ENTRY,
        "side": BUY,
        "type": OrderType.STOP,
        "quantity": D(quantity),
        "trigger": D(trigger),
    }
    return Order(**(given | rest))  # type: ignore[arg-type]


def test_a_market_order_is_reckoned_by_all_that_it_would_take() -> None:
    venue = quoted(99.0, 100.0, 1.0, replace(BOUND, taker_fee_bps=10.0))
    venue.market.views["BTC"].book = FakeBook(
        [(99.0, 1.0)], [(100.0, 1.0), (150.0, 1000.0)]
    )
    venue.submit(BUY, "67")
    assert rejected(venue) == [
        "insufficient balance: needs 10010.0000000 USDT, free 10000"
    ]
    venue.submit(BUY, "66.5")
    assert venue.fills() == [(D(1), D(100), False), (D("65.5"), D(150), False)]
    assert venue.broker.balances["USDT"] == D(10_000) - D("9925") * D("1.001")


def test_what_a_market_order_has_to_wait_for_is_reckoned_at_the_worst_price() -> None:
    venue = quoted(99.0, 100.0, 1.0, BOUND)
    venue.market.views["BTC"].book = FakeBook(
        [(99.0, 1.0)], [(100.0, 1.0), (150.0, 1.0)]
    )
    venue.submit(BUY, "68")
    assert "needs 10150" in rejected(venue)[0]
    venue.submit(BUY, "67")
    assert len(venue.fills()) == 2


def test_market_orders_that_wait_reserve_what_they_would_pay_now() -> None:
    venue = quoted(99.0, 100.0, 1.0, BOUND)
    for _ in range(3):
        venue.submit(BUY, "60")
    assert (
        rejected(venue)
        == ["insufficient balance: needs 6000.0 USDT, free 4000.00000"] * 2
    )
    venue.feed(quote(2, 149.0, 150.0, 0.1))
    venue.submit(BUY, "20", "100.0")
    assert rejected(venue)[2:] == [
        "insufficient balance: needs 2000.0 USDT, free 1050.00000"
    ]


def test_a_market_order_that_waits_is_cut_where_the_money_ends() -> None:
    venue = quoted(99.0, 100.0, 1.0, BOUND)
    venue.submit(BUY, "90")
    venue.submit(BUY, "5", "99.0")
    venue.feed(quote(2, 199.0, 200.0, 500.0))
    assert venue.fills()[1:] == [(D("47.025"), D(200), False)]
    assert expired(venue) == ["insufficient balance: 48.025 of 90 filled"]
    # What the limit order has reserved is still there for it.
    venue.feed(Trade("BTC", 3 * NS, 98.0, 5.0))
    assert venue.broker.balances["USDT"] == 0


def test_a_woken_stop_is_cut_where_the_money_ends() -> None:
    venue = quoted(99.0, 100.0, 500.0, BOUND)
    venue.feed(Trade("BTC", NS, 100.0, 1.0))
    venue.ask(SubmitOrder(stop("105", "90")))
    venue.feed(quote(2, 119.0, 120.0, 500.0))
    venue.feed(Trade("BTC", 3 * NS, 120.0, 1.0))
    assert len(venue.got(OrderTriggered)) == 1
    assert venue.fills() == [(D("83.333"), D(120), False)]
    assert expired(venue) == ["insufficient balance: 83.333 of 90 filled"]


def test_a_woken_fill_or_kill_stop_is_not_cut_but_ends() -> None:
    venue = quoted(99.0, 100.0, 500.0, BOUND)
    venue.feed(Trade("BTC", NS, 100.0, 1.0))
    venue.ask(SubmitOrder(stop("105", "90", time_in_force=TimeInForce.FOK)))
    venue.feed(quote(2, 119.0, 120.0, 500.0))
    venue.feed(Trade("BTC", 3 * NS, 120.0, 1.0))
    assert venue.fills() == []
    assert expired(venue) == ["insufficient balance: 0 of 90 filled"]


def test_an_order_that_may_rest_reserves_the_greater_fee() -> None:
    dear = replace(BOUND, maker_fee_bps=100.0)
    venue = quoted(99.0, 100.0, 9.0, dear)
    venue.submit(BUY, "100", "99.5")
    assert "needs 10049.5" in rejected(venue)[0]
    venue.submit(BUY, "99.5", "99.5")
    venue.feed(quote(2, 99.0, 99.5, 100.0))
    assert venue.fills() == [(D("99.5"), D("99.5"), True)]
    assert venue.broker.balances["USDT"] == D(10_000) - D("99.5") ** 2 * D("1.01")


@pytest.mark.parametrize("lives", [TimeInForce.GTC, TimeInForce.FOK])
def test_on_bars_what_opens_too_high_is_cut(lives: TimeInForce) -> None:
    venue = Venue(replace(BOUND, spread_bps=0.0))
    venue.feed(bar(60, 100, 101, 99, 100))
    venue.submit(BUY, "90", tif=lives)
    venue.feed(bar(120, 125, 126, 120, 125))
    filled = [] if lives is TimeInForce.FOK else [(D(80), D(125), False)]
    assert venue.fills() == filled
    assert len(expired(venue)) == 1
    assert "insufficient balance" in expired(venue)[0]


def test_what_orders_reserve_cannot_be_taken_out() -> None:
    venue = quoted(99.0, 100.0, 9.0, BOUND)
    order_id = venue.submit(BUY, "90", "99.0")
    with pytest.raises(CommandRefused, match="1090 USDT are free at the venue"):
        venue.broker.happen(Transfer(currency="USDT", amount=D(-1091)))
    venue.broker.happen(Transfer(currency="USDT", amount=D(-1090)))
    venue.ask(CancelOrder(order_id))
    venue.broker.happen(Transfer(currency="USDT", amount=D(-8910)))
    assert venue.broker.balances["USDT"] == 0
    free = quoted(99.0, 100.0, 9.0, replace(BOUND, check_balance=False))
    free.submit(BUY, "90", "99.0")
    free.broker.happen(Transfer(currency="USDT", amount=D(-10_000)))


def test_without_the_check_an_account_goes_below_zero_and_sells_short() -> None:
    venue = quoted(99.0, 100.0, 500.0, replace(BOUND, check_balance=False))
    venue.submit(SELL, "1")
    venue.submit(BUY, "200")
    assert [q for q, _, _ in venue.fills()] == [D(1), D(200)]
    assert venue.broker.balances["USDT"] < 0


FEES = st.sampled_from([0.0, 1.5, 4.5, 300.0, -2.0, -10_000.0, 10_000.0])
SETTINGS = st.builds(
    PaperBrokerSettings,
    check_balance=st.just(True),
    native_stops=st.booleans(),
    cash=st.fixed_dictionaries(
        {
            "USDT": st.sampled_from([D(210), D(1_000), D(1_000), D(5_000)]),
            "BTC": st.sampled_from([D(0), D("0.3"), D(20)]),
        }
    ),
    fill_model=st.sampled_from(["queue", "through", "touch", "optimistic"]),
    self_trade=st.sampled_from(["cancel_resting", "cancel_incoming", "cancel_both"]),
    maker_fee_bps=FEES,
    taker_fee_bps=FEES,
    latency_ms=st.sampled_from([0, 40, 2_500]),
    spread_bps=st.sampled_from([0.0, 20.0]),
)
PRICES = st.integers(900, 1200).map(lambda ticks: D(ticks) / 10)
# Of what the account has: cash at 100, or coins; most orders are just about covered.
SHARES = st.sampled_from(["0.05", "0.3", "0.6", "0.9", "0.99", "1.1"]).map(D)
SIZES = st.sampled_from([0.3, 1.0, 7.5, 0.0, 1000.0])
LIVES = st.sampled_from([*[TimeInForce.GTC] * 4, TimeInForce.IOC, TimeInForce.FOK])
ORDERS = st.tuples(
    st.sampled_from(["market", "market", "limit", "stop", "stop_limit"]),
    st.sampled_from([BUY, BUY, SELL]),
    SHARES,
    PRICES,
    PRICES,
    LIVES,
)
CHANGES = st.tuples(
    st.sampled_from(["cancel", "replace", "move", "transfer"]),
    st.integers(1, 20),
    SHARES,
    PRICES,
)
DEPTH = st.lists(st.tuples(st.integers(1, 300), SIZES), max_size=3)
TICKS = st.one_of(
    st.tuples(st.just("quote"), PRICES, SIZES),
    st.tuples(st.just("book"), PRICES, SIZES, DEPTH),
    st.tuples(st.just("trade"), PRICES, SIZES),
)
BARS = st.tuples(st.just("bar"), PRICES, PRICES, PRICES, PRICES)


class Account:
    """A venue that is told of one step after the other; it starts with a market."""

    def __init__(self, chosen: PaperBrokerSettings, pace: int = 1) -> None:
        self.venue = Venue(chosen)
        self.now = 0
        self.pace = pace

    def step(self, step: tuple[object, ...]) -> None:
        self.now += self.pace
        match step:
            case ("quote", Decimal() as bid, float() as size):
                self.venue.market.views["BTC"].book = None
                self.venue.feed(self._quote(bid, size))
            case ("book", Decimal() as bid, float() as size, list() as rest):
                levels: dict[float, float] = {}
                for away, amount in rest:
                    levels[float(bid + (away + 2) / D(10))] = amount or 1.0
                self.venue.market.views["BTC"].book = FakeBook(
                    [(float(bid), size or 1.0)],
                    [(float(bid) + 0.2, size or 1.0), *sorted(levels.items())],
                )
                self.venue.feed(self._quote(bid, size or 1.0))
            case ("trade", Decimal() as price, float() as size):
                self.venue.feed(Trade("BTC", self.now * NS, float(price), size or 1.0))
            case ("bar", *prices):
                first, *_, last = figures = [float(str(price)) for price in prices]
                highest, lowest = max(figures), min(figures)
                self.venue.feed(bar(self.now, first, highest, lowest, last))
            case (
                "market" | "limit" | "stop" | "stop_limit" as kind,
                Side() as side,
                Decimal() as share,
                Decimal() as price,
                Decimal() as trigger,
                TimeInForce() as lives,
            ):
                self.venue._count += 1
                order = Order(
                    id=f"o-{self.venue._count}",
                    instrument="BTC",
                    owner="s",
                    role=OrderRole.ENTRY,
                    side=side,
                    type=OrderType(kind),
                    quantity=self._share(share, side),
                    price=price if "limit" in kind else None,
                    trigger=trigger if "stop" in kind else None,
                    time_in_force=lives,
                )
                self.venue.ask(SubmitOrder(order))
            case (str() as kind, int() as which, Decimal() as share, Decimal() as at):
                self._change(kind, f"o-{which}", self._share(share, BUY), at)

    def _share(self, share: Decimal, side: Side) -> Decimal:
        balances = self.venue.broker.balances
        has = balances["USDT"] / 100 if side is BUY else balances["BTC"]
        return BTC.round_quantity(max(share * has, D("0.06")))

    def _quote(self, bid: Decimal, size: float) -> Quote:
        return quote(self.now, float(bid), float(bid + D("0.2")), size)

    def _change(
        self, kind: str, order_id: str, amount: Decimal, price: Decimal
    ) -> None:
        if kind == "cancel":
            self.venue.ask(CancelOrder(order_id))
        elif kind == "replace":
            self.venue.ask(ReplaceOrder(order_id, amount, price, "BTC"))
        elif kind == "move":
            self.venue.ask(ReplaceOrder(order_id, amount, None, "BTC", price))
        else:
            try:
                self.venue.broker.happen(
                    Transfer(currency="USDT", amount=-amount * 100)
                )
            except CommandRefused:
                note("transfer refused")


@settings(max_examples=400, deadline=None)
@given(
    SETTINGS,
    st.lists(st.one_of(ORDERS, TICKS, TICKS, CHANGES), min_size=15, max_size=40),
)
def test_no_balance_is_ever_below_zero_whatever_is_asked_and_however_it_moves(
    chosen: PaperBrokerSettings, steps: list[tuple[object, ...]]
) -> None:
    account = Account(chosen)
    for step in [("quote", D(100), 1.0), *steps, ("quote", D(100), 1000.0)]:
        account.step(step)
        balances = account.venue.broker.balances
        assert all(amount >= 0 for amount in balances.values()), (step, balances)
    note(f"filled: {bool(account.venue.fills())}")
    if any("insufficient" in reason for reason in expired(account.venue)):
        note("cut")


@settings(max_examples=200, deadline=None)
@given(SETTINGS, st.lists(st.one_of(ORDERS, BARS, CHANGES), min_size=15, max_size=40))
def test_no_balance_is_ever_below_zero_where_only_bars_exist(
    chosen: PaperBrokerSettings, steps: list[tuple[object, ...]]
) -> None:
    account = Account(chosen, 60)
    first = ("bar", D(100), D(100), D(101), D(99))
    for step in [first, *steps, first]:
        account.step(step)
        balances = account.venue.broker.balances
        assert all(amount >= 0 for amount in balances.values()), (step, balances)
    note(f"filled: {bool(account.venue.fills())}")
    if any("insufficient" in reason for reason in expired(account.venue)):
        note("cut")
